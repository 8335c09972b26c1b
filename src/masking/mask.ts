import { isUtf8 } from 'node:buffer';
import { strongest as strongestKind } from '../policy/masks.ts';
import type { MaskKind } from '../policy/model.ts';
import { FORM_MAX_BYTES, writeFormat } from './keep-format.ts';
import { Pseudonyms, uuidOctets, uuidText } from './pseudonyms.ts';

/** How a value is masked. The kind `pseudonym` alone is none: without a key it hides as `redact` does. */
export type Mask = MaskKind | Pseudonyms;

/** What policy calls a mask. */
export function kindOf(mask: Mask): MaskKind {
  return typeof mask === 'string' ? mask : 'pseudonym';
}

/** The strongest of several masks; pseudonyms of two domains say nothing together, and become `redact`. */
export function strongest<M extends Mask>(masks: readonly M[]): M | 'redact' {
  const kind = strongestKind(masks.map(kindOf));
  const [first, ...more] = masks.filter((mask) => kindOf(mask) === kind);
  return first === undefined || more.some((mask) => domainOf(mask) !== domainOf(first)) ? 'redact' : first;
}

function domainOf(mask: Mask): string | undefined {
  return typeof mask === 'string' ? undefined : mask.domain;
}

/**
 * What a masked cell must still be on the wire:
 * `text` any other text · `json` JSON text · `jsonb-binary` one version octet (1), then JSON · `opaque` nothing but NULL
 * (numbers, dates, arrays, bytea …: a plausible false value would be worse than none).
 */
export type ValueShape = 'text' | 'json' | 'jsonb-binary' | 'opaque';

/** A UUID can hold a pseudonym too, and no other mask. */
export type MaskShape = ValueShape | 'uuid' | 'uuid-binary';

/** What stands for a hidden text. Shared: never write into it. */
export const STARS: Uint8Array = Buffer.from('***');
const JSON_STARS = Buffer.from('"***"');
const JSONB_STARS = Buffer.from('\x01"***"');

/** A partial text: two characters, stars, and a top-level domain of a quarter of `FORM_MAX_BYTES`. */
const PARTIAL_MAX_BYTES = 128;
/** What `writeMasked` writes, at most: what keeps its form, as JSON, all of it escaped. */
export const MAX_MASKED_BYTES = 1024;
/** Longest JSON text that is parsed to see whether it is a bare string. */
const JSON_SCALAR_MAX_BYTES = 1024;

/**
 * Masks one whole cell.
 *
 * Pure. The result may be shared between calls and must not be written to; `null` is SQL's NULL.
 *
 * `keep-format` keeps length and punctuation (`writeFormat`); pseudonyms are equal for equal values. `partial` keeps at most a quarter of the characters, rounded up: an e-mail its initials and top-level domain, a
 * number of eight digits or more its last digits (at most 4), other text its first character. Values of four characters
 * or fewer are hidden whole, and the length never shows. What cannot be masked within its shape becomes NULL, and so
 * does a value that is not UTF-8 where its content would have been used.
 *
 * @param value One cell as on the wire, never changed.
 * @returns Bytes of the same shape, or `null`. Never throws.
 */
export function maskValue(value: Uint8Array, mask: Mask, shape: MaskShape): Uint8Array | null {
  if (mask === 'null' || shape === 'opaque') return null;
  if (shape === 'uuid' || shape === 'uuid-binary') return maskedUuid(value, mask, shape);
  const keeps = mask === 'partial' || mask === 'keep-format' || mask instanceof Pseudonyms ? mask : undefined;
  if (shape === 'text') return keeps === undefined ? STARS : maskedText(value, keeps);
  if (shape === 'json') return keeps === undefined ? JSON_STARS : maskedJson(value, keeps);
  if (value[0] !== 1) return null;
  if (keeps === undefined) return JSONB_STARS;
  const json = maskedJson(value.subarray(1), keeps);
  return json === JSON_STARS ? JSONB_STARS : Buffer.concat([JSONB_STARS.subarray(0, 1), json]);
}

/** Masks by which something of a text remains. */
type KeepingMask = 'partial' | 'keep-format' | Pseudonyms;

function maskedText(value: Uint8Array, mask: KeepingMask): Uint8Array | null {
  if (mask === 'partial') return partialText(value);
  return mask === 'keep-format' ? formText(value) : Buffer.from(mask.text(value), 'latin1');
}

function formText(value: Uint8Array): Uint8Array | null {
  const out = Buffer.allocUnsafe(Math.min(value.length, FORM_MAX_BYTES));
  const end = writeFormat(value, 0, value.length, out, 0);
  if (end !== undefined) return out.subarray(0, end);
  return isUtf8(value) ? STARS : null;
}

