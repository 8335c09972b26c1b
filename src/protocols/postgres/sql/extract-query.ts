import { type Ast, bodyOf, isAst, list, strings, text, unwrap } from './ast.ts';
import { aliasOf, column, positionOf } from './extract-expression.ts';
import type { OutputItem, RelationRole } from './facts.ts';
import { whereFact } from './tautology.ts';
import { type CteScope, type Handler, isCte, nested, type Place, type Walk } from './walk.ts';

/** SELECT, INSERT, UPDATE, DELETE, MERGE and what stands in FROM. */
export const QUERY_HANDLERS: Readonly<Record<string, Handler>> = {
  SelectStmt: (walk, body, place) => select(walk, body, place),
  InsertStmt: (walk, body, place) => insert(walk, body, place),
  UpdateStmt: (walk, body, place) => update(walk, body, place),
  DeleteStmt: (walk, body, place) => remove(walk, body, place),
  MergeStmt: (walk, body, place) => merge(walk, body, place),
  RangeVar: (walk, body, place) => rangeVar(walk, body, place),
  JoinExpr: (walk, body, place) => join(walk, body, place),
  RangeSubselect: (walk, body, place) => {
    walk.facts.derived(text(aliasOf(body)['aliasname']), 'query');
    walk.fields('RangeSubselect', body, place, { subquery: (value) => walk.visit(value, nested(place)) });
  },
  RangeFunction: (walk, body, place) => {
    const alias = text(aliasOf(body)['aliasname']);
    if (alias !== '') walk.facts.derived(alias, 'function');
    for (const name of functionNames(body)) walk.facts.derived(name, 'function');
    walk.fields('RangeFunction', body, place);
  },
  RangeTableFunc: (walk, body, place) => {
    walk.facts.derived(text(aliasOf(body)['aliasname']), 'function');
    walk.fields('RangeTableFunc', body, place);
  },
  RangeTableSample: (walk, body, place) => {
    walk.facts.function(strings(body['method']), 'sample', place.item);
    walk.fields('RangeTableSample', body, place);
  },
  IntoClause: (walk, body, place) => {
    walk.facts.materializes = true;
    walk.fields('IntoClause', body, { ...place, role: 'create', ctes: undefined });
  },
};

function select(walk: Walk, body: Ast, outer: Place): void {
  const ctes = withClause(walk, body, outer);
  const place: Place = { ...outer, role: 'read', ctes, level: [], item: -1 };
  const inner = nested(place);
  if (body['op'] !== 'SETOP_NONE') walk.facts.operator(['=']);
  if (body['distinctClause'] !== undefined || body['groupClause'] !== undefined) walk.facts.operator(['=']);
  const arm = (value: unknown) => walk.typed('SelectStmt', value, inner);
  // Outside the statement's own list, an expression still belongs to the item in which the whole query stands.
  const clause: Place = { ...place, item: outer.item, top: false, exists: false };
  walk.fields('SelectStmt', body, clause, {
    withClause: () => undefined,
    larg: arm,
    rarg: arm,
    fromClause: (value) => walk.visit(value, clause),
    targetList: (value) => targets(walk, value, { ...place, item: outer.item }, body),
    valuesLists: (value) => values(walk, value, { ...clause, top: outer.top }),
    lockingClause: (value) => locking(walk, value),
  });
  if (outer.top && body['op'] !== 'SETOP_NONE') walk.facts.output = setOperationOutput(body);
}

/** Visits the CTEs and gives the scope that holds them. Outside RECURSIVE, one sees only those before it. */
function withClause(walk: Walk, body: Ast, place: Place): CteScope | undefined {
  const clause = body['withClause'];
  if (!isAst(clause)) return place.ctes;
  const ctes = list(clause['ctes']).map((entry) => bodyOf(entry, 'CommonTableExpr'));
  const names = ctes.map((cte) => text(cte?.['ctename']));
  const all = names.reduce<CteScope | undefined>((outer, name) => ({ name, outer }), place.ctes);
  let scope = clause['recursive'] === true ? all : place.ctes;
  walk.fields('WithClause', clause, place, {
    ctes: () => {
      for (const [index, cte] of ctes.entries()) {
        if (cte === undefined) walk.facts.refuse('a WITH of unknown shape');
        else {
          const inner = nested(place, { ctes: scope, item: -1 });
          walk.fields('CommonTableExpr', cte, inner, { ctequery: (value) => walk.visit(value, inner) });
        }
        if (clause['recursive'] !== true) scope = { name: names[index] ?? '', outer: scope };
      }
    },
  });
  return all;
}

