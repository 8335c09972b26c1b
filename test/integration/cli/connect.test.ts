import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PATHS } from '../../../src/api/contract.ts';
import { ContractGateway } from '../../support/contract-gateway.ts';
import { type Certificates, makeCertificates } from '../../support/postgres/certificates.ts';
import { rawLogin } from '../../support/postgres/raw-client.ts';
import { ECHO_HOOPCTL_MAIN, hoopctl, RunningHoopctl } from '../../support/run-hoopctl.ts';
import type { Tunnel } from '../../support/stack.ts';
import { timePasses } from '../../support/waiting.ts';

const run = promisify(execFile);
const TOKEN = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJjaSJ9.c2ln';

let directory: string;
let certificates: Certificates;
let gateway: ContractGateway;
let env: Record<string, string>;
const started: RunningHoopctl[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hoopctl-connect-'));
  certificates = await makeCertificates(directory);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

beforeEach(async () => {
  gateway = await ContractGateway.start({ certificates });
  env = {
    HOOPCTL_CONFIG_DIR: join(directory, 'config'),
    HOOPCTL_GATEWAY: gateway.origin,
    HOOPCTL_TOKEN: TOKEN,
  };
});
afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
  await gateway.stop();
});

function start(...args: string[]): RunningHoopctl {
  const running = new RunningHoopctl([...args, '--ca', certificates.caFile], env, ECHO_HOOPCTL_MAIN);
  started.push(running);
  return running;
}

function once(args: string[], command: string[] = []): ReturnType<typeof hoopctl> {
  const tail = command.length === 0 ? [] : ['--', ...command];
  return hoopctl([...args, '--ca', certificates.caFile, ...tail], env, ECHO_HOOPCTL_MAIN);
}

function ask(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = '';
    socket.on('data', (chunk) => {
      got += chunk.toString('utf8');
    });
    socket.once('error', reject).once('close', () => resolve(got));
    socket.end(text);
  });
}

async function listening(
  running: RunningHoopctl,
): Promise<{ port: number; password: string; socket: string }> {
  const [line] = await running.until(/^\{.*"kind":"listening".*\}$/m);
  return JSON.parse(line) as { port: number; password: string; socket: string };
}

function refused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1');
    probe.once('connect', () => resolve(probe.destroy() === undefined));
    probe.once('error', () => resolve(true));
  });
}

