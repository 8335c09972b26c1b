import { type Codec, codec } from './codec.ts';
import type { Reader } from './reader.ts';
import { type Format, FRONTEND } from './types.ts';

/** Prepares one statement under a name; the empty name is overwritten by the next. */
export interface Parse {
  readonly name: 'Parse';
  readonly statement: string;
  readonly sql: string;
  /** Oids, 0 = to be inferred; may be shorter than the parameters are many. */
  readonly parameterTypes: readonly number[];
}

export const Parse: Codec<Parse> = codec<Parse>(
  'Parse',
  FRONTEND.Parse,
  (reader) => ({
    statement: reader.string(),
    sql: reader.string(),
    parameterTypes: reader.list(4, () => reader.uint32()),
  }),
  (writer, fields) =>
    writer
      .string(fields.statement)
      .string(fields.sql)
      .list(fields.parameterTypes, (oid) => writer.uint32(oid)),
);

/** Makes a portal from a prepared statement and its parameters. */
export interface Bind {
  readonly name: 'Bind';
  readonly portal: string;
  readonly statement: string;
  /** None = all text, one = for all, else one each. */
  readonly parameterFormats: readonly Format[];
  /** null is NULL. */
  readonly parameters: readonly (Buffer | null)[];
  /** None = all text, one = for all, else one per result column. */
  readonly resultFormats: readonly Format[];
}

export const Bind: Codec<Bind> = codec<Bind>(
  'Bind',
  FRONTEND.Bind,
  (reader) => ({
    portal: reader.string(),
    statement: reader.string(),
    parameterFormats: reader.list(2, () => reader.format()),
    parameters: reader.list(4, () => reader.value()),
    resultFormats: reader.list(2, () => reader.format()),
  }),
  (writer, fields) =>
    writer
      .string(fields.portal)
      .string(fields.statement)
      .list(fields.parameterFormats, (format) => writer.uint16(format))
      .list(fields.parameters, (parameter) => writer.value(parameter))
      .list(fields.resultFormats, (format) => writer.uint16(format)),
);

/** `S` a prepared statement, `P` a portal. */
type TargetKind = 'S' | 'P';

/** Asks what a statement or portal takes and gives. */
export interface Describe {
  readonly name: 'Describe';
  readonly kind: TargetKind;
  readonly target: string;
}

export const Describe: Codec<Describe> = codec<Describe>('Describe', FRONTEND.Describe, readTarget, (w, f) =>
  w.byte(f.kind.charCodeAt(0)).string(f.target),
);

/** Frees a statement or portal; not an error if there is none. */
export interface Close {
  readonly name: 'Close';
  readonly kind: TargetKind;
  readonly target: string;
}

export const Close: Codec<Close> = codec<Close>('Close', FRONTEND.Close, readTarget, (writer, fields) =>
  writer.byte(fields.kind.charCodeAt(0)).string(fields.target),
);

/** Runs a portal. */
export interface Execute {
  readonly name: 'Execute';
  readonly portal: string;
  /** Rows before PortalSuspended; 0 or less = all of them. */
  readonly maxRows: number;
}

export const Execute: Codec<Execute> = codec<Execute>(
  'Execute',
  FRONTEND.Execute,
  (reader) => ({ portal: reader.string(), maxRows: reader.int32() }),
  (writer, fields) => writer.string(fields.portal).int32(fields.maxRows),
);

function readTarget(reader: Reader): { kind: TargetKind; target: string } {
  return { kind: reader.letter(['S', 'P']), target: reader.string() };
}
