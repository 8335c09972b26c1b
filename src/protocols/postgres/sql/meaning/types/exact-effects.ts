import type { Catalog } from '../../../catalog/model/model.ts';
import { isHarmlessBuiltin } from '../../../catalog/system/functions.ts';
import type { AnalysisCatalog } from '../../analysis/catalog.ts';
import type { Expr, Query, RangeEntry, SetOperation, SortGroup } from '../../analysis/tree.ts';
import { expressionsOf, partsOf, queriesOf } from '../../analysis/walk.ts';

const JSON_OID = 114;
const RECORD_OID = 2249;
/** Built-in functions and operators of extensions that fill a row of a type that is given, or is described beside them. */
const FILLS_ROWS = /^jsonb?_(?:populate_record|to_record)|^populate_record/;

/** Expressions by which a value of their type is made from text, from octets, or from a value of another. */
const MAKES: ReadonlySet<Expr['kind']> = new Set([
  'Const',
  'Param',
  'CoerceToDomain',
  'CoerceViaIO',
  'ArrayCoerceExpr',
  'SubscriptingRef',
  'FieldStore',
  'JsonExpr',
  'JsonConstructorExpr',
  'JsonValueExpr',
]);

/**
 * The functions that the server runs for an analysed query without being told their names: those that carry out operators
 * and casts, input and output of types, checks of domains, and what compares and sorts. What a view, a policy of rows or a
 * write runs besides is no part of the query.
 *
 * @param named What the text calls functions and columns, without schemas: of these nothing is said.
 * @returns By OID, for what; in words for people. PostgreSQL's own that only compute are left out. Pure.
 */
export function exactEffects(
  query: Query,
  catalog: Catalog,
  analysis: AnalysisCatalog,
  named: ReadonlySet<string>,
): ReadonlyMap<number, string> {
  const effects = new ExactEffects(catalog, analysis, named);
  effects.query(query, true);
  return effects.all();
}

const NONE: ReadonlySet<Expr> = new Set();

/** What is stored in columns, in their types. */
function assignedIn({ command, targets, entries, onConflict, merge }: Query): ReadonlySet<Expr> {
  if (command === 'select' || command === 'delete') return NONE;
  const lists = [targets, onConflict?.set ?? [], ...merge.map((action) => action.targets)];
  const rows = entries.flatMap((entry) => (entry.kind === 'values' ? entry.rows.flat() : []));
  return new Set([...lists.flat().map(({ expr }) => expr), ...(command === 'insert' ? rows : [])]);
}

class ExactEffects {
  readonly #catalog: Catalog;
  readonly #analysis: AnalysisCatalog;
  readonly #named: ReadonlySet<string>;
  readonly #runs = new Map<number, string>();
  /** Types that values are of, and what these are made of. */
  readonly #present = new Set<number>();
  /** Something looks for casts to JSON by itself. */
  #json = false;

  constructor(catalog: Catalog, analysis: AnalysisCatalog, named: ReadonlySet<string>) {
    this.#catalog = catalog;
    this.#analysis = analysis;
    this.#named = named;
  }

  all(): ReadonlyMap<number, string> {
    if (this.#json) {
      for (const cast of this.#catalog.casts) {
        if (cast.target === JSON_OID && this.#present.has(cast.source)) this.#cast(cast.function, cast);
      }
    }
    return this.#runs;
  }

  /** @param shown A client is sent what it gives. */
  query(query: Query, shown = false): void {
    const assigned = assignedIn(query);
    for (const expr of expressionsOf(query)) this.#outermost(expr, shown, assigned);
    for (const { expr, ref } of query.targets) if (ref !== 0) this.#read(expr.type);
    for (const { partition, order, startInRange, endInRange } of query.windows) {
      for (const group of [...partition, ...order]) this.#group(group);
      for (const oid of [startInRange, endInRange]) this.#called(oid, 'a window');
    }
    for (const group of [...query.group, ...query.distinct, ...query.sort]) this.#group(group);
    if (query.set !== undefined) this.#set(query.set);
    for (const entry of query.entries) this.#entry(entry);
    // What is searched for rows that were seen before compares them.
    for (const { columns, recursive } of query.ctes)
      if (recursive) for (const { type } of columns) this.#read(type);
    for (const one of queriesOf(query)) this.query(one);
  }

  #entry(entry: RangeEntry): void {
    if (entry.kind === 'join') for (const expr of entry.aliasVars) this.#outermost(expr, false);
    if (entry.kind === 'relation' && entry.sample !== undefined)
      this.#called(entry.sample.function, 'TABLESAMPLE');
    const described =
      entry.kind === 'tablefunc' ||
      (entry.kind === 'function' && entry.functions.some(({ type }) => type === RECORD_OID));
    if (described) for (const column of entry.columns) if (column !== undefined) this.#make(column.type);
  }

