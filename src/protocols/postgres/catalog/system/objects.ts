/** System catalogs lie below it (FirstNormalObjectId); they hold no user's rows, and the sensitive ones are refused. */
export const FIRST_USER_OID = 16_384;

/** What the views of these stand on is not read: policy names such a view itself. */
export const SYSTEM_VIEW_SCHEMAS: readonly string[] = ['pg_catalog', 'information_schema'];

const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema', 'pg_toast']);

/** True for schemas that PostgreSQL owns, temporary ones' toast included. */
export function isSystemSchema(schema: string): boolean {
  return SYSTEM_SCHEMAS.has(schema) || schema.startsWith('pg_toast');
}

/** In the place of a column's number: not a column, but which rows a relation has. */
export const ROWS = -100;

/** What `pg_temp` is called before the session has such a schema, and in everything that people read. */
export const PG_TEMP = 'pg_temp';
