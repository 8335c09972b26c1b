import { RowDecoder } from '../../../src/protocols/postgres/catalog/analysis/decode.ts';
import { AnalysisLookups, analysisViews } from '../../../src/protocols/postgres/catalog/analysis/view.ts';
import { type CatalogDelta, CatalogMirror } from '../../../src/protocols/postgres/catalog/mirror/mirror.ts';
import type { TableName } from '../../../src/protocols/postgres/catalog/mirror/records.ts';
import { CATALOG_TABLES, TABLE_NAMES } from '../../../src/protocols/postgres/catalog/mirror/tables.ts';
import type { CatalogConnection } from '../../../src/protocols/postgres/catalog/reader.ts';
import { FIRST_USER_OID } from '../../../src/protocols/postgres/catalog/system/objects.ts';
import type { AnalysisCatalog } from '../../../src/protocols/postgres/sql/analysis/catalog.ts';

/** What analysis asks of, and the OID by which a row is PostgreSQL's own. */
const ASKED: { readonly [N in TableName]?: string } = {
  pg_namespace: 'oid',
  pg_class: 'oid',
  pg_attribute: 'attrelid',
  pg_inherits: 'inhrelid',
  pg_proc: 'oid',
  pg_constraint: 'oid',
  pg_operator: 'oid',
  pg_cast: 'oid',
  pg_type: 'oid',
  pg_opclass: 'oid',
  pg_amop: 'oid',
  pg_amproc: 'oid',
};

const SESSION = `SELECT pg_catalog.current_setting('server_version_num'),
  pg_catalog.array_to_json(pg_catalog.current_schemas(true)), pg_catalog.pg_my_temp_schema()::pg_catalog.regnamespace`;
const WAIT_MS = 60_000;

/**
 * What analysis asks of the catalog, as one connection sees it: its own uncommitted changes too, and by its own path.
 * PostgreSQL's own rows are read once, all others each time.
 */
export class ConnectionCatalog {
  readonly #connection: Pick<CatalogConnection, 'query'>;
  readonly #mirror = new CatalogMirror();
  readonly #decoder = new RowDecoder();
  #readOwn = false;

  constructor(connection: Pick<CatalogConnection, 'query'>) {
    this.#connection = connection;
  }

  /** One string of queries, in the transaction that is open or in one of its own. Fails in one that has failed. */
  async read(): Promise<AnalysisCatalog> {
    const queries = TABLE_NAMES.flatMap((table) => question(table, this.#readOwn) ?? []);
    const results = await this.#connection.query([SESSION, ...queries].join(';\n'), WAIT_MS);
    const [session, ...answers] = results.map((rows) => rows[0] ?? []);
    const [version, schemas, temp] = session ?? [];
    this.#mirror.apply(deltaOf(answers.map((row) => JSON.parse(row[0] ?? '[]') as unknown[][])));
    this.#readOwn = true;
    const lookups = new AnalysisLookups(this.#mirror.tables, Number(version), this.#decoder);
    return analysisViews(lookups)({
      schemas: JSON.parse(schemas ?? '[]') as string[],
      ...(temp === '-' || temp === null || temp === undefined ? {} : { temp }),
    });
  }
}

function question(table: TableName, own: boolean): string | undefined {
  const ofRow = ASKED[table];
  if (ofRow === undefined) return undefined;
  const { key, where, columns } = CATALOG_TABLES[table];
  // PostgreSQL's own are settled for the mirror: they stay without being told again.
  const isOwn = `x.${ofRow} < ${FIRST_USER_OID}`;
  const row = [`(${key})::pg_catalog.text`, isOwn, ...Object.values<string>(columns)].join(', ');
  return `SELECT pg_catalog.json_agg(pg_catalog.json_build_array(${row}))
    FROM pg_catalog.${table} x WHERE ${where ?? 'true'} ${own ? `AND NOT ${isOwn}` : ''}`;
}

function deltaOf(answers: readonly (readonly (readonly unknown[])[])[]): CatalogDelta {
  const left = [...answers];
  const told = TABLE_NAMES.map((table) => {
    const rows = ASKED[table] === undefined ? [] : (left.shift() ?? []);
    return [table, { survivors: undefined, rows }];
  });
  return Object.fromEntries(told) as CatalogDelta;
}
