import type { Duplex, Readable } from 'node:stream';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';

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
  /**
   * As `request`, of one that asks for another protocol, over a connection of its own.
   *
   * @param protocol As `Upgrade` names it.
   * @param handshake Fields beside it that are of the handshake alone.
   * @returns An answer where the target does not take it up: its connection is closed behind it.
   */
  upgrade(
    request: CanonicalRequest,
    protocol: string,
    handshake: readonly Field[],
    signal: AbortSignal,
  ): Promise<Switched | TargetAnswer>;
  /** What the target is shown of the gateway's own, as it is now: nothing of it may go back to a client. */
  secrets(): readonly string[];
  close(): Promise<void>;
}

/** The target has answered 101. */
export interface Switched {
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** What is spoken from here on. Whoever has it closes it. */
  readonly stream: Duplex;
}

export interface TargetAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** HTTP/2: the stream ended with the head. */
  readonly ended?: boolean;
  /** Ends with an error where the answer broke off. */
  readonly body: Readable;
  /** Takes all of the body, where it has come whole and nobody has asked for `body` yet; undefined: read that. */
  atHand(): Buffer | undefined;
  /** Takes back a piece of `body` as it came, once, when nobody reads its memory any more. */
  giveBack?(chunk: Uint8Array): void;
  /** Nothing more of it is read: one that has not come whole is broken off. */
  leave(): void;
  /** Names and values in turn, once the body has ended. */
  readonly trailers: () => readonly string[];
}
