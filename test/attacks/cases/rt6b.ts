import { ALLOW_ALL } from '../../support/stack.ts';
import { type AttackGroup, leak, same } from '../attack.ts';

const SECRET = 'apple-tree-7431';

/** One name in two schemas; nothing steers but what a group adds, for one such thing makes all functions count. */
const QUIET = `
CREATE SCHEMA app;
CREATE TABLE public.t (x text); INSERT INTO public.t VALUES ('a public row');
CREATE TABLE app.t (x text); INSERT INTO app.t VALUES ('${SECRET}');
GRANT USAGE, CREATE ON SCHEMA public TO hoop; GRANT USAGE ON SCHEMA app TO hoop;`;
const GRANTS = 'GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop; GRANT SELECT ON app.t TO hoop;';

const POLICY = `${ALLOW_ALL}
@id("not-theirs") forbid (principal, action == Action::"sql.select", resource is Table)
when { resource.name == "t" && resource.schema == "app" };`;

/** What PostgreSQL stores as a call of a function that leaves no trace among the dependencies. */
const MOVES = `set_config('search_path', 'app', false)`;

const TABLES = `
CREATE TABLE filled (x text DEFAULT ${MOVES}, y int);
CREATE TABLE wordy (x xml DEFAULT query_to_xml('SELECT set_config(''search_' || 'path'', ''app'', false)', true, false, ''), y int);
CREATE TABLE checked (y int CHECK (${MOVES} IS NOT NULL));
CREATE TABLE parted (y int) PARTITION BY LIST (y);
CREATE TABLE parted_1 PARTITION OF parted (CHECK (${MOVES} IS NOT NULL)) FOR VALUES IN (1);
CREATE TABLE secured (y int); INSERT INTO secured VALUES (1); ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secured USING (${MOVES} IS NOT NULL);
CREATE TABLE stamped (y int); ALTER TABLE stamped ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON stamped FOR INSERT WITH CHECK (${MOVES} IS NOT NULL);
CREATE TABLE watched (y int);
CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER w BEFORE INSERT ON watched FOR EACH ROW WHEN (${MOVES} IS NOT NULL) EXECUTE FUNCTION quiet();
CREATE TABLE behind (x text, y int); CREATE VIEW front AS SELECT x, y FROM behind;
ALTER VIEW front ALTER x SET DEFAULT ${MOVES};
CREATE TABLE keys (k text PRIMARY KEY); INSERT INTO keys VALUES ('app'), ('x');
CREATE TABLE refers (k text DEFAULT ${MOVES} REFERENCES keys ON DELETE SET DEFAULT);
CREATE TABLE mine (y int); INSERT INTO mine VALUES (1); ALTER TABLE mine OWNER TO hoop;`;

const DOMAINS = `
CREATE DOMAIN checks AS text CHECK (${MOVES} IS NOT NULL);
CREATE DOMAIN over AS checks;
CREATE TYPE pair AS (a int, b checks);
CREATE DOMAIN fills AS text DEFAULT ${MOVES};
CREATE TABLE typed (d fills, y int);
CREATE TABLE deep (y text DEFAULT 'x'::text::checks, z int);`;

/** One at a time: a world where anything else steers would notice by that. */
const alone = (what: string, sql: string, ...steps: string[]): AttackGroup => ({
  id: 'RT6',
  scenario: { policy: POLICY, sql: `${QUIET}${sql}${GRANTS}` },
  attacks: [read(what, ...steps)],
});

const read = (what: string, ...steps: string[]) =>
  leak({ case: what, steps: [...steps, 'SELECT x FROM t'], secret: SECRET });

