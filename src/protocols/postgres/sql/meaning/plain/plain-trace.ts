import type { AnalysisCatalog } from '../../analysis/catalog.ts';
import { SUBSCRIPT } from '../../analysis/oids.ts';
import type { Expr, RangeEntry, SubLink, TargetEntry, Var } from '../../analysis/tree.ts';
import { partsOf } from '../../analysis/walk.ts';
import { type Frame, QueryTrace, TooMuch } from '../flow/query-trace.ts';
import type { PlainCalls } from './calls.ts';
import type { StoredColumns } from './stored-columns.ts';
import {
  areAlike,
  bundled,
  chosen,
  cleared,
  computed,
  MADE,
  OPEN,
  ofPlaces,
  ofRow,
  ofRows,
  oneOfMany,
  seenThrough,
  together,
  united,
  type Value,
  WRITTEN,
} from './value.ts';

const BOUNDS = { rounds: 20, looks: 200_000 };

/** A column of something in FROM; 0: its row. */
interface Place {
  readonly attribute: number;
  readonly row: string;
}

/** What stands around an expression. */
export interface Around {
  readonly frame: Frame<Value>;
  /** It is worked out before rows are grouped: a condition on them, or what is aggregated. */
  readonly ungrouped?: boolean;
  /** The query of the sublink whose test it is. */
  readonly link?: Frame<Value>;
  /** What a CASE compares, or an element of an array that is cast. */
  readonly test?: Value;
}

/**
 * Says of each expression of an analysed statement what it has of free text.
 *
 * @throws {TooMuch} By any of its methods.
 */
export class PlainTrace extends QueryTrace<Value> {
  readonly calls: PlainCalls;
  readonly #columns: StoredColumns;
  readonly #analysis: AnalysisCatalog;
  readonly #names = new Map<Expr, string>();

  constructor(calls: PlainCalls, columns: StoredColumns, analysis: AnalysisCatalog) {
    super(OPEN, BOUNDS);
    this.calls = calls;
    this.#columns = columns;
    this.#analysis = analysis;
  }

  protected override given(frame: Frame<Value>, expr: Expr): Value {
    return this.value({ frame }, expr);
  }

  /** What differs from arm to arm is known of each row. */
  protected override merged(frame: Frame<Value>, arms: readonly Value[], index: number): Value {
    return ofPlaces(chosen(arms), `${frame.id}:${index}`);
  }

  protected override differs(one: Value, other: Value | undefined): boolean {
    return !areAlike(one, other);
  }

  value(around: Around, expr: Expr): Value {
    this.spend();
    const values = (exprs: readonly (Expr | undefined)[]) =>
      exprs.flatMap((one) => (one === undefined ? [] : [this.value(around, one)]));
    switch (expr.kind) {
      case 'Const':
      case 'SQLValueFunction':
        return WRITTEN;
      case 'GroupingFunc':
      case 'NextValueExpr':
        return ofRow(MADE, this.#nameOf(expr));
      case 'CurrentOfExpr':
      case 'MergeSupportFunc':
      case 'SetToDefault':
        return MADE;
      case 'Param':
        return this.#param(around, expr);
      case 'Var':
        return this.#column(around, expr);
      case 'CaseTestExpr':
      case 'CoerceToDomainValue':
        return around.test ?? unknown('a part');
      case 'RelabelType':
      case 'CollateExpr':
      case 'CoerceToDomain':
      case 'ConvertRowtypeExpr':
      case 'NamedArgExpr':
      case 'FieldSelect':
        return this.value(around, expr.arg);
      case 'ArrayCoerceExpr':
        return this.value({ ...around, test: this.value(around, expr.arg) }, expr.element);
      case 'RowExpr':
      case 'ArrayExpr':
      case 'FieldStore':
        return bundled(values(partsOf(expr)));
      case 'CoalesceExpr':
        return chosen(values(expr.args));
      case 'CaseExpr':
        return this.#case(around, expr);
      case 'NullTest':
        return tested(this.value(around, expr.arg));
      case 'OpExpr':
      case 'DistinctExpr':
      case 'ScalarArrayOpExpr':
        return this.calls.compared(expr, values(expr.args));
      case 'NullIfExpr': {
        const args = values(expr.args);
        const same = this.calls.compared(expr, args);
        return same.kind === 'clear' ? { ...united(args), ...(args[0] && { kind: args[0].kind }) } : same;
      }
      case 'Aggref':
      case 'WindowFunc':
      case 'FuncExpr':
        return this.#call(around, expr);
      case 'SubscriptingRef':
        return this.#subscript(
          expr,
          values([expr.base, expr.assigned]),
          values([...expr.upper, ...expr.lower]),
        );
      case 'SubLink':
        return this.#link(around, expr);
      case 'BoolExpr':
      case 'BooleanTest':
        return united(values(partsOf(expr)));
      default:
        return computed(values(partsOf(expr)), WHAT[expr.kind] ?? 'what is done with it');
    }
  }

