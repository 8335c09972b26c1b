import { type Ast, bodyOf, isAst, list, strings, text } from './ast.ts';
import { column } from './extract-expression.ts';
import { relation } from './extract-from.ts';
import { outputItems, withClause } from './extract-select.ts';
import type { RelationRole } from './facts.ts';
import { whereFact } from './tautology.ts';
import { type CteScope, type Handler, nested, type Place, type Walk } from './walk.ts';

/** INSERT, UPDATE, DELETE, MERGE. */
export const WRITE_HANDLERS: Readonly<Record<string, Handler>> = {
  InsertStmt: (walk, body, place) => insert(walk, body, place),
  UpdateStmt: (walk, body, place) => update(walk, body, place),
  DeleteStmt: (walk, body, place) => remove(walk, body, place),
  MergeStmt: (walk, body, place) => merge(walk, body, place),
};

/** Notes the target of a writing statement, and its result list, which also reads it. */
function target(
  walk: Walk,
  body: Ast,
  place: Place,
  roles: readonly RelationRole[],
  own: boolean,
  columns?: (role: RelationRole) => string[] | undefined,
): void {
  const value = body['relation'];
  if (!isAst(value)) return walk.facts.refuse('a write without a target');
  const read = body['returningClause'] === undefined ? [] : (['read'] as const);
  for (const role of [...roles, ...read]) {
    const written = role !== 'read';
    const index = relation(walk, value, role, {
      columns: written ? columns?.(role) : undefined,
      counted: written && own,
    });
    if (role === roles[0]) place.level.push(index);
  }
  walk.fields('RangeVar', value, place);
}

function writePlace(outer: Place, ctes: CteScope | undefined): Place {
  return { ...outer, role: 'read', ctes, level: [], item: -1, top: false, source: false, exists: false };
}

function returning(walk: Walk, outer: Place, place: Place): (value: unknown) => void {
  return (value) => {
    if (!isAst(value)) return walk.facts.refuse('RETURNING of unknown shape');
    // `old` and `new` are the target's rows, and may be given other names.
    const renamed = list(value['options']).map((entry) => text(bodyOf(entry, 'ReturningOption')?.['value']));
    const over = place.level.slice(0, 1);
    for (const alias of ['old', 'new', ...renamed]) walk.facts.derived(alias, 'target', { over });
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
  target(walk, body, place, ['insert'], outer.top, () => columns);
  if (updates && isAst(body['relation'])) {
    relation(walk, body['relation'], 'update', {
      columns: targetNames(conflict['targetList']),
      counted: outer.top,
    });
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
  target(walk, body, place, ['update'], outer.top, () => targetNames(body['targetList']));
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
  target(walk, body, place, ['delete'], outer.top);
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
  target(walk, body, place, [...roles], outer.top, (role) => mergeColumns(clauses, role));
  walk.fields('MergeStmt', body, place, {
    withClause: () => undefined,
    relation: () => undefined,
    sourceRelation: (value) => walk.visit(value, place),
    returningClause: returning(walk, outer, place),
  });
}

/** An INSERT of MERGE without a list of columns gives values to all. */
function mergeColumns(clauses: readonly (Ast | undefined)[], role: RelationRole): string[] | undefined {
  const own = clauses.filter((clause) => MERGE_ROLES[text(clause?.['commandType'])] === role);
  if (role === 'insert' && own.some((clause) => clause?.['targetList'] === undefined)) return undefined;
  return own.flatMap((clause) => targetNames(clause?.['targetList']));
}
