import { HoopError } from '../../../core/errors.ts';
import type { FieldState } from '../../../masking/json/field-states.ts';
import {
  MAX_MASKED_BYTES,
  type Mask,
  type MaskShape,
  maskValue,
  type ValueShape,
  writeMasked,
} from '../../../masking/mask.ts';
import { HEADER_BYTES, type Piece } from '../../../wire/postgres/frame.ts';
import type { Format } from '../../../wire/postgres/types.ts';
import { FIRST_USER_OID } from '../catalog/system/objects.ts';
import { withoutConstants } from './definition-text.ts';
import { maskedDocument } from './documents.ts';
import { withoutSizes } from './plan-sizes.ts';
import { quickShape, shownValue } from './values/shown.ts';
import { isText, type WireType, type WireTypes } from './values/wire-types.ts';

type LookedAt =
  | { readonly kind: 'show' }
  | {
      readonly kind: 'detect';
      readonly type: WireType;
      readonly format: Format;
      /** Of the values within, which tell their types in binary. */
      readonly types: WireTypes;
    };

/** What becomes of one output column. */
export type ColumnAction =
  | LookedAt
  /** A plan, of which sizes are left out; the rest is looked at as it says. */
  | { readonly kind: 'plan'; readonly rest: LookedAt }
  /** The definition of a view or rule, of which constants are left out if it speaks of one of these; the rest as it says. */
  | { readonly kind: 'definition'; readonly named: ReadonlySet<string>; readonly rest: LookedAt }
  | {
      readonly kind: 'mask';
      readonly mask: Mask;
      readonly shape: MaskShape;
      /** Of an array whose elements are masked one by one: what it is of. */
      readonly elements?: MaskedElements;
      /** Of JSON in which only members are masked; `mask` is for what nobody can tell them in. */
      readonly document?: MaskedDocument;
    };

/** JSON of which members are masked, and what becomes of the rest. */
export interface MaskedDocument {
  readonly fields: FieldState;
  readonly rest: LookedAt;
}

/** An array of texts, and what is needed to take it apart. */
export interface MaskedElements {
  readonly type: WireType;
  readonly format: Format;
  readonly types: WireTypes;
}

/** What `RowPlan.codes` say of a column. */
const CODE = { show: 0, detect: 1, mask: 2, plan: 3, definition: 4 } as const;

/**
 * Why a whole column is masked: policy says so; nobody can say what it holds; the server has read it from elsewhere than
 * the statement was judged by.
 */
export type MaskCause = 'policy' | 'untraced' | 'unknown';

export interface RowPlan {
  readonly actions: readonly ColumnAction[];
  /** One per action. */
  readonly causes: readonly (MaskCause | undefined)[];
  /** One per action: its `CODE`. */
  readonly codes: Uint8Array;
  /** No cell can change: rows are forwarded as they came. */
  readonly transparent: boolean;
}

export function rowPlan(
  actions: readonly ColumnAction[],
  causes: readonly (MaskCause | undefined)[] = [],
): RowPlan {
  const codes = new Uint8Array(actions.length);
  for (const [index, { kind }] of actions.entries()) codes[index] = CODE[kind];
  return { actions, causes, codes, transparent: actions.every(({ kind }) => kind === 'show') };
}

/** Of a portal that nothing of is masked: its description need not be known. */
export const ALL_SHOWN: RowPlan = rowPlan([]);

/** Looks at cells. Anything thrown masks the cell with NULL. */
export interface CellDetector {
  /** What is looked at from here on is of another row: each is given the same attention. */
  nextRecord(): void;
  /** Whether so many octets more are looked at in this row; if not, the cell is masked whole. */
  attends(octets: number): boolean;
  /** Whether there can be anything to find: a quick look at octets `start` … `end`, wrong in saying yes only. */
  suspects(bytes: Uint8Array, start: number, end: number, shape: ValueShape): boolean;
  /** The same array if nothing was found, null for NULL. */
  detect(value: Uint8Array, shape: ValueShape): Uint8Array | null;
}

/** Rewritten messages: where they lie, and how many of their values were replaced. */
export interface RewrittenRow {
  readonly piece: Piece;
  readonly maskedValues: number;
  /** How many of these became NULL. */
  readonly nullValues: number;
}

/** Memory to begin with, and beyond which it is not kept for the next rows. */
const FIRST_BYTES = 64 * 1024;
const KEPT_BYTES = 256 * 1024;
const COUNT_BYTES = 2;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;

/**
 * Applies plans to DataRows: copies what is shown in stretches as long as they come, over the bounds of rows, and writes
 * what is masked in its place. Nothing is made for a row or a cell but where a detector finds something.
 *
 * Memory given out is not written again until `reset`.
 */
