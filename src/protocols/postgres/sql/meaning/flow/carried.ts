import type { StatementFacts } from '../../facts/facts.ts';
import type { CteShape, FromShape, Looks, QueryShape, Ref, TargetShape } from '../../facts/shape/shape.ts';
import type { Flow, TouchedRelation } from './masked-flow.ts';

/** A column of a query or of something that it reads. */
interface Column {
  /** Undefined: made up by the server. */
  readonly name: string | undefined;
  /** Masked columns whose data it has. */
  readonly masked: ReadonlySet<string>;
}

/** What can be spoken of in a query. */
interface Item {
  readonly aliases: readonly string[];
  readonly columns: readonly Column[];
  /** It may have other columns, in which nothing masked stands. */
  readonly open: boolean;
}

/** Queries one within the other, the innermost first. */
type Levels = readonly (readonly Item[])[];

/** `undefined` stands for a common table expression that is not known yet. */
interface Ctes {
  readonly name: string;
  readonly columns: readonly Column[] | undefined;
  readonly outer: Ctes | undefined;
}

interface From {
  readonly items: readonly Item[];
  /** What a star stands for; undefined if that is not known. */
  readonly all: readonly Column[] | undefined;
}

/** It cannot be said for certain. */
class Unsure extends Error {}

const MAX_ROUNDS = 20;
/** Columns that are looked at or handed on, for one statement: some ten milliseconds. */
const MAX_LOOKS = 500_000;
const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);
const CLEAR: ReadonlySet<string> = new Set();

/**
 * Follows masked columns through subqueries, common table expressions, joins and UNION ALL to the result of a SELECT.
 *
 * A name may mean what it means to the server, and whatever else is called so in its reach: then it stands for all of them.
 *
 * @param touched One entry per entry of `facts.relations`.
 * @returns What may be shown, if no masked column is anywhere but in the result, unchanged; undefined if one is, or if it is
 *   not certain. Pure.
 */
export function carriedFlow(facts: StatementFacts, touched: readonly TouchedRelation[]): Flow | undefined {
  const { shape, explain, copy, materializes, kind, tag } = facts;
  const plain = kind === 'query' && tag === 'SELECT' && explain === undefined && copy === undefined;
  if (shape === undefined || !plain || materializes) return undefined;
  try {
    const trace = new Trace(facts, touched);
    const columns = trace.query(shape, [], undefined);
    if (trace.looked.size > 0) return undefined;
    const safe = columns.flatMap(({ masked }, index) => (masked.size === 0 ? [index] : []));
    return { safe, columns: columns.length };
  } catch (error) {
    if (error instanceof Unsure) return undefined;
    throw error;
  }
}

class Trace {
  /** Masked columns that decide on something (which rows there are, in which order, how often), or are computed with. */
  readonly looked = new Set<string>();
  readonly #facts: StatementFacts;
  readonly #touched: readonly TouchedRelation[];
  #left = MAX_LOOKS;

  constructor(facts: StatementFacts, touched: readonly TouchedRelation[]) {
    this.#facts = facts;
    this.#touched = touched;
  }

  query(shape: QueryShape, outer: Levels, around: Ctes | undefined): readonly Column[] {
    const ctes = this.#ctes(shape, outer, around);
    const columns =
      shape.arms === undefined ? this.#select(shape, outer, ctes) : this.#arms(shape, outer, ctes);
    this.#spend(columns.length + 1);
    if (shape.merges) this.#look(united(columns));
    return columns;
  }

  /** @throws {Unsure} It was too much. */
  #spend(looks: number): void {
    this.#left -= looks;
    if (this.#left < 0) throw new Unsure();
  }

