import { type Ast, bodyOf, list } from '../../facts/ast.ts';
import type { Analysis, Call } from '../analysis.ts';
import type { AnalysisFunction } from '../catalog.ts';
import { commonModifier, isWholeRow } from '../make.ts';
import { OID } from '../oids.ts';
import { calledName, isInOwnWords, typeNamed } from '../scope/names.ts';
import { rowFields } from '../scope/rows.ts';
import { columnOf, type Scope } from '../scope/scope.ts';
import type { ArrayExpr, Expr, FuncExpr } from '../tree.ts';
import { matching, selectCandidate } from '../typing/candidates.ts';
import { IMPLICIT } from '../typing/casts.ts';
import { findPathway } from '../typing/pathways.ts';
import { resolvePolymorphic } from '../typing/polymorphic.ts';
import { NotThere, Uncertain } from '../uncertain.ts';
import { aggregateCall, unifyHypothetical } from './aggregates.ts';
import { type FunctionCandidate, functionCandidates } from './function-candidates.ts';
import { windowCall } from './windows.ts';

/** `transformFuncCall` */
export function functionCall(analysis: Analysis, scope: Scope, body: Ast): Expr {
  const args = list(body['args']).map((one) => analysis.expression(scope, one));
  if (body['agg_within_group'] === true) {
    for (const one of list(body['agg_order']))
      args.push(analysis.expression(scope, bodyOf(one, 'SortBy')?.['node']));
  }
  const name = calledName(analysis.catalog, body);
  const made = call(analysis, scope, { name, args, body });
  if (made === undefined) throw new NotThere('a function', `${name.join('.')}()`);
  return made;
}

/**
 * A call, or a field of a row that looks like one.
 *
 * @returns Undefined: there is nothing of that name.
 * @see PostgreSQL, parse_func.c, `ParseFuncOrColumn`
 */
export function call(analysis: Analysis, scope: Scope, one: Call): Expr | undefined {
  const given = withoutVoid(one);
  const filter =
    given.body?.['agg_filter'] === undefined
      ? undefined
      : analysis.casts.toSpecific(analysis.expression(scope, given.body['agg_filter']), OID.bool);
  const argNames = namesOf(given);
  const projects = mayBeField(analysis, given, argNames);
  if (projects && given.body === undefined) {
    const field = fieldOf(analysis, scope, given);
    if (field !== undefined) return field;
  }
  const found = detail(analysis, given, argNames);
  if (found === 'ambiguous') {
    if (given.body === undefined) return undefined;
    throw new Uncertain('a function that may be one of several');
  }
  if (found === undefined)
    return projects && given.body !== undefined ? fieldOf(analysis, scope, given) : undefined;
  if ('coercion' in found) {
    const [arg] = given.args as [Expr];
    return analysis.casts.toType(arg, found.coercion, -1, { context: 'e', form: 'call' });
  }
  return resolved(analysis, scope, given, found, filter);
}

/** Parameters that are said to be void are none: what JDBC gives for results. */
function withoutVoid(one: Call): Call {
  const keeps = one.body === undefined || one.body['agg_within_group'] === true;
  const isVoid = ({ kind, type }: Expr) => kind === 'Param' && type === OID.void;
  return keeps || !one.args.some(isVoid) ? one : { ...one, args: one.args.filter((arg) => !isVoid(arg)) };
}

function namesOf({ args, body }: Call): string[] {
  if (body === undefined || args.every(({ kind }) => kind !== 'NamedArgExpr')) return [];
  return list(body['args']).flatMap((one) => {
    const named = bodyOf(one, 'NamedArgExpr');
    return named === undefined ? [] : [String(named['name'] ?? '')];
  });
}

function mayBeField(
  analysis: Analysis,
  { name, args, body = {} }: Call,
  argNames: readonly string[],
): boolean {
  const [arg, ...more] = args;
  const isPlain = ['agg_order', 'agg_filter', 'agg_star', 'agg_distinct', 'over', 'func_variadic'].every(
    (word) =>
      body[word] === undefined ||
      body[word] === false ||
      (Array.isArray(body[word]) && list(body[word]).length === 0),
  );
  if (arg === undefined || more.length > 0 || !isPlain || argNames.length > 0 || name.length !== 1)
    return false;
  return arg.type === OID.record || analysis.types.isComposite(arg.type);
}

/** `ParseComplexProjection` */
function fieldOf(analysis: Analysis, scope: Scope, { name, args }: Call): Expr | undefined {
  const [arg] = args as [Expr];
  const field = name[0] as string;
  if (isWholeRow(arg)) return columnOf(scope.itemOf(arg.entry, arg.levelsUp), field, arg.levelsUp);
  const found = rowFields(analysis, scope, arg)?.find((one) => one?.name === field);
  if (found === undefined) return undefined;
  return { kind: 'FieldSelect', type: found.type, modifier: found.modifier, arg, field: found.number };
}

