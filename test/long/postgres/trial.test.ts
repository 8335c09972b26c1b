import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SqlParser } from '../../../src/protocols/postgres/sql/parse/parser.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';
import { type How, TrialTarget } from '../../support/postgres/trials.ts';
import { eventually } from '../../support/waiting.ts';

const SQL = `
CREATE ROLE hoop LOGIN PASSWORD 'hunter2';
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, country text CHECK (country <> 'XX'));
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE, status text);
CREATE TABLE invoices (id int PRIMARY KEY,
  customer int REFERENCES customers DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE log (what text);
CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN INSERT INTO log VALUES (TG_OP || ' -- ' || 'EXECUTE'); /* nextval('s') */ PERFORM pg_notify('c', 'x'); RETURN NULL; END $$;
CREATE TRIGGER logged AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION logged();
CREATE TABLE owned (id int, owner text);
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON owned USING (owner = current_user);
CREATE TABLE days (day date, v int) PARTITION BY RANGE (day);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW german AS SELECT id, name, country FROM customers WHERE country = 'DE';
CREATE SEQUENCE s;
CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY, v int);
CREATE TABLE serials (id bigserial, v int);
CREATE TABLE hidden (v int);
CREATE FUNCTION by_text() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN EXECUTE 'SELECT nextv' || 'al(''s'')'; RETURN NEW; END $$;
CREATE TRIGGER by_text BEFORE UPDATE ON hidden FOR EACH ROW EXECUTE FUNCTION by_text();
CREATE TABLE deep (v int);
CREATE FUNCTION counts() RETURNS int LANGUAGE sql AS $$ SELECT nextval('s')::int $$;
CREATE FUNCTION calls() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v := counts(); RETURN NEW; END $$;
CREATE TRIGGER calls BEFORE UPDATE ON deep FOR EACH ROW EXECUTE FUNCTION calls();
CREATE TABLE checked (v int CHECK (v < nextval('s') + 1000));
CREATE TABLE policed (v int);
ALTER TABLE policed ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON policed USING (nextval('s') > 0);
CREATE TABLE ruled (v int);
CREATE RULE r AS ON UPDATE TO ruled DO ALSO DELETE FROM log;
CREATE VIEW counting AS SELECT v, nextval('s') AS n FROM hidden;
CREATE TABLE catching (v int);
CREATE FUNCTION catches() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN BEGIN INSERT INTO log VALUES ('undone'); PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END; RETURN NEW; END $$;
CREATE TRIGGER catches BEFORE UPDATE ON catching FOR EACH ROW EXECUTE FUNCTION catches();
CREATE TABLE conditional (v int);
CREATE TRIGGER conditional AFTER UPDATE ON conditional FOR EACH ROW WHEN (nextval('s') < 0) EXECUTE FUNCTION logged();
CREATE TABLE defaulted (v int DEFAULT nextval('s'), w int);
CREATE TABLE refers (id int, c int DEFAULT 7 REFERENCES customers ON DELETE SET DEFAULT);
CREATE TABLE telling (v text);
CREATE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION 'is %', OLD.v USING ERRCODE = '23514', CONSTRAINT = OLD.v, TABLE = OLD.v; END $$;
CREATE TRIGGER tells BEFORE UPDATE ON telling FOR EACH ROW EXECUTE FUNCTION tells();
INSERT INTO telling VALUES ('secret-4711');
CREATE TABLE blocks (v int);
CREATE FUNCTION block() RETURNS trigger LANGUAGE plpgsql AS $f$
  BEGIN INSERT INTO log VALUES ('x') ON CONFLICT DO NOTHING; DO $$ BEGIN PERFORM nextval('s'); END $$; RETURN NEW; END $f$;
CREATE TRIGGER block BEFORE UPDATE ON blocks FOR EACH ROW EXECUTE FUNCTION block();
INSERT INTO blocks VALUES (1);
CREATE TABLE slow (v int);
INSERT INTO customers SELECT i, 'c' || i, CASE WHEN i % 2 = 0 THEN 'DE' ELSE 'FR' END FROM generate_series(1, 10) i;
INSERT INTO orders SELECT i, (i + 1) / 2, 'open' FROM generate_series(1, 20) i;
INSERT INTO owned SELECT i, CASE WHEN i < 4 THEN 'hoop' ELSE 'other' END FROM generate_series(1, 9) i;
INSERT INTO days VALUES ('2025-05-05', 1), ('2026-05-05', 2);
INSERT INTO hidden VALUES (1); INSERT INTO deep VALUES (1); INSERT INTO catching VALUES (1);
INSERT INTO conditional VALUES (1); INSERT INTO slow VALUES (1); INSERT INTO policed VALUES (1);
DROP TABLE refers;
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO hoop;
`;