  #ctes({ ctes, recursive }: QueryShape, outer: Levels, around: Ctes | undefined): Ctes | undefined {
    const pending = recursive ? ctes.reduce((scope, { name }) => hidden(name, scope), around) : around;
    let scope = pending;
    for (const cte of ctes) {
      const columns = recursive ? this.#recursive(cte, outer, scope) : this.query(cte.query, outer, scope);
      scope = { name: cte.name, columns: renamed(columns, cte.renames), outer: scope };
    }
    return scope;
  }

  /** What it is made of grows until nothing comes to it. */
  #recursive({ name, query, renames }: CteShape, outer: Levels, around: Ctes | undefined): readonly Column[] {
    const first = query.arms?.[0];
    if (first === undefined) return this.query(query, outer, around);
    const own = this.#ctes(query, outer, around);
    let columns = this.query(first, outer, own);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const scope = { name, columns: renamed(columns, renames), outer: around };
      const next = this.query(query, outer, scope);
      if (next.length !== columns.length) throw new Unsure();
      if (next.every((one, index) => isSame(one, columns[index]))) return columns;
      columns = next.map((one, index) => both(columns[index] as Column, one));
    }
    throw new Unsure();
  }

  #arms(shape: QueryShape, outer: Levels, ctes: Ctes | undefined): readonly Column[] {
    const [left, right] = (shape.arms ?? []).map((arm) => this.query(arm, outer, ctes));
    if (left === undefined || right === undefined || left.length !== right.length) throw new Unsure();
    const columns = left.map((one, index) => both(one, right[index] as Column));
    this.#looks(shape.where, outer, ctes);
    this.#sorts(shape, columns, outer, ctes);
    return columns;
  }

  #select(shape: QueryShape, outer: Levels, ctes: Ctes | undefined): readonly Column[] {
    const items: Item[] = [];
    const all: (readonly Column[] | undefined)[] = [];
    for (const one of shape.from) {
      const from = this.#from(one, items, outer, ctes);
      items.push(...from.items);
      all.push(from.all);
    }
    const levels = [items, ...outer];
    this.#looks(shape.where, levels, ctes);
    const columns = shape.targets.flatMap((target) => this.#target(target, all, levels, ctes));
    this.#sorts(shape, columns, levels, ctes);
    return columns;
  }

  #from(shape: FromShape, before: readonly Item[], outer: Levels, ctes: Ctes | undefined): From {
    const beside: Levels = [before, ...outer];
    switch (shape.kind) {
      case 'relation': {
        this.#looks(shape.looks, beside, ctes);
        return item([shape.alias], renamed(this.#relation(shape, ctes), shape.renames));
      }
      case 'query': {
        const columns = this.query(shape.query, shape.lateral ? beside : outer, ctes);
        return item([shape.alias], renamed(columns, shape.renames));
      }
      case 'function': {
        this.#looks(shape.looks, beside, ctes);
        return { items: [{ aliases: shape.aliases, columns: [], open: true }], all: undefined };
      }
      case 'join':
        return this.#join(shape, before, outer, ctes);
    }
  }

  #relation(
    { name, schema }: Extract<FromShape, { kind: 'relation' }>,
    ctes: Ctes | undefined,
  ): readonly Column[] {
    for (let at = schema === undefined ? ctes : undefined; at !== undefined; at = at.outer) {
      if (at.name !== name) continue;
      if (at.columns === undefined) throw new Unsure();
      return at.columns;
    }
    const index = this.#facts.relations.findIndex(
      (one) => one.role === 'read' && one.name === name && one.schema === schema,
    );
    const { relation, masked = CLEAR } = this.#touched[index] ?? {};
    if (relation === undefined) throw new Unsure();
    const columns = [...relation.columns.values()].toSorted((one, other) => one.attnum - other.attnum);
    return columns.map((column) => {
      const own = masked.has(column.name) ? new Set([`${relation.oid}.${column.attnum}`]) : CLEAR;
      return { name: column.name, masked: own };
    });
  }

  #join(
    shape: Extract<FromShape, { kind: 'join' }>,
    before: readonly Item[],
    outer: Levels,
    ctes: Ctes | undefined,
  ): From {
    const left = this.#from(shape.left, before, outer, ctes);
    const right = this.#from(shape.right, [...before, ...left.items], outer, ctes);
    const items = [...left.items, ...right.items];
    const both = (left.all?.length ?? 0) + (right.all?.length ?? 0);
    this.#spend(items.length + both * (1 + shape.using.length));
    this.#looks(shape.on, [items, ...outer], ctes);
    const names = shape.natural ? shared(left.all, right.all) : shape.using;
    const merged = names.map((name) => this.#merged(name, [...(left.all ?? []), ...(right.all ?? [])]));
    if (names.length > 0 && (left.all === undefined || right.all === undefined)) throw new Unsure();
    const rest = (columns: readonly Column[]) => columns.filter(({ name }) => !names.includes(name ?? ''));
    const all =
      left.all === undefined || right.all === undefined
        ? undefined
        : [...merged, ...rest(left.all), ...rest(right.all)];
    if (shape.alias !== undefined) {
      if (all === undefined) throw new Unsure();
      return item([shape.alias], renamed(all, shape.renames));
    }
    const using =
      shape.usingAlias === undefined ? [] : [{ aliases: [shape.usingAlias], columns: merged, open: false }];
    return { items: [...items, ...using], all };
  }

  /** A column that two have in common, and are compared by. */
  #merged(name: string, columns: readonly Column[]): Column {
    const found = columns.filter((one) => one.name === name);
    this.#look(united(found));
    return { name, masked: united(found) };
  }

  #target(
    { name, ref, looks }: TargetShape,
    all: readonly (readonly Column[] | undefined)[],
    levels: Levels,
    ctes: Ctes | undefined,
  ): readonly Column[] {
    if (ref?.star === true) return ref.path.length === 0 ? every(all) : spokenOf(ref, levels);
    if (ref !== undefined) return [{ ...this.#named(ref, levels), name }];
    // What is computed can fail, and so tell, though nobody sees its value.
    this.#looks(looks, levels, ctes);
    return [{ name, masked: CLEAR }];
  }

  /** What rows are sorted or grouped by; a name may mean an output column as well. */
  #sorts(shape: QueryShape, columns: readonly Column[], levels: Levels, ctes: Ctes | undefined): void {
    for (const ref of shape.sorts.refs) {
      const [name] = ref.path;
      const output = ref.path.length === 1 ? columns.filter((one) => one.name === name) : [];
      this.#look(united(output));
      const made = ref.path.length === 1 && columns.some((one) => one.name === undefined);
      try {
        this.#look(this.#ref(ref, levels));
      } catch (error) {
        if (!(error instanceof Unsure) || (output.length === 0 && !made)) throw error;
      }
    }
    this.#looks({ refs: [], queries: shape.sorts.queries }, levels, ctes);
    for (const position of shape.positions) this.#look(columns[position - 1]?.masked ?? CLEAR);
  }

  #looks(looks: Looks, levels: Levels, ctes: Ctes | undefined): void {
    this.#look(this.#seen(looks, levels, ctes));
  }

  #look(masked: ReadonlySet<string>): void {
    for (const one of masked) this.looked.add(one);
  }

  /** Masked columns that an expression looks at. */
  #seen({ refs, queries }: Looks, levels: Levels, ctes: Ctes | undefined): ReadonlySet<string> {
    const seen = new Set<string>();
    for (const ref of refs) for (const one of this.#ref(ref, levels)) seen.add(one);
    for (const query of queries) for (const one of united(this.query(query, levels, ctes))) seen.add(one);
    return seen;
  }

  #ref(ref: Ref, levels: Levels): ReadonlySet<string> {
    if (!ref.star) return this.#named(ref, levels).masked;
    return ref.path.length > 0
      ? united(spokenOf(ref, levels))
      : united((levels[0] ?? []).flatMap(({ columns }) => columns));
  }

  #named({ path }: Ref, levels: Levels): Column {
    const [name, qualifier] = [path.at(-1) ?? '', path.at(-2)];
    const reach = qualifier === undefined ? levels.flat() : called(qualifier, levels);
    this.#spend(reach.reduce((looks, { columns }) => looks + columns.length + 1, 0));
    const { found, rows } = qualifier === undefined ? bare(name, reach, levels) : qualified(name, reach);
    for (const { columns } of rows) this.#look(united(columns));
    return { name, masked: united(found) };
  }
}

