/**
 * The one table of errors: code → exit code of the CLI, status of the gateway's HTTP API, default text.
 * What a target's protocol says for a code (SQLSTATE, …) stands in `wire/<protocol>`.
 *
 * Callers match `code`, never the class: two copies of this module may be loaded.
 * `message` is for the user who meets the error; `detail` is for the operator's log and never leaves hoopd.
 */
export const ERROR_TABLE = {
  ERR_USAGE: { exit: 64, http: 400, text: 'the call is not valid' },
  ERR_NOT_LOGGED_IN: { exit: 67, http: 401, text: 'not logged in' },
  ERR_LOGIN_EXPIRED: { exit: 67, http: 401, text: 'the login has expired' },
  ERR_LOGIN_STALE: { exit: 67, http: 401, text: 'this needs a login that is fresher' },
  ERR_LOGIN_DENIED: { exit: 67, http: 403, text: 'the login was denied' },
  ERR_TOKEN_INVALID: { exit: 67, http: 401, text: 'the token is not valid here' },
  ERR_TOKEN_TOO_LARGE: {
    exit: 67,
    http: 413,
    text: 'the token is too large: it names too many groups, most likely',
  },
  ERR_NO_ID_TOKEN: {
    exit: 67,
    http: 401,
    text: 'the identity provider gave no new ID token, and the last one has expired',
  },
  ERR_PROOF_INVALID: { exit: 67, http: 401, text: 'the proof of possession is not valid' },
  ERR_PROOF_NONCE: { exit: 67, http: 401, text: 'the proof must carry the given nonce' },
  ERR_REVOKED: { exit: 67, http: 401, text: 'the credential has been revoked' },
  ERR_AGENT_UNKNOWN: { exit: 77, http: 403, text: 'this identity may not act as that agent' },
  ERR_GROUPS_MISSING: {
    exit: 77,
    http: 403,
    text: 'this identity may not act as that agent: its token names no groups',
  },
  ERR_NO_ACCESS: { exit: 77, http: 404, text: 'no such resource, or no access to it' },
  ERR_DENIED: { exit: 77, http: 403, text: 'denied by policy' },
  ERR_APPROVAL_REQUIRED: { exit: 75, http: 403, text: 'this needs an approval' },
  ERR_APPROVAL_EXPIRED: { exit: 75, http: 403, text: 'nobody approved this in time' },
  ERR_APPROVAL_DENIED: { exit: 77, http: 403, text: 'an approval was refused' },
  ERR_GATEWAY_UNREACHABLE: { exit: 69, http: 502, text: 'the gateway cannot be reached' },
  ERR_GATEWAY_TLS: { exit: 69, http: 502, text: "the gateway's certificate is not trusted" },
  ERR_ISSUER_UNREACHABLE: { exit: 69, http: 503, text: 'the identity provider cannot be reached' },
  ERR_TARGET_UNREACHABLE: { exit: 69, http: 502, text: 'the target cannot be reached' },
  ERR_TARGET_TLS: { exit: 69, http: 502, text: "the target's certificate is not trusted" },
  ERR_TARGET_IDENTITY: { exit: 69, http: 502, text: 'the target could not show that it is the right one' },
  ERR_TARGET_NO_TLS: { exit: 69, http: 502, text: 'the target speaks no TLS' },
  ERR_TARGET_AUTH: { exit: 69, http: 502, text: "the target refused the gateway's credential" },
  ERR_TARGET_CREDENTIAL: { exit: 69, http: 502, text: 'no credential for the target could be had' },
  ERR_TARGET_LOST: { exit: 69, http: 502, text: 'the connection to the target was lost' },
  ERR_AUDIT_UNAVAILABLE: { exit: 69, http: 503, text: 'the audit log cannot be written' },
  ERR_RECORDING_UNAVAILABLE: { exit: 69, http: 503, text: 'the recording cannot be written' },
  ERR_LOCAL_AUTH: { exit: 77, http: 403, text: "the tunnel's own password is wrong" },
  ERR_PROTOCOL: { exit: 69, http: 400, text: 'protocol violation' },
  ERR_MESSAGE_LENGTH: { exit: 69, http: 400, text: 'a message is longer than allowed' },
  ERR_MESSAGE_TYPE: { exit: 69, http: 400, text: 'unknown message type' },
  ERR_UNSUPPORTED: { exit: 69, http: 501, text: 'not supported through the gateway' },
  ERR_SYNTAX: { exit: 77, http: 400, text: 'the request cannot be parsed' },
  ERR_TOO_LARGE: { exit: 77, http: 413, text: 'the request is too large or too deep' },
  ERR_SESSION_ENDED: { exit: 69, http: 410, text: 'the session was ended' },
  ERR_LIMIT: { exit: 69, http: 429, text: 'a limit was reached' },
  ERR_BUSY: {
    exit: 69,
    http: 503,
    text: 'this session held the largest part of more than the gateway can hold',
  },
  ERR_CONFIG: { exit: 78, http: 500, text: 'the configuration is not valid' },
  ERR_KEY_REUSED: { exit: 77, http: 422, text: 'the idempotency key was used for another request' },
  ERR_NOT_TRIED: { exit: 77, http: 422, text: 'this cannot be tried out' },
  ERR_VERIFY: { exit: 76, http: 409, text: 'verification failed' },
  ERR_INTERNAL: { exit: 70, http: 500, text: 'internal error' },
} as const;

export type ErrorCode = keyof typeof ERROR_TABLE;

export interface ErrorExtras {
  /** What to do next, one line, for the user. */
  readonly hint?: string;
  /** For the operator's log only. */
  readonly detail?: string;
  readonly cause?: unknown;
  /** The request for approval that was made (`apr_…`). */
  readonly approval?: string;
}

/** The one error class of this project. Match on `code`. */
export class HoopError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly detail: string | undefined;
  readonly approval: string | undefined;

  constructor(code: ErrorCode, message?: string, extras: ErrorExtras = {}) {
    super(
      message ?? ERROR_TABLE[code].text,
      extras.cause === undefined ? undefined : { cause: extras.cause },
    );
    this.name = 'HoopError';
    this.code = code;
    this.hint = extras.hint;
    this.detail = extras.detail;
    this.approval = extras.approval;
  }

  get exitCode(): number {
    return ERROR_TABLE[this.code].exit;
  }

  get httpStatus(): number {
    return ERROR_TABLE[this.code].http;
  }
}

/** True for errors of ours, whichever copy of this module made them. */
export function isHoopError(error: unknown): error is HoopError {
  return error instanceof Error && 'code' in error && Object.hasOwn(ERROR_TABLE, String(error.code));
}

/** Wraps anything thrown: ours stays, the rest becomes `ERR_INTERNAL` (its text only in `detail`). */
export function toHoopError(error: unknown, code: ErrorCode = 'ERR_INTERNAL'): HoopError {
  if (isHoopError(error)) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new HoopError(code, undefined, { detail, cause: error });
}
