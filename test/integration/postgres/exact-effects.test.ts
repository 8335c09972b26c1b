import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Catalog } from '../../../src/protocols/postgres/catalog/model/model.ts';
import { CatalogReader } from '../../../src/protocols/postgres/catalog/reader.ts';
import { planStatement, type StatementPlan } from '../../../src/protocols/postgres/sql/meaning/resolve.ts';
import { SqlParser } from '../../../src/protocols/postgres/sql/parse/parser.ts';
import { catalogConnection } from '../../support/postgres/catalog-connection.ts';
import { masksOf, scopeOf } from '../../support/postgres/masked-columns.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';

/** Says on the connection that it ran. */
const tells = (name: string, takes: string, gives: string, result: string) =>
  `CREATE FUNCTION ${name}(${takes}) RETURNS ${gives} LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN RAISE NOTICE 'ran %', '${name}'; RETURN ${result}; END $$;`;

const SCHEMA = `
CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION cube; CREATE EXTENSION pg_trgm; CREATE EXTENSION hstore;
CREATE TYPE tag AS (v text);
CREATE TYPE key AS (n int);
${tells('to_tag', 'text', 'tag', 'row($1)::tag')}
${tells('of_tag', 'tag', 'text', '($1).v')}
${tells('to_key', 'int', 'key', 'row($1)::key')}
${tells('key_json', 'key', 'json', `'1'::json`)}
${tells('same_tag', 'tag, tag', 'bool', '($1).v = ($2).v')}
${tells('other_tag', 'tag, tag', 'bool', '($1).v <> ($2).v')}
${tells('is_small', 'int', 'bool', '$1 < 1000')}
CREATE CAST (text AS tag) WITH FUNCTION to_tag(text) AS IMPLICIT;
CREATE CAST (tag AS text) WITH FUNCTION of_tag(tag) AS ASSIGNMENT;
CREATE CAST (int AS key) WITH FUNCTION to_key(int) AS IMPLICIT;
CREATE CAST (key AS json) WITH FUNCTION key_json(key);
CREATE OPERATOR = (leftarg = tag, rightarg = tag, function = same_tag, negator = <>);
CREATE OPERATOR <> (leftarg = tag, rightarg = tag, function = other_tag, negator = =);
CREATE DOMAIN small AS int CHECK (is_small(value));
CREATE TABLE people (id int PRIMARY KEY, name text, ssn text, email citext, at timestamptz DEFAULT now(), price numeric(10,2),
  path ltree, attrs hstore, kinds text[], doc jsonb, place cube);
CREATE TABLE visits (person int REFERENCES people, day date, minutes int, note varchar(40));
CREATE TABLE notes (id int, tag tag, key key, size small);
${[
  ['degrees', 'IMMUTABLE'],
  ['loose', 'VOLATILE'],
]
  .map(
    ([name, volatility]) => `CREATE TYPE ${name};
CREATE FUNCTION ${name}_in(cstring) RETURNS ${name} LANGUAGE internal ${volatility} STRICT AS 'float8in';
CREATE FUNCTION ${name}_out(${name}) RETURNS cstring LANGUAGE internal ${volatility} STRICT AS 'float8out';
CREATE TYPE ${name} (INPUT = ${name}_in, OUTPUT = ${name}_out, INTERNALLENGTH = 8, PASSEDBYVALUE, ALIGNMENT = double);`,
  )
  .join('\n')}
CREATE CAST (degrees AS float8) WITHOUT FUNCTION AS IMPLICIT;
CREATE TABLE measures (person int, heat degrees, other loose);
INSERT INTO measures VALUES (1, '36.6', '1'), (2, '37', '2');
CREATE VIEW seen AS SELECT id, name, email FROM people WHERE price > 1;
INSERT INTO people VALUES (1, 'Ann', '123', 'a@b.c', now(), 9.5, 'top.a', 'a=>1', '{a,b}', '{"a": 1}', '(1,2)'),
  (2, 'Bob', '456', 'b@b.c', now(), 3, 'top.b', 'b=>2', '{b}', '{"b": [2]}', '(3,4)');
INSERT INTO visits VALUES (1, '2024-01-01', 30, 'x'), (1, '2024-01-02', 10, NULL), (2, '2024-01-02', 5, 'y');
INSERT INTO notes VALUES (1, row('t'), row(1), 5), (2, row('u'), row(2), 6);
`;
const OWN = ['is_small', 'key_json', 'of_tag', 'other_tag', 'same_tag', 'to_key', 'to_tag'];
const TAGS = new Map([['public.people.ssn', ['pii.national-id']]]);

