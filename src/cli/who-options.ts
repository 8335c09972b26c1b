/**
 * Options that name an instance or a run: what can be the name of none would find nothing, and nobody would say why.
 */
import { HoopError } from '../core/errors.ts';

const INSTANCE = /^ins_[0-9A-Z]{26}$/;
/** An id of ours that is not a run's. What an issuer attests may be called anything else. */
const OF_OTHER_KIND = /^(?:ses|evt|apr|op|lgn|rev|ins)_[0-9A-Z]{26}$/;

/** @throws {HoopError} `ERR_USAGE` no instance is called so. */
export function demandInstance(value: string): void {
  if (INSTANCE.test(value)) return;
  throw new HoopError(
    'ERR_USAGE',
    `--instance "${value.slice(0, 200)}" is no instance: ins_ and 26 characters`,
    { hint: 'hoopctl session list and hoopctl whoami say which there are' },
  );
}

/** @throws {HoopError} `ERR_USAGE` it is the id of something else. */
export function demandRun(value: string): void {
  if (!OF_OTHER_KIND.test(value)) return;
  throw new HoopError('ERR_USAGE', `--run "${value}" is no name of a run, but of something else`, {
    hint: 'hoopctl session list says which there are',
  });
}
