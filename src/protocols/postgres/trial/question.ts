import { HoopError } from '../../../core/errors.ts';
import type { TextRow } from '../target/side-connection.ts';
import type { Reach, Unread } from './reach.ts';

/** Longest text of one function or expression that is read, and most of them at once. */
const MAX_SOURCE = 64 * 1024;
const MOST_ROWS = 1000;
const MAX_ROUNDS = 20;

const expression = (what: string, tree: string, relation: string, from: string) =>
  `SELECT '${what}', pg_catalog.pg_get_expr(${tree}, ${relation}) FROM pg_catalog.${from}`;

/** What a function is, and whether parts of it are no text. The body in the standard's form is 14's. */
const FUNCTIONS = (oids: string) => `SELECT p.oid, l.lanname, p.prokind = 'f',
  p.pronargdefaults > 0 OR pg_catalog.to_jsonb(p)->>'prosqlbody' IS NOT NULL,
  pg_catalog.left(p.prosrc, ${MAX_SOURCE + 1})
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE p.oid IN (${oids})`;

/** Each expression that the server evaluates by itself when rows of these are read or written. */
const EXPRESSIONS = (oids: string) =>
  [
    expression('a policy', 'polqual', 'polrelid', `pg_policy WHERE polrelid IN (${oids})`),
    expression('a policy', 'polwithcheck', 'polrelid', `pg_policy WHERE polrelid IN (${oids})`),
    expression('a check', 'conbin', 'conrelid', `pg_constraint WHERE conrelid IN (${oids})`),
    expression('an index', 'indexprs', 'indrelid', `pg_index WHERE indrelid IN (${oids})`),
    expression('an index', 'indpred', 'indrelid', `pg_index WHERE indrelid IN (${oids})`),
    `SELECT 'a partition', pg_catalog.pg_get_partkeydef(oid) FROM pg_catalog.pg_class
      WHERE oid IN (${oids}) AND relkind = 'p'`,
    `SELECT 'a view', pg_catalog.pg_get_viewdef(oid) FROM pg_catalog.pg_class
      WHERE oid IN (${oids}) AND relkind IN ('v', 'm')`,
    `SELECT 'a trigger', pg_catalog.substring(pg_catalog.pg_get_triggerdef(oid), ' WHEN (.*) EXECUTE (?:FUNCTION|PROCEDURE) ')
      FROM pg_catalog.pg_trigger WHERE tgrelid IN (${oids}) AND NOT tgisinternal`,
    `SELECT 'a column', pg_catalog.pg_get_expr(adbin, adrelid) FROM pg_catalog.pg_attrdef
      JOIN pg_catalog.pg_attribute ON attrelid = adrelid AND attnum = adnum
      WHERE adrelid IN (${oids}) AND attgenerated <> ''`,
    `SELECT 'default', conname FROM pg_catalog.pg_constraint
      WHERE confrelid IN (${oids}) AND (confdeltype = 'd' OR confupdtype = 'd')`,
  ].join(' UNION ALL ');

const DEFAULTS = (oids: string) => `SELECT 'a default', pg_catalog.pg_get_expr(adbin, adrelid)
  FROM pg_catalog.pg_attrdef WHERE adrelid IN (${oids})
  UNION ALL SELECT 'counter', attname FROM pg_catalog.pg_attribute WHERE attrelid IN (${oids}) AND attidentity <> ''`;

const DOMAINS =
  "SELECT 'a domain', pg_catalog.pg_get_expr(conbin, 0) FROM pg_catalog.pg_constraint WHERE contypid <> 0";

/** Asks the target; names are those of pg_catalog. */
type Ask = (sql: string) => Promise<readonly TextRow[]>;

/**
 * Reads at the target whatever the statement may run, until there is nothing new.
 *
 * @throws {HoopError} `ERR_UNSUPPORTED` it is not certain that a rollback undoes all of it.
 */
export async function readAll(reach: Reach, statement: string, ask: Ask): Promise<void> {
  reach.text(statement, 'the statement');
  readExpressions(reach, await ask(DOMAINS));
  for (let round = 0; ; round++) {
    const unread = reach.unread();
    const more = Object.values(unread).some((oids) => oids.length > 0);
    if (reach.trouble === undefined && more && round === MAX_ROUNDS) throw notOffered('it leads too far');
    if (reach.trouble !== undefined) throw notOffered(reach.trouble);
    if (!more) return;
    await readRound(reach, unread, ask);
  }
}

async function readRound(reach: Reach, { functions, relations, inserted }: Unread, ask: Ask): Promise<void> {
  if (functions.length > 0) {
    const rows = new Map((await ask(FUNCTIONS(functions.join()))).map((row) => [Number(row[0]), row]));
    for (const oid of functions) reach.body(oid, bodyOf(rows.get(oid)));
  }
  if (relations.length > 0) readExpressions(reach, await ask(EXPRESSIONS(relations.join())));
  if (inserted.length > 0) readExpressions(reach, await ask(DEFAULTS(inserted.join())));
}

function bodyOf(row: TextRow | undefined): Parameters<Reach['body']>[1] {
  const [, language, plain, hasMore, source] = row ?? [];
  if (language === undefined || language === null) return undefined;
  const cut = (source ?? '').length > MAX_SOURCE;
  return { language, plain: plain === 't', hasMore: hasMore !== 'f' || cut, source: source ?? '' };
}

function readExpressions(reach: Reach, rows: readonly TextRow[]): void {
  if (rows.length >= MOST_ROWS) throw notOffered('too much hangs on what it names');
  for (const [what, text] of rows) {
    if (what === 'counter') throw notOffered(`it may take numbers of a sequence, for "${text}"`);
    if (what === 'default') throw notOffered(`"${text}" may set columns to their defaults`);
    if (text === null || text === undefined) continue;
    if (text.length > MAX_SOURCE) throw notOffered(`${what} is too long to be read`);
    reach.text(text, what ?? '');
  }
}

/** @param why Ends the sentence. */
export function notOffered(why: string): HoopError {
  return new HoopError('ERR_NOT_TRIED', `this cannot be tried out: ${why}`, {
    hint: 'decide by its text: a rollback must undo all that is tried, with certainty',
  });
}

/** Names of a table's primary key, in order; none: it has none. */
export async function primaryKey(relation: number, ask: Ask): Promise<readonly string[]> {
  const rows = await ask(`SELECT a.attname FROM pg_catalog.pg_index i, pg_catalog.pg_attribute a,
    pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
    WHERE i.indrelid = ${relation} AND i.indisprimary AND i.indisvalid AND k.place <= i.indnkeyatts
      AND a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.place`);
  return rows.map(([name]) => name ?? '');
}

/** @param why Ends the sentence. */
export function notShown(why: string): HoopError {
  return new HoopError('ERR_UNSUPPORTED', why);
}
