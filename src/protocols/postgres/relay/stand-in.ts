import { Parse } from '../../../wire/postgres/extended.ts';
import { Query } from '../../../wire/postgres/query.ts';

/**
 * What goes to the target in place of a denied message. It is never valid SQL, so that the server itself fails the
 * transaction, skips the pipeline and keeps every answer in its place. The statement is named: an unnamed one in force
 * would be dropped.
 */
const REFUSED_SQL = '"denied by hoopd"';
export const REFUSED_QUERY = Query.encode({ sql: REFUSED_SQL });
/** In place of a Parse without a name: that does drop the statement in force, also where it fails. */
export const REFUSED_UNNAMED_PARSE = Parse.encode({ statement: '', sql: REFUSED_SQL, parameterTypes: [] });
export const REFUSED_PARSE = Parse.encode({
  statement: 'hoopd_denied',
  sql: REFUSED_SQL,
  parameterTypes: [],
});
