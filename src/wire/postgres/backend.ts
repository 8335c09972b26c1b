import { Authentication } from './authentication.ts';
import { bare, CodecTable, type MessageOf } from './codec.ts';
import {
  BackendKeyData,
  NegotiateProtocolVersion,
  NotificationResponse,
  ParameterStatus,
} from './connection.ts';
import { CopyBothResponse, CopyData, CopyInResponse, CopyOutResponse } from './copy.ts';
import { CopyDone } from './frontend.ts';
import { FunctionCallResponse } from './function-call.ts';
import { CommandComplete, ReadyForQuery } from './query.ts';
import { ErrorResponse, NoticeResponse } from './report.ts';
import { DataRow, ParameterDescription, RowDescription } from './rows.ts';
import { BACKEND } from './types.ts';

const ParseComplete = bare('ParseComplete', BACKEND.ParseComplete);
const BindComplete = bare('BindComplete', BACKEND.BindComplete);
const CloseComplete = bare('CloseComplete', BACKEND.CloseComplete);
const EmptyQueryResponse = bare('EmptyQueryResponse', BACKEND.EmptyQueryResponse);
const NoData = bare('NoData', BACKEND.NoData);
const PortalSuspended = bare('PortalSuspended', BACKEND.PortalSuspended);

const CODECS = {
  Authentication,
  BackendKeyData,
  BindComplete,
  CloseComplete,
  CommandComplete,
  CopyBothResponse,
  CopyData,
  CopyDone,
  CopyInResponse,
  CopyOutResponse,
  DataRow,
  EmptyQueryResponse,
  ErrorResponse,
  FunctionCallResponse,
  NegotiateProtocolVersion,
  NoData,
  NoticeResponse,
  NotificationResponse,
  ParameterDescription,
  ParameterStatus,
  ParseComplete,
  PortalSuspended,
  ReadyForQuery,
  RowDescription,
};

/** Every message a backend sends. */
export type BackendMessage = MessageOf<typeof CODECS>;

const TABLE = new CodecTable(CODECS, BACKEND);

/**
 * Reads a backend message of any type.
 *
 * @param body What follows type and length; Buffers in the result are views of it. Pure.
 * @returns The message; `name` tells which.
 * @throws {HoopError} `ERR_MESSAGE_TYPE` unknown type octet; `ERR_PROTOCOL` malformed body, naming the message.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function decodeBackend(type: number, body: Buffer): BackendMessage {
  return TABLE.decode(type, body);
}

/**
 * Writes a backend message of any type. Pure.
 *
 * @returns The whole message, type and length included.
 * @throws {HoopError} `ERR_PROTOCOL` if a number, a count or a string does not fit its field.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function encodeBackend(message: BackendMessage): Buffer {
  return TABLE.encode(message);
}
