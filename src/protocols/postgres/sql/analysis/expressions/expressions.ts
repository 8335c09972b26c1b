import { type Ast, bodyOf, list, number, unwrap } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { functionCall } from '../calls/calls.ts';
import { boolExpr } from '../make.ts';
import { OID } from '../oids.ts';
import type { Scope } from '../scope/scope.ts';
import type { Expr, GroupingFunc } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';
import { levelsOf } from '../walk.ts';
import { columnRef, indirection } from './columns.ts';
import { operation } from './comparisons.ts';
import { arrayExpr, caseExpr, choice, rowExpr, typeCast } from './constructors.ts';
import {
  isJson,
  jsonArray,
  jsonArrayAgg,
  jsonArrayOfQuery,
  jsonObject,
  jsonObjectAgg,
  jsonParse,
  jsonScalar,
  jsonSerialize,
} from './json/constructors.ts';
import { jsonFunction } from './json/functions.ts';
import { multiSublink, shown, sublink } from './sublinks.ts';
import { literal, sqlValue, xmlExpr, xmlSerialize } from './values.ts';

type Read = (analysis: Analysis, scope: Scope, body: Ast) => Expr;

const KINDS: Readonly<Record<string, Read>> = {
  ColumnRef: columnRef,
  ParamRef: (analysis, _, body) => analysis.parameters.refer(number(body['number'])),
  A_Const: (_, __, body) => literal(body),
  A_Indirection: indirection,
  A_ArrayExpr: arrayExpr,
  TypeCast: typeCast,
  CollateClause: collate,
  A_Expr: operation,
  BoolExpr: bool,
  FuncCall: functionCall,
  NamedArgExpr: namedArg,
  GroupingFunc: grouping,
  SubLink: sublink,
  CaseExpr: caseExpr,
  RowExpr: rowExpr,
  CoalesceExpr: (analysis, scope, body) => choice(analysis, scope, 'CoalesceExpr', body),
  MinMaxExpr: (analysis, scope, body) => choice(analysis, scope, 'MinMaxExpr', body),
  SQLValueFunction: (_, __, body) => sqlValue(body),
  XmlExpr: xmlExpr,
  XmlSerialize: xmlSerialize,
  NullTest: (analysis, scope, body) => ({
    kind: 'NullTest',
    type: OID.bool,
    modifier: -1,
    arg: analysis.expression(scope, body['arg']),
  }),
  BooleanTest: (analysis, scope, body) => ({
    kind: 'BooleanTest',
    type: OID.bool,
    modifier: -1,
    arg: analysis.casts.toSpecific(analysis.expression(scope, body['arg']), OID.bool),
  }),
  CurrentOfExpr: () => ({ kind: 'CurrentOfExpr', type: OID.bool, modifier: -1 }),
  MergeSupportFunc: () => ({ kind: 'MergeSupportFunc', type: OID.text, modifier: -1 }),
  MultiAssignRef: multiAssigned,
  JsonObjectConstructor: jsonObject,
  JsonArrayConstructor: jsonArray,
  JsonArrayQueryConstructor: jsonArrayOfQuery,
  JsonObjectAgg: jsonObjectAgg,
  JsonArrayAgg: jsonArrayAgg,
  JsonParseExpr: jsonParse,
  JsonScalarExpr: jsonScalar,
  JsonSerializeExpr: jsonSerialize,
  JsonIsPredicate: isJson,
  JsonFuncExpr: (analysis, scope, body) => jsonFunction(analysis, scope, body),
};

/**
 * `transformExpr`
 *
 * @param node As the parser gives it, `{ ColumnRef: … }`.
 */
export function expression(analysis: Analysis, scope: Scope, node: unknown): Expr {
  const given = unwrap(node);
  const read = given === undefined ? undefined : KINDS[given.type];
  if (given === undefined || read === undefined)
    throw new Uncertain(
      given === undefined ? 'an expression that is missing' : `an expression of kind ${given.type}`,
    );
  return read(analysis, scope, given.body);
}

function collate(analysis: Analysis, scope: Scope, body: Ast): Expr {
  const arg = analysis.expression(scope, body['arg']);
  return { kind: 'CollateExpr', type: arg.type, modifier: arg.modifier, arg };
}

const WORDS = { AND_EXPR: 'and', OR_EXPR: 'or', NOT_EXPR: 'not' } as const;

function bool(analysis: Analysis, scope: Scope, body: Ast): Expr {
  const word = WORDS[body['boolop'] as keyof typeof WORDS];
  if (word === undefined) throw new Uncertain('a condition of an unknown kind');
  const args = list(body['args']).map((one) =>
    analysis.casts.toSpecific(analysis.expression(scope, one), OID.bool),
  );
  return boolExpr(word, args);
}

function namedArg(analysis: Analysis, scope: Scope, body: Ast): Expr {
  const arg = analysis.expression(scope, body['arg']);
  return { kind: 'NamedArgExpr', type: arg.type, modifier: arg.modifier, arg, position: -1 };
}

/** `transformGroupingFunc` */
function grouping(analysis: Analysis, scope: Scope, body: Ast): GroupingFunc {
  const args = list(body['args']).map((one) => analysis.expression(scope, one));
  const { column = 0 } = levelsOf(args);
  return { kind: 'GroupingFunc', type: OID.int4, modifier: -1, args, levelsUp: column };
}

/** `transformMultiAssignRef`: one column of `UPDATE … SET (a, b) = …`. */
function multiAssigned(analysis: Analysis, scope: Scope, body: Ast): Expr {
  const [column, columns] = [number(body['colno']), number(body['ncolumns'])];
  if (column === 1) {
    const link = bodyOf(body['source'], 'SubLink');
    const row = bodyOf(body['source'], 'RowExpr');
    const expr =
      link?.['subLinkType'] === 'EXPR_SUBLINK'
        ? multiSublink(analysis, scope, link)
        : row === undefined
          ? undefined
          : rowExpr(analysis, scope, row, true);
    if (expr === undefined) throw new Uncertain('several columns given what is no row');
    scope.multi.push({ expr, number: 0, name: undefined, junk: true, ref: 0 });
  }
  const given = scope.multi.at(-1)?.expr;
  if (given?.kind === 'SubLink') {
    const target = shown(given.query)[column - 1];
    if (target === undefined) throw new Uncertain('more columns than values');
    const { type, modifier } = target.expr;
    return { kind: 'Param', type, modifier, source: 'multiexpr', number: column, multi: scope.multi.length };
  }
  const value = given?.kind === 'RowExpr' ? given.args[column - 1] : undefined;
  if (value === undefined) throw new Uncertain('more columns than values');
  if (column === columns) scope.multi.pop();
  return value;
}
