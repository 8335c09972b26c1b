import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { line, query, type RawClient, rawConnect, rawLogin } from '../support/postgres/raw-client.ts';
import { freePort } from '../support/postgres/server.ts';
import type { Finished } from '../support/run-hoopctl.ts';
import { GUARDED, type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { timePasses } from '../support/waiting.ts';

/** Everybody may do what `GUARDED` says, but the agent `other` may not connect. */
const POLICY = `${GUARDED}
@id("not-for-others") forbid (principal in Group::"others", action == Action::"connect", resource);
@id("sleep") permit (principal, action == Action::"sql.call", resource is Function) when { resource.name like "*pg_sleep*" };
`;

/** What was written is found a moment later, on a busy machine two. */
const PATIENCE = { timeout: 15_000, interval: 200 };

const folder = mkdtempSync(join(tmpdir(), 'hoop-bad-'));
const wrongPassword = join(folder, 'wrong.password');

let stack: Stack;
let otto: Record<string, string>;
let relay: Server;
/** Everything that hoopctl and psql printed. */
let printed = '';
/** Of hoopds that have ended. */
let logs = '';

beforeAll(async () => {
  writeFileSync(wrongPassword, 'not-the-password', { mode: 0o600 });
  const [dead, relayed] = [await freePort(), await freePort()];
  stack = await startStack({
    policy: POLICY,
    sql: 'CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 1000); GRANT SELECT ON orders TO hoop',
    resources: ({ host, port, caFile }) =>
      [
        resource('pg-down', host, dead, caFile),
        resource('pg-password', host, port, caFile, wrongPassword),
        resource('pg-ca', host, port, './ca.pem'),
        resource('pg-name', '127.0.0.2', relayed, caFile),
      ].join('\n'),
  });
  relay = relayTo(stack.postgres.port);
  await new Promise<void>((resolve) => relay.listen(relayed, '127.0.0.2', resolve));
  otto = await stack.person('otto');
});

afterAll(async () => {
  relay?.close();
  await stack?.stop();
  rmSync(folder, { recursive: true });
});

function resource(name: string, host: string, port: number, caFile: string, password = './pg.password') {
  return `  ${name}:
    protocol: postgres
    target: { host: ${host}, port: ${port}, database: shop, tls: verify-full, caFile: ${caFile} }
    credentials: { user: hoop, password: { file: ${password} } }`;
}

/** The target under an address that its certificate does not name. */
function relayTo(port: number): Server {
  return createServer((socket: Socket) => {
    const upstream = connect(port, '127.0.0.1');
    for (const end of [socket, upstream]) end.on('error', () => undefined);
    socket.pipe(upstream).pipe(socket);
  });
}

async function psql(name: string, sql: string, env: Record<string, string> = {}): Promise<Finished> {
  const command = ['psql', '-X', '-w', '-At', '-v', 'VERBOSITY=verbose', '-c', sql];
  const finished = await stack.hoopctl(['connect', name, '--', ...command], env);
  printed += finished.stdout + finished.stderr;
  return finished;
}

async function events(...args: string[]): Promise<Record<string, unknown>[]> {
  const limit = args.includes('--limit') ? [] : ['--limit', '1000'];
  const { exitCode, stdout, stderr } = await stack.hoopctl(
    ['audit', 'search', '--json', ...limit, ...args],
    otto,
  );
  if (exitCode !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((text) => JSON.parse(text));
}

/** What `pg_stat_activity` shows of a statement. */
function running(part: string): Promise<string> {
  return stack.postgres.psql(
    `select count(*) from pg_stat_activity where state = 'active' and query like '%${part}%' and pid <> pg_backend_pid()`,
  );
}

async function ended(name: string): Promise<Record<string, unknown>> {
  const [event] = await events('--type', 'session.ended', '--resource', name, '--limit', '1');
  return event ?? {};
}

/** One line that says what is wrong, one that says what to do. */
function expectClear({ stdout, stderr }: Finished): void {
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^hoopctl: [^\n]+\nhint: [^\n]+\n$/);
}

const job = (claims: Record<string, unknown>) => ({
  HOOPCTL_TOKEN: stack.issuer.mint({ sub: 'job', repository: 'org/shop', ...claims }),
});

describe('nothing is opened, and it is on record', () => {
  test('an unknown resource, and one without access, in the same words: 77', async () => {
    const unknown = await psql('nope', 'select 1');
    const forbidden = await psql('pg', 'select 1', job({ repository: 'org/other' }));
    for (const finished of [unknown, forbidden]) {
      expect(finished.exitCode).toBe(77);
      expectClear(finished);
    }
    expect(forbidden.stderr.replace('"pg"', '"nope"')).toBe(unknown.stderr);
    const refused = await events('--type', 'session.refused');
    expect(refused).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ resource: 'nope', decision: 'deny', reason: 'ERR_NO_ACCESS' }),
        expect.objectContaining({
          resource: 'pg',
          operation: expect.stringMatching(/^op_/),
          actor: expect.objectContaining({ name: 'other' }),
        }),
      ]),
    );
  });

  test('an expired token, and one of nobody: 67 and 77', async () => {
    const expired = await psql('pg', 'select 1', job({ exp: 1000 }));
    expect(expired).toMatchObject({ exitCode: 67, stderr: expect.stringContaining('HOOPCTL_TOKEN') });
    expectClear(expired);
    const nobody = await psql('pg', 'select 1', job({ repository: 'org/nobody' }));
    expect(nobody.exitCode).toBe(77);
    expectClear(nobody);
    const refused = await events('--type', 'login.refused');
    expect(refused.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['ERR_LOGIN_EXPIRED', 'ERR_AGENT_UNKNOWN']),
    );
  });

  test('a gateway that is not there, or not the one we trust: 69', async () => {
    const gone = await psql('pg', 'select 1', { HOOPCTL_GATEWAY: `https://127.0.0.1:${await freePort()}` });
    const strange = await psql('pg', 'select 1', { NODE_EXTRA_CA_CERTS: stack.postgres.caFile });
    for (const finished of [gone, strange]) {
      expect(finished.exitCode).toBe(69);
      expectClear(finished);
    }
    expect(gone.stderr).toContain('cannot be reached');
    expect(strange.stderr).toContain('certificate');
  });
});

