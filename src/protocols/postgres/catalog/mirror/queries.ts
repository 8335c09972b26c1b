import { FIRST_USER_OID } from '../system/objects.ts';
import type { CatalogDelta, TableDelta } from './mirror.ts';
import { ownOperators } from './operators.ts';
import type { CatalogOwner, TableName } from './records.ts';
import { CATALOG_TABLES, TABLE_NAMES } from './tables.ts';

type TextRow = readonly (string | null)[];

/** Where, and as of when, an answer was given. */
interface CatalogMoment {
  readonly owner: CatalogOwner;
  /** Of the snapshot that was read: transactions below `oldest` were over, and none from `next` on had begun. */
  readonly oldest: bigint;
  readonly next: bigint;
  /** The server's start, its role, its database: only between answers with the same do transaction numbers compare. */
  readonly server: string;
}

export interface CatalogAnswer {
  readonly moment: CatalogMoment;
  readonly delta: CatalogDelta;
}

/** Older than any transaction: nothing is known yet. */
const EVERYTHING = '2147483647';
const OLDEST_NOW =
  'pg_catalog.age(pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::pg_catalog.xid)';

/** Tells servers and databases apart, whichever settings the asking session has for times. */
export const SERVER = `pg_catalog.concat_ws('/', pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.pg_postmaster_start_time()),
    'YYYY-MM-DD HH24:MI:SS.US'), pg_catalog.pg_is_in_recovery(),
    (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))`;

/** Schemas that a role may not use, without those of temporary objects. */
const unusableBy = (
  role: string,
) => `(SELECT coalesce(pg_catalog.json_agg(n.oid::pg_catalog.int8 ORDER BY n.oid), '[]')
    FROM pg_catalog.pg_namespace n WHERE NOT pg_catalog.has_schema_privilege(${role}n.oid, 'USAGE')
    AND NOT pg_catalog.starts_with(n.nspname, 'pg_t'))`;
/** Roles with whose rights functions in SQL run, each with what it may not use. */
const DEFINERS = `(SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(o.role::pg_catalog.int8, ${unusableBy('o.role, ')})
    ORDER BY o.role), '[]') FROM (SELECT DISTINCT p.proowner AS role FROM pg_catalog.pg_proc p WHERE p.prosecdef
    AND p.prolang OPERATOR(pg_catalog.=) 14 AND p.oid OPERATOR(pg_catalog.>=) ${FIRST_USER_OID}) o)`;

/** @param role As whom: SQL for a name. */
const moment = (role: string) => `${role}, pg_catalog.current_setting('server_version_num'),
  pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()), pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()),
  ${SERVER},
  ${unusableBy(`${role}, `)}, ${DEFINERS}`;

/** What is known of a target already. */
export interface KnownBefore {
  /** The `oldest` of the answer before. */
  readonly since: bigint;
  /** How many settled rows are known of each table. */
  readonly settled: (table: TableName) => number;
}

/**
 * One string of statements that tells what has changed in the catalog since an earlier moment, as of one snapshot.
 *
 * Rows written by a transaction that was over at that moment are *settled*: only their number is told, and their keys
 * where it is not the expected one. All others are told whole. A row that is visible now and settled then was visible
 * then too, so equal numbers mean equal rows: this is exact, and rests on no digest.
 *
 * @param before Undefined: everything is to be told.
 * @see https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 */
export function catalogQuery(before?: KnownBefore): string {
  return [
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    // Neither pays off here, and the planner's guess at such a query may say otherwise.
    'SET LOCAL jit = off',
    'SET LOCAL max_parallel_workers_per_gather = 0',
    `SELECT ${moment('current_user')}`,
    ...TABLE_NAMES.map((table) => `SELECT ${tableChanges(table, before)}`),
    'COMMIT',
  ].join(';\n');
}

/** A session's own transaction is seen as it is now: not where all that it asks is answered as of its beginning. */
const SEES_NOW = `pg_catalog.starts_with(pg_catalog.current_setting('transaction_isolation'), 'read ')`;

/**
 * The same in one query, which changes nothing of the session that asks it: what its open transaction has changed is told
 * too.
 *
 * @param role Whose rights count.
 */
