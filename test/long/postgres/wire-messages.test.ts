import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { i16, i32, message, raw, str } from '../../support/postgres/messages.ts';
import {
  bind,
  closePortal,
  closeStatement,
  copyData,
  copyDone,
  copyFail,
  describePortal,
  describeStatement,
  execute,
  flush,
  functionCall,
  line,
  parse,
  query,
  type RawClient,
  rawLogin,
  startupPacket,
  sync,
  terminate,
} from '../../support/postgres/raw-client.ts';
import { untilRunning } from '../../support/postgres/server.ts';
import { ATTACK_FIXTURE, type Stack, startStack, type Tunnel } from '../../support/stack.ts';
import { eventually, timePasses } from '../../support/waiting.ts';

const FIXTURE = `${ATTACK_FIXTURE}
CREATE TABLE t (id int PRIMARY KEY, name text);
CREATE TABLE child (id int REFERENCES t DEFERRABLE INITIALLY DEFERRED);
GRANT ALL ON t, child TO hoop;
`;

let stack: Stack;
let tunnel: Tunnel;
let client: RawClient;

beforeAll(async () => {
  stack = await startStack({ sql: FIXTURE });
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

const asked = (sql: string) => stack.postgres.psql(sql);
interface Operations {
  readonly allowed: number;
  /** Of those that were allowed, the ones without an outcome. */
  readonly open: string[];
}

/** Operations of the latest session with such a statement, when the last of them has come to rest. */
async function operations(marker: string): Promise<Operations> {
  const otto = await stack.person('otto');
  let before = -1;
  return eventually(
    'operations at rest',
    () => operationsNow(marker, otto),
    ({ open, allowed }) => {
      const rests = open.length === 0 && allowed === before;
      before = allowed;
      return rests;
    },
    { everyMs: 250 },
  );
}

async function operationsNow(marker: string, otto: Record<string, string>): Promise<Operations> {
  const { stdout } = await stack.hoopctl(['audit', 'search', '--json', '--limit', '200'], otto);
  const events = stdout
    .trim()
    .split('\n')
    .map((one) => JSON.parse(one) as Record<string, string | undefined>);
  const session = events.find((event) => event['text']?.includes(marker))?.['session'];
  const mine = events.filter((event) => session !== undefined && event['session'] === session);
  const allowed = mine.filter((event) => event['decision'] === 'allow' && event['operation'] !== undefined);
  // Search tells decision and outcome as one; only a recorded outcome has a duration, even one that reads `unknown`.
  const open = allowed.filter((event) => event['durationMs'] === undefined);
  return { allowed: allowed.length, open: open.map((event) => event['text'] ?? '') };
}

async function expectFatal(...messages: Buffer[]): Promise<void> {
  client.send(...messages);
  const answers = (await client.until('ErrorResponse')).map(line);
  expect(answers.at(-1)).toBe('ErrorResponse 08P01');
  expect(await client.next()).toBeUndefined();
}

describe('what breaks the protocol ends the session, and nothing of it is forwarded', () => {
  test.each([
    ['an unknown type', message('z', i32(1))],
    ['a startup packet behind the login', undefined],
    ['a password behind the login', message('p', str('x'))],
    ['a length below 4', Buffer.from([0x51, 0, 0, 0, 3])],
    ['a length of 1 GiB', Buffer.concat([Buffer.from('Q'), i32(0x4000_0000)])],
    ['a negative length', Buffer.concat([Buffer.from('Q'), i32(-5)])],
    ['a Sync with a body', message('S', raw(1))],
    ['a Bind whose parameter is -2 long', message('B', str(''), str(''), i16(0), i16(1), i32(-2), i16(0))],
    ['a Bind that ends early', message('B', str(''), str(''), i16(0), i16(9))],
    ['a Describe of neither statement nor portal', message('D', Buffer.from('X'), str('a'))],
    ['an Execute without its number', message('E', str(''))],
    ['a Close that goes on', message('C', Buffer.from('S'), str('a'), raw(0))],
    ['a function call that ends early', message('F', i32(1), i16(0))],
  ])('%s', async (_, bytes) => {
    await expectFatal(bytes ?? startupPacket(tunnel));
  });

  test.each([
    ['a Parse with octets behind it', message('P', str(''), str('delete from t'), i16(0), raw(7))],
    ['a Parse without the end of its text', message('P', str(''), Buffer.from('delete from t'))],
  ])('%s is an error, and the rest is skipped up to Sync', async (_, bytes) => {
    expect(await client.ask(bytes, bind('', ''), execute(''), sync)).toEqual([
      'ErrorResponse 08P01',
      'ReadyForQuery I',
    ]);
  });

  test('a NUL within a statement is refused, and the target sees none of it', async () => {
    const answer = await client.ask(message('Q', Buffer.from('select 1\0; delete from orders\0')));
    expect(answer).toEqual(['ErrorResponse 08P01', 'ReadyForQuery I']);
    expect(await asked('select count(*) from orders')).toBe('2');
  });

  test('a message announced and never sent holds no memory, and the others go on', async () => {
    const silent = await Promise.all(Array.from({ length: 8 }, () => rawLogin(tunnel)));
    for (const one of silent) one.send(Buffer.concat([Buffer.from('Q'), i32(60_000_000)]));
    expect(await client.ask(query('select 1'))).toContain('DataRow 1');
    for (const one of silent) one.close();
  });
});

describe('batches', () => {
  test('Flush without Sync: answers come at once', async () => {
    client.send(parse('', 'select 5'), bind('', ''), describePortal(''), execute(''), flush);
    expect((await client.until('CommandComplete')).map(line)).toEqual([
      'ParseComplete',
      'BindComplete',
      'RowDescription',
      'DataRow 5',
      'CommandComplete SELECT 1',
    ]);
    expect(await client.ask(sync)).toEqual(['ReadyForQuery I']);
  });

  test('an error whose batch goes on in later segments: nothing is answered twice, the session lives', async () => {
    for (let i = 0; i < 40; i++) {
      client.send(parse('', 'select nothing_there'), flush);
      // Each text is new, so that planning it takes longer than the error needs to arrive.
      for (let j = 0; j < 3; j++) {
        await timePasses(j, 'segments that come one by one');
        client.send(parse('', `select ${i} as "c${j}", ${'1+'.repeat(200)}1`), bind('', ''), execute(''));
      }
      expect(await client.ask(sync)).toEqual(['ErrorResponse 42703', 'ReadyForQuery I']);
    }
  });

  test('a batch denied while an earlier one fails: each has its own error', async () => {
    const bad = [parse('', 'select nothing_there'), sync];
    const denied = [parse('', 'select 1; selec'), bind('', ''), execute('')];
    client.send(...bad, ...denied);
    expect((await client.untilReady()).map(line)).toEqual(['ErrorResponse 42703', 'ReadyForQuery I']);
    client.send(query("insert into t values (1, 'skipped')"));
    expect(await client.ask(sync)).toEqual(['ErrorResponse 42601', 'ReadyForQuery I']);
    expect(await asked('select count(*) from t')).toBe('0');
  });

  test('an error at Sync itself: a deferred constraint', async () => {
    const answer = await client.ask(
      parse('', 'insert into child values (404)'),
      bind('', ''),
      execute(''),
      sync,
    );
    expect(answer).toEqual([
      'ParseComplete',
      'BindComplete',
      'CommandComplete INSERT 0 1',
      'ErrorResponse 23503',
      'ReadyForQuery I',
    ]);
    expect(await client.ask(query('select 1'))).toContain('DataRow 1');
  });

  test('a Parse of several statements is refused by the server, and the old one stays', async () => {
    await client.ask(parse('one', 'select 1'), sync);
    expect(await client.ask(parse('one', 'select 2; select 3'), sync)).toEqual([
      'ErrorResponse 42601',
      'ReadyForQuery I',
    ]);
    expect(await client.ask(bind('', 'one'), execute(''), sync)).toContain('DataRow 1');
  });

  test.each([';', '-- nothing', '  ', ''])('nothing at all: %j', async (sql) => {
    expect(await client.ask(query(sql))).toEqual(['EmptyQueryResponse', 'ReadyForQuery I']);
    expect(await client.ask(parse('', sql), bind('', ''), execute(''), sync)).toContain('EmptyQueryResponse');
  });

  test('Close of statements and portals, known and unknown', async () => {
    const answer = await client.ask(
      parse('s', 'select 1'),
      bind('p', 's'),
      closePortal('p'),
      closePortal('nobody'),
      closeStatement('s'),
      closeStatement('nobody'),
      sync,
    );
    expect(answer.filter((one) => one === 'CloseComplete')).toHaveLength(4);
    expect(await client.ask(bind('', 's'), sync)).toEqual(['ErrorResponse 26000', 'ReadyForQuery I']);
  });

  test('Describe of what is unknown is an error of the server', async () => {
    expect(await client.ask(describePortal('nobody'), sync)).toContain('ErrorResponse 34000');
    expect(await client.ask(describeStatement('nobody'), sync)).toContain('ErrorResponse 26000');
  });

  test('ten thousand messages in one segment', async () => {
    const batch = Array.from({ length: 2500 }, (_, i) => [
      parse('', `select ${i % 50}`),
      bind('', ''),
      describePortal(''),
      execute(''),
    ]).flat();
    const answer = await client.ask(...batch, sync);
    expect(answer).toHaveLength(2500 * 5 + 1);
    expect(answer.filter((one) => one.startsWith('DataRow')).map((one) => Number(one.slice(8)))).toEqual(
      Array.from({ length: 2500 }, (_, i) => i % 50),
    );
  });

  test('ten thousand portals bound and never executed leave nothing open', async () => {
    for (let i = 0; i < 4; i++) {
      const binds = Array.from({ length: 500 }, () => bind('', ''));
      const answer = await client.ask(parse('', 'select 1'), ...binds, sync);
      expect(answer.filter((one) => one === 'BindComplete')).toHaveLength(500);
    }
    // Were one of them still open, the end of the session would cancel it at the target.
    expect(await client.ask(query('select 1'))).toContain('DataRow 1');
  });
});

describe('names', () => {
  test('a failed PREPARE in a query sent ahead does not rename what stands', async () => {
    await client.ask(parse('p', 'select 1 as old'), sync);
    client.send(query("prepare p as select 'new'"), bind('', 'p'), execute(''), sync);
    expect((await client.untilReady()).map(line)).toEqual(['ErrorResponse 42P05', 'ReadyForQuery I']);
    expect((await client.untilReady()).map(line)).toContain('DataRow 1');
    client.send(query("prepare p as select 'new'"), query('execute p'));
    expect((await client.untilReady()).map(line)).toEqual(['ErrorResponse 42P05', 'ReadyForQuery I']);
    expect((await client.untilReady()).map(line)).toContain('DataRow 1');
  });

  test('a PREPARE sent ahead that succeeds is what its name stands for', async () => {
    client.send(query("prepare fresh as select 'new'"), bind('', 'fresh'), execute(''), sync);
    await client.untilReady();
    expect((await client.untilReady()).map(line)).toContain('DataRow new');
  });

  test('names given and taken within one string', async () => {
    await client.ask(query('prepare p as select 1'));
    expect(await client.ask(query("deallocate p; prepare p as select 'x'; execute p"))).toContain(
      'DataRow x',
    );
    const gone = await client.ask(query('deallocate all; execute p'));
    expect(gone.slice(-2)).toEqual(['ErrorResponse 26000', 'ReadyForQuery I']);
    const cursor = 'begin; declare c cursor for select 9; fetch c; close c; commit';
    expect(await client.ask(query(cursor))).toContain('DataRow 9');
  });

  test('DISCARD ALL and DEALLOCATE ALL forget all; not within a string of several', async () => {
    await client.ask(parse('a', 'select 1'), sync);
    expect(await client.ask(query('select 1; discard all'))).toContain('ErrorResponse 25001');
    expect(await client.ask(bind('', 'a'), execute(''), sync)).toContain('DataRow 1');
    expect(await client.ask(query('discard all'))).toContain('CommandComplete DISCARD ALL');
    expect(await client.ask(bind('', 'a'), sync)).toEqual(['ErrorResponse 26000', 'ReadyForQuery I']);
  });

  test('portals go with their transaction, WITH HOLD cursors do not', async () => {
    await client.ask(query('begin'));
    await client.ask(parse('', 'select generate_series(1, 9)'), bind('p', ''), execute('p', 2), sync);
    await client.ask(query('declare h cursor with hold for select generate_series(1, 3)'));
    await client.ask(query('commit; begin'));
    expect(await client.ask(execute('p', 2), sync)).toEqual(['ErrorResponse 34000', 'ReadyForQuery E']);
    await client.ask(query('rollback'));
    expect(await client.ask(query('fetch 2 from h'))).toContain('DataRow 2');
    expect(await client.ask(execute('h', 1), sync)).toContain('DataRow 3');
    expect(await client.ask(query('close h; fetch 1 from h'))).toContain('ErrorResponse 34000');
  });

  test('texts of prepared statements are bounded together', async () => {
    const big = `select '${'x'.repeat(3_900_000)}'`;
    const answers: string[] = [];
    for (let i = 0; i < 20 && !answers.includes('ErrorResponse 53300'); i++)
      answers.push(...(await client.ask(parse(`s${i}`, big), sync)));
    expect(answers.filter((one) => one === 'ParseComplete')).toHaveLength(2);
    expect(answers).toContain('ErrorResponse 53300');
    expect(await client.ask(query('discard all'))).toContain('CommandComplete DISCARD ALL');
    expect(await client.ask(parse('again', big), sync)).toContain('ParseComplete');
  });

  test('as many names as one likes in one string: refused, and nobody waits for it', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => `prepare n${i} as select 1`).join(';');
    expect(await client.ask(query(many))).toEqual(['ErrorResponse 53300', 'ReadyForQuery I']);
  });
});