/** What a name may mean: columns, and rows that are used whole. */
interface Meant {
  readonly found: readonly Column[];
  readonly rows: readonly Item[];
}

/** A column of anything in reach: which one, the server's catalog of the moment decides. Or a row by its alias. */
function bare(name: string, items: readonly Item[], levels: Levels): Meant {
  const found = items.flatMap(({ columns }) => columns.filter((one) => one.name === name));
  const rows = called(name, levels);
  const isKnown = found.length + rows.length > 0 || SYSTEM_COLUMNS.has(name);
  if (!isKnown && items.every(({ open }) => !open)) throw new Unsure();
  return { found, rows };
}

/** A column of one thing; or, if it has none of that name, a function of its row. */
function qualified(name: string, owners: readonly Item[]): Meant {
  if (owners.length === 0) throw new Unsure();
  const has = ({ columns }: Item) => columns.some((one) => one.name === name);
  const found = owners.flatMap(({ columns }) => columns.filter((one) => one.name === name));
  return { found, rows: SYSTEM_COLUMNS.has(name) ? [] : owners.filter((owner) => !has(owner)) };
}

/** What a qualifier means: what is called so in the innermost query that has something of that name. */
function called(alias: string, levels: Levels): readonly Item[] {
  for (const items of levels) {
    const found = items.filter(({ aliases }) => aliases.includes(alias));
    if (found.length > 0) return found;
  }
  return [];
}

function item(aliases: readonly string[], columns: readonly Column[]): From {
  return { items: [{ aliases, columns, open: false }], all: columns };
}

function hidden(name: string, outer: Ctes | undefined): Ctes {
  return { name, columns: undefined, outer };
}

/** An alias renames the first columns and leaves the others their names. */
function renamed(columns: readonly Column[], names: readonly string[]): readonly Column[] {
  return columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }));
}

function united(columns: readonly Column[]): ReadonlySet<string> {
  return new Set(columns.flatMap(({ masked }) => [...masked]));
}

/** Which has the values of either. */
function both(one: Column, other: Column): Column {
  return { name: one.name, masked: united([one, other]) };
}

function isSame(one: Column, other: Column | undefined): boolean {
  const isPart = [...one.masked].every((name) => other?.masked.has(name) === true);
  return isPart && one.masked.size === other?.masked.size;
}

/** Names that both have; a column that is not known, or has no name, may have any. */
function shared(left: From['all'], right: From['all']): string[] {
  const others = new Set(namesOf(right));
  return namesOf(left).filter((name) => others.has(name));
}

function namesOf(columns: From['all']): string[] {
  return every([columns]).map(({ name }) => {
    if (name === undefined) throw new Unsure();
    return name;
  });
}

function every(all: readonly (readonly Column[] | undefined)[]): readonly Column[] {
  return all.flatMap((columns) => {
    if (columns === undefined) throw new Unsure();
    return columns;
  });
}

/** The columns of the one thing that is called so. */
function spokenOf({ path }: Ref, levels: Levels): readonly Column[] {
  const [found, ...more] = called(path.at(-1) ?? '', levels);
  if (found === undefined || more.length > 0 || found.open) throw new Unsure();
  return found.columns;
}
