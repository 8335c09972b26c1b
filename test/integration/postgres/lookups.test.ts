/**
 * Questions whether a masked column equals something, where a rule allows so many in a time: what they tell is what was asked for, what
 * else would tell more is refused, and there are no more of them by whatever way.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bind,
  execute,
  parse,
  query,
  type RawClient,
  rawLogin,
  sync,
} from '../../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';

const SCHEMA = `
CREATE TABLE people (id int PRIMARY KEY, name text, email text, pin int, ssn text, region text);
INSERT INTO people VALUES (1, 'Ann', 'ann@example.com', 7301, 's-1', 'north'), (2, 'Bob', 'bob@example.com', 8402, 's-2', 'south');
CREATE VIEW early AS SELECT id, email AS address FROM people WHERE ssn < 's-2';
CREATE FUNCTION same(text, text) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE SCHEMA ops; CREATE OPERATOR ops.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.same);
CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE DOMAIN folding AS text COLLATE folded;
CREATE TABLE shapes (id int, area box, way path); INSERT INTO shapes VALUES (1, '(2,2),(0,0)', '[(0,0),(1,1)]');
GRANT USAGE ON SCHEMA ops TO hoop; GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop;
`;

const COLUMNS = {
  'public.people.email': ['lookup'],
  'public.people.pin': ['lookup'],
  'public.people.ssn': ['hidden'],
  'public.people.region': ['lookup', 'hidden'],
  'public.early.id': ['lookup'],
  'public.shapes.area': ['lookup'],
  'public.shapes.way': ['lookup'],
};

const MOST = 12;
const POLICY = `
@id("all") permit (principal, action, resource);
@id("looked-up") @mask("redact") @lookups("${MOST}/1h")
forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("lookup") };
@id("hidden") @mask("redact")
forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("hidden") };
`;

let stack: Stack;
let tunnel: Tunnel;

beforeAll(async () => {
  stack = await startStack({ policy: POLICY, sql: SCHEMA, columns: COLUMNS });
  tunnel = await stack.tunnel();
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

const rowsOf = (lines: readonly string[]) =>
  lines.filter((one) => one.startsWith('DataRow')).map((one) => one.slice('DataRow '.length));

/** None of these is one question. */
const MORE: readonly string[] = [
  "SELECT id FROM people WHERE email IN ('ann@example.com', 'x')",
  "SELECT id FROM people WHERE email = ANY (ARRAY['ann@example.com'])",
  "SELECT id FROM people WHERE email LIKE 'ann%'",
  "SELECT id FROM people WHERE email <> 'ann@example.com'",
  "SELECT id FROM people WHERE email > 'ann'",
  "SELECT id FROM people WHERE email = name || '@example.com'",
  "SELECT id FROM people WHERE lower(email) = 'ann@example.com'",
  "SELECT p.id FROM people p JOIN (VALUES ('ann@example.com'), ('x')) v (e) ON p.email = v.e",
  'SELECT p.id FROM people p, generate_series(7000, 8000) n WHERE p.pin = n',
  'SELECT id FROM people WHERE pin = (SELECT 7301)',
  "SELECT CASE email WHEN 'ann@example.com' THEN 1 END FROM people",
  "SELECT nullif(email, 'ann@example.com') FROM people",
  "SELECT id FROM people WHERE email IS NOT DISTINCT FROM 'ann@example.com'",
  "SELECT id FROM people WHERE email OPERATOR(ops.=) 'ann@example.com'",
  'SELECT a.id FROM people a JOIN people b ON a.email = b.email',
  "SELECT id FROM people WHERE ssn = 's-1'",
  "SELECT id FROM people WHERE region = 'north'",
  'SELECT id FROM early WHERE id = 1',
  "EXPLAIN ANALYZE SELECT id FROM people WHERE email = 'ann@example.com'",
  "COPY (SELECT id FROM people WHERE email = 'ann@example.com') TO STDOUT",
  "DECLARE c CURSOR FOR SELECT id FROM people WHERE email = 'ann@example.com'",
  'PREPARE p AS SELECT id FROM people WHERE email = $1',
  "CREATE TABLE found AS SELECT id FROM people WHERE email = 'ann@example.com'",
  "SELECT id FROM people WHERE email = 'ann@example.com' ORDER BY email",
  // What the client says is equal may be half of all that there is.
  "SELECT id FROM people WHERE email COLLATE folded = 'ANN@example.com'",
  "SELECT id FROM people WHERE email = 'ANN@example.com' COLLATE folded",
  "SELECT id FROM (SELECT id, email COLLATE folded AS e FROM people) p WHERE e = 'ANN@example.com'",
  "SELECT id FROM people WHERE email::folding = 'ANN@example.com'",
  "SELECT id FROM people WHERE email = 'ANN@example.com'::folding",
  // Of these only sizes are compared.
  "SELECT id FROM shapes WHERE area = '(4,1),(0,0)'",
  "SELECT id FROM shapes WHERE way = '[(8,8),(9,9)]'",
];

