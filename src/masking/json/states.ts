/** What may come next in a JSON text, or is being read. */
export const STATE = {
  value: 0,
  firstElement: 1,
  name: 2,
  firstName: 3,
  colon: 4,
  after: 5,
  done: 6,
  string: 7,
  number: 8,
  word: 9,
  start: 10,
} as const;

/** What becomes of the token that is being read. */
export const TOKEN = { shown: 0, name: 1, looked: 2, masked: 3, unseen: 4 } as const;

/** Octets that mean something in a JSON text, and between two of them. */
export const OCTET = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openBracket: 0x5b,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
  newline: 0x0a,
  n: 0x6e,
  recordSeparator: 0x1e,
} as const;

export const BOM: readonly number[] = [0xef, 0xbb, 0xbf];

/** Levels, and octets of tokens. */
export const MOST = {
  depth: 512,
  name: 64 * 1024,
  /** A name that is expected again, with its quotes; and how many are. */
  expectedName: 64,
  expected: 256,
  /** A string that detectors look at: a longer one is masked whole. */
  looked: 1024 * 1024,
  /** Of a string at a masked path: no more tells how it is masked. */
  masked: 2 * 1024,
  number: 1024,
} as const;
