interface Waiting<T> {
  readonly item: T;
  readonly start: number;
  readonly finish: number;
}

/**
 * A queue in which each owner gets its share, however much another has put in: next is the item that would be done first
 * if all owners were served at the same speed side by side (start-time fair queueing).
 */
export class FairQueue<T> {
  readonly #owners = new Map<object, Waiting<T>[]>();
  /** Up to which moment of that imagined service each owner has asked. */
  readonly #asked = new WeakMap<object, number>();
  #now = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param cost How long the item takes, in any unit, at least 0. */
  push(owner: object, item: T, cost: number): void {
    const start = Math.max(this.#now, this.#asked.get(owner) ?? 0);
    const finish = start + cost;
    this.#asked.set(owner, finish);
    const waiting = this.#owners.get(owner);
    if (waiting === undefined) this.#owners.set(owner, [{ item, start, finish }]);
    else waiting.push({ item, start, finish });
    this.#size++;
  }

  /** Takes the next item out; undefined if there is none. Never throws. */
  shift(): T | undefined {
    let next: { owner: object; waiting: Waiting<T>[]; first: Waiting<T> } | undefined;
    for (const [owner, waiting] of this.#owners) {
      const [first] = waiting;
      if (first !== undefined && (next === undefined || first.finish < next.first.finish))
        next = { owner, waiting, first };
    }
    if (next === undefined) return undefined;
    next.waiting.shift();
    if (next.waiting.length === 0) this.#owners.delete(next.owner);
    this.#now = Math.max(this.#now, next.first.start);
    this.#size--;
    return next.first.item;
  }

  /** Takes everything out, in no order. */
  clear(): T[] {
    const items = [...this.#owners.values()].flat().map(({ item }) => item);
    this.#owners.clear();
    this.#size = 0;
    return items;
  }
}
