import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bind,
  describePortal,
  execute,
  parse,
  query,
  type RawClient,
  rawLogin,
  sync,
} from '../../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';

const PAN = '4111111111111111';
const MAIL = 'ann@example.com';
/** Card numbers as the hexadecimal of their octets, as microseconds, as cents. */
const CENTS = '$41,111,111,111,111.11';

/** Type, value in SQL, and what is shown of it in text; null is NULL. `binary`: what is shown there, where that is not the same. */
interface Kind {
  readonly type: string;
  readonly value: string;
  readonly shown: string | null;
  readonly binary?: string | null;
}

const kinds: readonly Kind[] = [
  { type: 'text', value: `'mail to ${MAIL}'`, shown: 'mail to ***' },
  { type: 'varchar(60)', value: `'card ${PAN}'`, shown: 'card ***' },
  { type: 'char(16)', value: `'${PAN}'`, shown: '***' },
  { type: 'name', value: `'${MAIL}'`, shown: '***' },
  { type: 'citext', value: `'${MAIL}'`, shown: '***' },
  { type: 'word', value: `'${MAIL}'`, shown: '***' },
  { type: 'xml', value: `'<a>${MAIL}</a>'`, shown: '<a>***</a>' },
  { type: 'json', value: `'{"a":"\\u0061nn@example.com","${MAIL}":1}'`, shown: '{"a":"***","***":1}' },
  { type: 'json', value: `'[${PAN}, "\\u0034111111111111111"]'`, shown: '[null, "***"]' },
  { type: 'jsonb', value: `'{"a":"${MAIL}","n":${PAN}}'`, shown: '{"a": "***", "n": null}' },
  { type: 'text[]', value: `ARRAY['${MAIL}','x',NULL]`, shown: '{"***",x,NULL}' },
  { type: 'int8[]', value: `ARRAY[[${PAN},1],[2,3]]`, shown: '{{NULL,1},{2,3}}' },
  { type: 'pair', value: `ROW('${MAIL}', ${PAN})`, shown: '("***",)' },
  { type: 'pair[]', value: `ARRAY[ROW('a "${MAIL}"', 1)::pair]`, shown: '{"(\\"a \\"\\"***\\"\\"\\",1)"}' },
  { type: 'hstore', value: `'a=>"${MAIL}", "${MAIL}"=>b'`, shown: '"a"=>"***", "***"=>"b"' },
  { type: 'int8', value: PAN, shown: null },
  { type: 'numeric', value: `${PAN}.00`, shown: null },
  { type: 'float8', value: PAN, shown: null },
  { type: 'money', value: `'${CENTS}'::money`, shown: '$41,111,111,111,111.11', binary: null },
  { type: 'money', value: `'$4,111,111,111,111,111.00'::money`, shown: null },
  { type: 'positive', value: PAN, shown: null },
  {
    type: 'varbit',
    value: `${PAN}::bit(64)::varbit`,
    shown: `${BigInt(PAN).toString(2).padStart(64, '0')}`,
    binary: null,
  },
  { type: 'int8range', value: `'[${PAN},4111111111111112)'`, shown: null },
  { type: 'int8multirange', value: `'{[${PAN},4111111111111112)}'`, shown: null },
  { type: 'mood', value: `'${MAIL}'`, shown: null },
  { type: 'tsvector', value: `'${MAIL}'`, shown: null },
  { type: 'bytea', value: `'${MAIL}'`, shown: null },
  { type: 'bytea', value: `'\\x${PAN}'`, shown: null },
  { type: 'jsonpath', value: `'$.a ? (@ == "${MAIL}")'`, shown: null },
  { type: 'ltree', value: `'a.x${PAN}'`, shown: `a.x${PAN}` },
  {
    type: 'timestamptz',
    value: `'2000-01-01 00:00:00+00'::timestamptz + interval '1 us' * ${PAN}`,
    shown: '2130-04-11',
    binary: null,
  },
];
const name = (at: number) => `k${at}`;
const TABLE = kinds.map(({ type }, at) => `${name(at)} ${type}`).join(', ');