const by = (client: RawClient, value: string) =>
  client.ask(
    parse('', 'SELECT id, email FROM people WHERE email = $1'),
    bind('', '', { values: [value] }),
    execute(''),
    sync,
  );

/** Of a statement that a Parse has named, and asked by SQL. */
const BY_NAME = 'SELECT id FROM people WHERE email = $1';

describe('a masked column that may be looked up', () => {
  test.each([
    "EXPLAIN EXECUTE named('ann@example.com')",
    "EXPLAIN ANALYZE EXECUTE named('ann@example.com')",
    "CREATE TABLE found AS EXECUTE named('ann@example.com')",
  ])('is not asked by what tells more of it, or stores it: %s', async (sql) => {
    const client = await rawLogin(tunnel);
    await client.ask(parse('named', BY_NAME, [25]), sync);
    expect((await client.ask(query(sql)))[0]).toBe('ErrorResponse 42501');
    client.close();
  });

  test('is not compared with a parameter whose type brings another collation', async () => {
    const client = await rawLogin(tunnel);
    const [[oid] = []] = [rowsOf(await client.ask(query("SELECT 'folding'::regtype::oid")))];
    const folded = [
      parse('', BY_NAME, [Number(oid)]),
      bind('', '', { values: ['ANN@example.com'] }),
      execute(''),
      sync,
    ];
    expect((await client.ask(...folded))[0]).toBe('ErrorResponse 42501');
    client.close();
  });

  test.each(MORE)('is not asked more than whether it equals something: %s', async (sql) => {
    const client = await rawLogin(tunnel);
    const lines = await client.ask(query(sql));
    expect(lines[0], lines.join(' / ')).toBe('ErrorResponse 42501');
    client.close();
  });

  test('is found by its value, so often as the rule says, in whatever session, login and form', async () => {
    const client = await rawLogin(tunnel);
    expect(rowsOf(await by(client, 'ann@example.com'))).toEqual(['1|***']);
    expect(rowsOf(await by(client, 'bob@example.com'))).toEqual(['2|***']);
    expect(rowsOf(await by(client, 'nobody@example.com'))).toEqual([]);
    expect(rowsOf(await client.ask(query('SELECT name FROM people WHERE 7301 = pin AND id < 5')))).toEqual([
      'Ann',
    ]);
    // Two questions in one statement, and one in a change.
    const two = "SELECT email = 'bob@example.com', pin = 7301 FROM (SELECT * FROM people) p ORDER BY id";
    expect(rowsOf(await client.ask(query(two)))).toEqual(['f|t', 't|f']);
    const change = "UPDATE people SET name = 'Bob' WHERE email = 'bob@example.com' RETURNING id";
    expect(rowsOf(await client.ask(query(change)))).toEqual(['2']);
    // What the client goes on to fetch was asked once, and what is only prepared is not asked yet.
    await client.ask(parse('s', 'SELECT id FROM people WHERE email = $1 OR pin = 8402'), sync);
    const pieces = await client.ask(
      bind('', 's', { values: ['ann@example.com'] }),
      ...[1, 1, 1].map((rows) => execute('', rows)),
      sync,
    );
    expect(rowsOf(pieces)).toEqual(['1', '2']);
    client.close();

    const other = await rawLogin(tunnel);
    expect(rowsOf(await by(other, 'ann@example.com'))).toEqual(['1|***']);
    const second = await stack.tunnel();
    const third = await rawLogin(second);
    expect(rowsOf(await by(third, 'ann@example.com'))).toEqual(['1|***']);
    // Eleven of twelve: what would be two is not half run.
    const refusedBoth = await third.ask(query(two));
    expect(refusedBoth[0]).toBe('ErrorResponse 42501');
    expect(rowsOf(await by(other, 'ann@example.com'))).toEqual(['1|***']);
    for (const one of [other, third]) {
      one.take();
      const lines = await by(one, 'ann@example.com');
      expect(rowsOf(lines)).toEqual([]);
      const told = one.take().toString('utf8');
      expect(told).toContain('lookups-spent');
      expect(told).toContain(`may be asked ${MOST} times in 1h`);
    }
    expect(rowsOf(await other.ask(query('SELECT count(*) FROM people WHERE id = 1')))).toEqual(['1']);
    // By SQL a statement that has a name asks as often as by the protocol.
    await other.ask(parse('named', BY_NAME, [25]), sync);
    for (const sql of ["EXECUTE named('ann@example.com')", "SELECT 1; EXECUTE named('ann@example.com')"]) {
      other.take();
      expect(rowsOf(await other.ask(query(sql)))).toEqual([]);
      expect(other.take().toString('utf8')).toContain('lookups-spent');
    }
    other.close();
    third.close();
    await second.close();
  });
});
