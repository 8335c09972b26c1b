import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type CatalogBase,
  CatalogReader,
  catalogInTransaction,
} from '../../../src/protocols/postgres/catalog/reader.ts';
import { asksForTrees, catalogConnection } from '../../support/postgres/catalog-connection.ts';
import { catalogText, readWhole } from '../../support/postgres/catalog-oracle.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';

const SCHEMA = `
CREATE FUNCTION is_ok(text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select true';
CREATE FUNCTION may_see(int) RETURNS bool LANGUAGE sql STABLE AS 'select true';
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
CREATE FUNCTION same(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select $1 = $2';
CREATE OPERATOR === (leftarg = text, rightarg = text, function = same);
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION to_pair(text) RETURNS pair LANGUAGE sql IMMUTABLE AS 'select row(1, 2)::pair';
CREATE CAST (text AS pair) WITH FUNCTION to_pair(text);
CREATE DOMAIN checked AS text CHECK (is_ok(value));
CREATE TABLE customers (id int PRIMARY KEY, ssn text, note checked, gone int);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers ON DELETE CASCADE);
CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE VIEW v AS SELECT id, ssn AS x FROM customers WHERE is_ok(ssn);
CREATE TABLE secured (id int);
CREATE POLICY p ON secured USING (may_see(id) AND EXISTS (SELECT 1 FROM orders));
CREATE TABLE events (at date, id int) PARTITION BY RANGE (at);
CREATE SCHEMA other; CREATE TABLE other.customers (id int);
CREATE EXTENSION citext;`;

let server: PostgresServer;
const clients: pg.Client[] = [];

