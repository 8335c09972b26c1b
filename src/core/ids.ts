import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Makes an identifier that sorts by time: 10 characters of milliseconds, 16 random ones (80 bits), in
 * Crockford's base 32, after a prefix that says what it names: `ses_01JD…`.
 *
 * @param prefix What it names: `ses` session, `evt` event, `op` operation, `ins` instance, `lgn` login.
 * @param nowMs Milliseconds since the epoch, 0 … 2^48−1.
 * @see https://github.com/ulid/spec
 */
export function newId(prefix: string, nowMs: number): string {
  let time = '';
  for (let rest = nowMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  let random = '';
  for (const byte of randomBytes(16)) random += ALPHABET[byte & 31];
  return `${prefix}_${time}${random}`;
}
