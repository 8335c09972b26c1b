import { type Codec, codec } from './codec.ts';
import { BACKEND, type Format, FRONTEND } from './types.ts';

/** A piece of copied data, either way; pieces need not match rows when a frontend sends them. */
export interface CopyData {
  readonly name: 'CopyData';
  readonly data: Buffer;
}

/** The type octet is the same in both directions. */
export const CopyData: Codec<CopyData> = codec<CopyData>(
  'CopyData',
  FRONTEND.CopyData,
  (reader) => ({ data: reader.rest() }),
  (writer, { data }) => writer.bytes(data),
);

/** The frontend gives a copy up; the statement then fails with its reason. */
export interface CopyFail {
  readonly name: 'CopyFail';
  readonly reason: string;
}

export const CopyFail: Codec<CopyFail> = codec<CopyFail>(
  'CopyFail',
  FRONTEND.CopyFail,
  (reader) => ({ reason: reader.string() }),
  (writer, { reason }) => writer.string(reason),
);

/** A copy begins. */
interface CopyResponse<N extends string> {
  readonly name: N;
  /** 0: lines of text; 1: PostgreSQL's binary copy format. */
  readonly format: Format;
  readonly columnFormats: readonly Format[];
}

export type CopyInResponse = CopyResponse<'CopyInResponse'>;
export type CopyOutResponse = CopyResponse<'CopyOutResponse'>;
/** Replication only. */
export type CopyBothResponse = CopyResponse<'CopyBothResponse'>;

export const CopyInResponse: Codec<CopyInResponse> = copyResponse('CopyInResponse');
export const CopyOutResponse: Codec<CopyOutResponse> = copyResponse('CopyOutResponse');
export const CopyBothResponse: Codec<CopyBothResponse> = copyResponse('CopyBothResponse');

function copyResponse<N extends 'CopyInResponse' | 'CopyOutResponse' | 'CopyBothResponse'>(
  name: N,
): Codec<CopyResponse<N>> {
  return codec<CopyResponse<N>>(
    name,
    BACKEND[name],
    (reader) => ({
      format: reader.format(reader.byte()),
      columnFormats: reader.list(2, () => reader.format()),
    }),
    (writer, fields) =>
      writer.byte(fields.format).list(fields.columnFormats, (format) => writer.uint16(format)),
  );
}