describe('portals with row limits', () => {
  test('one row at a time, to the end', async () => {
    const batch = [parse('', 'select generate_series(1, 3)'), bind('', '')];
    const answer = await client.ask(...batch, execute('', 1), execute('', 1), execute('', 0), sync);
    expect(answer.slice(2)).toEqual([
      'DataRow 1',
      'PortalSuspended',
      'DataRow 2',
      'PortalSuspended',
      'DataRow 3',
      'CommandComplete SELECT 1',
      'ReadyForQuery I',
    ]);
  });

  test('many parameters, NULL, text and binary', async () => {
    const values = Array.from({ length: 65_535 }, (_, i) => String(i));
    const all = values.map((_, i) => `$${i + 1}::int4`).join(',');
    const sum = parse('', `select sum(v) from unnest(array[${all}]) as v`);
    expect(await client.ask(sum, bind('', '', { values }), execute(''), sync)).toContain(
      `DataRow ${(65_534 * 65_535) / 2}`,
    );
    const nothing = bind('', '', { values: [null] });
    expect(await client.ask(parse('', "select coalesce($1, 'none')"), nothing, execute(''), sync)).toContain(
      'DataRow none',
    );
    const binary = message('B', str(''), str(''), i16(1), i16(1), i16(1), i32(4), i32(42), i16(0));
    expect(await client.ask(parse('', 'select $1::int4 + 1'), binary, execute(''), sync)).toContain(
      'DataRow 43',
    );
    const nul = bind('', '', { values: ['a\0b'] });
    expect(await client.ask(parse('', 'select $1::text'), nul, execute(''), sync)).toContain(
      'ErrorResponse 22021',
    );
  });
});

