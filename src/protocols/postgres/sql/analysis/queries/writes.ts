import { type Ast, bodyOf, isAst, list, text, unwrap } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { expressionList } from '../expressions/constructors.ts';
import { shown } from '../expressions/sublinks.ts';
import { emptyQuery } from '../make.ts';
import { OID } from '../oids.ts';
import { type Item, itemOfEntry, type Scope, type Target, varsOf } from '../scope/scope.ts';
import type { Expr, OnConflict, Query, RangeEntry } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';
import { namesColumns } from '../walk.ts';
import { assigned, columnNamed, insertColumns, insertRow } from './assignments.ts';
import { condition } from './conditions.ts';
import { withClause, withList } from './ctes.ts';
import { columnsOf, fromClause, itemOfRelation, relationOf, subqueryItem } from './from.ts';
import { aliasOf } from './from-item.ts';
import { resolveUnknowns, targetList } from './targets.ts';

/** Since then RETURNING speaks of rows before and after. */
const OLD_AND_NEW = 18;

/** `setTargetTable` */
export function setTarget(analysis: Analysis, scope: Scope, relation: unknown): Item {
  if (!isAst(relation)) throw new Uncertain('a table that is missing');
  if (text(relation['schemaname']) === '' && scope.cte(text(relation['relname'])) !== undefined)
    throw new Uncertain('a common table expression as what is written');
  const found = relationOf(analysis, relation);
  const item = itemOfRelation(scope, found, aliasOf(relation));
  scope.target = { item, relation: found };
  return item;
}

/** `transformInsertStmt` */
export function insertStatement(analysis: Analysis, scope: Scope, body: Ast): Query {
  withClause(analysis, scope, body['withClause']);
  scope.isInsert = true;
  const item = setTarget(analysis, scope, body['relation']);
  const relation = targetRelation(scope);
  const columns = insertColumns(relation, list(body['cols']));
  const given = insertSource(analysis, scope, body['selectStmt'], columns);
  const targets = given.map((expr, index): Target => {
    const column = (columns[index] as (typeof columns)[number]).column;
    return { expr, number: column.attnum, name: column.name, junk: false, ref: 0 };
  });
  scope.items = [visible(item)];
  const conflict = isAst(body['onConflictClause'])
    ? onConflict(analysis, scope, body['onConflictClause'])
    : undefined;
  return {
    ...emptyQuery('insert'),
    target: item.entry,
    entries: scope.entries,
    ctes: withList(scope),
    from: scope.from,
    targets,
    returning: returningList(analysis, scope, body['returningClause']),
    onConflict: conflict,
  };
}

/** What is inserted: nothing but defaults, one row, several, or what a query gives. */
function insertSource(
  analysis: Analysis,
  scope: Scope,
  node: unknown,
  columns: ReturnType<typeof insertColumns>,
): Expr[] {
  const select = bodyOf(node, 'SelectStmt');
  if (select === undefined) return [];
  const rows = list(select['valuesLists']).map((row) => list(bodyOf(row, 'List')?.['items']));
  if (rows.length === 0 || hasMore(select)) return fromQuery(analysis, scope, node, columns);
  if (rows.length === 1)
    return insertRow(analysis, scope, expressionList(analysis, scope, rows[0] ?? [], true), columns);
  const made = rows.map((row) =>
    insertRow(analysis, scope, expressionList(analysis, scope, row, true), columns, true),
  );
  const entry: RangeEntry = {
    kind: 'values',
    rows: made,
    alias: '*VALUES*',
    columns: (made[0] ?? []).map(({ type, modifier }, index) => ({
      name: `column${index + 1}`,
      type,
      modifier,
    })),
    lateral: scope.entries.length !== 1 && namesColumns(made.flat()),
  };
  const number = scope.add(entry);
  scope.from.push({ kind: 'RangeTblRef', entry: number });
  const vars = varsOf(itemOfEntry(number, entry), 0).map(({ expr }) => expr);
  return insertRow(analysis, scope, vars, columns);
}

function hasMore(select: Ast): boolean {
  const own = ['limitOffset', 'limitCount', 'withClause'].some((word) => select[word] !== undefined);
  return own || list(select['sortClause']).length + list(select['lockingClause']).length > 0;
}

function fromQuery(
  analysis: Analysis,
  scope: Scope,
  node: unknown,
  columns: ReturnType<typeof insertColumns>,
): Expr[] {
  const query = analysis.subquery(scope, node, { resolvesUnknowns: false });
  const { entry } = subqueryItem(scope, query, { name: '*SELECT*', columns: [] });
  scope.from.push({ kind: 'RangeTblRef', entry });
  const given = shown(query).map(({ expr, number }): Expr => {
    const isOpen = expr.type === OID.unknown && (expr.kind === 'Const' || expr.kind === 'Param');
    if (isOpen) return expr;
    return { kind: 'Var', type: expr.type, modifier: expr.modifier, entry, attribute: number, levelsUp: 0 };
  });
  const made = insertRow(analysis, scope, given, columns);
  settle(analysis, query);
  const inserted = scope.entries[entry - 1] as RangeEntry;
  scope.entries[entry - 1] = { ...inserted, columns: columnsOf(query) };
  return made;
}

/** A parameter that the query gives is the same as the one that is inserted: it has its type from the column. */
function settle({ parameters }: Analysis, query: Query): void {
  for (const target of query.targets as Target[]) {
    const { expr } = target;
    if (expr.kind === 'Param' && expr.source === 'external') target.expr = parameters.refer(expr.number);
  }
}

function visible(item: Item): Item {
  item.columnsVisible = true;
  item.relationVisible = true;
  return item;
}