describe('a target that will not have us', () => {
  test.each([
    ['pg-down', 'the target cannot be reached', '08001'],
    ['pg-password', "the target refused the gateway's credential", '08004'],
    ['pg-ca', "the target's certificate is not trusted", '08001'],
    ['pg-name', "the target's certificate is not trusted", '08001'],
  ])('%s: %s', async (name, text, status) => {
    const finished = await psql(name, 'select 1');
    expect(finished).toMatchObject({ exitCode: 2, stdout: '' });
    expect(finished.stderr).toContain(`FATAL:  ${text}`);
    expect(finished.stderr).toMatch(/HINT: {2}.*operator/);
    await expect
      .poll(() => ended(name), PATIENCE)
      .toMatchObject({ outcome: 'failure', status, reason: text, actor: { name: 'ci' } });
    expect(stack.hoopd.log).toContain(text);
  });
});

describe('a target that goes away', () => {
  test('while a statement runs: 08006 at once; refused while it is down; served when it is back', async () => {
    const crashing = psql('pg', 'select pg_sleep(61)');
    await expect.poll(() => running('pg_sleep(61)'), { timeout: 10_000 }).toBe('1');
    const at = Date.now();
    await stack.postgres.crash();
    const finished = await crashing;
    expect(Date.now() - at).toBeLessThan(5000);
    expect(finished.exitCode).toBe(2);
    expect(finished.stderr).toContain('FATAL:  08006: the connection to the target was lost');
    const down = await psql('pg', 'select 1');
    expect(down).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('the target cannot be reached'),
    });
    await stack.postgres.restart();
    expect(await psql('pg', 'select 1')).toMatchObject({ exitCode: 0, stdout: '1\n' });
    const [decided] = await events('pg_sleep', '--type', 'operation.decided', '--limit', '1');
    expect(decided).toMatchObject({ decision: 'allow', outcome: expect.stringMatching(/unknown|failure/) });
  });

  test('in the middle of a result that is being read', async () => {
    const tunnel = await stack.tunnel();
    const client = await rawLogin(tunnel);
    client.send(query(BIG));
    await client.until('DataRow');
    client.socket.pause();
    await timePasses(300, 'a client that does not read');
    await stack.postgres.crash();
    client.socket.resume();
    const last = (await client.untilReady()).at(-1);
    expect(last).toMatchObject({ name: 'ErrorResponse' });
    expect(client.closed).toBe(true);
    await stack.postgres.restart();
    await expect.poll(() => ended('pg'), PATIENCE).toMatchObject({ outcome: 'failure', status: '08006' });
    const again = await rawLogin(tunnel);
    expect(await again.ask(query('select 1'))).toContain('DataRow 1');
    again.close();
    await tunnel.close();
  });
});