export class RowRewriter {
  #memory = Buffer.alloc(0);
  /** Where the rows under way begin in `#memory`, and how far it is written. */
  #first = 0;
  #used = 0;
  /** How far the rows under way are copied. */
  #from = 0;
  #maskedValues = 0;
  #nullValues = 0;

  /** What was given out is of no use any more. */
  reset(): void {
    this.#used = 0;
    if (this.#memory.length > KEPT_BYTES) this.#memory = Buffer.alloc(0);
  }

  /**
   * @param rows One DataRow or several on end, as the framer gave them: Int16 count, then per column Int32 length (−1:
   *   NULL) and octets.
   * @returns The new messages, or undefined where no cell changed and the originals can go on as they are.
   * @throws {HoopError} `ERR_PROTOCOL` a row does not fit its own lengths, or has not as many columns as the plan:
   *   then nothing of it may be shown.
   * @see https://www.postgresql.org/docs/current/protocol-message-formats.html DataRow
   */
  rewrite(rows: Piece, plan: RowPlan, detector: CellDetector): RewrittenRow | undefined {
    const { chunk, start, end } = rows;
    this.#first = this.#used;
    this.#from = start;
    this.#maskedValues = 0;
    this.#nullValues = 0;
    for (let at = start; at < end; ) at = this.#row(chunk, at, end, plan, detector);
    if (this.#maskedValues === 0) return undefined;
    this.#copyUpTo(chunk, end);
    return {
      piece: { chunk: this.#memory, start: this.#first, end: this.#used },
      maskedValues: this.#maskedValues,
      nullValues: this.#nullValues,
    };
  }

  /** Handles the row at `at`; returns where the next one begins. */
  #row(chunk: Buffer, at: number, wall: number, plan: RowPlan, detector: CellDetector): number {
    const { codes, actions } = plan;
    const columns = codes.length;
    const end = at + 1 + int32(chunk, at + 1);
    detector.nextRecord();
    if (end > wall || end - at < HEADER_BYTES + COUNT_BYTES) throw misfit();
    if (((chunk[at + HEADER_BYTES]! << 8) | chunk[at + HEADER_BYTES + 1]!) !== columns) throw misfit();
    let next = at + HEADER_BYTES + COUNT_BYTES;
    let shift = Number.NaN;
    for (let column = 0; column < columns; column++) {
      const start = next + LENGTH_BYTES;
      const length = start > end ? -2 : int32(chunk, next);
      if (length < NULL_LENGTH || length > end - start) throw misfit();
      next = length > 0 ? start + length : start;
      if (codes[column] === CODE.show || length === NULL_LENGTH) continue;
      // Where an octet that is still to be copied would come to lie, seen from where it stands.
      const before = this.#used - this.#from;
      if (this.#cell(chunk, start, next, actions[column] as Looked, detector) && Number.isNaN(shift))
        shift = before;
    }
    if (next !== end) throw misfit();
    if (!Number.isNaN(shift)) this.#setLength(at + 1 + shift, this.#used + end - this.#from);
    return end;
  }

  /** @returns Whether the cell was replaced. */
  #cell(chunk: Buffer, start: number, end: number, action: Looked, detector: CellDetector): boolean {
    const found =
      action.kind === 'mask'
        ? partly(chunk, start, end, action, detector)
        : seen(chunk, start, end, action, detector);
    if (found === NOTHING_FOUND) return false;
    this.#copyUpTo(chunk, start - LENGTH_BYTES);
    this.#reserve(LENGTH_BYTES + Math.max(MAX_MASKED_BYTES, found?.length ?? 0));
    const at = this.#used + LENGTH_BYTES;
    const to =
      action.kind === 'mask' && found === undefined
        ? masked(chunk, start, end, action, this.#memory, at)
        : this.#put(found, at);
    putInt32(this.#memory, this.#used, to === -1 ? NULL_LENGTH : to - at);
    this.#used = to === -1 ? at : to;
    this.#from = end;
    this.#maskedValues++;
    if (to === -1) this.#nullValues++;
    return true;
  }

  #put(value: Uint8Array | null | undefined, at: number): number {
    if (value == null) return -1;
    this.#memory.set(value, at);
    return at + value.length;
  }

  #copyUpTo(chunk: Buffer, end: number): void {
    this.#reserve(end - this.#from);
    chunk.copy(this.#memory, this.#used, this.#from, end);
    this.#used += end - this.#from;
    this.#from = end;
  }

  /** @param at Where the length stands. @param end Where its row will end. */
  #setLength(at: number, end: number): void {
    putInt32(this.#memory, at, end - at);
  }

  #reserve(size: number): void {
    const needed = this.#used + size;
    if (needed <= this.#memory.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * this.#memory.length, needed));
    this.#memory.copy(larger, 0, 0, this.#used);
    this.#memory = larger;
  }
}

type Looked = Exclude<ColumnAction, { kind: 'show' }>;
type Detected = Extract<ColumnAction, { kind: 'detect' }>;
type MaskAction = Extract<ColumnAction, { kind: 'mask' }>;
const NOTHING_FOUND = new Uint8Array();

function masked(
  chunk: Buffer,
  start: number,
  end: number,
  { mask, shape }: MaskAction,
  out: Buffer,
  at: number,
): number {
  try {
    return writeMasked(chunk, start, end, mask, shape, out, at);
  } catch {
    // A detector or mask that fails masks the value: promise 5.
    return -1;
  }
}

/** A value that is masked in parts. @returns As `look`; undefined: it is to be masked whole. */
function partly(
  chunk: Buffer,
  start: number,
  end: number,
  { mask, shape, elements, document }: MaskAction,
  detector: CellDetector,
): Uint8Array | null | undefined {
  if (elements !== undefined) return maskedArray(chunk.subarray(start, end), mask, elements);
  if (document === undefined) return undefined;
  const cell = chunk.subarray(start, end);
  const masked = maskedDocument(cell, shape, document.fields);
  if (masked === undefined) return undefined;
  const { rest } = document;
  const found = rest.kind === 'show' ? NOTHING_FOUND : look(masked, 0, masked.length, rest, detector);
  return found === NOTHING_FOUND && masked !== cell ? masked : found;
}

/** Each text in an array; NULL as a whole if it cannot be taken apart. */
function maskedArray(cell: Buffer, mask: Mask, { type, format, types }: MaskedElements): Uint8Array | null {
  const detect = (value: Uint8Array, shape: ValueShape) =>
    shape === 'text' ? maskValue(value, mask, 'text') : null;
  try {
    return shownValue(cell, type, format, { types, detect });
  } catch {
    return null;
  }
}

/** What nobody looks at: nothing of it is shown. */
function hidden(cell: Uint8Array, { type, format }: Detected): Uint8Array | null {
  if (type.kind === 'text' || type.kind === 'json') return maskValue(cell, 'redact', type.kind);
  if (type.kind === 'jsonb') return maskValue(cell, 'redact', format === 0 ? 'json' : 'jsonb-binary');
  return null;
}

/** @returns As `look`. */
function seen(
  chunk: Buffer,
  start: number,
  end: number,
  action: Exclude<Looked, { kind: 'mask' }>,
  detector: CellDetector,
) {
  if (action.kind === 'detect') return look(chunk, start, end, action, detector);
  const told = chunk.subarray(start, end);
  const left = action.kind === 'plan' ? withoutSizes(told) : withoutConstants(told, action.named);
  if (left === undefined) return null;
  const { rest } = action;
  const found =
    rest.kind === 'show' ? NOTHING_FOUND : look(Buffer.from(left), 0, left.length, rest, detector);
  return found === NOTHING_FOUND && left !== told ? left : found;
}

/** @returns `NOTHING_FOUND`, or what the cell becomes: null is NULL. */
function look(chunk: Buffer, start: number, end: number, action: Detected, detector: CellDetector) {
  const { type, format } = action;
  if (!detector.attends(end - start)) return hidden(chunk.subarray(start, end), action);
  try {
    const quick = quickShape(type, format);
    if (quick !== undefined && !detector.suspects(chunk, start, end, quick)) return NOTHING_FOUND;
    // Not `subarray`: a Buffer takes twice as long to make.
    const cell = new Uint8Array(chunk.buffer, chunk.byteOffset + start, end - start);
    const shown =
      type.kind === 'text'
        ? detector.detect(cell, 'text')
        : shownValue(cell, type, format, {
            types: action.types,
            detect: (value, shape) => detector.detect(value, shape),
          });
    return shown === cell ? NOTHING_FOUND : shown;
  } catch {
    return null;
  }
}

function int32(bytes: Buffer, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function putInt32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function misfit(): HoopError {
  return new HoopError('ERR_PROTOCOL', "the target sent a row that does not fit the result's columns");
}

const TEXT_OIDS = new Set([25, 1043, 1042, 19, 705]);
const UUID_OID = 2950;
const JSON_OID = 114;
const JSONB_OID = 3802;

/**
 * How a column's cells may be replaced, from its type and wire format.
 *
 * @param format 0 text, 1 binary (protocol, RowDescription).
 * @param types Of the catalog: types of extensions that are text both ways.
 */
export function shapeOf(typeOid: number, format: number, types?: WireTypes): MaskShape {
  if (TEXT_OIDS.has(typeOid)) return 'text';
  if (typeOid === UUID_OID) return format === 0 ? 'uuid' : 'uuid-binary';
  if (typeOid >= FIRST_USER_OID && types !== undefined && isText(types.of(typeOid))) return 'text';
  if (typeOid === JSON_OID) return 'json';
  if (typeOid === JSONB_OID) return format === 0 ? 'json' : 'jsonb-binary';
  return 'opaque';
}
