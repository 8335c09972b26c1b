import { HoopError } from './errors.ts';

/**
 * A bound on what many hold together. When it is passed, whoever holds most is told to let go: one who holds little is
 * not harmed by another who holds much.
 */
export class Allowance {
  readonly #bytes: number;
  readonly #holders = new Set<Holder>();
  #held = 0;

  /** @param bytes What all may hold together, octets. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Octets held now, all together. */
  get held(): number {
    return this.#held;
  }

  /** @param letGo Called once, with `ERR_BUSY`, if this holder is the one to give way; what it holds no longer counts then. */
  open(letGo: (error: HoopError) => void): Holder {
    const holder = new Holder(
      letGo,
      (change) => this.#changed(change),
      () => this.#holders.delete(holder),
    );
    this.#holders.add(holder);
    return holder;
  }

  #changed(change: number): void {
    this.#held += change;
    while (change > 0 && this.#held > this.#bytes && this.#holders.size > 0) this.#largest().give();
  }

  #largest(): Holder {
    let largest: Holder | undefined;
    for (const holder of this.#holders)
      if (largest === undefined || holder.held > largest.held) largest = holder;
    return largest as Holder;
  }
}

/** What one of them holds, in any number of places. */
export class Holder {
  readonly #places = new Map<string, number>();
  readonly #letGo: (error: HoopError) => void;
  readonly #changed: (change: number) => void;
  readonly #forget: () => void;
  #open = true;
  held = 0;

  constructor(letGo: (error: HoopError) => void, changed: (change: number) => void, forget: () => void) {
    this.#letGo = letGo;
    this.#changed = changed;
    this.#forget = forget;
  }

  /** Says how much is held at one place now, octets. May call `letGo`, of this holder or another. */
  set(place: string, bytes: number): void {
    const change = bytes - (this.#places.get(place) ?? 0);
    if (change === 0 || !this.#open) return;
    this.#places.set(place, bytes);
    this.held += change;
    this.#changed(change);
  }

  /** Nothing is held any more. Safe to call twice. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#forget();
    this.#changed(-this.held);
    this.held = 0;
  }

  /** Closes it and says so. */
  give(): void {
    this.close();
    this.#letGo(
      new HoopError('ERR_BUSY', undefined, {
        hint: 'send or ask for less at once, or try again in a moment',
      }),
    );
  }
}
