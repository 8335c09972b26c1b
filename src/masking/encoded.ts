import { ALNUM } from './detectors/characters.ts';

/** Shorter values are not decoded: eight octets, the shortest that anything is told by. */
const LEAST_BYTES = 12;
/** Longer ones neither: what is searched is a number or an address, not a file. */
const MOST_BYTES = 64 * 1024;

/** base64 and base64url, with the line ends that `encode` makes. */
const MEMBER = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(ALNUM[byte] === 1 || '+/-_=\n'.includes(String.fromCharCode(byte))),
);
/** What printable ASCII begins with in base64, and in hexadecimal. */
const FIRST = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(/[I-Za-f2-7]/.test(String.fromCharCode(byte))),
);
const HEX = /^(?:[0-9a-f]{2})+$/i;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const PRINTABLE = /^[\t\n\r -~]+$/;

/** Whether the octets from `start` to `end` may be base64 or hexadecimal of a text, and nothing else. */
export function mayBeEncoded(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < LEAST_BYTES || end - start > MOST_BYTES || FIRST[bytes[start]!] === 0) return false;
  let at = start;
  while (at < end && MEMBER[bytes[at]!] === 1) at++;
  return at === end && (beginsInHex(bytes, start) || beginsInBase64(bytes, start));
}

/** Whether four octets in hexadecimal are printable: each begins with 2 … 7. */
function beginsInHex(bytes: Uint8Array, start: number): boolean {
  for (let at = start; at < start + 8; at += 2) if (bytes[at]! < 0x32 || bytes[at]! > 0x37) return false;
  return true;
}

const SIXTH = new Uint8Array(256);
[...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].forEach((character, value) => {
  SIXTH[character.charCodeAt(0)] = value;
});

/** Whether the first three octets are ASCII, none of them a control character. */
function beginsInBase64(bytes: Uint8Array, start: number): boolean {
  const four =
    (SIXTH[bytes[start]!]! << 18) |
    (SIXTH[bytes[start + 1]!]! << 12) |
    (SIXTH[bytes[start + 2]!]! << 6) |
    SIXTH[bytes[start + 3]!]!;
  return (four & 0x808080) === 0 && four >> 21 > 0 && (four & 0x6000) > 0 && (four & 0x60) > 0;
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
