/**
 * Queries that compute with masked columns, of a resource where they have masks in their place: each must give what the server
 * gives where the masks really stand in the table, and none an octet of what is masked.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportText } from '../../../src/wire/postgres/report.ts';
import {
  bind,
  describePortal,
  execute,
  line,
  parse,
  query,
  type RawClient,
  rawLogin,
  sync,
} from '../../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';

const SECRETS = ['ann@example.com', 'bob@example.com', '7301', '8402', 'likes-tea', 'likes-rum'];

const SCHEMA = `
CREATE EXTENSION citext;
CREATE SCHEMA app; CREATE DOMAIN app.pin AS int CHECK (VALUE > 1000);
CREATE TABLE people (id int, name text, email varchar(40), pin app.pin, doc jsonb, tags text[], nick citext);
INSERT INTO people VALUES (1, 'Ann', 'ann@example.com', 7301, '{"a":"likes-tea"}', '{likes-tea}', 'likes-tea'),
  (2, 'Bob', 'bob@example.com', 8402, '{"a":"likes-rum"}', '{likes-rum}', 'likes-rum'), (3, 'Cy', NULL, NULL, NULL, NULL, NULL);
CREATE TABLE orders (id int, person int, total numeric); INSERT INTO orders VALUES (1, 1, 10), (2, 2, 20), (3, 2, 5);
CREATE VIEW contacts AS SELECT id, email AS address FROM people;
CREATE TABLE "Odd""Table" ("Id" int, "The""Mail" text); INSERT INTO "Odd""Table" VALUES (1, 'ann@example.com');
CREATE TABLE app.people (id int, email text); INSERT INTO app.people VALUES (9, 'shown');
CREATE FUNCTION keep(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
GRANT USAGE ON SCHEMA app TO hoop; GRANT ALL ON ALL TABLES IN SCHEMA public, app TO hoop;
`;

/** What stands in the masked columns where it is a mask. NULL is masked as well: a constant does not tell what it is for. */
const MASKED = `
UPDATE people SET email = '***', pin = NULL, doc = '"***"', tags = NULL, nick = '***';
UPDATE "Odd""Table" SET "The""Mail" = '***';
`;

const COLUMNS = Object.fromEntries(
  ['people.email', 'people.pin', 'people.tags', 'people.nick', 'Odd"Table.The"Mail'].map(
    (name) => [`public.${name}`, ['pii']] as const,
  ),
);

/** Of these only a member is: whatever computes with one has the mask of the whole. */
const FIELDS = { 'public.people.doc': { '$.a': ['pii'] } };

const POLICY = `
@id("all") permit (principal, action, resource);
@id("hidden") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("pii") };
`;

/** As they are written, and what of the answer is compared: all of it. */
const QUERIES: readonly string[] = [
  "SELECT count(*) FROM people WHERE email = 'ann@example.com'",
  'SELECT count(*), count(email), count(DISTINCT email) FROM people',
  'SELECT email, count(*) FROM people GROUP BY email',
  'SELECT id, email FROM people ORDER BY email, id',
  'SELECT upper(email), length(email), email || id FROM people ORDER BY id',
  "SELECT id FROM people WHERE email LIKE '%*' OR pin = 7301 ORDER BY id",
  'SELECT sum(pin), max(pin), bool_or(pin > 5) FROM people',
  "SELECT doc ->> 'a', doc @> '{}' FROM people ORDER BY id",
  "SELECT tags[1], 'likes-tea' = ANY (tags) FROM people ORDER BY id",
  'SELECT nick = $$LIKES-TEA$$, nick < $$z$$ FROM people ORDER BY id',
  'SELECT p.name, sum(o.total) FROM people p JOIN orders o ON o.person = p.id GROUP BY p.name, p.email ORDER BY 1',
  'SELECT a.id, b.id FROM people a JOIN people AS b ON a.email = b.email ORDER BY 1, 2',
  'SELECT people.name FROM people WHERE people.email IS NOT NULL ORDER BY people.id',
  'SELECT string_agg(email, $$,$$ ORDER BY id) FROM public.people',
  'SELECT row_to_json(people) FROM people ORDER BY email, id',
  'SELECT p::text FROM people p ORDER BY email, id',
  'WITH p AS (SELECT id, email FROM people) SELECT id FROM p WHERE email < $$a$$ ORDER BY 1',
  'SELECT o.id FROM orders o WHERE EXISTS (SELECT 1 FROM people p WHERE p.id = o.person AND p.email < $$b$$) ORDER BY 1',
  'SELECT id FROM people UNION SELECT length(email) FROM people ORDER BY 1',
  'SELECT id, rank() OVER (ORDER BY email) FROM people ORDER BY id',
  'SELECT DISTINCT email FROM people',
  'SELECT address, count(*) FROM contacts GROUP BY 1',
  'SELECT c.id FROM contacts c NATURAL JOIN people p WHERE c.address = p.email ORDER BY 1',
  'SELECT x.email FROM people x, LATERAL (SELECT y.id FROM people y WHERE y.email = x.email LIMIT 1) z',
  "SELECT 'é', count(*) FROM people WHERE email = 'é'",
  '/* é people */ SELECT count(*) FROM "people" WHERE "email" > $$a$$ -- people',
  "SELECT e FROM people AS p(i, n, e) WHERE e <> '' ORDER BY i",
  "SELECT a.id FROM app.people a, people p WHERE a.email = 'shown' AND p.email = '***' ORDER BY p.id",
  'SELECT "Id", "The""Mail" || $$x$$, "Odd""Table"."Id" FROM "Odd""Table" WHERE "The""Mail" <> $$y$$',
  "SELECT 1 + 1 FROM people people WHERE email < 'a' LIMIT 1",
  // Two of one template, in which the table stands at another place.
  "SELECT (id >= 1) AND email = '***' FROM people ORDER BY id",
  "SELECT (id >= 100) AND email = '***' FROM people ORDER BY id",
];

