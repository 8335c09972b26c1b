import type { Duplex } from 'node:stream';
import { BatchedWriter } from '../../core/bytes/batched-writer.ts';
import type { SlabSizes } from '../../core/bytes/slabs.ts';
import { RECORDING_PENDING_BYTES } from '../../recording/recorder.ts';
import type { Guard } from './guard.ts';

/** Octets that wait for the client before the target is paused; what one chunk of the target becomes may go beyond. */
const WAITING_BOUND_BYTES = 128 * 1024;

/** What is shown is recorded first. */
export type Evidence = Pick<Guard, 'shown' | 'pendingBytes' | 'drained'>;

/** What can be told to wait until the client has taken some. */
export interface Source {
  pause(): void;
  resume(): void;
}

/** The one way to the client: what it is sent is recorded, and a slow client or disk pauses the target. */
export class Outlet {
  readonly #stream: Duplex;
  readonly #guard: Evidence;
  readonly #writer: BatchedWriter;
  #paused: Source | undefined;
  sent = 0;

  /**
   * @param slabs Shared by sessions.
   * @param taken Called when the client has taken some of what it was sent.
   */
  constructor(stream: Duplex, guard: Evidence, slabs: SlabSizes, taken: () => void) {
    this.#stream = stream;
    this.#guard = guard;
    this.#writer = new BatchedWriter(stream, slabs, {
      writing: (bytes) => {
        this.sent += bytes.length;
        guard.shown(bytes);
      },
      taken: () => {
        taken();
        this.#goOn();
      },
    });
  }

  /** Login and last words: ours, nothing to record. They follow what waits. */
  plain(bytes: Buffer): void {
    this.flush();
    if (this.#stream.writable) this.#stream.write(bytes);
    this.sent += bytes.length;
  }

  /**
   * @param slices Masked bytes, in order. Copied, but for one larger than a slab: that one must not change afterwards.
   * @param source What to pause until they are on their way.
   */
  send(slices: readonly Buffer[], source: Source): void {
    if (slices.length === 0 || !this.#stream.writable) return;
    for (const slice of slices) this.#writer.add(slice);
    this.#writer.push();
    if (this.#hasRoom() && this.#guard.pendingBytes <= RECORDING_PENDING_BYTES) return;
    this.#paused = source;
    source.pause();
  }

  /** Octets that the client has not been given yet. */
  get waitingBytes(): number {
    return this.#writer.waitingBytes;
  }

  /** The client has been given all that is for it. */
  get given(): boolean {
    return this.#writer.taken;
  }

  /** Writes all that waits without waiting for the client. */
  flush(): void {
    this.#writer.flush();
  }

  #hasRoom(): boolean {
    return this.#writer.waitingBytes <= WAITING_BOUND_BYTES;
  }

  /** Resumes the target once there is room again. */
  #goOn(): void {
    const source = this.#paused;
    if (source === undefined || !this.#hasRoom()) return;
    if (this.#guard.pendingBytes > RECORDING_PENDING_BYTES) {
      void this.#guard.drained().then(() => this.#goOn());
      return;
    }
    this.#paused = undefined;
    source.resume();
  }
}
