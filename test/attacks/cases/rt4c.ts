import { query, type RawClient } from '../../support/postgres/raw-client.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED } from '../../support/stack.ts';
import { type Attack, type AttackGroup, act, leak, must, same } from '../attack.ts';

/** What agents may do here, but for calling what is more than pure. */
const POLICY = `${GUARDED}
@id("own") permit (principal, action in [Action::"sql.ddl", Action::"sql.maintain"], resource);`;

/** It leaves a mark, and no trace among the dependencies: PostgreSQL's own functions are pinned. */
const MARK = `setval('marks', 7)`;

const STORED = `
CREATE SEQUENCE marks;
CREATE TABLE filled (id serial, x int8 DEFAULT ${MARK}, y int);
CREATE TABLE large (id int, o oid DEFAULT lo_from_bytea(0, 'x'));
CREATE TABLE checked (y int CHECK (${MARK} > 0));
CREATE DOMAIN dom AS int CHECK (${MARK} > 0);
CREATE DOMAIN over AS dom;
CREATE TYPE pair AS (a int, b dom);
CREATE TYPE span AS RANGE (subtype = dom);
CREATE DOMAIN fills AS int8 DEFAULT ${MARK};
CREATE TABLE typed (d fills, y int);
CREATE TABLE holder (id int, ds dom[]); INSERT INTO holder VALUES (1, NULL);
CREATE TABLE secured (y int); INSERT INTO secured VALUES (1); ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secured USING (${MARK} > 0);
CREATE TABLE watched (y int);
INSERT INTO watched VALUES (1);
CREATE TRIGGER w BEFORE UPDATE ON watched FOR EACH ROW WHEN (${MARK} > 0) EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TABLE behind (x int8, y int); CREATE VIEW front AS SELECT x, y FROM behind;
ALTER VIEW front ALTER x SET DEFAULT ${MARK};
CREATE TABLE owned (y int); INSERT INTO owned VALUES (1); CREATE STATISTICS owned_s ON (${MARK}), y FROM owned;
ALTER TABLE owned OWNER TO hoop; ALTER STATISTICS owned_s OWNER TO hoop;
CREATE TABLE kept (y int CHECK (${MARK} > 0)); ALTER TABLE kept OWNER TO hoop;
CREATE OPERATOR public.<~> (LEFTARG = regclass, RIGHTARG = int8, FUNCTION = setval);
CREATE TABLE honest (id serial PRIMARY KEY, t text DEFAULT lower('NEW') CHECK (length(t) > 0 AND t <> ''),
  at timestamptz DEFAULT now() CHECK (at > '2000-01-01'), by text DEFAULT current_user, u uuid DEFAULT gen_random_uuid(),
  g int GENERATED ALWAYS AS (length('ab') + 1) STORED);
CREATE INDEX ON honest (lower(t)) WHERE id > 0;
CREATE STATISTICS honest_s ON (lower(t)), (id % 2) FROM honest;
CREATE VIEW seen AS SELECT id, t FROM honest WHERE id = 1 AND t LIKE 'n%' AND at > date '2000-01-01';
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO hoop;
GRANT CREATE ON SCHEMA public TO hoop;`;

const EFFECT = 'SELECT last_value, is_called, (SELECT count(*) FROM pg_largeobject_metadata) FROM marks';
// The last word: what comes before may leave a mark itself.
const RESET = `SELECT lo_unlink(oid) FROM pg_largeobject_metadata; DELETE FROM filled; DELETE FROM typed; DELETE FROM behind;
  DELETE FROM honest; UPDATE watched SET y = 1; ALTER SEQUENCE honest_id_seq RESTART; SELECT setval('marks', 1, false);`;

const marks = (what: string, ...steps: string[]): Attack =>
  act({ case: what, steps, effect: EFFECT, reset: RESET });

/** Whoever may call anything, where columns are masked: texts of SQL read what they like. */
const ANY_CALL = `${GUARDED}
@id("calls") permit (principal, action == Action::"sql.call", resource is Function);`;
const SECRET = 'apple-tree-7431';
const READS = `query_to_xml('SELECT ssn FROM customers', true, false, '')::text`;
const READING = `
UPDATE customers SET ssn = '${SECRET}' WHERE id = 1;
CREATE TABLE filled (x text DEFAULT ${READS}, y int);
CREATE VIEW told AS SELECT ${READS} AS x;
CREATE TABLE told_by (y int); INSERT INTO told_by VALUES (1); ALTER TABLE told_by ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON told_by USING (${READS} LIKE '%${SECRET}%');
CREATE DOMAIN told_in AS text CHECK (${READS} NOT LIKE '%' || VALUE || '%');
CREATE TABLE told_as (x text DEFAULT set_config('a.b', 'c', false), y int);
CREATE OPERATOR public.<~> (LEFTARG = tsquery, RIGHTARG = text, FUNCTION = ts_rewrite);
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop;`;