/** More than all buffers on the way hold together. */
const BIG = `select o.id, repeat('x', 1000) from orders o, orders p, orders q`;

describe('a client that misbehaves', () => {
  let tunnel: Tunnel;
  let bystander: RawClient;
  beforeAll(async () => {
    tunnel = await stack.tunnel();
    bystander = await rawLogin(tunnel);
  });
  afterAll(async () => {
    bystander?.close();
    await tunnel?.close();
  });
  /** The other session on the same tunnel does not notice. */
  const othersGoOn = async () => expect(await bystander.ask(query('select 1'))).toContain('DataRow 1');

  const header = (type: string, length: number) => {
    const bytes = Buffer.alloc(5);
    bytes.write(type, 0, 'latin1');
    bytes.writeUInt32BE(length >>> 0, 1);
    return bytes;
  };

  test.each([
    ['an unknown type', Buffer.concat([header('\x01', 4)])],
    ['a length below its own four octets', header('Q', 3)],
    ['a length of two gigabytes', header('Q', 0x7fff_ffff)],
    ['a length above any', header('Q', 0xffff_ffff)],
    ['a Bind with counts that lie', Buffer.concat([header('B', 10), Buffer.from([0, 0, 0x7f, 0xff, 0, 0])])],
    ['a second startup', Buffer.from([0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f])],
  ])('%s: 08P01, the end of this session only', async (_, bytes) => {
    const client = await rawLogin(tunnel);
    client.send(bytes);
    const messages = await client.untilReady(5000);
    expect(messages.map(line)).toEqual(['ErrorResponse 08P01']);
    expect(client.closed).toBe(true);
    await othersGoOn();
  });

  test('a text without its NUL: 08P01 as the server itself says it, and the session goes on', async () => {
    const client = await rawLogin(tunnel);
    const answer = await client.ask(Buffer.concat([header('Q', 8), Buffer.from('abcd')]));
    expect(answer).toEqual(['ErrorResponse 08P01', 'ReadyForQuery I']);
    expect(await client.ask(query('select 1'))).toContain('DataRow 1');
    client.close();
  });

  test('instead of a login: octets of another protocol, a huge packet, silence, a wrong password', async () => {
    for (const [bytes, expected] of [
      [Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'), /^(ErrorResponse 08P01)?$/],
      [Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0]), /^(ErrorResponse 08P01)?$/],
      [Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 1]), /^ErrorResponse 08P01$/],
    ] as const) {
      const client = await rawConnect(tunnel);
      client.send(bytes);
      expect((await client.untilReady(5000)).map(line).join()).toMatch(expected);
    }
    const silent = await rawConnect(tunnel);
    await expect(rawLogin(tunnel, { password: 'guessed' })).rejects.toThrow();
    await othersGoOn();
    silent.close();
  });

  test('a statement too large, too deep, or that is no SQL: refused, and the session goes on', async () => {
    const client = await rawLogin(tunnel);
    expect(await client.ask(query(`select '${'x'.repeat(5 * 1024 * 1024)}'`))).toEqual([
      'ErrorResponse 54000',
      'ReadyForQuery I',
    ]);
    const deep = await client.ask(query(`select ${'('.repeat(20_000)}1${')'.repeat(20_000)}`));
    expect(deep[0]).toMatch(/^ErrorResponse (54000|54001|42601)$/);
    expect(await client.ask(query('selec 1'))).toEqual(['ErrorResponse 42601', 'ReadyForQuery I']);
    expect(await client.ask(query('select 1'))).toContain('DataRow 1');
    client.close();
  });

  test('that vanishes while its statement runs: cancelled at the target within five seconds, and on record', async () => {
    const client = await rawLogin(tunnel);
    client.send(query('select pg_sleep(62)'));
    await expect.poll(() => running('pg_sleep(62)'), { timeout: 10_000 }).toBe('1');
    client.close();
    await expect.poll(() => running('pg_sleep(62)'), { timeout: 5000 }).toBe('0');
    await othersGoOn();
    await expect
      .poll(() => ended('pg'), PATIENCE)
      .toMatchObject({ reason: 'the client closed the connection', outcome: 'success' });
    const [decided] = await events('pg_sleep', '--type', 'operation.decided', '--limit', '1');
    expect(decided).toMatchObject({ decision: 'allow', text: expect.stringContaining('62') });
  });

  test('that reads slowly: nobody waits for it, and memory stays flat', async () => {
    const before = memory();
    const client = await rawLogin(tunnel);
    client.send(query(BIG));
    await client.until('DataRow');
    client.socket.pause();
    let peak = 0;
    for (let i = 0; i < 30; i++) {
      await othersGoOn();
      peak = Math.max(peak, memory());
      await timePasses(100, 'memory is looked at for three seconds');
    }
    expect(peak - before).toBeLessThan(64 * 1024);
    client.close();
    await expect.poll(() => running('repeat('), { timeout: 5000 }).toBe('0');
  });

  /** Resident memory of hoopd, KiB. */
  function memory(): number {
    const status = readFileSync(`/proc/${stack.hoopd.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  }
});

test('a session that may live eight seconds ends then, in the middle of a statement: 57P01', async () => {
  const at = Date.now();
  const command = ['psql', '-X', '-w', '-v', 'VERBOSITY=verbose', '-c', 'select pg_sleep(63)'];
  // Long enough for a slow machine to start psql: of a refused connection psql tells no SQLSTATE, verbose or not.
  const finished = await stack.hoopctl(['connect', 'pg', '--ttl', '8s', '--', ...command]);
  printed += finished.stdout + finished.stderr;
  expect(Date.now() - at).toBeLessThan(20_000);
  expect(finished.exitCode).toBe(2);
  expect(finished.stderr).toMatch(/FATAL: {2}(57P01|28000): /);
  await expect.poll(() => running('pg_sleep(63)'), { timeout: 5000 }).toBe('0');
});

test('hoopd told to stop ends its sessions with 57P01, and has it on record when it is back', async () => {
  const tunnel = await stack.tunnel();
  const [busy, idle] = [await rawLogin(tunnel), await rawLogin(tunnel)];
  busy.send(query('select pg_sleep(64)'));
  await expect.poll(() => running('pg_sleep(64)'), { timeout: 10_000 }).toBe('1');
  await stack.hoopd.stop();
  expect(stack.hoopd.child.exitCode).toBe(0);
  for (const client of [busy, idle]) {
    expect((await client.untilReady(5000)).map(line)).toEqual(['ErrorResponse 57P01']);
    expect(client.closed).toBe(true);
  }
  expect(await running('pg_sleep(64)')).toBe('0');
  logs += stack.hoopd.log;
  await stack.restart();
  const again = await rawLogin(tunnel);
  expect(await again.ask(query('select 1'))).toContain('DataRow 1');
  again.close();
  await tunnel.close();
  const found = await events('--type', 'session.ended', '--resource', 'pg');
  expect(found.filter(({ status }) => status === '57P01').length).toBeGreaterThanOrEqual(2);
});

test('no secret was printed, logged or kept', async () => {
  const secrets = [
    readFileSync(join(stack.directory, 'pg.password'), 'utf8'),
    'not-the-password',
    readFileSync(join(stack.directory, 'seal.key'), 'utf8'),
  ];
  const kept = readdirSync(stack.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /state|recordings/.test(entry.parentPath))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
  expect(kept.length).toBeGreaterThan(5);
  for (const text of [printed, logs, stack.hoopd.log, ...kept]) {
    for (const secret of secrets) expect(text.includes(secret)).toBe(false);
    // No token, no proof, no password of a tunnel.
    expect(text).not.toMatch(/eyJ[\w-]{8,}\.[\w-]+\.[\w-]+|PGPASSWORD|SCRAM-SHA-256\$/);
  }
});
