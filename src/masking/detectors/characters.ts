/** Classes of octets, for scanners that walk bytes. Read-only. */

const table = (test: (byte: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, b) => Number(test(b)));
const oneOf = (chars: string) => (byte: number) => chars.includes(String.fromCharCode(byte));

const alnum = (b: number) => /[A-Za-z0-9]/.test(String.fromCharCode(b)) && b < 0x80;

export const ALNUM = table(alnum);
export const UPPER = table((b) => b >= 0x41 && b <= 0x5a);
export const UPPER_ALNUM = table((b) => /[A-Z0-9]/.test(String.fromCharCode(b)));
export const LETTER = table((b) => b < 0x80 && /[A-Za-z]/.test(String.fromCharCode(b)));
export const DIGIT = table((b) => b >= 0x30 && b <= 0x39);
/** base64url, as in JWT and most vendors' keys. */
export const KEY_BODY = table((b) => alnum(b) || b === 0x5f || b === 0x2d);
/**
 * Left of an e-mail's `@`. RFC 5322's atom without the characters that separate things in practice (`/ = ? & { } |` and
 * the backtick), plus every octet of a non-ASCII character (RFC 6531).
 */
export const EMAIL_LOCAL = table((b) => alnum(b) || b >= 0x80 || oneOf("._%+-!#$*^~'")(b));
/** Those characters too: looked at only where nothing else stands before the `@`. */
export const EMAIL_LOCAL_ANY = table((b) => alnum(b) || b >= 0x80 || oneOf("._%+-!#$*^~'/=?&{}|`")(b));
export const EMAIL_DOMAIN = table((b) => alnum(b) || b >= 0x80 || b === 0x2d || b === 0x2e);
