import { readFileSync } from 'node:fs';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeStartup, PROTOCOL_3_0, PROTOCOL_3_2 } from '../../../src/wire/postgres/startup.ts';
import { i32, message, raw, str } from '../../support/postgres/messages.ts';
import {
  line,
  logInRaw,
  query,
  RawClient,
  rawConnect,
  rawLogin,
  startupPacket,
  terminate,
} from '../../support/postgres/raw-client.ts';
import { untilRunning } from '../../support/postgres/server.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';
import { eventually } from '../../support/waiting.ts';

const SSL = encodeStartup({ name: 'SSLRequest' });
const GSS = encodeStartup({ name: 'GSSENCRequest' });
const startupOf = (...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([i32(body.length + 4), body]);
};
const entries = (...words: string[]) => [...words.map(str), raw(0)];

let stack: Stack;
let tunnel: Tunnel;

beforeAll(async () => {
  stack = await startStack({ settings: { log_connections: 'on' } });
  tunnel = await stack.tunnel();
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

/** Sends bytes as a whole and gives the octets that came back until the other end closed. */
async function exchange(...bytes: Buffer[]): Promise<Buffer> {
  const client = await rawConnect(tunnel);
  client.socket.write(Buffer.concat(bytes));
  await closed(client);
  return client.received;
}

function closed(client: RawClient): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('still open')), 15_000);
    client.socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    client.socket.resume();
  });
}

/** The error at the end of some octets, after what was answered in single octets. */
function errorIn(received: Buffer): string {
  const text = received.toString('latin1');
  return /C([0-9A-Z]{5})\0/.exec(text.slice(text.indexOf('E')))?.[1] ?? '';
}

/**
 * Logins of the gateway's clients that the target has logged so far: none is forgotten when it ends. The catalog's own
 * connection says who it is.
 */
function targetLogins(): number {
  const logins =
    readFileSync(stack.postgres.logFile, 'utf8').match(/connection authorized: user=hoop .*/g) ?? [];
  return logins.filter((login) => !login.includes('application_name=hoopd catalog')).length;
}

describe('encryption requests', () => {
  test.each([
    ['SSLRequest', [SSL]],
    ['GSSENCRequest, then SSLRequest', [GSS, SSL]],
    ['SSLRequest, then GSSENCRequest', [SSL, GSS]],
  ])('%s: answered with N each, then the login goes on', async (_, requests) => {
    const before = targetLogins();
    const client = await rawConnect(tunnel);
    client.socket.removeAllListeners('data');
    for (const request of requests) {
      const answer = new Promise<Buffer>((resolve) => client.socket.once('data', resolve));
      client.socket.write(request);
      expect((await answer).toString()).toBe('N');
    }
    const again = new RawClient(client.socket);
    await logInRaw(again, tunnel);
    expect(await again.ask(query('select 1'))).toContain('DataRow 1');
    expect(targetLogins()).toBe(before + 1);
    again.close();
  });

  test.each([
    ['a startup packet behind SSLRequest in one segment', [SSL, 'startup']],
    ['a startup packet behind GSSENCRequest', [GSS, 'startup']],
    ['SSLRequest twice in one segment', [SSL, SSL]],
  ])('%s: FATAL, and the target sees nothing', async (_, parts) => {
    const before = targetLogins();
    const received = await exchange(
      ...parts.map((part) => (part === 'startup' ? startupPacket(tunnel) : (part as Buffer))),
    );
    expect(errorIn(received)).toBe('08P01');
    expect(targetLogins()).toBe(before);
  });

  test('asked for twice, one after the other: FATAL', async () => {
    const client = await rawConnect(tunnel);
    client.socket.removeAllListeners('data');
    let received = Buffer.alloc(0);
    client.socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
    });
    client.socket.write(SSL);
    await eventually('an answer', () => received.length > 0);
    client.socket.write(SSL);
    await closed(client);
    expect(errorIn(received)).toBe('08P01');
  });

  test('TLS without asking (sslnegotiation=direct) gets a TLS alert and a close', async () => {
    const refused = new Promise<Error>((resolve, reject) => {
      const socket = tlsConnect(
        { host: tunnel.host, port: tunnel.port, ALPNProtocols: ['postgresql'], rejectUnauthorized: false },
        () => reject(new Error('TLS was spoken')),
      );
      socket.once('error', resolve);
    });
    expect((await refused).message).toMatch(/handshake failure|alert/i);
  });

  test('sslmode=require is told by psql itself that there is none; prefer goes on', async () => {
    const url = `postgres://${tunnel.user}:${tunnel.password}@${tunnel.host}:${tunnel.port}/${tunnel.database}`;
    const run = (mode: string) =>
      stack.hoopctl(['connect', 'pg', '--', 'psql', '-XAtw', `${url}?sslmode=${mode}`, '-c', 'select 7']);
    const required = await run('require');
    expect(required.exitCode).not.toBe(0);
    expect(required.stderr).toContain('server does not support SSL, but SSL was required');
    expect((await run('prefer')).stdout).toBe('7\n');
  });
});

