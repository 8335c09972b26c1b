import { HoopError } from '../../../core/errors.ts';
import { type Codec, codec } from './codec.ts';
import { BACKEND, type Format } from './types.ts';

/** One column of a result. */
export interface Column {
  /** As sent: not always UTF-8, and never what decides about masking. */
  readonly name: Buffer;
  /** Of the table it comes from unchanged; 0 if it is computed. */
  readonly tableOid: number;
  /** Within that table, from 1; 0 if it is computed, negative for system columns. */
  readonly attributeNumber: number;
  readonly typeOid: number;
  /** Octets; negative for variable width. */
  readonly typeLength: number;
  readonly typeModifier: number;
  /** 0 (text) in the answer to Describe of a statement, whatever Bind asks for later. */
  readonly format: Format;
}

export interface RowDescription {
  readonly name: 'RowDescription';
  readonly columns: readonly Column[];
}

/** NUL and six numbers. */
const LEAST_COLUMN_BYTES = 19;

export const RowDescription: Codec<RowDescription> = codec<RowDescription>(
  'RowDescription',
  BACKEND.RowDescription,
  (reader) => ({
    columns: reader.list(LEAST_COLUMN_BYTES, () => ({
      name: reader.stringBytes(),
      tableOid: reader.uint32(),
      attributeNumber: reader.int16(),
      typeOid: reader.uint32(),
      typeLength: reader.int16(),
      typeModifier: reader.int32(),
      format: reader.format(),
    })),
  }),
  (writer, { columns }) =>
    writer.list(columns, (column) =>
      writer
        .string(column.name)
        .uint32(column.tableOid)
        .int16(column.attributeNumber)
        .uint32(column.typeOid)
        .int16(column.typeLength)
        .int32(column.typeModifier)
        .uint16(column.format),
    ),
);

/** Types of a statement's parameters, as oids. */
export interface ParameterDescription {
  readonly name: 'ParameterDescription';
  readonly typeOids: readonly number[];
}

export const ParameterDescription: Codec<ParameterDescription> = codec<ParameterDescription>(
  'ParameterDescription',
  BACKEND.ParameterDescription,
  (reader) => ({ typeOids: reader.list(4, () => reader.uint32()) }),
  (writer, { typeOids }) => writer.list(typeOids, (oid) => writer.uint32(oid)),
);

export interface DataRow {
  readonly name: 'DataRow';
  /** null is NULL. */
  readonly values: readonly (Buffer | null)[];
}

/** One row as values. Where rows are many, use `walkDataRow`. */
export const DataRow: Codec<DataRow> = codec<DataRow>(
  'DataRow',
  BACKEND.DataRow,
  (reader) => ({ values: reader.list(4, () => reader.value()) }),
  (writer, { values }) => writer.list(values, (value) => writer.value(value)),
);

/**
 * Finds the values of one row without copying or allocating: `cells[2i]` becomes the offset of value i in `chunk`,
 * `cells[2i + 1]` its length in octets, −1 for NULL.
 *
 * @param start Offset of the DataRow's body in `chunk` (behind type and length).
 * @param end Offset behind its last octet: a wall.
 * @param cells Written from its beginning; 2 × the columns announced by RowDescription, to be used again row after row.
 * @returns How many values there are, 0 … `cells.length / 2`. Pure but for `cells`.
 * @throws {HoopError} `ERR_PG_PROTOCOL` if the row does not fill its message exactly, or has more values than fit `cells`.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-DATAROW
 */
export function walkDataRow(chunk: Buffer, start: number, end: number, cells: Int32Array): number {
  let at = start + 2;
  if (at > end) throw malformedRow('it ends too early');
  const count = (chunk[start]! << 8) | chunk[start + 1]!;
  if (count * 2 > cells.length) throw malformedRow('it has more values than were announced');
  for (let i = 0; i < count; i++) {
    if (at + 4 > end) throw malformedRow('it ends too early');
    const length = (chunk[at]! << 24) | (chunk[at + 1]! << 16) | (chunk[at + 2]! << 8) | chunk[at + 3]!;
    at += 4;
    if (length < -1 || length > end - at) throw malformedRow(`a value has the length ${length}`);
    cells[2 * i] = at;
    cells[2 * i + 1] = length;
    if (length > 0) at += length;
  }
  if (at !== end) throw malformedRow(`${end - at} octets follow its last value`);
  return count;
}

function malformedRow(reason: string): HoopError {
  return new HoopError('ERR_PG_PROTOCOL', `malformed DataRow message: ${reason}`);
}
