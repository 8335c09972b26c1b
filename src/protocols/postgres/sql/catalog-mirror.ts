import { SharedMap } from '../../../core/shared-map.ts';
import { CATALOG_TABLES, type CatalogRows, TABLE_NAMES, type TableName } from './catalog-tables.ts';

/** Rows by key. */
export type CatalogTables = { readonly [N in TableName]: ReadonlyMap<string, CatalogRows[N]> };

/** What happened to one table: rows as they were, and as they are. A changed row is in both. */
interface TableChange<T> {
  readonly gone: readonly T[];
  readonly come: readonly T[];
}

export type CatalogChanges = { readonly [N in TableName]: TableChange<CatalogRows[N]> };

/** What does not add up: the mirror is not what the server has, and must be made anew. */
export class MirrorGap extends Error {}

/** One table of an answer. */
export interface TableDelta {
  /** Keys of the settled rows that are left, if their number is not the one that was expected. */
  readonly survivors: readonly string[] | undefined;
  /** Rows that are not settled for the mirror: `[key, settled by now, ...columns]`. */
  readonly rows: readonly (readonly unknown[])[];
}

export type CatalogDelta = { readonly [N in TableName]: TableDelta };

/**
 * One catalog table as of the last answer.
 *
 * A row is *settled* if the transaction that wrote it was over for every snapshot from then on. A settled row can only
 * go; all others are told anew each time, so nothing that is not settled is ever taken for certain.
 */
class MirrorTable<T> {
  readonly #columns: readonly string[];
  #rows = SharedMap.empty<string, T>();
  /** Keys of the rows that are not settled. */
  #open = new Set<string>();

  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  get rows(): SharedMap<string, T> {
    return this.#rows;
  }

  get settled(): number {
    return this.#rows.size - this.#open.size;
  }

  /** @throws {MirrorGap} The rows that are left are not among those that were there. */
  apply({ survivors, rows }: TableDelta): TableChange<T> {
    const before = this.#open;
    // What was not settled is told anew, or is gone.
    const taken = new Set(before);
    if (survivors !== undefined) this.#takeOthers(new Set(survivors), taken);
    this.#open = new Set();
    return this.#replace(taken, rows);
  }

  /** Settled rows that are not left are gone, or told anew. */
  #takeOthers(left: ReadonlySet<string>, taken: Set<string>): void {
    for (const key of this.#rows.keys()) if (!left.has(key)) taken.add(key);
    if (this.#rows.size - taken.size !== left.size) throw new MirrorGap();
  }

  /** Puts the rows that were told in the place of those that were taken. */
  #replace(taken: Iterable<string>, rows: TableDelta['rows']): TableChange<T> {
    const gone = new Map<string, T>();
    const come: T[] = [];
    this.#rows = this.#rows.with((draft) => {
      for (const key of taken) {
        const row = draft.get(key);
        if (row !== undefined) gone.set(key, row);
        draft.delete(key);
      }
      for (const told of rows) {
        const [key, settled] = told as readonly [string, boolean, ...unknown[]];
        const old = gone.get(key);
        const row = this.#row(told);
        const same = old !== undefined && JSON.stringify(old) === JSON.stringify(row);
        if (same) gone.delete(key);
        else come.push(row);
        draft.set(key, same ? old : row);
        if (!settled) this.#open.add(key);
      }
    });
    return { gone: [...gone.values()], come };
  }

  #row(told: readonly unknown[]): T {
    const row: Record<string, unknown> = {};
    let at = 2;
    for (const name of this.#columns) row[name] = told[at++];
    return row as T;
  }
}

/** The target's catalog tables, kept row by row. Not usable any more once `apply` has thrown. */
export class CatalogMirror {
  readonly #tables = Object.fromEntries(
    TABLE_NAMES.map((name) => [name, new MirrorTable(Object.keys(CATALOG_TABLES[name].columns))]),
  ) as unknown as { readonly [N in TableName]: MirrorTable<CatalogRows[N]> };

  get tables(): CatalogTables {
    return Object.fromEntries(
      TABLE_NAMES.map((name) => [name, this.#tables[name].rows]),
    ) as unknown as CatalogTables;
  }

  /** How many settled rows the server must still have, if none is gone. */
  settled(table: TableName): number {
    return this.#tables[table].settled;
  }

  /**
   * @returns What has changed since the last answer, which is everything the first time.
   * @throws {MirrorGap} The answer does not fit what is mirrored.
   */
  apply(delta: CatalogDelta): CatalogChanges {
    return Object.fromEntries(
      TABLE_NAMES.map((name) => [name, this.#tables[name].apply(delta[name])]),
    ) as unknown as CatalogChanges;
  }
}
