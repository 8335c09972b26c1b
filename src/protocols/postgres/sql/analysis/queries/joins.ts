import { type Ast, isAst, strings, text } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { boolExpr, commonModifier } from '../make.ts';
import { OID } from '../oids.ts';
import { type Item, itemOfEntry, type Scope, type ScopeColumn } from '../scope/scope.ts';
import type { Expr, RangeEntry, Var } from '../tree.ts';
import { IMPLICIT } from '../typing/casts.ts';
import { Uncertain } from '../uncertain.ts';
import { aliasOf, type FromItem, type ReadFromItem, renamed, setLateral } from './from-item.ts';

/** A column of what is joined, or of both. */
interface Joined {
  readonly name: string;
  readonly expr: Expr;
  /** Undefined: it is the join's own, of both. */
  readonly column: ScopeColumn | undefined;
}

/** `transformFromClauseItem`, of a `JoinExpr`. */
export function join(analysis: Analysis, scope: Scope, body: Ast, read: ReadFromItem): FromItem {
  const type = text(body['jointype']);
  const left = read(analysis, scope, body['larg']);
  setLateral(left.items, true, type === 'JOIN_INNER' || type === 'JOIN_LEFT');
  const before = scope.items;
  scope.items = [...before, ...left.items];
  const right = read(analysis, scope, body['rarg']);
  scope.items = before;
  const items = [...left.items, ...right.items];
  const names = body['isNatural'] === true ? shared(left.top, right.top) : strings(body['usingClause']);
  const pairs = names.map((name) => pairOf(name, left.top, right.top));
  const merged = pairs.map(({ name, left: one, right: other }) => merge(analysis, type, name, one, other));
  const quals =
    pairs.length > 0 ? usingQuals(analysis, pairs) : onQuals(analysis, scope, body['quals'], items);
  const all = [...merged, ...remaining(left.top, names), ...remaining(right.top, names)];
  return joined(scope, body, { left, right, items, quals, all, merged: merged.length });
}

function joined(
  scope: Scope,
  body: Ast,
  made: {
    readonly left: FromItem;
    readonly right: FromItem;
    readonly items: readonly Item[];
    readonly quals: Expr | undefined;
    readonly all: readonly Joined[];
    readonly merged: number;
  },
): FromItem {
  const alias = aliasOf(body);
  const columns = made.all.map(({ name, expr }) => ({ name, type: expr.type, modifier: expr.modifier }));
  const entry: RangeEntry = {
    kind: 'join',
    merged: made.merged,
    aliasVars: made.all.map(({ expr }) => expr),
    alias: alias?.name ?? 'unnamed_join',
    columns: renamed(columns, alias),
    lateral: false,
  };
  const number = scope.add(entry);
  const found = made.all.map(
    ({ column }, index): ScopeColumn =>
      ({ ...(column ?? { entry: number, attribute: index + 1 }), ...entry.columns[index] }) as ScopeColumn,
  );
  const top: Item = { ...itemOfEntry(number, entry), columns: found, relationVisible: alias !== undefined };
  const using = body['join_using_alias'];
  const inner: Item[] = alias === undefined ? [...made.items] : [];
  for (const item of inner) item.columnsVisible = false;
  if (isAst(using)) inner.push(usingItem(top, text(using['aliasname']), made, found));
  return {
    node: {
      kind: 'JoinExpr',
      entry: number,
      left: made.left.node,
      right: made.right.node,
      quals: made.quals,
    },
    top,
    items: [...inner, top],
  };
}

/** `USING (…) AS alias` speaks of the merged columns alone. */
function usingItem(
  top: Item,
  alias: string,
  { all, merged }: { readonly all: readonly Joined[]; readonly merged: number },
  columns: readonly ScopeColumn[],
): Item {
  const own = columns.slice(0, merged).map((column, index) => ({ ...column, name: all[index]?.name ?? '' }));
  return { ...top, alias, columns: own, isUsingAlias: true, relationVisible: true, columnsVisible: false };
}

/** Names that both have, in the order of the left. */
function shared(left: Item, right: Item): string[] {
  const others = new Set(right.columns.map((column) => column?.name));
  return left.columns.flatMap((column) =>
    column === undefined || column.name === '' || !others.has(column.name) ? [] : [column.name],
  );
}

interface Pair {
  readonly name: string;
  readonly left: ScopeColumn;
  readonly right: ScopeColumn;
}

function pairOf(name: string, left: Item, right: Item): Pair {
  return { name, left: only(left, name), right: only(right, name) };
}

function only(item: Item, name: string): ScopeColumn {
  const [found, ...more] = item.columns.filter((column) => column?.name === name);
  if (found === undefined || more.length > 0) throw new Uncertain('a column to join by that is not one');
  return found;
}

function varOf({ entry, attribute, type, modifier }: ScopeColumn): Var {
  return { kind: 'Var', type, modifier, entry, attribute, levelsUp: 0 };
}

/** `buildMergedJoinVar` */
function merge(
  analysis: Analysis,
  type: string,
  name: string,
  left: ScopeColumn,
  right: ScopeColumn,
): Joined {
  const [leftVar, rightVar] = [varOf(left), varOf(right)];
  const common = analysis.casts.common([leftVar, rightVar]);
  const modifier = commonModifier([leftVar, rightVar], common);
  const cast = (expr: Var): Expr => {
    if (expr.type !== common) return analysis.casts.toType(expr, common, modifier, IMPLICIT);
    if (expr.modifier === modifier) return expr;
    return { kind: 'RelabelType', type: common, modifier, arg: expr, form: 'implicit' };
  };
  const [one, other] = [cast(leftVar), cast(rightVar)];
  const expr = chosen(type, one, other, common);
  const column = expr === leftVar ? left : expr === rightVar ? right : undefined;
  return { name, expr, column };
}

function chosen(type: string, left: Expr, right: Expr, common: number): Expr {
  if (type === 'JOIN_LEFT') return left;
  if (type === 'JOIN_RIGHT') return right;
  if (type === 'JOIN_FULL')
    return {
      kind: 'CoalesceExpr',
      type: common,
      modifier: commonModifier([left, right], common),
      args: [left, right],
    };
  if (left.kind === 'Var') return left;
  return right.kind === 'Var' ? right : left;
}

/** `extractRemainingColumns` */
function remaining(item: Item, merged: readonly string[]): Joined[] {
  return item.columns.flatMap((column) =>
    column === undefined || merged.includes(column.name)
      ? []
      : [{ name: column.name, expr: varOf(column), column }],
  );
}

/** `transformJoinUsingClause` */
function usingQuals(analysis: Analysis, pairs: readonly Pair[]): Expr {
  const tests = pairs.map(({ left, right }) =>
    analysis.casts.toSpecific(analysis.operators.make(['='], varOf(left), varOf(right)), OID.bool),
  );
  return tests.length === 1 ? (tests[0] as Expr) : boolExpr('and', tests);
}

/** `transformJoinOnClause`: it sees what is joined, and what stands around the query. */
function onQuals(analysis: Analysis, scope: Scope, node: unknown, items: readonly Item[]): Expr | undefined {
  if (node === undefined) return undefined;
  setLateral(items, false, true);
  const before = scope.items;
  scope.items = [...items];
  const quals = analysis.casts.toSpecific(analysis.expression(scope, node), OID.bool);
  scope.items = before;
  return quals;
}
