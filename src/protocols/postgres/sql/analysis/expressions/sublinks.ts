import { type Ast, strings } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { OID } from '../oids.ts';
import type { QualifiedName } from '../scope/names.ts';
import type { Scope } from '../scope/scope.ts';
import type { Expr, Param, Query, SubLink, TargetEntry } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';
import { rowComparison } from './row-comparison.ts';

/** `transformSubLink` */
export function sublink(analysis: Analysis, scope: Scope, body: Ast): SubLink {
  switch (body['subLinkType']) {
    case 'EXISTS_SUBLINK':
      return made('exists', OID.bool, -1, undefined, subqueryOf(analysis, scope, body));
    case 'EXPR_SUBLINK':
    case 'ARRAY_SUBLINK':
      return value(analysis, subqueryOf(analysis, scope, body), body['subLinkType'] === 'ARRAY_SUBLINK');
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK': {
      const name = strings(body['operName']);
      return rowSublink(analysis, scope, body, body['subLinkType'] === 'ANY_SUBLINK' ? 'any' : 'all', name);
    }
    default:
      throw new Uncertain('a subquery of an unknown kind');
  }
}

/** A row that is compared with what a query gives. */
export function rowSublink(
  analysis: Analysis,
  scope: Scope,
  body: Ast,
  link: 'any' | 'all' | 'rowcompare',
  name: QualifiedName,
): SubLink {
  const query = subqueryOf(analysis, scope, body);
  const left = analysis.expression(scope, body['testexpr']);
  const right = shown(query).map(
    ({ expr, number }): Param => ({
      kind: 'Param',
      type: expr.type,
      modifier: expr.modifier,
      source: 'sublink',
      number,
    }),
  );
  const test = rowComparison(
    analysis,
    name.length === 0 ? ['='] : name,
    left.kind === 'RowExpr' ? left.args : [left],
    right,
  );
  return made(link, OID.bool, -1, test, query);
}

function value(analysis: Analysis, query: Query, isArray: boolean): SubLink {
  const [target, ...more] = shown(query);
  if (target === undefined || more.length > 0) throw new Uncertain('a value of several columns');
  const { type, modifier } = target.expr;
  if (!isArray) return made('expr', type, modifier, undefined, query);
  return made('array', arrayOf(analysis, type), modifier, undefined, query);
}

/** `get_promoted_array_type`: an array of arrays is an array. */
function arrayOf({ types }: Analysis, type: number): number {
  const array = types.arrayOf(type);
  if (array !== 0) return array;
  if (types.element(type) === 0) throw new Uncertain('an array of what has no arrays');
  return type;
}

/** `UPDATE … SET (a, b) = (SELECT …)` */
export function multiSublink(analysis: Analysis, scope: Scope, body: Ast): SubLink {
  return made('multiexpr', OID.record, -1, undefined, subqueryOf(analysis, scope, body));
}

function subqueryOf(analysis: Analysis, scope: Scope, body: Ast): Query {
  const query = analysis.subquery(scope, body['subselect']);
  if (query.command !== 'select') throw new Uncertain('a subquery that changes something');
  analysis.sublinks.set(body, query);
  return query;
}

export function shown(query: Query): readonly TargetEntry[] {
  return query.targets.filter(({ junk }) => !junk);
}

function made(
  link: SubLink['link'],
  type: number,
  modifier: number,
  test: Expr | undefined,
  query: Query,
): SubLink {
  return { kind: 'SubLink', type, modifier, link, test, query };
}
