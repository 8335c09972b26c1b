import type { Expr } from '../../../src/protocols/postgres/sql/analysis/tree.ts';

/**
 * An expression as it is written some queries further in: what it takes from a query outside of itself is so much further out.
 *
 * @see PostgreSQL, src/backend/rewrite/rewriteManip.c, `IncrementVarSublevelsUp`
 */
export function raised(expr: Expr, by: number): Expr {
  return by === 0 ? expr : (raise(expr, by, 0) as Expr);
}

/** @param inside How many queries of the expression's own it is in. */
function raise(value: unknown, by: number, inside: number): unknown {
  if (Array.isArray(value)) return value.map((item) => raise(item, by, inside));
  if (typeof value !== 'object' || value === null) return value;
  const within = 'command' in value && 'entries' in value ? inside + 1 : inside;
  const fields = Object.entries(value).map(([name, field]) => {
    if (name !== 'levelsUp') return [name, raise(field, by, within)];
    // Of a range table entry it counts from the query that the entry is in.
    return [name, field >= within ? field + by : field];
  });
  return Object.fromEntries(fields);
}
