import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Catalog } from '../../../src/protocols/postgres/catalog/model/model.ts';
import { CatalogReader } from '../../../src/protocols/postgres/catalog/reader.ts';
import { builtinClass } from '../../../src/protocols/postgres/catalog/system/functions.ts';
import { maskedColumns } from '../../../src/protocols/postgres/sql/meaning/lineage.ts';
import { planStatement, type StatementPlan } from '../../../src/protocols/postgres/sql/meaning/resolve.ts';
import { SqlParser } from '../../../src/protocols/postgres/sql/parse/parser.ts';
import { catalogConnection } from '../../support/postgres/catalog-connection.ts';
import { masksOf, scopeOf } from '../../support/postgres/masked-columns.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';

const SCHEMA = `
CREATE FUNCTION get_ssn(int) RETURNS text LANGUAGE sql STABLE AS 'select null::text';
CREATE FUNCTION total_of(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'select $1';
CREATE FUNCTION is_ok(text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select true';
CREATE FUNCTION next_code() RETURNS text LANGUAGE sql VOLATILE AS 'select null::text';
CREATE FUNCTION may_see(int) RETURNS bool LANGUAGE sql STABLE AS 'select true';
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
CREATE FUNCTION same(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select $1 = $2';
CREATE OPERATOR === (leftarg = text, rightarg = text, function = same);
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION to_pair(text) RETURNS pair LANGUAGE sql IMMUTABLE AS 'select row(1, 2)::pair';
CREATE CAST (text AS pair) WITH FUNCTION to_pair(text);
CREATE DOMAIN checked AS text CHECK (is_ok(value));
CREATE TABLE customers (id int PRIMARY KEY, name text, email text, ssn text UNIQUE, note text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers ON DELETE CASCADE, pan bigint);
CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE SET NULL ON UPDATE CASCADE,
  code text DEFAULT next_code(), label checked, size int CHECK (total_of(size) > 0));
CREATE INDEX ON items (total_of(order_id));
CREATE TRIGGER t AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE VIEW v_cust AS SELECT id, ssn AS x FROM customers;
CREATE VIEW v2 AS SELECT x AS a FROM v_cust WHERE get_ssn(id) IS NOT NULL;
CREATE VIEW v_stats AS SELECT most_common_vals::text AS m FROM pg_stats;
CREATE VIEW v_auth AS SELECT rolname FROM pg_authid;
CREATE VIEW v_file AS SELECT pg_read_file('x') AS f;
CREATE MATERIALIZED VIEW mv AS SELECT count(*) AS n, max(pan) AS k FROM orders;
CREATE TABLE events (at date, ip inet, id int) PARTITION BY RANGE (at);
CREATE TABLE events_2024 (id int, gone int, ip inet, at date);
ALTER TABLE events_2024 DROP COLUMN gone;
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE vip (level int) INHERITS (customers);
CREATE TABLE ruled (id int);
CREATE RULE r AS ON INSERT TO ruled DO ALSO NOTIFY ruled;
CREATE TABLE secured (id int);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secured USING (may_see(id) AND EXISTS (SELECT 1 FROM orders));
CREATE DOMAIN locking AS int CHECK (pg_try_advisory_lock(value));
CREATE TABLE busy (id serial PRIMARY KEY, at timestamptz DEFAULT now() CHECK (at > date '2000-01-01'), a text DEFAULT lower('A'),
  o oid DEFAULT lo_creat(-1), n int8 DEFAULT lastval() CHECK (pg_sleep(0) IS NOT NULL), l locking);
CREATE INDEX ON busy (upper(a)) WHERE id % 2 = 0;
CREATE STATISTICS busy_s ON (pg_try_advisory_lock(id)), a FROM busy;
CREATE POLICY p ON busy USING (at > now() AND pg_relation_size('busy') > 0 AND pg_try_advisory_xact_lock(id));
ALTER TABLE busy ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER t BEFORE UPDATE ON busy FOR EACH ROW WHEN (pg_advisory_unlock(OLD.id))
  EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE VIEW v_late AS SELECT id FROM customers WHERE id > 1 AND now() > date '2000-01-01';
CREATE SCHEMA other;
CREATE TABLE other.customers (id int);
CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE EXTENSION tablefunc;
`;

