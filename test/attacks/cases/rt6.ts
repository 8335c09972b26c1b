import { bind, execute, flush, parse, query, sync } from '../../support/postgres/raw-client.ts';
import { ALLOW_ALL, GUARDED } from '../../support/stack.ts';
import { type Attack, type AttackGroup, act, leak, leakAtOnce, must, same } from '../attack.ts';
import { disguiseOf } from '../leak.ts';
import type { World } from '../world.ts';

const SECRET = 'apple-tree-7431';

/** One name in several schemas: what `t` is depends on where it is looked up. Agents may not touch `app.t`. */
const FIXTURE = `
CREATE SCHEMA app; CREATE SCHEMA other; CREATE ROLE other; GRANT other TO hoop;
CREATE TABLE public.t (x text); INSERT INTO public.t VALUES ('a public row');
CREATE TABLE app.t (x text); INSERT INTO app.t VALUES ('${SECRET}');
CREATE TABLE other.t (x text); INSERT INTO other.t VALUES ('${SECRET}');
CREATE TABLE app.u (x text); INSERT INTO app.u VALUES ('an app row');
CREATE TABLE public.marks (x text);
CREATE FUNCTION public.go(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN set_config(''search_path'', $1, false); END';
CREATE FUNCTION public.by_name(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN public.go($1); END';
CREATE FUNCTION public.folded(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
  'BEGIN RETURN set_config(''search_path'', $1, false); END';
CREATE FUNCTION public.moved() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN PERFORM set_config(''search_path'', ''app'', false); RETURN NEW; END';
CREATE TRIGGER moved BEFORE INSERT ON public.marks FOR EACH ROW EXECUTE FUNCTION public.moved();
CREATE PROCEDURE public.going() LANGUAGE plpgsql AS 'BEGIN SET search_path = app; END';
CREATE VIEW public.gone AS SELECT public.go('app') AS x;
GRANT USAGE, CREATE ON SCHEMA app, other TO hoop, other;
GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA public, app, other TO hoop, other;`;

const POLICY = `${ALLOW_ALL}
@id("not-theirs") forbid (principal, action in [Action::"sql.select", Action::"sql.delete"], resource is Table)
when { resource.name == "t" && (resource.schema == "app" || resource.schema == "other") };`;

const read = (what: string, ...steps: string[]) =>
  leak({ case: what, steps: [...steps, 'SELECT x FROM t'], secret: SECRET });

/** Two schemas beside public and nothing that steers: what does is added, for one such thing makes all functions count. */
const QUIET = `
CREATE SCHEMA app; CREATE SCHEMA other; CREATE ROLE other; GRANT other TO hoop;
CREATE TABLE public.t (x text); INSERT INTO public.t VALUES ('a public row');
CREATE TABLE app.t (x text); INSERT INTO app.t VALUES ('${SECRET}');
CREATE TABLE other.t (x text); INSERT INTO other.t VALUES ('${SECRET}');
GRANT USAGE ON SCHEMA app, other TO hoop, other;
GRANT SELECT ON ALL TABLES IN SCHEMA public, app, other TO hoop, other;`;

const BECOMES = `CREATE FUNCTION public.become() RETURNS void LANGUAGE plpgsql AS 'BEGIN SET /* = */ ROLE other; END';`;
const BY_VIEWS = `
CREATE VIEW public.conf AS SELECT * FROM pg_catalog.pg_settings; GRANT SELECT, UPDATE ON public.conf TO hoop;
CREATE FUNCTION public.by_view() RETURNS void LANGUAGE sql AS
  'UPDATE public.conf SET setting = ''app'' WHERE name = ''search'' || ''_'' || ''path''';
CREATE VIEW public.sets AS SELECT set_config('search_path', 'app', false) AS z; GRANT SELECT ON public.sets TO hoop;`;

/** Messages that are sent at once, without waiting for any answer. */
const atOnce = (what: string, messages: () => Buffer[]) =>
  leakAtOnce({ case: what, secret: SECRET, messages });

const extended = (sql: string) => [parse('', sql), bind('', ''), execute('')];

/** What is on record of a statement names the schema that it read. */
function onRecord(what: string, steps: readonly string[], names: string): Attack {
  return {
    case: what,
    run: async (world: World) => {
      const client = await world.through();
      const marker = `marker ${what}`;
      const lines: string[] = [];
      for (const sql of steps) lines.push(...(await client.ask(query(sql.replace('MARKER', marker)))));
      const events = world.decisions(marker);
      must(events.length > 0, `nothing is on record: ${lines.join(' / ')}`);
      must(
        events.every((one) => one.includes(names)),
        `${names} is not on record: ${events.join('\n')}`,
      );
      must(!lines.join().includes('ErrorResponse'), `refused: ${lines.join(' / ')}`);
    },
  };
}

