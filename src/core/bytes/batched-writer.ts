import type { Writable } from 'node:stream';
import type { SlabSizes } from './slabs.ts';

/** What leaves in one write, and the slab it lies in, if any, which is free again when it has left. */
interface Parcel {
  readonly bytes: Buffer;
  readonly slab: Buffer | undefined;
}

export interface BatchedWriterHooks {
  /** Called with the octets of each write right before it. */
  readonly writing?: (bytes: Buffer) => void;
  /** Called when the stream has taken a write: there may be room again. */
  readonly taken: () => void;
}

/**
 * Writes to a stream in few writes: what is added while one is under way gathers in a slab and leaves in the next.
 *
 * Knows no bound of its own: whoever adds looks at `waitingBytes` and stops.
 */
export class BatchedWriter {
  readonly #stream: Writable;
  readonly #slabs: SlabSizes;
  readonly #hooks: BatchedWriterHooks;
  #slab: Buffer | undefined;
  #used = 0;
  #parcels: Parcel[] = [];
  #underWay = 0;
  #soon: NodeJS.Immediate | undefined;
  /** Octets added and not yet given to the stream. */
  waitingBytes = 0;

  /** The stream has taken all that was added. */
  get taken(): boolean {
    return this.waitingBytes === 0 && this.#underWay === 0;
  }

  /** @param slabs May be shared by any number of writers. */
  constructor(stream: Writable, slabs: SlabSizes, hooks: BatchedWriterHooks) {
    this.#stream = stream;
    this.#slabs = slabs;
    this.#hooks = hooks;
  }

  /** @param bytes Copied, unless there are more than a slab holds: then they must not change any more. */
  add(bytes: Buffer): void {
    this.waitingBytes += bytes.length;
    if (bytes.length > this.#slabs.largestBytes) {
      this.#closeSlab();
      this.#addInPieces(bytes);
      return;
    }
    for (let from = 0; from < bytes.length; ) {
      this.#slab ??= this.#slabs.take(this.#room(bytes.length - from));
      const count = bytes.copy(this.#slab, this.#used, from);
      from += count;
      this.#used += count;
      if (this.#used === this.#slab.length) this.#closeSlab();
    }
  }

  /** TLS takes a write whole and makes as much again of it: what is large leaves piece by piece. */
  #addInPieces(bytes: Buffer): void {
    const size = this.#slabs.largestBytes;
    for (let from = 0; from < bytes.length; from += size)
      this.#parcels.push({ bytes: bytes.subarray(from, from + size), slab: undefined });
  }

  /** Writes what waits, unless a write is under way: then it follows that one. */
  push(): void {
    if (this.#underWay === 0) this.#writeNext();
  }

  /** As `push`, at the end of this turn of the event loop: more is about to be added. */
  pushSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      this.push();
    });
  }

  /** Gives all that waits to the stream, whatever is under way. */
  flush(): void {
    while (this.waitingBytes > 0) this.#writeNext();
  }

  /** A small answer leaves at once in little memory; behind a write under way more is likely to gather. */
  #room(size: number): number {
    return this.#underWay > 0 || this.#parcels.length > 0 ? this.#slabs.largestBytes : size;
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
    this.waitingBytes -= bytes.length;
    this.#underWay++;
    this.#hooks.writing?.(bytes);
    this.#stream.write(bytes, (error) => {
      this.#underWay--;
      // After an error the stream may still hold it.
      if (slab !== undefined && error == null) this.#slabs.give(slab);
      this.push();
      this.#hooks.taken();
    });
  }

  /** Nobody is left to be sent anything. */
  #drop(): void {
    this.#parcels = [];
    this.#slab = undefined;
    this.#used = this.waitingBytes = 0;
  }
}