const TAGS = new Map([
  ['public.customers.ssn', ['pii.national-id']],
  ['public.customers.email', ['pii.email']],
  ['public.orders.pan', ['pii.card']],
  ['public.events.ip', ['pii.ip']],
]);

let server: PostgresServer;
let client: pg.Client;
let catalog: Catalog;
let parser: SqlParser;

async function query(sql: string): Promise<(string | null)[][]> {
  const types = { getTypeParser: () => (value: string) => value };
  const { rows } = await client.query<(string | null)[]>({ text: sql, rowMode: 'array', types } as never);
  return rows;
}

beforeAll(async () => {
  server = await startPostgres({ sql: SCHEMA });
  parser = new SqlParser();
  const { user, password } = server.admin;
  const ssl = { ca: readFileSync(server.caFile, 'utf8') };
  client = new pg.Client({
    host: server.host,
    port: server.port,
    database: server.database,
    user,
    password,
    ssl,
  });
  await client.connect();
  catalog = await new CatalogReader(catalogConnection(client)).read();
});

afterAll(async () => {
  await client?.end();
  await parser?.close();
  await server?.stop();
});

async function plan(sql: string, explains = false): Promise<StatementPlan> {
  const { statements } = await parser.parse(sql);
  return planStatement(statements[0]!, catalog, {
    ...masksOf(catalog, TAGS),
    names: scopeOf(catalog),
    searchPaths: [],
    explains,
  });
}

async function pairs(sql: string): Promise<string[]> {
  return (await plan(sql)).pairs.map(({ action, object }) => `${action} ${object.id.replace('pg/', '')}`);
}

function masked(schema: string, name: string): string[] {
  const relation = catalog.lookupRelation(schema, name);
  return relation === undefined
    ? ['unknown']
    : [...maskedColumns(relation, masksOf(catalog, TAGS).isMasked)].sort();
}

