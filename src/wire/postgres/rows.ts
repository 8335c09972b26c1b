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

/** One row as values. Where rows are many, see `RowRewriter`. */
export const DataRow: Codec<DataRow> = codec<DataRow>(
  'DataRow',
  BACKEND.DataRow,
  (reader) => ({ values: reader.list(4, () => reader.value()) }),
  (writer, { values }) => writer.list(values, (value) => writer.value(value)),
);
