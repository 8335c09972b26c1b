const SHARDS = 256;

/**
 * A map that never changes. One that differs from it in a few entries is made in a time that hardly grows with their
 * number, and shares the rest. In no particular order.
 */
export class SharedMap<K extends string | number, V> implements ReadonlyMap<K, V> {
  readonly #shards: readonly Map<K, V>[];
  readonly size: number;

  private constructor(shards: readonly Map<K, V>[], size: number) {
    this.#shards = shards;
    this.size = size;
  }

  static empty<K extends string | number, V>(): SharedMap<K, V> {
    const shard = new Map<K, V>();
    return new SharedMap(
      Array.from({ length: SHARDS }, () => shard),
      0,
    );
  }

  get(key: K): V | undefined {
    return this.#shards[shardOf(key)]?.get(key);
  }

  has(key: K): boolean {
    return this.#shards[shardOf(key)]?.has(key) === true;
  }

  /** @returns This one, with what `changes` did to the draft that it was given. */
  with(changes: (draft: MapDraft<K, V>) => void): SharedMap<K, V> {
    let shards = this.#shards as Map<K, V>[];
    const own = new Set<number>();
    const writable = (key: K): Map<K, V> => {
      const index = shardOf(key);
      if (own.size === 0) shards = [...shards];
      if (!own.has(index)) shards[index] = new Map(shards[index]);
      own.add(index);
      return shards[index] as Map<K, V>;
    };
    let { size } = this;
    changes({
      get: (key) => shards[shardOf(key)]?.get(key),
      set: (key, value) => {
        const shard = writable(key);
        const before = shard.size;
        size += shard.set(key, value).size - before;
      },
      delete: (key) => {
        if (shards[shardOf(key)]?.has(key) === true && writable(key).delete(key)) size--;
      },
    });
    return own.size === 0 ? this : new SharedMap(shards, size);
  }

  forEach(each: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) each(value, key, this);
  }

  *entries(): Generator<[K, V], undefined> {
    for (const shard of this.#shards) yield* shard;
  }

  *keys(): Generator<K, undefined> {
    for (const shard of this.#shards) yield* shard.keys();
  }

  *values(): Generator<V, undefined> {
    for (const shard of this.#shards) yield* shard.values();
  }

  [Symbol.iterator](): Generator<[K, V], undefined> {
    return this.entries();
  }
}

/** What becomes another map. */
export interface MapDraft<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): void;
}

/** Keys that begin with the same number lie together. */
function shardOf(key: string | number): number {
  if (typeof key === 'number') return key % SHARDS;
  const number = Number.parseInt(key, 10);
  if (number >= 0) return number % SHARDS;
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return hash & (SHARDS - 1);
}