function targets(walk: Walk, value: unknown, place: Place, body: Ast): void {
  if (!place.top) {
    for (const entry of list(value)) nestedItem(walk, entry, place);
    return;
  }
  const items = outputItems(walk, value, place);
  walk.facts.output = { items, distinct: body['distinctClause'] !== undefined, ...sorting(body) };
}

/** A star directly in EXISTS is not evaluated; everything else in a nested list is an expression like any other. */
function nestedItem(walk: Walk, entry: unknown, place: Place): void {
  const reference = bodyOf(bodyOf(entry, 'ResTarget')?.['val'], 'ColumnRef');
  if (place.exists && reference !== undefined) column(walk, reference, place, 'value');
  else walk.visit(entry, { ...place, exists: false });
}

/** Visits the items of the statement's own result and describes each. */
function outputItems(walk: Walk, value: unknown, outer: Place): OutputItem[] {
  return list(value).map((entry, item): OutputItem => {
    const place: Place = { ...outer, top: false, exists: false, item };
    const target = bodyOf(entry, 'ResTarget');
    const reference = bodyOf(target?.['val'], 'ColumnRef');
    if (target === undefined || reference === undefined || target['indirection'] !== undefined) {
      walk.visit(entry, place);
      return { kind: 'expression', ...named(target) };
    }
    column(walk, reference, place, 'output');
    walk.fields('ColumnRef', reference, place);
    const path = strings(reference['fields']);
    const star = unwrap(list(reference['fields']).at(-1))?.type === 'A_Star';
    if (!star) return { kind: 'column', path, ...named(target) };
    return { kind: 'star', path, ...(path.length === 0 ? { over: [...place.level] } : {}) };
  });
}

function named(target: Ast | undefined): { alias?: string } {
  const alias = text(target?.['name']);
  return alias === '' ? {} : { alias };
}

function values(walk: Walk, value: unknown, place: Place): void {
  walk.visit(value, { ...place, top: false });
  if (!place.top) return;
  const first = bodyOf(list(value)[0], 'List');
  const items = list(first?.['items']).map((): OutputItem => ({ kind: 'expression' }));
  walk.facts.output = { items, distinct: false, positions: [], sortNames: [] };
}

/** Columns of a set operation come from its first arm; with a star there, their number is not known here. */
function setOperationOutput(body: Ast) {
  let arm = body;
  while (isAst(arm['larg'])) arm = arm['larg'];
  const targets = list(arm['targetList']);
  const isStar = (entry: unknown) =>
    JSON.stringify(bodyOf(entry, 'ResTarget')?.['val'] ?? '').includes('"A_Star"');
  if (targets.some(isStar)) return undefined;
  const items = targets.map((): OutputItem => ({ kind: 'expression' }));
  return { items, distinct: true, positions: [], sortNames: [] };
}

/** Positions and bare names by which ORDER BY, GROUP BY and DISTINCT ON may mean an output item. */
function sorting(body: Ast): { positions: number[]; sortNames: string[] } {
  const positions: number[] = [];
  const sortNames: string[] = [];
  const look = (node: unknown): void => {
    const position = positionOf(node);
    if (position !== undefined) positions.push(position);
    const found = unwrap(node);
    if (found === undefined) return;
    const fields = list(found.body['fields']);
    if (found.type === 'ColumnRef' && fields.length === 1) sortNames.push(...strings(fields));
    if (found.type === 'SortBy') look(found.body['node']);
    for (const field of ['content', 'args', 'items']) {
      if (found.type === 'GroupingSet' || found.type === 'RowExpr' || found.type === 'List') {
        for (const entry of list(found.body[field])) look(entry);
      }
    }
  };
  for (const clause of ['sortClause', 'groupClause', 'distinctClause'])
    for (const node of list(body[clause])) look(node);
  return { positions, sortNames };
}

