import { HoopError } from '../../core/errors.ts';
import type { ValueShape } from '../../masking/mask.ts';
import type { MaskKind } from '../../policy/model.ts';
import { type Frame, HEADER_BYTES, type Piece } from './codec/frame.ts';
import { walkDataRow } from './codec/rows.ts';
import { BACKEND } from './codec/types.ts';

/** Binary forms of numbers that can hold a card or account number: looked at as digits. */
export type BinaryNumber = 'int8' | 'numeric';

/** What becomes of one output column. */
export type ColumnAction =
  | { readonly kind: 'show' }
  | { readonly kind: 'detect'; readonly shape: ValueShape; readonly number: BinaryNumber | undefined }
  | { readonly kind: 'mask'; readonly mask: MaskKind; readonly shape: ValueShape };

export interface RowPlan {
  readonly actions: readonly ColumnAction[];
  /** Columns that are masked or looked at. */
  readonly looked: readonly number[];
  /** No cell can change: rows are forwarded as they came. */
  readonly transparent: boolean;
}

export function rowPlan(actions: readonly ColumnAction[]): RowPlan {
  const looked = actions.flatMap((action, column) => (action.kind === 'show' ? [] : [column]));
  return { actions, looked, transparent: looked.length === 0 };
}

/** Of a portal that nothing of is masked: its description need not be known. */
export const ALL_SHOWN: RowPlan = rowPlan([]);

/** Replaces cells. Both give null for NULL. Anything thrown masks the cell with NULL. */
export interface CellMasker {
  mask(value: Uint8Array, kind: MaskKind, shape: ValueShape): Uint8Array | null;
  /** The same array if nothing was found. */
  detect(value: Uint8Array, shape: ValueShape): Uint8Array | null;
}

/** A rewritten message: where it lies, and how many of its values were replaced. */
export interface RewrittenRow {
  readonly piece: Piece;
  readonly maskedValues: number;
}

/** Rewritten rows lie one behind the other in memory of this size, so that many leave in one write. */
const SLAB_BYTES = 65_536;
const COUNT_BYTES = 2;
const LENGTH_BYTES = 4;

/**
 * Applies plans to DataRows: copies what is shown as it stands, and writes what is masked in its place.
 *
 * Memory given out is never written again.
 */
export class RowRewriter {
  #cells = new Int32Array(64);
  #slab = Buffer.alloc(0);
  #at = 0;

  /**
   * @param frame A DataRow: Int16 count, then per column Int32 length (−1: NULL) and octets.
   * @returns The new message, or undefined where no cell changed and the original can go on as it is.
   * @throws {HoopError} `ERR_PG_PROTOCOL` the row does not fit its own lengths, or has not as many columns as the plan:
   *   then nothing of it may be shown.
   * @see https://www.postgresql.org/docs/current/protocol-message-formats.html DataRow
   */
  rewrite(frame: Frame, plan: RowPlan, masker: CellMasker): RewrittenRow | undefined {
    const { chunk } = frame;
    const start = frame.start + HEADER_BYTES;
    const cells = this.#walk(chunk, start, frame.end, plan.actions.length);
    let maskedValues = 0;
    let size = frame.end - frame.start;
    const edits: Edit[] = [];
    for (const column of plan.looked) {
      const at = cells[2 * column]!;
      const length = cells[2 * column + 1]!;
      if (length === -1) continue;
      const cell = chunk.subarray(at, at + length);
      const value = applyAction(cell, plan.actions[column] as Looked, masker);
      if (value === cell) continue;
      maskedValues++;
      size += (value?.length ?? 0) - length;
      edits.push({ at, length, value });
    }
    return maskedValues === 0 ? undefined : { piece: this.#write(frame, start, edits, size), maskedValues };
  }

  #walk(chunk: Buffer, start: number, end: number, expected: number): Int32Array {
    if (this.#cells.length < 2 * expected) this.#cells = new Int32Array(2 * expected);
    const count = end - start < COUNT_BYTES ? -1 : chunk.readUInt16BE(start);
    if (count !== expected) {
      throw new HoopError('ERR_PG_PROTOCOL', "the target sent a row that does not fit the result's columns");
    }
    walkDataRow(chunk, start, end, this.#cells);
    return this.#cells;
  }

  #write({ chunk, end }: Frame, bodyStart: number, edits: readonly Edit[], size: number): Piece {
    const start = this.#reserve(size);
    const out = this.#slab;
    out[start] = BACKEND.DataRow;
    out.writeUInt32BE(size - 1, start + 1);
    let [to, from] = [start + HEADER_BYTES, bodyStart];
    for (const { at, length, value } of edits) {
      to += chunk.copy(out, to, from, at - LENGTH_BYTES);
      to = out.writeInt32BE(value === null ? -1 : value.length, to);
      if (value !== null) out.set(value, to);
      to += value?.length ?? 0;
      from = at + length;
    }
    chunk.copy(out, to, from, end);
    return { chunk: out, start, end: start + size };
  }

  #reserve(size: number): number {
    if (this.#at + size > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(size, SLAB_BYTES));
      this.#at = 0;
    }
    this.#at += size;
    return this.#at - size;
  }
}

interface Edit {
  readonly at: number;
  readonly length: number;
  readonly value: Uint8Array | null;
}

type Looked = Exclude<ColumnAction, { kind: 'show' }>;

function applyAction(cell: Uint8Array, action: Looked, masker: CellMasker): Uint8Array | null {
  try {
    if (action.kind === 'mask') return masker.mask(cell, action.mask, action.shape);
    if (action.number === undefined) return masker.detect(cell, action.shape);
    const digits = Buffer.from(numberText(Buffer.from(cell), action.number));
    return masker.detect(digits, action.shape) === digits ? cell : null;
  } catch {
    // A detector or mask that fails masks the value: promise 5.
    return null;
  }
}

const TEXT_OIDS = new Set([25, 1043, 1042, 19, 705]);
const JSON_OID = 114;
const JSONB_OID = 3802;

/**
 * How a column's cells may be replaced, from its type and wire format.
 *
 * @param format 0 text, 1 binary (protocol, RowDescription).
 */
export function shapeOf(typeOid: number, format: number): ValueShape {
  if (TEXT_OIDS.has(typeOid)) return 'text';
  if (typeOid === JSON_OID) return 'json';
  if (typeOid === JSONB_OID) return format === 0 ? 'json' : 'jsonb-binary';
  return 'opaque';
}

const INT8_OID = 20;
const NUMERIC_OID = 1700;

export function binaryNumber(typeOid: number, format: number): BinaryNumber | undefined {
  if (format === 0) return undefined;
  if (typeOid === INT8_OID) return 'int8';
  return typeOid === NUMERIC_OID ? 'numeric' : undefined;
}

/**
 * The digits of a binary number; for numeric without sign and point, which no detector needs.
 *
 * @throws {RangeError} The cell is too short for its type.
 * @see `numeric_send` in PostgreSQL's src/backend/utils/adt/numeric.c: Int16 count, weight, sign, scale, base-10000 digits
 */
function numberText(cell: Buffer, type: BinaryNumber): string {
  if (type === 'int8') return cell.readBigInt64BE(0).toString();
  const count = cell.readUInt16BE(0);
  const weight = cell.readInt16BE(2);
  let text = '';
  for (let i = 0; i < count; i++) text += String(cell.readUInt16BE(8 + 2 * i)).padStart(4, '0');
  return (text + '0'.repeat(Math.min(Math.max(0, (weight + 1 - count) * 4), 64))).replace(/^0+/, '');
}
