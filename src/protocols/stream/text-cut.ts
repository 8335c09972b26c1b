/** Where a text that comes piece by piece may be cut, so that no value that is looked for is cut in two. */

/** Without a line end so much is gathered before it is looked at, octets. */
const STEP = 4096;
/** Of a line without an end so much is kept back: more than any value is long that is made of several words. */
const OVERLAP = 1024;
/** A word that may be longer than what was kept back is kept whole up to here. */
const MAX_WORD = 64 * 1024;
/** Without a line end so much is there before it is cut. */
export const LONG_LINE = STEP + OVERLAP;

const NEWLINE = 0x0a;

/** What a long value is not made of: a text may be cut behind it. */
const BOUNDARY = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(byte <= 0x20 || '"\'(),:;<>[]{}|&?!#'.includes(String.fromCharCode(byte))),
);

/**
 * @param text All of it that is there.
 * @returns Behind the last line end; in a long line where no word is cut, well before its end. 0: nowhere yet. Pure.
 */
export function cutOf(text: Buffer): number {
  const line = text.lastIndexOf(NEWLINE) + 1;
  const last = text.length - OVERLAP;
  if (line > 0 && text.length - line < LONG_LINE) return line;
  for (let at = last; at > line && at > last - MAX_WORD; at--) if (BOUNDARY[text[at - 1]!] === 1) return at;
  return last - line > MAX_WORD ? last : line;
}
