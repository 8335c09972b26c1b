/**
 * Where masked columns may go by a statement's analysis, at a real catalog: what names alone would have refused is carried and
 * masked, and what does more with one is still refused. Whether any of it leaks is tried by chance in `carried-columns`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MaskedDatabase, maskedDatabase } from '../../support/postgres/masked-database.ts';

const SCHEMA = `
CREATE TABLE customers (id int PRIMARY KEY, name varchar(40), email text, note text);
CREATE TABLE orders (id int PRIMARY KEY, customer int, total numeric, note text);
CREATE VIEW seen AS SELECT id, email AS mail FROM customers;
CREATE VIEW running AS SELECT query FROM pg_stat_activity;
CREATE TYPE word AS (w text);
CREATE FUNCTION word_of(text) RETURNS word LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1)::word';
CREATE CAST (text AS word) WITH FUNCTION word_of(text) AS IMPLICIT;`;
const TAGS = new Map([['public.customers.email', ['pii']]]);

let database: MaskedDatabase;

beforeAll(async () => {
  database = await maskedDatabase(SCHEMA, TAGS);
});

afterAll(() => database?.stop());

/** Statement → columns of the result that may be shown where the server does not say what they are. */
const CARRIED: readonly (readonly [sql: string, shown: readonly number[]])[] = [
  ['SELECT email COLLATE "C", id FROM customers', [1]],
  ['SELECT name::text, (SELECT email) FROM customers', [0]],
  ['SELECT (c).* FROM customers c', [0, 1, 3]],
  ['SELECT m, t FROM customers c (i, n, m, t)', [1]],
  ['SELECT s.m, upper(s.n) FROM (SELECT email AS m, name AS n FROM customers) s', [1]],
  ['SELECT f.n, c.email FROM customers c, generate_series(1, c.id) f(n)', [0]],
  ['SELECT mail, count(*) OVER (PARTITION BY id) FROM seen', [1]],
  ["SELECT 'x', id FROM customers UNION ALL SELECT email, id FROM customers", [1]],
  ['SELECT EXISTS (SELECT email FROM customers)', [0]],
  ['WITH u AS (UPDATE customers SET note = $1 RETURNING *) SELECT * FROM u', [0, 1, 3]],
  [
    'WITH RECURSIVE r (k, m) AS (SELECT 1, email FROM customers UNION ALL SELECT k + 1, m FROM r WHERE k < 3) TABLE r',
    [0],
  ],
  [
    'INSERT INTO customers (id, email) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET email = excluded.email RETURNING id',
    [0],
  ],
  ['SELECT o.total, c.email FROM orders o LEFT JOIN customers c ON c.id = o.customer ORDER BY o.total', [0]],
  ['SELECT c.id, o.note FROM customers c FULL JOIN orders o USING (id)', [0, 1]],
  ['SELECT (s.c).name, (s.c).email, (s.c).note FROM (SELECT c FROM customers c) s', [0, 2]],
  ['SELECT s.c, s.id FROM (SELECT c, id FROM customers c) s', [1]],
  [
    'WITH s AS (SELECT c, o.total FROM customers c JOIN orders o ON o.customer = c.id) SELECT (c).name, total FROM s',
    [0, 1],
  ],
  ['SELECT upper((s.c).name) FROM (SELECT c FROM customers c) s WHERE (s.c).id > 1 ORDER BY (s.c).name', [0]],
  ['SELECT (SELECT c FROM customers c LIMIT 1), 1', [1]],
  ['SELECT (j).name, (j).mail FROM (SELECT j FROM (customers c JOIN seen s USING (id)) j) q', [0]],
  [
    'SELECT (v.x).note FROM (SELECT s FROM seen s) q, LATERAL (SELECT o FROM orders o) v (x) WHERE (q.s).id = (v.x).id',
    [0],
  ],
  ['SELECT (s.c).id, s.c FROM (SELECT c FROM customers c UNION ALL SELECT c FROM customers c) s', []],
];