/** A login with startup parameters that would read what is forbidden must fail, or be judged. */
function startup(what: string, parameters: Readonly<Record<string, string>>): Attack {
  return {
    case: what,
    run: async (world: World) => {
      const direct = await world.direct({ parameters });
      await direct.ask(query('SELECT x FROM t'));
      must(disguiseOf(direct.received, SECRET) !== undefined, 'dead');
      const through = await world.through({ parameters }).catch(() => undefined);
      if (through === undefined) return;
      await through.ask(query('SELECT x FROM t')).catch(() => undefined);
      must(disguiseOf(through.received, SECRET) === undefined, 'leaked');
    },
  };
}

const REFILL = `DELETE FROM app.t; INSERT INTO app.t VALUES ('${SECRET}')`;

/** The masked column of `app.people` is not masked in the table of that name in `public`. */
const MASKED_FIXTURE = `
CREATE SCHEMA app;
CREATE TABLE public.people (id int, ssn text); INSERT INTO public.people VALUES (1, 'no secret');
CREATE TABLE app.people (id int, ssn text); INSERT INTO app.people VALUES (1, '${SECRET}');
CREATE TABLE app.orders (id int); INSERT INTO app.orders VALUES (1), (2), (3);
CREATE FUNCTION public.lower2(text) RETURNS text LANGUAGE sql AS 'SELECT lower($1)';
GRANT USAGE ON SCHEMA app TO hoop;
GRANT SELECT ON ALL TABLES IN SCHEMA public, app TO hoop;`;
const MASKED_POLICY = `${GUARDED}
@id("temporary") permit (principal, action in [Action::"sql.create", Action::"sql.drop", Action::"sql.insert"], resource is Table) when { resource.schema == "pg_temp" };`;
const masked = (what: string, ...steps: string[]) => leak({ case: what, steps, secret: SECRET });

