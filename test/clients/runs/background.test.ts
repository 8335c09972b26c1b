/** Tunnels in the background: they outlive their terminal, are listed and closed, and are not believed when they are dead. */
import { execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HOOPCTL_MAIN } from '../../support/run-hoopctl.ts';
import { pgEnv, type Stack, startStack } from '../../support/stack.ts';
import { eventually } from '../../support/waiting.ts';

const execute = promisify(execFile);

interface Listed {
  readonly id: string;
  readonly pid: number;
  readonly state: string;
  readonly ended?: string;
}

interface Ready {
  readonly tunnel: string;
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});

afterAll(async () => {
  if (stack !== undefined) await stack.hoopctl(['tunnel', 'close', '--all']);
  await stack?.stop();
});

const directory = () => join(stack.directory, 'hoopctl', 'tunnels');

async function listed(...args: string[]): Promise<readonly Listed[]> {
  const { stdout } = await stack.hoopctl(['tunnel', 'list', '--json', ...args]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Listed);
}

async function background(env: Readonly<Record<string, string>> = {}): Promise<Ready> {
  const { stdout, stderr, exitCode } = await stack.hoopctl(['connect', 'pg', '--background', '--json'], env);
  expect([exitCode, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Ready;
}

const query = async (ready: Ready) =>
  (await execute('psql', ['-Xqwtc', 'SELECT 42'], { env: pgEnv(ready) })).stdout.trim();

test('it is ready when the command ends, is on record without its secret, serves, and is closed by its resource', async () => {
  const ready = await background();
  expect(await query(ready)).toBe('42');
  expect(await listed()).toEqual([
    expect.objectContaining({
      id: ready.tunnel,
      pid: ready.pid,
      state: 'open',
      ends: [{ resource: 'pg', protocol: 'postgres', address: `127.0.0.1:${ready.port}` }],
    }),
  ]);
  process.kill(ready.pid, 'SIGHUP');
  expect(await query(ready)).toBe('42');

  expect(statSync(directory()).mode & 0o777).toBe(0o700);
  const names = readdirSync(directory());
  expect(names.sort()).toEqual(['json', 'log', 'sock'].map((end) => `${ready.tunnel}.${end}`));
  for (const name of names) {
    const path = join(directory(), name);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    if (!name.endsWith('.sock')) expect(readFileSync(path, 'utf8')).not.toContain(ready.password);
  }
  expect(readFileSync(`/proc/${ready.pid}/cmdline`, 'utf8')).not.toContain(ready.password);

  const client = spawn('psql', ['-Xqw', '-c', 'SELECT pg_sleep(60)'], { env: pgEnv(ready), stdio: 'ignore' });
  const left = new Promise((resolve) => client.once('exit', resolve));
  await eventually(
    'a session',
    async () => (await stack.hoopctl(['session', 'list', '--live'])).stdout,
    (text) => text.includes('live'),
  );
  const closed = await stack.hoopctl(['tunnel', 'close', 'pg']);
  expect([closed.exitCode, closed.stdout]).toEqual([0, `${ready.tunnel} closed: pg\n`]);
  expect(await left).not.toBe(0);
  expect(await listed()).toEqual([]);
  expect(await listed('--all')).toEqual([expect.objectContaining({ state: 'ended', ended: 'closed' })]);
  const { stdout } = await stack.hoopctl(['tunnel', 'logs', ready.tunnel]);
  expect(stdout).toMatch(
    /Z {2}hoopctl: ready until .*: pg on 127\.0\.0\.1:\d+\n.*asked to end: hoopctl tunnel close\n/,
  );
});

test('it outlives the terminal that it was started from', async () => {
  const words = [process.execPath, HOOPCTL_MAIN, 'connect', 'pg', '--background'].join(' ');
  const { stdout } = await execute('script', ['-qec', words, '/dev/null'], {
    env: { ...process.env, ...stack.env() },
  });
  expect(stdout).toMatch(
    /pg is ready on 127\.0\.0\.1:\d+ until \S+; hoopctl tunnel close [a-z2-7]{8} ends it/,
  );
  const [tunnel] = await listed();
  const exported = /export (PGHOST=.*)\r\n/.exec(stdout)![1]!;
  const asked = await execute('sh', ['-c', `env ${exported} psql -Xqwtc 'SELECT 43'`]);
  expect(asked.stdout.trim()).toBe('43');
  expect((await stack.hoopctl(['tunnel', 'logs', 'pg', '--json'])).stdout).not.toMatch(
    /PGPASSWORD|"password"/,
  );
  await stack.hoopctl(['tunnel', 'close', tunnel!.id]);
});

test('one that was killed is known to be dead, also when its number is another’s by now', async () => {
  const ready = await background();
  process.kill(ready.pid, 'SIGKILL');
  await eventually('its end', () => !readdirSync('/proc').includes(String(ready.pid)));
  const path = join(directory(), `${ready.tunnel}.json`);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), pid: process.pid }));
  const again = await background();
  const all = await listed('--all');
  expect(all.find(({ id }) => id === ready.tunnel)).toMatchObject({
    state: 'ended',
    ended: 'killed, or the machine was restarted',
  });
  expect(all.find(({ id }) => id === again.tunnel)).toMatchObject({ state: 'open' });
  // Nothing was sent to the process that has the number now: only the open one is closed.
  const { stdout } = await stack.hoopctl(['tunnel', 'close', '--all', '--json']);
  expect(JSON.parse(stdout)).toEqual({
    schemaVersion: 1,
    id: again.tunnel,
    resources: ['pg'],
    state: 'ended',
  });
  expect((await stack.hoopctl(['tunnel', 'close', ready.tunnel])).exitCode).toBe(64);
});

test('what keeps it from opening is said at once and leaves nothing behind; why it ended stands in its log', async () => {
  const before = await listed('--all');
  const missing = await stack.hoopctl(['connect', 'nowhere', '--background']);
  expect([missing.exitCode, missing.stderr]).toEqual([
    77,
    'hoopctl: there is no resource "nowhere", or no access to it\nhint: see: hoopctl resource list\n',
  ]);
  expect((await stack.hoopctl(['connect', 'pg', '--background', '--', 'true'])).exitCode).toBe(64);
  expect(await listed('--all')).toEqual(before);

  const revoked = await background({ HOOP_RUN_ID: 'astray' });
  await stack.hoopctl(['session', 'kill', '--run', 'astray']);
  await expect(query(revoked)).rejects.toThrow('revoked');
  const over = await eventually(
    'its end',
    async () => (await listed('--all')).find(({ id }) => id === revoked.tunnel),
    (found) => found?.state === 'ended',
  );
  expect(over!.ended).toBe('the credential has been revoked');
  expect((await stack.hoopctl(['tunnel', 'logs', revoked.tunnel])).stdout).toContain(
    'the credential has been revoked',
  );
});