const SQL = `
CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree;
CREATE DOMAIN word AS text; CREATE DOMAIN positive AS int8; CREATE TYPE mood AS ENUM ('${MAIL}');
CREATE TYPE pair AS (a text, b int8);
ALTER DATABASE shop SET lc_monetary = 'C'; SET lc_monetary = 'C';
CREATE TABLE held (${TABLE});
INSERT INTO held VALUES (${kinds.map(({ value }) => value).join(', ')});
GRANT SELECT ON held TO hoop;
`;
/** Columns are shown, and what detectors find in them is not. */
const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql.read", Action::"sql.transaction", Action::"sql.copy-out"], resource);
@id("show") permit (principal, action == Action::"reveal", resource is Column);
`;

let stack: Stack;
let tunnel: Tunnel;
let client: RawClient;

beforeAll(async () => {
  stack = await startStack({ sql: SQL, policy: POLICY });
  tunnel = await stack.tunnel();
  client = await rawLogin(tunnel);
});

afterAll(async () => {
  client?.close();
  await tunnel?.close();
  await stack?.stop();
});

async function rowIn(binary: boolean, sql = 'SELECT * FROM held'): Promise<readonly (Buffer | null)[]> {
  client.send(parse('', sql), bind('', '', { binary }), describePortal(''), execute(''), sync);
  const messages = await client.untilReady();
  const row = messages.find((one) => one.name === 'DataRow');
  if (row?.name !== 'DataRow') throw new Error(JSON.stringify(messages));
  return row.values;
}

/** In any form that a client of that type would read it in. */
const DISGUISES = [
  Buffer.from(MAIL),
  Buffer.from(PAN),
  Buffer.from(BigInt(PAN).toString(16).padStart(16, '0'), 'hex'),
];
const tells = (value: Buffer | null) => value !== null && DISGUISES.some((one) => value.includes(one));

describe('what detectors find', () => {
  test('is shown by the server itself: every case is live', async () => {
    const row = await stack.postgres.psql(`SELECT to_json(held) FROM held`);
    for (const secret of [MAIL, PAN]) expect(row).toContain(secret);
  });

  test('is masked in text by the type that it is in', async () => {
    const row = await rowIn(false);
    for (const [at, { type, value, shown }] of kinds.entries()) {
      const text = row[at]?.toString() ?? null;
      if (type === 'timestamptz') expect(text).toContain(shown);
      else expect(text, `${type} ${value}`).toBe(shown);
    }
  });

  test('and in binary', async () => {
    const row = await rowIn(true);
    for (const [at, { type, value, shown, binary = shown }] of kinds.entries()) {
      if (binary === null) expect(row[at], `${type} ${value}`).toBeNull();
      else if (type !== 'ltree') expect(tells(row[at] ?? null), `${type} ${value}`).toBe(false);
      if (['text', 'varchar(60)', 'xml', 'json', 'citext', 'word', 'name'].includes(type))
        expect(row[at]?.toString()).toBe(shown);
    }
  });

  test.each(['text', 'csv', 'csv, FORCE_QUOTE *', 'binary'])('and in COPY, %s', async (format) => {
    for (const [at, { type, value, shown, binary = shown }] of kinds.entries()) {
      if (type === 'ltree' || (format !== 'binary' && binary !== shown)) continue;
      client.take();
      const lines = await client.ask(query(`COPY held (${name(at)}) TO STDOUT (FORMAT ${format})`));
      expect(
        lines.some((one) => one.startsWith('CopyData')),
        lines.join(),
      ).toBe(true);
      expect(tells(client.take()), `${type} ${value}`).toBe(false);
    }
  });

  test('and in values that the statement makes', async () => {
    for (const [sql, shown] of [
      [`SELECT ROW('${MAIL}'::text, ${PAN}::int8)`, '("***",)'],
      [`SELECT ARRAY[ROW('${MAIL}')]`, '{"(\\"***\\")"}'],
      [`SELECT jsonb_build_object('a', ${PAN}::int8)`, '{"a": null}'],
      [`SELECT xmlelement(name a, '${MAIL}')`, '<a>***</a>'],
      [`SELECT encode('${MAIL}', 'base64')`, '***'],
      [`SELECT encode('${MAIL}', 'hex')`, '***'],
    ] as const) {
      const [value] = await rowIn(false, sql);
      expect(value?.toString() ?? null, sql).toBe(shown);
      expect(tells((await rowIn(true, sql))[0] ?? null), sql).toBe(false);
    }
  });
});