/** They touch neither what is masked nor what runs code of users. */
const ORDINARY = [
  'SELECT id, name FROM people WHERE id = 1',
  `SELECT name || ' ' || id FROM people WHERE name LIKE 'A%' OR name ILIKE '%b' ORDER BY name DESC LIMIT 5`,
  `SELECT upper(name), length(name), substr(name, 1, 2), coalesce(name, '-') FROM people WHERE lower(name) = 'ann'`,
  'SELECT count(*), sum(price), avg(price * 2), max(at), min(name) FROM people',
  `SELECT p.name, sum(v.minutes) AS total FROM people p JOIN visits v ON v.person = p.id WHERE v.day >= date '2024-01-01'
    GROUP BY p.name HAVING sum(v.minutes) > 1 ORDER BY total DESC`,
  `SELECT name, CASE WHEN price > 5 THEN 'dear' ELSE 'cheap' END FROM people`,
  `SELECT id FROM people WHERE name IN ('Ann', 'Bob') AND price BETWEEN 1 AND 10.5 AND at > now() - interval '1 day'`,
  'SELECT id, row_number() OVER (PARTITION BY day ORDER BY minutes), lag(minutes) OVER w FROM visits JOIN people ON person = id WINDOW w AS (ORDER BY day)',
  'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i, i % 2 FROM n',
  `WITH best AS (SELECT person, max(minutes) AS m FROM visits GROUP BY person) SELECT name, m FROM best JOIN people ON person = id`,
  `SELECT name FROM people UNION SELECT note FROM visits EXCEPT SELECT 'x'`,
  'SELECT DISTINCT day, date_trunc($$month$$, day), extract(year FROM day), day + 1, to_char(day, $$YYYY$$) FROM visits',
  `SELECT id FROM people WHERE email = 'A@B.C' AND email LIKE 'a%'`,
  `SELECT email, email || 'x', lower(email) FROM people ORDER BY email`,
  `SELECT path, subpath(path, 0, 1), nlevel(path) FROM people WHERE path <@ 'top' OR path ~ '*.a'`,
  `SELECT attrs -> 'a', attrs ? 'b', attrs || 'c=>3' FROM people WHERE attrs @> 'a=>1'`,
  `SELECT similarity(name, 'Anna'), name % 'Anna' FROM people`,
  `SELECT place <-> '(0,0)', cube_dim(place) FROM people WHERE place <@ '(0,0),(9,9)'`,
  `SELECT 'a' = ANY (kinds), kinds[1], array_length(kinds, 1), kinds || 'z'::text, unnest(kinds) FROM people`,
  `SELECT doc -> 'a', doc ->> 'a', doc @> '{"a": 1}', jsonb_build_object('id', id, 'name', name) FROM people`,
  `SELECT json_agg(name), string_agg(name, ', ' ORDER BY name), array_agg(id) FROM people`,
  // A type whose code is the server's own.
  `SELECT heat, sqrt(heat), heat + 1.5, '3'::degrees FROM measures ORDER BY heat::float8`,
  // What nothing is done with but to hand it on.
  'SELECT p.name, m.person FROM people p LEFT JOIN measures m ON m.person = p.id ORDER BY 1',
  'WITH m AS MATERIALIZED (SELECT * FROM measures) SELECT count(*) FROM m JOIN people p ON p.id = m.person',
  'SELECT s.person FROM (SELECT other, person FROM measures) s',
  'SELECT (SELECT max(minutes) FROM visits WHERE person = p.id), EXISTS (SELECT 1 FROM visits) FROM people p',
  'SELECT id, name FROM seen WHERE email IS NOT NULL',
  'SELECT 1 + 2, 1.5 * 2, 7 / 2, 2 ^ 3, -1, abs(-3), round(1.234, 2), greatest(1, 2), nullif(1, 2)',
  `SELECT '1'::int, 5::text, '2024-01-01'::date, cast('{1,2}' AS int[]), true::text`,
  'SELECT g, g * 2 FROM generate_series(1, 3) g WHERE g IS DISTINCT FROM 2',
  'SELECT id FROM notes WHERE id = 1',
  'SELECT id, tag, key FROM notes',
  'SELECT id, size FROM notes WHERE size > 3',
  `INSERT INTO visits (person, day, minutes, note) VALUES (1, '2024-03-01', 5, 'new'), (2, now(), 6, NULL)`,
  'INSERT INTO visits (person, minutes) SELECT id, id * 2 FROM people',
  `UPDATE visits SET minutes = minutes + 1, note = note || '!' WHERE person = 1 AND note <> 'y'`,
  'DELETE FROM visits USING people WHERE person = id AND minutes > 1000',
  `INSERT INTO people (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET price = people.price + 1 RETURNING id`,
  'EXPLAIN SELECT name FROM people WHERE id = 3',
  'PREPARE p (int, text) AS SELECT name FROM people WHERE id = $1 OR name = $2',
  'DECLARE c CURSOR FOR SELECT name FROM people',
  'COPY (SELECT id, name || $$x$$ FROM people) TO STDOUT',
];

