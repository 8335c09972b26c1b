export interface CutText {
  readonly text: string;
  readonly cut: boolean;
}

/**
 * Cuts a text so that it takes at most `maxBytes` octets inside a JSON string, where a control character takes six.
 *
 * Pure. Never cuts inside a character; a lone surrogate counts as the six octets that JSON gives it.
 */
export function cutText(text: string, maxBytes: number): CutText {
  if (fits(text, maxBytes)) return { text, cut: false };
  let low = 0;
  let high = Math.min(text.length, maxBytes);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (jsonBytes(text.slice(0, middle)) <= maxBytes) low = middle;
    else high = middle - 1;
  }
  const last = text.charCodeAt(low - 1);
  return { text: text.slice(0, last >= 0xd800 && last <= 0xdbff ? low - 1 : low), cut: true };
}

/** UTF-8 octets of a text inside a JSON string, without its quotes. */
export function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/** Every UTF-16 unit takes one to six octets as JSON: most texts need no count. */
function fits(text: string, maxBytes: number): boolean {
  if (text.length * 6 <= maxBytes) return true;
  return text.length <= maxBytes && jsonBytes(text) <= maxBytes;
}
