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
