/** Numbers of the columns in stored trees of one relation, 0 for a whole row. @param more SQL that gives others as `n`. */
export function columnsIn(trees: readonly string[], more = ''): string {
  const tree = `pg_catalog.concat_ws(' ', ${trees.join(', ')})`;
  return `(SELECT pg_catalog.json_agg(DISTINCT v.n)
      FROM (SELECT m[1]::pg_catalog.int8 AS n FROM pg_catalog.regexp_matches(${tree}, ':varattno ([0-9]+) ', 'g') m ${more}) v)`;
}

/** A foreign key to what a span of time is within. Not before 18. */
export const WITHIN_PERIOD = `(x.contype = 'f' AND coalesce(pg_catalog.to_jsonb(x) ->> 'conperiod' = 'true', false))`;