describe('protocol versions', () => {
  test('3.0: a short key, nothing to negotiate', async () => {
    const client = await rawLogin(tunnel);
    expect([client.key?.key.length, client.negotiated]).toEqual([4, undefined]);
    client.close();
  });

  test('3.2: spoken, with a long cancel key', async () => {
    const client = await rawLogin(tunnel, { version: PROTOCOL_3_2 });
    expect([client.key?.key.length, client.negotiated]).toEqual([32, undefined]);
    client.close();
  });

  test.each([
    ['3.1, which was never released', 0x0003_0001, PROTOCOL_3_0, 4],
    ['3.9999', 0x0003_270f, PROTOCOL_3_2, 32],
  ])('%s: negotiated down', async (_, version, spoken, keyBytes) => {
    const client = await rawLogin(tunnel, { version });
    expect(client.negotiated).toMatchObject({ version: spoken, unknownOptions: [] });
    expect(client.key?.key.length).toBe(keyBytes);
    client.close();
  });

  test('options of the protocol that are not known are named, and the session goes on', async () => {
    const protocolOptions = { '_pq_.x': '1', '_pq_.trace': 'on' };
    const client = await rawLogin(tunnel, { version: PROTOCOL_3_2, protocolOptions });
    expect(client.negotiated).toMatchObject({
      version: PROTOCOL_3_2,
      unknownOptions: ['_pq_.x', '_pq_.trace'],
    });
    expect(await client.ask(query('select 2'))).toContain('DataRow 2');
    client.close();
  });
});

describe('startup packets', () => {
  const version = i32(PROTOCOL_3_0);
  test.each([
    ['protocol 2.0', startupOf(i32(0x0002_0000), Buffer.alloc(288)), '0A000'],
    ['length 3', i32(3), '08P01'],
    ['length 0x7fffffff', Buffer.concat([i32(0x7fff_ffff), version]), '08P01'],
    ['length -1', Buffer.concat([i32(-1), version]), '08P01'],
    ['longer than 10 000 octets', startupOf(version, ...entries('user', 'x'.repeat(10_001))), '08P01'],
    ['without a user', startupOf(version, ...entries('database', 'shop')), '08P01'],
    ['octets behind the list', startupOf(version, ...entries('user', 'a'), raw(1)), '08P01'],
    ['no end of the list', startupOf(version, str('user'), str('a')), '08P01'],
    ['a name without a value', startupOf(version, str('user'), raw(0)), '08P01'],
  ])('%s: FATAL %s', async (_, bytes, sqlstate) => {
    expect(errorIn(await exchange(bytes))).toBe(sqlstate);
  });

  test.each([
    ['alone', []],
    ['after a declined SSLRequest', [SSL]],
  ])('a goodbye before the startup, %s: closed without a word, and nothing is logged', async (_, before) => {
    const from = stack.hoopd.log.length;
    const client = await rawConnect(tunnel);
    for (const one of before) {
      client.socket.write(one);
      await new Promise((resolve) => client.socket.once('data', resolve));
    }
    const answered = client.received.length;
    client.socket.write(terminate);
    await closed(client);
    expect(client.received.length).toBe(answered);
    expect(stack.hoopd.log.slice(from)).not.toContain('session failed');
  });

  test('a parameter given twice: the last counts, as with the server', async () => {
    const words = ['user', 'a', 'timezone', 'UTC', 'TimeZone', 'CET', 'user', 'b', 'timezone', 'EST'];
    const client = await logInRaw(await rawConnect(tunnel), tunnel, {
      startup: startupOf(version, ...entries(...words)),
    });
    expect(await client.ask(query('show timezone'))).toContain('DataRow EST');
    client.close();
  });

  test.each(['database', 'true', 'on', '1', 'yes'])('replication=%s is refused', async (value) => {
    const login = rawLogin(tunnel, { parameters: { replication: value } });
    await expect(login).rejects.toThrow('ErrorResponse 0A000');
  });

  test.each([
    { options: '-c standard_conforming_strings=off' },
    { client_encoding: 'SJIS' },
    { search_path: 'evil' },
    { standard_conforming_strings: 'off' },
    { session_replication_role: 'replica' },
  ])('a setting that would change what is judged is refused: %o', async (parameters) => {
    await expect(rawLogin(tunnel, { parameters })).rejects.toThrow('ErrorResponse 0A000');
  });

  test.each(["x' host=evil dbname='y", 'a=b c', '', 'ü ; drop', '../../etc'])(
    'a user or database of %j goes nowhere: the target is the resource',
    async (name) => {
      const client = await rawLogin(tunnel, { parameters: { user: name || 'x', database: name } });
      expect(await client.ask(query('select current_user, current_database()'))).toContain(
        'DataRow hoop|shop',
      );
      client.close();
    },
  );
});

