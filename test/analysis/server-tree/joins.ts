import type {
  Expr,
  Query,
  RangeEntry,
  TargetEntry,
  Var,
} from '../../../src/protocols/postgres/sql/analysis/tree.ts';
import { levelsOf } from '../../../src/protocols/postgres/sql/analysis/walk.ts';
import { raised } from './levels.ts';

/**
 * A query in which columns of joins are those of what is joined, as far as version 18 writes them so: in what a query that
 * aggregates gives, and in its HAVING. What is grouped by stands there as it was written, so both trees want it.
 *
 * @see PostgreSQL, src/backend/parser/parse_agg.c (`parseCheckAggregates`), src/backend/optimizer/util/var.c
 *   (`flatten_join_alias_vars`)
 */
export function withoutJoinColumns(query: Query): Query {
  const inner = withinQueries(query, true) as Query;
  const list = [...inner.targets.map(({ expr }) => expr), inner.having];
  const aggregates = inner.group.length > 0 || inner.groupingSets || inner.having !== undefined;
  if (!aggregates && levelsOf(list).aggregate !== 0) return inner;
  const flat = (value: unknown) => flattened(value, inner.entries, 0);
  return { ...inner, targets: flat(inner.targets) as TargetEntry[], having: flat(inner.having) as Expr };
}

/** The same of each query within. */
function withinQueries(value: unknown, isTop = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withinQueries(item));
  if (typeof value !== 'object' || value === null) return value;
  if (!isTop && isQuery(value)) return withoutJoinColumns(value);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withinQueries(field)]));
}

/** @param inside How many queries further in than the one whose entries they are. */
function flattened(value: unknown, entries: readonly RangeEntry[], inside: number): unknown {
  if (Array.isArray(value)) return value.map((item) => flattened(item, entries, inside));
  if (typeof value !== 'object' || value === null) return value;
  if (isVar(value)) {
    const entry = value.levelsUp === inside ? entries[value.entry - 1] : undefined;
    if (entry?.kind !== 'join') return value;
    const columns = entry.aliasVars.map((one) => raised(flattened(one, entries, 0) as Expr, inside));
    if (value.attribute > 0) return columns[value.attribute - 1];
    const { type, modifier } = value;
    return {
      kind: 'RowExpr',
      type,
      modifier,
      args: columns,
      names: entry.columns.map((one) => one?.name ?? ''),
    };
  }
  const within = isQuery(value) ? inside + 1 : inside;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      name === 'aliasVars' ? field : flattened(field, entries, within),
    ]),
  );
}

function isQuery(value: object): value is Query {
  return 'command' in value && 'entries' in value;
}

function isVar(value: object): value is Var {
  return 'kind' in value && value.kind === 'Var';
}
