import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ALLOW_ALL, ATTACK_FIXTURE, type Stack, startStack, type Tunnel } from '../support/stack.ts';

/** All but one of the rights by which anything can be done in a way that nobody reads. */
const NO_DO = `${ALLOW_ALL} @id("no-do") forbid (principal, action == Action::"sql.do", resource);`;
const MASKED = `${ALLOW_ALL} @id("pii") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column)
  when { resource.tags.contains("pii.national-id") };`;

let stack: Stack;
let tunnel: Tunnel;
let open: pg.Client[] = [];

beforeAll(async () => {
  stack = await startStack({
    sql: ATTACK_FIXTURE,
    superuser: true,
    columns: { 'public.customers.ssn': ['pii.national-id'] },
  });
  tunnel = await stack.tunnel();
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

beforeEach(async () => {
  await Promise.all(open.map((one) => one.end().catch(() => undefined)));
  open = [];
});

async function connect(): Promise<pg.Client> {
  const { host, port, user, password, database } = tunnel;
  const client = new pg.Client({ host, port, user, password, database });
  client.on('error', () => undefined);
  open.push(client);
  await client.connect();
  return client;
}

const OFF = 'set standard_conforming_strings to off';
/** With the setting off, the quote after the backslash does not end the string: these are two different statements. */
const TWO_READINGS = String.raw`select 'a\' as x /*', 'b' /* */ as y`;

describe('a principal for whom nothing is masked and whom everything is permitted', () => {
  beforeEach(() => stack.reload(ALLOW_ALL));

  test('gets the server’s own words for what does not parse, and goes on', async () => {
    const client = await connect();
    await expect(client.query('selec 1')).rejects.toMatchObject({
      code: '42601',
      message: 'syntax error at or near "selec"',
      position: '1',
      routine: 'scanner_yyerror',
    });
    await expect(client.query({ text: 'select $1 +', values: [1] })).rejects.toMatchObject({
      position: '12',
    });
    expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
  });

  test('may change how the server reads: each statement then asks for the broad rights, on record', async () => {
    const client = await connect();
    await client.query(OFF);
    expect((await client.query(TWO_READINGS)).fields).toHaveLength(2);
    expect((await client.query({ text: String.raw`select 'it\'s ' || $1`, values: ['so'] })).rows).toEqual([
      { '?column?': "it's so" },
    ]);
    await client.query({ name: 'named', text: 'select $1::int as n', values: [1] });
    expect((await client.query({ name: 'named', text: 'select $1::int as n', values: [2] })).rows).toEqual([
      { n: 2 },
    ]);
    await client.query('set client_encoding to latin1');
    expect(((await client.query('select 1 as a; select 2 as b')) as unknown as pg.QueryResult[]).length).toBe(
      2,
    );
    const otto = await stack.person('otto');
    const { stdout } = await stack.hoopctl(
      ['audit', 'search', '--action', 'sql.do', '--limit', '50', '--json'],
      otto,
    );
    expect(stdout).toContain('sql.set-unsafe');
    expect(stdout).toContain('‹statement of a session that is not read›');
  });

  test('a session that is not read ends its rights with the policy that gave them', async () => {
    const client = await connect();
    await client.query(OFF);
    await stack.reload(NO_DO);
    await expect(client.query('select 1')).rejects.toMatchObject({
      code: '42501',
      hint: expect.stringContaining('unread-session'),
    });
    await stack.reload(MASKED);
    await expect(client.query('select ssn from customers')).rejects.toMatchObject({
      hint: expect.stringContaining('unread-session'),
    });
  });

  test('a statement sent right behind the setting is not judged by the old reading', async () => {
    const client = await connect();
    const [, after] = await Promise.allSettled([client.query(OFF), client.query(TWO_READINGS)]);
    expect(after).toMatchObject({ status: 'fulfilled' });
  });
});

describe.each([
  ['one of the broad rights is missing', NO_DO],
  ['something is masked', MASKED],
])('where %s', (_, policy) => {
  beforeEach(() => stack.reload(policy));

  test('what does not parse is refused by the gateway, and never sent', async () => {
    const client = await connect();
    await expect(client.query('selec 1')).rejects.toMatchObject({
      code: '42601',
      hint: expect.stringContaining('"rule":"syntax-error"'),
    });
    expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
  });

  test('a session whose reading changes is refused or ended', async () => {
    const client = await connect();
    const changed = client.query(OFF).then(() => client.query('select 1'));
    await expect(changed).rejects.toThrow(/standard_conforming_strings|terminated/);
  });

  test('what is not understood is refused', async () => {
    const client = await connect();
    await client.query('prepare p as select 1');
    await expect(client.query('create table t as execute p')).rejects.toMatchObject({ code: '42501' });
  });
});