describe('who may use the tunnel', () => {
  test('a wrong password is refused, and the target sees nothing', async () => {
    const before = targetLogins();
    await expect(rawLogin(tunnel, { password: 'guess' })).rejects.toThrow('ErrorResponse 28P01');
    expect(targetLogins()).toBe(before);
  });

  test('a statement instead of a proof is refused', async () => {
    const client = await rawConnect(tunnel);
    client.send(startupPacket(tunnel), query('select 1'));
    const answers = (await client.until('ErrorResponse')).map(line);
    expect(answers).toEqual(['Authentication', 'ErrorResponse 08P01']);
    client.close();
  });

  test('before the proof no message is larger than a proof: a length is refused before anything is held', async () => {
    const client = await rawConnect(tunnel);
    client.send(startupPacket(tunnel));
    await client.until('Authentication');
    client.send(Buffer.concat([Buffer.from('Q'), i32(32 * 1024 * 1024)]));
    expect((await client.until('ErrorResponse')).map(line)).toEqual(['ErrorResponse 08P01']);
    client.close();
  });

  test('another way to log in than was asked for is refused', async () => {
    const client = await rawConnect(tunnel);
    client.send(startupPacket(tunnel));
    await client.until('Authentication');
    client.send(message('p', str('PLAIN'), i32(4), Buffer.from('none')));
    expect((await client.until('ErrorResponse')).map(line)).toEqual(['ErrorResponse 08P01']);
    client.close();
  });
});

test('psql on a terminal without a locale asks for no encoding, is told UTF8, and shows what it gets', async () => {
  const client = await rawLogin(tunnel, { parameters: { client_encoding: 'SQL_ASCII' } });
  expect(client.received.includes('client_encoding\0UTF8\0')).toBe(true);
  expect(await client.ask(query("select 'ünï'"))).toContain('DataRow ünï');
  client.close();
});

describe('cancel requests', () => {
  const request = (processId: number, key: Buffer) =>
    encodeStartup({ name: 'CancelRequest', processId, key });

  async function sleeping(version: number): Promise<{ client: RawClient; answer: Promise<string[]> }> {
    const client = await rawLogin(tunnel, { version });
    const answer = client.ask(query('select pg_sleep(30)'));
    await untilRunning(stack.postgres, 'pg_sleep(30)');
    return { client, answer };
  }

  test.each([
    ['3.0', PROTOCOL_3_0],
    ['3.2', PROTOCOL_3_2],
  ])("version %s: the session's own key cancels; others do nothing", async (_, version) => {
    const { client, answer } = await sleeping(version);
    const { processId, key } = client.key ?? { processId: 0, key: Buffer.alloc(4) };
    const backend = Number(
      await stack.postgres.psql("select pid from pg_stat_activity where query = 'select pg_sleep(30)'"),
    );
    expect(backend).toBe(processId);
    const wrong = Buffer.from(key.map((octet) => octet ^ 1));
    for (const bytes of [
      request(processId, wrong),
      request(processId, key.subarray(0, 4).equals(key) ? Buffer.concat([key, key]) : key.subarray(0, 4)),
      request(processId + 1, key),
    ])
      expect(await exchange(bytes)).toEqual(Buffer.alloc(0));
    const other = await stack.tunnel([], stack.env({ repository: 'org/other' }));
    const stranger = await rawConnect(other);
    stranger.socket.write(request(processId, key));
    await closed(stranger);
    await other.close();
    const still =
      "select count(*) from pg_stat_activity where query = 'select pg_sleep(30)' and state = 'active'";
    expect(await stack.postgres.psql(still)).toBe('1');
    expect(await exchange(request(processId, key))).toEqual(Buffer.alloc(0));
    expect((await answer).slice(-2)).toEqual(['ErrorResponse 57014', 'ReadyForQuery I']);
    expect(await client.ask(query('select 1'))).toContain('DataRow 1');
    client.close();
  });

  test('the process id is the one that the server shows everywhere', async () => {
    const client = await rawLogin(tunnel);
    const pid = client.key?.processId;
    expect(await client.ask(query('select pg_backend_pid()'))).toContain(`DataRow ${pid}`);
    const active = "select pid from pg_stat_activity where query like 'select pid from%'";
    expect(await client.ask(query(active))).toContain(`DataRow ${pid}`);
    client.send(query('listen c; notify c'));
    const notified = (await client.untilReady()).find((one) => one.name === 'NotificationResponse');
    expect(notified).toMatchObject({ processId: pid });
    client.close();
  });

  test("the target's own key is never told, and ours does nothing there", async () => {
    const { client, answer } = await sleeping(PROTOCOL_3_0);
    const { processId, key } = client.key ?? { processId: 0, key: Buffer.alloc(4) };
    const straight = await rawConnect(stack.postgres);
    straight.socket.write(request(processId, key));
    await closed(straight);
    const still =
      "select count(*) from pg_stat_activity where query = 'select pg_sleep(30)' and state = 'active'";
    expect(await stack.postgres.psql(still)).toBe('1');
    await exchange(request(processId, key));
    expect(await answer).toContain('ErrorResponse 57014');
    client.close();
  });

  test('a client that cancels by SQL, with the process id it was told, cancels its own', async () => {
    const { client, answer } = await sleeping(PROTOCOL_3_0);
    const other = await rawLogin(tunnel);
    const cancel = query(`select pg_cancel_backend(${client.key?.processId})`);
    expect(await other.ask(cancel)).toContain('DataRow t');
    expect(await answer).toContain('ErrorResponse 57014');
    other.close();
    client.close();
  });
});
