import { type Ast, bodyOf, isAst, list, strings, text, unwrap } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { commonModifier } from '../make.ts';
import { OID } from '../oids.ts';
import type { CteInScope, Scope } from '../scope/scope.ts';
import type { Cte, RangeColumn } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';
import { columnsOf } from './from.ts';

interface Written {
  readonly body: Ast;
  readonly name: string;
  /** Others of the same WITH that its query reads. */
  readonly reads: ReadonlySet<string>;
}

/** `transformWithClause`; what it gives to the query is `withList`. */
export function withClause(analysis: Analysis, scope: Scope, clause: unknown): void {
  if (!isAst(clause)) return;
  const bodies = list(clause['ctes']).map((one) => bodyOf(one, 'CommonTableExpr') ?? {});
  const names = new Set(bodies.map((body) => text(body['ctename'])));
  const written = bodies.map((body) => ({
    body,
    name: text(body['ctename']),
    reads: clause['recursive'] === true ? readBy(body['ctequery'], names) : new Set<string>(),
  }));
  if (clause['recursive'] !== true) {
    for (const one of written) scope.ctes.push(analysed(analysis, scope, one, made(one)));
    return;
  }
  const sorted = inOrder(written);
  const ctes = sorted.map(made);
  scope.ctes.push(...ctes);
  for (const [index, one] of sorted.entries()) analysed(analysis, scope, one, ctes[index] as CteInScope);
}

export function withList(scope: Scope): Cte[] {
  return scope.ctes.map(({ name, recursive, query, columns }) => {
    if (query === undefined) throw new Uncertain('a common table expression that is not known');
    return { name, recursive, query, columns };
  });
}

function made({ name, reads, body }: Written): CteInScope {
  const names = strings(body['aliascolnames']);
  return { name, names, recursive: reads.has(name), columns: [], query: undefined, added: [] };
}

/** `analyzeCTE` */
function analysed(analysis: Analysis, scope: Scope, { body }: Written, cte: CteInScope): CteInScope {
  const cycle = isAst(body['cycle_clause']) ? body['cycle_clause'] : undefined;
  const search = isAst(body['search_clause']) ? body['search_clause'] : undefined;
  cte.added = [
    ...(search === undefined ? [] : [searchColumn(search)]),
    ...(cycle === undefined ? [] : cycleColumns(analysis, scope, cycle)),
  ];
  const query = analysis.subquery(scope, body['ctequery'], { ofCte: cte });
  cte.query = query;
  if (!cte.recursive) cte.columns = cteColumns(cte, columnsOf(query));
  return cte;
}

/** `analyzeCTETargetList` */
export function cteColumns(cte: CteInScope, columns: readonly RangeColumn[]): RangeColumn[] {
  return columns.map(({ name, type, modifier }, index) => {
    const untyped = cte.recursive && type === OID.unknown;
    return {
      name: cte.names[index] ?? name,
      type: untyped ? OID.text : type,
      modifier: untyped ? -1 : modifier,
    };
  });
}

function searchColumn(search: Ast): RangeColumn {
  const type = search['search_breadth_first'] === true ? OID.record : OID.recordArray;
  return { name: text(search['search_seq_column']), type, modifier: -1 };
}

function cycleColumns(analysis: Analysis, scope: Scope, cycle: Ast): RangeColumn[] {
  const values = ['cycle_mark_value', 'cycle_mark_default'].map((word) =>
    analysis.expression(scope, cycle[word]),
  );
  const type = analysis.casts.common(values);
  const cast = values.map((one) => analysis.casts.toCommon(one, type));
  return [
    { name: text(cycle['cycle_mark_column']), type, modifier: commonModifier(cast, type) },
    { name: text(cycle['cycle_path_column']), type: OID.recordArray, modifier: -1 },
  ];
}

/** `makeDependencyGraph`: names among these that a query reads, where nothing within it has the same name. */
function readBy(node: unknown, names: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown, hidden: ReadonlySet<string>): void => {
    if (Array.isArray(value)) for (const one of value) visit(one, hidden);
    if (!isAst(value)) return;
    if (isAst(value['withClause'])) return inWith(value, value['withClause'], hidden);
    const given = unwrap(value);
    if (given?.type === 'RangeVar') {
      const name = text(given.body['relname']);
      if (text(given.body['schemaname']) === '' && names.has(name) && !hidden.has(name)) found.add(name);
    }
    for (const one of Object.values(value)) visit(one, hidden);
  };
  const inWith = (statement: Ast, clause: Ast, hidden: ReadonlySet<string>): void => {
    const inner = list(clause['ctes']).map((one) => bodyOf(one, 'CommonTableExpr') ?? {});
    let seen = new Set(hidden);
    if (clause['recursive'] === true)
      seen = new Set([...hidden, ...inner.map((one) => text(one['ctename']))]);
    for (const one of inner) {
      visit(one['ctequery'], seen);
      seen = new Set([...seen, text(one['ctename'])]);
    }
    for (const [name, value] of Object.entries(statement)) if (name !== 'withClause') visit(value, seen);
  };
  visit(node, new Set());
  return found;
}

/** `TopologicalSort`: each behind those that it reads. */
function inOrder(written: readonly Written[]): Written[] {
  const left = [...written];
  const done = new Set<string>();
  for (let at = 0; at < left.length; at++) {
    const next = left.findIndex(
      ({ name, reads }, index) => index >= at && [...reads].every((one) => one === name || done.has(one)),
    );
    if (next < 0) throw new Uncertain('common table expressions that read each other');
    const [here, there] = [left[at] as Written, left[next] as Written];
    left[at] = there;
    left[next] = here;
    done.add(there.name);
  }
  return left;
}
