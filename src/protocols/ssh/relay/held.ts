import type { Holder } from '../../../core/allowance.ts';
import { SSH_LIMITS } from '../limits.ts';

/** What one connection holds in all of its channels, both ways, until the other side takes it. */
export class Held {
  readonly #holder: Pick<Holder, 'set'>;
  #bytes = 0;

  constructor(holder: Pick<Holder, 'set'>) {
    this.#holder = holder;
  }

  /** One piece more. @returns What to give back for it. */
  add(bytes: number): number {
    const cost = bytes + SSH_LIMITS.messageBytes;
    this.free(-cost);
    return cost;
  }

  /** @param cost Of pieces that are held no more. */
  free(cost: number): void {
    this.#bytes -= cost;
    this.#holder.set('channels', this.#bytes);
  }
}
