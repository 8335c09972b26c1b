import { query, type RawClient } from '../../support/postgres/raw-client.ts';
import { ALLOW_ALL, GUARDED } from '../../support/stack.ts';
import { type Attack, type AttackGroup, leak, must, same } from '../attack.ts';
import { disguiseOf } from '../leak.ts';

const SECRET = 'apple-tree-7431';

/** `ssn` is masked in `app.people`, where the role's own path leads, and nowhere else. */
const FIXTURE = `
CREATE SCHEMA app; CREATE SCHEMA open;
CREATE TABLE app.people (id int, ssn text); INSERT INTO app.people VALUES (1, '${SECRET}');
CREATE TABLE open.people (id int, ssn text); INSERT INTO open.people VALUES (1, 'no secret');
GRANT USAGE ON SCHEMA app, open TO hoop;
GRANT SELECT ON ALL TABLES IN SCHEMA app, open TO hoop;
CREATE FUNCTION public.forget() RETURNS int LANGUAGE plpgsql AS 'BEGIN DISCARD TEMP; RETURN 1; END';
ALTER ROLE hoop SET search_path = app, public;`;

const POLICY = `${GUARDED}
@id("forget") permit (principal, action == Action::"sql.call", resource is Function) when { resource.name == "forget" };
@id("temporary") permit (principal, action in [Action::"sql.create", Action::"sql.drop", Action::"sql.insert"], resource is Table) when { resource.schema == "pg_temp" };`;

const MASKED = { 'app.people.ssn': ['pii.national-id'] };
const OPEN = 'SET search_path = open';
const HIDES = "CREATE TEMP TABLE people AS SELECT 1 AS id, 'mine'::text AS ssn";
const READS = 'SELECT reverse(ssn) FROM people';

const hides = (what: string, ...steps: string[]) => leak({ case: what, steps, secret: SECRET });
const inOneString = (what: string, ...steps: string[]) =>
  leak({ case: what, forms: ['simple'], steps, secret: SECRET });

/** A table that an earlier session had in the temporary schema that this one gets hides nothing any more. */
const leftBehind: Attack = {
  case: 'a temporary table of a session that has ended, in a transaction that makes another',
  run: async (world) => {
    const seen = async (open: () => Promise<RawClient>) => {
      const first = await open();
      await first.ask(query(HIDES));
      await first.ask(query('SELECT ssn FROM people'));
      first.socket.destroy();
      const left = "SELECT count(*) FROM pg_class WHERE relname = 'people' AND relpersistence = 't'";
      while ((await world.admin(left)).trim() !== '0');
      const second = await open();
      const lines: string[] = [];
      for (const sql of ['BEGIN', 'CREATE TEMP TABLE other (x int)', READS, 'ROLLBACK'])
        lines.push(...(await second.ask(query(sql))));
      return { found: disguiseOf(second.received, SECRET), lines };
    };
    const control = await seen(() => world.direct());
    must(control.found !== undefined, `dead: ${control.lines.join(' / ')}`);
    const { found, lines } = await seen(() => world.through());
    must(found === undefined, `leaked, ${found}: ${lines.join(' / ')}`);
  },
};

/** The session's user may read what the role that it begins in may not. */
const ROLE = `
CREATE ROLE less NOLOGIN; GRANT less TO hoop; CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO hoop, less;
CREATE TABLE app.more (x text); INSERT INTO app.more VALUES ('${SECRET}'); GRANT SELECT ON app.more TO hoop;`;
const LOGIN_TRIGGER = `
CREATE FUNCTION public.at_login() RETURNS event_trigger LANGUAGE plpgsql AS
  $f$BEGIN IF session_user = 'hoop' THEN PERFORM set_config('app.tenant', 'theirs', false); END IF; END$f$;
DO $d$ BEGIN IF current_setting('server_version_num')::int >= 170000 THEN
  EXECUTE 'CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION public.at_login()'; END IF; END $d$;
CREATE TABLE public.tenants (x text); INSERT INTO public.tenants VALUES ('${SECRET}'); GRANT SELECT ON public.tenants TO hoop;
ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.tenants USING (coalesce(current_setting('app.tenant', true), '') <> 'theirs');`;
const more = (what: string, ...steps: string[]) => hides(what, ...steps, 'SELECT x FROM app.more');
const tenants = (what: string, ...steps: string[]) =>
  leak({ case: what, steps: [...steps, 'SELECT x FROM tenants'], secret: SECRET, majors: [18] });