describe('function calls', () => {
  const oid = async (signature: string) => Number(await asked(`select '${signature}'::regprocedure::oid`));

  test('answered with a value, in its place, and on record', async () => {
    client.send(query('select 1'), functionCall(await oid('get_ssn(int)'), '1'), query('select 2'));
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push((await client.untilReady()).map(line));
    expect(answers[1]).toEqual(['FunctionCallResponse 123-45-6789', 'ReadyForQuery I']);
    expect(answers[2]).toContain('DataRow 2');
    const otto = await stack.person('otto');
    const found = await stack.hoopctl(['audit', 'search', '--json', '--action', 'sql.call'], otto);
    expect(found.stdout).toContain('get_ssn');
  });

  test('its errors are answered as those of a query', async () => {
    expect(await client.ask(functionCall(await oid('get_ssn(int)'), 'one'))).toEqual([
      'ErrorResponse 22P02',
      'ReadyForQuery I',
    ]);
    await client.ask(query('begin'));
    expect(await client.ask(functionCall(await oid('int4pl(int,int)'), '1', '2'))).toEqual([
      'FunctionCallResponse 3',
      'ReadyForQuery T',
    ]);
    await client.ask(query('rollback'));
  });

  test('one that nobody knows: as the server says it', async () => {
    expect(await client.ask(functionCall(4_000_000_000))).toEqual(['ErrorResponse 42883', 'ReadyForQuery I']);
  });

  test('skipped with its batch', async () => {
    const answer = await client.ask(parse('', 'selec'), functionCall(1), sync);
    expect(answer).toEqual(['ErrorResponse 42601', 'ReadyForQuery I']);
  });
});

