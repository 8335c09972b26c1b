/**
 * Type octets of the messages a frontend sends; the names are the protocol's own.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export const FRONTEND = {
  Bind: 0x42, // B
  Close: 0x43, // C
  Describe: 0x44, // D
  Execute: 0x45, // E
  FunctionCall: 0x46, // F
  Flush: 0x48, // H
  Parse: 0x50, // P
  Query: 0x51, // Q
  Sync: 0x53, // S
  Terminate: 0x58, // X
  CopyDone: 0x63, // c
  CopyData: 0x64, // d
  CopyFail: 0x66, // f
  /** `p`: PasswordMessage, SASLInitialResponse, SASLResponse or GSSResponse, told apart only by what was asked. */
  AuthenticationResponse: 0x70,
} as const;

/** Type octets of the messages a backend sends. */
export const BACKEND = {
  ParseComplete: 0x31, // 1
  BindComplete: 0x32, // 2
  CloseComplete: 0x33, // 3
  NotificationResponse: 0x41, // A
  CommandComplete: 0x43, // C
  DataRow: 0x44, // D
  ErrorResponse: 0x45, // E
  CopyInResponse: 0x47, // G
  CopyOutResponse: 0x48, // H
  EmptyQueryResponse: 0x49, // I
  BackendKeyData: 0x4b, // K
  NoticeResponse: 0x4e, // N
  /** `R`: every Authentication… message, told apart by its first Int32. */
  Authentication: 0x52,
  ParameterStatus: 0x53, // S
  RowDescription: 0x54, // T
  FunctionCallResponse: 0x56, // V
  CopyBothResponse: 0x57, // W
  ReadyForQuery: 0x5a, // Z
  CopyDone: 0x63, // c
  CopyData: 0x64, // d
  NoData: 0x6e, // n
  PortalSuspended: 0x73, // s
  ParameterDescription: 0x74, // t
  NegotiateProtocolVersion: 0x76, // v
} as const;

export type Direction = 'frontend' | 'backend';

/** How a value is written: 0 text, 1 binary. */
export type Format = 0 | 1;

/** All that a server reads while it takes COPY data. */
export const DURING_COPY: ReadonlySet<number> = new Set([
  FRONTEND.CopyData,
  FRONTEND.CopyDone,
  FRONTEND.CopyFail,
  FRONTEND.Flush,
  FRONTEND.Sync,
  FRONTEND.Terminate,
]);

/** Message types as a table that is asked by type octet: 1 for those that are in it. */
export function typeSet(...types: number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const type of types) table[type] = 1;
  return table;
}
