import type {
  ColumnUse,
  CopyFact,
  DerivedAlias,
  FunctionUse,
  Name,
  ObjectFact,
  Output,
  ReadPlace,
  RelationUse,
  SettingFact,
  StatementFacts,
  StatementKind,
  TransactionKind,
  WhereFact,
} from './facts.ts';
import { MAX_READ_PLACES } from './facts.ts';
import type { NewerSyntax } from './newer-syntax.ts';

/** Distinct facts of one kind in one statement; beyond it the statement is refused as too large. */
const MAX_FACTS = 5_000;

/** The statement says more than we keep. Becomes `ERR_TOO_LARGE`. */
export class FactsLimitError extends Error {}

class Distinct<T> {
  readonly values: T[] = [];
  readonly #index = new Map<string, number>();

  /** Returns the index of the equal value, or adds it. */
  add(value: T, key = JSON.stringify(value)): number {
    const known = this.#index.get(key);
    if (known !== undefined) return known;
    if (this.values.length >= MAX_FACTS) throw new FactsLimitError('more distinct names than are kept');
    this.#index.set(key, this.values.length);
    this.values.push(value);
    return this.values.length - 1;
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Collects the facts of one statement while its tree is walked. */
export class FactsBuilder {
  tag = '';
  kind: StatementKind = 'utility';
  unsupported: string | undefined;
  opaque: string | undefined;
  newer: NewerSyntax | undefined;
  output: Output | undefined;
  natural = false;
  locks = false;
  materializes = false;
  call = false;
  cascade = false;
  transaction: TransactionKind | undefined;
  copy: CopyFact | undefined;
  /** Facts that at most one node of a statement gives. */
  readonly single: Mutable<
    Partial<
      Pick<
        StatementFacts,
        | 'changes'
        | 'keepsNames'
        | 'explain'
        | 'renames'
        | 'discards'
        | 'prepares'
        | 'executes'
        | 'deallocates'
        | 'declares'
        | 'holdable'
        | 'fetches'
        | 'closes'
        | 'channel'
        | 'shape'
      >
    >
  > = {};
  readonly where: WhereFact[] = [];
  readonly #readPlaces: ReadPlace[] = [];
  readonly settings: SettingFact[] = [];
  readonly #relations = new Distinct<RelationUse>();
  readonly #derived = new Distinct<DerivedAlias>();
  readonly #operators = new Distinct<Name>();
  readonly #types = new Distinct<Name>();
  readonly #columns = new Distinct<ColumnUse>();
  readonly #objects = new Distinct<ObjectFact>();
  readonly #using = new Distinct<string>();
  readonly #upsert = new Distinct<string>();
  readonly #functions = new Map<string, { use: FunctionUse; items: Set<number> }>();

  /** The first reason wins; the statement is refused whatever else is found. */
  refuse(reason: string): void {
    this.unsupported ??= reason;
  }

  /** What the oldest servers do not know; the newest of all counts. */
  newerSyntax(newer: NewerSyntax | undefined): void {
    if (newer !== undefined && newer.since > (this.newer?.since ?? 0)) this.newer = newer;
  }

  relation(use: RelationUse): number {
    return this.#relations.add(use);
  }

  readAt(place: ReadPlace): void {
    if (this.#readPlaces.length < MAX_READ_PLACES) this.#readPlaces.push(place);
  }

  /** Queries are read where relations may stand, or joins have a name of their own. */
  get readsQueries(): boolean {
    return this.#derived.values.some(({ kind }) => kind === 'query' || kind === 'cte' || kind === 'join');
  }

  derived(
    alias: string,
    kind: DerivedAlias['kind'],
    more: Partial<Omit<DerivedAlias, 'alias' | 'kind'>> = {},
  ): void {
    this.#derived.add({ alias, kind, renamesColumns: false, ...more });
  }

  function(
    name: Name,
    notation: FunctionUse['notation'],
    item: number,
    constants?: FunctionUse['constants'],
  ): void {
    const key = JSON.stringify([name, notation, constants]);
    const known = this.#functions.get(key);
    if (known !== undefined) {
      known.items.add(item);
      return;
    }
    if (this.#functions.size >= MAX_FACTS) throw new FactsLimitError('more distinct functions than are kept');
    const use = { name, notation, items: [], ...(constants === undefined ? {} : { constants }) };
    this.#functions.set(key, { use, items: new Set([item]) });
  }

  operator(name: Name): void {
    if (name.length > 0) this.#operators.add(name);
  }

  type(name: Name): void {
    if (name.length > 0) this.#types.add(name);
  }

  column(use: ColumnUse): void {
    this.#columns.add(use);
  }

  object(use: ObjectFact): void {
    this.#objects.add(use);
  }

  using(name: string): void {
    this.#using.add(name);
  }

  upsert(name: string): void {
    this.#upsert.add(name);
  }

  build(offset: number, length: number): StatementFacts {
    if (this.locks) this.#lockReads();
    return {
      tag: this.tag,
      kind: this.kind,
      offset,
      length,
      ...(this.unsupported === undefined ? {} : { unsupported: this.unsupported }),
      ...(this.opaque === undefined ? {} : { opaque: this.opaque }),
      ...(this.newer === undefined ? {} : { newer: this.newer }),
      relations: this.#relations.values,
      readPlaces: this.#readPlaces,
      derived: this.#derived.values,
      functions: [...this.#functions.values()].map(({ use, items }) => ({ ...use, items: [...items] })),
      operators: this.#operators.values,
      types: this.#types.values,
      columns: this.#columns.values,
      ...(this.output === undefined ? {} : { output: this.output }),
      where: this.where,
      using: this.#using.values,
      natural: this.natural,
      upsertColumns: this.#upsert.values,
      materializes: this.materializes,
      objects: this.#objects.values,
      settings: this.settings,
      ...(this.transaction === undefined ? {} : { transaction: this.transaction }),
      ...(this.copy === undefined ? {} : { copy: this.copy }),
      call: this.call,
      cascade: this.cascade,
      ...this.single,
    };
  }

  /** FOR UPDATE reaches into subqueries, so every relation read is taken as locked. */
  #lockReads(): void {
    for (const use of [...this.#relations.values]) {
      if (use.role === 'read') this.#relations.add({ ...use, role: 'lock' });
    }
  }
}
