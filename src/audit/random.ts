import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 8192;

/** Random octets by the handful: one call of the system's generator serves hundreds of nonces. An octet is given out once. */
export class RandomPool {
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;

  /** @param count 1 … 64. @returns A copy of its own. */
  bytes(count: number): Buffer {
    if (this.#used + count > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += count;
    return Buffer.from(this.#pool.subarray(start, this.#used));
  }
}
