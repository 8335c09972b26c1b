import type { Pair, PolicyObject } from '../../../../policy/model.ts';

/** Distinct pairs in order of appearance. */
export class PairSet {
  readonly #pairs = new Map<string, Pair>();

  /**
   * @param counted Its rows are in the statement's own count; a pair that is added both ways is not.
   * @param through As `Pair`'s; of a pair that is added both ways the statement says it itself.
   */
  add(action: string, object: PolicyObject, counted = false, through?: string): void {
    const key = `${action}\0${object.type}\0${object.id}`;
    const known = this.#pairs.get(key) ?? { counted: true, through };
    const both = { counted: known.counted === true && counted, through: through && known.through };
    if (this.#pairs.has(key) && known.counted === both.counted && known.through === both.through) return;
    this.#pairs.set(key, {
      action,
      object,
      ...(both.counted ? { counted: true } : {}),
      ...(both.through === undefined ? {} : { through: both.through }),
    });
  }

  get size(): number {
    return this.#pairs.size;
  }

  list(): Pair[] {
    return [...this.#pairs.values()];
  }
}

/** The same pair, of which nobody can say how many rows it changes. */
export function uncounted({ counted: _, ...pair }: Pair): Pair {
  return pair;
}
