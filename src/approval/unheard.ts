import type { Approval } from './model.ts';

/** Kept at once: of more the oldest are forgotten, and asked anew. */
const MOST = 10_000;

/**
 * What was denied while nobody waited for it: whoever had a ticket and comes back is told so, once, before the same is asked of
 * people again. Kept in memory alone.
 */
export class UnheardDenials {
  /** By binding: the id of the newest. */
  readonly #all = new Map<string, string>();
  readonly #find: (id: string) => Approval | undefined;

  /** @param find What is still known of a request; undefined: it was forgotten, and so is its no. */
  constructor(find: (id: string) => Approval | undefined) {
    this.#find = find;
  }

  /** What was asked ahead is looked up by its id, and is not kept. */
  keep(approval: Approval): void {
    if (approval.ahead === true) return;
    this.#all.delete(approval.binding);
    this.#all.set(approval.binding, approval.id);
    const [oldest] = this.#all.keys();
    if (this.#all.size > MOST && oldest !== undefined) this.#all.delete(oldest);
  }

  /** @param mayTake Whether who asks now may hear it. @returns Undefined: there is none, or it is past. */
  take(binding: string, now: number, mayTake: (approval: Approval) => boolean): Approval | undefined {
    const known = this.#find(this.#all.get(binding) ?? '');
    if (known !== undefined && !mayTake(known)) return undefined;
    this.#all.delete(binding);
    return known !== undefined && now < known.expiresAt ? known : undefined;
  }
}
