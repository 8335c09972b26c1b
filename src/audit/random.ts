import { randomFillSync } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const POOL_BYTES = 8192;

/**
 * Random octets and event ids by the handful: one call of the system's generator serves hundreds of events. An octet
 * is given out once.
 */
export class RandomPool {
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;
  #idTime = { ms: -1, text: '' };

  /** @param count 1 … 64. @returns A copy of its own. */
  bytes(count: number): Buffer {
    const start = this.#take(count);
    return Buffer.from(this.#pool.subarray(start, start + count));
  }

  /** An id of the same form as `newId('evt', nowMs)`. */
  eventId(nowMs: number): string {
    if (nowMs !== this.#idTime.ms) this.#idTime = { ms: nowMs, text: timeText(nowMs) };
    const start = this.#take(16);
    let id = `evt_${this.#idTime.text}`;
    for (let i = start; i < start + 16; i++) id += ALPHABET[this.#pool[i]! & 31];
    return id;
  }

  #take(count: number): number {
    if (this.#used + count > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    this.#used += count;
    return this.#used - count;
  }
}

function timeText(ms: number): string {
  let text = '';
  for (let rest = ms, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32] + text;
  return text;
}