type Detail =
  | { readonly candidate: FunctionCandidate; readonly fn: AnalysisFunction }
  | { readonly coercion: number };

/** `func_get_detail` */
function detail(
  analysis: Analysis,
  { name, args, body }: Call,
  argNames: readonly string[],
): Detail | 'ambiguous' | undefined {
  const { types } = analysis;
  const given = args.map(({ type }) => type);
  const gathers = body?.['func_variadic'] !== true;
  const all = functionCandidates(analysis.catalog, { name, args: args.length, argNames, gathers });
  let best = all.find(({ takes }) => given.every((type, index) => takes[index] === type));
  if (best === undefined && args.length === 1 && argNames.length === 0) {
    const coercion = castByName(analysis, name, args[0] as Expr);
    if (coercion !== undefined) return { coercion };
  }
  if (best === undefined) {
    const fitting = matching(types, given, all);
    best = fitting.length > 1 ? selectCandidate(types, given, fitting) : fitting[0];
    if (best === undefined && fitting.length > 1) return 'ambiguous';
  }
  if (best === undefined) return undefined;
  if (best.fn === undefined) return 'ambiguous';
  return { candidate: best, fn: best.fn };
}

/** `text(x)` is a cast where no function takes x. */
function castByName(analysis: Analysis, name: readonly string[], arg: Expr): number | undefined {
  const { types } = analysis;
  const type = typeNamed(analysis.catalog, name);
  if (type === undefined || type.relation !== 0) return undefined;
  if (arg.type === OID.unknown && arg.kind === 'Const') return type.oid;
  const pathway = findPathway(types, arg.type, type.oid, 'e');
  if (pathway?.kind === 'relabel') return type.oid;
  const isRow = arg.type === OID.record || types.isComposite(arg.type);
  return pathway?.kind === 'io' && !(isRow && type.category === 'S') ? type.oid : undefined;
}

function resolved(
  analysis: Analysis,
  scope: Scope,
  given: Call,
  { candidate, fn }: { readonly candidate: FunctionCandidate; readonly fn: AnalysisFunction },
  filter: Expr | undefined,
): Expr {
  const { body = {} } = given;
  let args = given.args.map((arg, index) =>
    arg.kind === 'NamedArgExpr' ? { ...arg, position: candidate.positions?.[index] ?? index } : arg,
  );
  const isHypothetical = fn.aggregate?.kind === 'h';
  if (isHypothetical)
    args = unifyHypothetical(analysis, args, list(body['agg_order']).length, candidate.takes);
  const actual = [...args.map(({ type }) => type), ...candidate.takes.slice(args.length)];
  const { declared, result } = resolvePolymorphic(analysis.types, actual, candidate.takes, fn.returns);
  args = args.map((arg, index) => argument(analysis, arg, declared[index] as number));
  args = gathered(analysis, args, candidate, fn);
  const returned = { type: result, modifier: -1 };
  if (fn.kind === 'p') throw new Uncertain('a procedure that is called as a function');
  if (fn.kind === 'f') {
    const expr: FuncExpr = {
      kind: 'FuncExpr',
      ...returned,
      function: fn.oid,
      returnsSet: fn.returnsSet,
      args,
      form: isInOwnWords(analysis.catalog, body) ? 'syntax' : 'call',
    };
    return expr;
  }
  if (body['over'] !== undefined)
    return windowCall(analysis, scope, { fn, args, filter, returned, over: body['over'] as Ast });
  return aggregateCall(analysis, scope, { fn, args, filter, returned, body });
}

function argument(analysis: Analysis, arg: Expr, type: number): Expr {
  if (arg.kind !== 'NamedArgExpr') return analysis.casts.toType(arg, type, -1, IMPLICIT);
  const inner = analysis.casts.toType(arg.arg, type, -1, IMPLICIT);
  return { ...arg, type: inner.type, modifier: inner.modifier, arg: inner };
}

/** Arguments of a variadic parameter become one array; those of `VARIADIC "any"` stay as they are. */
function gathered(
  analysis: Analysis,
  args: readonly Expr[],
  { gathered: count }: FunctionCandidate,
  { variadic }: AnalysisFunction,
): Expr[] {
  if (count === 0 || variadic === OID.any) return [...args];
  const items = args.slice(args.length - count);
  const element = (items[0] as Expr).type;
  const modifier = commonModifier(items, element);

  const array: ArrayExpr = {
    kind: 'ArrayExpr',
    type: analysis.types.arrayOf(element),
    modifier,
    element,
    items,
  };
  return [...args.slice(0, args.length - count), array];
}
