import { type Ast, isAst, list } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { commonModifier, emptyQuery } from '../make.ts';
import { OID } from '../oids.ts';
import type { Item, Scope, Target } from '../scope/scope.ts';
import type { Expr, Query, RangeColumn, SetOperation, SortGroup, Var } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';
import { limits } from './conditions.ts';
import { cteColumns, withClause, withList } from './ctes.ts';
import { subqueryItem } from './from.ts';
import { sortClause } from './sorting.ts';

const OPERATIONS = { SETOP_UNION: 'union', SETOP_INTERSECT: 'intersect', SETOP_EXCEPT: 'except' } as const;

/** `transformSetOperationStmt`: UNION, INTERSECT, EXCEPT. */
export function setStatement(analysis: Analysis, scope: Scope, body: Ast): Query {
  withClause(analysis, scope, body['withClause']);
  const set = operation(analysis, scope, body, true);
  const leftmost = scope.entries[leftmostOf(set.tree) - 1];
  if (leftmost?.kind !== 'subquery') throw new Uncertain('a set operation over no query');
  const targets = set.columns.map(({ expr }, index): Target => {
    const from = leftmost.query.targets[index];
    return {
      expr: varOf(leftmostOf(set.tree), from?.number ?? index + 1, expr),
      number: scope.nextNumber++,
      name: from?.name,
      junk: false,
      ref: 0,
    };
  });
  const sort = sortedSet(analysis, scope, list(body['sortClause']), targets);
  return {
    ...emptyQuery('select'),
    entries: scope.entries,
    ctes: withList(scope),
    targets,
    sort,
    ...limits(analysis, scope, body),
    set: set.tree,
  };
}

function varOf(entry: number, attribute: number, { type, modifier }: Expr): Var {
  return { kind: 'Var', type, modifier, entry, attribute, levelsUp: 0 };
}

/** ORDER BY may name columns of the result alone. */
function sortedSet(
  analysis: Analysis,
  scope: Scope,
  nodes: readonly unknown[],
  targets: Target[],
): SortGroup[] {
  const before = scope.items;
  const columns = targets.map(({ expr, name = '' }) => {
    const { entry, attribute, type, modifier } = expr as Var;
    return { name, entry, attribute, type, modifier };
  });
  const item: Item = {
    alias: '',
    columns,
    entry: scope.entries.length + 1,
    hasSystemColumns: false,
    relationVisible: false,
    columnsVisible: true,
    lateralOnly: false,
    lateralOk: true,
  };
  scope.items = [item];
  const sort = sortClause(analysis, scope, nodes, targets, { by99: false });
  scope.items = before;
  return sort;
}

function leftmostOf(tree: SetOperation): number {
  return tree.kind === 'RangeTblRef' ? tree.entry : leftmostOf(tree.left);
}

/** A set operation, or a query that is an arm of one. */
interface Arm {
  readonly tree: SetOperation;
  /** Of a query its own entries, that a literal without a type may get one; of an operation made up ones. */
  readonly columns: Target[];
}

/** `transformSetOperationTree` */
function operation(analysis: Analysis, scope: Scope, body: Ast, isTop: boolean): Arm {
  if (isLeaf(body, isTop)) return leaf(analysis, scope, body);
  const left = operation(analysis, scope, armOf(body, 'larg'), false);
  const recursive = scope.ofCte?.recursive === true;
  if (isTop && recursive && scope.ofCte !== undefined)
    scope.ofCte.columns = cteColumns(scope.ofCte, recursiveColumns(scope, left));
  const right = operation(analysis, scope, armOf(body, 'rarg'), false);
  if (left.columns.length !== right.columns.length) throw new Uncertain('arms of different widths');
  const isUnion = body['op'] === 'SETOP_UNION';
  const all = body['all'] === true;
  const columns = left.columns.map((one, index) => common(analysis, one, right.columns[index] as Target));
  const groups = isUnion && all ? [] : columns.map(({ type }) => grouped(analysis, type));
  return {
    tree: {
      kind: 'SetOperationStmt',
      operation: OPERATIONS[body['op'] as keyof typeof OPERATIONS],
      all,
      left: left.tree,
      right: right.tree,
      columns,
      groups,
    },
    columns: columns.map(({ type, modifier }) => ({
      expr: { kind: 'SetToDefault', type, modifier },
      number: 0,
      name: undefined,
      junk: false,
      ref: 0,
    })),
  };
}

function armOf(body: Ast, name: 'larg' | 'rarg'): Ast {
  const arm = body[name];
  if (!isAst(arm)) throw new Uncertain('an arm that is missing');
  return arm;
}

/** What has an order, a limit or WITH of its own is one query. */
function isLeaf(body: Ast, isTop: boolean): boolean {
  if (body['op'] === undefined || body['op'] === 'SETOP_NONE') return true;
  if (isTop) return false;
  const own = ['limitOffset', 'limitCount', 'withClause'].some((word) => body[word] !== undefined);
  return own || list(body['sortClause']).length + list(body['lockingClause']).length > 0;
}

function leaf(analysis: Analysis, scope: Scope, body: Ast): Arm {
  const query = analysis.subquery(scope, { SelectStmt: body }, { resolvesUnknowns: false });
  const alias = { name: `*SELECT* ${scope.entries.length + 1}`, columns: [] };
  const { entry } = subqueryItem(scope, query, alias);
  return {
    tree: { kind: 'RangeTblRef', entry },
    columns: (query.targets as Target[]).filter(({ junk }) => !junk),
  };
}

/** `determineRecursiveColTypes`: of the arm that does not read itself. */
function recursiveColumns(scope: Scope, left: Arm): RangeColumn[] {
  const leftmost = scope.entries[leftmostOf(left.tree) - 1];
  const names = leftmost?.kind === 'subquery' ? leftmost.query.targets.map(({ name = '' }) => name) : [];
  return left.columns.map(({ expr }, index) => ({
    name: names[index] ?? '',
    type: expr.type,
    modifier: expr.modifier,
  }));
}

function common(analysis: Analysis, left: Target, right: Target): { type: number; modifier: number } {
  const type = analysis.casts.common([left.expr, right.expr]);
  const cast = (target: Target): Expr => {
    const { expr } = target;
    const isOpen = expr.type === OID.unknown;
    if (isOpen && expr.kind !== 'Const' && expr.kind !== 'Param') return expr;
    const made = analysis.casts.toCommon(expr, type);
    if (isOpen) target.expr = made;
    return made;
  };
  const both = [cast(left), cast(right)];
  return { type, modifier: commonModifier(both, type) };
}

/** `makeSortGroupClauseForSetOp` */
function grouped(analysis: Analysis, type: number): SortGroup {
  const { lt, eq } = analysis.types.sortOperators(type);
  if (eq === 0) throw new Uncertain('a set of what cannot be compared');
  return { ref: 0, equals: eq, sorts: lt };
}