const REFUSED: readonly string[] = [
  'SELECT c FROM customers c',
  'SELECT s FROM (SELECT c FROM customers c) s',
  'SELECT DISTINCT s.c FROM (SELECT c FROM customers c) s',
  'SELECT s.c::text FROM (SELECT c FROM customers c) s',
  'SELECT count(s.c) FROM (SELECT c FROM customers c) s',
  'SELECT row_to_json(s.c) FROM (SELECT c FROM customers c) s',
  "SELECT (s.c).email || '' FROM (SELECT c FROM customers c) s",
  'SELECT (s.c).id FROM (SELECT c FROM customers c) s ORDER BY (s.c).email',
  'SELECT (s.c).id FROM (SELECT c FROM customers c) s ORDER BY s.c',
  'SELECT 1 FROM (SELECT c FROM customers c) s WHERE s.c IS NULL',
  'SELECT 1 FROM (SELECT c FROM customers c) s JOIN (SELECT c FROM customers c) t USING (c)',
  'SELECT c FROM customers c UNION SELECT c FROM customers c',
  'SELECT ARRAY(SELECT c FROM customers c)',
  'SELECT (ROW(c.email, c.id)::customers).name FROM customers c',
  'WITH w AS (SELECT c FROM customers c) INSERT INTO orders (id, note) SELECT (w.c).id, (w.c).email FROM w',
  'WITH RECURSIVE r (c) AS (SELECT c FROM customers c UNION SELECT c FROM r) SELECT (c).id FROM r',
  'SELECT email::varchar(3) FROM customers',
  "SELECT email || '' FROM customers",
  'SELECT id FROM customers ORDER BY email',
  'SELECT m FROM (SELECT email AS m FROM customers) s GROUP BY m',
  'SELECT DISTINCT mail FROM seen',
  'SELECT email FROM customers UNION SELECT note FROM orders',
  'SELECT note, id FROM orders UNION ALL SELECT email, id FROM customers ORDER BY 1',
  'SELECT o.id FROM orders o JOIN customers c ON c.email = o.note',
  'SELECT o.id FROM orders o JOIN (SELECT email AS note FROM customers) c USING (note)',
  'SELECT id FROM orders WHERE note IN (SELECT email FROM customers)',
  'SELECT id FROM customers LIMIT (SELECT length(email) FROM customers LIMIT 1)',
  'SELECT count(email) FROM customers',
  'SELECT array_agg(email) FROM customers',
  'SELECT ARRAY(SELECT email FROM customers)',
  'SELECT rank() OVER (ORDER BY email) FROM customers',
  'SELECT f FROM customers, regexp_split_to_table(email, $1) f',
  'SELECT v FROM customers, LATERAL (VALUES (email)) v (v) WHERE v = $1',
  'WITH RECURSIVE r (a, b) AS (SELECT name::text, email FROM customers UNION ALL SELECT b, a FROM r WHERE a > $1) SELECT 1 FROM r',
  'INSERT INTO orders (id, note) SELECT id, email FROM customers',
  'UPDATE orders SET note = (SELECT email FROM customers c WHERE c.id = customer)',
  'UPDATE customers SET note = email',
  'MERGE INTO orders o USING customers c ON o.customer = c.id WHEN MATCHED THEN UPDATE SET note = c.email',
  'DELETE FROM orders USING customers c WHERE c.email = orders.note',
];

describe('a masked column that is only carried', () => {
  test.each(CARRIED)('%s', async (sql, shown) => {
    const { refusal, safeColumns } = await database.planOf(sql);
    expect([refusal, safeColumns]).toEqual([undefined, shown]);
  });
});

test('a plan that is to run keeps nothing of its analysis', async () => {
  const held = Object.values(await database.planOf('SELECT id, email FROM customers'));
  expect(held.filter((value) => typeof value === 'function')).toEqual([]);
});

describe('one that decides on something, is computed with, or is stored', () => {
  test.each(REFUSED)('%s', async (sql) => {
    const { refusal } = await database.planOf(sql);
    expect(refusal?.reason).toMatch(/public\.(customers\.email|seen\.mail)/);
  });
});

describe('a cast of a user that the server makes by itself', () => {
  const calls = async (sql: string) =>
    (await database.planOf(sql)).pairs
      .filter(({ action }) => action === 'sql.call')
      .map(({ object }) => object.attrs['name']);

  test('is none of a statement that has no use for it', async () => {
    const sql = "SELECT upper(name), length(note) FROM customers WHERE note LIKE 'a%' AND id IN (1, 2)";
    const { refusal } = await database.planOf(sql);
    expect([refusal, await calls(sql)]).toEqual([undefined, []]);
  });

  test('is one of a statement that has', async () => {
    expect(await calls('SELECT note::word FROM orders')).toContain('word_of');
  });
});