/** The names after OF are aliases, not relations. */
function locking(walk: Walk, value: unknown): void {
  for (const entry of list(value)) {
    const body = bodyOf(entry, 'LockingClause');
    if (body === undefined) walk.facts.refuse('a locking clause of unknown shape');
  }
  walk.facts.locks = true;
}

function rangeVar(walk: Walk, body: Ast, place: Place): void {
  const name = text(body['relname']);
  const alias = text(aliasOf(body)['aliasname']) || name;
  if (place.role === 'read' && text(body['schemaname']) === '' && isCte(place.ctes, name)) {
    walk.facts.derived(alias, 'cte');
  } else {
    place.level.push(relation(walk, body, place.role));
  }
  walk.fields('RangeVar', body, place);
}

/** Notes a relation in a role; gives its index in the facts. */
export function relation(walk: Walk, body: Ast, role: RelationRole, columns?: readonly string[]): number {
  const name = text(body['relname']);
  const schema = text(body['schemaname']);
  const alias = aliasOf(body);
  return walk.facts.relation({
    ...(schema === '' ? {} : { schema }),
    name,
    role,
    alias: text(alias['aliasname']) || name,
    inherits: body['inh'] === true,
    renamesColumns: list(alias['colnames']).length > 0,
    ...(columns === undefined ? {} : { columns }),
  });
}

function join(walk: Walk, body: Ast, place: Place): void {
  if (body['isNatural'] === true) walk.facts.natural = true;
  for (const name of strings(body['usingClause'])) walk.facts.using(name);
  if (body['isNatural'] === true || body['usingClause'] !== undefined) walk.facts.operator(['=']);
  const alias = aliasOf(body);
  if (body['alias'] !== undefined) {
    walk.facts.derived(text(alias['aliasname']), 'join', list(alias['colnames']).length > 0);
  }
  const using = body['join_using_alias'];
  if (isAst(using)) walk.facts.derived(text(using['aliasname']), 'join');
  walk.fields('JoinExpr', body, place);
}

function functionNames(body: Ast): string[] {
  return list(body['functions']).flatMap((entry) => {
    const call = bodyOf(list(bodyOf(entry, 'List')?.['items'])[0], 'FuncCall');
    return strings(call?.['funcname']).slice(-1);
  });
}

/** Notes the target of a writing statement, and its result list, which also reads it. */
function target(
  walk: Walk,
  body: Ast,
  place: Place,
  roles: readonly RelationRole[],
  columns?: string[],
): void {
  const value = body['relation'];
  if (!isAst(value)) return walk.facts.refuse('a write without a target');
  const read = body['returningClause'] === undefined ? [] : (['read'] as const);
  for (const role of [...roles, ...read]) {
    const index = relation(walk, value, role, role === 'read' ? undefined : columns);
    if (role === roles[0]) place.level.push(index);
  }
  walk.fields('RangeVar', value, place);
}

function writePlace(outer: Place, ctes: CteScope | undefined): Place {
  return { ...outer, role: 'read', ctes, level: [], item: -1, top: false, exists: false };
}

function returning(walk: Walk, outer: Place, place: Place): (value: unknown) => void {
  return (value) => {
    if (!isAst(value)) return walk.facts.refuse('RETURNING of unknown shape');
    // `old` and `new` are the target's rows, and may be given other names.
    const renamed = list(value['options']).map((entry) => text(bodyOf(entry, 'ReturningOption')?.['value']));
    for (const alias of ['old', 'new', ...renamed]) walk.facts.derived(alias, 'target');
    walk.fields('ReturningClause', value, place, {
      exprs: (exprs) => {
        if (!outer.top) return walk.visit(exprs, place);
        const items = outputItems(walk, exprs, place);
        walk.facts.output = { items, distinct: false, positions: [], sortNames: [] };
      },
    });
  };
}

