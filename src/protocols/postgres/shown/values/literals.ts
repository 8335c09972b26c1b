import { isDocument } from '../../../../masking/json-strings.ts';
import { STARS } from '../../../../masking/mask.ts';
import { byteaContent, byteaShown } from './bytea.ts';
import { type Look, MAX_DEPTH } from './look.ts';
import { wholeNumber } from './scalars.ts';
import type { WireType } from './wire-types.ts';

const FLOATS: ReadonlySet<number> = new Set([700, 701]);
const MONEY = 790;
const [QUOTE, BACKSLASH, COMMA, EQUALS, HEX_MARK] = [0x22, 0x5c, 0x2c, 0x3d, 0x78];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, OPEN, CLOSE] = [0x7b, 0x7d, 0x5b, 0x28, 0x29];

/** What becomes of a value in text form. */
export function textShown(value: Buffer, type: WireType, look: Look, depth: number): Uint8Array | null {
  if (depth > MAX_DEPTH) throw new RangeError('too deep');
  switch (type.kind) {
    case 'text':
      return look.detect(value, 'text');
    case 'json':
    case 'jsonb':
      return look.detect(value, 'json');
    case 'scalar':
      return scalar(value, type.oid, look);
    case 'bytea':
      return byteaShown(value, byteaContent(value), look);
    case 'array':
      return array(value, type.element, type.delimiter, look, depth) ?? look.detect(value, 'opaque');
    case 'record':
      return record(value, look, depth) ?? look.detect(value, 'opaque');
    case 'hstore':
      return hstore(value, look);
    default:
      return look.detect(value, 'opaque');
  }
}

/**
 * What becomes of a text of which nobody says what type it has: a field of a record, or of a COPY of a query. A document,
 * array or record that it can be read as stays one; a bare number that is found becomes NULL, as its type may hold no
 * other.
 */
export function untypedShown(value: Buffer, look: Look, depth: number): Uint8Array | null {
  if (depth > MAX_DEPTH) throw new RangeError('too deep');
  const first = value[0];
  if (first === BACKSLASH && value[1] === HEX_MARK) return byteaShown(value, byteaContent(value), look);
  if (isDocument(value)) return look.detect(value, 'json');
  if (first === OPEN_BRACE) {
    const shown = array(value, undefined, COMMA, look, depth);
    if (shown !== undefined) return shown;
  }
  if (first === OPEN) {
    const shown = record(value, look, depth);
    if (shown !== undefined) return shown;
  }
  return look.detect(value, NUMBER.test(value.toString('latin1', 0, 40)) ? 'opaque' : 'text');
}

const NUMBER = /^-?\d+(\.\d+)?$/;

function scalar(value: Buffer, oid: number, look: Look): Uint8Array | null {
  if (oid === MONEY) return sayingShown(value, value.toString('latin1').replace(/[^\d.]/g, ''), look);
  // Floats are short numbers but for those with an exponent.
  if (FLOATS.has(oid) && value.includes('e+'))
    return sayingShown(value, wholeNumber(Number(value.toString('latin1'))), look);
  return look.detect(value, 'opaque');
}

function sayingShown(value: Buffer, says: string, look: Look): Uint8Array | null {
  return look.detect(Buffer.from(says), 'opaque') === null ? null : value;
}

/** Octets of one element as it is written, quotes included. */
interface Written {
  readonly start: number;
  readonly end: number;
  readonly quoted: boolean;
}

/** How an element is written again. */
interface Writing {
  readonly escaped: (text: string) => string;
  readonly nothing: string;
}

