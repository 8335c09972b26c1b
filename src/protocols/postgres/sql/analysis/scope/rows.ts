import type { Analysis } from '../analysis.ts';
import type { AnalysisFunction } from '../catalog.ts';
import { OID, POLYMORPHIC } from '../oids.ts';
import type { Expr, Query, RangeEntry, Var } from '../tree.ts';
import { resolvePolymorphic } from '../typing/polymorphic.ts';
import { Uncertain } from '../uncertain.ts';
import type { Scope } from './scope.ts';

/** A field of a row. */
export interface RowField {
  readonly number: number;
  readonly name: string;
  readonly type: number;
  readonly modifier: number;
}

/**
 * Fields of a row that an expression gives, by number; undefined where one was dropped.
 *
 * @returns Undefined: it is no row, or of a record nobody knows what it holds.
 * @see PostgreSQL, funcapi.c (`get_expr_result_type`) and parse_target.c (`expandRecordVariable`)
 */
export function rowFields(
  analysis: Analysis,
  scope: Scope | undefined,
  expr: Expr,
): readonly (RowField | undefined)[] | undefined {
  if (expr.kind === 'Var' && expr.type === OID.record) {
    if (scope === undefined) return undefined;
    return recordFields(analysis, frames(scope), expr, 0);
  }
  return resultFields(analysis, expr);
}

/** `get_expr_result_type`, of what is a row. */
export function resultFields(analysis: Analysis, expr: Expr): readonly (RowField | undefined)[] | undefined {
  const fn = functionOf(analysis, expr);
  if (fn !== undefined && expr.type === OID.record) return outFields(analysis, fn, expr);
  if (expr.kind === 'RowExpr' && expr.type === OID.record)
    return expr.args.map(({ type, modifier }, index) => ({
      number: index + 1,
      name: expr.names[index] ?? '',
      type,
      modifier,
    }));
  const relation = analysis.catalog.relation(analysis.types.relationOf(expr.type));
  if (relation === undefined) return undefined;
  const fields: (RowField | undefined)[] = Array.from({ length: relation.width }, () => undefined);
  for (const { attnum, name, type, modifier } of relation.columns)
    fields[attnum - 1] = { number: attnum, name, type, modifier };
  return fields;
}

function functionOf(analysis: Analysis, expr: Expr): AnalysisFunction | undefined {
  if (expr.kind === 'FuncExpr' || expr.kind === 'OpExpr') return analysis.catalog.function(expr.function);
  return undefined;
}

/** OUT parameters, and columns of `RETURNS TABLE`. */
function outFields(analysis: Analysis, fn: AnalysisFunction, expr: Expr): RowField[] | undefined {
  const outs = [...fn.modes].flatMap((mode, index) => ('obt'.includes(mode) ? [index] : []));
  if (outs.length === 0) return undefined;
  const actual = 'args' in expr ? argTypes(fn, expr.args as readonly Expr[]) : [];
  return outs.map((at, index) => {
    const type = fn.all[at] as number;
    return {
      number: index + 1,
      name: fn.names[at] || `column${index + 1}`,
      type: POLYMORPHIC.has(type)
        ? resolvePolymorphic(analysis.types, actual, fn.takes.slice(0, actual.length), type).result
        : type,
      modifier: -1,
    };
  });
}

/** By parameter, of a call whose arguments may be named. */
function argTypes(fn: AnalysisFunction, args: readonly Expr[]): number[] {
  const types = [...fn.takes];
  for (const [index, arg] of args.entries())
    types[arg.kind === 'NamedArgExpr' ? arg.position : index] = arg.type;
  return types;
}

/** Name of the one OUT parameter of a function: `get_func_result_name`. */
export function resultName({ modes, names }: AnalysisFunction): string | undefined {
  const outs = [...modes].flatMap((mode, index) => ('obt'.includes(mode) ? [index] : []));
  const [only, ...more] = outs;
  const name = only === undefined || more.length > 0 ? '' : (names[only] ?? '');
  return name === '' ? undefined : name;
}

/** What a query sees of the entries around it, as far as records are followed. */
interface Frame {
  readonly entries: readonly RangeEntry[];
  readonly parent: Frame | undefined;
  cte(name: string): Query | undefined;
}

function frames(scope: Scope): Frame {
  return {
    entries: scope.entries,
    parent: scope.parent === undefined ? undefined : frames(scope.parent),
    cte: (name) => scope.ctes.find((one) => one.name === name)?.query,
  };
}

function within(query: Query, parent: Frame | undefined): Frame {
  return {
    entries: query.entries,
    parent,
    cte: (name) => query.ctes.find((one) => one.name === name)?.query,
  };
}

function outward(frame: Frame, levels: number): Frame {
  let found = frame;
  for (let left = levels; left > 0; left--) {
    if (found.parent === undefined) throw new Uncertain('a query that is not there');
    found = found.parent;
  }
  return found;
}

/** `expandRecordVariable` */
function recordFields(
  analysis: Analysis,
  frame: Frame,
  variable: Var,
  levels: number,
): readonly (RowField | undefined)[] | undefined {
  const around = outward(frame, variable.levelsUp + levels);
  const entry = around.entries[variable.entry - 1];
  if (entry === undefined) throw new Uncertain('a row that is not there');
  if (variable.attribute === 0) return wholeRow(entry);
  const found = sourceOf(entry, variable.attribute, around);
  if (found === undefined) return undefined;
  const { expr, inside } = found;
  if (expr.kind === 'Var' && expr.type === OID.record) return recordFields(analysis, inside, expr, 0);
  return resultFields(analysis, expr);
}

function wholeRow(entry: RangeEntry): RowField[] {
  return entry.columns
    .filter((column) => column !== undefined)
    .map(({ name, type, modifier }, index) => ({ number: index + 1, name, type, modifier }));
}

/** What stands behind a column that is a record, and from where it is read. */
function sourceOf(
  entry: RangeEntry,
  attribute: number,
  around: Frame,
): { readonly expr: Expr; readonly inside: Frame } | undefined {
  if (entry.kind === 'subquery') return targetOf(entry.query, attribute, around);
  if (entry.kind === 'cte') {
    const owner = outward(around, entry.levelsUp);
    const query = owner.cte(entry.cte);
    return query === undefined ? undefined : targetOf(query, attribute, owner);
  }
  if (entry.kind === 'join') {
    const expr = entry.aliasVars[attribute - 1];
    return expr === undefined ? undefined : { expr, inside: around };
  }
  return undefined;
}

function targetOf(query: Query, attribute: number, around: Frame) {
  const list = query.returning.length > 0 ? query.returning : query.targets;
  const target = list.find(({ number, junk }) => number === attribute && !junk);
  return target === undefined ? undefined : { expr: target.expr, inside: within(query, around) };
}
