import { type Ast, bodyOf, isAst, list, strings, text, unwrap } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { starOf } from '../expressions/columns.ts';
import { OID } from '../oids.ts';
import { calledName } from '../scope/names.ts';
import type { Scope, Target } from '../scope/scope.ts';
import type { Expr } from '../tree.ts';
import { IMPLICIT } from '../typing/casts.ts';

/** `transformTargetList`, of a SELECT or RETURNING. */
export function targetList(analysis: Analysis, scope: Scope, nodes: readonly unknown[]): Target[] {
  return nodes.flatMap((node) => {
    const { val, name } = bodyOf(node, 'ResTarget') ?? {};
    const star = starOf(analysis, scope, val);
    if (star !== undefined) return star.map((one) => made(scope, one.expr, one.name));
    const expr = analysis.expression(scope, val);
    return [made(scope, expr, text(name) || outputName(analysis, val))];
  });
}

function made(scope: Scope, expr: Expr, name: string | undefined, junk = false): Target {
  return { expr, number: scope.nextNumber++, name, junk, ref: 0 };
}

/** What only sorts or groups. */
export function junkTarget(scope: Scope, expr: Expr): Target {
  return made(scope, expr, undefined, true);
}

/** `resolveTargetListUnknowns`: literals without a type are text. */
export function resolveUnknowns(analysis: Analysis, targets: readonly Target[]): void {
  for (const target of targets) {
    if (target.expr.type === OID.unknown)
      target.expr = analysis.casts.toType(target.expr, OID.text, -1, IMPLICIT);
  }
}

/** `FigureColname`, of what has been analysed. */
export function outputName(analysis: Analysis, node: unknown): string {
  return figure(analysis, node).name ?? '?column?';
}

interface Figured {
  readonly name?: string;
  /** 0 none, 1 a type's or CASE's, 2 sure. */
  readonly strength: 0 | 1 | 2;
}

const NONE: Figured = { strength: 0 };
const sure = (name: string): Figured => ({ name, strength: 2 });

/** Before, TRUE was a string that is cast. */
const BOOLEAN_LITERALS = 15;

/** Nodes that are called by a word. */
const WORDS: Readonly<Record<string, string>> = {
  GroupingFunc: 'grouping',
  MergeSupportFunc: 'merge_action',
  A_ArrayExpr: 'array',
  RowExpr: 'row',
  CoalesceExpr: 'coalesce',
  XmlSerialize: 'xmlserialize',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
};

function figure(analysis: Analysis, node: unknown): Figured {
  const given = unwrap(node);
  if (given === undefined) return NONE;
  const { type, body } = given;
  const word = WORDS[type];
  if (word !== undefined) return sure(word);
  switch (type) {
    case 'ColumnRef':
      return lastName(body['fields']) ?? NONE;
    case 'A_Indirection':
      return lastName(body['indirection']) ?? figure(analysis, body['arg']);
    case 'A_Const':
      return isAst(body['boolval']) && analysis.catalog.major < BOOLEAN_LITERALS
        ? weaker(NONE, 'bool')
        : NONE;
    case 'FuncCall':
      return sure(calledName(analysis.catalog, body).at(-1) ?? '');
    case 'A_Expr':
      return body['kind'] === 'AEXPR_NULLIF' ? sure('nullif') : NONE;
    case 'TypeCast':
      return weaker(figure(analysis, body['arg']), strings((body['typeName'] as Ast)?.['names']).at(-1));
    case 'CollateClause':
      return figure(analysis, body['arg']);
    case 'CaseExpr':
      return weaker(figure(analysis, body['defresult']), 'case');
    case 'MinMaxExpr':
      return sure(body['op'] === 'IS_LEAST' ? 'least' : 'greatest');
    case 'SubLink':
      return ofSublink(analysis, body);
    default:
      return byOperation(type, text(body['op']));
  }
}

/** SVFOP_CURRENT_TIME_N → current_time, IS_XMLCONCAT → xmlconcat, JSON_VALUE_OP → json_value. */
function byOperation(type: string, op: string): Figured {
  if (type === 'SQLValueFunction') return sure(op.slice('SVFOP_'.length).replace(/_N$/, '').toLowerCase());
  if (type === 'XmlExpr' && op !== 'IS_DOCUMENT') return sure(op.slice('IS_'.length).toLowerCase());
  if (type === 'JsonFuncExpr') return sure(op.replace(/_OP$/, '').toLowerCase());
  return NONE;
}

function lastName(fields: unknown): Figured | undefined {
  const name = strings(fields).at(-1);
  return name === undefined ? undefined : sure(name);
}

/** A name that only counts where there is none that is sure. */
function weaker(inner: Figured, name: string | undefined): Figured {
  return inner.strength > 1 || name === undefined ? inner : { name, strength: 1 };
}

function ofSublink(analysis: Analysis, body: Ast): Figured {
  if (body['subLinkType'] === 'EXISTS_SUBLINK') return sure('exists');
  if (body['subLinkType'] === 'ARRAY_SUBLINK') return sure('array');
  if (body['subLinkType'] !== 'EXPR_SUBLINK') return NONE;
  const analysed = analysis.sublinks.get(body)?.targets[0]?.name;
  return analysed === undefined ? NONE : sure(analysed);
}

export function hasNodes(value: unknown): boolean {
  return list(value).length > 0;
}
