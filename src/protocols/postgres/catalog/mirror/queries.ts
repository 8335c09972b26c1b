import type { CatalogDelta, TableDelta } from './mirror.ts';
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

/** Tells servers and databases apart. */
export const SERVER = `pg_catalog.concat_ws('/', pg_catalog.pg_postmaster_start_time(), pg_catalog.pg_is_in_recovery(),
    (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))`;

const MOMENT = `SELECT current_user, pg_catalog.current_setting('server_version_num'),
  pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()), pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()),
  ${SERVER},
  (SELECT coalesce(pg_catalog.json_agg(n.oid::pg_catalog.int8 ORDER BY n.oid), '[]') FROM pg_catalog.pg_namespace n
    WHERE NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND NOT pg_catalog.starts_with(n.nspname, 'pg_t'))`;

/**
 * One string of statements that tells what has changed in the catalog since an earlier moment, as of one snapshot.
 *
 * Rows written by a transaction that was over at that moment are *settled*: only their number is told, and their keys
 * where it is not the expected one. All others are told whole. A row that is visible now and settled then was visible
 * then too, so equal numbers mean equal rows: this is exact, and rests on no digest.
 *
 * @param since The `oldest` of the answer before; undefined for everything.
 * @param settled How many settled rows are known of each table.
 * @see https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 */
export function catalogQuery(since: bigint | undefined, settled: (table: TableName) => number): string {
  const bound =
    since === undefined
      ? EVERYTHING
      : `(SELECT pg_catalog.age('${BigInt.asUintN(32, since)}'::pg_catalog.xid))`;
  return [
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    // Neither pays off here, and the planner's guess at such a query may say otherwise.
    'SET LOCAL jit = off',
    'SET LOCAL max_parallel_workers_per_gather = 0',
    MOMENT,
    // Names are qualified, operators are not: no schema that the role's own path puts first may give them another meaning.
    'SET LOCAL search_path = pg_catalog',
    ...TABLE_NAMES.map((table) => changedRows(table, bound)),
    `SELECT ${TABLE_NAMES.map((table) => survivors(table, bound, settled(table))).join(', ')}`,
    'COMMIT',
  ].join(';\n');
}

/** The rows that are not settled, and the number of the others left in a setting of this transaction's own. */
function changedRows(table: TableName, bound: string): string {
  const { key, where, columns } = CATALOG_TABLES[table];
  const settledNow = `pg_catalog.age(x.xmin) > (SELECT ${OLDEST_NOW})`;
  const row = [text(key), settledNow, ...Object.values<string>(columns)].join(', ');
  return `SELECT pg_catalog.json_agg(pg_catalog.json_build_array(${row})) FILTER (WHERE pg_catalog.age(x.xmin) <= ${bound}),
    pg_catalog.set_config('hoopd.${table}',
      (pg_catalog.count(*) FILTER (WHERE pg_catalog.age(x.xmin) > ${bound}))::pg_catalog.text, true)
    FROM pg_catalog.${table} x WHERE ${where ?? 'true'}`;
}

/** Keys of the settled rows, or NULL where none is missing: then the table is not read for it. */
function survivors(table: TableName, bound: string, expected: number): string {
  const { key, where } = CATALOG_TABLES[table];
  return `CASE WHEN pg_catalog.current_setting('hoopd.${table}')::pg_catalog.int8 <> ${expected}
    THEN (SELECT coalesce(pg_catalog.json_agg(${text(key)}), '[]') FROM pg_catalog.${table} x
      WHERE pg_catalog.age(x.xmin) > ${bound} AND ${where ?? 'true'}) END`;
}

function text(key: string): string {
  return `(${key})::pg_catalog.text`;
}

/**
 * @param results The rows of each statement of `catalogQuery`, in order.
 * @throws {SyntaxError} It is no such answer.
 */
export function readAnswer(results: readonly (readonly TextRow[])[]): CatalogAnswer {
  const answers = results.filter((rows) => rows.length > 0).map((rows) => rows[0] as TextRow);
  const [moment, ...tables] = answers;
  const left = tables.pop();
  if (moment === undefined || left === undefined || tables.length !== TABLE_NAMES.length)
    throw new SyntaxError('not the answer that was asked for');
  const delta = TABLE_NAMES.map((name, index): [TableName, TableDelta] => {
    const survivors = left[index] ?? undefined;
    return [
      name,
      {
        survivors: survivors === undefined ? undefined : (JSON.parse(survivors) as string[]),
        rows: JSON.parse(tables[index]?.[0] ?? '[]') as unknown[][],
      },
    ];
  });
  return { moment: readMoment(moment), delta: Object.fromEntries(delta) as CatalogDelta };
}

function readMoment(row: TextRow): CatalogMoment {
  const [currentUser = '', version, oldest, next, server = '', unusable = '[]'] = row.map(
    (value) => value ?? '',
  );
  return {
    owner: { serverVersion: Number(version), role: currentUser, unusable: JSON.parse(unusable) as number[] },
    oldest: BigInt(oldest ?? ''),
    next: BigInt(next ?? ''),
    server,
  };
}
