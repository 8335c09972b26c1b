import { HoopError } from '../../../core/errors.ts';
import { once } from '../../../core/later.ts';

/** Room for so many requests at one target, whatever carries them. */
export class Room {
  readonly #most: number;
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws {HoopError} `ERR_LIMIT` as many as may are there. */
  check(): void {
    if (this.#taken >= this.#most)
      throw new HoopError('ERR_LIMIT', 'too many requests wait for the target', { hint: 'try again later' });
  }

  /** @returns Gives the room back. Safe to call twice. */
  enter(): () => void {
    this.#taken++;
    return once(() => void this.#taken--);
  }
}
