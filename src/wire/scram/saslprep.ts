/** RFC 3454 C.1.2: becomes a space. */
const OTHER_SPACE = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;
/** RFC 3454 B.1: disappears. */
const NOTHING = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;
/** RFC 3454 C.2 to C.9, and A.1, what Unicode 3.2 had not assigned: emoji, scripts; in the lower plane only what is still free. */
const PROHIBITED = new RegExp(
  [
    '[\\p{Cc}\\p{Co}\\p{Cs}\\p{Cn}',
    '\\u06dd\\u070f\\u180e\\u200e\\u200f\\u2028\\u2029\\u202a-\\u202e\\u2060-\\u2063\\u206a-\\u206f',
    '\\u0340\\u0341\\u2ff0-\\u2ffb\\ufff9-\\ufffd\\u{1d173}-\\u{1d17a}',
    '\\u{10000}-\\u{102ff}\\u{10450}-\\u{1cfff}\\u{1d1de}-\\u{1d3ff}\\u{1d800}-\\u{1ffff}',
    '\\u{2a6d7}-\\u{2f7ff}\\u{2fa1e}-\\u{e007f}]',
  ].join(''),
  'u',
);
/** RFC 3454 D.1: written from right to left. */
const RIGHT_TO_LEFT = new RegExp(
  [
    '[\\u05be\\u05c0\\u05c3\\u05d0-\\u05ea\\u05f0-\\u05f4\\u061b\\u061f\\u0621-\\u063a\\u0640-\\u064a\\u066d-\\u066f',
    '\\u0671-\\u06d5\\u06dd\\u06e5\\u06e6\\u06fa-\\u06fe\\u0700-\\u070d\\u0710\\u0712-\\u072c\\u0780-\\u07a5\\u07b1\\u200f',
    '\\ufb1d\\ufb1f-\\ufb28\\ufb2a-\\ufb36\\ufb38-\\ufb3c\\ufb3e\\ufb40\\ufb41\\ufb43\\ufb44\\ufb46-\\ufbb1\\ufbd3-\\ufd3d',
    '\\ufd50-\\ufd8f\\ufd92-\\ufdc7\\ufdf0-\\ufdfc\\ufe70-\\ufe74\\ufe76-\\ufefc]',
  ].join(''),
  'u',
);
const RIGHT_TO_LEFT_AT_BOTH_ENDS = new RegExp(`^${RIGHT_TO_LEFT.source}(.*${RIGHT_TO_LEFT.source})?$`, 'su');
/** Nearly RFC 3454 D.2: the other letters. */
const LEFT_TO_RIGHT = new RegExp(`(?!${RIGHT_TO_LEFT.source})\\p{L}`, 'u');

/**
 * Prepares a password for SCRAM as PostgreSQL and libpq do: SASLprep, or the password itself where SASLprep refuses it.
 *
 * @returns Printable ASCII unchanged; other text in Unicode's form KC, its spaces made plain. A password with a letter
 *   younger than Unicode 3.2 PostgreSQL takes as it is: so do we beyond U+FFFF; below, it is prepared like the others.
 *   Pure. Never throws.
 * @see RFC 4013; `pg_saslprep` in PostgreSQL's src/common/saslprep.c
 */
export function saslprep(password: string): string {
  if (/^[\0-\x7f]*$/.test(password)) return password;
  const mapped = password.replace(OTHER_SPACE, ' ').replace(NOTHING, '');
  // PostgreSQL looks for what is prohibited before it normalises, and so must we.
  return mapped === '' || PROHIBITED.test(mapped) || mixesDirections(mapped)
    ? password
    : mapped.normalize('NFKC');
}

/** RFC 3454 §6: with a letter from right to left, such must be first and last, and none from left to right may be there. */
function mixesDirections(text: string): boolean {
  return RIGHT_TO_LEFT.test(text) && (LEFT_TO_RIGHT.test(text) || !RIGHT_TO_LEFT_AT_BOTH_ENDS.test(text));
}
