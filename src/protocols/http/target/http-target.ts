import type { Readable } from 'node:stream';
import type { CanonicalRequest } from '../request/canonical.ts';

/** The server behind one resource. */
export interface HttpTarget {
  /**
   * Sends one request that was judged, with the configured credential. Redirects are answers like any other.
   *
   * @param body Undefined where the request has none.
   * @param signal Aborted when nobody waits any more; the request is broken off.
   * @param early Told what comes before the answer: 102, 103.
   * @throws {HoopError} `ERR_TARGET_UNREACHABLE`, `ERR_TARGET_TLS`, `ERR_TARGET_AUTH`, `ERR_TARGET_LOST`; the signal's reason.
   */
  request(
    request: CanonicalRequest,
    body: Readable | undefined,
    signal: AbortSignal,
    early?: (status: number, rawHeaders: readonly string[]) => void,
  ): Promise<TargetAnswer>;
  /** What the target is shown of the gateway's own, as it is now: nothing of it may go back to a client. */
  secrets(): readonly string[];
  close(): Promise<void>;
}

export interface TargetAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** Ends with an error where the answer broke off. */
  readonly body: Readable;
  /** Names and values in turn, once the body has ended. */
  readonly trailers: () => readonly string[];
}