/** Each runs what the server says that it runs. */
const RUNNING = [
  `SELECT to_tag('a')`,
  `SELECT 'a'::text::tag`,
  `SELECT name::tag FROM people`,
  `SELECT id FROM notes WHERE tag = 'a'::text`,
  `SELECT id FROM notes WHERE tag = (SELECT name FROM people LIMIT 1)`,
  'SELECT id FROM notes WHERE NOT tag = tag',
  'SELECT id FROM notes WHERE tag IN (SELECT tag FROM notes)',
  'SELECT id FROM notes WHERE tag <> ALL (ARRAY[tag])',
  'SELECT id FROM notes n JOIN notes m USING (id) WHERE n.tag IS DISTINCT FROM m.tag',
  'SELECT nullif(tag, tag) FROM notes',
  'SELECT CASE tag WHEN tag THEN 1 END FROM notes',
  'SELECT coalesce(NULL, 1)::key',
  'SELECT key_json(id) FROM notes',
  `SELECT same_tag(name, 'x'::text) FROM people`,
  'SELECT max(minutes)::key FROM visits',
  'WITH c AS (SELECT name::tag AS t FROM people) SELECT 1 FROM c WHERE t = t',
  'SELECT DISTINCT ON (id) tag::text FROM notes ORDER BY id',
  'PREPARE p AS SELECT 5::key',
  `EXPLAIN SELECT 'a'::text::tag`,
  'INSERT INTO notes (id, key) VALUES (3, 3)',
  `INSERT INTO notes (id, tag) SELECT id, name FROM people`,
  'UPDATE notes SET key = id',
  'INSERT INTO visits (note) SELECT tag FROM notes',
  'SELECT row_to_json(n) FROM notes n',
  'SELECT to_json(key), json_build_array(key) FROM notes',
  `SELECT '5'::small, 5::small`,
  'SELECT ARRAY[5, 6]::small[]',
  `SELECT '(1,"(t)","(1)",5)'::notes`,
  `SELECT * FROM json_populate_record(NULL::notes, '{"size": 5}')`,
  `SELECT * FROM json_to_record('{"s": 5}') AS x(s small)`,
  'INSERT INTO notes (size) VALUES (7)',
  'UPDATE notes SET size = size + 1',
];