async function connect(): Promise<pg.Client> {
  const { host, port, database, admin } = server;
  const ssl = { ca: readFileSync(server.caFile, 'utf8') };
  const client = new pg.Client({ host, port, database, ...admin, ssl });
  client.on('error', () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}

/** The administrator's session, another one, and the one the catalog is read over. */
let admin: pg.Client;
let other: pg.Client;
let side: pg.Client;
let reader: CatalogReader;
/** Whether the last reading had to start from nothing. */
let whole: boolean;

beforeAll(async () => {
  server = await startPostgres({
    sql: SCHEMA,
    settings: { allow_system_table_mods: 'on', max_prepared_transactions: '4' },
  });
  [admin, other, side] = [await connect(), await connect(), await connect()];
});

afterAll(async () => {
  await Promise.all(clients.map((client) => client.end()));
  await server?.stop();
});

beforeEach(async () => {
  const connection = catalogConnection(side);
  reader = new CatalogReader({
    ...connection,
    query: (sql, timeoutMs) => {
      if (!asksForTrees(sql)) whole = sql.includes('2147483647');
      return connection.query(sql, timeoutMs);
    },
  });
  await reader.read();
});

/** What the reader knows, beside what is there. */
async function compared(): Promise<{ known: string[]; there: string[] }> {
  const known = catalogText(await reader.read());
  const connection = catalogConnection(side);
  const there = await readWhole(async (sql) => (await connection.query(sql, 0))[0] ?? []);
  return { known, there: catalogText(there) };
}

async function expectExact(): Promise<void> {
  const { known, there } = await compared();
  expect(known).toEqual(there);
}

describe('what has changed is read, and nothing else', () => {
  test('the whole catalog', async () => {
    await expectExact();
    expect((await reader.read()).relations.size).toBeGreaterThan(200);
  });

  test.each([
    'ALTER TABLE customers RENAME COLUMN ssn TO nr',
    'ALTER TABLE customers DROP COLUMN gone',
    "ALTER TABLE customers ADD COLUMN made text DEFAULT 'x' CHECK (is_ok(made))",
    'ALTER TABLE customers ALTER COLUMN made TYPE varchar(9) USING made::varchar(9)',
    'ALTER TABLE orders DISABLE TRIGGER t',
    'ALTER TABLE orders RENAME TO "Orders"',
    'CREATE INDEX ON customers (is_ok(nr))',
    'CREATE OR REPLACE VIEW v AS SELECT id, nr AS x, is_ok(nr) AS y FROM customers',
    'CREATE MATERIALIZED VIEW mv AS SELECT count(*) FROM "Orders"',
    'CREATE RULE r AS ON INSERT TO secured DO ALSO NOTIFY secured',
    'ALTER TABLE secured ENABLE ROW LEVEL SECURITY',
    'ALTER POLICY p ON secured USING (may_see(id))',
    "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    'ALTER TABLE events DETACH PARTITION events_1',
    'CREATE TABLE parted (s text) PARTITION BY LIST ((citext(s)))',
    'CREATE TABLE child (extra int) INHERITS (customers)',
    'ALTER TABLE child NO INHERIT customers',
    'CREATE OR REPLACE FUNCTION may_see(int) RETURNS bool LANGUAGE sql IMMUTABLE AS $$select false$$',
    'ALTER FUNCTION is_ok(text) VOLATILE',
    'ALTER FUNCTION is_ok(text) RENAME TO is_fine',
    'ALTER SCHEMA other RENAME TO others',
    'ALTER TABLE others.customers RENAME TO clients',
    'ALTER TABLE others.clients SET SCHEMA public',
    'ALTER TYPE pair RENAME TO couple',
    'ALTER DOMAIN checked RENAME TO proven',
    'ALTER DOMAIN proven DROP CONSTRAINT checked_check',
    'ALTER DOMAIN proven ADD CHECK (is_fine(value)) NOT VALID',
    'CREATE OPERATOR ==== (leftarg = text, rightarg = text, function = same)',
    'DROP OPERATOR === (text, text)',
    'DROP CAST (text AS couple)',
    'ALTER EXTENSION citext DROP FUNCTION regexp_split_to_array(citext, citext)',
    'ALTER EXTENSION citext ADD FUNCTION regexp_split_to_array(citext, citext)',
    'CREATE EXTENSION hstore',
    'DROP EXTENSION hstore CASCADE',
    'CREATE TEMP TABLE mine (a int, b text)',
    'DROP TABLE mine',
    'CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE far (a int) SERVER s',
    'CREATE SEQUENCE counter',
    'DROP TABLE customers CASCADE',
    'DROP SCHEMA others CASCADE; CREATE SCHEMA others; CREATE TABLE others.customers (id int)',
  ])('%s', async (sql) => {
    const before = await reader.read();
    await admin.query(sql);
    expect(await reader.read()).not.toBe(before);
    expect(whole).toBe(false);
    await expectExact();
  });

  test('nothing has changed: the catalog is the same object', async () => {
    const before = await reader.read();
    await admin.query('CREATE TABLE kept (a int); INSERT INTO kept VALUES (1)');
    const made = await reader.read();
    expect(made).not.toBe(before);
    for (const sql of ['ANALYZE', 'VACUUM', 'GRANT SELECT ON kept TO PUBLIC', "COMMENT ON TABLE kept IS 'x'"])
      await admin.query(sql);
    await admin.query('BEGIN; DROP TABLE kept; CREATE TABLE other (a int); ROLLBACK');
    expect(await reader.read()).toBe(made);
    await expectExact();
  });

  test('what was not touched stays the object it was', async () => {
    await admin.query('CREATE TABLE still (a int)');
    const before = await reader.read();
    await admin.query('CREATE TABLE moved (a int)');
    const after = await reader.read();
    expect(after.lookupRelation('public', 'still')).toBe(before.lookupRelation('public', 'still'));
    expect(after.functions).toBe(before.functions);
    expect(before.lookupRelation('public', 'moved')).toBeUndefined();
  });
});

describe("the system's own objects", () => {
  test.each([
    'ALTER FUNCTION pg_catalog.lower(text) VOLATILE',
    "CREATE OR REPLACE FUNCTION pg_catalog.quote_nullable(text) RETURNS text LANGUAGE sql AS 'select null::text'",
    "CREATE FUNCTION pg_catalog.added(int) RETURNS int LANGUAGE sql AS 'select 1'",
    'DROP FUNCTION pg_catalog.added(int)',
    "UPDATE pg_proc SET provolatile = 'i' WHERE proname = 'random'",
    'ALTER TABLE pg_catalog.pg_description ADD COLUMN extra text',
    'DROP VIEW information_schema.role_udt_grants',
    'DELETE FROM pg_catalog.pg_cast WHERE castsource = 700 AND casttarget = 1700',
    'UPDATE pg_operator SET oprcode = (SELECT oid FROM pg_proc WHERE proname = $$same$$) WHERE oprname = $$~~$$',
  ])('%s', async (sql) => {
    const before = await reader.read();
    await admin.query(sql);
    expect(await reader.read()).not.toBe(before);
    expect(whole).toBe(false);
    await expectExact();
  });

  test('a view that leaves its schema is read from the start', async () => {
    await admin.query('ALTER VIEW information_schema.enabled_roles SET SCHEMA public');
    const after = await reader.read();
    expect(whole).toBe(true);
    expect(after.views.has(after.lookupRelation('public', 'enabled_roles')?.oid ?? 0)).toBe(true);
    await expectExact();
  });

  test('tables of the catalog are rewritten', async () => {
    for (const table of ['pg_class', 'pg_attribute', 'pg_proc', 'pg_depend'])
      await admin.query(`VACUUM FULL pg_catalog.${table}`);
    await expectExact();
    await admin.query('VACUUM FREEZE');
    await admin.query('CREATE TABLE after_all (a int); DROP FUNCTION IF EXISTS may_see(int) CASCADE');
    await expectExact();
  });
});

describe('transactions', () => {
  test('a change is there from its commit, however old its transaction is', async () => {
    await other.query('BEGIN; CREATE TABLE late (a int)');
    await admin.query('CREATE TABLE early (a int)');
    const early = await reader.read();
    expect(early.lookupRelation('public', 'early')).toBeDefined();
    expect(early.lookupRelation('public', 'late')).toBeUndefined();
    for (let i = 0; i < 3; i++) expect(await reader.read()).toBe(early);
    await other.query('COMMIT');
    expect((await reader.read()).lookupRelation('public', 'late')).toBeDefined();
    await expectExact();
    expect(whole).toBe(false);
  });

  test('rows change so that their numbers add up to the same', async () => {
    // Between the writers of two rows: a change by its number and its sum could not be told from none.
    await admin.query('CREATE FUNCTION one() RETURNS int LANGUAGE sql AS $$select 1$$');
    await other.query('BEGIN; SELECT pg_current_xact_id()');
    await admin.query('CREATE FUNCTION two() RETURNS int LANGUAGE sql AS $$select 2$$');
    await admin.query('CREATE FUNCTION three() RETURNS int LANGUAGE sql AS $$select 3$$');
    await expectExact();
    await other.query('ALTER FUNCTION one() IMMUTABLE; ALTER FUNCTION two() IMMUTABLE; COMMIT');
    await expectExact();
  });

  test('savepoints, prepared transactions, and what is undone', async () => {
    await admin.query('BEGIN; CREATE TABLE a1 (a int); SAVEPOINT s; CREATE TABLE a2 (a int)');
    await expectExact();
    await admin.query('ROLLBACK TO s; CREATE TABLE a3 (a int); SAVEPOINT s2; DROP TABLE a1; RELEASE s2');
    await admin.query("PREPARE TRANSACTION 'p'");
    await expectExact();
    await admin.query('CREATE TABLE a4 (a int); DROP TABLE a4');
    await expectExact();
    await admin.query("COMMIT PREPARED 'p'");
    await expectExact();
    const { known } = await compared();
    expect(known.filter((line) => /"a[1-4]"/.test(line) && line.includes('relation')).length).toBe(1);
  });

  test('many changes in any order, by two sessions, undone and not', async () => {
    const random = generator(20_240_601);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
    const name = () => `f${Math.floor(random() * 8)}`;
    const statements = changesOf(name);
    const [one, two] = [await connect(), await connect()];
    for (const client of [one, two]) await client.query("SET lock_timeout = '20ms'");
    for (let step = 0; step < 400; step++) {
      const client = pick([one, one, two]);
      const sql = random() < 0.25 ? pick(['BEGIN', 'COMMIT', 'ROLLBACK', 'COMMIT']) : pick(statements)();
      await client.query(sql).catch(() => undefined);
      if (random() < 0.4) await reader.read();
      if (step % 25 === 0) await expectExact();
    }
    for (const client of [one, two]) await client.query('ROLLBACK').catch(() => undefined);
    await expectExact();
    expect(whole).toBe(false);
  }, 60_000);
});

describe("a session's own transaction", () => {
  test('is known as it is, whichever settings the session has, with what others commit meanwhile', async () => {
    const random = generator(20_261_130);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
    const statements = changesOf(() => `f${Math.floor(random() * 8)}`);
    const own = await connect();
    for (const setting of [
      "TimeZone = 'Asia/Tokyo'",
      "DateStyle = 'SQL, DMY'",
      'search_path = others, public',
    ])
      await own.query(`SET ${setting}`);
    await own.query("SET standard_conforming_strings = off; SET lock_timeout = '20ms'; BEGIN");
    const connection = catalogConnection(own);
    const ask = async (sql: string) => (await connection.query(sql, 0))[0] ?? [];
    for (let step = 0; step < 150; step++) {
      await own.query('SAVEPOINT step');
      await own.query(pick(statements)()).catch(() => own.query('ROLLBACK TO step'));
      if (random() < 0.1) await own.query('ROLLBACK TO step');
      if (random() < 0.3) await other.query(`CREATE TABLE meanwhile_${step} (a int)`);
      if (random() < 0.1) await reader.read();
      if (step % 5 > 0) continue;
      const base = reader.base as CatalogBase;
      const known = await catalogInTransaction(base, ask);
      expect(known && catalogText(known)).toEqual(catalogText(await readWhole(ask)));
    }
    // What it knows is its own.
    await expectExact();
    await own.query('ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ');
    expect(await catalogInTransaction(reader.base as CatalogBase, ask)).toBeUndefined();
    await own.query('ROLLBACK');
  }, 60_000);
});

describe('what cannot be compared is read from the start', () => {
  test('after a failure, and on another server', async () => {
    const connection = catalogConnection(side);
    let [fails, otherServer] = [false, false];
    const asked: boolean[] = [];
    const careful = new CatalogReader({
      ...connection,
      query: async (sql, timeoutMs) => {
        if (!asksForTrees(sql)) asked.push(sql.includes('2147483647'));
        if (fails) throw new Error('lost');
        const results = await connection.query(sql, timeoutMs);
        if (!otherServer) return results;
        return results.map((rows) =>
          rows.map((row) => row.map((cell) => cell?.replace(/^20\d\d-/, '1999-') ?? null)),
        );
      },
    });
    await careful.read();
    await careful.read();
    fails = true;
    await expect(careful.read()).rejects.toThrow('lost');
    fails = false;
    await careful.read();
    otherServer = true;
    await careful.read();
    expect(asked).toEqual([true, false, false, true, false, true]);
  });
});

/** Changes of a few names, again and again. */
function changesOf(name: () => string): (() => string)[] {
  return [
    () => `CREATE TABLE ${name()} (a int PRIMARY KEY, b text DEFAULT same('a', 'b')::text, c int)`,
    () => `DROP TABLE IF EXISTS ${name()} CASCADE`,
    () => `ALTER TABLE ${name()} ADD COLUMN ${name()} int`,
    () => `ALTER TABLE ${name()} DROP COLUMN IF EXISTS ${name()}`,
    () => `ALTER TABLE ${name()} RENAME TO ${name()}`,
    () => `ALTER TABLE ${name()} ADD FOREIGN KEY (c) REFERENCES ${name()} ON DELETE SET NULL`,
    () => `CREATE VIEW v${name()} AS SELECT * FROM ${name()} WHERE same(b, 'x')`,
    () => `CREATE OR REPLACE FUNCTION ${name()}() RETURNS int LANGUAGE sql AS 'select 1'`,
    () => `DROP FUNCTION IF EXISTS ${name()}() CASCADE`,
    () => `CREATE INDEX ON ${name()} (same(b, 'x'))`,
    () => 'ALTER SCHEMA others RENAME TO others2',
    () => 'ALTER SCHEMA others2 RENAME TO others',
  ];
}

/** Numbers from 0 to 1, the same each time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
