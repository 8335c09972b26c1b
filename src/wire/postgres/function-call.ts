import { type Codec, codec } from './codec.ts';
import { BACKEND, type Format, FRONTEND } from './types.ts';

/** Calls a function by its oid: a way around SQL, kept by the protocol for old clients. */
export interface FunctionCall {
  readonly name: 'FunctionCall';
  readonly oid: number;
  readonly argumentFormats: readonly Format[];
  readonly arguments: readonly (Buffer | null)[];
  readonly resultFormat: Format;
}

export const FunctionCall: Codec<FunctionCall> = codec<FunctionCall>(
  'FunctionCall',
  FRONTEND.FunctionCall,
  (reader) => ({
    oid: reader.uint32(),
    argumentFormats: reader.list(2, () => reader.format()),
    arguments: reader.list(4, () => reader.value()),
    resultFormat: reader.format(),
  }),
  (writer, fields) =>
    writer
      .uint32(fields.oid)
      .list(fields.argumentFormats, (format) => writer.uint16(format))
      .list(fields.arguments, (argument) => writer.value(argument))
      .uint16(fields.resultFormat),
);

export interface FunctionCallResponse {
  readonly name: 'FunctionCallResponse';
  /** null is NULL. */
  readonly value: Buffer | null;
}

export const FunctionCallResponse: Codec<FunctionCallResponse> = codec<FunctionCallResponse>(
  'FunctionCallResponse',
  BACKEND.FunctionCallResponse,
  (reader) => ({ value: reader.value() }),
  (writer, { value }) => writer.value(value),
);
