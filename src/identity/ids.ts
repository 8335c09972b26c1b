import { createHash } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Makes an identifier that is the same for the same parts, on every replica and after a restart: 26 characters
 * (130 bits of a SHA-256) after the prefix, looking like those of `newId` but not sorted by time.
 *
 * Pure.
 *
 * @param prefix What it names: `ins`, `lgn`.
 * @param parts What it is made of, in order; none runs into its neighbour.
 * @returns `ins_4Q8…`. Never throws.
 * @see https://www.crockford.com/base32.html
 */
export function derivedId(prefix: string, ...parts: readonly string[]): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([prefix, ...parts]))
    .digest();
  let text = '';
  for (const byte of digest.subarray(0, 26)) text += ALPHABET[byte & 31];
  return `${prefix}_${text}`;
}

/**
 * The instance of a key. An instance *is* its key, so revoking one shuts out the other, and neither a restart nor
 * another replica gives the same process a second name.
 *
 * @param keyThumbprint RFC 7638 thumbprint, base64url.
 * @returns `ins_` and 26 characters. Never throws.
 * @see https://www.rfc-editor.org/rfc/rfc7638
 */
export function instanceId(keyThumbprint: string): string {
  return derivedId('ins', keyThumbprint);
}