  #set(operation: SetOperation): void {
    if (operation.kind === 'RangeTblRef') return;
    for (const { type } of operation.columns) this.#read(type);
    for (const group of operation.groups) this.#group(group);
    this.#set(operation.left);
    this.#set(operation.right);
  }

  #group({ equals, sorts }: SortGroup): void {
    this.#operator(equals);
    this.#operator(sorts);
  }

  /**
   * A column that stands by itself is only shown, or handed on to whoever names it. What is made to be stored in a column is
   * made by the write.
   */
  #outermost(expr: Expr | undefined, shown: boolean, assigned: ReadonlySet<Expr> = NONE): void {
    if (expr?.kind !== 'Var') this.#expr(expr, expr !== undefined && assigned.has(expr));
    else if (shown) this.#runTypes(expr.type, this.#catalog.types.shownFunctions(expr.type));
  }

  #expr(expr: Expr | undefined, stored = false): void {
    if (expr === undefined) return;
    if (MAKES.has(expr.kind) && !stored) this.#make(expr.type);
    else this.#read(expr.type);
    this.#calls(expr);
    for (const part of partsOf(expr)) this.#expr(part);
    if (expr.kind === 'SubLink') this.query(expr.query);
  }

  #calls(expr: Expr): void {
    switch (expr.kind) {
      case 'FuncExpr':
        this.#fills(expr.function, expr.type);
        if (expr.form === 'cast' || expr.form === 'implicit')
          this.#cast(expr.function, { source: expr.args[0]?.type ?? 0, target: expr.type });
        else this.#written(expr.function);
        return;
      case 'OpExpr':
      case 'DistinctExpr':
      case 'NullIfExpr':
      case 'ScalarArrayOpExpr':
        this.#fills(expr.function, expr.type);
        return this.#operator(expr.operator);
      case 'RowCompareExpr':
        for (const operator of expr.operators) this.#operator(operator);
        return;
      case 'Aggref':
        this.#fills(expr.function, expr.type);
        this.#written(expr.function);
        for (const group of [...expr.order, ...expr.distinct]) this.#group(group);
        return;
      case 'WindowFunc':
        this.#fills(expr.function, expr.type);
        return this.#written(expr.function);
      case 'JsonConstructorExpr':
      case 'JsonExpr':
      case 'JsonValueExpr':
        this.#json = true;
    }
  }

  /** What some functions do by their names. */
  #fills(oid: number, type: number): void {
    const name = this.#analysis.function(oid)?.name ?? '';
    if (name.includes('json')) this.#json = true;
    if (FILLS_ROWS.test(name)) this.#make(type);
  }

  /** A call: its name stands in the text, and says all. Should it not, it counts as one that nobody named. */
  #written(oid: number): void {
    const { schema, name } = this.#catalog.functions.get(oid) ?? {};
    if (schema !== 'pg_catalog' && !this.#named.has(name ?? ''))
      this.#called(oid, `function ${schema}.${name}`);
  }

  #operator(oid: number): void {
    const operator = oid === 0 ? undefined : this.#analysis.operator(oid);
    if (operator === undefined) return;
    const { name, left, right, function: fn } = operator;
    // Only these do more than compute.
    const ours = this.#catalog.operators
      .get(name)
      ?.find((one) => one.function === fn && one.operands[0] === left && one.operands[1] === right);
    if (ours === undefined) return;
    for (const one of [fn, ...ours.instead]) this.#called(one, `operator ${ours.schema}.${name}`);
  }

  #cast(oid: number, { source, target }: { readonly source: number; readonly target: number }): void {
    const { types } = this.#catalog;
    this.#called(oid, `the cast of ${types.nameOf(source)} to ${types.nameOf(target)}`);
  }

  #called(oid: number, what: string): void {
    const fn = this.#catalog.functions.get(oid);
    if (oid !== 0 && (fn === undefined || !isHarmlessBuiltin(fn))) this.#runs.set(oid, what);
  }

  /** A value of the type is made: what it is made of is checked. */
  #make(oid: number): void {
    this.#runTypes(oid, this.#catalog.types.functions(oid));
  }

  #read(oid: number): void {
    this.#runTypes(oid, this.#catalog.types.readFunctions(oid));
  }

  #runTypes(oid: number, functions: readonly number[]): void {
    this.#present.add(oid);
    for (const one of this.#catalog.types.within(oid)) this.#present.add(one);
    for (const fn of functions) this.#runs.set(fn, `type ${this.#catalog.types.nameOf(oid)}`);
  }
}
