import type { Pair, PolicyObject } from '../../../../policy/model.ts';

/** Distinct pairs in order of appearance. */
export class PairSet {
  readonly #pairs = new Map<string, Pair>();

  /** @param counted Its rows are in the statement's own count; a pair that is added both ways is not. */
  add(action: string, object: PolicyObject, counted = false): void {
    const key = `${action}\0${object.type}\0${object.id}`;
    const known = this.#pairs.get(key);
    if (known === undefined) this.#pairs.set(key, counted ? { action, object, counted } : { action, object });
    else if (known.counted === true && !counted) this.#pairs.set(key, { action, object });
  }

  get size(): number {
    return this.#pairs.size;
  }

  list(): Pair[] {
    return [...this.#pairs.values()];
  }
}

/** The same pair, of which nobody can say how many rows it changes. */
export function uncounted({ action, object }: Pair): Pair {
  return { action, object };
}
