import { type Ast, bodyOf, list, strings } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { boolExpr, commonModifier, constant } from '../make.ts';
import { OID } from '../oids.ts';
import type { QualifiedName } from '../scope/names.ts';
import type { Scope } from '../scope/scope.ts';
import type { ArrayExpr, BoolExpr, Expr, OpExpr } from '../tree.ts';
import { canCoerce } from '../typing/pathways.ts';
import { commonType } from '../typing/polymorphic.ts';
import { Uncertain } from '../uncertain.ts';
import { namesColumns } from '../walk.ts';
import { rowComparison } from './row-comparison.ts';
import { rowSublink } from './sublinks.ts';

/** `transformAExprOp` and its kin: an `A_Expr`. */
export function operation(analysis: Analysis, scope: Scope, body: Ast): Expr {
  const name = strings(body['name']);
  const [left, right] = [body['lexpr'], body['rexpr']];
  const both = () => [analysis.expression(scope, left), analysis.expression(scope, right)] as const;
  switch (body['kind']) {
    case 'AEXPR_OP':
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
      return binary(analysis, scope, name, left, right);
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
      return analysis.operators.makeArray(name, body['kind'] === 'AEXPR_OP_ANY', ...both());
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT':
      return distinct(analysis, scope, body);
    case 'AEXPR_NULLIF':
      return nullIf(analysis.operators.make(name, ...both()));
    case 'AEXPR_IN':
      return isIn(analysis, scope, name, body);
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN_SYM':
      return between(analysis, scope, body);
    default:
      throw new Uncertain('an expression of an unknown kind');
  }
}

function binary(analysis: Analysis, scope: Scope, name: QualifiedName, left: unknown, right: unknown): Expr {
  const sublink = bodyOf(right, 'SubLink');
  const isRow = bodyOf(left, 'RowExpr') !== undefined;
  if (isRow && sublink?.['subLinkType'] === 'EXPR_SUBLINK')
    return rowSublink(analysis, scope, { ...sublink, testexpr: left }, 'rowcompare', name);
  const one = left === undefined ? undefined : analysis.expression(scope, left);
  const other = analysis.expression(scope, right);
  if (isRow && one?.kind === 'RowExpr' && bodyOf(right, 'RowExpr') !== undefined && other.kind === 'RowExpr')
    return rowComparison(analysis, name, one.args, other.args);
  return analysis.operators.make(name, one, other);
}

function nullIf(operator: OpExpr): OpExpr {
  const [first] = operator.args as [Expr, Expr];
  return { ...operator, kind: 'NullIfExpr', type: first.type, modifier: first.modifier };
}

/** `transformAExprDistinct` */
function distinct(analysis: Analysis, scope: Scope, body: Ast): Expr {
  const name = strings(body['name']);
  const negated = body['kind'] === 'AEXPR_NOT_DISTINCT';
  const [left, right] = [body['lexpr'], body['rexpr']];
  const tested = isNull(right) ? left : isNull(left) ? right : undefined;
  if (tested !== undefined)
    return { kind: 'NullTest', type: OID.bool, modifier: -1, arg: analysis.expression(scope, tested) };
  const [one, other] = [analysis.expression(scope, left), analysis.expression(scope, right)];
  const differ = (a: Expr, b: Expr): Expr => ({
    ...analysis.operators.make(name, a, b),
    kind: 'DistinctExpr',
  });
  const made =
    one.kind === 'RowExpr' && other.kind === 'RowExpr'
      ? rowDistinct(one.args, other.args, differ)
      : differ(one, other);
  return negated ? boolExpr('not', [made]) : made;
}

function rowDistinct(
  left: readonly Expr[],
  right: readonly Expr[],
  differ: (one: Expr, other: Expr) => Expr,
): Expr {
  const pairs = left.map((one, index) => differ(one, right[index] as Expr));
  const [first, ...more] = pairs;
  if (first === undefined) return constant(OID.bool);
  return more.reduce((all, one) => boolExpr('or', [all, one]), first);
}

function isNull(node: unknown): boolean {
  return bodyOf(node, 'A_Const')?.['isnull'] === true;
}

/** `transformAExprIn`: constants become one array, what names columns is compared one by one. */
function isIn(analysis: Analysis, scope: Scope, name: QualifiedName, body: Ast): Expr {
  const any = name.at(0) !== '<>';
  const left = analysis.expression(scope, body['lexpr']);
  const items = list(bodyOf(body['rexpr'], 'List')?.['items']).map((one) => analysis.expression(scope, one));
  const fixed = items.filter((one) => !namesColumns([one]));
  const array = fixed.length > 1 ? arrayOf(analysis, left, fixed) : undefined;
  let made: Expr | undefined =
    array === undefined ? undefined : analysis.operators.makeArray(name, any, left, array);
  for (const item of array === undefined ? items : items.filter((one) => !fixed.includes(one))) {
    const compared =
      left.kind === 'RowExpr' && item.kind === 'RowExpr'
        ? rowComparison(analysis, name, left.args, item.args)
        : analysis.operators.make(name, left, item);
    const test = analysis.casts.toSpecific(compared, OID.bool);
    made = made === undefined ? test : boolExpr(any ? 'or' : 'and', [made, test]);
  }
  if (made === undefined) throw new Uncertain('IN with nothing');
  return made;
}

function arrayOf(analysis: Analysis, left: Expr, items: readonly Expr[]): ArrayExpr | undefined {
  const { types, casts } = analysis;
  const all = [left.type, ...items.map(({ type }) => type)];
  const element = commonType(types, all);
  if (element === undefined || !all.every((type) => canCoerce(types, type, element, 'i'))) return undefined;
  const type = element === OID.record ? 0 : types.arrayOf(element);
  if (type === 0) return undefined;
  const cast = items.map((one) => casts.toCommon(one, element));
  return { kind: 'ArrayExpr', type, modifier: commonModifier(cast, element), element, items: cast };
}

/** `transformAExprBetween` */
function between(analysis: Analysis, scope: Scope, body: Ast): BoolExpr {
  const value = body['lexpr'];
  const [low, high] = list(bodyOf(body['rexpr'], 'List')?.['items']);
  const kind = String(body['kind']);
  const negated = kind.startsWith('AEXPR_NOT');
  const pair = (from: unknown, to: unknown) =>
    boolExpr(negated ? 'or' : 'and', [
      binary(analysis, scope, [negated ? '<' : '>='], value, from),
      binary(analysis, scope, [negated ? '>' : '<='], value, to),
    ]);
  const first = pair(low, high);
  return kind.endsWith('SYM') ? boolExpr(negated ? 'and' : 'or', [first, pair(high, low)]) : first;
}
