import { type AttackGroup, leak } from '../attack.ts';

const SSN = '123-45-6789';

/** Everything is permitted but to see one column of one table, named as such: whatever shows it has no name of its own. */
const ONE_COLUMN_HIDDEN = `
@id("all") permit (principal, action, resource);
@id("hidden") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column)
when { (resource.table == "people" && ["ssn", "tax"].contains(resource.name)) || (resource.table == "lots" && resource.name == "ssn") };
`;

const CLASSIFIED = {
  'public.people.ssn': ['pii'],
  'public.people.tax': ['pii'],
  'public.lots.ssn': ['pii'],
};

/** A column with a national id, and every way in which a catalog shows it elsewhere. */
const FAMILIES = `
CREATE TABLE people (id int PRIMARY KEY, name text, ssn text UNIQUE, digits text GENERATED ALWAYS AS (replace(ssn, '-', '.')) STORED);
INSERT INTO people VALUES (1, 'Ann', '${SSN}');
ALTER TABLE people ADD COLUMN tax text DEFAULT 'DE-811907980';
CREATE TABLE staff (ssn text, grade int);
CREATE TABLE club (grade int, motto text);
CREATE TABLE clerks (desk int) INHERITS (people, staff);
CREATE TABLE caddies (hole int) INHERITS (clerks, club);
ALTER TABLE caddies ALTER tax DROP DEFAULT;
INSERT INTO caddies (id, name, ssn, grade, motto, tax) VALUES (2, 'Cy', '${SSN}', 3, 'fore', 'x');
CREATE TABLE logins (who text REFERENCES people (ssn), at int);
INSERT INTO logins VALUES ('${SSN}', 1);
CREATE TABLE sessions (who text, at int, UNIQUE (who));
ALTER TABLE sessions ADD FOREIGN KEY (who) REFERENCES people (ssn);
CREATE TABLE visits (visitor text REFERENCES sessions (who));
INSERT INTO sessions VALUES ('${SSN}', 1); INSERT INTO visits VALUES ('${SSN}');
CREATE TABLE archive (at int, was people, others people[]);
INSERT INTO archive SELECT 1, p, ARRAY[p] FROM people p;
CREATE TYPE pair AS (left_ people, right_ int);
CREATE DOMAIN pairs AS pair;
CREATE TABLE boxes (at int, held pair, domained pairs);
INSERT INTO boxes SELECT 1, ROW(p, 1)::pair, ROW(p, 1)::pair FROM people p;
CREATE VIEW plain_view AS SELECT id, ssn AS a FROM people;
CREATE VIEW row_view AS SELECT id, p::text AS a FROM people p;
CREATE VIEW deep_view AS SELECT upper(a) AS b FROM (SELECT a FROM row_view) q;
CREATE MATERIALIZED VIEW kept_view AS SELECT b AS c FROM deep_view;
CREATE VIEW merged_view AS SELECT id, x FROM people JOIN (SELECT id, ssn AS x FROM people) q USING (id);
CREATE TABLE diary (entry text);
CREATE RULE diary AS ON INSERT TO people DO ALSO INSERT INTO diary VALUES (new.ssn);
INSERT INTO people VALUES (3, 'Di', '${SSN}x');
CREATE TABLE lots (ssn text) PARTITION BY LIST (ssn);
CREATE TABLE lot_one PARTITION OF lots FOR VALUES IN ('${SSN}');
CREATE TABLE lot_rest PARTITION OF lots DEFAULT PARTITION BY LIST (ssn);
CREATE TABLE lot_deep PARTITION OF lot_rest DEFAULT;
INSERT INTO lots VALUES ('${SSN}'), ('987-65-4320');
CREATE TABLE odd (row_to_json int, text int); INSERT INTO odd VALUES (1, 2);
CREATE EXTENSION tablefunc;
ANALYZE;
`;

const seen = (what: string, sql: string, secret = SSN) => leak({ case: what, steps: [sql], secret });