/** Built-in functions in what is stored change the path. */
export const RT6B: readonly AttackGroup[] = [
  {
    id: 'RT6',
    scenario: { policy: POLICY, sql: `${QUIET}${TABLES}${DOMAINS}${GRANTS}` },
    attacks: [
      read('a DEFAULT with a built-in function', 'INSERT INTO filled (y) VALUES (1)'),
      leak({
        case: '… in one string',
        forms: ['simple'],
        steps: ['INSERT INTO filled (y) VALUES (1); SELECT x FROM t'],
        secret: SECRET,
      }),
      read('… by its name', 'INSERT INTO filled (x, y) VALUES (DEFAULT, 1)'),
      read('… by UPDATE', `INSERT INTO filled VALUES ('x', 2)`, 'UPDATE filled SET x = DEFAULT WHERE y = 2'),
      read(
        '… by MERGE',
        'MERGE INTO filled f USING (VALUES (3)) v(i) ON false WHEN NOT MATCHED THEN INSERT (y) VALUES (i)',
      ),
      read('a DEFAULT that runs a text', 'INSERT INTO wordy (y) VALUES (1)'),
      read('a CHECK', 'INSERT INTO checked VALUES (1)'),
      read('the CHECK of a partition', 'INSERT INTO parted VALUES (1)'),
      read('a row policy', 'SELECT y FROM secured'),
      read('a row policy on what is written', 'INSERT INTO stamped VALUES (1)'),
      read('the condition of a trigger', 'INSERT INTO watched VALUES (1)'),
      read('the DEFAULT of a view', 'INSERT INTO front (y) VALUES (1)'),
      leak({
        case: 'a DEFAULT that a foreign key sets',
        before: `DELETE FROM refers; INSERT INTO keys VALUES ('x') ON CONFLICT DO NOTHING; INSERT INTO refers VALUES ('x'); `,
        steps: [`DELETE FROM keys WHERE k = 'x'`, 'SELECT x FROM t'],
        secret: SECRET,
      }),
      read("a domain's CHECK", `SELECT 'x'::checks`),
      read("a domain's CHECK, on what is no literal", 'SELECT y::text::checks FROM mine'),
      read('a domain over it', `SELECT 'x'::over`),
      read('an array of it', `SELECT '{x}'::checks[]`),
      read('a composite with it', `SELECT '(1,x)'::pair`),
      read('a record filled from JSON', `SELECT json_populate_record(NULL::pair, '{"b": "x"}')`),
      read('a DEFAULT that casts to it', 'INSERT INTO deep (z) VALUES (1)'),
      read("a domain's DEFAULT", 'INSERT INTO typed (y) VALUES (1)'),
      leak({
        case: "a domain's DEFAULT for a new column",
        steps: ['ALTER TABLE mine ADD COLUMN z fills', 'SELECT x FROM t'],
        after: 'ALTER TABLE mine DROP COLUMN IF EXISTS z',
        secret: SECRET,
      }),
      same({
        case: 'what only computes, and counts, is part of the statement',
        forms: ['simple'],
        steps: ['SELECT y FROM mine', 'SELECT x FROM t; SELECT count(*) FROM mine', 'SELECT x, y FROM front'],
      }),
    ],
  },
  alone(
    'the default of an argument',
    `CREATE FUNCTION f(a text DEFAULT ${MOVES}) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';`,
    'SELECT f()',
  ),
  alone(
    'the default of a procedure',
    `CREATE PROCEDURE f(a text DEFAULT ${MOVES}) LANGUAGE plpgsql AS 'BEGIN NULL; END';`,
    'CALL f()',
  ),
  alone(
    'an aggregate of a built-in function',
    `CREATE AGGREGATE agg(text, boolean) (SFUNC = set_config, STYPE = text, INITCOND = 'search_path');`,
    `SELECT agg('app', false)`,
  ),
  alone(
    'a function that makes a value of a domain',
    `CREATE DOMAIN dm AS text CHECK (${MOVES} IS NOT NULL);
     CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'DECLARE v dm := ''x''; BEGIN RETURN 1; END';`,
    'SELECT f()',
  ),
  alone(
    'a function that writes where a DEFAULT does it',
    `CREATE TABLE d (x text DEFAULT ${MOVES}, y int);
     CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'INSERT INTO d (y) VALUES (1) RETURNING y';`,
    'SELECT f()',
  ),
  alone(
    'a function that reads where a row policy does it',
    `CREATE TABLE d (y int); INSERT INTO d VALUES (1); ALTER TABLE d ENABLE ROW LEVEL SECURITY;
     CREATE POLICY p ON d USING (${MOVES} IS NOT NULL);
     CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT y FROM d';`,
    'SELECT f()',
  ),
  alone(
    'a function that reads a view which runs a text',
    `CREATE VIEW v AS SELECT query_to_xml('SELECT set_config(''search_' || 'path'', ''app'', false)', true, false, '') AS x;
     CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT x::text FROM v';`,
    'SELECT f()',
  ),
  alone(
    'a function that is internal by another name',
    `CREATE FUNCTION f(text, text, boolean) RETURNS text LANGUAGE internal AS 'set_config_by_name';`,
    `SELECT f('search_path', 'app', false)`,
  ),
];
