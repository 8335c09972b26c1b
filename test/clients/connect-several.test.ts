/** Several resources, several gateways, and who else may knock at a local port. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../support/postgres/server.ts';
import { RunningHoopctl } from '../support/run-hoopctl.ts';
import { type Stack, startStack } from '../support/stack.ts';

const PRINT = ['psql', '-X', '-w', '-Atc', 'SELECT current_database()'];
const OTHER_POLICY =
  '@id("pg-only") permit (principal, action, resource) when { resource in Resource::"pg" };';

let stack: Stack;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hoopctl-several-'));
  stack = await startStack({
    resources: (postgres) => `  pg-two:
    protocol: postgres
    target: { host: ${postgres.host}, port: ${postgres.port}, database: postgres, tls: verify-full, caFile: ${postgres.caFile} }
    credentials: { user: hoop, password: { file: ./pg.password } }`,
  });
});
afterAll(async () => {
  await stack?.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Ready {
  readonly resource: string;
  readonly port: number;
  readonly password: string;
}

async function ready(running: RunningHoopctl, count: number): Promise<Ready[]> {
  await running.until(new RegExp(`(\\{.*"listening".*\\}\\n){${count}}`));
  return running.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Ready);
}

const reaches = (port: number, host = '127.0.0.1') =>
  new Promise<boolean>((resolve) => {
    const probe = connect(port, host);
    probe.once('connect', () => resolve(probe.destroy() !== undefined));
    probe.once('error', () => resolve(false));
  });

test('D2: a child reaches each resource by its name, the first one by PG*', async () => {
  const script =
    'psql -X -w -Atc "SELECT current_database()"; psql -X -w "$PG_TWO_URL" -Atc "SELECT current_database()"';
  const { stdout, exitCode } = await stack.hoopctl(['connect', 'pg', 'pg-two', '--', 'sh', '-c', script]);
  expect({ stdout, exitCode }).toEqual({ stdout: 'shop\npostgres\n', exitCode: 0 });
});

test('D2: --json: one line for each; --port counts on; nothing is left open when a port is taken', async () => {
  const port = await freePort();
  const args = ['connect', 'pg', 'pg-two', '--json', '--port', String(port)];
  const running = stack.start(args);
  const ends = await ready(running, 2);
  expect(ends.map(({ resource }) => resource)).toEqual(['pg', 'pg-two']);
  expect(ends.map((end) => end.port)).toEqual([port, port + 1]);
  expect(new Set(ends.map(({ password }) => password)).size).toBe(2);
  const below = await stack.hoopctl(['connect', 'pg', 'pg-two', '--port', String(port - 1)]);
  expect(below).toMatchObject({ exitCode: 64, stdout: '' });
  expect(below.stderr).toContain(`port ${port} is in use`);
  expect(await reaches(port - 1)).toBe(false);
  // The local end is IPv4 loopback and nothing else.
  expect(await reaches(port, '::1')).toBe(false);
  running.child.kill('SIGTERM');
  expect((await running.finished).exitCode).toBe(143);
  expect([await reaches(port), await reaches(port + 1)]).toEqual([false, false]);
});

test('D2: without access to one of them nothing is opened and the command is not started', async () => {
  const { stdout, stderr, exitCode } = await stack.hoopctl(['connect', 'pg', 'nowhere', '--', ...PRINT]);
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 77 });
  expect(stderr).toBe(
    'hoopctl: there is no resource "nowhere", or no access to it\nhint: see: hoopctl resource list\n',
  );
});

test('D7: a web page, or another user without the password, gets no session', async () => {
  const tunnel = await stack.tunnel();
  const page = await new Promise<string>((resolve) => {
    const call = request({ host: '127.0.0.1', port: tunnel.port, method: 'POST', path: '/' });
    call.once('response', () => resolve('answered')).once('error', (error) => resolve(error.name));
    call.end('Q\0\0\0\0SELECT 1');
  });
  expect(page).toBe('Error');
  const { port, user, database } = tunnel;
  const client = new pg.Client({ host: '127.0.0.1', port, user, database, password: 'guess' });
  await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
  await tunnel.close();
});

test('D6: two gateways by profile; each lists what its caller may reach', async () => {
  const other = await startStack({ policy: OTHER_POLICY });
  try {
    const config = { HOOPCTL_CONFIG_DIR: directory, HOOPCTL_TOKEN: '', HOOPCTL_GATEWAY: '' };
    for (const [profile, one] of [
      ['first', stack],
      ['second', other],
    ] as const) {
      const args = ['login', '--profile', profile, '--gateway', one.url, '--ca', one.caFile, '--json'];
      const running = new RunningHoopctl(args, config);
      const [, code = ''] = await running.until(/"userCode":"([^"]+)"/);
      await one.people.approve(code, 'ada');
      expect((await running.finished).exitCode).toBe(0);
    }
    const list = async (profile: string) => {
      const running = new RunningHoopctl(['resource', 'list', '--profile', profile, '--json'], config);
      const { stdout } = await running.finished;
      return stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { name: string }).name);
    };
    expect(await list('first')).toEqual(['pg', 'pg-two']);
    expect(await list('second')).toEqual(['pg']);
  } finally {
    await other.stop();
  }
});