  #call(around: Around, expr: Extract<Expr, { readonly kind: 'Aggref' | 'WindowFunc' | 'FuncExpr' }>): Value {
    const isOfGroup = expr.kind === 'Aggref' && expr.levelsUp === 0;
    const inside = isOfGroup ? { ...around, ungrouped: true } : around;
    const args = argumentsOf(expr).map((one) => this.value(inside, one));
    const result = this.calls.result(expr, args);
    // One of a group, or of many: it speaks of no row that anything else speaks of.
    if (expr.kind === 'FuncExpr' && expr.returnsSet) return oneOfMany(result, this.#nameOf(expr));
    if (!this.calls.varies(expr)) return result;
    return expr.kind === 'Aggref' ? ofPlaces(result, this.#nameOf(expr)) : ofRow(result, this.#nameOf(expr));
  }

  #nameOf(expr: Expr): string {
    const known = this.#names.get(expr) ?? `f${this.#names.size}`;
    this.#names.set(expr, known);
    return known;
  }

  #param(
    { frame, link }: Around,
    { source, number, multi }: Extract<Expr, { readonly kind: 'Param' }>,
  ): Value {
    if (source === 'external') return WRITTEN;
    const links = frame.query.targets.flatMap(({ expr }) =>
      expr.kind === 'SubLink' && expr.link === 'multiexpr' ? [expr] : [],
    );
    const several = links[(multi ?? 0) - 1];
    const from = source === 'sublink' ? link : several && this.frame(several.query, frame);
    return (from && this.outputs(from)[number - 1]) ?? unknown('a subquery');
  }

  /** Which rows there are within may depend on anything. */
  #link(around: Around, expr: SubLink): Value {
    const value = this.#ofLink(around, expr);
    return { ...value, rows: new Set([...value.rows, this.#nameOf(expr)]) };
  }

  #ofLink(around: Around, { link, query, test }: SubLink): Value {
    const within = this.frame(query, around.frame);
    if (link === 'exists' || link === 'multiexpr') return MADE;
    const [first = MADE] = this.outputs(within);
    if (link === 'array' && first.kind !== 'clear') return { ...first, bundle: true };
    if (link === 'expr' || link === 'array') return first;
    return test === undefined ? unknown('a subquery') : this.value({ ...around, link: within }, test);
  }

  #case(around: Around, { arg, whens, otherwise }: Extract<Expr, { readonly kind: 'CaseExpr' }>): Value {
    const test = arg && this.value(around, arg);
    const inside = test === undefined ? around : { ...around, test };
    const conditions = whens.map(({ condition }) => this.value(inside, condition));
    const results = [...whens.map(({ result }) => result), otherwise].flatMap((one) =>
      one === undefined ? [] : [this.value(around, one)],
    );
    return { ...united([...conditions, together(results)]), origin: 'made' };
  }

  #subscript(
    { container }: Extract<Expr, { readonly kind: 'SubscriptingRef' }>,
    of: readonly Value[],
    by: readonly Value[],
  ): Value {
    const isArray = this.#analysis.type(container)?.subscript === SUBSCRIPT.array;
    const isPlain = isArray && by.every(({ kind }) => kind === 'clear');
    return isPlain ? united([...of, ...by]) : computed([...of, ...by], 'a subscript');
  }

  /** Where sets are grouped by, each row stands for several groups, told apart by what is NULL in them. */
  #column({ frame, ungrouped = false }: Around, column: Var): Value {
    const [entry, around] = this.standsIn(frame, column);
    const row = `${around.id}.${column.entry}`;
    const value = this.#ofEntry(around, entry, { attribute: column.attribute, row });
    const isGrouped = around.query.groupingSets && (column.levelsUp > 0 || !ungrouped);
    return isGrouped ? ofRows(value, row) : value;
  }

  #ofEntry(around: Frame<Value>, entry: RangeEntry, { attribute, row }: Place): Value {
    switch (entry.kind) {
      case 'relation':
        return ofRow(this.#columns.of(entry.relation, attribute), row);
      case 'subquery':
        return seenThrough(pick(this.outputs(this.frame(entry.query, around)), attribute), row);
      case 'cte': {
        const one = seenThrough(pick(this.outputs(this.cte(around, entry)), attribute), row);
        // It goes on from what was written.
        return entry.selfReference && one.origin === 'written' ? { ...one, origin: 'made' } : one;
      }
      case 'join':
        return attribute === 0
          ? bundled(entry.aliasVars.map((one) => this.value({ frame: around }, one)))
          : this.value({ frame: around }, entry.aliasVars[attribute - 1] ?? fail());
      case 'values':
        return ofCell(this.#listed(around, entry.rows, attribute), row, attribute);
      case 'function':
        return ofCell(this.#given(around, entry, attribute), row, attribute);
      default:
        // What makes such rows is looked at where it stands.
        return ofCell(MADE, row, attribute);
    }
  }

  #listed(frame: Frame<Value>, rows: readonly (readonly Expr[])[], attribute: number): Value {
    const exprs = attribute === 0 ? rows.flat() : rows.flatMap((one) => one[attribute - 1] ?? []);
    return chosen(exprs.map((one) => this.value({ frame }, one)));
  }

  #given(
    frame: Frame<Value>,
    { functions, ordinality, columns }: Extract<RangeEntry, { readonly kind: 'function' }>,
    attribute: number,
  ): Value {
    const all = chosen(functions.map((one) => this.value({ frame }, one)));
    return ordinality && attribute === columns.length ? cleared([{ ...all, origin: 'made' }]) : all;
  }
}