describe('the catalog of a real server', () => {
  test('relations, their kinds and columns', () => {
    const kind = (name: string) => scopeOf(catalog).relation(undefined, name).relation?.kind;
    expect(['customers', 'v_cust', 'mv', 'events', 'pg_class'].map(kind)).toEqual([
      'table',
      'view',
      'matview',
      'partitioned',
      'table',
    ]);
    expect(catalog.serverVersion).toBeGreaterThanOrEqual(130_000);
    const items = catalog.lookupRelation('public', 'items');
    expect(items?.columns.get('code')).toMatchObject({ attnum: 3, hasDefault: true, generated: false });
    const partition = catalog.lookupRelation('public', 'events_2024');
    expect(partition?.columns.get('ip')?.attnum).toBe(3);
    expect(catalog.lookupRelation('other', 'customers')?.columns.size).toBe(1);
    expect(catalog.lookupRelation('public', 'secured')?.rowSecurity).toBe(true);
  });

  test('masks reach views, partitions, children and parents by name', () => {
    expect(masked('public', 'customers')).toEqual(['email', 'ssn']);
    expect(masked('public', 'vip')).toEqual(['email', 'ssn']);
    expect(masked('public', 'v_cust')).toEqual(['x']);
    expect(masked('public', 'v2')).toEqual(['a']);
    expect(masked('public', 'mv')).toEqual(['k']);
    expect(masked('public', 'events_2024')).toEqual(['ip']);
    expect(masked('other', 'customers')).toEqual([]);
    const tags = (name: string) => masksOf(catalog, TAGS).tagsOf(catalog.lookupRelation('public', name)!.oid);
    expect(tags('v2')).toEqual(['pii.national-id']);
    expect(tags('vip')).toEqual(['pii.email', 'pii.national-id']);
    expect(tags('items')).toEqual([]);
  });

  test('what the server does by itself becomes pairs', async () => {
    expect(await pairs('insert into orders(id) values (1)')).toEqual([
      'sql.insert public.orders',
      'sql.call public.note_change',
    ]);
    expect(new Set(await pairs('insert into items(id) values (1)'))).toEqual(
      new Set([
        'sql.insert public.items',
        'sql.call public.next_code',
        'sql.call public.is_ok',
        'sql.call public.total_of',
      ]),
    );
    expect(new Set(await pairs('delete from customers where id = 1'))).toEqual(
      new Set([
        'sql.delete public.customers',
        'sql.delete public.vip',
        'sql.delete public.orders',
        'sql.update public.items',
        'sql.call public.next_code',
        'sql.call public.is_ok',
        'sql.call public.total_of',
      ]),
    );
    expect(await pairs('update orders set pan = 1 where id = 1')).not.toContain('sql.update public.items');
    expect(await pairs('update orders set id = 2 where id = 1')).toContain('sql.update public.items');
    expect(await pairs('select 1 from v2')).toEqual([
      'sql.select public.v2',
      'sql.call public.get_ssn',
      'sql.select public.v_cust',
      'sql.select public.customers',
      'sql.select public.vip',
    ]);
    expect(await pairs('select 1 from secured')).toEqual([
      'sql.select public.secured',
      'sql.call public.may_see',
      'sql.select public.orders',
    ]);
    expect(await pairs("select 'a' === 'b'")).toEqual(['sql.call public.same']);
    expect(await pairs("select 'a'::text::pair")).toEqual(['sql.call public.to_pair']);
    expect(await pairs("select 'a'::checked")).toEqual(['sql.call public.is_ok']);
    expect(await pairs('select f from v_file')).toContain('sql.call pg_catalog.pg_read_file');
    expect((await plan('insert into ruled values (1)')).refusal?.rule).toBe('rewrite-rule');
    expect((await plan('update pg_settings set setting = 1')).refusal?.rule).toBe('rewrite-rule');
  });

  test("PostgreSQL's own functions in what is stored become pairs, where they do more than compute", async () => {
    const call = (name: string) => `sql.call pg_catalog.${name}`;
    const policy = call('pg_try_advisory_xact_lock');
    expect(new Set(await pairs('insert into busy default values'))).toEqual(
      new Set([
        'sql.insert public.busy',
        policy,
        ...['lo_creat', 'lastval', 'pg_sleep', 'pg_try_advisory_lock'].map(call),
      ]),
    );
    expect(await pairs('update busy set a = null where id = 1')).toContain(call('pg_advisory_unlock'));
    expect(await pairs('select id from busy')).toEqual(['sql.select public.busy', policy]);
    expect(await pairs('analyze busy')).toContain(call('pg_try_advisory_lock'));
    expect(await pairs("select '1'::locking")).toEqual([call('pg_try_advisory_lock')]);
    expect(await pairs('select id from v_late')).toEqual([
      'sql.select public.v_late',
      'sql.select public.customers',
      'sql.select public.vip',
    ]);
  });

  test('a view over sensitive catalogs is as sensitive', async () => {
    expect((await plan('select m from v_stats')).refusal?.rule).toBe('sensitive-catalog');
    expect((await plan('select rolname from v_auth')).refusal?.rule).toBe('sensitive-catalog');
  });

  test('extensions: overloads of built-in names stay usable, their own functions need a permit', async () => {
    expect(await pairs("select replace('a', 'b', 'c'), max(id) from other.customers where id = 1")).toEqual([
      'sql.select other.customers',
    ]);
    expect(await pairs("select 5 % 2, 'a' || 'b', '{}'::jsonb -> 'a'")).toEqual(['connect pg']);
    expect(await pairs("select similarity('a', 'b')")).toEqual(['sql.call public.similarity']);
    expect(await pairs("select * from crosstab('select ssn from customers') as t(a text)")).toEqual([
      'sql.call public.crosstab',
    ]);
    expect(await pairs("select ('select ssn from customers'::text).crosstab2")).toEqual([
      'sql.call public.crosstab2',
    ]);
  });

  test('every function in our lists that this server lacks is a newer one’s', async () => {
    const known = new Set(
      (await query(`SELECT DISTINCT proname FROM pg_catalog.pg_proc`)).map(([name]) => name ?? ''),
    );
    expect(
      ['lower', 'count', 'now', 'jsonb_set', 'format_type', 'nextval'].every((name) => known.has(name)),
    ).toBe(true);
    // Nothing with effects slipped into a list because its name looks harmless.
    const effects = [...known].filter((name) =>
      /^(lo_|pg_read|pg_ls_|pg_stat_get|pg_stat_reset|pg_terminate|pg_cancel|pg_reload|pg_rotate|pg_logical|pg_replication|binary_upgrade|query_to|table_to|schema_to|database_to|cursor_to|pg_create|pg_drop|pg_copy|pg_switch|pg_promote|pg_import|currtid|ts_stat|ts_rewrite|pg_event_trigger|pg_backup|pg_start|pg_stop|pg_wal_replay)/.test(
        name,
      ),
    );
    expect(effects.length).toBeGreaterThan(100);
    // But for a counter that `pg_stat_all_indexes` has too, and DBeaver asks of every index.
    expect(effects.filter((name) => builtinClass(name) !== 'unsafe')).toEqual(['pg_stat_get_numscans']);
  });

  describe('what an explained statement names and the server does not have', () => {
    test.each([
      ['select nmae from orders', ['nmae'], '42703'],
      ['select o.nmae from orders o', ['o.nmae'], '42703'],
      ['select x.id from orders o', ['x'], '42P01'],
      ['select x.* from orders o', ['x'], '42P01'],
      [
        'select id from orders where (select 1 from items i where i.order_id = orders.iid) = 1',
        ['orders.iid'],
        '42703',
      ],
      ['select id from orders order by pann', ['pann'], '42703'],
      ['with c as (select id from orders) select pan from c', ['pan'], '42703'],
      ['select lowwer(code) from items', ['lowwer()'], '42883'],
      ['select other.lower(code) from items', ['other.lower()'], '42883'],
      ['select id::integr from orders', ['integr'], '42704'],
      ['select (to_pair(code)).c from items', ['c'], '42703'],
      ['update orders set pan = pam', ['pam'], '42703'],
      ['update orders set pam = pan', ['orders.pam'], '42703'],
      ['insert into orders (id) select idd from items', ['idd'], '42703'],
      ['delete from orders where idd = 1', ['idd'], '42703'],
      ['explain select nmae from orders', ['nmae'], '42703'],
      ['select nope.id from nope', ['nope'], '42P01'],
      ['select sn from customers', ['sn'], '42703'],
      // What is there, and what PostgreSQL finds by other means.
      ['select orders, orders.ctid, tableoid from orders', [], undefined],
      [
        'select code.lower, customers.get_ssn from items code, (select id from customers) customers',
        ['code.lower'],
        '42703',
      ],
      ['select "user"(), current_user, excluded.id from orders excluded', ['user()'], '42883'],
      [
        'insert into orders values (1) on conflict (id) do update set pan = excluded.pan + orders.pan',
        [],
        undefined,
      ],
      ['select id from orders where pan = $1', [], undefined],
    ] as const)('%s', async (sql, lacks, code) => {
      expect((await plan(sql, true)).lacks).toEqual(lacks);
      const text = sql.startsWith('explain') ? sql : `prepare tried as ${sql}`;
      const said = client.query(`begin; ${text}`).then(
        () => undefined,
        (error: { code?: string }) => error.code,
      );
      expect(await said.finally(() => client.query('rollback; deallocate all'))).toBe(code);
    });
  });
});
