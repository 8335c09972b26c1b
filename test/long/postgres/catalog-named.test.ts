import { readFileSync } from 'node:fs';
import { loadModule, parseSync } from 'libpg-query';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Catalog } from '../../../src/protocols/postgres/catalog/model/model.ts';
import { CatalogReader } from '../../../src/protocols/postgres/catalog/reader.ts';
import { extractFacts } from '../../../src/protocols/postgres/sql/facts/extract.ts';
import { type SchemaChanges, together } from '../../../src/protocols/postgres/sql/facts/schema-changes.ts';
import { asksForTrees, catalogConnection } from '../../support/postgres/catalog-connection.ts';
import { catalogText } from '../../support/postgres/catalog-oracle.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';

await loadModule();

const SCHEMA = `
CREATE FUNCTION is_ok(text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select true';
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
CREATE DOMAIN checked AS text CHECK (is_ok(value));
CREATE TABLE customers (id serial PRIMARY KEY, ssn text, note checked, gone int);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers ON DELETE CASCADE);
CREATE VIEW v AS SELECT id, ssn AS x FROM customers WHERE is_ok(ssn);
CREATE TABLE events (at date, id int) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE SCHEMA other; CREATE TABLE other.customers (id int);`;

let server: PostgresServer;
let admin: pg.Client;
let side: pg.Client;
let reader: CatalogReader;
/** Whether the last reading by name had to ask for everything. */
let whole: boolean;