let server: PostgresServer;
let client: pg.Client;
let catalog: Catalog;
let parser: SqlParser;
let said: string[] = [];

beforeAll(async () => {
  server = await startPostgres({ sql: SCHEMA });
  parser = new SqlParser();
  const { user, password } = server.admin;
  const ssl = { ca: readFileSync(server.caFile, 'utf8') };
  const { host, port, database } = server;
  client = new pg.Client({ host, port, database, user, password, ssl });
  await client.connect();
  client.on('notice', ({ message }) => said.push(message ?? ''));
  catalog = await new CatalogReader(catalogConnection(client)).read();
});

afterAll(async () => {
  await client?.end();
  await parser?.close();
  await server?.stop();
});

async function plan(sql: string, parameterTypes: readonly number[] = []): Promise<StatementPlan> {
  const { statements } = await parser.parse(sql, Math.floor(catalog.serverVersion / 10_000));
  const names = scopeOf(catalog);
  return planStatement(statements[0]!, catalog, {
    ...masksOf(catalog, TAGS),
    names,
    searchPaths: [],
    parameterTypes,
  });
}

function called({ pairs }: StatementPlan): string[] {
  const calls = pairs.filter(({ action }) => action === 'sql.call');
  const names = calls.map(({ object }) => object.id.replace('pg/public.', ''));
  // Functions of extensions that the text names are calls too.
  return names.filter((name) => OWN.includes(name)).sort();
}

/** What the server itself says that ran; nothing of it stays. */
async function ran(sql: string): Promise<string[]> {
  await client.query('BEGIN');
  said = [];
  await client
    .query(sql.replace('TO STDOUT', `TO PROGRAM 'cat > /dev/null'`))
    .finally(() => client.query('ROLLBACK; DEALLOCATE ALL'));
  return [...new Set(said.map((line) => line.replace('ran ', '')))].sort();
}

describe('a database with casts, operators and checks of users, and extensions that bring some', () => {
  test.each(ORDINARY)('runs nothing, and is not refused: %s', async (sql) => {
    expect(await ran(sql)).toEqual([]);
    const { refusal, ...planned } = await plan(sql);
    expect(refusal).toBeUndefined();
    expect(called({ ...planned })).toEqual([]);
  });

  test.each(RUNNING)('what it runs is a call: %s', async (sql) => {
    const truly = await ran(sql);
    expect(called(await plan(sql))).toEqual(expect.arrayContaining(truly));
  });

  test('most of these do run something, so that the comparison says something', async () => {
    const all: string[][] = [];
    for (const sql of RUNNING) all.push(await ran(sql));
    expect(all.filter((names) => names.length > 0).length).toBeGreaterThan(25);
    expect([...new Set(all.flat())].sort()).toEqual(OWN);
  });

  test('a parameter runs a cast by the type that it is given', async () => {
    const sql = 'SELECT id FROM notes WHERE tag = $1';
    expect(called(await plan(sql))).toEqual(['other_tag', 'same_tag']);
    expect(called(await plan(sql, [25]))).toEqual(['other_tag', 'same_tag', 'to_tag']);
    expect([(await plan(sql)).typed, (await plan('SELECT id FROM notes')).typed]).toEqual([true, undefined]);
  });

  test('what is not certain counts as running all that it may', async () => {
    const sql = 'SELECT name FROM people WHERE id = 1';
    const { statements } = await parser.parse(sql);
    const { tree: _, ...without } = statements[0]!;
    const masks = masksOf(catalog, TAGS);
    const unknown = planStatement(without, catalog, { ...masks, names: scopeOf(catalog), searchPaths: [] });
    expect(called(await plan(sql))).toEqual([]);
    expect(called(unknown).length + Number(unknown.refusal !== undefined)).toBeGreaterThan(0);
  });
});