describe('a port', () => {
  test('carries bytes both ways, with half-close, to the gateway', async () => {
    const { port } = await listening(start('connect', 'echo', '--json'));
    const text = 'x'.repeat(300_000);
    expect(await ask(connect(port, '127.0.0.1'), text)).toBe(text);
    expect(await ask(connect(port, '127.0.0.1'), 'again')).toBe('again');
    expect(gateway.tunnels).toHaveLength(2);
  });

  test('sends a proof that fits the password, and the reason', async () => {
    const ready = await listening(start('connect', 'pg-demo', '--json', '--reason', 'ticket 4711 – ü'));
    // The gateway is this test's own and echoes: what follows the local proof is not answered in the protocol.
    const at = { ...ready, host: '127.0.0.1', user: 'x', database: 'x' } as unknown as Tunnel;
    await rawLogin(at).catch(() => undefined);
    const { headers } = gateway.tunnels[0]!;
    expect(headers['hoop-reason']).toBe(encodeURIComponent('ticket 4711 – ü'));
    const [kind, verifier = ''] = String(headers['hoop-local-proof']).split(' ');
    expect(kind).toBe('scram-sha-256');
    const salt = /^SCRAM-SHA-256\$4096:([^$]+)\$/.exec(verifier)?.[1];
    const { scramVerifier } = await import('../../../src/wire/scram/verifier.ts');
    expect(await scramVerifier(ready.password, Buffer.from(salt!, 'base64'))).toBe(verifier);
    expect(Buffer.from(ready.password, 'base64url')).toHaveLength(32);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('D5: %s leaves no listener', async (signal) => {
    const running = start('connect', 'echo', '--json');
    const { port } = await listening(running);
    const open = connect(port, '127.0.0.1');
    open.on('error', () => undefined);
    await new Promise((resolve) => open.once('connect', resolve));
    running.child.kill(signal);
    const { exitCode, stderr } = await running.finished;
    expect(exitCode).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
    expect(stderr).toContain({ SIGINT: '', SIGTERM: 'told to end (SIGTERM)', SIGHUP: 'with --keep' }[signal]);
    expect(await refused(port)).toBe(true);
  });

  test('D2: in use: one line, exit 64', async () => {
    const { port } = await listening(start('connect', 'echo', '--json'));
    const second = await once(['connect', 'echo', '--port', String(port)]);
    expect(second).toMatchObject({ exitCode: 64, stdout: '' });
    expect(second.stderr).toBe(
      `hoopctl: port ${port} is in use\nhint: choose another, or --port 0 for any; tunnels of yours: hoopctl tunnel list\n`,
    );
  });

  /** A tunnel that a shell has started in its background, and that shell's end. */
  async function orphaned(...args: string[]): Promise<{ port: number; pid: number; said: () => string }> {
    const hoopctl = `${JSON.stringify(process.execPath)} ${ECHO_HOOPCTL_MAIN} connect echo --json`;
    const script = `${hoopctl} --ca ${certificates.caFile} ${args.join(' ')} & echo "pid $!" >&2; wait`;
    const shell = spawn('/bin/sh', ['-c', script], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    shell.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const line = await new Promise<string>((resolve) =>
      shell.stdout.once('data', (chunk) => resolve(String(chunk))),
    );
    shell.kill('SIGKILL');
    const { port } = JSON.parse(line) as { port: number };
    return { port, pid: Number(/pid (\d+)/.exec(stderr)?.[1]), said: () => stderr };
  }

  test('D5: the end of the starting process ends it, and it says so', async () => {
    const { port, said } = await orphaned();
    await expect.poll(() => refused(port), { timeout: 8_000, interval: 200 }).toBe(true);
    await expect.poll(said).toContain('the process that started this tunnel has ended');
    expect(said()).toContain('--keep');
  });

  test('D5: with --keep neither that nor the end of its terminal does', async () => {
    const { port, pid } = await orphaned('--keep');
    process.kill(pid, 'SIGHUP');
    await timePasses(2500, 'longer than a tunnel without --keep outlives its parent');
    expect(await refused(port)).toBe(false);
    process.kill(pid, 'SIGTERM');
    await expect.poll(() => refused(port), { timeout: 8_000, interval: 200 }).toBe(true);
  });

  test.each([[['--stdio']], [['--', 'true']]])('--keep with %j is refused', async (args) => {
    const { exitCode, stderr } = await once(['connect', 'echo', '--keep', ...args]);
    expect(exitCode).toBe(64);
    expect(stderr).toContain('--keep goes with neither');
  });
});

test('D5: a gateway that dies ends its streams; the listener stays and serves again when it is back', async () => {
  const running = start('connect', 'echo', '--json');
  const { port } = await listening(running);
  const open = connect(port, '127.0.0.1');
  const closed = new Promise((resolve) => open.once('close', resolve));
  open.on('error', () => undefined).resume();
  await new Promise((resolve) => open.once('connect', resolve));
  await expect.poll(() => gateway.streams.size).toBe(1);
  const { port: gatewayPort } = gateway;
  await gateway.stop();
  await closed;
  await ask(connect(port, '127.0.0.1'), 'nobody').catch((error: NodeJS.ErrnoException) => {
    expect(error.code).toBe('ECONNRESET');
  });
  await running.until(/cannot be reached/, 'stderr');
  gateway = await ContractGateway.start({ certificates, port: gatewayPort });
  // The new one knows no tokens of the old one: hoopctl makes itself known again.
  expect(await ask(connect(port, '127.0.0.1'), 'back')).toBe('back');
});

describe('a socket', () => {
  test('is for its owner alone and found by psql -h', async () => {
    const place = join(directory, 's');
    const running = start('connect', 'pg-demo', '--socket', place, '--port', '6543', '--json');
    const ready = await listening(running);
    expect(ready.socket).toBe(join(place, '.s.PGSQL.6543'));
    expect(ready.password).toBeUndefined();
    expect((await stat(ready.socket)).mode & 0o777).toBe(0o600);
    expect((await stat(place)).mode & 0o777).toBe(0o700);
    expect(await ask(connect(ready.socket), 'hello')).toBe('hello');
    expect(gateway.tunnels[0]!.headers['hoop-local-proof']).toBeUndefined();
    running.child.kill('SIGINT');
    await running.finished;
    await expect(stat(ready.socket)).rejects.toThrow('ENOENT');
  });

  test('left over from a killed process is replaced; a directory open to others is refused', async () => {
    const place = join(directory, 'killed');
    const first = start('connect', 'pg-demo', '--socket', place, '--json');
    await listening(first);
    first.child.kill('SIGKILL');
    await first.finished;
    const second = start('connect', 'pg-demo', '--socket', place, '--json');
    expect(await ask(connect((await listening(second)).socket), 'hi')).toBe('hi');
    const open = await mkdtemp(join(directory, 'open-'));
    await run('chmod', ['755', open]);
    const third = await once(['connect', 'pg-demo', '--socket', open]);
    expect(third).toMatchObject({ exitCode: 78, stdout: '' });
    expect(third.stderr).toContain('open to other users');
  });
});

test('standard input and output carry one stream, whatever its protocol', async () => {
  const running = new RunningHoopctl(['connect', 'echo', '--stdio', '--ca', certificates.caFile], env);
  started.push(running);
  running.child.stdin!.end('over stdio');
  expect(await running.finished).toMatchObject({ exitCode: 0, stdout: 'over stdio' });
});

describe('a command', () => {
  const print = 'process.stdout.write(JSON.stringify({...process.env}))';

  test('D1: gets what its tools expect, and nothing that leads past the tunnel', async () => {
    env['PGSERVICE'] = 'elsewhere';
    env['PGHOSTADDR'] = '192.0.2.1';
    const { exitCode, stdout } = await once(['connect', 'pg-demo'], [process.execPath, '-e', print]);
    const child = JSON.parse(stdout) as Record<string, string>;
    expect(exitCode).toBe(0);
    expect(child).toMatchObject({
      PGHOST: '127.0.0.1',
      PGUSER: 'shop_reader',
      PGDATABASE: 'shop',
      PGSSLMODE: 'disable',
    });
    expect(child['DATABASE_URL']).toBe(
      `postgresql://shop_reader:${child['PGPASSWORD']}@127.0.0.1:${child['PGPORT']}/shop?sslmode=disable`,
    );
    expect(child['PGSERVICE']).toBeUndefined();
    expect(child['PGHOSTADDR']).toBeUndefined();
    expect(await refused(Number(child['PGPORT']))).toBe(true);
  });

  test.each([
    ['its exit code', 'process.exit(3)', 3],
    ['128+n for a signal', 'process.kill(process.pid, "SIGKILL")', 137],
  ])('D1: hands on %s', async (_, code, expected) => {
    expect((await once(['connect', 'echo'], [process.execPath, '-e', code])).exitCode).toBe(expected);
  });

  test('D1: that does not exist: 127', async () => {
    const { exitCode, stderr } = await once(['connect', 'echo'], ['no-such-command-here']);
    expect(exitCode).toBe(127);
    expect(stderr).toBe('hoopctl: no-such-command-here: there is no such command\n');
  });

  test('D5: gets the signals, and decides', async () => {
    const code =
      'process.on("SIGTERM", () => process.exit(5)); console.log("up"); setInterval(() => {}, 1000)';
    env['NODE_EXTRA_CA_CERTS'] = certificates.caFile;
    const args = ['connect', 'echo', '--', process.execPath, '-e', code];
    const again = new RunningHoopctl(args, env, ECHO_HOOPCTL_MAIN);
    started.push(again);
    await again.until(/up/);
    again.child.kill('SIGTERM');
    expect((await again.finished).exitCode).toBe(5);
  });

  test('D1: is not started without access or approval', async () => {
    const marker = join(directory, 'marker');
    const touch = [process.execPath, '-e', `require('fs').writeFileSync(${JSON.stringify(marker)}, '')`];
    expect(await once(['connect', 'nowhere'], touch)).toMatchObject({ exitCode: 77 });
    expect(await once(['connect', 'pg-held'], touch)).toMatchObject({ exitCode: 75 });
    gateway.refuseExchange = 'ERR_LOGIN_EXPIRED';
    expect(await once(['connect', 'pg-demo'], touch)).toMatchObject({ exitCode: 67 });
    await expect(stat(marker)).rejects.toThrow('ENOENT');
  });
});

describe('psql', () => {
  test('sees a refusal of the gateway in its own words', async () => {
    gateway.refuseTunnels = 'ERR_DENIED';
    const { exitCode, stderr } = await once(['connect', 'pg-demo'], ['psql', '-w', '-c', 'select 1']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('FATAL:  denied by policy');
    expect(stderr).toMatch(/HINT: {2}\{"rule":"ERR_DENIED",.*"hint":"hint for ERR_DENIED"/);
    expect(stderr).toContain('hoopctl: denied by policy');
  });

  test('at an owner-only socket, which asks for no password, as well', async () => {
    gateway.refuseTunnels = 'ERR_DENIED';
    const place = join(directory, 'refusing');
    const { exitCode, stderr } = await once(
      ['connect', 'pg-demo', '--socket', place],
      ['psql', '-w', '-c', 'select 1'],
    );
    expect(exitCode).toBe(2);
    expect(stderr).toContain('FATAL:  denied by policy');
    expect(stderr).toMatch(/HINT: {2}\{"rule":"ERR_DENIED",.*"hint":"hint for ERR_DENIED"/);
  });

  test('with sslmode=prefer and a lost gateway as well', async () => {
    const { port, password } = await listening(start('connect', 'pg-demo', '--json'));
    await gateway.stop();
    const url = `postgresql://u:${password}@127.0.0.1:${port}/d?sslmode=prefer`;
    const failed = await run('psql', ['-w', url, '-c', 'select 1']).catch(
      (error: { stderr: string }) => error,
    );
    expect(failed.stderr).toContain('cannot be reached');
  });
});

describe('a file that clients of a protocol need', () => {
  const configOf = async (running: RunningHoopctl) => {
    const [line] = await running.until(/^\{.*"kind":"listening".*\}$/m);
    return (JSON.parse(line) as { config: string }).config;
  };

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('D5: is gone after %s', async (signal) => {
    const running = start('connect', 'echo', '--json');
    const path = await configOf(running);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    running.child.kill(signal);
    await running.finished;
    await expect(stat(dirname(path))).rejects.toThrow('ENOENT');
  });

  test('D1: is there for a command, and gone with it', async () => {
    const code =
      'process.stdout.write(process.env.ECHO_CONFIG + " " + require("fs").readFileSync(process.env.ECHO_CONFIG))';
    const { stdout } = await once(['connect', 'echo'], [process.execPath, '-e', code]);
    const [, path, port] = /^(\S+) port (\d+)$/m.exec(stdout) ?? [];
    expect(Number(port)).toBeGreaterThan(0);
    await expect(stat(dirname(path!))).rejects.toThrow('ENOENT');
  });
});

describe('between versions', () => {
  test('a protocol that this hoopctl does not know: one line, and what to do', async () => {
    const { exitCode, stdout, stderr } = await hoopctl(['connect', 'echo', '--ca', certificates.caFile], env);
    expect({ exitCode, stdout }).toEqual({ exitCode: 69, stdout: '' });
    expect(stderr).toBe(
      'hoopctl: this hoopctl does not know the protocol of echo: echo\n' +
        'hint: upgrade hoopctl: the gateway speaks more than it does\n',
    );
    expect(gateway.tunnels).toEqual([]);
  });

  test.each([
    ['connect', 'pg-demo'],
    ['resource', 'list'],
  ])('a gateway 0.1: %s says so', async (...args) => {
    const item = { name: 'pg-demo', protocol: 'postgres', database: 'shop', user: 'u', access: 'allow' };
    gateway.answers.set(PATHS.resources, { body: JSON.stringify({ schemaVersion: 1, resources: [item] }) });
    const { exitCode, stdout, stderr } = await once(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 69, stdout: '' });
    expect(stderr).toContain('the gateway is older than this hoopctl\nhint: upgrade hoopd');
  });
});

test('D6: resource list: what may be reached, and how clients connect', async () => {
  const { stdout } = await once(['resource', 'list']);
  expect(stdout).toContain('pg-demo  postgres  database shop, user shop_reader  allowed         yes');
  const json = await once(['resource', 'list', '--json']);
  expect(JSON.parse(json.stdout.split('\n')[0]!)).toEqual({
    schemaVersion: 1,
    name: 'pg-demo',
    protocol: 'postgres',
    connect: { protocol: 'postgres', database: 'shop', user: 'shop_reader' },
    access: 'allow',
    masks: true,
  });
});

test('D3: a job token from a file is read anew, and its ttl is asked for', async () => {
  const file = join(directory, 'token');
  await writeFile(file, `${TOKEN}\n`);
  const { HOOPCTL_TOKEN: _, ...rest } = env;
  env = { ...rest, HOOPCTL_TOKEN_FILE: file };
  const { exitCode } = await once(
    ['connect', 'echo', '--ttl', '30m', '--agent', 'ci'],
    [process.execPath, '-e', '0'],
  );
  expect(exitCode).toBe(0);
  const { form } = gateway.exchanges[0]!;
  expect(Object.fromEntries(form)).toMatchObject({
    subject_token: TOKEN,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    ttl: '1800',
    agent: 'ci',
  });
});
