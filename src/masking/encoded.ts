import { ALNUM } from './characters.ts';

/** Shorter values are not decoded: eight octets, the shortest that anything is told by. */
const LEAST_BYTES = 12;
/** Longer ones neither: what is searched is a number or an address, not a file. */
const MOST_BYTES = 64 * 1024;

/** base64 and base64url, with the line ends that `encode` makes. */
const MEMBER = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(ALNUM[byte] === 1 || '+/-_=\n'.includes(String.fromCharCode(byte))),
);
const HEX = /^(?:[0-9a-f]{2})+$/i;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const PRINTABLE = /^[\t\n\r -~]+$/;

/** Whether the octets from `start` to `end` may be base64 or hexadecimal and nothing else. */
export function mayBeEncoded(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < LEAST_BYTES || end - start > MOST_BYTES) return false;
  let at = start;
  while (at < end && MEMBER[bytes[at]!] === 1) at++;
  return at === end;
}

/** The ASCII text that a value is the base64 or hexadecimal form of, if it is nothing else. Pure. Never throws. */
export function encodedText(value: Uint8Array): Buffer | undefined {
  if (!mayBeEncoded(value, 0, value.length)) return undefined;
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    .toString('latin1')
    .replaceAll('\n', '');
  const hex = HEX.test(text) ? decoded(text, 'hex') : undefined;
  return hex ?? (BASE64.test(text) ? decoded(text, 'base64') : undefined);
}

function decoded(text: string, encoding: 'hex' | 'base64'): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  return PRINTABLE.test(bytes.toString('latin1')) ? bytes : undefined;
}