const seen = (what: string, ...steps: string[]): Attack =>
  leak({ case: what, steps, secret: SECRET, before: 'DELETE FROM filled' });

/** Built-in functions in what is stored: the server calls them, and no dependency says so. */
export const RT4C: readonly AttackGroup[] = [
  {
    id: 'RT4',
    scenario: { policy: POLICY, sql: `${ATTACK_FIXTURE}${STORED}`, columns: ATTACK_COLUMNS },
    attacks: [
      marks('a built-in function in a DEFAULT', 'INSERT INTO filled (y) VALUES (1)'),
      marks('… by its name', 'INSERT INTO filled (x, y) VALUES (DEFAULT, 1)'),
      marks('a large object by a DEFAULT', 'INSERT INTO large (id) VALUES (1)'),
      marks('… in a CHECK', 'INSERT INTO checked VALUES (1)'),
      marks("… in a domain's CHECK", 'SELECT 5::dom', `SELECT '5'::dom`),
      marks('… of a domain below', `SELECT '5'::over`),
      marks('… of the elements of an array', `SELECT '{5}'::dom[]`),
      marks('… of a composite', `SELECT '(1,5)'::pair`),
      marks('… of a range', `SELECT '[1,5)'::span`),
      marks('… of columns defined at a record', `SELECT * FROM json_to_record('{"a": 5}') AS r(a dom)`),
      marks('… of a literal beside an array', `SELECT ds @> '{5}' FROM holder`),
      marks("… in a domain's DEFAULT", 'INSERT INTO typed (y) VALUES (1)'),
      marks('… for a new column', 'BEGIN', 'ALTER TABLE owned ADD COLUMN z fills', 'ROLLBACK'),
      marks('… in a row policy', 'SELECT y FROM secured'),
      marks('… in the condition of a trigger', 'UPDATE watched SET y = 2 WHERE y = 1'),
      marks('… in the DEFAULT of a view', 'INSERT INTO front (y) VALUES (1)'),
      marks('… in statistics', 'ANALYZE owned'),
      marks('… in a CHECK when the table is written anew', 'INSERT INTO kept VALUES (1)'),
      marks('… behind an operator', `SELECT 'marks'::regclass OPERATOR(public.<~>) 7::int8`),
      same({
        case: 'what only computes, looks or counts needs no permission',
        steps: [
          'INSERT INTO honest DEFAULT VALUES',
          `UPDATE honest SET t = 'newer' WHERE id = 1`,
          'SELECT id, t FROM seen',
          'SELECT id, t, g FROM honest',
          'DELETE FROM honest WHERE id = 1',
        ],
        reset: RESET,
      }),
    ],
  },
  {
    id: 'RT4',
    scenario: { policy: ANY_CALL, sql: `${ATTACK_FIXTURE}${READING}`, columns: ATTACK_COLUMNS },
    attacks: [
      seen('a DEFAULT that reads what is masked', 'INSERT INTO filled (y) VALUES (1) RETURNING x'),
      seen('… read later', 'INSERT INTO filled (y) VALUES (1)', 'SELECT x FROM filled WHERE y = 1'),
      seen('a view that reads what is masked', 'SELECT x FROM told'),
      {
        case: 'a row policy that reads what is masked',
        run: async (world) => {
          const [direct, through] = [await world.direct(), await world.through()];
          const steps = async (client: typeof direct) =>
            (await client.ask(query('SELECT y FROM told_by'))).join(' / ');
          must((await steps(direct)).includes('DataRow 1'), 'dead');
          must(!(await steps(through)).includes('DataRow'), 'the policy told by a row');
        },
      },
      {
        case: 'a CHECK that reads what is masked',
        run: async (world) => {
          const ask = async (client: RawClient, value: string) =>
            (await client.ask(query(`SELECT '${value}'::told_in`))).join(' / ').includes('DataRow');
          const [direct, through] = [await world.direct(), await world.through()];
          must((await ask(direct, '999')) && !(await ask(direct, SECRET)), 'dead');
          must(!(await ask(through, '999')), 'the check tells which values there are');
        },
      },
      seen(
        'an operator that runs a text',
        `SELECT 'a'::tsquery OPERATOR(public.<~>) $$SELECT 'a'::tsquery, quote_literal(ssn)::tsquery FROM customers WHERE id = 1$$`,
      ),
      {
        case: 'a DEFAULT that sets what is not known',
        run: async (world) => {
          const ask = async (client: RawClient) =>
            (await client.ask(query('INSERT INTO told_as (y) VALUES (1)'))).join(' / ');
          must((await ask(await world.direct())).includes('INSERT 0 1'), 'dead');
          must((await ask(await world.through())).includes('ErrorResponse'), 'a setting is changed unread');
        },
      },
    ],
  },
];