describe('COPY', () => {
  const count = () => asked('select count(*) from t');
  afterEach(() => asked('truncate t cascade'));

  test('data sent ahead with the query and its end', async () => {
    const answer = await client.ask(query('copy t from stdin'), copyData('1\ta\n2\tb\n'), copyDone);
    expect(answer).toEqual(['CopyInResponse', 'CommandComplete COPY 2', 'ReadyForQuery I']);
    expect(await client.ask(query('copy t to stdout'))).toEqual([
      'CopyOutResponse',
      'CopyData 1\ta',
      'CopyData 2\tb',
      'CopyDone',
      'CommandComplete COPY 2',
      'ReadyForQuery I',
    ]);
  });

  test('by the extended protocol: Sync and Flush within mean nothing, behind it they do', async () => {
    const open = [parse('', 'copy t from stdin'), bind('', ''), execute(''), sync];
    client.send(...open, flush, sync, copyData('1\ta\n'), flush, sync, copyDone, sync);
    expect((await client.untilReady()).map(line)).toEqual([
      'ParseComplete',
      'BindComplete',
      'CopyInResponse',
      'CommandComplete COPY 1',
      'ReadyForQuery I',
    ]);
    expect(await client.ask(query('select 1'))).toContain('DataRow 1');
  });

  test('an error in the middle: what follows is dropped, and the next query is answered once', async () => {
    const answer = await client.ask(query('copy t from stdin'), copyData('not a number\ta\n'), copyDone);
    expect(answer).toEqual(['CopyInResponse', 'ErrorResponse 22P02', 'ReadyForQuery I']);
    expect(await client.ask(copyData('9\tz\n'), copyDone, query('select 1'))).toContain('DataRow 1');
    expect(await count()).toBe('0');
  });

  test('an error in the middle, extended: skipped up to Sync', async () => {
    const open = [parse('', 'copy t from stdin'), bind('', ''), execute('')];
    client.send(
      ...open,
      copyData('x\ta\n'),
      copyDone,
      parse('', 'select 8'),
      bind('', ''),
      execute(''),
      sync,
    );
    const answers = (await client.untilReady()).map(line);
    expect(answers.slice(2)).toEqual(['CopyInResponse', 'ErrorResponse 22P02', 'ReadyForQuery I']);
  });

  test('CopyFail gives up', async () => {
    expect(await client.ask(query('copy t from stdin'), copyData('1\ta\n'), copyFail('enough'))).toEqual([
      'CopyInResponse',
      'ErrorResponse 57014',
      'ReadyForQuery I',
    ]);
    expect(await count()).toBe('0');
  });

  test('two in one string', async () => {
    client.send(query('copy t from stdin; copy t from stdin'));
    await client.until('CopyInResponse');
    client.send(copyData('1\ta\n'), copyDone);
    expect((await client.until('CopyInResponse')).map(line)).toEqual([
      'CommandComplete COPY 1',
      'CopyInResponse',
    ]);
    expect(await client.ask(copyData('2\tb\n'), copyDone)).toEqual([
      'CommandComplete COPY 1',
      'ReadyForQuery I',
    ]);
    expect(await count()).toBe('2');
  });

  test('a query in the middle of it ends the session, and is never run', async () => {
    client.send(query('copy t from stdin'));
    await client.until('CopyInResponse');
    await expectFatal(query("insert into t values (7, 'no')"));
    expect(await count()).toBe('0');
  });

  test('copy data outside of a COPY means nothing, as the server has it', async () => {
    expect(await client.ask(copyData('1\ta\n'), copyDone, copyFail('x'), query('select 1'))).toContain(
      'DataRow 1',
    );
    expect(await count()).toBe('0');
  });

  test('a target that reads nothing: the session is killed all the same', async () => {
    const blocker = await rawLogin(tunnel);
    await blocker.ask(query('begin'));
    await blocker.ask(query('lock table t in access exclusive mode'));
    client.send(query('copy t from stdin'));
    client.close();
    await timePasses(500, 'the target does not read: nothing of the end of the client can reach it yet');
    await blocker.ask(query('rollback'));
    blocker.close();
    const running =
      "select count(*) from pg_stat_activity where query like 'copy t from%' and state = 'active'";
    await eventually(
      'the COPY is over',
      () => asked(running),
      (found) => found === '0',
      { everyMs: 100 },
    );
  });
});

