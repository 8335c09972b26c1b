/** A JSON string that is written with escapes: octets of its inside, and what it says. */
export interface EscapedString {
  readonly start: number;
  readonly end: number;
  readonly text: Uint8Array;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const BLANK = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Finds the strings of a JSON text that hold escapes; the others say what their bytes say.
 *
 * Pure, linear. What is not JSON gives no error: a string that cannot be unescaped is passed as its bytes.
 */
export function* escapedStrings(json: Uint8Array): Generator<EscapedString> {
  if (json.indexOf(BACKSLASH) === -1) return;
  for (const { start, end } of strings(json)) {
    const inside = json.subarray(start, end);
    if (inside.indexOf(BACKSLASH) !== -1) yield { start, end, text: unescapeString(inside) ?? inside };
  }
}

/** Insides of all strings, in order. An unclosed one ends with the text. */
export function* strings(json: Uint8Array): Generator<{ readonly start: number; readonly end: number }> {
  for (let at = json.indexOf(QUOTE); at !== -1; ) {
    const start = at + 1;
    let end = start;
    while (end < json.length && json[end] !== QUOTE) end += json[end] === BACKSLASH ? 2 : 1;
    end = Math.min(end, json.length);
    yield { start, end };
    at = json.indexOf(QUOTE, end + 1);
  }
}

/** Whether the string whose inside ends at `end` is a key. */
export function isKey(json: Uint8Array, end: number): boolean {
  let at = end + 1;
  while (BLANK.has(json[at] ?? 0)) at++;
  return json[at] === COLON;
}

const NUMBER = new Uint8Array(256);
for (const character of '0123456789+-.eE') NUMBER[character.charCodeAt(0)] = 1;

/** The number of a JSON text in which the octets from `start` to `end` stand; undefined if they stand in something else. */
export function numberAround(
  json: Uint8Array,
  start: number,
  end: number,
): { readonly start: number; readonly end: number } | undefined {
  for (let at = start; at < end; at++) if (NUMBER[json[at]!] === 0) return undefined;
  let [first, last] = [start, end];
  while (first > 0 && NUMBER[json[first - 1]!] === 1) first--;
  while (last < json.length && NUMBER[json[last]!] === 1) last++;
  return { start: first, end: last };
}

/** What the inside of a JSON string says, as UTF-8; undefined if it is not the inside of one. */
function unescapeString(inside: Uint8Array): Uint8Array | undefined {
  try {
    const text: unknown = JSON.parse(`"${Buffer.from(inside).toString('utf8')}"`);
    return typeof text === 'string' ? Buffer.from(text) : undefined;
  } catch {
    return undefined;
  }
}

/** The inside of a JSON string that says `text`. */
export function escapeString(text: Uint8Array): Uint8Array {
  if (text.every(isPlain)) return text;
  return Buffer.from(JSON.stringify(Buffer.from(text).toString('utf8')).slice(1, -1));
}

/** Whether an octet of ASCII stands for itself within a string. */
function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH;
}

const [OPEN_BRACE, OPEN_BRACKET] = [0x7b, 0x5b];

/** Whether a text is a JSON object or array. */
export function isDocument(text: Uint8Array): boolean {
  if (text[0] !== OPEN_BRACE && text[0] !== OPEN_BRACKET) return false;
  try {
    JSON.parse(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
