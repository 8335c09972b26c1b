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
import { eventually } from '../../support/waiting.ts';

const MAIL = 'ann@example.com';
/** Column, type, value as SQL. What holds a text can hold more masks than NULL. */
const TEXTS: readonly (readonly [string, string, string])[] = [
  ['t', 'text', `'${MAIL}'`],
  ['v', 'varchar(40)', `'${MAIL}'`],
  ['c', 'char(15)', `'${MAIL}'`],
  ['n', 'name', `'${MAIL}'`],
  ['d', 'mail', `'${MAIL}'`],
  ['ci', 'citext', `'${MAIL}'`],
];
const ARRAYS: readonly (readonly [string, string, string])[] = [
  ['ta', 'text[]', `ARRAY['${MAIL}', NULL, '${MAIL}']`],
  ['da', 'mail[]', `ARRAY['${MAIL}', NULL, '${MAIL}']::mail[]`],
];
const JSONS: readonly (readonly [string, string, string])[] = [
  ['js', 'json', `'"${MAIL}"'`],
  ['jb', 'jsonb', `'"${MAIL}"'`],
];
const OTHERS: readonly (readonly [string, string, string])[] = [
  ['i2', 'int2', '4111'],
  ['i4', 'int4', '41114111'],
  ['i8', 'int8', '4111111111111111'],
  ['nu', 'numeric', '4111111111111111.5'],
  ['f8', 'float8', '1.5'],
  ['mo', 'money', '12.34'],
  ['bo', 'bool', 'true'],
  ['da1', 'date', "'1987-06-05'"],
  ['ts', 'timestamptz', "'1987-06-05 04:03:02+00'"],
  ['iv', 'interval', "'3 days'"],
  ['ip', 'inet', "'10.98.76.54'"],
  ['ma', 'macaddr', "'08:00:2b:01:02:03'"],
  ['by', 'bytea', `'${MAIL}'`],
  ['bi', 'varbit', "'101'"],
  ['en', 'mood', "'ok'"],
  ['co', 'pair', `ROW('${MAIL}', 1)`],
  ['ia', 'int8[]', 'ARRAY[4111111111111111]'],
  ['dr', 'daterange', "'[1987-06-05,1987-06-06)'"],
  ['dm', 'datemultirange', "'{[1987-06-05,1987-06-06)}'"],
  ['hs', 'hstore', `'a=>"${MAIL}"'`],
  ['tv', 'tsvector', `'${MAIL}'`],
  ['po', 'point', "'(1,2)'"],
];
const UUID = ['u', 'uuid', "'deadbeef-dead-beef-dead-beefdeadbeef'"] as const;
const ALL = [...TEXTS, ...ARRAYS, ...JSONS, UUID, ...OTHERS];

const SQL = `
CREATE EXTENSION hstore; CREATE EXTENSION citext;
CREATE DOMAIN mail AS text; CREATE TYPE mood AS ENUM ('ok'); CREATE TYPE pair AS (a text, b int);
CREATE TABLE kinds (id int, ${ALL.map(([name, type]) => `${name} ${type}`).join(', ')});
INSERT INTO kinds VALUES (1, ${ALL.map(([, , value]) => value).join(', ')});
CREATE VIEW seen AS SELECT t FROM kinds;
CREATE FUNCTION unread() RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
GRANT SELECT ON kinds, seen TO hoop;
`;

const policy = (mask: string, more = '') => `
@id("use") permit (principal, action in [Action::"connect", Action::"sql.read", Action::"sql.transaction"], resource);
@id("show") permit (principal, action == Action::"reveal", resource);
@id("hide") @mask("${mask}") forbid (principal, action == Action::"reveal", resource is Column);
${more}`;

let stack: Stack;
let tunnel: Tunnel;
let client: RawClient;

beforeAll(async () => {
  const columns = Object.fromEntries(ALL.map(([name]) => [`public.kinds.${name}`, ['secret']]));
  stack = await startStack({ sql: SQL, columns, policy: policy('redact') });
  tunnel = await stack.tunnel([], { HOOP_RUN_ID: 'one' });
  client = await rawLogin(tunnel);
});

afterAll(async () => {
  client?.close();
  await tunnel?.close();
  await stack?.stop();
});

type Row = Readonly<Record<string, Buffer | null>>;

/** By column. */
async function rowOf(
  binary: boolean,
  sql = `SELECT ${ALL.map(([name]) => name).join(', ')} FROM kinds`,
  from = client,
): Promise<Row> {
  from.send(parse('', sql), bind('', '', { binary }), describePortal(''), execute(''), sync);
  const messages = await from.untilReady();
  const row = messages.find((one) => one.name === 'DataRow');
  const described = messages.find((one) => one.name === 'RowDescription');
  if (row?.name !== 'DataRow' || described?.name !== 'RowDescription')
    throw new Error(JSON.stringify(messages));
  return Object.fromEntries(described.columns.map(({ name }, at) => [name, row.values[at] ?? null]));
}

/** The next statement is judged by it. */
async function under(mask: string, more = ''): Promise<void> {
  await stack.reload(policy(mask, more));
}

const isMasked = (row: Row, names: readonly (readonly [string, ...unknown[]])[], by: string | RegExp) => {
  for (const [name] of names)
    expect(row[name]?.toString() ?? null, name).toEqual(
      typeof by === 'string' ? by : expect.stringMatching(by),
    );
};
const isNull = (row: Row, names: readonly (readonly [string, ...unknown[]])[]) => {
  for (const [name] of names) expect(row[name], name).toBeNull();
};