const families: AttackGroup = {
  id: 'RT5',
  scenario: { policy: ONE_COLUMN_HIDDEN, sql: FAMILIES, columns: CLASSIFIED, superuser: true },
  attacks: [
    seen(
      'SQL as text, by compiled code of an extension',
      "SELECT v FROM crosstab('SELECT 1, 1, ssn FROM people') AS t(r int, v text)",
    ),
    seen(
      '… that walks a tree',
      "SELECT k FROM connectby('people', 'ssn', 'name', 'Ann', 1) AS t(k text, p text, l int)",
    ),
    seen('a child of two parents, through the one that is not classified', 'SELECT ssn FROM staff'),
    seen('… through the child itself, reversed', 'SELECT reverse(ssn) FROM clerks'),
    seen('… through a child of that child', 'SELECT ssn FROM ONLY caddies'),
    seen('a partition of a partition', 'SELECT ssn FROM lot_deep', '987-65-4320'),
    seen('a generated column', 'SELECT digits FROM people', '123.45.6789'),
    seen('a generated column that a child inherits', 'SELECT digits FROM caddies', '123.45.6789'),
    seen('a column that refers to it', 'SELECT who FROM logins'),
    seen('a column that refers to one that refers to it', 'SELECT visitor FROM visits'),
    seen('a column of its row type', 'SELECT was FROM archive'),
    seen('a field of a column of its row type', 'SELECT (was).ssn FROM archive'),
    seen('an array of its rows', 'SELECT others FROM archive'),
    seen('its row within another type', 'SELECT ((held).left_).ssn FROM boxes'),
    seen('a domain over a type with its row', 'SELECT domained FROM boxes'),
    seen('a view', 'SELECT a FROM plain_view'),
    seen('a whole row in a view, which pg_depend does not tell', 'SELECT a FROM row_view'),
    seen('a materialized view over views', 'SELECT c FROM kept_view'),
    seen('a view of a merged join', 'SELECT x FROM merged_view'),
    seen('a table that a rule copies to', 'SELECT entry FROM diary'),
    seen('a table that a rule copies to, by COPY', 'COPY diary TO STDOUT'),
    seen(
      'the value of a column that old rows have',
      "SELECT attmissingval FROM pg_attribute WHERE attrelid = 'people'::regclass",
      'DE-811907980',
    ),
    seen(
      'a default, as information_schema tells it',
      'SELECT column_default FROM information_schema.columns',
      'DE-811907980',
    ),
    seen(
      'a default, written out and copied',
      'COPY (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef) TO STDOUT',
      'DE-811907980',
    ),
    seen('bounds of partitions', 'SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition'),
    seen(
      'a default, computed with',
      'SELECT upper(column_default) FROM information_schema.columns',
      'DE-811907980',
    ),
    seen(
      'a default within a row',
      'SELECT q::text FROM (SELECT * FROM information_schema.columns) q',
      'DE-811907980',
    ),
    seen(
      'a default under another name',
      'WITH q (a) AS (SELECT column_default FROM information_schema.columns) SELECT lower(upper(a)) FROM q',
      'DE-811907980'.toLowerCase(),
    ),
    seen('a default as the server stores it', 'SELECT adbin::text FROM pg_attrdef', '68 69 45 56 49 49'),
    seen('a row of defaults', 'SELECT d FROM pg_attrdef d', '68 69 45 56 49 49'),
    seen('a row of defaults, as a field', 'SELECT d.row_to_json FROM pg_attrdef d', '68 69 45 56 49 49'),
    seen('a bound as the server stores it', 'SELECT relpartbound::text FROM pg_class', '49 50 51 45 52 53'),
    leak({
      case: 'bounds of partitions, stored',
      steps: [
        'CREATE TEMP TABLE b AS SELECT pg_get_expr(relpartbound, oid) AS x FROM pg_class',
        'SELECT x FROM b',
        'DROP TABLE b',
      ],
      secret: SSN,
    }),
    seen(
      'a call written as a field, of a name that another table has as column',
      'SELECT j.row_to_json FROM (people p CROSS JOIN (SELECT 1) q) AS j, odd',
    ),
    leak({
      case: 'a call written as a field of what RETURNING calls old',
      majors: [18],
      steps: [
        "UPDATE clerks SET name = 'x' FROM odd RETURNING old.text",
        "UPDATE caddies c SET name = 'x' FROM odd RETURNING old.row_to_json",
      ],
      secret: SSN,
    }),
    seen(
      'a call written as a field, beside another thing of that name',
      'SELECT t.row_to_json FROM people t WHERE EXISTS (SELECT 1 FROM odd t)',
    ),
  ],
};

/** Functions that policy permits, and that show the column. */
const FUNCTIONS = `
CREATE TABLE people (id int PRIMARY KEY, name text, ssn text);
INSERT INTO people VALUES (1, 'Ann', '${SSN}');
CREATE TABLE notes (id int, note text);
CREATE FUNCTION get_ssn(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT ssn FROM public.people WHERE id = $1';
CREATE FUNCTION fixed() RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT ssn FROM public.people LIMIT 1); END';
CREATE FUNCTION whole(notes) RETURNS text LANGUAGE sql STABLE AS 'SELECT ssn FROM public.people LIMIT 1';
CREATE FUNCTION glue(text, text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1 || $2 || ssn FROM public.people LIMIT 1';
CREATE OPERATOR #+# (LEFTARG = text, RIGHTARG = text, FUNCTION = glue);
CREATE TYPE tag AS (t text);
CREATE FUNCTION to_tag(int) RETURNS tag LANGUAGE sql STABLE AS 'SELECT ROW(ssn)::tag FROM public.people LIMIT 1';
CREATE CAST (int AS tag) WITH FUNCTION to_tag(int) AS ASSIGNMENT;
CREATE TABLE tags (id int, tag tag);
CREATE FUNCTION all_ssn() RETURNS TABLE (s text) LANGUAGE sql STABLE AS 'SELECT ssn FROM public.people';
CREATE VIEW called AS SELECT id, get_ssn(id) AS s FROM notes;
CREATE MATERIALIZED VIEW kept AS SELECT fixed() AS s;
CREATE VIEW by_text AS SELECT query_to_xml('SELECT ssn FROM people', true, false, '')::text AS x;
INSERT INTO notes VALUES (1, 'x');
`;