function insert(walk: Walk, body: Ast, outer: Place): void {
  const place = writePlace(outer, withClause(walk, body, outer));
  const conflict = isAst(body['onConflictClause']) ? body['onConflictClause'] : {};
  const updates = conflict['action'] === 'ONCONFLICT_UPDATE';
  const columns = body['cols'] === undefined ? undefined : targetNames(body['cols']);
  target(walk, body, place, ['insert'], columns);
  if (updates && isAst(body['relation'])) {
    relation(walk, body['relation'], 'update', targetNames(conflict['targetList']));
  }
  walk.fields('InsertStmt', body, place, {
    withClause: () => undefined,
    relation: () => undefined,
    selectStmt: (value) => walk.visit(value, nested(place)),
    onConflictClause: () => onConflict(walk, conflict, place, updates),
    returningClause: returning(walk, outer, place),
  });
}

function onConflict(walk: Walk, body: Ast, place: Place, updates: boolean): void {
  const infer = isAst(body['infer']) ? body['infer'] : undefined;
  if (updates && infer !== undefined) {
    for (const entry of list(infer['indexElems']))
      walk.facts.upsert(text(bodyOf(entry, 'IndexElem')?.['name']));
    if (text(infer['conname']) !== '') walk.facts.upsert('*');
  }
  walk.fields('OnConflictClause', body, place, {
    targetList: (value) => {
      for (const entry of list(value)) assignment(walk, entry, place, true);
    },
  });
}

/** One `column = expression`; `SET c = excluded.c` gives back only what the caller sent. */
function assignment(walk: Walk, entry: unknown, place: Place, excludedIsOwn: boolean): void {
  const body = bodyOf(entry, 'ResTarget');
  const reference = bodyOf(body?.['val'], 'ColumnRef');
  const [qualifier, name, ...more] = strings(reference?.['fields']);
  const own = qualifier === 'excluded' && name === body?.['name'] && more.length === 0;
  if (excludedIsOwn && own && reference !== undefined && body?.['indirection'] === undefined) {
    column(walk, reference, place, 'excluded');
  } else {
    walk.visit(entry, place);
  }
}

function targetNames(value: unknown): string[] {
  return list(value).map((entry) => text(bodyOf(entry, 'ResTarget')?.['name']));
}

function update(walk: Walk, body: Ast, outer: Place): void {
  const place = writePlace(outer, withClause(walk, body, outer));
  target(walk, body, place, ['update'], targetNames(body['targetList']));
  walk.facts.where.push(whereFact('update', body['whereClause']));
  walk.fields('UpdateStmt', body, place, {
    withClause: () => undefined,
    relation: () => undefined,
    fromClause: (value) => walk.visit(value, place),
    returningClause: returning(walk, outer, place),
  });
}

function remove(walk: Walk, body: Ast, outer: Place): void {
  const place = writePlace(outer, withClause(walk, body, outer));
  target(walk, body, place, ['delete']);
  walk.facts.where.push(whereFact('delete', body['whereClause']));
  walk.fields('DeleteStmt', body, place, {
    withClause: () => undefined,
    relation: () => undefined,
    usingClause: (value) => walk.visit(value, place),
    returningClause: returning(walk, outer, place),
  });
}

const MERGE_ROLES: Readonly<Record<string, RelationRole>> = {
  CMD_INSERT: 'insert',
  CMD_UPDATE: 'update',
  CMD_DELETE: 'delete',
};

function merge(walk: Walk, body: Ast, outer: Place): void {
  const place = writePlace(outer, withClause(walk, body, outer));
  const clauses = list(body['mergeWhenClauses']).map((entry) => bodyOf(entry, 'MergeWhenClause'));
  const roles = new Set<RelationRole>(['merge']);
  for (const clause of clauses) {
    const command = text(clause?.['commandType']);
    const role = MERGE_ROLES[command];
    if (role !== undefined) roles.add(role);
    else if (command !== 'CMD_NOTHING') walk.facts.refuse('a MERGE action of unknown kind');
  }
  for (const role of ['update', 'delete'] as const) {
    if (roles.has(role)) walk.facts.where.push(whereFact(role, body['joinCondition']));
  }
  target(
    walk,
    body,
    place,
    [...roles],
    clauses.flatMap((clause) => targetNames(clause?.['targetList'])),
  );
  walk.fields('MergeStmt', body, place, {
    withClause: () => undefined,
    relation: () => undefined,
    sourceRelation: (value) => walk.visit(value, place),
    returningClause: returning(walk, outer, place),
  });
}
