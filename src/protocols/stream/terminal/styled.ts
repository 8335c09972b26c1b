/** Text of a terminal without its colours, so that a value is found although a part of it is coloured. */

const ESC = 0x1b;
const BRACKET = 0x5b;
/** Ends a sequence that sets colours, or erases to the end of the line as grep does beside its colours. */
const [STYLE, ERASE] = [0x6d, 0x4b];

export interface Unstyled {
  readonly text: Uint8Array;
  /** Where an octet of `text` stands in what it was made of. */
  placeOf(at: number): number;
}

/**
 * @returns The text without sequences `ESC [ … m` and `ESC [ … K`; itself if it has none. Pure, linear.
 * @see ECMA-48 §8.3.41 (EL), §8.3.117 (SGR)
 */
export function unstyled(text: Buffer): Unstyled {
  if (text.indexOf(ESC) === -1) return { text, placeOf: (at) => at };
  const out = Buffer.allocUnsafe(text.length);
  const places = new Uint32Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; ) {
    const end = styleEnd(text, at);
    if (end !== at) at = end;
    else {
      places[length] = at;
      out[length++] = text[at++]!;
    }
  }
  return { text: out.subarray(0, length), placeOf: (at) => places[at]! };
}

/** Behind the sequence that begins at `start`; `start` itself: there is none. */
function styleEnd(text: Buffer, start: number): number {
  if (text[start] !== ESC || text[start + 1] !== BRACKET) return start;
  let at = start + 2;
  // Digits, `:` and `;`.
  while (text[at]! >= 0x30 && text[at]! <= 0x3b) at++;
  return text[at] === STYLE || text[at] === ERASE ? at + 1 : start;
}
