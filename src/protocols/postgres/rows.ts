import { HoopError } from '../../core/errors.ts';
import type { ValueShape } from '../../masking/mask.ts';
import type { MaskKind } from '../../policy/model.ts';
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
  /** No cell can change: rows are forwarded as they came. */
  readonly transparent: boolean;
}

export function rowPlan(actions: readonly ColumnAction[]): RowPlan {
  return { actions, transparent: actions.every((action) => action.kind === 'show') };
}

/** Of a portal that nothing of is masked: its description need not be known. */
export const ALL_SHOWN: RowPlan = { actions: [], transparent: true };

/** Replaces cells. Both give null for NULL. Anything thrown masks the cell with NULL. */
export interface CellMasker {
  mask(value: Uint8Array, kind: MaskKind, shape: ValueShape): Uint8Array | null;
  /** The same array if nothing was found. */
  detect(value: Uint8Array, shape: ValueShape): Uint8Array | null;
}

export interface RewrittenRow {
  /** The whole DataRow message, type octet included. */
  readonly raw: Buffer;
  readonly maskedValues: number;
}

/**
 * Applies a plan to one DataRow.
 *
 * @param body The message without type and length: Int16 count, then per column Int32 length (−1: NULL) and octets.
 * @returns The new message, or undefined where no cell changed and the original can go on as it is.
 * @throws {HoopError} `ERR_PG_PROTOCOL` the row does not fit its own lengths, or has not as many columns as the plan:
 *   then nothing of it may be shown.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html DataRow
 */
export function rewriteRow(body: Buffer, plan: RowPlan, masker: CellMasker): RewrittenRow | undefined {
  const cells = splitCells(body, plan.actions.length);
  let maskedValues = 0;
  const replaced: (Uint8Array | null | undefined)[] = new Array(plan.actions.length);
  for (let i = 0; i < plan.actions.length; i++) {
    const cell = cells[i];
    const action = plan.actions[i] as ColumnAction;
    if (cell === undefined || cell === null || action.kind === 'show') continue;
    const next = applyAction(cell, action, masker);
    if (next === cell) continue;
    replaced[i] = next;
    maskedValues++;
  }
  if (maskedValues === 0) return undefined;
  return { raw: encodeRow(cells, replaced), maskedValues };
}

function applyAction(
  cell: Uint8Array,
  action: Exclude<ColumnAction, { kind: 'show' }>,
  masker: CellMasker,
): Uint8Array | null {
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

function splitCells(body: Buffer, expected: number): (Buffer | null)[] {
  const bounds = new Int32Array(expected * 2);
  if (walkDataRow(body, 0, body.length, bounds) !== expected) {
    throw new HoopError('ERR_PG_PROTOCOL', "the target sent a row that does not fit the result's columns");
  }
  return Array.from({ length: expected }, (_, i) => {
    const start = bounds[2 * i] as number;
    const length = bounds[2 * i + 1] as number;
    return length === -1 ? null : body.subarray(start, start + length);
  });
}

function encodeRow(
  cells: readonly (Buffer | null)[],
  replaced: readonly (Uint8Array | null | undefined)[],
): Buffer {
  const values = cells.map((cell, i) =>
    replaced[i] === undefined ? cell : (replaced[i] as Uint8Array | null),
  );
  const size = values.reduce((sum, value) => sum + 4 + (value?.length ?? 0), 2 + 4 + 1);
  const out = Buffer.allocUnsafe(size);
  out[0] = BACKEND.DataRow;
  out.writeUInt32BE(size - 1, 1);
  out.writeUInt16BE(values.length, 5);
  let at = 7;
  for (const value of values) {
    out.writeInt32BE(value === null ? -1 : value.length, at);
    at += 4;
    if (value === null) continue;
    out.set(value, at);
    at += value.length;
  }
  return out;
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
