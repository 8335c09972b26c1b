import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED } from '../../support/stack.ts';
import { type AttackGroup, act, leak, same } from '../attack.ts';

/** Functions that users named as newer versions name their own, and types and columns likewise. */
const NAMESAKES = `${ATTACK_FIXTURE}
CREATE FUNCTION "json_scalar"(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT ssn FROM customers WHERE id = 1';
CREATE FUNCTION "json_query"(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT ssn FROM customers WHERE id = 1';
CREATE FUNCTION "any_value"(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT ssn FROM customers WHERE id = 1';
CREATE FUNCTION "json_array"(text) RETURNS text LANGUAGE sql AS 'DELETE FROM orders RETURNING ''done''::text';
CREATE FUNCTION "merge_action"() RETURNS text LANGUAGE sql AS 'DELETE FROM orders RETURNING ''done''::text';
CREATE FUNCTION "json"(text) RETURNS text LANGUAGE sql AS 'DELETE FROM orders RETURNING ''done''::text';
CREATE TABLE words (path text, target text, error text, plan text, keys text, format text, period text);
INSERT INTO words VALUES ('a path', 'a target', 'an error', 'a plan', 'some keys', 'a format', 'a period');
GRANT SELECT, INSERT ON words TO hoop;`;
const SSN = '123-45-6789';
const REFILL = `DELETE FROM orders; INSERT INTO orders VALUES (1, 1, 4111111111111111, 'new')`;
const ORDERS = 'SELECT count(*) FROM orders';

/** A name that UTF-8 cuts to the first of two tables, and the database's encoding does not. */
interface Cut {
  readonly encoding: string;
  readonly letter: string;
  /** Letters in 63 octets of UTF-8, and a few more. */
  readonly short: number;
  readonly long: number;
}
const LATIN: Cut = { encoding: 'LATIN1', letter: 'é', short: 31, long: 40 };
const JAPANESE: Cut = { encoding: 'EUC_JP', letter: 'あ', short: 21, long: 30 };
const UTF8 = { parameters: { client_encoding: 'UTF8' } };

const cutScenario = ({ encoding, letter, short, long }: Cut) => ({
  encoding,
  sql: `
CREATE TABLE "${letter.repeat(short)}" (id int, ssn text);
CREATE TABLE "${letter.repeat(long)}" (id int, ssn text);
INSERT INTO "${letter.repeat(short)}" VALUES (1, 'nothing');
INSERT INTO "${letter.repeat(long)}" VALUES (1, '${SSN}');
CREATE TABLE plain (id int, word text); INSERT INTO plain VALUES (1, '${letter}');
GRANT SELECT ON ALL TABLES IN SCHEMA public TO hoop;`,
  policy: GUARDED,
  columns: { [`public.${letter.repeat(long)}.ssn`]: ['pii.national-id'] },
});

const cutAttacks = ({ encoding, letter, long }: Cut) => [
  leak({
    case: `a name that ${encoding} does not cut where UTF-8 does`,
    login: UTF8,
    steps: [`SELECT reverse(ssn) FROM "${letter.repeat(long)}"`],
    secret: SSN,
  }),
  leak({
    case: `the same name in ${encoding}, written in ASCII`,
    login: UTF8,
    steps: [
      `SELECT reverse(ssn) FROM U&"${`\\${letter.charCodeAt(0).toString(16).padStart(4, '0')}`.repeat(long)}"`,
    ],
    secret: SSN,
  }),
  same({
    case: `values of any character in a ${encoding} database`,
    login: UTF8,
    steps: [`SELECT id, word FROM plain WHERE word = '${letter}' -- ${letter}`, `SELECT '${letter}' AS x`],
  }),
];

/** A statement that the gateway reads otherwise than the server does. */
export const RT1: readonly AttackGroup[] = [
  {
    id: 'RT1',
    scenario: { policy: GUARDED, sql: NAMESAKES, columns: ATTACK_COLUMNS },
    attacks: [
      leak({
        case: 'an alias that a newer grammar reads as a keyword',
        majors: [15],
        steps: ['SELECT reverse(system_user::text) FROM customers AS "system_user"'],
        secret: SSN,
      }),
      leak({
        case: 'the alias in a subquery, in a CTE, and compared',
        majors: [15],
        steps: [
          'WITH x AS (SELECT system_user AS r FROM customers "system_user") SELECT encode(r::text::bytea, \'hex\') FROM x',
        ],
        secret: SSN,
      }),
      leak({
        case: 'a whole row by an alias in EXISTS and to_jsonb',
        majors: [15],
        steps: ['SELECT to_jsonb(system_user) FROM customers AS "system_user" WHERE id = 1'],
        secret: SSN,
      }),
      leak({
        case: "a user's function that a newer grammar has as JSON_SCALAR",
        majors: [15],
        steps: ["SELECT json_scalar('x')"],
        secret: SSN,
      }),
      leak({
        case: "a user's function of the name of JSON_QUERY, in the case of a keyword",
        majors: [15],
        steps: ["SELECT JSON_QUERY('x')"],
        secret: SSN,
      }),
      leak({
        case: "a user's function named like a newer aggregate",
        majors: [15],
        steps: ["SELECT any_value('x'::text)"],
        secret: SSN,
      }),
      ...["json_array('x'::text)", 'merge_action()', "json('x'::text)"].map((call) =>
        act({
          case: `a user's function called as ${call}, which deletes`,
          majors: [15],
          steps: [`SELECT ${call}`],
          effect: ORDERS,
          reset: REFILL,
        }),
      ),
      leak({
        case: 'the alias quoted in part of the text and behind control characters elsewhere',
        majors: [15],
        steps: [`SELECT 'a\u0001', reverse(SYSTEM_USER::text) /* \u0002 */ FROM customers AS "system_user"`],
        secret: SSN,
      }),
      same({
        case: 'columns whose names are keywords of newer versions',
        reset: "DELETE FROM words WHERE path = '1_000'",
        steps: [
          'SELECT path, target, error, plan, keys, format, period FROM words',
          'SELECT w.path, w.format AS "string" FROM words AS w WHERE w.plan = \'a plan\' ORDER BY w.keys',
          "INSERT INTO words (path, error) VALUES ('1_000', '0x1F')",
        ],
      }),
      same({
        case: 'JSON and XML in the spelling that every version has',
        steps: [
          `SELECT '{"a": 1}'::json ->> 'a', '[1]'::jsonb`,
          "SELECT x.a FROM XMLTABLE('/r' PASSING '<r a=\"1\"/>' COLUMNS a text PATH '@a') AS x",
        ],
      }),
      same({
        case: 'a name longer than 63 octets, cut as the server cuts it',
        steps: [`SELECT 1 AS ${'x'.repeat(62)}éé, 2 AS ${'y'.repeat(70)}`],
      }),
    ],
  },
  { id: 'RT1', scenario: cutScenario(LATIN), attacks: cutAttacks(LATIN) },
  { id: 'RT1', scenario: cutScenario(JAPANESE), attacks: cutAttacks(JAPANESE) },
];