function maskedUuid(value: Uint8Array, mask: Mask, shape: 'uuid' | 'uuid-binary'): Uint8Array | null {
  if (!(mask instanceof Pseudonyms)) return null;
  if (shape === 'uuid-binary') return value.length === 16 ? mask.uuid(value) : null;
  const octets = uuidOctets(utf8(value));
  return octets === undefined ? null : Buffer.from(uuidText(mask.uuid(octets)), 'latin1');
}

/** A bare JSON string is masked as the text it holds; everything else of JSON is hidden whole. */
function maskedJson(value: Uint8Array, mask: KeepingMask): Uint8Array {
  if (value.length > JSON_SCALAR_MAX_BYTES || !isUtf8(value)) return JSON_STARS;
  if (mask === 'partial' && isPlainString(value, 0, value.length)) {
    const out = Buffer.allocUnsafe(PARTIAL_MAX_BYTES + 2);
    return out.subarray(0, writePlainString(value, 0, value.length, out, 0));
  }
  try {
    const parsed: unknown = JSON.parse(utf8(value));
    if (typeof parsed !== 'string') return JSON_STARS;
    const masked = maskedText(Buffer.from(parsed), mask);
    return masked === null ? JSON_STARS : Buffer.from(JSON.stringify(utf8(masked)));
  } catch {
    return JSON_STARS;
  }
}

/** Whether the octets from `start` to `end` are a JSON string that says what it is: nothing in it is escaped. */
function isPlainString(value: Uint8Array, start: number, end: number): boolean {
  const last = end - 1;
  if (last <= start || value[start] !== QUOTE || value[last] !== QUOTE) return false;
  for (let i = start + 1; i < last; i++) {
    const byte = value[i]!;
    if (byte === QUOTE || byte === BACKSLASH || byte < 0x20) return false;
  }
  return true;
}

const [QUOTE, BACKSLASH, AT, STAR, SPACE, DOT] = [0x22, 0x5c, 0x40, 0x2a, 0x20, 0x2e];

/** As `writePartial`, of a plain JSON string: what is shown of it needs no escape either. One that is not UTF-8 is hidden. */
function writePlainString(
  value: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  to: number,
): number {
  const inside = writePartial(value, start + 1, end - 1, out, to + 1);
  if (inside === -1) return append(out, to, JSON_STARS, 0, JSON_STARS.length);
  out[to] = QUOTE;
  out[inside] = QUOTE;
  return inside + 1;
}

/**
 * As `maskValue`, from one piece of memory into another, so that the cells of a large result need no arrays of their own.
 *
 * @param source Holds the value from `start` to `end`.
 * @param out Has room for `MAX_MASKED_BYTES` at `to`.
 * @returns Where the masked value ends in `out`, or -1 for NULL: then what stands there means nothing.
 */
export function writeMasked(
  source: Uint8Array,
  start: number,
  end: number,
  mask: Mask,
  shape: MaskShape,
  out: Uint8Array,
  to: number,
): number {
  if (mask === 'null' || shape === 'opaque') return -1;
  if (shape === 'text' && mask === 'redact') return writeStars(out, to);
  if (shape === 'text' && mask === 'partial') return writePartial(source, start, end, out, to);
  if (shape === 'json' && mask === 'partial' && end - start <= JSON_SCALAR_MAX_BYTES)
    if (isPlainString(source, start, end)) return writePlainString(source, start, end, out, to);
  const masked = maskValue(source.subarray(start, end), mask, shape);
  return masked === null ? -1 : append(out, to, masked, 0, masked.length);
}

/**
 * As `writeMasked` of a JSON string, from its quote to its quote, that says what its octets are: whoever has read it knows that
 * nothing in it is escaped.
 */
export function writeMaskedString(
  source: Uint8Array,
  start: number,
  end: number,
  mask: Mask,
  out: Uint8Array,
  to: number,
): number {
  if (mask === 'null') return -1;
  if (mask === 'partial' && end - start <= JSON_SCALAR_MAX_BYTES)
    return writePlainString(source, start, end, out, to);
  const masked = maskValue(source.subarray(start, end), mask, 'json') ?? JSON_STARS;
  return append(out, to, masked, 0, masked.length);
}

function partialText(value: Uint8Array): Uint8Array | null {
  const out = Buffer.allocUnsafe(PARTIAL_MAX_BYTES);
  const end = writePartial(value, 0, value.length, out, 0);
  return end === -1 ? null : out.subarray(0, end);
}