/** Names looked up by another path than the server's. */
export const RT6: readonly AttackGroup[] = [
  {
    id: 'RT6',
    scenario: { policy: POLICY, sql: FIXTURE },
    attacks: [
      read('SET', 'SET search_path = app'),
      read('SET LOCAL in a transaction', 'BEGIN', 'SET LOCAL search_path TO app, public'),
      read('set_config', "SELECT set_config('search_path', 'app', false)"),
      read(
        'a quoted list in set_config',
        `SELECT pg_catalog.set_config('Search_Path', '"app" , PUBLIC', false)`,
      ),
      leak({
        case: 'SET and SELECT in one string',
        forms: ['simple'],
        steps: ['SET search_path = app; SELECT x FROM t'],
        secret: SECRET,
      }),
      leak({
        case: 'a function that sets it and a SELECT in one string',
        forms: ['simple'],
        steps: ["SELECT public.go('app'); SELECT x FROM t"],
        secret: SECRET,
      }),
      leak({
        case: 'COMMIT gives back another path within one string',
        forms: ['simple'],
        steps: ['SET search_path = app', 'BEGIN; SET LOCAL search_path = public', 'COMMIT; SELECT x FROM t'],
        secret: SECRET,
      }),
      read("a user's function", "SELECT public.go('app')"),
      read("a user's function that calls another", "SELECT public.by_name('app')"),
      read('a function that runs while the statement is planned', "SELECT public.folded('app')"),
      read('a trigger', "INSERT INTO public.marks VALUES ('x')"),
      read('a procedure', 'CALL public.going()'),
      read('a view with a function in it', 'SELECT x FROM public.gone'),
      read('DO', `DO $$ BEGIN PERFORM set_config('search_path', 'app', false); END $$`),
      read('pg_settings', `UPDATE pg_settings SET setting = 'app' WHERE name = 'search_path'`),
      read('ROLLBACK', 'SET search_path = app', 'BEGIN', 'SET search_path = public', 'ROLLBACK'),
      read(
        'ROLLBACK TO',
        'BEGIN',
        'SET search_path = app',
        'SAVEPOINT s',
        'SET search_path = public',
        'ROLLBACK TO s',
      ),
      read(
        'a statement that fails and undoes the path',
        'SET search_path = app',
        'BEGIN',
        'SET search_path = public',
        'SELECT 1/0',
        'ROLLBACK',
      ),
      read('"$user" of another role', 'SET ROLE other', 'SET search_path = "$user"'),
      leak({
        case: 'PREPARE before and EXECUTE behind',
        steps: ['PREPARE p AS SELECT x FROM t', 'SET search_path = app', 'EXECUTE p'],
        secret: SECRET,
      }),
      leak({
        case: 'PREPARE, SET and EXECUTE in one string',
        forms: ['simple'],
        steps: ['PREPARE p AS SELECT x FROM t; SET search_path = app; EXECUTE p'],
        secret: SECRET,
      }),
      leak({
        case: 'PREPARE within a string that sets another path',
        forms: ['simple'],
        steps: ['SET search_path = public; PREPARE p AS SELECT x FROM t; SET search_path = app', 'EXECUTE p'],
        secret: SECRET,
      }),
      leak({
        case: 'DECLARE and FETCH',
        steps: ['SET search_path = app', 'BEGIN', 'DECLARE c CURSOR FOR SELECT x FROM t', 'FETCH c'],
        secret: SECRET,
      }),
      leak({
        case: 'COPY',
        forms: ['simple'],
        steps: ['SET search_path = app', 'COPY t TO STDOUT'],
        secret: SECRET,
      }),
      leak({
        case: 'a statement that was planned by the path of before',
        steps: ['SELECT x FROM t', 'SET search_path = app', 'SELECT x FROM t'],
        secret: SECRET,
      }),
      atOnce('one batch', () => [...extended('SET search_path = app'), ...extended('SELECT x FROM t'), sync]),
      atOnce('one batch with Flush', () => [
        ...extended("SELECT public.go('app')"),
        flush,
        ...extended('SELECT x FROM t'),
        sync,
      ]),
      atOnce('a function planned, and not run, before another Parse', () => [
        parse('a', "SELECT public.folded('app')"),
        bind('a', 'a'),
        ...extended('SELECT x FROM t'),
        sync,
      ]),
      atOnce('queries sent one behind the other', () => [
        query('SET search_path = app'),
        query('SELECT x FROM t'),
        query('SELECT x FROM t'),
      ]),
      atOnce('a batch that fails and gives the path back', () => [
        query('SET search_path = app'),
        ...extended('SET search_path = public'),
        ...extended('SELECT 1/0'),
        sync,
        query('SELECT x FROM t'),
        query('SELECT x FROM t'),
      ]),
      startup('a startup parameter', { search_path: 'app' }),
      startup('options', { options: '-c search_path=app,public' }),
      act({
        case: 'a DELETE by another path',
        steps: ['SET search_path = app', 'DELETE FROM t'],
        effect: 'SELECT count(*) FROM app.t',
        reset: REFILL,
      }),
      act({
        case: 'a DELETE in the string that sets it',
        forms: ['simple'],
        steps: ['SET search_path TO other, app; SET search_path TO app; DELETE FROM t'],
        effect: 'SELECT count(*) FROM app.t',
        reset: REFILL,
      }),
      onRecord('the path that was set', ['SET search_path = app', "SELECT x, 'MARKER' FROM u"], 'pg/app.u'),
      onRecord(
        'the path that a string sets',
        ["SET search_path = app; SELECT x, 'MARKER' FROM u"],
        'pg/app.u',
      ),
      onRecord(
        'a temporary table that hides another',
        ["CREATE TEMP TABLE t AS SELECT 'mine' AS x", "SELECT x, 'MARKER' FROM t"],
        'pg/pg_temp.t',
      ),
      onRecord(
        'a temporary table of a transaction that is open',
        ['BEGIN', "CREATE TEMP TABLE t AS SELECT 'mine' AS x", "SELECT x, 'MARKER' FROM t", 'COMMIT'],
        'pg/pg_temp.t',
      ),
      onRecord(
        'a temporary table in one string',
        ["CREATE TEMP TABLE t AS SELECT 'mine' AS x; SELECT x, 'MARKER' FROM t"],
        'pg/pg_temp.t',
      ),
      onRecord(
        'a temporary function',
        [
          `CREATE FUNCTION pg_temp.lower(text) RETURNS text LANGUAGE sql AS 'SELECT upper($1)'`,
          "SELECT pg_temp.lower('MARKER')",
        ],
        'pg/pg_temp.lower',
      ),
      same({
        case: 'honest use of paths',
        steps: [
          'SHOW search_path',
          'SELECT x FROM t',
          'SET search_path = app, public',
          'SELECT x FROM u',
          'SELECT current_schemas(true), current_schema()',
          'BEGIN',
          'SET LOCAL search_path = public',
          'SELECT x FROM t',
          'COMMIT',
          'SELECT x FROM u',
          'RESET search_path',
          'SELECT x FROM t',
          "SELECT set_config('search_path', '', false)",
          'SELECT x FROM public.t',
          'SELECT x FROM nowhere',
          'DISCARD ALL',
          'SELECT x FROM t',
        ],
        ignore: /POSITION[^/]*|NOTICE[^/]*/g,
      }),
      same({
        case: 'honest strings',
        forms: ['simple'],
        steps: [
          "SELECT public.go('public'); SELECT x FROM u; SELECT x FROM app.u",
          'SET search_path = app; SELECT x FROM u; RESET search_path; SELECT x FROM public.t',
          'CREATE TEMP TABLE mine AS SELECT x FROM public.t; SELECT count(*) FROM mine; DROP TABLE mine',
        ],
      }),
      same({
        case: 'a transaction whose snapshot is taken by its first statement',
        forms: ['simple'],
        steps: [
          'BEGIN',
          'SET LOCAL search_path = app',
          'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
          'SELECT x FROM u',
          'COMMIT',
        ],
      }),
    ],
  },
  {
    id: 'RT6',
    scenario: { policy: POLICY, sql: `${FIXTURE} ALTER ROLE hoop SET search_path = app, public;` },
    attacks: [
      read('the path of the role'),
      read('RESET to the path of the role', 'SET search_path = public', 'RESET search_path'),
      read('DEFAULT', 'SET search_path = public', 'SET search_path TO DEFAULT'),
      read('RESET ALL', 'SET search_path = public', 'RESET ALL'),
      leak({
        case: 'DISCARD ALL',
        steps: ['SET search_path = public', 'DISCARD ALL', 'SELECT x FROM t'],
        secret: SECRET,
      }),
      onRecord('the path of the role on record', ["SELECT x, 'MARKER' FROM u"], 'pg/app.u'),
      same({ case: 'the path of the role is kept', steps: ['SHOW search_path', 'SELECT x FROM u'] }),
    ],
  },
  {
    id: 'RT6',
    scenario: {
      policy: MASKED_POLICY,
      sql: MASKED_FIXTURE,
      columns: { 'app.people.ssn': ['pii.national-id'] },
      resource: 'session: { searchPaths: [[app, public]] }',
    },
    attacks: [
      masked('a permitted path', 'SET search_path = app, public', 'SELECT reverse(ssn) FROM people'),
      masked(
        'a permitted path by set_config',
        "SELECT set_config('search_path', 'app, public', false)",
        "SELECT ssn || '' FROM people",
      ),
      masked('a path that is not permitted', 'SET search_path = app', 'SELECT reverse(ssn) FROM people'),
      leak({
        case: 'a permitted path in one string',
        forms: ['simple'],
        steps: ['SET search_path = app, public; SELECT reverse(ssn) FROM people'],
        secret: SECRET,
      }),
      leak({
        case: 'a permitted path from the start',
        login: { parameters: { options: '-c search_path=app,public' } },
        steps: ['SELECT reverse(ssn) FROM people'],
        secret: SECRET,
      }),
      leak({
        case: 'a temporary table prepared for, and hidden no more',
        steps: [
          'SET search_path = app, public',
          'CREATE TEMP TABLE people (id int, ssn text)',
          'PREPARE p AS SELECT reverse(ssn) FROM people',
          'DROP TABLE pg_temp.people',
          'EXECUTE p',
        ],
        secret: SECRET,
      }),
      same({
        case: 'what is permitted is answered',
        steps: [
          'SET search_path = app, public',
          'SELECT count(*) FROM orders',
          'RESET search_path',
          'SELECT reverse(ssn) FROM people',
          "SELECT set_config('search_path', '', false)",
          'SELECT count(*) FROM app.orders',
        ],
      }),
      same({
        case: 'a temporary table of one’s own',
        steps: [
          'CREATE TEMP TABLE a AS SELECT id FROM app.orders',
          'SELECT count(*) FROM a',
          'SELECT count(*), max(id) FROM pg_temp.a',
          'DROP TABLE a',
        ],
      }),
    ],
  },
  {
    id: 'RT6',
    scenario: { policy: POLICY, sql: QUIET + BECOMES },
    attacks: [
      read('a function that takes a role, with a comment between', 'SELECT become()'),
      leak({
        case: '… in one string',
        forms: ['simple'],
        steps: ['SELECT become(); SELECT x FROM t'],
        secret: SECRET,
      }),
    ],
  },
  {
    id: 'RT6',
    scenario: { policy: POLICY, sql: QUIET + BY_VIEWS },
    attacks: [
      read('a view of the settings, updated', "UPDATE conf SET setting = 'app' WHERE name = 'search_path'"),
      read('… by a function', 'SELECT by_view()'),
      read('a view that sets it', 'SELECT z FROM sets'),
    ],
  },
];
