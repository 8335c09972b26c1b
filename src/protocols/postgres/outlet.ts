import type { Duplex, Readable } from 'node:stream';
import type { SlabPool } from '../../core/slabs.ts';
import type { SessionRecorder } from '../../recording/recorder.ts';

/** Octets that wait for the client before the target is paused; what one chunk of the target becomes may go beyond. */
const WAITING_BOUND_BYTES = 128 * 1024;
/** Recorded octets that wait for the disk before the target is paused. */
const RECORDING_BOUND_BYTES = 8 * 1024 * 1024;

/** What leaves in one write, and the slab it lies in, if any, which is free again when it has left. */
interface Parcel {
  readonly bytes: Buffer;
  readonly slab: Buffer | undefined;
}

/**
 * The one way to the client: what it is sent is recorded, and a slow client or disk pauses the target.
 *
 * What comes while a write is under way gathers in a slab and leaves in the next one: a small answer leaves at once, a
 * large result in few writes.
 */
export class Outlet {
  readonly #stream: Duplex;
  readonly #recorder: SessionRecorder;
  readonly #slabs: SlabPool;
  #slab: Buffer | undefined;
  #used = 0;
  #parcels: Parcel[] = [];
  #waitingBytes = 0;
  #writing = 0;
  #paused: Readable | undefined;
  sent = 0;

  /** @param slabs Shared by sessions: a slab goes back when the stream has taken what lies in it. */
  constructor(stream: Duplex, recorder: SessionRecorder, slabs: SlabPool) {
    this.#stream = stream;
    this.#recorder = recorder;
    this.#slabs = slabs;
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
  send(slices: readonly Buffer[], source: Readable): void {
    if (slices.length === 0 || !this.#stream.writable) return;
    for (const slice of slices) this.#gather(slice);
    if (this.#writing === 0) this.#writeNext();
    if (this.#mustWait()) {
      this.#paused = source;
      source.pause();
    }
  }

  /** Writes all that waits without waiting for the client. */
  flush(): void {
    while (this.#waitingBytes > 0) this.#writeNext();
  }

  #gather(slice: Buffer): void {
    this.#waitingBytes += slice.length;
    if (slice.length > this.#slabs.slabBytes) {
      this.#closeSlab();
      this.#parcels.push({ bytes: slice, slab: undefined });
      return;
    }
    for (let from = 0; from < slice.length; ) {
      this.#slab ??= this.#slabs.take();
      const count = slice.copy(this.#slab, this.#used, from);
      from += count;
      this.#used += count;
      if (this.#used === this.#slab.length) this.#closeSlab();
    }
  }

  #closeSlab(): void {
    if (this.#slab === undefined) return;
    this.#parcels.push({ bytes: this.#slab.subarray(0, this.#used), slab: this.#slab });
    this.#slab = undefined;
    this.#used = 0;
  }

  #writeNext(): void {
    if (this.#parcels.length === 0) this.#closeSlab();
    const parcel = this.#parcels.shift();
    if (parcel === undefined) return;
    if (!this.#stream.writable) return this.#drop();
    const { bytes, slab } = parcel;
    this.#waitingBytes -= bytes.length;
    this.#writing++;
    this.sent += bytes.length;
    this.#recorder.response(bytes);
    this.#stream.write(bytes, (error) => {
      this.#writing--;
      // After an error the stream may still hold it.
      if (slab !== undefined && error == null) this.#slabs.give(slab);
      if (this.#writing === 0) this.#writeNext();
      this.#goOn();
    });
  }

  /** Nobody is left to be sent anything. */
  #drop(): void {
    this.#parcels = [];
    this.#slab = undefined;
    this.#used = this.#waitingBytes = 0;
  }

  #mustWait(): boolean {
    return this.#waitingBytes > WAITING_BOUND_BYTES || this.#recorder.pendingBytes > RECORDING_BOUND_BYTES;
  }

  /** Resumes the target once there is room again. */
  #goOn(): void {
    const source = this.#paused;
    if (source === undefined || this.#waitingBytes > WAITING_BOUND_BYTES) return;
    if (this.#recorder.pendingBytes > RECORDING_BOUND_BYTES) {
      void this.#recorder.drained().then(() => this.#goOn());
      return;
    }
    this.#paused = undefined;
    source.resume();
  }
}
