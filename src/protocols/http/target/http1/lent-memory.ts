import { SlabPool } from '../../../../core/bytes/slabs.ts';

/** Less is copied into memory of its own: a slab for a few octets holds more than it saves. */
const LEAST_BYTES = 16 * 1024;
/** Slabs kept for later: what a few large bodies have on their way. */
const KEPT = 32;

/**
 * Memory in which what was read waits for its client, used again when all of a read has gone there.
 *
 * New memory for each read would lie outside of V8's heap, and every few hundred reads V8 marks its whole heap to find out
 * which of it is still in use: more work than all else that is done to a large body. What is not given back is left to it.
 */
export class LentMemory {
  readonly #pool: SlabPool;
  /** The slab under each copy that was lent and is not back. */
  readonly #lent = new WeakMap<Uint8Array, Buffer>();

  /** @param most Octets of a read, at most. */
  constructor(most: number) {
    this.#pool = new SlabPool(most, KEPT);
  }

  /** A copy that stays when the bytes are overwritten. */
  copyOf(bytes: Buffer): Buffer {
    if (bytes.length < LEAST_BYTES || bytes.length > this.#pool.slabBytes) return Buffer.from(bytes);
    const slab = this.#pool.take();
    bytes.copy(slab);
    const copy = slab.subarray(0, bytes.length);
    this.#lent.set(copy, slab);
    return copy;
  }

  /** Takes a copy back, once nobody reads it any more; a piece of one, or another's memory, is left alone. */
  giveBack(copy: Uint8Array): void {
    const slab = this.#lent.get(copy);
    if (slab === undefined) return;
    this.#lent.delete(copy);
    this.#pool.give(slab);
  }
}
