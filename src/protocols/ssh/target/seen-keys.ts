import { HoopError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { lineOf } from '../../../wire/ssh/named-key.ts';
import type { SeenKey } from '../../protocol.ts';
import { targetAddresses } from '../../stream/addresses.ts';
import { dial, within } from '../../stream/dial.ts';
import { fingerprint, PLAIN_SIGNATURES } from './host-trust.ts';
import { scanHostKey } from './key-scan.ts';

const DEFAULT_PORT = 22;

/**
 * Asks a host for its keys, one connection for each kind, at once.
 *
 * @param place `host-1.internal`, `host-1.internal:2222` or `[2001:db8::7]:22`.
 * @returns Those that it shows now; believed by nobody before somebody has compared them.
 * @throws {HoopError} `ERR_USAGE` it is no place; `ERR_TARGET_UNREACHABLE`, `ERR_TARGET_LOST` as `SshTarget.open`.
 */
export async function seenKeys(place: string): Promise<readonly SeenKey[]> {
  const { host, port } = placeOf(place);
  const { lookup } = targetAddresses([]);
  const asked = await Promise.allSettled(
    PLAIN_SIGNATURES.map((algorithms) =>
      within(LIMITS.targetConnectMs, undefined, async (signal) =>
        scanHostKey(await dial(host, port, signal, lookup), algorithms),
      ),
    ),
  );
  const blobs = asked.flatMap((one) =>
    one.status === 'fulfilled' && one.value !== undefined ? [one.value] : [],
  );
  const failed = asked.find((one) => one.status === 'rejected');
  // Of a kind that it does not have a host may hang up: that is no word on the others.
  if (blobs.length === 0 && failed !== undefined) throw failed.reason;
  return blobs.map((blob) => ({ line: lineOf(blob), fingerprint: fingerprint(blob) }));
}

function placeOf(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const [host, port] = [bracketed ?? plain, digits === undefined ? DEFAULT_PORT : Number(digits)];
  if (host !== undefined && port > 0 && port < 65_536) return { host, port };
  throw new HoopError('ERR_USAGE', `"${text}" is no host with a port`, { hint: 'write host-1.internal:22' });
}
