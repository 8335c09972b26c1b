/**
 * Where definitions of views and rules may go, at a real catalog in which one may hold a constant beside what is masked. Whether any
 * constant is told is tried by `npm run attacks -- RT19`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MaskedDatabase, maskedDatabase } from '../../../support/postgres/masked-database.ts';

const SCHEMA = `
CREATE TABLE customers (id int PRIMARY KEY, name text, email text);
CREATE TABLE orders (id int PRIMARY KEY, note text);
CREATE VIEW vip AS SELECT id FROM customers WHERE email = 'ann@example.com';
CREATE VIEW called AS SELECT pg_get_viewdef(oid) AS d FROM pg_class;
CREATE TABLE filled (id int, d text DEFAULT pg_get_viewdef('vip'::regclass));
CREATE FUNCTION told(text) RETURNS text STABLE LANGUAGE sql AS 'SELECT pg_get_viewdef($1::regclass)';
CREATE FUNCTION telling(text) RETURNS text STABLE LANGUAGE sql AS 'SELECT definition FROM pg_views WHERE viewname = $1';`;
const EMAIL = new Map([['public.customers.email', ['pii']]]);
const NOTE = new Map([['public.orders.note', ['pii']]]);
const PLAIN =
  'CREATE TABLE orders (id int, note text); CREATE TABLE customers (id int); CREATE VIEW vip AS SELECT id FROM customers;';
const SPIED = `${PLAIN}
CREATE FUNCTION spies(oid, oid) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE OPERATOR = (LEFTARG = oid, RIGHTARG = oid, FUNCTION = spies);`;

let database: MaskedDatabase;

beforeAll(async () => {
  database = await maskedDatabase(SCHEMA, EMAIL);
});

afterAll(() => database?.stop());

const shownOf = async (sql: string, of = database) => {
  const { refusal, definitions = [], withheld = [] } = await of.planOf(sql);
  return { rule: refusal?.rule, definitions, withheld };
};

/** Of each statement, columns that hold definitions as they are, and those in which something is made of them. */
const FOLLOWED: readonly (readonly [
  sql: string,
  definitions: readonly number[],
  withheld: readonly number[],
])[] = [
  ["SELECT 1, pg_get_viewdef('vip'::regclass)", [1], []],
  ["SELECT pg_get_viewdef('vip', true), pg_get_ruledef(1)", [0, 1], []],
  ['SELECT * FROM pg_views', [3], []],
  ['SELECT table_name, view_definition FROM information_schema.views', [1], []],
  ["SELECT relname, CASE WHEN relkind = 'v' THEN pg_get_viewdef(oid) END FROM pg_class", [1], []],
  ["SELECT coalesce(pg_get_viewdef(oid, true), '')::varchar FROM pg_class", [0], []],
  ["SELECT trim(trailing ';' from pg_get_ruledef(oid, true)) FROM pg_rewrite", [0], []],
  [
    'WITH r AS (SELECT oid, pg_get_viewdef(oid) AS d FROM pg_class) SELECT a.attname, r.d FROM r JOIN pg_attribute a ON a.attrelid = r.oid',
    [1],
    [],
  ],
  ['SELECT (SELECT definition FROM pg_views LIMIT 1)', [0], []],
  ['SELECT pg_get_viewdef(1) UNION ALL SELECT note FROM orders', [0], []],
  ["SELECT trim(leading 'S' from pg_get_viewdef(1)), trim(both 'x;' from pg_get_viewdef(1))", [], [0, 1]],
  ['SELECT upper(definition), viewname FROM pg_views', [], [0]],
  ['SELECT v FROM pg_views v', [], [0]],
  ['SELECT array_agg(definition) FROM pg_views', [], [0]],
  ['SELECT ARRAY(SELECT definition FROM pg_views)', [], [0]],
  ["SELECT CASE WHEN definition LIKE '%x%' THEN 1 END FROM pg_views", [], [0]],
  ["SELECT pg_get_viewdef(1) || 'x', pg_get_viewdef(1)::char(9), pg_get_viewdef(1)::bytea", [], [0, 1, 2]],
  ['SELECT viewname FROM pg_views', [], []],
];

