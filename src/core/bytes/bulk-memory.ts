import { garbageCollector } from '../collector.ts';

/** After so many octets the memory that they were read into is given back: V8 marks all that it has at 64 MiB of such memory. */
const SPENT_OCTETS = 24 * 1024 * 1024;

/**
 * Gives back the memory into which octets in bulk are read.
 *
 * Each read has a buffer of its own outside of V8's heap, which is freed with the small object that stands for it: by any small
 * collection, of which the next is due after thousands of reads. Before that there are so many octets in buffers that V8 marks its
 * whole heap to find them, and again at the same number more: of what a GiB costs on its way that was more than half. A small
 * collection takes under a millisecond.
 */
export class BulkMemory {
  readonly #collect: () => void;
  #spent = 0;

  /** @param collect Makes a small collection at once. */
  constructor(collect: () => void = minorCollector()) {
    this.#collect = collect;
  }

  /** So many octets more were read, and are about to be done with. */
  spent(octets: number): void {
    this.#spent += octets;
    if (this.#spent < SPENT_OCTETS) return;
    this.#spent = 0;
    this.#collect();
  }
}

function minorCollector(): () => void {
  const collect = garbageCollector();
  return () => void collect({ type: 'minor', execution: 'sync' });
}
