import type { Expr, JoinNode, Query, RangeEntry, TargetEntry } from './tree.ts';

type Part = Expr | undefined;

/** What an expression is made of, without the query of a sublink. */
export function partsOf(expr: Expr): readonly Part[] {
  switch (expr.kind) {
    case 'Aggref':
      return [...expr.direct, ...exprsOf(expr.args), expr.filter];
    case 'WindowFunc':
      return [...expr.args, expr.filter];
    case 'SubscriptingRef':
      return [...expr.upper, ...expr.lower, expr.base, expr.assigned];
    case 'SubLink':
      return [expr.test];
    case 'FieldStore':
      return [expr.arg, ...expr.values];
    case 'ArrayCoerceExpr':
      return [expr.arg, expr.element];
    case 'CaseExpr':
      return [
        expr.arg,
        ...expr.whens.flatMap(({ condition, result }) => [condition, result]),
        expr.otherwise,
      ];
    case 'ArrayExpr':
      return expr.items;
    case 'RowCompareExpr':
      return [...expr.left, ...expr.right];
    case 'XmlExpr':
      return [...expr.named, ...expr.args];
    case 'NamedArgExpr':
    case 'FieldSelect':
    case 'RelabelType':
    case 'CoerceViaIO':
    case 'ConvertRowtypeExpr':
    case 'CoerceToDomain':
    case 'CollateExpr':
    case 'NullTest':
    case 'BooleanTest':
      return [expr.arg];
    case 'GroupingFunc':
    case 'FuncExpr':
    case 'OpExpr':
    case 'DistinctExpr':
    case 'NullIfExpr':
    case 'ScalarArrayOpExpr':
    case 'BoolExpr':
    case 'RowExpr':
    case 'CoalesceExpr':
    case 'MinMaxExpr':
    case 'JsonConstructorExpr':
    case 'JsonIsPredicate':
    case 'JsonExpr':
    case 'JsonValueExpr':
      return expr.args;
    default:
      return NONE;
  }
}

const NONE: readonly Part[] = [];

function exprsOf(targets: readonly TargetEntry[]): Expr[] {
  return targets.map(({ expr }) => expr);
}

/** Expressions that stand in a query itself; queries within it are `queriesOf`. */
export function expressionsOf(query: Query): Part[] {
  const { onConflict } = query;
  return [
    ...exprsOf(query.targets),
    ...exprsOf(query.returning),
    query.where,
    query.having,
    query.offset,
    query.limit,
    query.mergeCondition,
    ...query.windows.flatMap(({ start, end }) => [start, end]),
    ...query.from.flatMap(qualsOf),
    ...query.entries.flatMap(expressionsOfEntry),
    ...query.merge.flatMap(({ condition, targets }) => [condition, ...exprsOf(targets)]),
    ...(onConflict === undefined
      ? []
      : [...onConflict.inferred, onConflict.inferredWhere, ...exprsOf(onConflict.set), onConflict.where]),
  ];
}

function qualsOf(node: JoinNode): Part[] {
  if (node.kind === 'RangeTblRef') return [];
  return [node.quals, ...qualsOf(node.left), ...qualsOf(node.right)];
}

/** Without the columns that a join gives: they are those of what it joins. */
function expressionsOfEntry(entry: RangeEntry): readonly Part[] {
  if (entry.kind === 'function') return entry.functions;
  if (entry.kind === 'values') return entry.rows.flat();
  if (entry.kind === 'tablefunc') return entry.exprs;
  if (entry.kind === 'relation' && entry.sample !== undefined)
    return [...entry.sample.args, entry.sample.repeatable];
  return NONE;
}

/** Queries within a query: in FROM and WITH. Those of sublinks stand in its expressions. */
export function queriesOf(query: Query): Query[] {
  const within = query.entries.flatMap((entry) => (entry.kind === 'subquery' ? [entry.query] : []));
  return [...within, ...query.ctes.map((cte) => cte.query)];
}

/** Who looks at all of a statement. */
interface Visitor {
  query?(query: Query): void;
  /** @returns Whether to look into it as well. */
  expr(expr: Expr): boolean;
}

/** Shows all queries of a statement, at any depth, and all expressions in them, with what the columns of joins are made of. */
export function visitAll(query: Query, visitor: Visitor): void {
  const visit = (expr: Part): void => {
    if (expr === undefined || !visitor.expr(expr)) return;
    for (const part of partsOf(expr)) visit(part);
    if (expr.kind === 'SubLink') visitQuery(expr.query);
  };
  const visitQuery = (one: Query): void => {
    visitor.query?.(one);
    for (const expr of expressionsOf(one)) visit(expr);
    for (const entry of one.entries)
      if (entry.kind === 'join') for (const expr of entry.aliasVars) visit(expr);
    for (const within of queriesOf(one)) visitQuery(within);
  };
  visitQuery(query);
}

/** How many queries outward something within stands: below 0 it is not seen from outside. */
export interface Levels {
  /** Least of columns and of aggregates; undefined: none. */
  column: number | undefined;
  aggregate: number | undefined;
}

/** The innermost levels that expressions speak of, as `check_agg_arguments` looks for them. */
export function levelsOf(exprs: readonly Part[]): Levels {
  const levels: Levels = { column: undefined, aggregate: undefined };
  const note = (which: keyof Levels, level: number) => {
    if (level >= 0) levels[which] = Math.min(levels[which] ?? level, level);
  };
  const visit = (expr: Part, depth: number): void => {
    if (expr === undefined) return;
    if (expr.kind === 'Var') note('column', expr.levelsUp - depth);
    if (expr.kind === 'Aggref' || expr.kind === 'GroupingFunc') note('aggregate', expr.levelsUp - depth);
    for (const part of partsOf(expr)) visit(part, depth);
    if (expr.kind === 'SubLink') visitQuery(expr.query, depth + 1);
  };
  const visitQuery = (query: Query, depth: number): void => {
    for (const one of expressionsOf(query)) visit(one, depth);
    for (const one of queriesOf(query)) visitQuery(one, depth + 1);
  };
  for (const expr of exprs) visit(expr, 0);
  return levels;
}

/** Whether expressions name a column of the query in which they stand: `contain_vars_of_level`, level 0. */
export function namesColumns(exprs: readonly Part[]): boolean {
  return levelsOf(exprs).column === 0;
}

/** Whether two expressions are the same to PostgreSQL (`equal`): how a cast was written does not count. */
export function areEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [first, second] = [one as Record<string, unknown>, other as Record<string, unknown>];
  const keys = new Set([...Object.keys(first), ...Object.keys(second)]);
  return [...keys].every((key) => key === 'form' || areEqual(first[key], second[key]));
}

/** `strip_implicit_coercions` */
export function withoutImplicit(expr: Expr): Expr {
  switch (expr.kind) {
    case 'FuncExpr':
      return expr.form === 'implicit' && expr.args[0] !== undefined ? withoutImplicit(expr.args[0]) : expr;
    case 'RelabelType':
    case 'CoerceViaIO':
    case 'ArrayCoerceExpr':
    case 'ConvertRowtypeExpr':
    case 'CoerceToDomain':
      return expr.form === 'implicit' ? withoutImplicit(expr.arg) : expr;
    default:
      return expr;
  }
}
