/**
 * Keeps what one gateway session showed, for replay. It is given masked bytes only.
 */
export interface SessionRecorder {
  /** A statement or request of the client, as masked text; `operation` ties it to the audit event. */
  request(text: string, operation: string): void;
  /**
   * Bytes exactly as the client receives them. Kept by reference until the next segment is written: the caller
   * must not change them afterwards.
   */
  response(bytes: Uint8Array): void;
  /** A note of the gateway's own: a denial, the session's end. */
  note(text: string): void;
  /** Set once a segment could not be written: the session must refuse what follows. */
  readonly failed: Error | undefined;
  /** Octets accepted but not yet written; the session pauses its target above a bound. */
  readonly pendingBytes: number;
  /** Resolves when `pendingBytes` has fallen below half the bound, or recording has failed. */
  drained(): Promise<void>;
  /** Writes the tail and the end mark. Safe to call twice. */
  close(reason: string): Promise<void>;
}

export interface RecordingStore {
  open(session: { readonly id: string; readonly protocol: string; readonly startedAt: number }): Promise<SessionRecorder>;
}
