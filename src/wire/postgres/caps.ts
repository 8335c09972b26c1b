import { BACKEND, type Direction, FRONTEND } from './types.ts';

/** Smallest and largest value of a message's length word, by type octet; `max` 0 means the type is unknown. */
export interface LengthCaps {
  readonly min: Int32Array;
  readonly max: Int32Array;
}

/** Messages with statements, parameters and data, from a client: also the largest value that it can send. */
const LARGE_FRONTEND = 64 * 1024 * 1024;
/** From a server: all but DataRow and CopyData are held whole. */
const LARGE_BACKEND = 256 * 1024 * 1024;
/** Octets of the length word, which counts itself. */
const SELF = 4;
/** The server's PQ_SMALL_MESSAGE_LIMIT: everything but statements, parameters and data. */
const SMALL = 10_000;
/** The server's PG_MAX_AUTH_TOKEN_LENGTH. */
const AUTHENTICATION = 65_535;
/** At most 1664 columns (MaxTupleAttributeNumber), each a name and 18 octets; names are short, but not bounded by the protocol. */
const DESCRIPTION = 1024 * 1024;
/** Process id and a key of up to 256 octets (protocol 3.2). */
const BACKEND_KEY = 4 + 256;
/** A count and 65535 type oids. */
const PARAMETER_TYPES = 2 + 65_535 * 4;
/** A format, a count and 65535 column formats. */
const COPY_FORMATS = 1 + 2 + 65_535 * 2;

/**
 * The caps of one direction, on octets after the length word.
 *
 * @param largeBytes Cap for the types that carry statements, parameters, rows, copied data or errors, in octets
 *   without type and length, 1 … 1_073_741_819. Default: 64 MiB from a client, 256 MiB from a server.
 * @returns Tables of 256 entries. Pure. Never throws.
 * @see `SocketBackend` in PostgreSQL's src/backend/tcop/postgres.c, from which the small and large classes come
 */
export function lengthCaps(direction: Direction, largeBytes?: number): LengthCaps {
  return direction === 'frontend'
    ? tables(frontendCaps(largeBytes ?? LARGE_FRONTEND))
    : tables(backendCaps(largeBytes ?? LARGE_BACKEND));
}

/** Type octet, smallest and largest body. */
type Cap = readonly [type: number, min: number, max: number];

function tables(caps: readonly Cap[]): LengthCaps {
  const [min, max] = [new Int32Array(256), new Int32Array(256)];
  for (const [type, least, most] of caps) {
    min[type] = SELF + least;
    max[type] = SELF + most;
  }
  return { min, max };
}

function frontendCaps(large: number): readonly Cap[] {
  return [
    [FRONTEND.Bind, 0, large],
    [FRONTEND.Close, 0, SMALL],
    [FRONTEND.Describe, 0, SMALL],
    [FRONTEND.Execute, 0, SMALL],
    [FRONTEND.FunctionCall, 0, large],
    [FRONTEND.Flush, 0, 0],
    [FRONTEND.Parse, 0, large],
    [FRONTEND.Query, 0, large],
    [FRONTEND.Sync, 0, 0],
    [FRONTEND.Terminate, 0, 0],
    [FRONTEND.CopyDone, 0, 0],
    [FRONTEND.CopyData, 0, large],
    [FRONTEND.CopyFail, 0, SMALL],
    [FRONTEND.AuthenticationResponse, 0, AUTHENTICATION],
  ];
}

function backendCaps(large: number): readonly Cap[] {
  return [
    [BACKEND.ParseComplete, 0, 0],
    [BACKEND.BindComplete, 0, 0],
    [BACKEND.CloseComplete, 0, 0],
    [BACKEND.NotificationResponse, 0, SMALL],
    [BACKEND.CommandComplete, 0, SMALL],
    [BACKEND.DataRow, 0, large],
    [BACKEND.ErrorResponse, 0, large],
    [BACKEND.CopyInResponse, 0, COPY_FORMATS],
    [BACKEND.CopyOutResponse, 0, COPY_FORMATS],
    [BACKEND.EmptyQueryResponse, 0, 0],
    [BACKEND.BackendKeyData, 0, BACKEND_KEY],
    [BACKEND.NoticeResponse, 0, large],
    [BACKEND.Authentication, 0, AUTHENTICATION],
    [BACKEND.ParameterStatus, 0, DESCRIPTION],
    [BACKEND.RowDescription, 0, DESCRIPTION],
    [BACKEND.FunctionCallResponse, 0, large],
    [BACKEND.CopyBothResponse, 0, COPY_FORMATS],
    [BACKEND.ReadyForQuery, 1, 1],
    [BACKEND.CopyDone, 0, 0],
    [BACKEND.CopyData, 0, large],
    [BACKEND.NoData, 0, 0],
    [BACKEND.PortalSuspended, 0, 0],
    [BACKEND.ParameterDescription, 0, PARAMETER_TYPES],
    [BACKEND.NegotiateProtocolVersion, 0, SMALL],
  ];
}
