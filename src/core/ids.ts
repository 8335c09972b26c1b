import { randomUUID } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Makes an identifier that sorts by time: 10 characters of milliseconds, 16 random ones (79 bits), in
 * Crockford's base 32, after a prefix that says what it names: `ses_01JD…`.
 *
 * @param prefix What it names: `ses` session, `evt` event, `op` operation, `ins` instance, `lgn` login.
 * @param nowMs Milliseconds since the epoch, 0 … 2^48−1.
 * @see https://github.com/ulid/spec
 */
export function newId(prefix: string, nowMs: number): string {
  let time = '';
  for (let rest = nowMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  // A UUID's 122 random bits come from a pool, a hundred times cheaper than a call of the generator for each id. Its
  // octets 6 and 8 hold version and variant: their lower bits are random all the same.
  const hex = randomUUID().replaceAll('-', '');
  let random = '';
  for (let i = 0; i < 32; i += 2) random += ALPHABET[Number.parseInt(hex.slice(i, i + 2), 16) & 31];
  return `${prefix}_${time}${random}`;
}
