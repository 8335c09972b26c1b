import { type Attack, type AttackGroup, must, same, send } from '../../attack.ts';
import { DETECTING } from '../detecting.ts';

const FIXTURE = `
CREATE TYPE place AS (name text, at point, height numeric);
CREATE TABLE honest AS SELECT i AS id, random() AS chance, md5(i::text) AS digest,
  encode(sha256(i::text::bytea), 'base64') AS sum, gen_random_uuid() AS uuid,
  timestamp '2020-01-01' + i * interval '1 hour 7 minutes' AS at, 1700000000000 + i AS ms,
  1737061000000000000 + i * 4194304::bigint AS snowflake, '1Z999AA1' || lpad(i::text, 10, '0') AS ups,
  'SO-20240115-' || lpad(i::text, 4, '0') AS order_no
  FROM generate_series(1, 2000) i;
CREATE TABLE planted (id int, note text, doc jsonb, plain json, tags text[], nums bigint[]);
INSERT INTO planted VALUES (1, 'call ann@example.com at noon, 0.4111111111111111 of it',
  '{"who":{"mail":"to ann@example.com","n":4111111111111111,"at":[0.5227687358856201,-73.98]},"bob@example.com":true}',
  '{"text":"line\\none \\"ann@example.com\\"","n":[1,4111111111111111,2.50],"keep":{"a":null}}',
  ARRAY['x, y', 'ann@example.com', NULL], ARRAY[7, 4111111111111111]);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO hoop;
`;

const honest = (what: string, sql: string) => same({ case: what, steps: [sql] });
const of = (what: string, expression: string) =>
  honest(what, `SELECT ${expression} FROM generate_series(1, 3000) i`);

/** What is found is masked, and nothing beside it. */
function alone(what: string, sql: string, expected: string): Attack {
  return {
    case: `alone: ${what}`,
    run: async (world) => {
      for (const form of ['simple', 'extended, text'] as const) {
        const rows = (lines: readonly string[]) => lines.filter((line) => /^(DataRow|CopyData)/.test(line));
        const direct = rows(await send(await world.direct(), sql, form)).join(' / ');
        const through = rows(await send(await world.through(), sql, form)).join(' / ');
        must(direct !== through, `dead: nothing is masked: ${through}`);
        must(through.includes(expected), `${form}: ${through}`);
      }
    },
  };
}

/** Honest data under a policy that masks what detectors find, and findings within it. */
export const RT10: readonly AttackGroup[] = [
  {
    id: 'RT10',
    scenario: { policy: DETECTING, sql: FIXTURE },
    attacks: [
      honest('a table of ids, hashes, times and numbers', 'SELECT * FROM honest ORDER BY id'),
      honest('the same as documents', 'SELECT row_to_json(h) FROM honest h ORDER BY id'),
      honest('the same as jsonb', 'SELECT to_jsonb(h) FROM honest h ORDER BY id'),
      honest('the same as records', 'SELECT h FROM honest h ORDER BY id'),
      honest('the same in one array', 'SELECT array_agg(h ORDER BY id) FROM honest h'),
      honest('the same in one document', 'SELECT jsonb_agg(h ORDER BY id) FROM honest h'),
      same({ case: 'the same by COPY', steps: ['COPY honest TO STDOUT'], forms: ['simple'] }),
      same({
        case: 'the same as csv',
        steps: ['COPY honest TO STDOUT (FORMAT csv, HEADER)'],
        forms: ['simple'],
      }),
      same({
        case: 'the same in binary',
        steps: ['COPY honest TO STDOUT (FORMAT binary)'],
        forms: ['simple'],
      }),
      honest('decimals', `SELECT sqrt(i)::text, (1 / i::numeric)::text FROM generate_series(1, 3000) i`),
      of('numerics of many digits', '(1 / i::numeric)::numeric(40, 30), sqrt(i::numeric)'),
      of('floats in arrays', 'ARRAY[sqrt(i), ln(i), 1 / i::float8]'),
      of(
        'GeoJSON',
        `jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array(sin(i) * 180, cos(i) * 90))`,
      ),
      of('GeoJSON as text', `format('{"type":"Point","coordinates":[%s,%s]}', sin(i) * 180, cos(i) * 90)`),
      of('coordinates', "point(sin(i) * 180, cos(i) * 90), format('%s, %s', sin(i) * 180, cos(i) * 90)"),
      of(
        'hashes',
        `md5(i::text), encode(sha512(i::text::bytea), 'base64'), encode(sha224(i::text::bytea), 'hex')`,
      ),
      of('octets of hashes', 'sha256(i::text::bytea)'),
      of('UUIDs made of hashes', 'md5(i::text)::uuid, md5(i::text)::uuid::text'),
      of('times', `to_timestamp(i * 86400.123), to_timestamp(i * 86400.123)::text, i * interval '1.7 hours'`),
      of('epochs', `1700000000000 + i, (1700000000000000 + i)::text, 1700000000000000000 + i`),
      of(
        'versions and addresses',
        `i || '.' || i % 7 || '.' || i % 11, '10.' || i % 256 || '.0.1', 'pkg@1.' || i || '.0-rc.1'`,
      ),
      of(
        'parcels',
        `'1Z999AA1' || lpad(i::text, 10, '0'), '9400 1000 0000 0000 ' || lpad(i::text, 4, '0') || ' 00', lpad(i::text, 12, '7')`,
      ),
      of(
        'ids',
        `i, 100000000000 + i, 1737061000000000000 + i * 4194304::bigint, 'ORD-2024-' || lpad(i::text, 6, '0')`,
      ),
      of(
        'lists of numbers',
        `i % 5 || ' 4 3 5 1 2 ' || i % 9 || ' 5 4 3 2 1 4 5 3', (2000 + i % 50) || ' 2010 2020'`,
      ),
      of(
        'ranges',
        `int8range(i, i + 5), tsrange('2020-01-01', '2020-01-01'::timestamp + i * interval '1 day')`,
      ),
      honest(
        'NaN and infinity',
        `SELECT 'NaN'::numeric, 'Infinity'::float8, '-Infinity'::float4, '{NaN,1}'::numeric[]`,
      ),
      honest('what is empty', `SELECT '', '{}'::text[], '{}'::jsonb, ROW(), 'empty'::int8range, ''::bytea`),
      alone('in text', 'SELECT note FROM planted', 'call *** at noon, 0.4111111111111111 of it'),
      alone(
        'in a document, keys and numbers too',
        'SELECT doc FROM planted',
        '{"who": {"n": null, "at": [0.5227687358856201, -73.98], "mail": "to ***"}, "***": true}',
      ),
      alone(
        'in a string with escapes',
        'SELECT plain FROM planted',
        '{"text":"line\\none \\"***\\"","n":[1,null,2.50],"keep":{"a":null}}',
      ),
      alone(
        'in a document that a text holds',
        `SELECT plain::text FROM planted`,
        '{"text":"line\\none \\"***\\"","n":[1,null,2.50],"keep":{"a":null}}',
      ),
      alone('in an array of texts', 'SELECT tags FROM planted', '{"x, y","***",NULL}'),
      alone('in an array of numbers', 'SELECT nums FROM planted', '{7,NULL}'),
      alone(
        'in a record',
        'SELECT ROW(1, note, nums) FROM planted',
        '(1,"call *** at noon, 0.4111111111111111 of it","{7,NULL}")',
      ),
      alone('in a whole row', 'SELECT p FROM planted p', '(1,"call *** at noon'),
      alone('in a document made of the row', 'SELECT to_jsonb(p) FROM planted p', '"nums": [7, null]'),
    ],
  },
];
