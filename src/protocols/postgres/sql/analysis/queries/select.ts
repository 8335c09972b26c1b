import { type Ast, bodyOf, list } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { windowDefinitions } from '../calls/windows.ts';
import { expressionList } from '../expressions/constructors.ts';
import { commonModifier, emptyQuery } from '../make.ts';
import { itemOfEntry, type Scope, type Target, varsOf } from '../scope/scope.ts';
import type { Expr, Query, RangeEntry } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';
import { namesColumns } from '../walk.ts';
import { condition, limits } from './conditions.ts';
import { withClause, withList } from './ctes.ts';
import { fromClause } from './from.ts';
import { groupClause } from './grouping.ts';
import { setStatement } from './sets.ts';
import { distinctOf, distinctOn, sortClause } from './sorting.ts';
import { resolveUnknowns, targetList } from './targets.ts';

/** `transformSelectStmt`, `transformValuesClause`, `transformSetOperationStmt` */
export function selectStatement(analysis: Analysis, scope: Scope, body: Ast): Query {
  if (body['intoClause'] !== undefined) throw new Uncertain('SELECT INTO');
  const isSet = body['op'] !== undefined && body['op'] !== 'SETOP_NONE';
  if (isSet) return setStatement(analysis, scope, body);
  const isValues = list(body['valuesLists']).length > 0;
  return isValues ? valuesStatement(analysis, scope, body) : plainSelect(analysis, scope, body);
}

function plainSelect(analysis: Analysis, scope: Scope, body: Ast): Query {
  withClause(analysis, scope, body['withClause']);
  for (const one of list(body['windowClause'])) scope.windows.push(bodyOf(one, 'WindowDef') ?? {});
  fromClause(analysis, scope, list(body['fromClause']));
  const targets = targetList(analysis, scope, list(body['targetList']));
  const where = condition(analysis, scope, body['whereClause']);
  const having = condition(analysis, scope, body['havingClause']);
  const sort = sortClause(analysis, scope, list(body['sortClause']), targets, { by99: false });
  const group = groupClause(analysis, scope, list(body['groupClause']), targets, sort, {
    by99: false,
    distinct: body['groupDistinct'] === true,
  });
  const distinct = distinctClause(analysis, scope, body, targets, sort);
  const limited = limits(analysis, scope, body);
  const windows = windowDefinitions(analysis, scope, targets);
  if (scope.resolvesUnknowns) resolveUnknowns(analysis, targets);
  return {
    ...emptyQuery('select'),
    entries: scope.entries,
    ctes: withList(scope),
    from: scope.from,
    where,
    targets,
    group: group.groups,
    groupingSets: group.sets,
    having,
    windows,
    distinct,
    sort,
    ...limited,
  };
}

/** Plain DISTINCT is a list with an empty node. */
function distinctClause(
  analysis: Analysis,
  scope: Scope,
  body: Ast,
  targets: Target[],
  sort: Query['sort'],
): Query['distinct'] {
  const nodes = list(body['distinctClause']);
  if (nodes.length === 0) return [];
  const isPlain = Object.keys((nodes[0] ?? {}) as object).length === 0;
  return isPlain ? distinctOf(analysis, targets, sort) : distinctOn(analysis, scope, nodes, targets, sort);
}

function valuesStatement(analysis: Analysis, scope: Scope, body: Ast): Query {
  withClause(analysis, scope, body['withClause']);
  const rows = list(body['valuesLists']).map((row) =>
    expressionList(analysis, scope, list(bodyOf(row, 'List')?.['items'])),
  );
  const width = rows[0]?.length ?? 0;
  if (rows.some((row) => row.length !== width)) throw new Uncertain('rows of different lengths');
  const columns = Array.from({ length: width }, (_, index) => {
    const given = rows.map((row) => row[index] as Expr);
    const type = analysis.casts.common(given);
    const cast = given.map((one) => analysis.casts.toCommon(one, type));
    return { cast, type, modifier: commonModifier(cast, type) };
  });
  const made = rows.map((_, row) => columns.map(({ cast }) => cast[row] as Expr));
  const entry: RangeEntry = {
    kind: 'values',
    rows: made,
    alias: '*VALUES*',
    columns: columns.map(({ type, modifier }, index) => ({ name: `column${index + 1}`, type, modifier })),
    lateral: scope.entries.length > 0 && namesColumns(made.flat()),
  };
  const number = scope.add(entry);
  const item = itemOfEntry(number, entry);
  scope.items = [...scope.items, item];
  scope.from.push({ kind: 'RangeTblRef', entry: number });
  const targets = varsOf(item, 0).map(
    ({ name, expr }): Target => ({ expr, number: scope.nextNumber++, name, junk: false, ref: 0 }),
  );
  const sort = sortClause(analysis, scope, list(body['sortClause']), targets, { by99: false });
  return {
    ...emptyQuery('select'),
    entries: scope.entries,
    ctes: withList(scope),
    from: scope.from,
    targets,
    sort,
    ...limits(analysis, scope, body),
  };
}
