import { unreadable } from './unreadable.ts';

/** Octets gathered piece by piece, in memory that grows as needed and no further than what they are checked against. */
export class Octets {
  #bytes: Buffer = NONE;
  length = 0;

  /** Valid until the next call. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  add(from: Uint8Array, start = 0, end = from.length): void {
    const needed = this.length + end - start;
    if (needed > this.#bytes.length) this.#grow(needed);
    if (end - start <= SHORT_BYTES)
      for (let at = start, to = this.length; at < end; at++) this.#bytes[to++] = from[at]!;
    else copy.call(from, this.#bytes, this.length, start, end);
    this.length = needed;
  }

  /** Takes the first `count` octets away. */
  drop(count: number): void {
    this.#bytes.copyWithin(0, count, this.length);
    this.length -= count;
  }

  clear(): void {
    this.length = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = NONE;
  }

  /** What was gathered, for whoever keeps it; begins anew. */
  take(): Buffer {
    const { bytes } = this;
    this.#bytes = NONE;
    this.length = 0;
    return bytes;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2, LEAST_BYTES));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}

const NONE = Buffer.alloc(0);
const [LEAST_BYTES, KEPT_BYTES] = [256, 16 * 1024];
/** So many are copied one by one. */
const SHORT_BYTES = 24;
/** Without a view of what is copied, of which a masked body would need hundreds; any `Uint8Array` has it as well. */
const copy: (this: Uint8Array, to: Uint8Array, at: number, start: number, end: number) => number =
  Buffer.prototype.copy;

/** @throws {HoopError} `ERR_TARGET_LOST` there are more than `most`. */
export function withinBound(octets: number, most: number, what: string): void {
  if (octets > most) throw unreadable(`${what} is longer than ${most} octets`);
}