/** What does something with a value that has no name of its own. */
const WHAT: Readonly<Partial<Record<Expr['kind'], string>>> = {
  CoerceViaIO: 'a cast',
  MinMaxExpr: 'GREATEST or LEAST',
  RowCompareExpr: 'a comparison of rows',
  XmlExpr: 'XML',
  JsonConstructorExpr: 'JSON',
  JsonExpr: 'JSON',
  JsonIsPredicate: 'JSON',
  JsonValueExpr: 'JSON',
};

/** What a function is given. */
export function argumentsOf(
  expr: Extract<Expr, { readonly kind: 'Aggref' | 'WindowFunc' | 'FuncExpr' }>,
): readonly Expr[] {
  if (expr.kind !== 'Aggref') return expr.args;
  return [...expr.direct, ...expr.args.filter(({ junk }: TargetEntry) => !junk).map((one) => one.expr)];
}

/** Whoever has written a list, or called functions, says what stands beside what: each column speaks of rows of its own. */
function ofCell(value: Value, row: string, attribute: number): Value {
  if (attribute !== 0) return oneOfMany(value, `${row}:${attribute}`);
  return { ...value, rows: new Set([`${row}:first`, `${row}:others`]) };
}

function tested(value: Value): Value {
  return value.kind === 'computed' ? value : { ...cleared([value]), origin: 'made' };
}

/** A column of a query; 0 is its row, and columns that SEARCH and CYCLE add are made of any. */
function pick(outputs: readonly Value[], attribute: number): Value {
  const one = outputs[attribute - 1];
  if (one !== undefined) return one;
  return attribute === 0 ? bundled(outputs) : computed(outputs, 'SEARCH or CYCLE');
}

function unknown(by: string): Value {
  return { ...MADE, kind: 'computed', column: 'that is not known', by };
}

function fail(): never {
  throw new TooMuch();
}
