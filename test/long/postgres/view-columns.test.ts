/**
 * What the columns of views are made of, read from the trees that real servers keep of them: a table of views, and views made
 * at random that are read twice with only the secrets changed.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { locatePostgres } from '../../../src/demo/postgres-home.ts';
import type { Catalog } from '../../../src/protocols/postgres/catalog/model/model.ts';
import { CatalogReader } from '../../../src/protocols/postgres/catalog/reader.ts';
import { catalogConnection } from '../../support/postgres/catalog-connection.ts';
import { masksOf } from '../../support/postgres/masked-columns.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';

const TAGS = new Map([['public.people.secret', ['pii']]]);

const START = `DROP SCHEMA public CASCADE; CREATE SCHEMA public;
  CREATE TABLE people (id int PRIMARY KEY, name text, secret text, city text);
  CREATE TABLE orders (id int PRIMARY KEY, person int, total int, note text);
  CREATE TABLE tree (id int, parent int, label text);
  CREATE TYPE pair AS (a text, b text);
  INSERT INTO orders SELECT n, n % 5, n * 7 % 11, 'note ' || n FROM generate_series(1, 9) n;
  INSERT INTO tree SELECT n, n / 2, 'label ' || n FROM generate_series(1, 5) n;`;

/** `v` is made as it says; columns that are masked. */
const VIEWS: readonly (readonly [sql: string, masked: readonly string[]])[] = [
  ['SELECT id, name, secret FROM people', ['secret']],
  ['SELECT * FROM people', ['secret']],
  ['SELECT id AS secret, secret AS id FROM people', ['id']],
  ['SELECT id, upper(secret) AS u, length(name) AS l FROM people', ['u']],
  ['SELECT id, count(*) AS n FROM people GROUP BY id', []],
  ['SELECT city, max(secret) AS m, count(*) AS n FROM people GROUP BY city', ['m']],
  ['SELECT city, count(*) FILTER (WHERE secret IS NULL) AS n FROM people GROUP BY city', ['n']],
  ['SELECT count(*) AS n FROM people', []],
  ['SELECT secret AS s, count(*) AS n FROM people GROUP BY secret', ['s', 'n']],
  ['SELECT city, count(*) AS n FROM people GROUP BY city HAVING max(secret) > $$a$$', ['city', 'n']],
  ['SELECT id, name FROM people WHERE secret > $$m$$', ['id', 'name']],
  ['SELECT id, name FROM people WHERE city = $$Bonn$$', []],
  ['SELECT id, name FROM people ORDER BY secret', ['id', 'name']],
  ['SELECT id, name FROM people ORDER BY id LIMIT 3', []],
  ['SELECT id FROM people LIMIT (SELECT length(max(secret)) FROM people)', ['id']],
  ['SELECT DISTINCT city, secret FROM people', ['city', 'secret']],
  ['SELECT DISTINCT city FROM people', []],
  ['SELECT DISTINCT ON (secret) id FROM people', ['id']],
  ['SELECT p.id, o.total, p.secret FROM people p JOIN orders o ON o.person = p.id', ['secret']],
  ['SELECT o.id FROM people p JOIN orders o ON o.note = p.secret', ['id']],
  [
    'SELECT o.id, p.name FROM orders o LEFT JOIN people p ON p.id = o.person AND p.secret > $$m$$',
    ['id', 'name'],
  ],
  ['SELECT j.id, j.secret AS s FROM (people p JOIN orders o USING (id)) AS j', ['s']],
  [
    'SELECT id, to_jsonb(j) AS whole FROM (people p JOIN (SELECT id AS key FROM orders) o ON true) AS j',
    ['whole'],
  ],
  ['SELECT id, x FROM people NATURAL JOIN (SELECT id, secret AS x FROM people) s', ['x']],
  ['SELECT id, s.x, s.y FROM orders, (SELECT secret AS x, name AS y FROM people) s', ['x']],
  [
    'SELECT o.id, s.x FROM orders o, LATERAL (SELECT p.secret AS x FROM people p WHERE p.id = o.person) s',
    ['x'],
  ],
  ['SELECT p.id, s.x FROM people p, LATERAL (SELECT p.secret AS x) s', ['x']],
  ['SELECT p.id, s.x FROM people p, LATERAL (SELECT 1 AS x WHERE p.secret > $$m$$) s', ['id', 'x']],
  ['SELECT p.id, w FROM people p, LATERAL regexp_split_to_table(p.secret, $$a$$) w', ['id', 'w']],
  ['SELECT p.id, w FROM people p, LATERAL regexp_split_to_table(p.name, $$a$$) w', []],
  ['SELECT id, (SELECT max(secret) FROM people) AS m FROM orders', ['m']],
  ['SELECT id, (SELECT count(*) FROM people q WHERE q.secret < p.name) AS n FROM people p', ['n']],
  ['SELECT id, EXISTS (SELECT 1 FROM people q WHERE q.secret = p.name) AS e FROM people p', ['e']],
  ['SELECT id, name FROM people WHERE id IN (SELECT person FROM orders)', []],
  ['SELECT id FROM orders WHERE note IN (SELECT secret FROM people)', ['id']],
  ['SELECT id, array(SELECT name FROM people) AS a FROM orders', []],
  ['SELECT id, p AS whole FROM people p', ['whole']],
  ['SELECT id, (p).name AS n, (p).secret AS s FROM people p', ['s']],
  ['SELECT id, p.*::text AS t FROM people p', ['t']],
  ['SELECT id, ROW(name, secret)::text AS r, ROW(name, city)::text AS c FROM people', ['r']],
  ['SELECT id, json_build_object($$n$$, name) AS j, to_jsonb(p) - $$secret$$ AS k FROM people p', ['k']],
  ['SELECT id, CASE WHEN secret IS NULL THEN 1 END AS c, COALESCE(name, city) AS d FROM people', ['c']],
  ['SELECT id, rank() OVER (ORDER BY secret) AS r FROM people', ['id', 'r']],
  ['SELECT id, secret AS s, rank() OVER (ORDER BY name) AS r FROM people', ['s']],
  [
    'SELECT id, lag(secret) OVER (ORDER BY id) AS l, sum(id) OVER w AS t FROM people WINDOW w AS (ORDER BY id)',
    ['l'],
  ],
  ['SELECT id, name FROM people UNION ALL SELECT id, secret FROM people', ['name']],
  [
    'SELECT id, name FROM people UNION ALL SELECT id, note FROM orders UNION ALL SELECT id, secret FROM people',
    ['name'],
  ],
  ['SELECT id, name FROM people UNION SELECT id, secret FROM people', ['id', 'name']],
  ['SELECT id, name FROM people EXCEPT ALL SELECT id, secret FROM people', ['id', 'name']],
  ['SELECT id, name FROM people INTERSECT SELECT id, note FROM orders', []],
  [
    '(SELECT id, name FROM people WHERE secret > $$m$$) UNION ALL SELECT id, note FROM orders',
    ['id', 'name'],
  ],
  ['SELECT id AS a FROM people UNION ALL SELECT total FROM orders ORDER BY a', []],
  ['WITH c AS (SELECT id, secret AS x FROM people) SELECT id, x FROM c', ['x']],
  [
    'WITH c AS (SELECT id, secret AS x FROM people), d AS (SELECT x AS y, id FROM c) SELECT id, y FROM d',
    ['y'],
  ],
  ['WITH c AS (SELECT id FROM people WHERE secret IS NULL) SELECT o.id FROM orders o', ['id']],
  ['WITH c AS (SELECT secret AS x FROM people) SELECT id, (SELECT max(x) FROM c) AS m FROM orders', ['m']],
  [
    `WITH RECURSIVE r (a, b, n) AS (SELECT name, secret, 0 FROM people UNION ALL SELECT b, a, n + 1 FROM r WHERE n < 3)
      SELECT a, n FROM r`,
    ['a'],
  ],
  [
    `WITH RECURSIVE r (a, b, n) AS (SELECT name, city, 0 FROM people UNION ALL SELECT b, a, n + 1 FROM r WHERE n < 3)
      SELECT a, b, n FROM r`,
    [],
  ],
  [
    `WITH RECURSIVE t (id, s) AS (SELECT tree.id, secret FROM tree, people UNION ALL SELECT tree.id, s FROM tree JOIN t ON tree.parent = t.id)
      SEARCH DEPTH FIRST BY id SET o CYCLE id SET c USING p SELECT id, s, o::text FROM t`,
    ['s', 'o'],
  ],
  ['SELECT x, y FROM (VALUES (1, 2), (3, 4)) v (x, y)', []],
  ['SELECT x FROM (VALUES (1), ((SELECT length(max(secret)) FROM people))) v (x)', ['x']],
  ['SELECT id, grouping(city) AS g, city FROM people GROUP BY GROUPING SETS ((id, city), (id))', []],
  ['SELECT secret AS s, count(*) AS n FROM people GROUP BY ROLLUP (secret)', ['s', 'n']],
  ['SELECT id, ctid AS c, tableoid AS t FROM people', []],
  ['SELECT id, name AS ":varno", secret AS ":relid" FROM people', [':relid']],
  ['SELECT id, name AS "} :x {", secret AS "a) (b\\ c" FROM people', ['a) (b\\ c']],
  ['SELECT id, xmlelement(name a, secret) AS x, xmlforest(name) AS y FROM people', ['x']],
  [
    'SELECT p.id, t.a FROM people p, xmltable($$/r$$ PASSING xmlelement(name r, p.secret) COLUMNS a text PATH $$.$$) t',
    ['id', 'a'],
  ],
  ['SELECT id, name FROM people TABLESAMPLE SYSTEM (50)', []],
  ['SELECT id, (ROW(name, secret)::pair).b AS b, (ROW(name, city)::pair).a AS a FROM people', ['b']],
  [
    'SELECT id, secret IS DISTINCT FROM name AS d, secret = ANY (ARRAY[name]) AS a, name || city AS n FROM people',
    ['d', 'a'],
  ],
];

