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

/** UTF-16 units that are measured at once: a text of a megabyte takes a millisecond, and one by one it took ten. */
const STRETCH = 4096;

/** @returns How many UTF-16 units fit into `maxBytes`, and the octets that they take. */
function measure(text: string, maxBytes: number): { readonly end: number; readonly bytes: number } {
  let bytes = 0;
  for (let from = 0; from < text.length; ) {
    const to = stretchEnd(text, from);
    const more = Buffer.byteLength(JSON.stringify(text.slice(from, to))) - 2;
    if (bytes + more > maxBytes) return measureEach(text, from, bytes, maxBytes);
    bytes += more;
    from = to;
  }
  return { end: text.length, bytes };
}

/** Not between the two halves of a character. */
function stretchEnd(text: string, from: number): number {
  const to = Math.min(text.length, from + STRETCH);
  return text.codePointAt(to - 1)! > 0xffff ? to + 1 : to;
}

/** As `measure`, from a place on, behind which not all fits. */
function measureEach(text: string, from: number, before: number, maxBytes: number) {
  let [end, bytes] = [from, before];
  while (end < text.length) {
    const code = text.codePointAt(end)!;
    const width = jsonWidth(code);
    if (bytes + width > maxBytes) break;
    bytes += width;
    end += code > 0xffff ? 2 : 1;
  }
  return { end, bytes };
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