/** Of an array in text, or in binary: what stands for both of its elements, twice. */
function elements(value: Buffer | null | undefined, binary: boolean): (string | undefined)[] {
  if (!binary) return [...(value?.toString() ?? '').matchAll(/[^{},"]+/g)].map(([one]) => one);
  const found: (string | undefined)[] = [];
  for (let at = 20; value && at < value.length; ) {
    const length = value.readInt32BE(at);
    found.push(length === -1 ? 'NULL' : value.toString('utf8', at + 4, at + 4 + length));
    at += 4 + Math.max(0, length);
  }
  return found;
}

describe.each([
  ['text', false],
  ['binary', true],
] as const)('every type in %s', (_, binary) => {
  const json = (by: string) => (binary ? `\x01"${by}"` : `"${by}"`);

  test('redacted', async () => {
    await under('redact');
    const row = await rowOf(binary);
    isMasked(row, TEXTS, '***');
    expect([row['js']?.toString(), row['jb']?.toString()]).toEqual(['"***"', json('***')]);
    isNull(row, [...ARRAYS, UUID, ...OTHERS]);
  });

  test('as NULL', async () => {
    await under('null');
    isNull(await rowOf(binary), ALL);
  });

  test('full is another word for redact', async () => {
    await under('full');
    isMasked(await rowOf(binary), TEXTS, '***');
  });

  test.each([
    ['partial', 'a***@e***'],
    ['keep-format', 'xxx@xxxxxxx.xxx'],
  ])('%s', async (mask, by) => {
    await under(mask);
    const row = await rowOf(binary);
    isMasked(row, TEXTS, by);
    for (const [name] of ARRAYS) expect(elements(row[name], binary)).toEqual([by, 'NULL', by]);
    expect([row['js']?.toString(), row['jb']?.toString()]).toEqual([`"${by}"`, json(by)]);
    isNull(row, [UUID, ...OTHERS]);
  });

  test('by pseudonyms', async () => {
    await under('pseudonym');
    const row = await rowOf(binary);
    const anon = row['t']?.toString() ?? '';
    isMasked(row, TEXTS, /^anon_[a-z0-9]{16}$/);
    isMasked(row, TEXTS, anon);
    for (const [name] of ARRAYS) expect(elements(row[name], binary)).toEqual([anon, 'NULL', anon]);
    expect([row['js']?.toString(), row['jb']?.toString()]).toEqual([`"${anon}"`, json(anon)]);
    const uuid = row['u']?.toString(binary ? 'hex' : 'utf8').replaceAll('-', '');
    expect(uuid).toMatch(/^ffffffff[0-9a-f]{4}8[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
    isNull(row, OTHERS);
  });
});

test('pseudonyms are the same in another session of the run, and others in another run', async () => {
  await under('pseudonym');
  const anon = (await rowOf(false))['t']?.toString();
  const seen: (string | undefined)[] = [];
  for (const run of ['one', 'two']) {
    const other = await stack.tunnel([], { HOOP_RUN_ID: run });
    const session = await rawLogin(other);
    seen.push((await rowOf(true, 'SELECT t FROM kinds', session))['t']?.toString());
    session.close();
    await other.close();
  }
  expect(seen[0]).toBe(anon);
  expect(seen[1]).toMatch(/^anon_/);
  expect(seen[1]).not.toBe(anon);
});

test('nobody has pseudonyms who might write, or of a view, and the one who explains policy says why', async () => {
  const explained = async (sql: string) => {
    const { stdout } = await stack.hoopctl(['policy', 'explain', 'pg', '--json', '-c', sql]);
    return JSON.parse(stdout).columns[0];
  };
  await under('pseudonym');
  expect(await explained('SELECT t FROM kinds')).toMatchObject({ mask: 'pseudonym' });
  expect(await explained('SELECT t FROM seen')).toMatchObject({
    mask: 'redact',
    pseudonymsRefused: expect.stringContaining('pg/public.seen is no table'),
  });
  expect((await rowOf(false, 'SELECT t FROM seen'))['t']?.toString()).toBe('***');
  await under(
    'pseudonym',
    '@id("w") permit (principal, action == Action::"sql.insert", resource) when { context.hasWhere };',
  );
  const told = await stack.hoopctl(['policy', 'explain', 'pg', '-c', 'SELECT t FROM kinds']);
  expect(told.stdout).toContain(
    'sql.insert on pg/public.kinds may be allowed, and who can write values can compare guesses',
  );
  await eventually(
    'pseudonyms are still given',
    async () => (await rowOf(false, 'SELECT t FROM kinds'))['t']?.toString(),
    (one) => one === '***',
  );
});

test('nobody has pseudonyms who might call code that nobody has read', async () => {
  const called = (where: string) =>
    `@id("c") permit (principal, action == Action::"sql.call", resource) when { ${where} };`;
  const shown = async () => (await rowOf(false, 'SELECT t FROM kinds'))['t']?.toString();
  await under('pseudonym', called('resource.class == "pure" || resource.class == "catalog"'));
  expect(await shown()).toMatch(/^anon_/);
  await under('pseudonym', called('resource.name == "unread" && context.hasWhere'));
  expect(await shown()).toBe('***');
});

test('the query protocol shows the same', async () => {
  await under('keep-format');
  expect(await client.ask(query('SELECT t, ta FROM kinds'))).toContain(
    'DataRow xxx@xxxxxxx.xxx|{"xxx@xxxxxxx.xxx",NULL,"xxx@xxxxxxx.xxx"}',
  );
});