describe('a statement that is tried out', () => {
  let server: PostgresServer;
  let target: TrialTarget;
  const parser = new SqlParser();
  beforeAll(async () => {
    const hba = ['host all hoop 127.0.0.1/32 scram-sha-256'];
    const settings = { max_prepared_transactions: '2' };
    server = await startPostgres({ database: 'shop', sql: SQL, hba, settings });
    target = new TrialTarget(parser, server.port);
  });
  afterAll(async () => {
    await target?.adapter.close();
    await server?.stop();
    await parser.close();
  });

  const tried = (sql: string, how: How = {}) => target.tried(sql, how);
  const change = (object: string, [inserted, updated, deleted]: [number, number, number]) => ({
    object: `public.${object}`,
    inserted,
    updated,
    deleted,
  });

  /** All rows of all tables, where sequences stand, and what anybody holds. */
  const state = () =>
    server.psql(`
      SELECT pg_catalog.md5(pg_catalog.string_agg(t.row, ',' ORDER BY t.row)) FROM (
        SELECT 'c' || customers::text FROM customers UNION ALL SELECT 'o' || orders::text FROM orders
        UNION ALL SELECT 'l' || log::text FROM log UNION ALL SELECT 'w' || owned::text FROM owned
        UNION ALL SELECT 'd' || days::text FROM days UNION ALL SELECT 'h' || hidden::text FROM hidden
        UNION ALL SELECT 's' || last_value || is_called FROM s
        UNION ALL SELECT 'n' || last_value || is_called FROM numbered_id_seq
        UNION ALL SELECT 'x' || last_value || is_called FROM serials_id_seq
        UNION ALL SELECT 'lo' || oid FROM pg_largeobject_metadata
        UNION ALL SELECT 'rel' || oid FROM pg_class UNION ALL SELECT 'fn' || oid || prosrc FROM pg_proc
        UNION ALL SELECT 'gid' || gid FROM pg_prepared_xacts
        UNION ALL SELECT 'lock' || locktype FROM pg_locks WHERE locktype = 'advisory') AS t(row)`);
  const sessions = () =>
    server.psql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hoopd trial'");
  let before: string;
  beforeEach(async () => {
    before = await state();
  });
  const nothingRemains = async () => {
    await eventually('its connection is gone', async () => (await sessions()) === '0');
    expect(await state()).toBe(before);
  };

  it.each([
    ['ISO, MDY', 1],
    ['SQL, DMY', 2],
  ])('reads literals as its session would: %s', async (style, rows) => {
    const settings = new Map([
      ['datestyle', style],
      ['timezone', 'Europe/Berlin'],
      ['standard_conforming_strings', 'on'],
    ]);
    expect(await tried("UPDATE days SET v = 0 WHERE day < '04/06/2026'", { settings })).toMatchObject({
      rows,
    });
    await nothingRemains();
  });

  it.each<[string, string, number, ReturnType<typeof change>[]]>([
    [
      'rows by a condition',
      "UPDATE customers SET name = 'x' WHERE country = 'DE'",
      5,
      [change('customers', [0, 5, 0])],
    ],
    ['a semicolon behind it', "UPDATE customers SET name = 'x';", 10, [change('customers', [0, 10, 0])]],
    ['none', 'DELETE FROM orders WHERE false', 0, []],
    [
      'what triggers do',
      "UPDATE orders SET status = 'x' WHERE id < 4",
      3,
      [change('log', [3, 0, 0]), change('orders', [0, 3, 0])],
    ],
    [
      'what foreign keys do',
      'DELETE FROM customers WHERE id <= 3',
      3,
      [change('customers', [0, 0, 3]), change('orders', [0, 0, 6])],
    ],
    ['only rows that the role may see', 'DELETE FROM owned', 3, [change('owned', [0, 0, 3])]],
    [
      'rows that move to another partition',
      "UPDATE days SET day = '2026-06-06' WHERE v = 1",
      1,
      [change('days_1', [0, 0, 1]), change('days_2', [1, 0, 0])],
    ],
    ['a table below a view', "UPDATE german SET name = 'x'", 5, [change('customers', [0, 5, 0])]],
    ['rows that come', 'INSERT INTO log SELECT name FROM customers', 10, [change('log', [10, 0, 0])]],
    [
      'all that one statement does',
      'WITH gone AS (DELETE FROM orders WHERE id > 18 RETURNING id) INSERT INTO log SELECT id::text FROM gone',
      2,
      [change('log', [2, 0, 0]), change('orders', [0, 0, 2])],
    ],
    [
      'an upsert, and its rows',
      "INSERT INTO customers VALUES (1, 'a', 'DE'), (98, 'b', 'DE') ON CONFLICT (id) DO UPDATE SET name = 'y' RETURNING *",
      2,
      [change('customers', [1, 1, 0])],
    ],
  ])('counts %s', async (___, sql, rows, changes) => {
    const { first: _, notShown: __, ...counted } = await tried(sql);
    expect(counted).toEqual({
      command: sql.trim().split(' ')[0] === 'WITH' ? 'INSERT' : sql.split(' ')[0],
      rows,
      changes,
      changed: true,
      catches: false,
    });
    await nothingRemains();
  });

  it('counts a merge, where there is one', async () => {
    const merge =
      "MERGE INTO customers c USING (VALUES (1), (99)) v(id) ON c.id = v.id WHEN MATCHED THEN UPDATE SET name = 'x' " +
      "WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'new', 'DE')";
    const since15 = (await server.psql('SHOW server_version_num')) >= '150000';
    expect(await tried(merge)).toMatchObject(
      since15
        ? { command: 'MERGE', rows: 2, changes: [change('customers', [1, 1, 0])] }
        : { fails: { status: '42601' } },
    );
    await nothingRemains();
  });

  it('counts by its parameters, as they were given', async () => {
    const sql = 'UPDATE customers SET name = $1 WHERE id = $2::int OR country IS NULL AND $3::text IS NULL';
    expect(await tried(sql, { values: ["it's", '7', null] })).toMatchObject({ rows: 1 });
    await nothingRemains();
  });

  it('counts what code undid by itself, and says so', async () => {
    expect(await tried('UPDATE catching SET v = 2')).toMatchObject({ rows: 1, catches: true });
    await nothingRemains();
  });

  it.each<[string, string, string, string]>([
    ['at once', "UPDATE customers SET country = 'XX'", '23514', 'customers_country_check'],
    ['only at its end', 'INSERT INTO invoices VALUES (1, 4711)', '23503', 'invoices_customer_fkey'],
    ['for it may not', 'DELETE FROM pg_catalog.pg_class', '42501', ''],
    ['by a value', 'UPDATE customers SET id = 1 / (id - id)', '22012', ''],
    ['as a function words it', "UPDATE telling SET v = 'x'", '23514', ''],
  ])('says that it would fail %s, without its values', async (_, sql, status, words) => {
    const { fails, changes } = await tried(sql);
    expect(fails?.status).toBe(status);
    expect(fails?.reason).toContain(words);
    expect(fails?.reason).not.toContain('4711');
    expect(changes).toEqual([]);
    await nothingRemains();
  });

  it.each<[string, string, string]>([
    ['a sequence by name', "INSERT INTO log SELECT nextval('s')::text", 'nextval'],
    ['a sequence set', "UPDATE log SET what = setval('s', 9)::text", 'setval'],
    ['a sequence by a default', 'INSERT INTO serials (v) VALUES (1)', 'nextval'],
    ['a sequence by an identity', 'INSERT INTO numbered (v) VALUES (1)', 'sequence'],
    ['a default that is asked for', 'UPDATE defaulted SET v = DEFAULT', 'nextval'],
    ['a trigger that runs text', 'UPDATE hidden SET v = 2', 'EXECUTE'],
    ['a trigger whose function calls one that counts', 'UPDATE deep SET v = 2', 'nextval'],
    ['a function that counts', 'UPDATE log SET what = counts()::text', 'nextval'],
    ['a quoted name', 'UPDATE log SET what = "counts"()::text', 'nextval'],
    ['a name in capitals', 'UPDATE log SET what = COUNTS()::text', 'nextval'],
    ['a trigger that runs a block', 'UPDATE blocks SET v = 2', 'DO'],
    [
      'a merge that may count',
      'MERGE INTO ONLY serials t USING log ON false WHEN NOT MATCHED THEN INSERT (v) VALUES (1)',
      'nextval',
    ],
    ['a check', 'UPDATE checked SET v = 2', 'nextval'],
    ['a policy', 'UPDATE policed SET v = 2', 'nextval'],
    ['a rule', 'UPDATE ruled SET v = 2', 'rule'],
    ['a view that counts', "UPDATE log SET what = 'x' FROM counting", 'nextval'],
    ["a trigger's condition", 'UPDATE conditional SET v = 2', 'nextval'],
    ['a large object', 'UPDATE log SET what = lo_creat(-1)::text', 'lo_creat'],
    ['a lock of the session', 'UPDATE log SET what = pg_advisory_lock(1)::text', 'pg_advisory_lock'],
    ['a file', "UPDATE log SET what = pg_read_file('x')", 'pg_read_file'],
    ['a setting', "UPDATE log SET what = set_config('a.b', 'c', false)", 'set_config'],
    ['a backend', 'UPDATE log SET what = pg_terminate_backend(1)::text', 'pg_terminate_backend'],
    ['a name by escapes', 'UPDATE log SET what = U&"c\\006Funts"()::text', 'cannot be read'],
    ['a schema change', 'ALTER TABLE log ADD c int', 'ALTER TABLE'],
    ['an empty table', 'TRUNCATE log', 'TRUNCATE'],
    ['a query', 'SELECT 1', 'SELECT'],
    ['a block', 'DO $$ BEGIN DELETE FROM log; END $$', 'DO'],
    ['a transaction', 'COMMIT', 'COMMIT'],
    ['another one', "PREPARE TRANSACTION 'x'", 'PREPARE TRANSACTION'],
    ['an explanation', 'EXPLAIN ANALYZE DELETE FROM log', 'EXPLAIN'],
    ['a copy', 'COPY log FROM STDIN', 'COPY'],
    ['a notification', 'NOTIFY c', 'NOTIFY'],
    ['a cleaning', 'VACUUM log', 'VACUUM'],
    ['two', 'DELETE FROM log; COMMIT', 'one statement'],
    ['none', '-- nothing', 'one statement'],
  ])('does not try %s', async (_, sql, words) => {
    await expect(tried(sql)).rejects.toMatchObject({
      code: 'ERR_NOT_TRIED',
      message: expect.stringContaining(words),
    });
    await nothingRemains();
  });

  it.each<[string, How, string]>([
    ['in another role', { user: 'somebody' }, 'role'],
    ['where names are looked up elsewhere', { schemas: ['pg_catalog', 'gone'] }, 'elsewhere'],
    ['beside temporary tables', { schemas: ['pg_temp_3', 'pg_catalog', 'public'] }, 'temporary'],
  ])('does not try what would run %s', async (_, how, words) => {
    await expect(tried('DELETE FROM log', how)).rejects.toMatchObject({
      message: expect.stringContaining(words),
    });
    await nothingRemains();
  });

  it('waits for no lock, holds none for long, and lets go when nobody waits', async () => {
    const other = new pg.Client({
      connectionString: `postgres://hoop:hunter2@127.0.0.1:${server.port}/shop`,
    });
    await other.connect();
    await other.query("BEGIN; UPDATE customers SET name = 'theirs' WHERE id = 2");
    const startedAt = performance.now();
    expect(await tried("UPDATE customers SET name = 'x'")).toMatchObject({ fails: { status: '55P03' } });
    expect(performance.now() - startedAt).toBeLessThan(5000);
    await other.query('ROLLBACK');

    const slow = 'UPDATE slow SET v = 2 WHERE (SELECT count(*) FROM generate_series(1, 2000000000)) > 0';
    const trial = tried(slow);
    await eventually('it runs', async () => (await sessions()) === '1');
    const waited = performance.now();
    await other.query('UPDATE slow SET v = 3');
    expect(performance.now() - waited).toBeLessThan(3000);
    expect(await trial).toMatchObject({ fails: { status: '57014' } });
    await other.query('UPDATE slow SET v = 1');

    const gone = new AbortController();
    const left = tried(slow, { signal: gone.signal });
    const refused = expect(left).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) });
    await eventually('it runs', async () => (await sessions()) === '1');
    gone.abort();
    await refused;
    await nothingRemains();
    await other.end();
  });
});
