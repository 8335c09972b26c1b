import type { Ast } from '../../facts/ast.ts';
import type { AnalysisRelation } from '../catalog.ts';
import type { Expr, JoinNode, Query, RangeColumn, RangeEntry, TargetEntry, Var } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';

/** A target entry while its query is made. */
export type Target = { -readonly [K in keyof TargetEntry]: TargetEntry[K] };

/** A column that can be named: where it is found, which may be in what a join joins. */
export interface ScopeColumn extends RangeColumn {
  readonly entry: number;
  readonly attribute: number;
  /** It is not part of `*`. */
  readonly hidden?: boolean;
}

/** Something in FROM that names can speak of: `ParseNamespaceItem`. */
export interface Item {
  readonly alias: string;
  /** By position; undefined where one was dropped. Names as they are spoken of here. */
  readonly columns: readonly (ScopeColumn | undefined)[];
  readonly entry: number;
  /** It is a relation without an alias: it may be spoken of by its schema. */
  readonly unaliased?: AnalysisRelation;
  /** It has columns of the system. */
  readonly hasSystemColumns: boolean;
  /** `JOIN … USING (…) AS alias`: its row is not the row of its entry. */
  readonly isUsingAlias?: boolean;
  relationVisible: boolean;
  columnsVisible: boolean;
  lateralOnly: boolean;
  lateralOk: boolean;
}

/** A common table expression, whose query is not known while it is analysed. */
export interface CteInScope {
  readonly name: string;
  /** Of its first columns, as they are written. */
  readonly names: readonly string[];
  readonly recursive: boolean;
  columns: readonly RangeColumn[];
  query: Query | undefined;
  /** Columns that SEARCH and CYCLE add. */
  added: readonly RangeColumn[];
}

/** Columns of the system (`SystemAttributeDefinition`): number and type. */
const SYSTEM: ReadonlyMap<string, readonly [number: number, type: number]> = new Map([
  ['ctid', [-1, 27]],
  ['xmin', [-2, 28]],
  ['cmin', [-3, 29]],
  ['xmax', [-4, 28]],
  ['cmax', [-5, 29]],
  ['tableoid', [-6, 26]],
]);

/** Columns that are made and looked at, and expressions, for one statement: some twenty milliseconds. */
const MAX_STEPS = 50_000;

/** One query while it is analysed, and what it sees: `ParseState`. */
export class Scope {
  readonly parent: Scope | undefined;
  /** Shared by all queries of a statement. */
  readonly #budget: { left: number };
  readonly entries: RangeEntry[] = [];
  readonly from: JoinNode[] = [];
  items: Item[] = [];
  readonly ctes: CteInScope[] = [];
  readonly windows: Ast[] = [];
  /** Literals of no type in its list become text: not in arms of a UNION or the query of an INSERT. */
  resolvesUnknowns = true;
  lateralActive = false;
  nextNumber = 1;
  /** Of `UPDATE … SET (a, b) = …`: what the list of columns is given. */
  multi: Target[] = [];
  target: { readonly item: Item; readonly relation: AnalysisRelation } | undefined;
  isInsert = false;
  /** It is the query of this one. */
  readonly ofCte: CteInScope | undefined;

  constructor(parent?: Scope, ofCte?: CteInScope) {
    this.parent = parent;
    this.ofCte = ofCte;
    this.#budget = parent === undefined ? { left: MAX_STEPS } : parent.#budget;
  }

  /** @throws {Uncertain} The statement is too much to analyse while others wait. */
  spend(steps: number): void {
    this.#budget.left -= steps;
    if (this.#budget.left < 0) throw new Uncertain('a statement that is too large');
  }

  /** @returns Its number, from 1. */
  add(entry: RangeEntry): number {
    this.spend(entry.columns.length + 1);
    this.entries.push(entry);
    return this.entries.length;
  }

  outward(levels: number): Scope {
    let scope: Scope = this;
    for (let left = levels; left > 0; left--) {
      if (scope.parent === undefined) throw new Uncertain('a query that is not there');
      scope = scope.parent;
    }
    return scope;
  }

  /** `scanNameSpaceForCTE` */
  cte(name: string): { readonly cte: CteInScope; readonly levelsUp: number } | undefined {
    let levelsUp = 0;
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const cte = scope.ctes.find((one) => one.name === name);
      if (cte !== undefined) return { cte, levelsUp };
      levelsUp++;
    }
    return undefined;
  }

