import type pg from 'pg';
import type { CatalogConnection } from '../../../src/protocols/postgres/catalog/reader.ts';

type Answer = { readonly rows: (string | null)[][] };

/** The trees of views are asked for behind what tells of them. */
export function asksForTrees(sql: string): boolean {
  return sql.startsWith('SELECT x.oid');
}

/** Another client's connection, to read a catalog over. */
export function catalogConnection(client: pg.Client): CatalogConnection {
  const types = { getTypeParser: () => (value: string) => value };
  return {
    usable: true,
    close: () => undefined,
    query: async (text) => {
      const answer = (await client.query({ text, rowMode: 'array', types } as never)) as unknown;
      return (Array.isArray(answer) ? (answer as Answer[]) : [answer as Answer]).map(({ rows }) => rows);
    },
  };
}
