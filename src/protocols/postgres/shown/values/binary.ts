import { STARS } from '../../../../masking/mask.ts';
import { byteaShown } from './bytea.ts';
import { type Look, MAX_DEPTH } from './look.ts';
import type { WireType } from './wire-types.ts';

const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;

/** @throws {RangeError} The value does not fit its type. */
export function binaryShown(value: Buffer, type: WireType, look: Look, depth: number): Uint8Array | null {
  if (depth > MAX_DEPTH) throw new RangeError('too deep');
  switch (type.kind) {
    case 'text':
      return look.detect(value, 'text');
    case 'json':
      return look.detect(value, 'json');
    case 'jsonb':
      return look.detect(value, 'jsonb-binary');
    case 'enum':
      return look.detect(value, 'opaque');
    case 'scalar':
      return orNull(value, look, [type.scalar.text(value)]);
    case 'versioned':
      return look.detect(value.subarray(1), 'opaque') === null ? null : value;
    case 'bytea':
      return byteaShown(value, value, look);
    case 'array':
      return array(value, look, depth);
    case 'record':
      return record(value, look, depth);
    case 'hstore':
      return hstore(value, look);
    case 'range':
      return range(value, type.of, look, depth);
    case 'multirange':
      return whole(
        value,
        items(value, 4, 0, (item) => item && binaryShown(item, type.of, look, depth + 1)),
      );
    case 'tsvector':
      return orNull(value, look, lexemes(value));
    case 'tsquery':
      return orNull(value, look, operands(value));
    default:
      return null;
  }
}

/** NULL if anything is found in what the value says. */
function orNull(value: Buffer, look: Look, texts: readonly string[]): Uint8Array | null {
  return texts.every((text) => look.detect(Buffer.from(text), 'opaque') !== null) ? value : null;
}

/** A value of which a part was replaced cannot stand: NULL. */
function whole(value: Buffer, shown: Uint8Array | null): Uint8Array | null {
  return shown === value ? value : null;
}

/** Dimensions, whether there are NULLs, the element's type, two numbers for each dimension; then the elements. */
function array(value: Buffer, look: Look, depth: number): Uint8Array | null {
  const element = look.types.of(value.readUInt32BE(8));
  const from = 12 + 8 * value.readUInt32BE(0);
  let nulls = value.readUInt32BE(4);
  const shown = items(value, from, 0, (item) => {
    const one = item && binaryShown(item, element, look, depth + 1);
    if (one === null) nulls = 1;
    return one;
  });
  if (shown !== value) shown.writeUInt32BE(nulls, 4);
  return shown;
}

/** The number of fields; then the type and value of each. */
function record(value: Buffer, look: Look, depth: number): Uint8Array | null {
  return items(
    value,
    4,
    4,
    (item, head) => item && binaryShown(item, look.types.of(head.readUInt32BE(0)), look, depth + 1),
  );
}

/** Keys and values in turn. A key cannot be NULL. */
function hstore(value: Buffer, look: Look): Uint8Array {
  let isKey = false;
  return items(value, 4, 0, (item) => {
    isKey = !isKey;
    return item && (look.detect(item, 'text') ?? (isKey ? STARS : null));
  });
}

/** Flags, then the bounds that are there. A bound that is hidden would make another range of it. */
function range(value: Buffer, of: WireType, look: Look, depth: number): Uint8Array | null {
  return whole(
    value,
    items(value, 1, 0, (item) => item && binaryShown(item, of, look, depth + 1)),
  );
}

/**
 * Looks at values that lie one behind the other up to the end, each with its length before it, and `head` octets before
 * that.
 *
 * @returns `value` itself, or a new array with what became of them.
 */
function items(
  value: Buffer,
  from: number,
  head: number,
  show: (item: Buffer | null, head: Buffer) => Uint8Array | null,
): Buffer {
  const out: Uint8Array[] = [];
  let copied = 0;
  for (let at = from; at < value.length; ) {
    const start = at + head + LENGTH_BYTES;
    const length = value.readInt32BE(at + head);
    const end = length === NULL_LENGTH ? start : start + length;
    if (length < NULL_LENGTH || end > value.length)
      throw new RangeError('a value is longer than what holds it');
    const item = length === NULL_LENGTH ? null : value.subarray(start, end);
    const shown = show(item, value.subarray(at, at + head));
    if (shown !== item) {
      out.push(value.subarray(copied, start - LENGTH_BYTES), int32(shown?.length ?? NULL_LENGTH));
      if (shown !== null) out.push(shown);
      copied = end;
    }
    at = end;
  }
  if (copied === 0) return value;
  return Buffer.concat([...out, value.subarray(copied)]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Their number; then each lexeme up to a NUL, the number of its places, and those. */
function lexemes(value: Buffer): string[] {
  const out: string[] = [];
  let at = 4;
  for (let left = value.readUInt32BE(0); left > 0; left--) {
    const end = textEnd(value, at);
    out.push(value.toString('utf8', at, end));
    at = end + 3 + 2 * value.readUInt16BE(end + 1);
  }
  return out;
}

const OPERAND = 1;
const PHRASE = 4;

/** Their number; then operands (weight, prefix, text) and operators, of which a phrase has a distance. */
function operands(value: Buffer): string[] {
  const out: string[] = [];
  let at = 4;
  for (let left = value.readUInt32BE(0); left > 0; left--) {
    const isOperand = value.readUInt8(at) === OPERAND;
    if (isOperand) {
      const end = textEnd(value, at + 3);
      out.push(value.toString('utf8', at + 3, end));
      at = end + 1;
    } else at += value.readUInt8(at + 1) === PHRASE ? 4 : 2;
  }
  return out;
}

function textEnd(value: Buffer, from: number): number {
  const end = value.indexOf(0, from);
  if (end === -1) throw new RangeError('a text without its end');
  return end;
}
