import { SharedMap } from '../../../../core/shared-map.ts';

const NONE: readonly string[] = [];

/** The rows of one catalog table at one moment, by key, and by the groups that `GROUPS` names. Immutable. */
export class TableRows<T> implements ReadonlyMap<string, T> {
  readonly #rows: SharedMap<string, T>;
  readonly #groups: SharedMap<string, readonly string[]>;

  constructor(
    rows: SharedMap<string, T> = SharedMap.empty(),
    groups: SharedMap<string, readonly string[]> = SharedMap.empty(),
  ) {
    this.#rows = rows;
    this.#groups = groups;
  }

  /** @returns These rows, with some others in the place of some of them. */
  with(
    gone: ReadonlyMap<string, T>,
    come: ReadonlyMap<string, T>,
    groupsOf: (row: T) => readonly string[],
  ): TableRows<T> {
    const rows = this.#rows.with((draft) => {
      for (const key of gone.keys()) draft.delete(key);
      for (const [key, row] of come) draft.set(key, row);
    });
    const changed = new Map<string, Set<string>>();
    const keysOf = (group: string) => {
      const keys = changed.get(group) ?? new Set(this.keysIn(group));
      changed.set(group, keys);
      return keys;
    };
    for (const [key, row] of gone) for (const group of groupsOf(row)) keysOf(group).delete(key);
    for (const [key, row] of come) for (const group of groupsOf(row)) keysOf(group).add(key);
    const groups = this.#groups.with((draft) => {
      for (const [group, keys] of changed)
        keys.size === 0 ? draft.delete(group) : draft.set(group, [...keys]);
    });
    return new TableRows(rows, groups);
  }

  keysIn(group: string): readonly string[] {
    return this.#groups.get(group) ?? NONE;
  }

  /** The rows of a group. */
  in(group: string): T[] {
    return this.keysIn(group).map((key) => this.#rows.get(key) as T);
  }

  get size(): number {
    return this.#rows.size;
  }

  get(key: string): T | undefined {
    return this.#rows.get(key);
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  keys(): ReturnType<SharedMap<string, T>['keys']> {
    return this.#rows.keys();
  }

  values(): ReturnType<SharedMap<string, T>['values']> {
    return this.#rows.values();
  }

  entries(): ReturnType<SharedMap<string, T>['entries']> {
    return this.#rows.entries();
  }

  forEach(each: (value: T, key: string, map: ReadonlyMap<string, T>) => void): void {
    this.#rows.forEach(each);
  }

  [Symbol.iterator](): ReturnType<SharedMap<string, T>['entries']> {
    return this.entries();
  }
}
