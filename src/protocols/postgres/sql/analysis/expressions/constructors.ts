import { type Ast, bodyOf, list } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { commonModifier, nullConstant } from '../make.ts';
import { OID } from '../oids.ts';
import type { Scope } from '../scope/scope.ts';
import type { ArrayExpr, Case, Choice, Expr, Row } from '../tree.ts';
import { EXPLICIT } from '../typing/casts.ts';
import { namedType } from '../typing/type-names.ts';
import { Uncertain } from '../uncertain.ts';
import { starOf } from './columns.ts';

/** `transformCaseExpr` */
export function caseExpr(analysis: Analysis, scope: Scope, body: Ast): Case {
  const { casts } = analysis;
  const given = body['arg'] === undefined ? undefined : analysis.expression(scope, body['arg']);
  const arg = given?.type === OID.unknown ? casts.toCommon(given, OID.text) : given;
  const whens = list(body['args']).map((one) => {
    const when = bodyOf(one, 'CaseWhen') ?? {};
    const test = analysis.expression(scope, when['expr']);
    const condition = arg === undefined ? test : analysis.operators.make(['='], placeholder(arg), test);
    return {
      condition: casts.toSpecific(condition, OID.bool),
      result: analysis.expression(scope, when['result']),
    };
  });
  const otherwise =
    body['defresult'] === undefined
      ? nullConstant(OID.unknown)
      : analysis.expression(scope, body['defresult']);
  const type = casts.common([otherwise, ...whens.map(({ result }) => result)]);
  const results = whens.map((one) => ({ ...one, result: casts.toCommon(one.result, type) }));
  const last = casts.toCommon(otherwise, type);
  const modifier = commonModifier([last, ...results.map(({ result }) => result)], type);
  return { kind: 'CaseExpr', type, modifier, arg, whens: results, otherwise: last };
}

function placeholder({ type, modifier }: Expr): Expr {
  return { kind: 'CaseTestExpr', type, modifier };
}

/** COALESCE, GREATEST, LEAST. */
export function choice(analysis: Analysis, scope: Scope, kind: Choice['kind'], body: Ast): Choice {
  const given = list(body['args']).map((one) => analysis.expression(scope, one));
  const type = analysis.casts.common(given);
  const args = given.map((one) => analysis.casts.toCommon(one, type));
  return { kind, type, modifier: commonModifier(args, type), args };
}

/** `transformRowExpr` */
export function rowExpr(analysis: Analysis, scope: Scope, body: Ast, allowsDefault = false): Row {
  const args = expressionList(analysis, scope, list(body['args']), allowsDefault);
  const names = args.map((_, index) => `f${index + 1}`);
  return { kind: 'RowExpr', type: OID.record, modifier: -1, args, names };
}

/** `transformExpressionList`: stars are expanded, and DEFAULT stays where it may stand. */
export function expressionList(
  analysis: Analysis,
  scope: Scope,
  nodes: readonly unknown[],
  allowsDefault = false,
): Expr[] {
  return nodes.flatMap((node) => {
    const star = starOf(analysis, scope, node);
    if (star !== undefined) return star.map(({ expr }) => expr);
    if (allowsDefault && bodyOf(node, 'SetToDefault') !== undefined) return [DEFAULT];
    return [analysis.expression(scope, node)];
  });
}

/** Of no type, until it is known what it is the default of. */
const DEFAULT: Expr = { kind: 'SetToDefault', type: 0, modifier: -1 };

interface ArrayTarget {
  readonly array: number;
  readonly element: number;
  readonly modifier: number;
}

/** `transformTypeCast` */
export function typeCast(analysis: Analysis, scope: Scope, body: Ast): Expr {
  const { type, modifier } = namedType(analysis.types, (body['typeName'] ?? {}) as Ast);
  const array = bodyOf(body['arg'], 'A_ArrayExpr');
  const [base, baseModifier] = analysis.types.baseAndModifier(type, modifier);
  const element = analysis.types.element(base);
  const expr =
    array !== undefined && element !== 0
      ? arrayExpr(analysis, scope, array, { array: base, element, modifier: baseModifier })
      : analysis.expression(scope, body['arg']);
  return analysis.casts.required(expr, type, modifier, EXPLICIT);
}

/** `transformArrayExpr` */
export function arrayExpr(analysis: Analysis, scope: Scope, body: Ast, wanted?: ArrayTarget): ArrayExpr {
  const { types, casts } = analysis;
  let nested = false;
  const items = list(body['elements']).map((node) => {
    const inner = bodyOf(node, 'A_ArrayExpr');
    if (inner !== undefined) {
      nested = true;
      return arrayExpr(analysis, scope, inner, wanted);
    }
    const item = analysis.expression(scope, node);
    const isVector = item.type === OID.int2vector || item.type === OID.oidvector;
    if (!isVector && types.element(item.type) !== 0) nested = true;
    return item;
  });
  if (wanted !== undefined) {
    const target = nested ? wanted.array : wanted.element;
    const cast = items.map((one) => casts.required(one, target, wanted.modifier, EXPLICIT));
    return arrayOf(wanted.array, wanted.element, cast, target);
  }
  if (items.length === 0) throw new Uncertain('an array of nothing');
  const common = casts.common(items);
  const element = nested ? types.element(common) : common;
  const array = nested ? common : types.arrayOf(common);
  if (array === 0 || element === 0) throw new Uncertain('an array of what has no arrays');
  return arrayOf(
    array,
    element,
    items.map((one) => casts.toCommon(one, common)),
    common,
  );
}

function arrayOf(type: number, element: number, items: readonly Expr[], common: number): ArrayExpr {
  return { kind: 'ArrayExpr', type, modifier: commonModifier(items, common), element, items };
}
