export interface CutText {
  readonly text: string;
  readonly cut: boolean;
}

/**
 * Cuts a text so that it takes at most `maxBytes` octets inside a JSON string, where a control character takes six.
 *
 * Pure; one pass over what is kept. Never cuts inside a character; a lone surrogate counts as the six octets that
 * JSON gives it.
 */
export function cutText(text: string, maxBytes: number): CutText {
  // Every UTF-16 unit takes one to six octets as JSON: most texts need no count.
  if (text.length * 6 <= maxBytes) return { text, cut: false };
  const { end } = measure(text, maxBytes);
  return end === text.length ? { text, cut: false } : { text: text.slice(0, end), cut: true };
}

/** UTF-8 octets of a text inside a JSON string, without its quotes. */
export function jsonBytes(text: string): number {
  return measure(text, Number.POSITIVE_INFINITY).bytes;
}

/** @returns How many UTF-16 units fit into `maxBytes`, and the octets that they take. */
function measure(text: string, maxBytes: number): { readonly end: number; readonly bytes: number } {
  let bytes = 0;
  for (let i = 0; i < text.length; ) {
    const code = text.codePointAt(i)!;
    const width = jsonWidth(code);
    if (bytes + width > maxBytes) return { end: i, bytes };
    bytes += width;
    i += code > 0xffff ? 2 : 1;
  }
  return { end: text.length, bytes };
}

function jsonWidth(code: number): number {
  if (code < 0x20) return SHORT_ESCAPES.has(code) ? 2 : 6;
  if (code < 0x80) return code === 0x22 || code === 0x5c ? 2 : 1;
  if (code < 0x800) return 2;
  if (code >= 0xd800 && code <= 0xdfff) return 6;
  return code > 0xffff ? 4 : 3;
}

/** `\b \t \n \f \r`. */
const SHORT_ESCAPES: ReadonlySet<number> = new Set([8, 9, 10, 12, 13]);
