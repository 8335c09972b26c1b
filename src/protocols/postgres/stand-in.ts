import { Parse } from '../../wire/postgres/extended.ts';
import { Query } from '../../wire/postgres/query.ts';

/**
 * What goes to the target in place of a denied message. It is never valid SQL, so that the server itself fails the
 * transaction, skips the pipeline and keeps every answer in its place. The statement is named: an unnamed one in force
 * would be dropped.
 */
const REFUSED_SQL = '"denied by hoopd"';
export const REFUSED_QUERY = Query.encode({ sql: REFUSED_SQL });
export const REFUSED_PARSE = Parse.encode({
  statement: 'hoopd_denied',
  sql: REFUSED_SQL,
  parameterTypes: [],
});