describe('notices and notifications', () => {
  test('LISTEN, NOTIFY, UNLISTEN: in order, from this session and from others, while idle too', async () => {
    expect(await client.ask(query('listen news'))).toContain('CommandComplete LISTEN');
    expect(await client.ask(query("notify news, 'own'"))).toEqual([
      'CommandComplete NOTIFY',
      'NotificationResponse news own',
      'ReadyForQuery I',
    ]);
    await asked("notify news, 'idle'");
    expect(line((await client.next()) ?? { name: 'NoData' })).toBe('NotificationResponse news idle');
    const other = await rawLogin(tunnel);
    await client.ask(query('begin'));
    await other.ask(query("notify news, 'held'"));
    expect((await client.ask(query('select 1'))).filter((one) => /Notif/.test(one))).toEqual([]);
    expect(await client.ask(query('commit'))).toEqual([
      'CommandComplete COMMIT',
      'NotificationResponse news held',
      'ReadyForQuery I',
    ]);
    await client.ask(query('unlisten *'));
    await other.ask(query("notify news, 'unheard'"));
    expect(await client.ask(query('select 1'))).toEqual([
      'RowDescription',
      'DataRow 1',
      'CommandComplete SELECT 1',
      'ReadyForQuery I',
    ]);
    other.close();
  });
});