export function transactionQuery(role: string, before: KnownBefore): string {
  // Text that means the same whatever the session takes a backslash for.
  const name = `E'${role.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
  const tables = TABLE_NAMES.map((table) => tableChanges(table, before));
  return `SELECT ${SEES_NOW}, ${[moment(`${name}::pg_catalog.name`), ...tables].join(',\n  ')}`;
}

/**
 * SQL for a JSON array: the rows that are not settled, and the keys of all others where their number is not the expected
 * one. For these the table is read once more.
 */
function tableChanges(table: TableName, before: KnownBefore | undefined): string {
  const { key, where = 'true', columns } = CATALOG_TABLES[table];
  const bound =
    before === undefined
      ? EVERYTHING
      : `(SELECT pg_catalog.age('${BigInt.asUintN(32, before.since)}'::pg_catalog.xid))`;
  const settledNow = `pg_catalog.age(x.xmin) > (SELECT ${OLDEST_NOW})`;
  const row = [text(key), settledNow, ...Object.values<string>(columns)].join(', ');
  const of = `FROM pg_catalog.${table} x WHERE (${where})`;
  // Few rows change, which the planner takes for likely only of what equals something: told that, it does not expect work
  // for every row of a large catalog, which the server would compile before it begins.
  const changed = `CASE WHEN pg_catalog.age(x.xmin) <= ${bound} THEN 1 ELSE 0 END = 1`;
  const others = `pg_catalog.age(x.xmin) > ${bound}`;
  return ownOperators(`(SELECT pg_catalog.json_build_array(
    (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(${row})) ${of} AND ${changed}),
    CASE WHEN (SELECT pg_catalog.count(*) ${of} AND ${others}) <> ${before?.settled(table) ?? 0}
      THEN (SELECT coalesce(pg_catalog.json_agg(${text(key)}), '[]') ${of} AND ${others}) END))`);
}

function text(key: string): string {
  return `(${key})::pg_catalog.text`;
}

/**
 * @param results The rows of each statement of `catalogQuery`, in order.
 * @throws {SyntaxError} It is no such answer.
 */
export function readAnswer(results: readonly (readonly TextRow[])[]): CatalogAnswer {
  const [told = [], ...tables] = results.flatMap((rows) => rows.slice(0, 1));
  return answerOf(told, tables.flat());
}

/**
 * @param results The rows of `transactionQuery`.
 * @returns Undefined: what is so now is not told there.
 * @throws {SyntaxError} It is no such answer.
 */
export function readTransactionAnswer(results: readonly (readonly TextRow[])[]): CatalogAnswer | undefined {
  const [seesNow, ...told] = results[0]?.[0] ?? [];
  return seesNow === 't' ? answerOf(told.slice(0, MOMENT_COLUMNS), told.slice(MOMENT_COLUMNS)) : undefined;
}

const MOMENT_COLUMNS = 7;

function answerOf(told: TextRow, tables: TextRow): CatalogAnswer {
  if (told.length !== MOMENT_COLUMNS || tables.length !== TABLE_NAMES.length)
    throw new SyntaxError('not the answer that was asked for');
  const delta = TABLE_NAMES.map((name, index): [TableName, TableDelta] => {
    const [rows, survivors] = JSON.parse(tables[index] ?? '[]') as [unknown[][]?, string[]?];
    return [name, { survivors: survivors ?? undefined, rows: rows ?? [] }];
  });
  return { moment: readMoment(told), delta: Object.fromEntries(delta) as CatalogDelta };
}

function readMoment(row: TextRow): CatalogMoment {
  const [currentUser = '', version, oldest, next, server = '', unusable = '[]', definers = '[]'] = row.map(
    (value) => value ?? '',
  );
  return {
    owner: {
      serverVersion: Number(version),
      role: currentUser,
      unusable: JSON.parse(unusable) as number[],
      definers: JSON.parse(definers) as [number, number[]][],
    },
    oldest: BigInt(oldest ?? ''),
    next: BigInt(next ?? ''),
    server,
  };
}