/** What a session goes back to behind a reset: its own path, its own role, and no temporary table that hid another. */
export const RT6_RESETS: readonly AttackGroup[] = [
  {
    id: 'RT6',
    scenario: {
      policy: POLICY,
      sql: FIXTURE,
      columns: MASKED,
      resource: 'session: { searchPaths: [[open]] }',
    },
    attacks: [
      hides('behind DISCARD ALL, the path of the role', OPEN, READS, 'DISCARD ALL', READS),
      hides('behind RESET ALL, the path of the role', OPEN, READS, 'RESET ALL', READS),
      hides('… in a transaction', OPEN, 'BEGIN', READS, 'RESET ALL', READS),
      hides('… that is rolled back', 'BEGIN', OPEN, 'RESET ALL', OPEN, 'ROLLBACK', READS),
      hides('… to a savepoint', 'BEGIN', 'SAVEPOINT s', OPEN, READS, 'ROLLBACK TO s', READS),
      inOneString('RESET ALL in one string', `${OPEN}; RESET ALL; ${READS}`),
      inOneString('what a pool sends, in one string', OPEN, `UNLISTEN *; RESET ALL; CLOSE ALL; ${READS}`),
      hides('a statement that was prepared before', OPEN, `PREPARE p AS ${READS}`, 'RESET ALL', 'EXECUTE p'),
      hides('a temporary table and DISCARD TEMP', HIDES, READS, 'DISCARD TEMP', READS),
      hides('a temporary table and DISCARD ALL', HIDES, READS, 'DISCARD ALL', READS),
      hides('… with a path of its own', OPEN, HIDES, READS, 'DISCARD ALL', READS),
      hides('DISCARD TEMP in a transaction', HIDES, 'BEGIN', 'DISCARD TEMP', READS, 'ROLLBACK'),
      hides('… that made the table', 'BEGIN', HIDES, 'DISCARD TEMP', READS, 'ROLLBACK'),
      hides(
        '… rolled back to a savepoint, and again',
        HIDES,
        'BEGIN',
        'SAVEPOINT s',
        'DISCARD TEMP',
        'ROLLBACK TO s',
        READS,
        'DISCARD TEMP',
        READS,
        'ROLLBACK',
      ),
      inOneString('DISCARD TEMP in one string', HIDES, `DISCARD TEMP; ${READS}`),
      inOneString('… that makes the table', `${HIDES}; DISCARD TEMP; ${READS}`),
      hides('PREPARE before DISCARD TEMP', HIDES, `PREPARE p AS ${READS}`, 'DISCARD TEMP', 'EXECUTE p'),
      hides(
        'PREPARE before DISCARD PLANS',
        OPEN,
        `PREPARE p AS ${READS}`,
        'RESET ALL',
        'DISCARD PLANS',
        'EXECUTE p',
      ),
      hides('a function that runs DISCARD TEMP', HIDES, READS, 'SELECT forget()', READS),
      hides('… in a transaction', HIDES, 'BEGIN', READS, 'SELECT forget()', READS, 'ROLLBACK'),
      inOneString('… in one string', HIDES, READS, `SELECT forget(); ${READS}`),
      same({
        case: 'resets that change nothing that is named',
        steps: ['DISCARD ALL', 'SELECT id FROM people', 'RESET ALL', 'SELECT id FROM people'],
      }),
      leftBehind,
      same({
        case: 'a temporary table behind DISCARD TEMP',
        steps: [
          HIDES,
          'DISCARD TEMP',
          'SELECT id FROM people',
          HIDES,
          'SELECT ssn FROM people',
          'DISCARD ALL',
        ],
      }),
    ],
  },
  {
    id: 'RT6',
    scenario: { policy: POLICY, sql: `${ROLE} ALTER ROLE hoop SET role = less;` },
    attacks: [
      more('a role that the session begins in, and SET ROLE NONE', 'SET ROLE NONE'),
      more('… set_config', "SELECT set_config('role', 'none', false)"),
      more('… in capitals and quotes', 'SET role = "none"'),
      same({
        case: 'going back to the role that the session begins in',
        steps: [
          'RESET ROLE',
          'RESET ALL',
          'SELECT current_user',
          'SET ROLE TO DEFAULT',
          'SELECT current_user',
        ],
      }),
    ],
  },
  {
    id: 'RT6',
    scenario: { policy: POLICY, sql: LOGIN_TRIGGER },
    attacks: [
      tenants('what a trigger set at login, and RESET ALL', 'RESET ALL'),
      tenants('… DISCARD ALL', 'DISCARD ALL'),
      tenants('… RESET of the one', 'RESET app.tenant'),
      tenants('… DEFAULT', 'SET app.tenant TO DEFAULT'),
      tenants('… set_config', "SELECT set_config('app.tenant', NULL, false)"),
    ],
  },
  {
    id: 'RT6',
    scenario: { policy: ALLOW_ALL },
    attacks: [
      same({
        case: 'temporary tables in one transaction, one after the other',
        steps: [
          'BEGIN',
          'CREATE TEMP TABLE a (x int)',
          'CREATE TEMP TABLE b (x int)',
          'INSERT INTO b VALUES (1)',
          'SELECT a.x, b.x FROM a, b',
          'COMMIT',
        ],
      }),
      same({
        case: '… behind DISCARD TEMP',
        steps: [
          'CREATE TEMP TABLE a (x int)',
          'BEGIN',
          'DISCARD TEMP',
          'CREATE TEMP TABLE b AS SELECT 1 AS x',
          'SELECT x FROM b',
          'CREATE TEMP TABLE a AS SELECT 2 AS x',
          'SELECT a.x, b.x FROM a, b',
          'COMMIT',
          'SELECT a.x, b.x FROM a, b',
        ],
      }),
    ],
  },
];