  /** `colNameToVar` */
  column(name: string, localOnly = false): Var | undefined {
    let levelsUp = 0;
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const visible = scope.items.filter((one) => one.columnsVisible && scope?.reaches(one));
      const found = visible.flatMap((item) => columnOf(item, name, levelsUp) ?? []);
      if (found.length > 1) throw new Uncertain('a column that may be one of several');
      if (found[0] !== undefined) return found[0];
      if (localOnly) return undefined;
      levelsUp++;
    }
    return undefined;
  }

  /** `refnameNamespaceItem` */
  item(
    alias: string,
    relation: AnalysisRelation | undefined,
  ): { readonly item: Item; readonly levelsUp: number } | undefined {
    let levelsUp = 0;
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const named = scope.items.filter(
        (one) =>
          one.relationVisible &&
          scope?.reaches(one) &&
          (relation === undefined ? one.alias === alias : one.unaliased?.oid === relation.oid),
      );
      if (named.length > 1) throw new Uncertain('a table that may be one of several');
      if (named[0] !== undefined) return { item: named[0], levelsUp };
      levelsUp++;
    }
    return undefined;
  }

  private reaches(item: Item): boolean {
    return !item.lateralOnly || this.lateralActive;
  }

  /** `GetNSItemByRangeTablePosn` */
  itemOf(entry: number, levelsUp: number): Item {
    const item = this.outward(levelsUp).items.find((one) => one.entry === entry);
    if (item === undefined) throw new Uncertain('a row that is not in reach');
    return item;
  }
}

/** `scanNSItemForColumn` */
export function columnOf(item: Item, name: string, levelsUp: number): Var | undefined {
  const found = item.columns.filter((one) => one?.name === name);
  if (found.length > 1) throw new Uncertain('a column that may be one of several');
  const [column] = found;
  if (column !== undefined) return varOf(column, levelsUp);
  const system = item.hasSystemColumns ? SYSTEM.get(name) : undefined;
  if (system === undefined) return undefined;
  const [attribute, type] = system;
  return { kind: 'Var', type, modifier: -1, entry: item.entry, attribute, levelsUp };
}

function varOf({ entry, attribute, type, modifier }: ScopeColumn, levelsUp: number): Var {
  return { kind: 'Var', type, modifier, entry, attribute, levelsUp };
}

/** `expandNSItemVars`, with the names: what `*` stands for. */
export function varsOf(item: Item, levelsUp: number): { readonly name: string; readonly expr: Expr }[] {
  return item.columns.flatMap((column) =>
    column === undefined || column.hidden === true
      ? []
      : [{ name: column.name, expr: varOf(column, levelsUp) }],
  );
}

/** An item whose columns are those of its entry. */
export function itemOfEntry(
  entry: number,
  { alias, columns }: RangeEntry,
  more: Partial<Pick<Item, 'unaliased' | 'hasSystemColumns'>> & { readonly hidden?: number } = {},
): Item {
  const shown = columns.length - (more.hidden ?? 0);
  return {
    alias,
    columns: columns.map((column, index) =>
      column === undefined
        ? undefined
        : { ...column, entry, attribute: index + 1, ...(index < shown ? {} : { hidden: true }) },
    ),
    entry,
    ...(more.unaliased === undefined ? {} : { unaliased: more.unaliased }),
    hasSystemColumns: more.hasSystemColumns ?? false,
    relationVisible: true,
    columnsVisible: true,
    lateralOnly: false,
    lateralOk: true,
  };
}