/** One view more, `v1`, `v2`, …, of tables and of those before it. */
const source = fc.constantFrom('people', 'orders', 'v');
const picks = fc.array(fc.nat(30), { minLength: 2, maxLength: 3 });
const form = fc.nat(13);
const step = fc.record({ form, source, other: source, picks, filter: fc.nat(9) });

const filters = (column: string): readonly string[] => [
  ...Array.from({ length: 6 }, () => ''),
  `WHERE ${column}::text > 'm'`,
  `WHERE ${column} IS NOT NULL`,
  `WHERE EXISTS (SELECT 1 FROM people x WHERE x.secret = ${column}::text)`,
  `ORDER BY ${column}::text LIMIT 4`,
];

const forms: readonly ((from: string, other: string, c: readonly string[], filter: string) => string)[] = [
  (from, _, [a, b, c], filter) => `SELECT ${a} AS a, ${b} AS b, ${c} AS c FROM ${from} f ${filter}`,
  (from, _, [a, b], filter) => `SELECT ${a} AS a, upper(${b}::text) AS b FROM ${from} f ${filter}`,
  (from, _, [a, b]) => `SELECT ${a} AS a, max(${b}::text) AS b, count(*) AS c FROM ${from} f GROUP BY ${a}`,
  (from, _, [a, b], filter) => `SELECT DISTINCT ${a} AS a, ${b} AS b FROM ${from} f ${filter}`,
  (from, other, [a, b]) =>
    `SELECT ${a} AS a, (SELECT count(*) FROM ${other} g WHERE g.c1::text < ${b}::text) AS b FROM ${from} f`,
  (from, other, [a, b], filter) =>
    `SELECT a, b, g.c2 AS c FROM (SELECT ${a} AS a, ${b} AS b FROM ${from} f ${filter}) s, ${other} g`,
  (from, other, [a, b]) =>
    `SELECT ${a}::text AS a, ${b}::text AS b FROM ${from} f UNION ALL SELECT c2::text, c1::text FROM ${other} g`,
  (from, other, [a, b]) =>
    `SELECT ${a}::text AS a, ${b}::text AS b FROM ${from} f EXCEPT SELECT c2::text, c1::text FROM ${other} g`,
  (from, _, [a, b], filter) =>
    `WITH w AS (SELECT ${a} AS a, ${b} AS b FROM ${from} f ${filter}) SELECT b AS a, a AS b FROM w`,
  (from, _, [a, b]) =>
    `WITH RECURSIVE r (a, b, n) AS (SELECT ${a}::text, ${b}::text, 0 FROM ${from} f UNION ALL SELECT b, a, n + 1 FROM r WHERE n < 2) SELECT a, n AS b FROM r`,
  (from, _, [a, b]) => `SELECT ${a} AS a, rank() OVER (PARTITION BY ${b}) AS b FROM ${from} f`,
  (from, _, [a, b]) => `SELECT ${a} AS a, lag(${b}) OVER (ORDER BY f.c0::text) AS b FROM ${from} f`,
  (from, other, [a, b]) =>
    `SELECT ${a} AS a, h.x AS b FROM ${from} f, LATERAL (SELECT g.c1 AS x FROM ${other} g WHERE g.c0::text = ${b}::text) h`,
  (from, other, [a, b]) =>
    `SELECT a, j.c0 AS b FROM (SELECT ${a} AS a, ${b} AS k FROM ${from} f) s JOIN ${other} j ON j.c1::text = s.k::text`,
];