describe('relations of the system that show samples of data', () => {
  const ruleOf = async (sql: string) => (await database.planOf(sql)).refusal?.rule;

  test.each([
    'SELECT pid, usename, state FROM pg_stat_activity WHERE datname = current_database() ORDER BY query_start',
    'SELECT count(*) FROM pg_stat_replication',
    'SELECT l.mode, a.usename FROM pg_locks l JOIN pg_stat_activity a USING (pid)',
    'SELECT srvname FROM pg_foreign_server ORDER BY 1',
    'SELECT s.pid FROM (SELECT * FROM pg_stat_activity) s',
    "SELECT attname FROM pg_stats WHERE tablename = 'customers'",
    'SELECT EXISTS (SELECT * FROM pg_stat_activity WHERE pid = 1)',
  ])('are read where that is none of it: %s', async (sql) => expect(await ruleOf(sql)).toBeUndefined());

  test.each([
    'SELECT a FROM pg_stat_activity a',
    'SELECT pid FROM pg_stat_activity WHERE query LIKE $1',
    'SELECT pid FROM pg_stat_activity ORDER BY query',
    'SELECT to_jsonb(a) FROM pg_stat_activity a',
    'SELECT a.pid FROM pg_stat_activity a JOIN (SELECT query FROM pg_stat_activity) b USING (query)',
    'SELECT pid FROM pg_stat_activity, customers',
    'SELECT s.m FROM running r, (SELECT pid AS m FROM pg_stat_activity) s',
    'SELECT pid FROM pg_stat_activity UNION SELECT 1 FROM pg_stat_activity WHERE length(query) > 3',
    'COPY (SELECT pid FROM pg_stat_activity) TO STDOUT',
    'SELECT stavalues1 FROM pg_statistic',
    'SELECT srvoptions::text::int FROM pg_foreign_server',
    'SELECT srvoptions AS o FROM pg_foreign_server ORDER BY o',
    'SELECT DISTINCT srvoptions FROM pg_foreign_server',
    "SELECT array_to_string(srvoptions, ',') AS o FROM pg_foreign_server ORDER BY o",
    'SELECT unnest(srvoptions) FROM pg_foreign_server',
    'SELECT array_to_string(ARRAY(SELECT option_value FROM pg_options_to_table(srvoptions) LIMIT 1), $$$$) FROM pg_foreign_server',
    'SELECT array_to_string(ARRAY(SELECT upper(option_value) FROM pg_options_to_table(srvoptions)), $$$$) FROM pg_foreign_server',
    "SELECT split_part(subconninfo, '=', 0) FROM pg_subscription",
    "SELECT split_part(subconninfo, '=', oid::int) FROM pg_subscription",
    'SELECT subname FROM pg_subscription WHERE subconninfo IS NULL',
    "SELECT CASE WHEN subconninfo = 'x' THEN 1 END FROM pg_subscription",
    'SELECT CASE WHEN subconninfo::bool THEN 1 END FROM pg_subscription',
    "SELECT CASE subconninfo WHEN 'x' THEN 1 END FROM pg_subscription",
    "SELECT nullif(subconninfo, 'x') FROM pg_subscription",
    'DECLARE c CURSOR FOR SELECT subconninfo FROM pg_subscription',
    'PREPARE p AS SELECT subconninfo FROM pg_subscription',
    'EXPLAIN SELECT subconninfo FROM pg_subscription',
    'CREATE TABLE t AS SELECT subconninfo FROM pg_subscription',
    'INSERT INTO orders (note) SELECT subconninfo FROM pg_subscription',
  ])('are not where it may be: %s', async (sql) => expect(await ruleOf(sql)).toBe('sensitive-catalog'));

  test.each<[sql: string, hidden: number[], of: number]>([
    ['SELECT rolname, rolpassword FROM pg_authid', [1], 2],
    ['SELECT srvoptions::text FROM pg_foreign_server', [0], 1],
    ['SELECT null_frac, attname, avg_width FROM pg_stats', [0, 2], 3],
    ['SELECT s.srvname, s.* FROM pg_foreign_server s', [8], 9],
    ['SELECT q.c, q.n FROM (SELECT subconninfo AS c, subname AS n FROM pg_subscription) q', [0], 2],
    ['SELECT subconninfo FROM pg_subscription UNION ALL SELECT datname FROM pg_database', [0], 1],
    [
      "SELECT subname, split_part(split_part(subconninfo, ' port', 1), '=', 2) FROM pg_subscription ORDER BY 1",
      [1],
      2,
    ],
    [
      "SELECT u.usename, array_to_string(u.umoptions, ','), s.srvname FROM pg_user_mappings u JOIN pg_foreign_server s ON s.oid = u.srvid",
      [1],
      3,
    ],
    [
      `SELECT srvname, CASE WHEN srvoptions IS NULL THEN '' ELSE '(' || array_to_string(ARRAY(SELECT quote_ident(option_name) || ' ' ||
         quote_literal(option_value) FROM pg_options_to_table(srvoptions) ORDER BY option_name), ', ') || ')' END FROM pg_foreign_server`,
      [1],
      2,
    ],
  ])('are hidden where they only come to the result: %s', async (sql, hidden, of) => {
    const { refusal, withheld, safeColumns, outputColumns } = await database.planOf(sql);
    expect({ refusal, withheld, outputColumns }).toEqual({
      refusal: undefined,
      withheld: hidden,
      outputColumns: of,
    });
    expect(safeColumns).toEqual(
      Array.from({ length: of }, (_, index) => index).filter((one) => !hidden.includes(one)),
    );
  });
});
