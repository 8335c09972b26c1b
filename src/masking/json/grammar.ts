/** What an octet within a string is. */
export const IN_STRING = { plain: 0, quote: 1, backslash: 2, control: 3, telling: 4 } as const;

export const STRING_CLASS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x22) return IN_STRING.quote;
  if (byte === 0x5c) return IN_STRING.backslash;
  return byte < 0x20 ? IN_STRING.control : IN_STRING.plain;
});

const classOf = (characters: string) =>
  Uint8Array.from({ length: 256 }, (_, byte) => Number(characters.includes(String.fromCharCode(byte))));

export const BLANK = classOf(' \t\n\r');
/** What may follow a backslash; `u` needs four digits more. */
export const ESCAPED = classOf('"\\/bfnrtu');
export const HEX = classOf('0123456789abcdefABCDEF');
/** Whatever a number is made of. */
export const IN_NUMBER = classOf('0123456789+-.eE');
/** Letters of `true`, `false`, `null`. */
export const IN_WORD = classOf('truefalsn');

const DIGIT = classOf('0123456789');
const [ZERO, MINUS, PLUS, DOT] = [0x30, 0x2d, 0x2b, 0x2e];

/** The first place at or behind `from` where nothing stands that a number is made of. */
export function numberEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && IN_NUMBER[bytes[at]!] === 1) at++;
  return at;
}

/** As `numberEnd`, of `true`, `false` and `null`. */
export function wordEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && IN_WORD[bytes[at]!] === 1) at++;
  return at;
}

/** Whether the octets from `start` to `end` are a number. @see RFC 8259 §6 */
export function isNumber(bytes: Uint8Array, start: number, end: number): boolean {
  let at = bytes[start] === MINUS ? start + 1 : start;
  const whole = at;
  at = digitsEnd(bytes, at, end);
  if (at === whole || (bytes[whole] === ZERO && at > whole + 1)) return false;
  if (at < end && bytes[at] === DOT) {
    const fraction = at + 1;
    at = digitsEnd(bytes, fraction, end);
    if (at === fraction) return false;
  }
  if (at < end && (bytes[at]! | 0x20) === 0x65) {
    at++;
    if (at < end && (bytes[at] === PLUS || bytes[at] === MINUS)) at++;
    const power = at;
    at = digitsEnd(bytes, power, end);
    if (at === power) return false;
  }
  return at === end;
}

function digitsEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && DIGIT[bytes[at]!] === 1) at++;
  return at;
}

const WORDS = ['true', 'false', 'null'].map((word) => Buffer.from(word));

/** Whether the octets from `start` to `end` are `true`, `false` or `null`. */
export function isWord(bytes: Uint8Array, start: number, end: number): boolean {
  return WORDS.some((word) => {
    if (word.length !== end - start) return false;
    for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word[i]) return false;
    return true;
  });
}

/**
 * What a string says, from its quote to its quote.
 *
 * @returns Undefined: it is not the string that it seems. A half of a surrogate pair is left as it is.
 */
export function stringText(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    const text: unknown = JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'),
    );
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
