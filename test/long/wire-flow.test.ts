import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeStartup } from '../../src/wire/postgres/startup.ts';
import { growthOf, MiB } from '../support/memory.ts';
import {
  bind,
  copyData,
  copyDone,
  describePortal,
  execute,
  line,
  parse,
  query,
  type RawClient,
  rawConnect,
  rawLogin,
  sync,
} from '../support/postgres/raw-client.ts';
import { untilRunning } from '../support/postgres/server.ts';
import { type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { timePasses } from '../support/waiting.ts';

const FIXTURE = `
CREATE UNLOGGED TABLE t (id int, name text);
CREATE UNLOGGED TABLE cancelled (LIKE t);
GRANT ALL ON t, cancelled TO hoop;
`;

const WARM_UP_MB = 50;

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

/** Runs `act` and gives by how much the two processes grew at most, KiB. */
const growth = (act: () => Promise<void>) =>
  growthOf({ hoopd: stack.hoopd.child.pid, hoopctl: tunnel.running.child.pid }, act);

describe('however the octets are cut', () => {
  const batch = Buffer.concat([
    query('select 1'),
    parse('s', 'select $1::text as v'),
    bind('', 's', { values: ['ä'] }),
    describePortal(''),
    execute(''),
    sync,
    query('copy t from stdin'),
    copyData('1\ta\n'),
    copyData('2\tb\n'),
    copyDone,
    query('deallocate s'),
  ]);

  async function answers(): Promise<string[]> {
    const lines: string[] = [];
    for (let i = 0; i < 4; i++) lines.push(...(await client.untilReady()).map(line));
    return lines;
  }

  test('one octet in each write, and two halves at every place: the same answers', async () => {
    client.send(batch);
    const whole = await answers();
    expect(whole.filter((one) => one.startsWith('Error'))).toEqual([]);
    client.socket.setNoDelay(true);
    for (const octet of batch) {
      client.socket.write(Buffer.of(octet));
      await new Promise(setImmediate);
    }
    expect(await answers()).toEqual(whole);
    for (let cut = 1; cut < batch.length; cut++) {
      client.socket.write(batch.subarray(0, cut));
      await timePasses(1, 'two segments, not one');
      client.socket.write(batch.subarray(cut));
      expect(await answers()).toEqual(whole);
    }
  });
});

describe('memory does not follow the amount of data', () => {
  /** COPY IN of so many megabytes. */
  async function copyIn(megabytes: number): Promise<void> {
    const row = copyData(`1\t${'x'.repeat(997)}\n`.repeat(100));
    client.send(query('copy t from stdin'));
    await client.until('CopyInResponse');
    for (let i = 0; i < megabytes * 10; i++) {
      if (!client.socket.write(row)) await new Promise((resolve) => client.socket.once('drain', resolve));
    }
    client.send(copyDone);
    expect((await client.untilReady(600_000)).map(line)).toEqual([
      `CommandComplete COPY ${megabytes * 1000}`,
      'ReadyForQuery I',
    ]);
  }

  // What a process takes once, because data flows at all, is no matter of its amount: some 70 to 100 MiB of heap.
  beforeEach(() => copyIn(WARM_UP_MB));

  afterEach(async () => {
    await stack.postgres.psql('truncate t');
  });

  test('COPY IN of 200 MB', async () => {
    const grown = await growth(() => copyIn(Number(process.env['HOOP_TEST_COPY_MB'] ?? 200)));
    expect(grown.hoopd).toBeLessThan(96 * MiB);
    expect(grown.hoopctl).toBeLessThan(64 * MiB);
  }, 600_000);

  test('a reader of a kilobyte in a second: the target waits, nobody else does', async () => {
    const other = await rawLogin(tunnel);
    client.socket.removeAllListeners('data');
    client.socket.pause();
    const grown = await growth(async () => {
      client.send(query("copy (select repeat('x', 1000) from generate_series(1, 500000)) to stdout"));
      for (let i = 0; i < 12; i++) {
        await timePasses(250, 'a client that reads slowly');
        client.socket.read(256);
        const asked = performance.now();
        expect(await other.ask(query(`select ${i}`))).toContain(`DataRow ${i}`);
        expect(performance.now() - asked).toBeLessThan(1000);
      }
      const waits =
        "select wait_event from pg_stat_activity where query like 'copy (select repeat%' and state = 'active'";
      expect(await stack.postgres.psql(waits)).toBe('ClientWrite');
    });
    expect(grown.hoopd).toBeLessThan(96 * MiB);
    expect(grown.hoopctl).toBeLessThan(64 * MiB);
    other.close();
    client.socket.resetAndDestroy();
    await untilRunning(stack.postgres, 'copy (select repeat', 0, 5000);
  });

  test('a client that asks and never reads: the target waits', async () => {
    client.socket.removeAllListeners('data');
    client.socket.pause();
    const grown = await growth(async () => {
      const ask = query("select repeat('y', 100000)");
      for (let i = 0; i < 3000 && !client.socket.writableNeedDrain; i++) client.socket.write(ask);
      await timePasses(2000, 'a client that does not read');
    });
    expect(grown.hoopd).toBeLessThan(128 * MiB);
    expect(grown.hoopctl).toBeLessThan(64 * MiB);
  });
});

describe('a client that is gone leaves nothing running', () => {
  test('reset while a long query runs: cancelled within five seconds', async () => {
    client.send(query('select pg_sleep(61)'));
    await untilRunning(stack.postgres, 'pg_sleep(61)');
    client.socket.resetAndDestroy();
    await untilRunning(stack.postgres, 'pg_sleep(61)', 0, 5000);
  });

  test('gone without a reset, with more sent behind it that waits for its answer', async () => {
    client.send(query('prepare x as select 1; select pg_sleep(62)'), query('execute x'));
    await untilRunning(stack.postgres, 'pg_sleep(62)');
    client.socket.destroy();
    await untilRunning(stack.postgres, 'pg_sleep(62)', 0, 5000);
  });

  test('in the middle of a COPY that waits for a lock', async () => {
    const blocker = await rawLogin(tunnel);
    await blocker.ask(query('begin; lock table t in access exclusive mode'));
    client.send(query('copy t from stdin'));
    await untilRunning(stack.postgres, 'copy t from stdin');
    client.socket.resetAndDestroy();
    await untilRunning(stack.postgres, 'copy t from stdin', 0, 5000);
    await blocker.ask(query('rollback'));
    blocker.close();
  });

  test('Ctrl-C in the middle of a COPY IN: cancelled, and the session goes on', async () => {
    client.send(query('copy cancelled from stdin'));
    await client.until('CopyInResponse');
    client.send(copyData('1\ta\n'));
    const { processId, key } = client.key ?? { processId: 0, key: Buffer.alloc(4) };
    const cancel = await rawConnect(tunnel);
    cancel.socket.write(encodeStartup({ name: 'CancelRequest', processId, key }));
    await new Promise((resolve) => cancel.socket.resume().once('close', resolve));
    // The server looks for a cancel between two messages, and may see it some messages later.
    const goOn = setInterval(() => client.send(copyData('1\ta\n')), 100);
    const answers = (await client.untilReady()).map(line);
    clearInterval(goOn);
    expect(answers).toEqual(['ErrorResponse 57014', 'ReadyForQuery I']);
    const late = [copyData('2\tb\n'), copyDone];
    expect(await client.ask(...late, query('select count(*) from cancelled'))).toContain('DataRow 0');
  });
});

describe('the target ends', () => {
  const backend = async () => (await client.ask(query('select pg_backend_pid()')))[1]?.slice(8);

  test('its administrator ends the connection in the middle of a pipeline: its own words, then the end', async () => {
    const pid = await backend();
    client.send(query('select pg_sleep(30)'), query('select 1'), parse('', 'select 2'), bind('', ''), sync);
    await untilRunning(stack.postgres, 'pg_sleep(30)');
    await stack.postgres.psql(`select pg_terminate_backend(${pid})`);
    expect((await client.until('ErrorResponse')).map(line).at(-1)).toBe('ErrorResponse 57P01');
    expect(await client.next()).toBeUndefined();
  });

  test('without a word: FATAL 08006, and hoopd serves on', async () => {
    client.send(query('select pg_sleep(30)'));
    await untilRunning(stack.postgres, 'pg_sleep(30)');
    await stack.postgres.crash();
    const answers = (await client.until('ErrorResponse')).map(line);
    expect(answers.at(-1)).toMatch(/ErrorResponse (08006|57P02)/);
    await stack.postgres.restart();
    client = await rawLogin(tunnel);
    expect(await client.ask(query('select 1'))).toContain('DataRow 1');
  });
});

describe('side by side', () => {
  test('thirty sessions of one tunnel: each gets its own answers, whatever the others wait for', async () => {
    const slow = await rawLogin(tunnel);
    slow.send(query('select pg_sleep(3)'));
    const all = await Promise.all(Array.from({ length: 30 }, () => rawLogin(tunnel)));
    await Promise.all(
      all.map(async (one, i) => {
        for (let j = 0; j < 20; j++)
          expect(await one.ask(query(`select ${i * 1000 + j}`))).toContain(`DataRow ${i * 1000 + j}`);
        one.close();
      }),
    );
    expect((await slow.untilReady()).map(line)).toContain('CommandComplete SELECT 1');
    slow.close();
  });

  test('one that breaks the protocol ends alone', async () => {
    const bad = await rawLogin(tunnel);
    bad.send(Buffer.from([0x7a, 0, 0, 0, 4]));
    expect((await bad.until('ErrorResponse')).map(line)).toEqual(['ErrorResponse 08P01']);
    expect(await client.ask(query('select 1'))).toContain('DataRow 1');
  });

  test('a session that says nothing for a while is still there', async () => {
    await timePasses(4000, 'a session that says nothing');
    expect(await client.ask(query('select 1'))).toContain('DataRow 1');
  });
});
