import type { NamedChanges } from '../../sql/facts/schema-changes.ts';
import { GROUPS, named, of, under } from './groups.ts';
import type { NamedAnswer, NamedObjects } from './named.ts';
import type { CatalogRows, TableName } from './records.ts';
import { TableRows } from './rows.ts';
import { CATALOG_TABLES, TABLE_NAMES } from './tables.ts';

/** Rows by key. */
export type CatalogTables = { readonly [N in TableName]: TableRows<CatalogRows[N]> };

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
  readonly #groupsOf: (row: T) => readonly string[];
  #rows = new TableRows<T>();
  /** Keys of the rows that are not settled. Never changed, but replaced: another mirror may know it. */
  #open: ReadonlySet<string> = new Set();

  constructor(columns: readonly string[], groupsOf: (row: T) => readonly string[] = () => []) {
    this.#columns = columns;
    this.#groupsOf = groupsOf;
  }

  get rows(): TableRows<T> {
    return this.#rows;
  }

  fork(): MirrorTable<T> {
    const fork = new MirrorTable<T>(this.#columns, this.#groupsOf);
    fork.#rows = this.#rows;
    fork.#open = this.#open;
    return fork;
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
    return this.#replace(taken, rows, new Set());
  }

  /**
   * Some rows as they are now; the others stay as of the last answer.
   *
   * @param keys Of rows, and `groups`, that `rows` tell of: what is not among these is gone.
   * @throws {MirrorGap} A row that was there then is told of, and was not.
   */
  amend(keys: Iterable<string>, groups: Iterable<string>, rows: TableDelta['rows']): TableChange<T> {
    const taken = new Set(keys);
    for (const group of groups) for (const key of this.#rows.keysIn(group)) taken.add(key);
    for (const [key, settled] of rows as readonly (readonly [string, boolean])[]) {
      if (settled && (!this.#rows.has(key) || this.#open.has(key))) throw new MirrorGap();
      taken.add(key);
    }
    return this.#replace(taken, rows, new Set([...this.#open].filter((key) => !taken.has(key))));
  }

  /** Settled rows that are not left are gone, or told anew. */
  #takeOthers(left: ReadonlySet<string>, taken: Set<string>): void {
    for (const key of this.#rows.keys()) if (!left.has(key)) taken.add(key);
    if (this.#rows.size - taken.size !== left.size) throw new MirrorGap();
  }

  /**
   * Puts the rows that were told in the place of those that were taken; what stays as it was is not touched.
   *
   * @param open Of the rows that stay, the keys of those that are not settled.
   */
  #replace(taken: ReadonlySet<string>, rows: TableDelta['rows'], open: Set<string>): TableChange<T> {
    const gone = new Map<string, T>();
    for (const key of taken) {
      const row = this.#rows.get(key);
      if (row !== undefined) gone.set(key, row);
    }
    const come = new Map<string, T>();
    for (const told of rows) {
      const [key, settled] = told as readonly [string, boolean, ...unknown[]];
      if (!settled) open.add(key);
      const row = this.#row(told);
      const old = gone.get(key);
      if (old !== undefined && JSON.stringify(old) === JSON.stringify(row)) gone.delete(key);
      else come.set(key, row);
    }
    this.#open = open;
    if (gone.size + come.size > 0) this.#rows = this.#rows.with(gone, come, this.#groupsOf);
    return { gone: [...gone.values()], come: [...come.values()] };
  }

  #row(told: readonly unknown[]): T {
    const row: Record<string, unknown> = {};
    let at = 2;
    for (const name of this.#columns) row[name] = told[at++];
    return row as T;
  }
}

/** Tables whose rows are parts of a relation, and have an OID of their own. */
const PARTS = [
  'pg_index',
  'pg_attrdef',
  'pg_constraint',
  'pg_rewrite',
  'pg_policy',
  'pg_trigger',
  'pg_statistic_ext',
] as const;

type MirrorTables = { readonly [N in TableName]: MirrorTable<CatalogRows[N]> };

function each<T>(make: (name: TableName) => T): { readonly [N in TableName]: T } {
  return Object.fromEntries(TABLE_NAMES.map((name) => [name, make(name)])) as {
    readonly [N in TableName]: T;
  };
}

/** The target's catalog tables, kept row by row. Not usable any more once `apply` has thrown. */
export class CatalogMirror {
  readonly #tables: MirrorTables;

  constructor(
    tables = each(
      (name) =>
        new MirrorTable(
          Object.keys(CATALOG_TABLES[name].columns),
          GROUPS[name] as (row: unknown) => string[],
        ),
    ) as unknown as MirrorTables,
  ) {
    this.#tables = tables;
  }

  /** @returns Another one that knows the same, and goes on by itself. */
  fork(): CatalogMirror {
    return new CatalogMirror(each((name) => this.#tables[name].fork()) as unknown as MirrorTables);
  }

  get tables(): CatalogTables {
    return each((name) => this.#tables[name].rows) as unknown as CatalogTables;
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
    return each((name) => this.#tables[name].apply(delta[name])) as unknown as CatalogChanges;
  }

  /** What to ask for after a change of these names: what they stand for now, and what they stood for. */
  objects(changes: NamedChanges): NamedObjects {
    const relationNames = [...changes.relations, ...changes.types];
    const relations = this.#descendants(relationNames.flatMap((name) => this.#keys('pg_class', named(name))));
    const types = [
      ...changes.types.flatMap((name) => this.#keys('pg_type', named(name))),
      ...relations.flatMap((oid) => this.#keys('pg_type', of(oid))),
    ];
    types.push(...types.flatMap((oid) => this.#keys('pg_type', under(oid))));
    const dependants = [
      ...PARTS.flatMap((table) => relations.flatMap((oid) => this.#keys(table, of(oid)))),
      ...types.flatMap((oid) => this.#keys('pg_constraint', under(oid))),
      ...changes.functions.flatMap((name) => this.#keys('pg_proc', named(name))),
    ];
    return {
      relationNames,
      typeNames: changes.types,
      functionNames: changes.functions,
      schemaNames: changes.schemas,
      relations,
      types,
      dependants,
      doubtful: changes.drops ? this.#sequences() : [],
    };
  }

  /**
   * Takes over what was told of some objects. What is known of all others stays as of the last answer to `apply`.
   *
   * @throws {MirrorGap} The answer does not fit what is mirrored.
   */
  amend(changes: NamedChanges, { relations, types, dependants, rows }: NamedAnswer): CatalogChanges {
    const parts = { keys: [] as readonly string[], groups: relations.map(of) };
    const nothing = { keys: [], groups: [] };
    const told: { readonly [N in TableName]?: { keys: readonly string[]; groups: readonly string[] } } = {
      pg_namespace: { keys: [], groups: changes.schemas.map(named) },
      pg_class: { keys: relations.map(String), groups: [] },
      pg_proc: { keys: [], groups: changes.functions.map(named) },
      pg_type: { keys: types.map(String), groups: [] },
      pg_depend: { keys: [], groups: dependants.map(of) },
      ...Object.fromEntries(['pg_attribute', 'pg_inherits', ...PARTS].map((name) => [name, parts])),
      pg_constraint: { keys: [], groups: [...parts.groups, ...types.map(under)] },
    };
    return each((name) => {
      const { keys, groups } = told[name] ?? nothing;
      return this.#tables[name].amend(keys, groups, rows[name]);
    }) as unknown as CatalogChanges;
  }

  #keys(table: TableName, group: string): number[] {
    return this.#tables[table].rows.keysIn(group).map(Number);
  }

  #descendants(relations: readonly number[]): number[] {
    const found = new Set(relations);
    for (const oid of found) {
      for (const { child } of this.#tables.pg_inherits.rows.in(under(oid))) found.add(child);
    }
    return [...found];
  }

  #sequences(): number[] {
    return [...this.#tables.pg_class.rows.values()].filter(({ kind }) => kind === 'S').map(({ oid }) => oid);
  }
}
