/** Views are read in bounds: beyond them their columns count as made of all that they use, and everything else goes on. */
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CatalogReader } from '../../../src/protocols/postgres/catalog/reader.ts';
import { asksForTrees, catalogConnection } from '../../support/postgres/catalog-connection.ts';
import { masksOf } from '../../support/postgres/masked-columns.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';

const TAGS = new Map([['public.people.secret', ['pii']]]);
/** Columns of a view whose tree is some 200 KiB, and of one whose tree is longer than what is read. */
const [LONG, TOO_LONG] = [800, 1_300];

let server: PostgresServer;
let client: pg.Client;
/** Called before trees are read. */
let meanwhile: (() => Promise<unknown>) | undefined;
let answers: string[];
let reader: CatalogReader;

beforeAll(async () => {
  server = await startPostgres();
  const { host, port, database, admin, caFile } = server;
  client = new pg.Client({ host, port, database, ...admin, ssl: { ca: readFileSync(caFile, 'utf8') } });
  await client.connect();
  await client.query(
    'CREATE TABLE people (id int, secret text); CREATE VIEW plain AS SELECT id, secret FROM people',
  );
  const connection = catalogConnection(client);
  reader = new CatalogReader({
    ...connection,
    query: async (sql, timeoutMs) => {
      const isTrees = asksForTrees(sql);
      if (isTrees) await meanwhile?.();
      const answer = await connection.query(sql, timeoutMs);
      if (isTrees) answers.push(JSON.stringify(answer));
      return answer;
    },
  });
  answers = [];
});

afterAll(async () => {
  await client?.end();
  await server?.stop();
});

const wide = (name: string, columns: number) =>
  `CREATE VIEW ${name} AS SELECT secret, ${Array.from({ length: columns }, (_, n) => `id AS c${n}`).join(', ')} FROM people`;

/** Columns of a view that are masked, as far as they tell it apart. */
async function masked(...names: readonly string[]): Promise<string[]> {
  const catalog = await reader.read();
  const { isMasked } = masksOf(catalog, TAGS);
  return names.map((name) => {
    const view = catalog.lookupRelation('public', name);
    const columns = [...(view?.columns.values() ?? [])];
    const count = columns.filter(({ attnum }) => isMasked(view?.oid ?? 0, attnum)).length;
    return `${name} ${count === columns.length ? 'all' : count}`;
  });
}

test('a tree that is too long is not read, and all columns count', async () => {
  await client.query(`${wide('short', 3)}; ${wide('long', LONG)}; ${wide('too_long', TOO_LONG)}`);
  expect(await masked('plain', 'short', 'long', 'too_long')).toEqual([
    'plain 1',
    'short 1',
    'long 1',
    'too_long all',
  ]);
});

test('a view that is made anew before its tree is read has all columns counted, until that is told', async () => {
  await client.query('CREATE VIEW changing AS SELECT id, secret AS b FROM people');
  meanwhile = async () => {
    meanwhile = undefined;
    await client.query("CREATE OR REPLACE VIEW changing AS SELECT id, 'x'::text AS b FROM people");
  };
  expect(await masked('changing')).toEqual(['changing all']);
  expect(await masked('changing')).toEqual(['changing 0']);
});

test('of very many only so much is read, the short ones first, and others have their turns', {
  timeout: 120_000,
}, async () => {
  const all = Array.from({ length: 120 }, (_, n) => `v${n}`);
  for (const name of all) await client.query(wide(name, LONG));
  await client.query('CREATE VIEW small AS SELECT id, secret FROM people');
  answers = [];
  const seen = await masked('small', ...all);
  expect(seen[0]).toBe('small 1');
  const read = seen.filter((one) => one.endsWith(' 1')).length - 1;
  expect(read).toBeGreaterThan(40);
  expect(read).toBeLessThan(120);
  expect(seen.filter((one) => one.endsWith(' all')).length).toBe(120 - read);
  const octets = answers.map((one) => one.length);
  expect(octets.length).toBeGreaterThan(10);
  expect(octets.reduce((sum, one) => sum + one, 0)).toBeLessThan(24 * 1024 * 1024);
  expect(Math.max(...octets)).toBeLessThan(2 * 1024 * 1024);
});
