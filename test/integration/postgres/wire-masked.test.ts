import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { reportText } from '../../../src/wire/postgres/report.ts';
import {
  bind,
  describePortal,
  describeStatement,
  execute,
  functionCall,
  line,
  parse,
  query,
  type RawClient,
  rawLogin,
  sync,
} from '../../support/postgres/raw-client.ts';
import { untilRunning } from '../../support/postgres/server.ts';
import {
  ALLOW_ALL,
  ATTACK_COLUMNS,
  ATTACK_FIXTURE,
  GUARDED,
  type Stack,
  startStack,
  type Tunnel,
} from '../../support/stack.ts';

const SECRETS = ['123-45-6789', '987-65-4320', 'ann@example.com', '4111111111111111'];

let stack: Stack;
let tunnel: Tunnel;
let client: RawClient;

beforeAll(async () => {
  stack = await startStack({ policy: GUARDED, sql: ATTACK_FIXTURE, columns: ATTACK_COLUMNS });
  tunnel = await stack.tunnel();
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

beforeEach(async () => {
  client = await rawLogin(tunnel);
});

afterEach(() => client.close());

function expectNothingLeaked(): void {
  const bytes = client.received;
  for (const secret of SECRETS) {
    expect(bytes.includes(secret), secret).toBe(false);
    expect(bytes.includes(Buffer.from(secret).toString('hex')), secret).toBe(false);
  }
  const pan = Buffer.alloc(8);
  pan.writeBigInt64BE(4111111111111111n);
  expect(bytes.includes(pan)).toBe(false);
}

const oid = async (signature: string) =>
  Number(await stack.postgres.psql(`select '${signature}'::regprocedure::oid`));

describe('function calls while values are masked', () => {
  test.each(['get_ssn(int)', 'lo_creat(int)', 'int4pl(int,int)', 'set_config(text,text,boolean)'])(
    '%s is refused',
    async (signature) => {
      expect(await client.ask(functionCall(await oid(signature), '1'))).toEqual([
        'ErrorResponse 42501',
        'ReadyForQuery I',
      ]);
      expectNothingLeaked();
    },
  );

  test('in the middle of a pipeline: the others are answered in their places', async () => {
    client.send(query('select 1'), functionCall(await oid('get_ssn(int)'), '1'), query('select 2'));
    expect((await client.untilReady()).map(line)).toContain('DataRow 1');
    expect((await client.untilReady()).map(line)).toEqual(['ErrorResponse 42501', 'ReadyForQuery I']);
    expect((await client.untilReady()).map(line)).toContain('DataRow 2');
  });
});

describe('rows', () => {
  test('one at a time, each is masked', async () => {
    const sql = 'select id, ssn from customers order by id';
    const answer = await client.ask(
      parse('', sql),
      bind('', ''),
      execute('', 1),
      execute('', 1),
      execute('', 1),
      sync,
    );
    expect(answer.filter((one) => one.startsWith('DataRow'))).toEqual(['DataRow 1|***', 'DataRow 2|***']);
    expectNothingLeaked();
  });

  test.each(['select ssn from customers', 'select pan from orders', 'select * from customers'])(
    'binary results hold no text where the type is none: %s',
    async (sql) => {
      client.send(parse('', sql), bind('', '', { binary: true }), describePortal(''), execute(''), sync);
      const messages = await client.untilReady();
      const columns = messages.find((one) => one.name === 'RowDescription')?.columns ?? [];
      for (const row of messages.filter((one) => one.name === 'DataRow')) {
        row.values.forEach((value, i) => {
          // int4, int8: a value of that length, or NULL.
          const size = { 23: 4, 20: 8 }[columns[i]?.typeOid ?? 0];
          if (size !== undefined && value !== null) expect(value.length).toBe(size);
        });
      }
      expectNothingLeaked();
    },
  );

  test('described when it was parsed, executed after the table was altered', async () => {
    await client.ask(parse('s', 'select name, note from customers'), describeStatement('s'), sync);
    await stack.postgres.psql('alter table customers add column extra text');
    const answer = await client.ask(bind('', 's'), execute(''), sync);
    expect(answer.at(-1)).toBe('ReadyForQuery I');
    await client.ask(parse('all', 'select * from customers'), describeStatement('all'), sync);
    await stack.postgres.psql('alter table customers drop column extra');
    expect((await client.ask(bind('', 'all'), execute(''), sync)).at(-1)).toMatch(/ReadyForQuery/);
    expectNothingLeaked();
  });

  test('a name taken for another statement in the same breath does not lend it its masks', async () => {
    await client.ask(parse('p', 'select max(id) from customers'), sync);
    client.send(query("prepare p as select 'x'"), bind('', 'p'), execute(''), sync);
    await client.untilReady();
    await client.untilReady();
    const answer = await client.ask(
      query('deallocate p; prepare p as select ssn, email from customers; execute p'),
    );
    expect(answer.filter((one) => one.startsWith('DataRow'))).toEqual(['DataRow ***|***', 'DataRow ***|***']);
    expectNothingLeaked();
  });

  test('an error, a notice or a notification tells no value', async () => {
    await client.ask(query("select '123-45-'||'6789'::int"));
    await client.ask(query("insert into customers values (3, 'z', 'z', '123-45-'||'6789', 'x')"));
    expectNothingLeaked();
  });
});

describe('plans', () => {
  test.each(['TEXT', 'JSON', 'YAML', 'XML'])(
    'as %s do not tell how long what is masked is',
    async (format) => {
      const plan = (columns: string) =>
        query(`EXPLAIN (FORMAT ${format}) SELECT ${columns} FROM customers c`);
      const masked = (await client.ask(plan('id, ssn'))).join();
      expect(masked).toMatch(/width=0\b|Plan Width"?: 0\b|<Plan-Width>0</);
      expect(masked).not.toMatch(/width=[1-9]|Plan Width"?: [1-9]|<Plan-Width>[1-9]/);
    },
  );

  test('of what masks nothing stay as they are', async () => {
    expect((await client.ask(query('EXPLAIN SELECT 1'))).join()).toContain('width=4');
  });
});

describe('another policy in the middle of a session', () => {
  afterEach(() => stack.reload(GUARDED));

  test('a statement prepared, bound and described before is masked and judged by what holds when it is run', async () => {
    await stack.reload(ALLOW_ALL);
    await client.ask(query('begin'));
    const shown = await client.ask(
      parse('s', 'select ssn from customers order by id'),
      bind('p', 's'),
      describePortal('p'),
      execute('p', 1),
      sync,
    );
    expect(shown).toContain('DataRow 123-45-6789');
    await client.ask(
      parse('d', 'delete from orders'),
      bind('kill', 'd'),
      parse('e', "select ssn || '' from customers"),
      bind('flow', 'e'),
      describePortal('flow'),
      query('declare c cursor for select reverse(ssn) from customers'),
    );
    const before = client.received.length;
    await stack.reload(GUARDED);
    expect(await client.ask(execute('p', 1), sync)).toContain('DataRow ***');
    expect(client.received.subarray(before).includes('987-65-4320')).toBe(false);
    expect(await client.ask(query('savepoint a'))).toContain('CommandComplete SAVEPOINT');
    for (const refused of [[execute('flow')], [execute('kill')], [query('fetch all from c')]]) {
      const answer = await client.ask(...refused, sync);
      if (refused.length === 1 && answer.at(-1) === 'ReadyForQuery E') {
        expect(answer).toContain('ErrorResponse 42501');
      }
      expect(answer.filter((one) => one.startsWith('DataRow'))).toEqual([]);
      await client.ask(query('rollback to a'));
    }
    await client.ask(query('rollback'));
    expect(client.received.subarray(before).includes('9876-54-321')).toBe(false);
    expect(await stack.postgres.psql('select count(*) from orders')).toBe('2');
  });

  test('rows that were on their way come as they were judged, and the session lives on', async () => {
    await stack.reload(ALLOW_ALL);
    client.send(parse('', 'select generate_series(1, 3), pg_sleep(0.7)'), bind('', ''), execute(''), sync);
    await untilRunning(stack.postgres, 'pg_sleep(0.7)');
    await stack.reload(GUARDED);
    client.send(query('select 1'));
    expect((await client.untilReady()).map(line).at(-2)).toBe('CommandComplete SELECT 3');
    expect((await client.untilReady()).map(line)).toContain('DataRow 1');
    expect(await client.ask(query('delete from orders'))).toEqual(['ErrorResponse 42501', 'ReadyForQuery I']);
  });
});

describe('a session that the target itself ends', () => {
  afterEach(() => stack.reload(GUARDED));

  const terminate = async () =>
    stack.postgres.psql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE usename = 'hoop' AND query LIKE '%itself%' AND pid <> pg_backend_pid()`);

  /** @returns The last that is said, by field. */
  async function ended(first: readonly string[], begins: () => unknown): Promise<Record<string, string>> {
    for (const sql of first) await client.ask(query(sql));
    await begins();
    const last = (await client.until('ErrorResponse')).at(-1);
    expect(await client.next()).toBeUndefined();
    if (last?.name !== 'ErrorResponse') throw new Error(`it says ${last?.name}`);
    return Object.fromEntries(last.fields.map(([code]) => [code, reportText(last, code) ?? '']));
  }

  const nothing = () => undefined;

  test.each([
    {
      by: 'its administrator',
      first: ["SELECT 'itself'"],
      begins: terminate,
      code: '57P01',
      says: 'terminating connection due to administrator command',
    },
    {
      by: 'its patience with a transaction',
      first: ["SET idle_in_transaction_session_timeout = '100ms'", 'BEGIN'],
      begins: nothing,
      code: '25P03',
      says: 'terminating connection due to idle-in-transaction timeout',
    },
    {
      by: 'its patience with a client',
      first: ["SET idle_session_timeout = '100ms'"],
      begins: nothing,
      code: '57P05',
      says: 'terminating connection due to idle-session timeout',
    },
    {
      by: 'the length of a transaction',
      since: 17,
      first: ["SET transaction_timeout = '300ms'", 'BEGIN'],
      begins: nothing,
      code: '25P04',
      says: 'terminating connection due to transaction timeout',
      next: 'less',
    },
  ])('by $by: in its words, and what to do next', async (row) => {
    const { since = 0, first, begins, code, says, next = 'reconnect' } = row;
    const version = Number(await stack.postgres.psql('SHOW server_version_num')) / 10_000;
    if (version < since) {
      // An older one has no such bound to end a session by.
      expect(await client.ask(query(first[0]!))).toEqual(['ErrorResponse 42704', 'ReadyForQuery I']);
      return;
    }
    const masked = await ended(first, begins);
    expect(masked).toMatchObject({ S: 'FATAL', C: code });
    expect(JSON.parse(masked['H'] ?? '')).toMatchObject({
      rule: 'ERR_TARGET_LOST',
      reason: 'the target ended the session',
      next,
      retryable: next === 'reconnect',
    });
    await stack.reload(ALLOW_ALL);
    client = await rawLogin(tunnel);
    const shown = await ended(first, begins);
    // As the server sends them.
    expect(shown).toMatchObject({ S: 'FATAL', V: 'FATAL', C: code, M: says, R: expect.any(String) });
    expect(shown['H']).toBe(masked['H']);
  });
});
