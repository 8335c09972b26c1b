import { type Ast, list, strings, text, unwrap } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import type { AnalysisRelation } from '../catalog.ts';
import { shown } from '../expressions/sublinks.ts';
import { OID } from '../oids.ts';
import { relationNamed } from '../scope/names.ts';
import { type CteInScope, type Item, itemOfEntry, type Scope } from '../scope/scope.ts';
import type { Query, RangeColumn, RangeEntry, Sample } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';
import { type Alias, aliasOf, type FromItem, renamed, setLateral } from './from-item.ts';
import { join } from './joins.ts';
import { jsonTable } from './json-table.ts';
import { rangeFunction, rangeTableFunc } from './range-functions.ts';

/** Kinds of relations that have columns of the system. */
const STORED = 'rpmft';

/** `transformFromClause` */
export function fromClause(analysis: Analysis, scope: Scope, nodes: readonly unknown[]): void {
  for (const one of nodes) {
    const { node, items } = fromItem(analysis, scope, one);
    setLateral(items, true, true);
    scope.from.push(node);
    scope.items = [...scope.items, ...items];
  }
  setLateral(scope.items, false, true);
}

/** `transformFromClauseItem` */
function fromItem(analysis: Analysis, scope: Scope, one: unknown): FromItem {
  const given = unwrap(one);
  switch (given?.type) {
    case 'RangeVar':
      return alone(relationOrCte(analysis, scope, given.body));
    case 'RangeSubselect':
      return alone(subquery(analysis, scope, given.body));
    case 'RangeFunction':
      return alone(rangeFunction(analysis, scope, given.body));
    case 'RangeTableFunc':
      return alone(rangeTableFunc(analysis, scope, given.body));
    case 'JsonTable':
      return alone(jsonTable(analysis, scope, given.body));
    case 'RangeTableSample':
      return sampled(analysis, scope, given.body);
    case 'JoinExpr':
      return join(analysis, scope, given.body, fromItem);
    default:
      throw new Uncertain(`something in FROM of kind ${given?.type ?? 'none'}`);
  }
}

function alone(item: Item): FromItem {
  return { node: { kind: 'RangeTblRef', entry: item.entry }, top: item, items: [item] };
}

function relationOrCte(analysis: Analysis, scope: Scope, body: Ast): Item {
  const name = text(body['relname']);
  const found = text(body['schemaname']) === '' ? scope.cte(name) : undefined;
  if (found !== undefined) return cteItem(scope, found.cte, found.levelsUp, body);
  return relationItem(analysis, scope, body);
}

/** The relation of a `RangeVar`. */
export function relationOf(analysis: Analysis, body: Ast): AnalysisRelation {
  const schema = text(body['schemaname']);
  const name = text(body['relname']);
  return relationNamed(analysis.catalog, schema === '' ? [name] : [schema, name]);
}

/** `addRangeTableEntryForRelation` */
function relationItem(analysis: Analysis, scope: Scope, body: Ast): Item {
  return itemOfRelation(scope, relationOf(analysis, body), aliasOf(body));
}

export function itemOfRelation(
  scope: Scope,
  relation: AnalysisRelation,
  alias: Alias | undefined,
  isStored = STORED.includes(relation.kind),
): Item {
  const names = [...(alias?.columns ?? [])];
  const columns: (RangeColumn | undefined)[] = Array.from({ length: relation.width }, () => undefined);
  for (const { attnum, name, type, modifier } of relation.columns)
    columns[attnum - 1] = { name: names.shift() ?? name, type, modifier };
  const entry: RangeEntry = {
    kind: 'relation',
    relation: relation.oid,
    alias: alias?.name ?? relation.name,
    columns,
    lateral: false,
  };
  return itemOfEntry(scope.add(entry), entry, {
    ...(alias === undefined ? { unaliased: relation } : {}),
    hasSystemColumns: isStored,
  });
}

/** `addRangeTableEntryForCTE` */
function cteItem(scope: Scope, cte: CteInScope, levelsUp: number, body: Ast): Item {
  const alias = aliasOf(body);
  const entry: RangeEntry = {
    kind: 'cte',
    cte: cte.name,
    levelsUp,
    selfReference: cte.query === undefined,
    alias: alias?.name ?? cte.name,
    columns: [...renamed(cte.columns, alias), ...cte.added],
    lateral: false,
  };
  return itemOfEntry(scope.add(entry), entry, { hidden: levelsUp > 0 ? cte.added.length : 0 });
}

/** `transformRangeSubselect` */
function subquery(analysis: Analysis, scope: Scope, body: Ast): Item {
  const lateral = body['lateral'] === true;
  scope.lateralActive = lateral;
  const query = analysis.subquery(scope, body['subquery'], { resolvesUnknowns: true });
  scope.lateralActive = false;
  const alias = aliasOf(body);
  const item = subqueryItem(scope, query, alias ?? { name: 'unnamed_subquery', columns: [] }, lateral);
  item.relationVisible = alias !== undefined;
  return item;
}

/** `addRangeTableEntryForSubquery` */
export function subqueryItem(scope: Scope, query: Query, alias: Alias, lateral = false): Item {
  const entry: RangeEntry = {
    kind: 'subquery',
    query,
    alias: alias.name,
    columns: renamed(columnsOf(query), alias),
    lateral,
  };
  return itemOfEntry(scope.add(entry), entry);
}

/** Columns that a query gives. */
export function columnsOf(query: Query): RangeColumn[] {
  const targets = query.command === 'select' ? shown(query) : query.returning;
  return targets.map(({ name = '', expr }) => ({ name, type: expr.type, modifier: expr.modifier }));
}

/** `transformRangeTableSample` */
function sampled(analysis: Analysis, scope: Scope, body: Ast): FromItem {
  const found = fromItem(analysis, scope, body['relation']);
  const entry = scope.entries[found.top.entry - 1];
  if (entry?.kind !== 'relation') throw new Uncertain('a sample of what is no table');
  scope.entries[found.top.entry - 1] = { ...entry, sample: sampleOf(analysis, scope, body) };
  return found;
}

const INTERNAL = 2281;

function sampleOf(analysis: Analysis, scope: Scope, body: Ast): Sample {
  const method = strings(body['method']).at(-1) ?? '';
  const handler = analysis.catalog
    .functionsNamed(method)
    .find(({ takes }) => takes.length === 1 && takes[0] === INTERNAL);
  if (handler === undefined || (method !== 'system' && method !== 'bernoulli'))
    throw new Uncertain('a way of sampling that is not known');
  const read = (node: unknown, type: number) =>
    analysis.casts.toSpecific(analysis.expression(scope, node), type);
  return {
    function: handler.oid,
    args: list(body['args']).map((one) => read(one, OID.float4)),
    repeatable: body['repeatable'] === undefined ? undefined : read(body['repeatable'], OID.float8),
  };
}
