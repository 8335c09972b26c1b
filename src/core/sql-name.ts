/**
 * A name as PostgreSQL reads it in SQL, whatever is in it: quoted, so that nothing is folded and no word is a keyword.
 *
 * Pure. @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
