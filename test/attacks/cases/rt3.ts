import { describeStatement, parse, query, sync } from '../../support/postgres/raw-client.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED } from '../../support/stack.ts';
import { type Attack, type AttackGroup, leak, must, send } from '../attack.ts';

const SSN = '123-45-6789';

/** Triggers may run here; what they say is in the hands of their author. */
const POLICY = `${GUARDED}
@id("triggers") permit (principal, action == Action::"sql.call", resource is Function) when { resource.schema == "app" };
@id("listen") permit (principal, action in [Action::"sql.notify", Action::"sql.listen"], resource);
`;

/** One table for each thing that a function can say; writing a row of it makes it said. */
const SAYS: Readonly<Record<string, string>> = {
  relation: `RAISE EXCEPTION 'relation "%" does not exist', v USING ERRCODE = '42P01'`,
  column: `RAISE EXCEPTION 'column "%" does not exist', v USING ERRCODE = '42703'`,
  unique: `RAISE EXCEPTION 'duplicate key: %', v USING ERRCODE = '23505'`,
  lock: `RAISE EXCEPTION '%', v USING ERRCODE = '55P03'`,
  cancel: `RAISE EXCEPTION '%', v USING ERRCODE = '57014'`,
  syntax: `RAISE EXCEPTION 'x' USING ERRCODE = '42601', HINT = v`,
  detail: `RAISE EXCEPTION 'x' USING ERRCODE = '25006', DETAIL = v, HINT = v`,
  fields: `RAISE EXCEPTION 'x' USING ERRCODE = '23514', CONSTRAINT = v, COLUMN = v, TABLE = v, SCHEMA = v, DATATYPE = v`,
  plain: `RAISE EXCEPTION '%', v`,
  notice: `RAISE NOTICE '%', v`,
  warning: `RAISE WARNING 'there is already a transaction in progress %', v USING ERRCODE = '25001'`,
  info: `RAISE INFO '%', v`,
  skipping: `RAISE NOTICE 'relation "%" already exists, skipping', v USING ERRCODE = '42P07'`,
  missing: `RAISE NOTICE 'table "%" does not exist, skipping', v`,
  cast: `PERFORM v::int`,
  query: `EXECUTE 'SELECT ' || quote_ident(v)`,
  zone: `PERFORM set_config('TimeZone', '<' || replace(v, '-', '') || '>1', false)`,
  name: `PERFORM set_config('application_name', v, false)`,
  notify: `PERFORM pg_notify('ch', v)`,
};

const FIXTURE = `${ATTACK_FIXTURE}
CREATE SCHEMA app;
${Object.entries(SAYS)
  .map(
    ([name, body]) => `
CREATE TABLE say_${name} (id int, "${name}" text);
CREATE FUNCTION app.${name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $f$
DECLARE v text; BEGIN SELECT ssn INTO v FROM public.customers WHERE id = 1; ${body}; RETURN NEW; END $f$;
CREATE TRIGGER t BEFORE INSERT ON say_${name} FOR EACH ROW EXECUTE FUNCTION app.${name}();`,
  )
  .join('\n')}
CREATE TABLE late (id int);
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.relation();
CREATE TABLE strict (id int NOT NULL, name text);
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop;
`;

const said = (name: string, secret = SSN): Attack =>
  leak({
    case: `a trigger that says it by: ${name}`,
    steps: [`INSERT INTO say_${name} VALUES (1)`],
    secret,
  });

const cast = (type: string): Attack =>
  leak({
    case: `a cast to ${type} that quotes the value`,
    steps: [`SELECT quote_ident(note)::${type} FROM customers WHERE id = 1`],
    secret: 'likes tea',
  });

/** What is said to whoever has made a mistake. */
function tells(what: string, sql: string, message: string, code = 'M'): Attack {
  return {
    case: `still told: ${what}`,
    run: async (world) => {
      const client = await world.through();
      await send(client, sql);
      const text = `${code}${message}\0`;
      must(client.received.includes(text), `not told: ${client.received.toString('latin1').slice(-400)}`);
    },
  };
}

/** Errors and notices that quote stored values. */
export const RT3: readonly AttackGroup[] = [
  {
    id: 'RT3',
    scenario: { policy: POLICY, sql: FIXTURE, columns: ATTACK_COLUMNS },
    attacks: [
      ...['regclass', 'regproc', 'regtype', 'regnamespace', 'regrole', 'regconfig'].map(cast),
      ...['int', 'date', 'interval', 'uuid', 'inet', 'bool', 'tsquery', 'macaddr'].map(cast),
      ...Object.keys(SAYS)
        .filter((name) => name !== 'notify' && name !== 'zone')
        .map((name) => said(name)),
      said('zone', SSN.replaceAll('-', '')),
      leak({
        case: 'a payload that a trigger sends',
        steps: ['LISTEN ch', 'INSERT INTO say_notify VALUES (1)', 'SELECT 1'],
        secret: SSN,
      }),
      leak({
        case: 'a row that breaks a check',
        steps: [`UPDATE customers SET note = 'bad' WHERE id = 1`],
        secret: SSN,
      }),
      leak({
        case: 'a deferred trigger at COMMIT',
        steps: ['BEGIN', 'INSERT INTO late VALUES (1)', 'COMMIT'],
        secret: SSN,
      }),
      leak({
        case: 'a deferred trigger at Sync',
        steps: ['INSERT INTO late VALUES (1)'],
        secret: SSN,
      }),
      leak({
        case: 'a deferred trigger made to fire',
        steps: ['BEGIN', 'INSERT INTO late VALUES (1)', 'SET CONSTRAINTS ALL IMMEDIATE'],
        secret: SSN,
      }),
      leak({
        case: 'an error within EXECUTE',
        forms: ['simple'],
        steps: ['PREPARE p AS INSERT INTO say_relation VALUES ($1)', 'EXECUTE p(1)'],
        secret: SSN,
      }),
      leak({
        case: 'a cursor that fails in the middle',
        forms: ['simple'],
        steps: [
          'BEGIN',
          'DECLARE c CURSOR FOR SELECT quote_ident(note)::regclass FROM customers',
          'FETCH 1 FROM c',
        ],
        secret: 'likes tea',
      }),
      tells('a table that is not there', 'SELECT 1 FROM custmers', 'relation "custmers" does not exist'),
      tells('a column that is not there', 'SELECT nam FROM customers', 'column "nam" does not exist'),
      tells('where', 'SELECT nam FROM customers', '8', 'P'),
      tells(
        'a column that must not be NULL',
        'INSERT INTO strict (id) VALUES (NULL)',
        'null value in column "id" of relation "strict" violates not-null constraint',
      ),
      tells('what a code means', 'SELECT 1/0', 'division by zero'),
      {
        case: 'still told: what a statement wants, at its description',
        run: async (world) => {
          const client = await world.through();
          await client.ask(parse('s', 'SELECT id FROM orders WHERE stat = $1'), describeStatement('s'), sync);
          must(client.received.includes('Mcolumn "stat" does not exist'), 'the column is not named');
        },
      },
      {
        case: 'still told: the settings that a client changes itself',
        run: async (world) => {
          const client = await world.through();
          await client.ask(query(`SET application_name = 'mine'`));
          must(client.received.includes('application_name\0mine\0'), 'its own name is not told');
        },
      },
    ],
  },
];
