import { AuthenticationResponse } from './authentication.ts';
import { bare, CodecTable, type MessageOf } from './codec.ts';
import { CopyData, CopyFail } from './copy.ts';
import { Bind, Close, Describe, Execute, Parse } from './extended.ts';
import { FunctionCall } from './function-call.ts';
import { Query } from './query.ts';
import { FRONTEND } from './types.ts';

const Flush = bare('Flush', FRONTEND.Flush);
export const Sync = bare('Sync', FRONTEND.Sync);
const Terminate = bare('Terminate', FRONTEND.Terminate);
/** Either way: the type octet is the same. */
export const CopyDone = bare('CopyDone', FRONTEND.CopyDone);

const CODECS = {
  AuthenticationResponse,
  Bind,
  Close,
  CopyData,
  CopyDone,
  CopyFail,
  Describe,
  Execute,
  Flush,
  FunctionCall,
  Parse,
  Query,
  Sync,
  Terminate,
};

/** Every message a frontend sends after its startup packet. */
export type FrontendMessage = MessageOf<typeof CODECS>;

const TABLE = new CodecTable(CODECS, FRONTEND);

/**
 * Reads a frontend message of any type.
 *
 * @param body What follows type and length; Buffers in the result are views of it. Pure.
 * @returns The message; `name` tells which. Type octet `p` stays an `AuthenticationResponse`.
 * @throws {HoopError} `ERR_MESSAGE_TYPE` unknown type octet; `ERR_PROTOCOL` malformed body, naming the message.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function decodeFrontend(type: number, body: Buffer): FrontendMessage {
  return TABLE.decode(type, body);
}

/**
 * Writes a frontend message of any type. Pure.
 *
 * @returns The whole message, type and length included.
 * @throws {HoopError} `ERR_PROTOCOL` if a number, a count or a string does not fit its field.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function encodeFrontend(message: FrontendMessage): Buffer {
  return TABLE.encode(message);
}
