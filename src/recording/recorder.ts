import type { ExchangeHead, ExchangeSide } from '../api/replay.ts';
import type { Following } from './followed.ts';
import type { RecordedItem } from './items.ts';

/** Above so many pending octets a session pauses its target until `drained()`. */
export const RECORDING_PENDING_BYTES = 4 * 1024 * 1024;

/** What a closed recording is known by: it stands in the audit's `session.ended` event. */
export interface RecordingSummary {
  /** Hash of the last segment, 64 hex digits; it covers all segments before it and the file's header. */
  readonly sha256: string;
  /** The file's size, octets. */
  readonly bytes: number;
  /** False if it failed on the way: what was written until then can be read. */
  readonly complete: boolean;
}

/** How writing stands, of the whole session: its streams share one file. */
export interface RecordingState {
  /** Set once a segment could not be written: the session must refuse what follows. */
  readonly failed: Error | undefined;
  /** Octets accepted but not yet written; the session pauses its target above `RECORDING_PENDING_BYTES`. */
  readonly pendingBytes: number;
  /** Resolves when `pendingBytes` has fallen below half the bound, or recording has failed. */
  drained(): Promise<void>;
}

/**
 * Keeps what one stream showed, for replay. It is given masked bytes and texts only, and copies them at once. Nothing
 * here throws or waits.
 *
 * `operation` is the number that `request` gave, and ties a frame to the audit's events; where a frame belongs to none,
 * or to several, it is left out. `format.ts` says which protocol uses what.
 */
export interface StreamRecorder extends RecordingState {
  /**
   * A statement or request of the client, as masked text, cut at 4 MiB.
   *
   * @param id The operation's id in the audit (`op_…`).
   * @returns The operation's number within the recording, from 1.
   */
  request(text: string, id: string): number;
  /** Bytes of the protocol exactly as the client receives them. */
  response(bytes: Uint8Array, operation?: number): void;
  /** Start line and fields of an exchange; without the fields where they are longer than 4 MiB. */
  head(side: ExchangeSide, head: ExchangeHead, operation?: number): void;
  /** Bytes of an exchange's body, without transfer coding. */
  body(side: ExchangeSide, bytes: Uint8Array, operation?: number): void;
  /** What the client typed or piped in. A terminal shows it again in its output, a password it does not. */
  input(bytes: Uint8Array, operation?: number): void;
  output(bytes: Uint8Array, operation?: number): void;
  stderr(bytes: Uint8Array, operation?: number): void;
  /** The terminal's size, 0 … 65,535 each; larger ones are recorded as that. */
  resize(columns: number, rows: number, operation?: number): void;
  /** How the operation ended, in the protocol's words: `exit 1`. */
  status(text: string, operation: number): void;
  /** A note of the gateway's own. */
  note(text: string, operation?: number): void;
  /** The stream has ended, and its session goes on: a reader forgets what it knew of the stream. */
  closed(reason: string): void;
}

/** Keeps what one gateway session showed. */
export interface SessionRecorder extends RecordingState {
  /** @param number Of the stream within the session, a whole number from 0. Free to make again. */
  stream(number: number): StreamRecorder;
  /** Writes the tail and the end mark. Safe to call twice: the second call gives the same answer. Never throws. */
  close(reason: string): Promise<RecordingSummary>;
}

/** @see test/conformance/recordings.ts, which every store passes. */
export interface RecordingStore {
  /** @throws {HoopError} `ERR_RECORDING_UNAVAILABLE`: the session must not start. */
  open(session: {
    readonly id: string;
    readonly protocol: string;
    readonly startedAt: number;
  }): Promise<SessionRecorder>;
  /**
   * A session's recording, also while the session lives. Nothing is held open before the first item is asked for.
   *
   * @param following Waits for what is still to come, where it ends. Absent: what there is.
   * @returns Undefined if there is none, and for anything that is not a session's id.
   * @throws {HoopError} `ERR_VERIFY`: it is no recording of that session, or one of a later format.
   */
  read(session: string, following?: Following): Promise<AsyncIterable<RecordedItem> | undefined>;
}
