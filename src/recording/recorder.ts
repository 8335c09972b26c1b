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

/**
 * Keeps what one gateway session showed, for replay. It is given masked bytes only.
 */
export interface SessionRecorder {
  /** A statement or request of the client, as masked text; `operation` ties it to the audit event. */
  request(text: string, operation: string): void;
  /** Bytes exactly as the client receives them. Copied at once. */
  response(bytes: Uint8Array): void;
  /** A note of the gateway's own: a denial, the session's end. */
  note(text: string): void;
  /** Set once a segment could not be written: the session must refuse what follows. */
  readonly failed: Error | undefined;
  /** Octets accepted but not yet written; the session pauses its target above `RECORDING_PENDING_BYTES`. */
  readonly pendingBytes: number;
  /** Resolves when `pendingBytes` has fallen below half the bound, or recording has failed. */
  drained(): Promise<void>;
  /** Writes the tail and the end mark. Safe to call twice: the second call gives the same answer. Never throws. */
  close(reason: string): Promise<RecordingSummary>;
}

export interface RecordingStore {
  /** @throws {HoopError} `ERR_RECORDING_UNAVAILABLE`: the session must not start. */
  open(session: {
    readonly id: string;
    readonly protocol: string;
    readonly startedAt: number;
  }): Promise<SessionRecorder>;
}