const BACKSLASHED: Writing = { escaped: (text) => text.replace(/["\\]/g, '\\$&'), nothing: 'NULL' };
const DOUBLED: Writing = { escaped: (text) => text.replace(/["\\]/g, '$&$&'), nothing: '' };

/** @returns Undefined if it is no array. */
function array(
  value: Buffer,
  element: WireType | undefined,
  delimiter: number,
  look: Look,
  depth: number,
): Uint8Array | null | undefined {
  const elements = arrayElements(value, delimiter);
  if (elements === undefined) return undefined;
  const show = (text: Buffer) =>
    element === undefined ? untypedShown(text, look, depth + 1) : textShown(text, element, look, depth + 1);
  return rewritten(value, elements, show, BACKSLASHED);
}

/** @returns Undefined if it is no record. */
function record(value: Buffer, look: Look, depth: number): Uint8Array | null | undefined {
  const fields = recordFields(value);
  return fields && rewritten(value, fields, (text) => untypedShown(text, look, depth + 1), DOUBLED);
}

function rewritten(
  value: Buffer,
  elements: readonly Written[],
  show: (text: Buffer, index: number) => Uint8Array | null,
  { escaped, nothing }: Writing,
): Uint8Array | null {
  const out: Uint8Array[] = [];
  let copied = 0;
  for (const [index, { start, end, quoted }] of elements.entries()) {
    const text = quoted ? unquoted(value.subarray(start + 1, end - 1)) : value.subarray(start, end);
    const shown = show(text, index);
    if (shown === text) continue;
    const again = shown === null ? nothing : `"${escaped(Buffer.from(shown).toString('utf8'))}"`;
    out.push(value.subarray(copied, start), Buffer.from(again));
    copied = end;
  }
  return copied === 0 ? value : Buffer.concat([...out, value.subarray(copied)]);
}

/** What the inside of quotes says: a backslash or a quote before a character stands for that character. */
function unquoted(inside: Buffer): Buffer {
  if (!inside.includes(BACKSLASH) && !inside.includes(QUOTE)) return inside;
  const out = Buffer.allocUnsafe(inside.length);
  let length = 0;
  for (let at = 0; at < inside.length; at++) {
    if ((inside[at] === BACKSLASH || inside[at] === QUOTE) && at + 1 < inside.length) at++;
    out[length++] = inside[at]!;
  }
  return out.subarray(0, length);
}

/**
 * `{1,"a b",NULL,{…}}`, bounds before it or not; those that are NULL are left out.
 *
 * @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
function arrayElements(value: Buffer, delimiter: number): Written[] | undefined {
  let at = value[0] === OPEN_BRACKET ? value.indexOf('=') + 1 : 0;
  if (value[at] !== OPEN_BRACE) return undefined;
  const elements: Written[] = [];
  let open = 0;
  while (at < value.length) {
    const byte = value[at]!;
    if (byte === OPEN_BRACE) open++;
    else if (byte === CLOSE_BRACE && --open === 0) return at === value.length - 1 ? elements : undefined;
    if (byte === OPEN_BRACE || byte === CLOSE_BRACE || byte === delimiter) {
      at++;
      continue;
    }
    const end = byte === QUOTE ? quotedEnd(value, at) : plainEnd(value, at, delimiter, CLOSE_BRACE);
    if (byte === QUOTE || value.toString('latin1', at, end) !== 'NULL')
      elements.push({ start: at, end, quoted: byte === QUOTE });
    at = end;
  }
  return undefined;
}

/**
 * `(1,"a b",,)`; those that are NULL are left out.
 *
 * @see https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX
 */
function recordFields(value: Buffer): Written[] | undefined {
  if (value[0] !== OPEN || value.at(-1) !== CLOSE) return undefined;
  const fields: Written[] = [];
  for (let at = 1; at < value.length; at++) {
    const quoted = value[at] === QUOTE;
    const end = quoted ? quotedEnd(value, at) : plainEnd(value, at, COMMA, CLOSE);
    if (value[end] !== COMMA && end !== value.length - 1) return undefined;
    if (end > at) fields.push({ start: at, end, quoted });
    at = end;
  }
  return fields;
}

/** `"k"=>"v", "k"=>NULL`: keys and values. A key cannot be NULL. */
function hstore(value: Buffer, look: Look): Uint8Array | null {
  const strings: Written[] = [];
  const keys = new Set<number>();
  for (let at = value.indexOf(QUOTE); at !== -1; ) {
    const end = quotedEnd(value, at);
    if (value[end] === EQUALS) keys.add(strings.length);
    strings.push({ start: at, end, quoted: true });
    at = value.indexOf(QUOTE, end);
  }
  const show = (text: Buffer, index: number) => look.detect(text, 'text') ?? (keys.has(index) ? STARS : null);
  return rewritten(value, strings, show, BACKSLASHED);
}

/** Behind the closing quote; a quote that is doubled closes nothing. */
function quotedEnd(value: Buffer, from: number): number {
  for (let at = from + 1; at < value.length; at++) {
    if (value[at] === BACKSLASH) at++;
    else if (value[at] === QUOTE && value[at + 1] === QUOTE) at++;
    else if (value[at] === QUOTE) return at + 1;
  }
  throw new RangeError('a quote that is not closed');
}

function plainEnd(value: Buffer, from: number, delimiter: number, close: number): number {
  let at = from;
  while (at < value.length && value[at] !== delimiter && value[at] !== close) at++;
  return at;
}
