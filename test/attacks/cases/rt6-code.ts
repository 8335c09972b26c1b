import { bind, execute, flush, parse, query, sync } from '../../support/postgres/raw-client.ts';
import { ALLOW_ALL } from '../../support/stack.ts';
import { type AttackGroup, leak, leakAtOnce, same } from '../attack.ts';

const SECRET = 'pear-tree-2296';
const CODE = [
  ['drops', 'DROP TABLE public.t'],
  ['renames', 'ALTER TABLE public.t RENAME TO t_old'],
  ['moves', 'ALTER TABLE public.t SET SCHEMA app'],
  ['swaps', 'ALTER TABLE public.t RENAME TO t_old; ALTER TABLE other.decoy RENAME TO was_decoy'],
  ['takes_away', 'ALTER SCHEMA public RENAME TO elsewhere'],
] as const;

/** Names that lead to `public.t` until code takes it away; behind it the path leads to `other.t`. */
const FIXTURE = `
CREATE SCHEMA app; CREATE SCHEMA other;
CREATE TABLE public.t (x text); CREATE TABLE other.t (x text); CREATE TABLE other.decoy (x text);
INSERT INTO public.t VALUES ('a public row'); INSERT INTO other.t VALUES ('${SECRET}');
CREATE TABLE app.marks (x text); CREATE TABLE app.made (x text DEFAULT 'made');
${CODE.map(
  ([name, sql]) =>
    `CREATE FUNCTION app.${name}() RETURNS int LANGUAGE plpgsql AS 'BEGIN ${sql}; RETURN 1; END';`,
).join('\n')}
CREATE FUNCTION app.dynamic() RETURNS int LANGUAGE plpgsql AS $$BEGIN EXECUTE 'DR' || 'OP TABLE public.' || 't'; RETURN 1; END$$;
CREATE FUNCTION app.nested() RETURNS int LANGUAGE sql AS 'SELECT app.drops()';
CREATE FUNCTION app.caught() RETURNS int LANGUAGE plpgsql AS
  'BEGIN BEGIN DROP TABLE public.t; EXCEPTION WHEN others THEN NULL; END; RETURN 1; END';
CREATE PROCEDURE app.proc() LANGUAGE plpgsql AS 'BEGIN DROP TABLE public.t; END';
CREATE FUNCTION app.fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DROP TABLE public.t; RETURN NEW; END';
CREATE TRIGGER fires BEFORE INSERT ON app.marks FOR EACH ROW EXECUTE FUNCTION app.fires();
CREATE FUNCTION app.by_default() RETURNS text LANGUAGE plpgsql AS 'BEGIN DROP TABLE public.t; RETURN 1; END';
CREATE TABLE app.defaults (y int, x text DEFAULT app.by_default());
CREATE VIEW app.v AS SELECT app.drops() AS x;
CREATE FUNCTION app.op(int, int) RETURNS int LANGUAGE plpgsql AS 'BEGIN DROP TABLE public.t; RETURN 1; END';
CREATE OPERATOR public.%%% (LEFTARG = int, RIGHTARG = int, FUNCTION = app.op);
GRANT USAGE, CREATE ON SCHEMA app, other, public TO hoop;
GRANT ALL ON ALL TABLES IN SCHEMA app TO hoop;
ALTER TABLE public.t OWNER TO hoop; ALTER TABLE other.decoy OWNER TO hoop; GRANT SELECT ON other.t TO hoop;
DO $$BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO hoop', current_database()); END$$; ALTER SCHEMA public OWNER TO hoop;`;

const POLICY = `${ALLOW_ALL}
@id("not-theirs") forbid (principal, action == Action::"sql.select", resource is Table)
when { resource.name == "t" && resource.schema == "other" };`;

const PATH = 'SET search_path = public, other';
const read = (what: string, ...steps: string[]) =>
  leak({ case: what, steps: [PATH, 'BEGIN', ...steps, 'SELECT x FROM t', 'ROLLBACK'], secret: SECRET });

const RESTORED = `DROP TABLE IF EXISTS public.t_old, app.t;
CREATE TABLE IF NOT EXISTS public.t (x text); ALTER TABLE public.t OWNER TO hoop`;

/** What the code does is kept: no transaction is open when the name is read. */
const kept = (what: string, ...steps: string[]) =>
  leak({
    case: what,
    steps: [PATH, ...steps, 'SELECT x FROM t'],
    secret: SECRET,
    before: RESTORED,
    after: RESTORED,
  });

/** Messages that are sent at once, in a transaction that is taken back. */
const atOnce = (what: string, messages: () => Buffer[]) =>
  leakAtOnce({ case: what, secret: SECRET, before: PATH, undo: 'ROLLBACK', messages });

const extended = (sql: string) => [parse('', sql), bind('', ''), execute('')];