const CLEAN = `DELETE FROM notes WHERE id > 1; DELETE FROM tags; DROP TABLE IF EXISTS made;
  ALTER TABLE notes ALTER note DROP DEFAULT`;

const flows = (what: string, ...steps: string[]) => leak({ case: what, steps, secret: SSN, before: CLEAN });

const functions: AttackGroup = {
  id: 'RT5',
  scenario: {
    policy: ONE_COLUMN_HIDDEN,
    sql: FUNCTIONS,
    columns: { 'public.people.ssn': ['pii'] },
    superuser: true,
  },
  attacks: [
    flows("a permitted function's result", 'SELECT get_ssn(1)'),
    flows('… by COPY', 'COPY (SELECT get_ssn(1)) TO STDOUT'),
    flows('… stored and read back', 'INSERT INTO notes SELECT 2, get_ssn(1)', 'SELECT note FROM notes'),
    flows('… set and returned', 'UPDATE notes SET note = get_ssn(1) RETURNING note', 'SELECT 1'),
    flows('… as RETURNING', 'INSERT INTO notes VALUES (3) RETURNING get_ssn(1)'),
    flows(
      '… of a write within a query',
      'WITH w AS (INSERT INTO notes VALUES (4) RETURNING get_ssn(1) AS s) SELECT s FROM w',
    ),
    flows('… made a table', 'CREATE TABLE made AS SELECT get_ssn(1) AS s', 'SELECT s FROM made'),
    flows('… made a table by INTO', 'SELECT get_ssn(1) AS s INTO TEMP made', 'SELECT s FROM made'),
    flows('… folded into a plan', 'EXPLAIN SELECT * FROM notes WHERE note = fixed()'),
    flows('… folded into the list of a plan', 'EXPLAIN (VERBOSE) SELECT fixed()'),
    flows('… in FROM, as a star', 'SELECT * FROM all_ssn()'),
    flows('… through a query in FROM', 'SELECT x.s FROM (SELECT get_ssn(1) AS s) x'),
    flows('… sorted among others', "SELECT s FROM (SELECT fixed() AS s UNION SELECT 'a') q"),
    flows('… written as a field', 'SELECT n.whole FROM notes n'),
    flows('… written as a field of a query', 'SELECT n.whole FROM (SELECT n FROM notes n) q, notes n'),
    flows('… by an operator', "SELECT 'a'::text #+# 'b'::text"),
    flows('… by an operator, copied', "COPY (SELECT 'a'::text #+# 'b'::text) TO STDOUT"),
    flows('… by a cast', 'SELECT 1::tag'),
    flows('… by a cast that an INSERT adds', 'INSERT INTO tags VALUES (1, 5)', 'SELECT tag FROM tags'),
    flows('… in a view', 'SELECT s FROM called'),
    flows('… in a view, copied', 'COPY (SELECT s FROM called) TO STDOUT'),
    flows('… in a materialized view', 'COPY (SELECT s FROM kept) TO STDOUT'),
    flows('SQL as text in a view', 'SELECT x FROM by_text'),
    flows(
      '… as a default',
      'ALTER TABLE notes ALTER note SET DEFAULT fixed()',
      'INSERT INTO notes (id) VALUES (9) RETURNING note',
    ),
    flows('… prepared', 'PREPARE p AS SELECT get_ssn(1)', 'EXECUTE p', 'DEALLOCATE p'),
    flows(
      '… as a parameter of what is prepared',
      'PREPARE q(text) AS SELECT $1',
      'EXECUTE q(get_ssn(1))',
      'DEALLOCATE q',
    ),
    flows('… from a cursor', 'BEGIN', 'DECLARE c CURSOR FOR SELECT get_ssn(1)', 'FETCH c', 'ROLLBACK'),
    flows('… sent to whoever listens', 'LISTEN heard', "SELECT pg_notify('heard', get_ssn(1))", 'SELECT 1'),
  ],
};

/** Two answers to "is this masked?". */
export const RT5: readonly AttackGroup[] = [families, functions];