/** Secrets that differ in themselves, in their order, in which are equal and which are missing. */
const SECRETS = [
  ['delta', 'alpha', 'alpha', 'zulu', null, 'note 3', 'n 5'],
  ['zulu', null, 'tango', 'kilo', 'bravo', 'bravo', 'm'],
];

describe.each([15, 18])('PostgreSQL %i', (major) => {
  let home: string;
  let server: PostgresServer;
  let client: pg.Client;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'hoop-views-'));
    chmodSync(home, 0o755);
    const bin = major === 18 ? dirname((await locatePostgres(home)).postgres) : undefined;
    server = await startPostgres(bin === undefined ? {} : { bin });
    const { host, port, database, admin, caFile } = server;
    client = new pg.Client({ host, port, database, ...admin, ssl: { ca: readFileSync(caFile, 'utf8') } });
    await client.connect();
  });

  afterAll(async () => {
    await client?.end();
    await server?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  const read = () => new CatalogReader(catalogConnection(client)).read();
  const masked = (catalog: Catalog, name: string) => {
    const { isMasked } = masksOf(catalog, TAGS);
    const view = catalog.lookupRelation('public', name);
    const columns = [...(view?.columns.values() ?? [])];
    return columns.map((column) => [column.name, isMasked(view?.oid ?? 0, column.attnum)] as const);
  };

  test('each column of a view is masked by what it is made of', async () => {
    await client.query(START);
    for (const [index, [sql]] of VIEWS.entries()) await client.query(`CREATE VIEW v${index} AS ${sql}`);
    const catalog = await read();
    const found = VIEWS.map(([sql], index) => [
      sql,
      masked(catalog, `v${index}`).flatMap(([name, is]) => (is ? [name] : [])),
    ]);
    expect(found).toEqual(VIEWS.map((view) => [...view]));
  });

  test('what a column shows that is not masked does not depend on the secrets', {
    timeout: 120_000,
  }, async () => {
    let clear = 0;
    let seen = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), async (steps) => {
        await client.query(`${START}
          CREATE VIEW v AS SELECT id AS c0, secret AS c1, city AS c2, name AS c3 FROM people`);
        const tables = {
          people: ['id', 'secret', 'city', 'name'],
          orders: ['id', 'note', 'total', 'person'],
        };
        for (const [name, columns] of Object.entries(tables))
          await client.query(
            `CREATE VIEW ${name}_v AS SELECT ${columns.map((column, i) => `${column} AS c${i}`).join(', ')} FROM ${name}`,
          );
        const made = ['v', 'people_v', 'orders_v'];
        for (const { form, source, other, picks, filter } of steps) {
          const pick = (kind: string, at: number) =>
            kind === 'v' ? (made[at % made.length] as string) : `${kind}_v`;
          const [from, second] = [pick(source, picks[0] ?? 0), pick(other, picks[1] ?? 0)];
          const columns = [...picks, 2].map((at) => `f.c${at % 3}`);
          const query = forms[form]?.(from, second, columns, filters(columns[0] as string)[filter] as string);
          const name = `v${made.length}`;
          const sql = `CREATE VIEW ${name} AS SELECT a AS c0, b AS c1, a AS c2 FROM (${query}) made`;
          const done = await client.query(sql).then(
            () => true,
            () => false,
          );
          if (done) made.push(name);
        }
        const catalog = await read();
        const shown: string[][] = [];
        for (const secrets of SECRETS) {
          await client.query('TRUNCATE people');
          for (const [id, secret] of secrets.entries())
            await client.query('INSERT INTO people VALUES ($1, $2, $3, $4)', [
              id,
              `name ${id}`,
              secret,
              `city ${id % 3}`,
            ]);
          const answers: string[] = [];
          for (const name of made)
            for (const [column, is] of masked(catalog, name)) {
              seen++;
              if (is) continue;
              clear++;
              const { rows } = await client.query({
                text: `SELECT ${column} FROM ${name}`,
                rowMode: 'array',
              });
              answers.push(`${name}.${column} ${JSON.stringify(rows)}`);
            }
          shown.push(answers);
        }
        expect(shown[0]).toEqual(shown[1]);
      }),
      { numRuns: 40 },
    );
    // Else all that it compares might be nothing.
    expect(clear).toBeGreaterThan(seen / 4);
    expect(clear).toBeLessThan(seen);
  });
});