/** Code that takes a name away, so that it stands for another relation. */
export const RT6_CODE: readonly AttackGroup[] = [
  {
    id: 'RT6',
    scenario: { policy: POLICY, sql: FIXTURE },
    attacks: [
      ...CODE.map(([name]) => read(`a function that ${name}`, `SELECT app.${name}()`)),
      read('a function that drops by dynamic SQL', 'SELECT app.dynamic()'),
      read('a function that calls another', 'SELECT app.nested()'),
      read('a function with a block of its own', 'SELECT app.caught()'),
      read('a procedure', 'CALL app.proc()'),
      read('a DO block that drops', "DO 'BEGIN DROP TABLE public.t; END'"),
      read('a DO block that renames', "DO 'BEGIN ALTER TABLE public.t RENAME TO t_old; END'"),
      read('a trigger', "INSERT INTO app.marks VALUES ('x')"),
      read('a default', 'INSERT INTO app.defaults (y) VALUES (1)'),
      read('a view', 'SELECT x FROM app.v'),
      read('an operator', 'SELECT 1 %%% 2'),
      read('SQL given as text', "SELECT query_to_xml('SELECT app.drops()', true, true, '')"),
      read('behind a savepoint', 'SAVEPOINT a', 'SELECT app.drops()', 'RELEASE a'),
      read(
        'behind one that is taken back',
        'SAVEPOINT a',
        'SELECT 1',
        'SELECT app.drops()',
        'SAVEPOINT b',
        'ROLLBACK TO b',
      ),
      read('prepared before', 'PREPARE p AS SELECT x FROM t', 'SELECT app.drops()', 'DEALLOCATE p'),
      leak({
        case: 'executed by name behind it',
        forms: ['simple'],
        steps: [PATH, 'BEGIN', 'PREPARE p AS SELECT x FROM t', 'SELECT app.drops()', 'EXECUTE p', 'ROLLBACK'],
        secret: SECRET,
      }),
      leak({
        case: 'copied',
        forms: ['simple'],
        steps: [PATH, 'BEGIN', 'SELECT app.drops()', 'COPY t TO STDOUT', 'ROLLBACK'],
        secret: SECRET,
      }),
      leak({
        case: 'in one string',
        forms: ['simple'],
        steps: [PATH, 'BEGIN; SELECT app.drops(); SELECT x FROM t; ROLLBACK'],
        secret: SECRET,
      }),
      leak({
        case: 'in one string, by a DO block',
        forms: ['simple'],
        steps: [PATH, "BEGIN; DO 'BEGIN DROP TABLE public.t; END'; SELECT x FROM t; ROLLBACK"],
        secret: SECRET,
      }),
      kept('kept: a function that drops', 'SELECT app.drops()'),
      kept('kept: a function that renames', 'SELECT app.renames()'),
      kept('kept: a trigger', "INSERT INTO app.marks VALUES ('x')"),
      kept('kept: a DO block', "DO 'BEGIN DROP TABLE public.t; END'"),
      kept('kept: a table of what a function gives', 'CREATE TEMP TABLE made_of AS SELECT app.drops() AS n'),
      kept('kept: committed', 'BEGIN', 'SELECT app.drops()', 'COMMIT'),
      atOnce('a batch', () => [
        query('BEGIN'),
        ...extended('SELECT app.drops()'),
        ...extended('SELECT x FROM t'),
        sync,
      ]),
      atOnce('queries', () => [query('BEGIN'), query('SELECT app.drops()'), query('SELECT x FROM t')]),
      atOnce('flushed', () => [
        query('BEGIN'),
        ...extended('SELECT app.renames()'),
        flush,
        ...extended('SELECT x FROM t'),
        sync,
      ]),
      same({
        case: 'honest transactions behind code',
        steps: [
          PATH,
          'BEGIN',
          'SELECT app.caught()',
          'ROLLBACK',
          'SELECT x FROM t',
          'BEGIN',
          'SAVEPOINT a',
          'SELECT app.drops()',
          'ROLLBACK TO a',
          'SELECT x FROM t',
          "DO 'BEGIN CREATE TABLE app.fresh AS SELECT 1 AS n; END'",
          'INSERT INTO app.fresh VALUES (2)',
          'SELECT count(*) FROM app.fresh',
          'SELECT x FROM public.t',
          'INSERT INTO app.made DEFAULT VALUES',
          'SELECT x FROM app.made',
          'ROLLBACK',
          'SELECT x FROM t',
        ],
        ignore: /NOTICE[^/]*/g,
      }),
      same({
        case: 'names made again behind savepoints, as psql does with ON_ERROR_ROLLBACK',
        steps: [
          'SET search_path = app',
          'BEGIN',
          'SAVEPOINT a',
          'CREATE TABLE again (n int)',
          'ROLLBACK TO a',
          'CREATE TABLE again (n int)',
          'SAVEPOINT a',
          'INSERT INTO again VALUES (1)',
          'SELECT 1 / 0',
          'ROLLBACK TO a',
          'INSERT INTO again VALUES (2)',
          'SELECT n FROM again',
          'ALTER TABLE again RENAME TO other_name',
          'SELECT n FROM again',
          'ROLLBACK TO a',
          'SELECT n FROM again',
          'ROLLBACK',
        ],
        ignore: /POSITION[^/]*|NOTICE[^/]*/g,
      }),
      same({
        case: 'honest strings behind code',
        forms: ['simple'],
        steps: [
          "BEGIN; DO 'BEGIN CREATE TABLE app.fresh (n int); END'; INSERT INTO app.fresh VALUES (1); SELECT n FROM app.fresh; ROLLBACK",
        ],
      }),
    ],
  },
];
