import type { ValueShape } from '../../../../masking/mask.ts';
import type { Format } from '../../../../wire/postgres/types.ts';
import { binaryShown } from './binary.ts';
import { textShown } from './literals.ts';
import type { Look } from './look.ts';
import type { WireType } from './wire-types.ts';

/**
 * Takes a value apart by its type and lets detectors look at each piece that can hold something.
 *
 * @param value One cell as on the wire; never changed.
 * @returns The same array if nothing was found. Else the value with what was found masked in its place, valid for its
 *   type: an element of an array, a field of a record, a string or number of a JSON document; NULL (null) where the type
 *   leaves no other way, and for binary values of types that nobody knows how to read.
 * @throws {RangeError} The value does not fit its type: the caller masks it whole.
 */
export function shownValue(value: Uint8Array, type: WireType, format: Format, look: Look): Uint8Array | null {
  return format === 1 ? binaryShown(view(value), type, look, 0) : textShown(view(value), type, look, 0);
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** As what a text form is looked at before it is taken apart: in some, a backslash may hide what is told otherwise. */
const QUICK_LOOK: Readonly<Record<WireType['kind'], ValueShape | undefined>> = {
  text: 'text',
  enum: 'text',
  scalar: 'text',
  range: 'text',
  multirange: 'text',
  tsvector: 'text',
  tsquery: 'text',
  versioned: 'text',
  unknown: 'text',
  json: 'json',
  jsonb: 'json',
  array: 'json',
  record: 'json',
  hstore: 'json',
  bytea: undefined,
};

/** As what a value may be looked at quickly before it is taken apart; undefined where that would tell nothing. */
export function quickShape(type: WireType, format: Format): ValueShape | undefined {
  return format === 0 || type.kind === 'text' ? QUICK_LOOK[type.kind] : undefined;
}
