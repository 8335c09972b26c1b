/**
 * Pieces of memory of one size that are used again and again.
 *
 * A stream of data that takes new memory for each step makes the collector run over the whole heap every few megabytes;
 * that costs more than handling the data does.
 */
export class SlabPool {
  readonly slabBytes: number;
  readonly #keep: number;
  readonly #free: Buffer[] = [];

  /** @param keep Slabs kept for later, at most; what is given back beyond them is left to the collector. */
  constructor(slabBytes: number, keep: number) {
    this.slabBytes = slabBytes;
    this.#keep = keep;
  }

  /** Memory of `slabBytes` octets with whatever they held before: write before you read. Never throws. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.slabBytes);
  }

  /** Takes memory back, once, when nothing reads it or writes it any more. Another size is left to the collector. */
  give(slab: Buffer): void {
    if (slab.length === this.slabBytes && this.#free.length < this.#keep) this.#free.push(slab);
  }
}

/** Slabs of several sizes: what grows begins in a small one, and a hundred that stay small hold little. */
export class SlabSizes {
  readonly #pools: readonly SlabPool[];
  readonly largestBytes: number;

  /** @param pools From the smallest size to the largest, at least one. */
  constructor(pools: readonly SlabPool[]) {
    this.#pools = pools;
    this.largestBytes = pools.at(-1)?.slabBytes ?? 0;
  }

  /** The smallest slab that holds `size` octets; memory of its own if none does. */
  take(size: number): Buffer {
    const pool = this.#pools.find(({ slabBytes }) => slabBytes >= size);
    return pool === undefined ? Buffer.allocUnsafeSlow(size) : pool.take();
  }

  /** As `SlabPool.give`. */
  give(slab: Buffer): void {
    this.#pools.find(({ slabBytes }) => slabBytes === slab.length)?.give(slab);
  }
}