async function connect(): Promise<pg.Client> {
  const { host, port, database } = server;
  const client = new pg.Client({
    host,
    port,
    database,
    ...server.admin,
    ssl: { ca: readFileSync(server.caFile, 'utf8') },
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

beforeAll(async () => {
  server = await startPostgres({ sql: SCHEMA });
  [admin, side] = [await connect(), await connect()];
});

afterAll(async () => {
  await Promise.all([admin, side].map((client) => client?.end()));
  await server?.stop();
});

beforeEach(async () => {
  const connection = catalogConnection(side);
  reader = new CatalogReader({
    ...connection,
    query: (sql, timeoutMs) => {
      whole ||= !sql.includes('EXECUTE') && !asksForTrees(sql);
      return connection.query(sql, timeoutMs);
    },
  });
  await reader.read();
});

function changes(sql: string): SchemaChanges {
  return extractFacts(parseSync(sql), sql)
    .map((facts): SchemaChanges => facts.changes ?? 'anything')
    .reduce(together);
}

/** Everything that is known, as text. */
function told(catalog: Catalog): string[] {
  const lines: unknown[] = [];
  for (const [oid, found] of catalog.derived) for (const one of found) lines.push(['derived', oid, one]);
  for (const [oid, used] of catalog.statistics) lines.push(['statistics', oid, used]);
  for (const [oid, type] of catalog.valueTypes)
    lines.push(['type', oid, type, catalog.types.within(oid), catalog.types.functions(oid)]);
  const analysis = catalog.analysis({ schemas: [] });
  for (const oid of catalog.valueTypes.keys())
    lines.push(['analysed', oid, analysis.type(oid), analysis.rangesOf(oid)]);
  for (const [oid, { name }] of catalog.functions)
    lines.push(['analysed', analysis.function(oid), analysis.functionsNamed(name).length]);
  for (const oid of catalog.relations.keys())
    lines.push(['analysed', analysis.relation(oid), analysis.parentsOf(oid), analysis.primaryKey(oid)]);
  return [...catalogText(catalog), ...lines.map((line) => JSON.stringify(line)).sort()];
}

async function expectExact(known: Catalog): Promise<void> {
  const fresh = await new CatalogReader(catalogConnection(side)).read();
  const [here, there] = [told(known), told(fresh)];
  expect({
    missing: there.filter((line) => !here.includes(line)),
    left: here.filter((line) => !there.includes(line)),
  }).toEqual({ missing: [], left: [] });
}

async function readAfter(...statements: string[]): Promise<Catalog> {
  for (const sql of statements) await admin.query(sql);
  const named = statements.map(changes).reduce(together);
  if (named === 'anything') throw new Error('it does not say what it changes');
  whole = false;
  return reader.readNamed(named);
}

describe('what a statement of known names has changed is read by these names', () => {
  test.each([
    'CREATE TABLE made (id serial PRIMARY KEY, a int GENERATED ALWAYS AS IDENTITY, note checked, b text CHECK (is_ok(b)))',
    'ALTER TABLE made ADD COLUMN up int REFERENCES orders ON DELETE CASCADE, ADD COLUMN s smallserial',
    "ALTER TABLE ONLY made ALTER COLUMN b SET DEFAULT is_ok('a')::text",
    "ALTER TABLE made ALTER COLUMN b SET DEFAULT set_config('a.b', 'c', true)",
    'ALTER TABLE made ADD CONSTRAINT locks CHECK (pg_try_advisory_lock(id))',
    'ALTER TABLE made ADD CONSTRAINT u UNIQUE (b)',
    'ALTER TABLE made DROP COLUMN s',
    'ALTER TABLE made DROP COLUMN a, ALTER COLUMN b DROP DEFAULT',
    'CREATE UNIQUE INDEX ON made (is_ok(b))',
    'CREATE INDEX plain ON made (b, note)',
    'ALTER TABLE made OWNER TO current_user, ALTER COLUMN b SET STATISTICS 100',
    'CREATE SEQUENCE counter OWNED BY made.b',
    'ALTER SEQUENCE counter OWNED BY NONE',
    'ALTER SEQUENCE counter OWNED BY made.b',
    'CREATE TRIGGER t BEFORE INSERT ON made FOR EACH ROW EXECUTE FUNCTION note_change()',
    'ALTER TABLE made DISABLE TRIGGER t',
    'ALTER TABLE made ENABLE ROW LEVEL SECURITY',
    'CREATE POLICY p ON made USING (is_ok(b) AND EXISTS (SELECT 1 FROM orders))',
    'ALTER POLICY p ON made USING (pg_try_advisory_lock(id))',
    'ALTER POLICY p ON made USING (true)',
    'CREATE RULE r AS ON INSERT TO made DO ALSO NOTIFY made',
    'ALTER TABLE made RENAME COLUMN b TO c',
    'ALTER TABLE made RENAME TO renamed',
    'DROP POLICY p ON renamed',
    'DROP RULE r ON renamed',
    'DROP TRIGGER t ON renamed',
    'DROP TABLE renamed',
    'CREATE VIEW w AS SELECT x, is_ok(x) AS ok FROM v',
    'CREATE OR REPLACE VIEW w AS SELECT x, is_ok(x) AS ok, 1 AS one FROM v',
    'ALTER VIEW w RENAME TO ww',
    'DROP VIEW ww',
    'CREATE MATERIALIZED VIEW mv AS SELECT count(*) FROM orders',
    'CREATE TABLE copied AS SELECT * FROM customers',
    'CREATE TABLE child (extra int) INHERITS (customers)',
    'ALTER TABLE customers ADD COLUMN late text DEFAULT is_ok($$x$$)::text',
    'ALTER TABLE customers DROP COLUMN gone',
    'ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey',
    'CREATE TABLE events_2 (at date, id int) PARTITION BY RANGE (at)',
    'CREATE INDEX ON events ((is_ok(id::text)))',
    'ALTER TABLE events ADD COLUMN who checked',
    'DROP TABLE events',
    "CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'select 2 * $1'",
    "CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql VOLATILE AS 'select 2 * $1'",
    "CREATE FUNCTION twice(text) RETURNS text LANGUAGE sql AS 'select $1 || $1'",
    'ALTER FUNCTION twice(int) STABLE',
    'ALTER FUNCTION twice(int) OWNER TO current_user',
    'DROP FUNCTION twice(int), twice(text)',
    "CREATE TYPE mood AS ENUM ('sad', 'glad')",
    "ALTER TYPE mood ADD VALUE 'mad'",
    'CREATE TYPE pair AS (a int, b mood)',
    'CREATE TABLE pairs (id int, one pair, many pair[])',
    "CREATE DOMAIN nice AS text DEFAULT is_ok('x')::text CHECK (is_ok(value))",
    'CREATE DOMAIN locking AS int DEFAULT lastval() CHECK (pg_try_advisory_lock(value))',
    "CREATE FUNCTION filled(text DEFAULT set_config('a.b', 'c', true)) RETURNS text LANGUAGE sql AS 'select $1'",
    'CREATE SCHEMA fresh',
    'CREATE TABLE fresh.customers (id int, c nice)',
    'ALTER TABLE fresh.customers RENAME TO clients',
    'CREATE TEMP TABLE mine (a int, b nice)',
    'DROP TABLE mine',
    `ALTER TABLE copied RENAME TO "It's a \\ name"`,
    `DROP TABLE "It's a \\ name", fresh.clients`,
  ])('%s', async (sql) => {
    const known = await readAfter(sql);
    expect(whole).toBe(false);
    await expectExact(known);
  });

  test('several together, and everything after that', async () => {
    const known = await readAfter(
      'CREATE SCHEMA s',
      'CREATE TABLE s.a (id serial PRIMARY KEY)',
      'CREATE VIEW s.b AS SELECT id FROM s.a',
      'CREATE TABLE s.c (a int REFERENCES s.a)',
      'DROP TABLE s.c',
      'DROP VIEW s.b',
    );
    await expectExact(known);
    await expectExact(await reader.read());
    await admin.query('DROP SCHEMA s CASCADE');
    await expectExact(await reader.read());
    expect(await readAfter("COMMENT ON TABLE customers IS 'x'")).toBe(await reader.read());
  });

  test('a schema that nobody told of is there with its first table', async () => {
    await admin.query('CREATE SCHEMA untold');
    const known = await readAfter('CREATE TABLE untold.a (id int)');
    expect(known.lookupRelation('untold', 'a')).toBeDefined();
    await expectExact(known);
  });

  test('where a trigger runs with every change, everything is asked for', async () => {
    await admin.query(`CREATE FUNCTION meddle() RETURNS event_trigger LANGUAGE plpgsql AS
      'begin if tg_tag = ''CREATE SEQUENCE'' then alter table customers add column meddled int; end if; end'`);
    await admin.query('CREATE EVENT TRIGGER meddles ON ddl_command_end EXECUTE FUNCTION meddle()');
    const known = await readAfter('CREATE SEQUENCE q');
    await admin.query('DROP EVENT TRIGGER meddles');
    expect(whole).toBe(true);
    expect(known.lookupRelation('public', 'customers')?.columns.has('meddled')).toBe(true);
  });

  test('many in any order, undone and not', async () => {
    const random = generator(20_261_128);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
    const name = () => `f${Math.floor(random() * 8)}`;
    const statements = [
      () =>
        `CREATE TABLE ${name()} (id serial PRIMARY KEY, b text DEFAULT is_ok('a')::text, c int, d checked)`,
      () => `CREATE TABLE ${name()} (e int) INHERITS (${name()})`,
      () => `DROP TABLE IF EXISTS ${name()}`,
      () => `ALTER TABLE ${name()} ADD COLUMN ${name()} int GENERATED ALWAYS AS (c) STORED`,
      () => `ALTER TABLE ${name()} DROP COLUMN IF EXISTS ${name()}`,
      () => `ALTER TABLE ${name()} RENAME TO ${name()}`,
      () => `ALTER TABLE ${name()} ADD FOREIGN KEY (c) REFERENCES ${name()} ON DELETE SET NULL`,
      () => `CREATE VIEW v${name()} AS SELECT * FROM ${name()} WHERE is_ok(b)`,
      () => `DROP VIEW IF EXISTS v${name()}`,
      () => `CREATE OR REPLACE FUNCTION ${name()}() RETURNS int LANGUAGE sql AS 'select 1'`,
      () => `DROP FUNCTION IF EXISTS ${name()}()`,
      () => `CREATE INDEX ON ${name()} (is_ok(b))`,
      () => `CREATE SEQUENCE s${name()} OWNED BY ${name()}.c`,
      () => `CREATE TYPE t${name()} AS (a int, b ${name()})`,
      () => `ALTER TABLE ${name()} ADD COLUMN ${name()} ${name()}`,
    ];
    let pending: SchemaChanges | undefined;
    for (let step = 1; step <= 500; step++) {
      const sql = pick(statements)();
      const done = await admin.query(sql).then(
        () => true,
        () => false,
      );
      if (!done) continue;
      pending = together(pending, changes(sql));
      if (pending === 'anything') throw new Error(sql);
      if (random() < 0.5) {
        whole = false;
        const known = await reader.readNamed(pending);
        expect(whole).toBe(false);
        pending = undefined;
        if (random() < 0.1) await expectExact(known);
      }
      if (random() < 0.03 && pending === undefined) await reader.read();
    }
    await expectExact(await reader.read());
  }, 120_000);
});

describe('what may change more than it names is not asked for by name', () => {
  test.each([
    'DROP TABLE a CASCADE',
    'ALTER TABLE a ALTER COLUMN b TYPE text',
    'ALTER TABLE a DROP COLUMN b CASCADE',
    'ALTER TABLE a ATTACH PARTITION b DEFAULT',
    'CREATE TABLE a PARTITION OF b DEFAULT',
    'ALTER SCHEMA a RENAME TO b',
    'CREATE EXTENSION citext',
    'DO $$begin end$$',
    'CREATE SCHEMA a CREATE TABLE b (c int)',
    'EXPLAIN ANALYZE CREATE TABLE a AS SELECT 1',
    'SELECT 1 INTO a',
    'CREATE CAST (text AS int) WITH INOUT',
    'DROP INDEX a',
    'ALTER TABLE a SET SCHEMA b',
  ])('%s', (sql) => {
    expect(changes(sql)).toBe('anything');
  });
});

/** Numbers from 0 to 1, the same each time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