describe('the end of a session', () => {
  test('Terminate behind a statement: the statement is finished first', async () => {
    client.send(query("select pg_sleep(0.5); insert into t values (1, 'kept')"), terminate);
    await client.until('ReadyForQuery');
    expect(await client.next()).toBeUndefined();
    expect(await asked('select name from t')).toBe('kept');
    await asked('truncate t cascade');
  });

  test('Terminate behind a large answer, read slowly: every row of it arrives', async () => {
    client.socket.pause();
    client.send(query("select repeat('x', 1000) from generate_series(1, 20000)"), terminate);
    await timePasses(500, 'a client that reads slowly');
    client.socket.resume();
    const answers = await client.untilReady();
    expect(answers.filter(({ name }) => name === 'DataRow')).toHaveLength(20_000);
    expect(await client.next()).toBeUndefined();
  });

  test('a half-closed client gets the answers to what it asked before', async () => {
    client.socket.end(query('select pg_sleep(0.3), 6'));
    const answers = (await client.untilReady()).map(line);
    expect(answers).toContain('DataRow |6');
    expect(await client.next()).toBeUndefined();
  });

  test('every operation that was allowed has one outcome, whatever became of it', async () => {
    await client.ask(query("select 'marked by this test'"));
    await client.ask(
      parse('', 'select generate_series(1, 5)'),
      bind('p', ''),
      execute('p', 1),
      closePortal('p'),
      sync,
    );
    await client.ask(parse('', 'select 1'), bind('', ''), bind('', ''), bind('', ''), sync);
    await client.ask(parse('', 'select 1/0'), bind('', ''), execute(''), bind('', ''), execute(''), sync);
    await client.ask(query('copy t from stdin'), copyData('x\n'), copyFail('enough'));
    await client.ask(functionCall(1), functionCall(1));
    await client.ask();
    await client.ask(
      query('begin; declare c cursor for select 1; fetch c; move c; close c; select nothing_there'),
    );
    await client.ask(query('rollback'));
    await client.ask(query('select 1; select 2'));
    client.send(parse('', 'select pg_sleep(30)'), bind('', ''), flush);
    await client.until('BindComplete');
    client.send(execute(''), flush);
    await untilRunning(stack.postgres, 'pg_sleep(30)');
    client.socket.resetAndDestroy();
    const { allowed, open } = await operations('marked by this test');
    expect(open).toEqual([]);
    expect(allowed).toBeGreaterThan(10);
  });
});
