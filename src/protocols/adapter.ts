import type { Duplex } from 'node:stream';
import type { TriedOut } from '../api/approvals.ts';
import type { LocalProof } from '../api/contract.ts';
import type { Original } from '../audit/event.ts';
import type { Clock } from '../core/clock.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { SessionRef } from '../enforcement/operation.ts';
import type { IdleTimer } from './stream/client-turn.ts';
import type { Guard } from './stream/guard.ts';

/** What an adapter gets for one stream. Everything with a side effect is handed in. */
export interface StreamContext {
  readonly session: SessionRef;
  /** Whatever the client asks of the target is asked here first, and whatever it is given is recorded here. */
  readonly guard: Guard;
  /**
   * Made by hoopctl of the tunnel's own secret, of the kind that the protocol takes: whoever speaks at the local end
   * must know the secret. Undefined where the local end is a socket that only its owner can open, or standard input.
   */
  readonly localProof: LocalProof | undefined;
  /** Which of many places behind the resource is meant; looked at by `checkPlace` before. */
  readonly place?: string;
  /** Aborted to end the session: `signal.reason` is a `HoopError` that says why (revoked, expired, killed, stopped). */
  readonly signal: AbortSignal;
  /** When the session ends at the latest, ms since the epoch. */
  readonly deadline: number;
  /** Not counting at first: a login has a time of its own. */
  readonly idle: IdleTimer;
  readonly clock: Clock;
  readonly log: Log;
}

/** Why and how a session ended, for the audit. */
export interface SessionEnd {
  readonly reason: string;
  /** What ended it, where that was not the client or the target in good order. */
  readonly failure?: ErrorCode;
  /** What the client was told of that failure, in the protocol's own words: `57P01`, `502`. */
  readonly status?: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What policy, as it is now, says of one person who is shown what an adapter reads for them. */
export type Viewer = Pick<Guard, 'reveal' | 'allows' | 'policyVersion'>;

/** Speaks one protocol for one configured resource. */
export interface Adapter {
  readonly protocol: string;
  /**
   * Whether there is such a place behind the resource, asked before a session is opened. Left away: there is one place, and
   * nobody may name another.
   *
   * @param place Undefined: none was named.
   * @throws {HoopError} `ERR_NO_ACCESS` there is none of that name; `ERR_USAGE` there are many.
   */
  checkPlace?(place: string | undefined): void;
  /** Serves one stream to its end. Never rejects: a failure is spoken in the protocol and named in the result. */
  serve(stream: Duplex, context: StreamContext): Promise<SessionEnd>;
  /**
   * Breaks the text of what was asked into lines for people, changing nothing that means anything. Asked when somebody
   * looks, never on the way of a request.
   *
   * @param original What was really asked, where the one who looks may see it; else `text`, masked, is shown.
   * @returns undefined where it has no such form. Never rejects.
   */
  formatted?(asked: { readonly original?: Original; readonly text: string }): Promise<string | undefined>;
  /**
   * Runs what waits for people so that nothing of it remains, and counts; and shows what it would change, as far as the
   * one who asks may see that. Asked by one who may decide it, for whom it is on record.
   *
   * @param trial As `Approvable.trial` gave it when people were asked.
   * @param signal Aborted when nobody waits for it any more.
   * @throws {HoopError} `ERR_UNSUPPORTED` it is not certain that nothing would remain; `ERR_TARGET_…`.
   */
  tryOut?(trial: string, viewer: Viewer, signal: AbortSignal): Promise<TriedOut>;
  /** Frees what is shared between streams (side connections, workers). */
  close(): Promise<void>;
}
