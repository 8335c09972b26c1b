import { constants, createZstdCompress, type ZstdCompress } from 'node:zlib';

/** Segments compressed at one time, of all sessions: the thread pool serves others too. */
const CONTEXTS = 2;
/** Results lie one behind the other in memory of this size. */
const OUTPUT_BYTES = 1024 * 1024;

/**
 * Compresses one piece at a time, each to a zstd frame of its own, in the thread pool.
 *
 * The contexts are used again: each takes about a megabyte, and a new one per piece costs as much as compressing.
 */
export class Compressors {
  readonly #idle: ZstdCompress[] = [];
  #made = 0;
  readonly #waiting: ((stream: ZstdCompress) => void)[] = [];

  /** @returns A zstd frame. @throws What zlib says. */
  async compress(raw: Buffer): Promise<Buffer> {
    const stream = await this.#take();
    const parts: Buffer[] = [];
    const collect = (part: Buffer) => void parts.push(part);
    stream.on('data', collect);
    try {
      await written(stream, raw);
      return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    } finally {
      stream.off('data', collect);
      this.#give(stream);
    }
  }

  async #take(): Promise<ZstdCompress> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#made < CONTEXTS) return this.#make();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #make(): ZstdCompress {
    this.#made++;
    return createZstdCompress({
      // Every write is a whole frame.
      flush: constants.ZSTD_e_end,
      chunkSize: OUTPUT_BYTES,
      params: { [constants.ZSTD_c_compressionLevel]: 1 },
    }).on('error', () => undefined);
  }

  #give(stream: ZstdCompress): void {
    if (stream.destroyed) this.#made--;
    const next = this.#waiting.shift();
    if (next !== undefined) next(stream.destroyed ? this.#make() : stream);
    else if (!stream.destroyed) this.#idle.push(stream);
  }
}

function written(stream: ZstdCompress, raw: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(raw, (error) => (error == null ? resolve() : reject(error)));
  });
}