/** Writes what may be shown of the text from `start` to `end`; -1 if it is not UTF-8. */
function writePartial(value: Uint8Array, start: number, end: number, out: Uint8Array, to: number): number {
  if (end - start > FORM_MAX_BYTES)
    return isUtf8(value.subarray(start, end)) ? firstCharacter(value, start, out, to) : -1;
  let counts = 0;
  let marks = 0;
  // Without a branch: nothing foretells what the next octet is.
  for (let i = start; i < end; i++) {
    const byte = value[i]!;
    counts += COUNTED[byte]!;
    marks += MARKED[byte]!;
  }
  const letters = counts % COUNT;
  const digits = (counts >> 10) % COUNT;
  const beyondAscii = counts >> 20;
  if (beyondAscii > 0 && !isUtf8(value.subarray(start, end))) return -1;
  const characters = end - start - (beyondAscii > 0 ? continuedIn(value, start, end) : 0);
  if (characters <= 4) return writeStars(out, to);
  const budget = (characters + 3) >> 2;
  const at = marks % COUNT === 1 ? atIn(value, start, end, marks > COUNT) : start;
  if (at > start) return partialEmail(value, { start, at, end }, budget, out, to);
  if (digits >= 8 && digits >= (letters + beyondAscii) * 2)
    return lastDigits(value, end, Math.min(4, budget), out, to);
  return firstCharacter(value, start, out, to);
}

/** Several things are counted in one number: of each there are at most `FORM_MAX_BYTES`. */
const COUNT = 2 ** 10;
/** Letters, digits, octets beyond ASCII. */
const COUNTED = Int32Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return COUNT * COUNT;
  return isLetter(byte) ? 1 : isDigit(byte) ? COUNT : 0;
});
/** Each `@`, spaces. */
const MARKED = Int32Array.from({ length: 256 }, (_, byte) => (byte === AT ? 1 : byte === SPACE ? COUNT : 0));

/** Where the only `@` stands; `start` if a space stands before it. */
function atIn(value: Uint8Array, start: number, end: number, hasSpace: boolean): number {
  let at = start;
  while (at < end && value[at] !== AT) {
    if (hasSpace && value[at] === SPACE) return start;
    at++;
  }
  return at;
}

/** Octets that are no character's first. */
function continuedIn(value: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if ((value[i]! & 0xc0) === 0x80) count++;
  return count;
}

/** Where an e-mail's parts lie. */
interface EmailParts {
  readonly start: number;
  readonly at: number;
  readonly end: number;
}

/** `alice@example.com` → `a***@e***.com`; a top-level domain that would go over the budget is left out. */
function partialEmail(
  value: Uint8Array,
  { start, at, end }: EmailParts,
  budget: number,
  out: Uint8Array,
  to: number,
): number {
  const shown = budget >= 2 && at + 1 < end;
  const domain = shown ? characterEnd(value, at + 1) : at + 1;
  let next = writeStars(out, shown ? append(out, to, value, start, characterEnd(value, start)) : to);
  out[next++] = AT;
  next = writeStars(out, append(out, next, value, at + 1, domain));
  const dot = shown ? topDot(value, domain, end) : -1;
  return dot !== -1 && end - dot - 1 <= budget - 2 ? append(out, next, value, dot, end) : next;
}

/** As many as `STARS`. */
function writeStars(out: Uint8Array, to: number): number {
  out[to] = STAR;
  out[to + 1] = STAR;
  out[to + 2] = STAR;
  return to + 3;
}

function append(out: Uint8Array, to: number, from: Uint8Array, start: number, end: number): number {
  let at = to;
  for (let i = start; i < end; i++) out[at++] = from[i]!;
  return at;
}

/** Where the dot of a top-level domain stands, behind `from`; -1: there is none. */
function topDot(value: Uint8Array, from: number, end: number): number {
  let dot = end - 1;
  while (dot > from && isLetter(value[dot]!)) dot--;
  return dot > from && value[dot] === DOT && end - dot > 2 ? dot : -1;
}

function lastDigits(value: Uint8Array, end: number, count: number, out: Uint8Array, to: number): number {
  const first = writeStars(out, to);
  let left = count;
  for (let i = end - 1; left > 0; i--) if (isDigit(value[i]!)) out[first + --left] = value[i]!;
  return first + count;
}

function firstCharacter(value: Uint8Array, start: number, out: Uint8Array, to: number): number {
  return writeStars(out, append(out, to, value, start, characterEnd(value, start)));
}

/** End of the UTF-8 character that starts at `start`; the value is known to be UTF-8. */
function characterEnd(value: Uint8Array, start: number): number {
  const lead = value[start] ?? 0;
  return start + (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isLetter(byte: number): boolean {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
}
