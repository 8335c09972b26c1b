import { Octets, withinBound } from '../pieces/octets.ts';
import { MOST, TOKEN } from './states.ts';

/** The beginning of a token whose end has not come, as far as anything needs to be known of it. */
export class HeldToken {
  readonly #octets = new Octets();

  get length(): number {
    return this.#octets.length;
  }

  /** Valid until the next call. */
  get bytes(): Buffer {
    return this.#octets.bytes;
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    this.#octets.add(bytes, start, end);
  }

  /**
   * As `add`, of a string.
   *
   * @returns What becomes of it then: one that is too long to be looked at is not seen.
   * @throws {HoopError} `ERR_TARGET_LOST` a name is longer than `MOST.name`.
   */
  addString(token: number, bytes: Uint8Array, start: number, end: number): number {
    const length = this.#octets.length + end - start;
    if (token === TOKEN.unseen) return token;
    if (token === TOKEN.name) withinBound(length, MOST.name, 'a name in it');
    if (token === TOKEN.looked && length > MOST.looked) {
      this.#octets.clear();
      return TOKEN.unseen;
    }
    // Of a longer one at a masked path no more is needed than that it is longer.
    const most = token === TOKEN.masked ? start + MOST.masked - this.#octets.length : end;
    this.#octets.add(bytes, start, Math.max(start, Math.min(end, most)));
    return token;
  }

  clear(): void {
    this.#octets.clear();
  }
}
