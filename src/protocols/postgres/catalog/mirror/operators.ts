/** Text in quotes, an operator that says whose it is, or one that does not. */
const TOKENS = /'(?:[^']|'')*'|OPERATOR\(pg_catalog\.[^)]+\)|(?<=\s)(?:=|<>|<=|>=|<|>|\|\||->>|\+|-)(?=\s)/g;

/**
 * Has each operator of a query be PostgreSQL's own, whichever path the asking session has. All of them bind alike then: where
 * that matters the query has parentheses.
 *
 * @param sql Ours: its operators stand between spaces, and none is hidden in IN, BETWEEN, LIKE, CASE with a value, USING or
 *   IS DISTINCT FROM.
 */
export function ownOperators(sql: string): string {
  return sql.replace(TOKENS, (token) =>
    token.startsWith("'") || token.startsWith('OPERATOR') ? token : `OPERATOR(pg_catalog.${token})`,
  );
}
