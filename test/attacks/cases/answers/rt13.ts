import { type Attack, type AttackGroup, leak, must, same, send } from '../../attack.ts';

const POLICY = `
@id("all") permit (principal, action, resource);
@id("hidden") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("hidden") };
`;

/** A masked column amid much that has its names, and a cast that could be meant by anything. */
const FIXTURE = `
CREATE TABLE people (id int PRIMARY KEY, name text DEFAULT 'none', email text, born int);
INSERT INTO people VALUES (1, 'Ann', 'ann@example.com', 1990), (2, 'Bob', 'bob@example.com', 1991);
CREATE TABLE plain (id int, title text, status text); INSERT INTO plain VALUES (1, 'a', 'x'), (2, 'b', 'y');
CREATE TABLE status (status text, id int); INSERT INTO status VALUES ('on', 1);
CREATE TABLE totals (id int, total int); INSERT INTO totals VALUES (1, 9);
CREATE VIEW names AS SELECT id, name FROM people;
CREATE VIEW counts AS SELECT count(*) AS n FROM people;
CREATE MATERIALIZED VIEW kept AS SELECT born, count(*) AS n FROM people GROUP BY born;
CREATE SCHEMA app;
CREATE TABLE app.people (id int, email text); INSERT INTO app.people VALUES (7, 'shown@example.com');
CREATE VIEW app.names AS SELECT email FROM app.people;
CREATE FUNCTION app.lower(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION app.unread(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
CREATE FUNCTION app.total(totals) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE app.key AS (k text);
CREATE FUNCTION app.to_key(int) RETURNS app.key LANGUAGE sql AS 'SELECT ROW($1::text)::app.key';
CREATE CAST (int AS app.key) WITH FUNCTION app.to_key(int) AS IMPLICIT;
CREATE FUNCTION app.of_key(app.key) RETURNS int LANGUAGE sql AS 'SELECT length($1.k)';
CREATE CAST (app.key AS int) WITH FUNCTION app.of_key(app.key) AS IMPLICIT;
CREATE TABLE app.keyed (id int, key app.key); INSERT INTO app.keyed VALUES (1, ROW('k')::app.key);
`;

/** Costs and times of plans differ from run to run. */
const PLAN = '(VERBOSE, ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF)';

const honest = (what: string, ...steps: string[]) => same({ case: what, steps });

/** What is refused names the piece and says why. */
function explained(what: string, sql: string, words: RegExp): Attack {
  return {
    case: what,
    run: async (world) => {
      const client = await world.through();
      const before = client.received.length;
      const lines = await send(client, sql);
      must(lines[0] === 'ErrorResponse 42501', lines.join(' / '));
      const said = client.received.subarray(before).toString('utf8');
      must(words.test(said), said);
    },
  };
}

