import { type Ast, bodyOf, isAst, list, strings, text, unwrap } from './ast.ts';
import { column, positionOf } from './extract-expression.ts';
import type { OutputItem } from './facts.ts';
import { outputNames } from './output-names.ts';
import { queryShape } from './shape/extract-shape.ts';
import { type CteScope, type Handler, nested, type Place, type Walk } from './walk.ts';

export const SELECT_HANDLERS: Readonly<Record<string, Handler>> = {
  SelectStmt: (walk, body, place) => select(walk, body, place),
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
    fromClause: (value) => walk.visit(value, { ...clause, source: outer.top }),
    targetList: (value) => targets(walk, value, { ...place, item: outer.item }, body),
    valuesLists: (value) => values(walk, value, { ...clause, top: outer.top }),
    lockingClause: (value) => locking(walk, value),
  });
  if (!outer.top) return;
  if (body['op'] !== 'SETOP_NONE') walk.facts.output = setOperationOutput(body);
  const shape = body['op'] !== 'SETOP_NONE' || walk.facts.readsQueries ? queryShape(body) : undefined;
  if (shape !== undefined) walk.facts.single.shape = shape;
}

/** Visits the CTEs and gives the scope that holds them. Outside RECURSIVE, one sees only those before it. */
export function withClause(walk: Walk, body: Ast, place: Place): CteScope | undefined {
  const clause = body['withClause'];
  if (!isAst(clause)) return place.ctes;
  const ctes = list(clause['ctes']).map((entry) => bodyOf(entry, 'CommonTableExpr'));
  const scopes = ctes.map((cte) => ({
    name: text(cte?.['ctename']),
    columns: outputNames(cte?.['ctequery'], strings(cte?.['aliascolnames'])),
  }));
  const all = scopes.reduce<CteScope | undefined>((outer, one) => ({ ...one, outer }), place.ctes);
  let scope = clause['recursive'] === true ? all : place.ctes;
  walk.fields('WithClause', clause, place, {
    ctes: () => {
      for (const [index, cte] of ctes.entries()) {
        if (cte === undefined) walk.facts.refuse('a WITH of unknown shape');
        else {
          const inner = nested(place, { ctes: scope, item: -1 });
          walk.fields('CommonTableExpr', cte, inner, { ctequery: (value) => walk.visit(value, inner) });
        }
        const own = scopes[index] ?? { name: '', columns: [] };
        if (clause['recursive'] !== true) scope = { ...own, outer: scope };
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
export function outputItems(walk: Walk, value: unknown, outer: Place): OutputItem[] {
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