/** `transformOnConflictClause` */
function onConflict(analysis: Analysis, scope: Scope, body: Ast): OnConflict {
  const updates = body['action'] === 'ONCONFLICT_UPDATE';
  const excluded = updates
    ? itemOfRelation(scope, targetRelation(scope), { name: 'excluded', columns: [] }, false)
    : undefined;
  const infer = isAst(body['infer']) ? body['infer'] : {};
  const inferred = list(infer['indexElems']).map((one) => {
    const element = bodyOf(one, 'IndexElem') ?? {};
    const name = text(element['name']);
    const column = { ColumnRef: { fields: [{ String: { sval: name } }] } };
    return analysis.expression(scope, name === '' ? element['expr'] : column);
  });
  const inferredWhere =
    infer['whereClause'] === undefined ? undefined : analysis.expression(scope, infer['whereClause']);
  if (excluded === undefined)
    return { action: 'nothing', excluded: 0, inferred, inferredWhere, set: [], where: undefined };
  scope.isInsert = false;
  const before = scope.items;
  scope.items = [...before, excluded];
  const set = updateList(analysis, scope, list(body['targetList']));
  const where = condition(analysis, scope, body['whereClause']);
  scope.items = before;
  return { action: 'update', excluded: excluded.entry, inferred, inferredWhere, set, where };
}

/** `transformUpdateStmt` */
export function updateStatement(analysis: Analysis, scope: Scope, body: Ast): Query {
  const { item, where } = changed(analysis, scope, body, body['fromClause']);
  const returning = returningList(analysis, scope, body['returningClause']);
  const targets = updateList(analysis, scope, list(body['targetList']));
  return {
    ...emptyQuery('update'),
    target: item.entry,
    entries: scope.entries,
    ctes: withList(scope),
    from: scope.from,
    where,
    targets,
    returning,
  };
}

/** `transformDeleteStmt` */
export function deleteStatement(analysis: Analysis, scope: Scope, body: Ast): Query {
  const { item, where } = changed(analysis, scope, body, body['usingClause']);
  const returning = returningList(analysis, scope, body['returningClause']);
  return {
    ...emptyQuery('delete'),
    target: item.entry,
    entries: scope.entries,
    ctes: withList(scope),
    from: scope.from,
    where,
    returning,
  };
}

/** The table, what is read beside it, and which rows are meant. */
function changed(analysis: Analysis, scope: Scope, body: Ast, from: unknown) {
  withClause(analysis, scope, body['withClause']);
  const item = setTarget(analysis, scope, body['relation']);
  scope.items = [item];
  scope.from.push({ kind: 'RangeTblRef', entry: item.entry });
  // What is read beside it may not look at it.
  item.lateralOnly = true;
  item.lateralOk = false;
  fromClause(analysis, scope, list(from));
  item.lateralOnly = false;
  item.lateralOk = true;
  return { item, where: condition(analysis, scope, body['whereClause']) };
}

/** `transformUpdateTargetList` */
export function updateList(analysis: Analysis, scope: Scope, nodes: readonly unknown[]): Target[] {
  const relation = targetRelation(scope);
  const made = nodes.map((node) => {
    const body = bodyOf(node, 'ResTarget') ?? {};
    const isDefault = unwrap(body['val'])?.type === 'SetToDefault';
    const expr: Expr = isDefault
      ? { kind: 'SetToDefault', type: 0, modifier: -1 }
      : analysis.expression(scope, body['val']);
    scope.nextNumber++;
    return { body, expr };
  });
  const multi = scope.multi;
  scope.multi = [];
  scope.nextNumber = Math.max(scope.nextNumber, relation.width + 1);
  const set = made.map(({ body, expr }): Target => {
    const column = columnNamed(relation, text(body['name']));
    const value = assigned(analysis, scope, expr, { column, indirection: list(body['indirection']) });
    return { expr: value, number: column.attnum, name: column.name, junk: false, ref: 0 };
  });
  for (const target of multi) target.number = scope.nextNumber++;
  return [...set, ...multi];
}

/** `transformReturningList` */
export function returningList(analysis: Analysis, scope: Scope, clause: unknown): Target[] {
  if (!isAst(clause)) return [];
  const next = scope.nextNumber;
  const before = scope.items;
  scope.nextNumber = 1;
  scope.items = [...before, ...oldAndNew(analysis, scope, clause)];
  const targets = targetList(analysis, scope, list(clause['exprs']));
  if (scope.resolvesUnknowns) resolveUnknowns(analysis, targets);
  scope.items = before;
  scope.nextNumber = next;
  return targets;
}

/** `addNSItemForReturning`: rows as they were and as they are, by these names or others. */
function oldAndNew(analysis: Analysis, scope: Scope, clause: Ast): Item[] {
  if (analysis.catalog.major < OLD_AND_NEW || scope.target === undefined) return [];
  const { item } = scope.target;
  const written = list(clause['options']).map((one) => bodyOf(one, 'ReturningOption') ?? {});
  const named = (option: string, name: string) => {
    const own = written.find((one) => one['option'] === option);
    if (own !== undefined) return text(own['value']);
    return scope.item(name, undefined) === undefined ? name : undefined;
  };
  const names = [named('RETURNING_OPTION_OLD', 'old'), named('RETURNING_OPTION_NEW', 'new')];
  return names.flatMap((alias) => {
    if (alias === undefined) return [];
    const { unaliased, ...own } = item;
    void unaliased;
    return [{ ...own, alias, relationVisible: true, columnsVisible: false }];
  });
}

export function targetRelation({ target }: Scope) {
  if (target === undefined) throw new Uncertain('a table that is missing');
  return target.relation;
}