const DECIDED: readonly string[] = [
  "SELECT 1 FROM pg_views WHERE definition LIKE '%ann%'",
  "SELECT 1 WHERE pg_get_viewdef(1) LIKE '%ann%'",
  'SELECT definition FROM pg_views ORDER BY definition',
  'SELECT DISTINCT definition FROM pg_views',
  'SELECT v.viewname FROM pg_views v JOIN pg_rules r USING (definition)',
  'SELECT definition, count(*) FROM pg_views GROUP BY 1',
  'SELECT count(*) OVER (PARTITION BY definition) FROM pg_views',
  "SELECT definition FROM pg_views UNION SELECT 'a'",
  'SELECT * FROM pg_get_viewdef(1)',
  'SELECT w FROM string_to_table(pg_get_viewdef(1), $$ $$) w',
  'SELECT 1 FROM pg_views v JOIN orders o ON o.note = v.definition',
  'SELECT 1 LIMIT length(pg_get_viewdef(1))',
  'EXPLAIN SELECT 1 WHERE pg_get_viewdef(1) IS NULL',
  'CREATE TABLE t AS SELECT pg_get_viewdef(1) AS d',
  'CREATE TABLE t AS SELECT definition AS d FROM pg_views',
  'CREATE VIEW t AS SELECT pg_get_viewdef(1) AS d',
  "CREATE TABLE t (d text DEFAULT pg_get_viewdef('vip'::regclass))",
  'INSERT INTO orders (id, note) SELECT 1, pg_get_viewdef(1)',
  'UPDATE orders SET note = pg_get_viewdef(1)',
  'COPY (SELECT pg_get_viewdef(1)) TO STDOUT',
  'INSERT INTO filled (id) VALUES (1)',
  'SELECT d FROM called',
];

describe('definitions of views and rules', () => {
  test.each(FOLLOWED)('are followed to the result: %s', async (sql, definitions, withheld) =>
    expect(await shownOf(sql)).toEqual({ rule: undefined, definitions, withheld }),
  );

  test.each(DECIDED)('are refused where they come to more than that: %s', async (sql) => {
    expect((await shownOf(sql)).rule).toMatch(/^(unknown-source|masked-column-flow)$/);
  });

  test.each(["SELECT told('vip')", "SELECT telling('vip')"])(
    'are hidden behind what users made of them: %s',
    async (sql) => expect((await database.planOf(sql)).safeColumns).toEqual([]),
  );
});

describe('where no view or rule has to do with what is masked', () => {
  let other: MaskedDatabase;
  beforeAll(async () => {
    other = await maskedDatabase(PLAIN, NOTE);
  });
  afterAll(() => other?.stop());

  test.each([
    "SELECT upper(pg_get_viewdef('vip'::regclass))",
    "SELECT 1 FROM pg_views WHERE definition LIKE '%x%'",
    'COPY (SELECT definition FROM pg_views) TO STDOUT',
  ])('they are as anything else: %s', async (sql) => {
    const { refusal, safeColumns } = await other.planOf(sql);
    expect([refusal, safeColumns]).toEqual([undefined, 'all']);
  });
});

describe('where users have made of `=` what the server compares rules by', () => {
  let spied: MaskedDatabase;
  beforeAll(async () => {
    spied = await maskedDatabase(SPIED, NOTE);
  });
  afterAll(() => spied?.stop());

  test('writing one out counts as code that nobody reads', async () => {
    const { refusal, pairs } = await spied.planOf("SELECT pg_get_viewdef('vip'::regclass)");
    expect(refusal?.rule).toBe('unsafe-function');
    expect(pairs.map(({ action, object }) => [action, object.attrs['class']])).toContainEqual([
      'sql.call',
      'unsafe',
    ]);
  });
});