/** Of which the server says where: before, between and behind what is put in. */
const MISTAKEN: readonly string[] = [
  "SELECT date 'x' FROM people WHERE email > $$a$$",
  "SELECT count(*) FROM people WHERE email > $$a$$ AND id = 'x'",
  "SELECT '😀é', id FROM people AS p WHERE p.email > $$é$$ AND '😀' = '😀' AND p.id = 'x'",
  "SELECT 1 FROM people a JOIN orders o ON o.id = 'x' JOIN people b ON a.email = b.email",
  "SELECT 1\n  FROM people a\n  JOIN people b ON a.email = b.email\n WHERE b.id = 'x'",
  'SELECT "Id" FROM "Odd""Table" WHERE "The""Mail" > $$a$$ AND "Id" = \'x\'',
];

/** No query of that kind is written anew: refused as it is elsewhere. */
const REFUSED: readonly string[] = [
  'SELECT ctid FROM people ORDER BY email',
  'SELECT public.people.id FROM public.people ORDER BY email',
  'SELECT id FROM ONLY people ORDER BY email',
  'SELECT id FROM people * ORDER BY email',
  'SELECT id FROM public . people ORDER BY email',
  'SELECT id FROM U&"peopl\\0065" ORDER BY email',
  'SELECT id FROM people TABLESAMPLE system (100) ORDER BY email',
  'TABLE people ORDER BY email',
  'SELECT id FROM people ORDER BY email FOR UPDATE',
  'SELECT keep(email) FROM people ORDER BY email',
  'SELECT id INTO made FROM people ORDER BY email',
  'CREATE TABLE made AS SELECT id FROM people ORDER BY email',
  'INSERT INTO orders SELECT id, length(email) FROM people',
  "UPDATE people SET name = 'x' WHERE email = 'ann@example.com'",
  "DELETE FROM people WHERE email = 'ann@example.com'",
  'COPY (SELECT id FROM people ORDER BY email) TO STDOUT',
  'EXPLAIN ANALYZE SELECT id FROM people ORDER BY email',
  'DECLARE c CURSOR FOR SELECT id FROM people ORDER BY email',
  'PREPARE p AS SELECT id FROM people ORDER BY email',
  'SELECT 1; SELECT id FROM people ORDER BY email',
];

let stack: Stack;
let tunnel: Tunnel;
let client: RawClient;
/** At the server itself. */
let direct: pg.Client;

beforeAll(async () => {
  stack = await startStack({
    policy: POLICY,
    sql: SCHEMA,
    columns: COLUMNS,
    fields: FIELDS,
    computed: 'mask',
  });
  tunnel = await stack.tunnel();
  client = await rawLogin(tunnel);
  const { host, port, database, admin, caFile } = stack.postgres;
  direct = new pg.Client({ host, port, database, ...admin, ssl: { ca: readFileSync(caFile) } });
  await direct.connect();
});

afterAll(async () => {
  client?.close();
  await direct?.end();
  await tunnel?.close();
  await stack?.stop();
});

function extended(sql: string, values: readonly string[] = []): Buffer {
  return Buffer.concat([
    parse('', sql),
    bind('', '', { values: [...values] }),
    describePortal(''),
    execute(''),
    sync,
  ]);
}

const rowsOf = (lines: readonly string[]) =>
  lines.filter((one) => one.startsWith('DataRow')).map((one) => one.slice('DataRow '.length));

function expectNothingTold(): void {
  const received = client.take().toString('latin1');
  for (const secret of SECRETS) expect(received, secret).not.toContain(secret);
}

