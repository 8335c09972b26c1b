import { readFileSync } from 'node:fs';
import pg from 'pg';
import { CatalogReader } from '../../../src/protocols/postgres/catalog/reader.ts';
import { FIRST_USER_OID } from '../../../src/protocols/postgres/catalog/system/objects.ts';
import { KnownFunctions } from '../../../src/protocols/postgres/reading/known-functions.ts';
import { holdsText, WireTypes } from '../../../src/protocols/postgres/shown/values/wire-types.ts';
import { planStatement, type StatementPlan } from '../../../src/protocols/postgres/sql/meaning/resolve.ts';
import { SqlParser } from '../../../src/protocols/postgres/sql/parse/parser.ts';
import { catalogConnection } from './catalog-connection.ts';
import { masksOf, scopeOf } from './masked-columns.ts';
import { startPostgres } from './server.ts';

export interface Answer {
  readonly rows: (string | null)[][];
  readonly fields: readonly { readonly tableID: number; readonly columnID: number }[];
}

/** A real database of which columns are masked, what is planned for statements, and which values a plan lets through. */
export type MaskedDatabase = Awaited<ReturnType<typeof maskedDatabase>>;

export async function maskedDatabase(schema: string, tags: ReadonlyMap<string, readonly string[]>) {
  const server = await startPostgres({ sql: schema });
  const parser = new SqlParser();
  const { host, port, database, admin, caFile } = server;
  const client = new pg.Client({ host, port, database, ...admin, ssl: { ca: readFileSync(caFile, 'utf8') } });
  await client.connect();
  await client.query("SET statement_timeout = '2s'");
  const catalog = await new CatalogReader(catalogConnection(client)).read();
  const masks = masksOf(catalog, tags);
  const types = new WireTypes(catalog.valueTypes);
  const known = new KnownFunctions();
  return {
    client,
    parser,
    async run(text: string): Promise<Answer> {
      const types = { getTypeParser: () => (value: string) => value };
      return (await client.query({ text, rowMode: 'array', types } as never)) as unknown as Answer;
    },
    /** @param functions Free text is shown in plain columns alone, and by these; default as it is found. */
    async planOf(sql: string, functions?: readonly string[]): Promise<StatementPlan> {
      const { statements } = await parser.parse(sql);
      const results = await known.reads(catalog, statements, (text) => parser.parse(text));
      results.begin();
      const names = scopeOf(catalog);
      const plainOnly = functions && {
        functions: new Set(functions),
        holdsText: (oid: number) => holdsText(types.of(oid), oid < FIRST_USER_OID),
      };
      return planStatement(statements[0]!, catalog, { ...masks, names, searchPaths: [], results, plainOnly });
    },
    /** Which columns a client sees: by provenance, by the plan's certainty, and no others. */
    shown({ fields }: Answer, plan: StatementPlan): boolean[] {
      return fields.map(({ tableID, columnID }, index) => {
        if (tableID === 0) return plan.safeColumns === 'all' || plan.safeColumns.includes(index);
        const columns = [...(catalog.relations.get(tableID)?.columns.values() ?? [])];
        // Of a row as a whole: it is shown where none of its columns is masked.
        const told = columnID === 0 ? columns.map(({ attnum }) => attnum) : [columnID];
        return columns.length > 0 && !told.some((attnum) => masks.isMasked(tableID, attnum));
      });
    },
    async stop(): Promise<void> {
      await client.end();
      await parser.close();
      await server.stop();
    },
  };
}
