import { HoopError } from '../../core/errors.ts';
import { PROTOCOLS } from '../../protocols/index.ts';
import { toldOf } from './told-of.ts';

/**
 * `hoopd check --host-keys HOST:PORT`: prints the keys that a target shows now, as the configuration takes them. Reads no
 * configuration.
 *
 * @returns 0.
 * @throws {HoopError} `ERR_USAGE` it is no place; `ERR_TARGET_…` it does not answer, or shows none.
 */
export async function hostKeys(place: string, json: boolean): Promise<number> {
  const asked = PROTOCOLS.flatMap(({ seenKeys }) => (seenKeys === undefined ? [] : [seenKeys(place)]));
  const keys = (
    await Promise.all(asked).catch((error: unknown) => Promise.reject(toldOf(place, error)))
  ).flat();
  if (keys.length === 0)
    throw new HoopError('ERR_TARGET_IDENTITY', `${place} shows no key of a kind that is taken here`);
  const lines = keys.map(({ line, fingerprint }) => `  - ${line} # ${fingerprint}`);
  const text = [
    `# ${place} shows these now: compare them with what the host says itself`,
    'hostKeys:',
    ...lines,
  ];
  process.stdout.write(`${json ? JSON.stringify({ schemaVersion: 1, place, keys }) : text.join('\n')}\n`);
  return 0;
}