/** Where the masks stand in the table itself. */
async function masked(sql: string): Promise<string[]> {
  const answer = await stack.postgres.psql(
    `\\pset null NULL\n\\pset footer off\nBEGIN;${MASKED}\n${sql}\n;ROLLBACK;`,
  );
  return answer.split('\n');
}

describe('a query that computes with masked columns', () => {
  test.each(QUERIES)('has masks in their place: %s', async (sql) => {
    const simple = await client.ask(query(sql));
    const other = await client.ask(extended(sql));
    expectNothingTold();
    expect(rowsOf(other)).toEqual(rowsOf(simple));
    expect(simple).toContain('NoticeResponse 01H01');
    const rows = rowsOf(simple);
    const expected = await masked(sql);
    for (const row of rows) expect(expected).toContain(row);
    expect(rows.length).toBeGreaterThan(0);
    expect(await masked(`SELECT count(*) AS n FROM (${sql.replace(/--.*$/, '')}) all_of_it`)).toContain(
      String(rows.length),
    );
  });

  test.each(MISTAKEN)('is told where it is mistaken in its own text: %s', async (sql) => {
    const told = await direct.query(sql).then(
      () => undefined,
      (error: pg.DatabaseError) => ({ C: error.code, P: error.position }),
    );
    expect(told?.P).toMatch(/^[1-9]/);
    for (const message of [query(sql), extended(sql)]) {
      client.send(message);
      const answer = await client.untilReady();
      const error = answer.find((one) => one.name === 'ErrorResponse');
      expect(error && reportText(error, 'C'), answer.map(line).join()).toBe(told?.C);
      expect(error && reportText(error, 'P')).toBe(told?.P);
    }
    expectNothingTold();
  });

  test('tells of what it is the answer, once', async () => {
    client.take();
    await client.ask(query('SELECT max(email) FROM people'));
    const told = client.take().toString('utf8');
    expect(told).toContain('this answer was computed with masks in place of masked values');
    expect(told).toContain('public.people.email');
    const lines = await client.ask(
      parse('', 'SELECT id FROM people ORDER BY email, id'),
      bind('', ''),
      ...[1, 1, 1, 1].map((rows) => execute('', rows)),
      sync,
    );
    expect(lines.filter((one) => one.startsWith('Notice'))).toEqual(['NoticeResponse 01H01']);
    expect(rowsOf(lines)).toEqual(['1', '2', '3']);
  });

  test('knows its parameters by the column they are compared with', async () => {
    const by = (value: string) =>
      client.ask(extended('SELECT count(*) FROM people WHERE email = $1', [value]));
    expect(rowsOf(await by('ann@example.com'))).toEqual(['0']);
    expect(rowsOf(await by('***'))).toEqual(['3']);
    expect(
      rowsOf(await client.ask(extended('SELECT count(*) FROM people WHERE pin = $1', ['7301']))),
    ).toEqual(['0']);
    expect(rowsOf(await client.ask(extended('SELECT id FROM orders WHERE total = $1', ['20'])))).toEqual([
      '2',
    ]);
  });

  test('is prepared once and bound again', async () => {
    await client.ask(parse('s', 'SELECT count(*) FROM people WHERE email = $1'), sync);
    const bound = (value: string) => client.ask(bind('', 's', { values: [value] }), execute(''), sync);
    expect(rowsOf(await bound('ann@example.com'))).toEqual(['0']);
    expect(rowsOf(await bound('***'))).toEqual(['3']);
    expectNothingTold();
  });

  test('is on record as it was run', async () => {
    await client.ask(query('SELECT count(*) AS recorded FROM people WHERE email = $$x$$'));
    const root = join(stack.directory, 'state', 'audit');
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    const lines = files.flatMap((one) => readFileSync(join(one.parentPath, one.name), 'utf8').split('\n'));
    const decided = lines.find((one) => one.includes('operation.decided') && one.includes('AS recorded'));
    expect(decided).toContain('FROM \\"public\\".\\"people\\") AS \\"people\\"');
  });

  test.each(REFUSED)('is refused where it cannot be written so: %s', async (sql) => {
    const lines = await client.ask(query(sql));
    expect(
      lines[0] === 'ErrorResponse 42501' || lines.includes('ErrorResponse 42501'),
      lines.join(' / '),
    ).toBe(true);
    expectNothingTold();
  });

  test('of columns that are not masked it stays as the client wrote it', async () => {
    const lines = await client.ask(query('SELECT email, id FROM people ORDER BY id'));
    expect(rowsOf(lines)[0]).toBe('***|1');
    expect(lines).not.toContain('NoticeResponse 01H01');
  });
});
