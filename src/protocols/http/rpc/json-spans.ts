import { unreadable } from '../../../masking/pieces/unreadable.ts';
import { MAX_VALUES } from '../request/body/json.ts';

/** Where a value stands in a JSON text: `end` is behind its last character. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Member {
  /** What it says, without escapes. */
  readonly name: string;
  readonly value: Span;
}

/** Members of one object and elements of one array that are taken apart: of what was read strictly, all that there can be. */
const MOST = MAX_VALUES;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * The one value of a JSON text. Pure, as all here: places are found in the text itself, so that what is not touched keeps
 * its octets. Each function is linear in the value that it looks at.
 *
 * @param text Well-formed JSON: whoever calls has had it read.
 */
export function rootOf(text: string): Span {
  const start = skipBlanks(text, text.charCodeAt(0) === 0xfeff ? 1 : 0);
  return { start, end: valueEnd(text, start) };
}

/** @returns Undefined for what is no object. @throws {HoopError} `ERR_TARGET_LOST` it has more than are taken apart. */
export function membersOf(text: string, { start }: Span): readonly Member[] | undefined {
  if (text.charCodeAt(start) !== OPEN_BRACE) return undefined;
  const found: Member[] = [];
  for (let at = skipBlanks(text, start + 1); text.charCodeAt(at) !== CLOSE_BRACE; ) {
    const nameEnd = stringEnd(text, at);
    const value = skipBlanks(text, skipBlanks(text, nameEnd) + 1);
    const end = valueEnd(text, value);
    demandRoom(found.length);
    found.push({ name: JSON.parse(text.slice(at, nameEnd)) as string, value: { start: value, end } });
    at = behind(text, end);
  }
  return found;
}

/** @returns Undefined for what is no array. @throws {HoopError} `ERR_TARGET_LOST` it has more than are taken apart. */
export function elementsOf(text: string, { start }: Span): readonly Span[] | undefined {
  if (text.charCodeAt(start) !== OPEN_BRACKET) return undefined;
  const found: Span[] = [];
  for (let at = skipBlanks(text, start + 1); text.charCodeAt(at) !== CLOSE_BRACKET; ) {
    const end = valueEnd(text, at);
    demandRoom(found.length);
    found.push({ start: at, end });
    at = behind(text, end);
  }
  return found;
}

function demandRoom(found: number): void {
  if (found === MOST) throw unreadable(`a message has a value of more than ${MOST} parts`);
}

/** What a string says; undefined for anything else. */
export function stringAt(text: string, { start, end }: Span): string | undefined {
  return text.charCodeAt(start) === QUOTE ? (JSON.parse(text.slice(start, end)) as string) : undefined;
}

/** The only member of that name; undefined where there is none, or another that some reader takes for it. */
export function only(members: readonly Member[] | undefined, name: string): Span | undefined {
  const found = members?.filter((one) => one.name.toLowerCase() === name.toLowerCase()) ?? [];
  return found.length === 1 && found[0]!.name === name ? found[0]!.value : undefined;
}

/** Something that stands in the place of a part of a text. */
export interface Edit extends Span {
  readonly by: string;
}

/** The text with what stands for its parts. @param edits None within another. The same text where there are none. */
export function edited(text: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return text;
  const parts: string[] = [];
  let from = 0;
  for (const { start, end, by } of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(text.slice(from, start), by);
    from = end;
  }
  return parts.join('') + text.slice(from);
}

/** Behind the comma, or at the end of what the value stands in. */
function behind(text: string, end: number): number {
  const at = skipBlanks(text, end);
  return text.charCodeAt(at) === COMMA ? skipBlanks(text, at + 1) : at;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return at;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

function valueEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at) - 1;
      if (depth === 0) return at + 1;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (code === COMMA || isBlank(code))) return at;
  }
  return text.length;
}