/** Refusals of what holds nothing masked. */
export const RT13: readonly AttackGroup[] = [
  {
    id: 'RT13',
    scenario: {
      policy: POLICY,
      sql: FIXTURE,
      columns: { 'public.people.email': ['hidden'] },
      superuser: true,
    },
    attacks: [
      honest('COPY of columns that are not masked', 'COPY people (id, name) TO STDOUT'),
      honest(
        'COPY of a query of such columns',
        'COPY (SELECT id, upper(name) FROM people WHERE born > 1 ORDER BY id) TO STDOUT',
      ),
      honest(
        'EXPLAIN VERBOSE and ANALYZE of such columns',
        `EXPLAIN ${PLAN} SELECT id, name FROM people WHERE born = 1990`,
      ),
      honest(
        'EXPLAIN ANALYZE of a change',
        'BEGIN',
        `EXPLAIN ${PLAN} UPDATE people SET name = 'x' WHERE id = 1`,
        'ROLLBACK',
      ),
      honest(
        'a table made of such columns',
        'CREATE TABLE made AS SELECT id, name FROM people',
        'SELECT * FROM made',
        'DROP TABLE made',
      ),
      honest(
        'a view made of such columns',
        'CREATE VIEW made AS SELECT id, name FROM people',
        'SELECT *, id + 1 FROM made',
        'DROP VIEW made',
      ),
      honest(
        'INTO of such columns',
        'SELECT id, name INTO made FROM people',
        'SELECT name FROM made',
        'DROP TABLE made',
      ),
      honest(
        'views that use none of it',
        'SELECT *, upper(name) FROM names',
        'SELECT n + 1 FROM counts',
        'SELECT * FROM kept ORDER BY born',
      ),
      honest(
        'a table of the same name in another schema',
        'SELECT upper(email) FROM app.people',
        'COPY app.people TO STDOUT',
        'SELECT app.people.email FROM app.people',
      ),
      honest(
        'a view of the same name in another schema',
        'SELECT DISTINCT email FROM app.names WHERE email IS NOT NULL',
      ),
      honest(
        'both tables in one statement',
        'SELECT a.email || p.id FROM app.people a, people p WHERE a.email <> p.name',
      ),
      honest(
        'a function of the same name in another schema',
        "SELECT id FROM people WHERE lower(name) = 'ann'",
        'SELECT lower(name) FROM people',
      ),
      honest(
        'a column of the name of a function',
        'SELECT t.total FROM totals t',
        'SELECT q.total FROM (SELECT 5 AS total) q WHERE q.total > 1',
      ),
      honest(
        'a column of the name of its table',
        'SELECT status FROM status WHERE status IS NOT NULL',
        'SELECT name FROM people people',
      ),
      honest(
        'a function whose text is read and holds nothing masked',
        'COPY (SELECT app.lower(name) FROM people) TO STDOUT',
      ),
      honest(
        'casts that cannot be meant',
        'SELECT id + 1, title || 1 FROM plain WHERE id IN (1, 2) AND title = $$a$$',
        'SELECT sum(born) FROM people GROUP BY name ORDER BY 1',
      ),
      honest(
        '… in writing',
        'BEGIN',
        "INSERT INTO plain VALUES (3, 'c', 'z') RETURNING id, title",
        'UPDATE plain SET id = id + 1 RETURNING *',
        'ROLLBACK',
      ),
      honest('… without a table', 'SELECT 1 + 1, now() IS NULL'),
      honest(
        'copying such columns to another table',
        'BEGIN',
        'INSERT INTO plain (id, title) SELECT id, name FROM people',
        'SELECT count(*) FROM plain',
        'ROLLBACK',
      ),
      honest(
        'joins that compare none of it',
        'SELECT p.id FROM people p NATURAL JOIN plain',
        'SELECT id, title FROM people JOIN plain USING (id)',
      ),
      honest(
        'defaults of columns that are not masked, as tools ask for them',
        `SELECT a.attname, (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d
           WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef)
         FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'people'::regclass AND a.attnum > 0 ORDER BY a.attnum`,
        "SELECT column_name, column_default FROM information_schema.columns WHERE table_name = 'people' ORDER BY ordinal_position",
      ),
      honest(
        'sorting and grouping by what is not masked',
        'SELECT DISTINCT born, name FROM people ORDER BY 2, born',
        'SELECT name, count(*) FROM people GROUP BY 1 ORDER BY 1',
      ),
      explained(
        'the masked column is named',
        'COPY people TO STDOUT',
        /column public\.people\.email is masked for you/,
      ),
      explained(
        '… in EXPLAIN',
        'EXPLAIN ANALYZE SELECT * FROM people',
        /public\.people\.email is masked for you/,
      ),
      explained(
        'the function is named',
        'COPY (SELECT app.unread(name) FROM people) TO STDOUT',
        /function app\.unread may give/,
      ),
      explained(
        'the cast is named',
        'SELECT id FROM app.keyed WHERE key = ROW(1)::app.key',
        /cast of .+ to app\.key/,
      ),
      leak({
        case: 'the masked column behind those that are not',
        steps: ['COPY people (id, email) TO STDOUT'],
        secret: 'ann@example.com',
      }),
      leak({
        case: 'a view of it beside others',
        steps: ['CREATE TEMP VIEW w AS SELECT id, people AS p FROM people', 'SELECT p FROM w', 'DROP VIEW w'],
        secret: 'ann@example.com',
      }),
    ],
  },
];
