/** The local end of a tunnel as its command, its terminal and its neighbours find it, over two protocols. */
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HOOPCTL_MAIN, type RunningHoopctl } from '../support/run-hoopctl.ts';
import { ALLOW_ALL, type Stack, startStack } from '../support/stack.ts';
import { eventually } from '../support/waiting.ts';

const execute = promisify(execFile);

const POLICY = `${ALLOW_ALL}
@id("nothing-is-deleted-alone") @approval("sales")
forbid (principal, action == Action::"http.delete", resource) unless { context.approvals.contains("sales") };`;

let stack: Stack;
let upstream: Server;
/** Requests that came to the target. */
let heard = 0;

beforeAll(async () => {
  upstream = createServer((_, response) => {
    heard += 1;
    response.end('hello\n');
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  stack = await startStack({
    policy: POLICY,
    resources: () =>
      `  api: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {} }`,
  });
});
afterAll(async () => {
  await stack?.stop();
  upstream?.close();
});

interface End {
  readonly resource: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string;
  readonly token: string;
}

async function ends(running: RunningHoopctl, count: number): Promise<readonly End[]> {
  await running.until(new RegExp(`(\\{.*"listening".*\\}\\n){${count}}`));
  const lines = running.stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as End);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1');
    probe.once('connect', () => resolve(probe.destroy() !== undefined));
    probe.once('error', () => resolve(false));
  });
}

/** hoopctl with a terminal of its own. @returns All that it showed there. */
async function onTerminal(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const words = [process.execPath, HOOPCTL_MAIN, ...args].map((word) => `'${word}'`).join(' ');
  // `-e`: the code is hoopctl's own; nothing is ever typed.
  const done = execute('script', ['-qec', words, '/dev/null'], {
    env: { ...process.env, ...stack.env(), ...env },
    timeout: 60_000,
  });
  const { stdout } = await done.catch((error: { stdout: string; code: number }) => ({
    stdout: `${error.stdout}[${error.code}]`,
  }));
  return stdout;
}

test('D1: on a terminal, too, nothing is asked: neither psql for a password, nor hoopctl for a login', async () => {
  const asked = ['connect', 'pg', '--', 'psql', '-XAtP', 'pager=off', '-c', 'select 1'];
  expect(await onTerminal(asked, {})).toBe('1\r\n');
  const stranger = await onTerminal(asked, {
    HOOPCTL_TOKEN: '',
    HOOPCTL_CONFIG_DIR: `${stack.directory}/none`,
  });
  expect(stranger).toMatch(/^hoopctl: not logged in at .*\r\nhint: .*\r\n\[67\]$/);
});

test('D1: the secret is in the environment of the command alone, and with it the tunnel is gone', async () => {
  const look = `echo "$PGPORT $PGPASSWORD"; tr '\\0' ' ' < /proc/$PPID/cmdline; tr '\\0' '\\n' < /proc/$PPID/environ; exit 6`;
  const { exitCode, stdout, stderr } = await stack.hoopctl(['connect', 'pg', '--', 'sh', '-c', look]);
  const [first = '', ...hoopctls] = stdout.split('\n');
  const [port, password = ''] = first.split(' ');
  expect([exitCode, stderr]).toEqual([6, '']);
  expect(password).toMatch(/^[\w-]{43}$/);
  expect(hoopctls.join('\n')).toContain('connect pg -- sh -c');
  expect(hoopctls.join('\n')).not.toContain(password);
  expect(await listens(Number(port))).toBe(false);
});

test('D2: two at once with --port 0, several resources in each: four ports, as JSON, and all of them work', async () => {
  const both = [1, 2].map(() => stack.start(['connect', 'pg', 'api', '--port', '0', '--json']));
  try {
    const all = (await Promise.all(both.map((running) => ends(running, 2)))).flat();
    expect(all.map(({ resource, host }) => `${resource} ${host}`)).toEqual([
      'pg 127.0.0.1',
      'api 127.0.0.1',
      'pg 127.0.0.1',
      'api 127.0.0.1',
    ]);
    expect(new Set(all.map(({ port }) => port)).size).toBe(4);
    for (const { port, resource, user, password, database, token } of all) {
      const url = `postgresql://${user}:${password}@127.0.0.1:${port}/${database}?sslmode=disable`;
      const { stdout } = await (resource === 'pg'
        ? execute('psql', ['-wXAtc', "select 'hello'", url])
        : execute('curl', ['-s', '-H', `Authorization: Bearer ${token}`, `http://127.0.0.1:${port}/`]));
      expect([resource, stdout]).toEqual([resource, 'hello\n']);
    }
  } finally {
    for (const { child } of both) child.kill('SIGTERM');
    await Promise.all(both.map(({ finished }) => finished));
  }
});

test('D5: hoopctl killed on the spot leaves no listener, no session, and no secret in what it left', async () => {
  const running = stack.start([
    'connect',
    'pg',
    '--',
    'sh',
    '-c',
    'echo "$$ $PGPORT"; exec psql -Xwc "select pg_sleep(60)"',
  ]);
  const [, pid, port] = await running.until(/^(\d+) (\d+)$/m);
  const live = async () => (await stack.hoopctl(['session', 'list', '--live'])).stdout;
  await eventually('a session', live, (text) => text.includes(' live'));
  running.child.kill('SIGKILL');
  await running.finished;
  expect(await listens(Number(port))).toBe(false);
  await eventually('its end', live, (text) => !text.includes(' live'));
  // The command has lost its connection, and no orphan of it goes on.
  await eventually('the end of the command', () => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.startsWith('Z') ?? true;
    } catch {
      return true;
    }
  });
});

test('D7: a web page, and another user of the machine, get nothing at the port of any protocol', async () => {
  const running = stack.start(['connect', 'pg', 'api', '--json']);
  try {
    const [pg, api] = await ends(running, 2);
    heard = 0;
    const page = (port: number, headers: Readonly<Record<string, string>>) =>
      new Promise<number>((resolve) => {
        const call = request({ host: '127.0.0.1', port, method: 'POST', path: '/', headers });
        call.once('response', (response) => resolve(response.resume().statusCode ?? 0));
        call.once('error', () => resolve(0));
        call.end('Q\0\0\0\0select 1');
      });
    const simple = { 'content-type': 'text/plain', origin: 'https://evil.example' };
    expect(await page(pg!.port, simple)).toBe(0);
    expect(await page(api!.port, simple)).toBe(403);
    expect(await page(api!.port, {})).toBe(401);
    // With the secret, as a page has it that somebody has led astray: by its name or its origin it is another's.
    const authorization = `Bearer ${api!.token}`;
    expect(await page(api!.port, { ...simple, authorization })).toBe(403);
    expect(await page(api!.port, { host: `evil.example:${api!.port}`, authorization })).toBe(403);
    expect(heard).toBe(0);
    expect(await page(api!.port, { authorization })).toBe(200);

    // Only root can become somebody else; without it the same commands show what whoever lacks the secret gets.
    const other =
      process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : ['env'];
    const theirs = (...words: string[]) => {
      const [file = '', ...args] = [...other, ...words];
      return spawnSync(file, args, { cwd: '/', encoding: 'utf8', env: { PATH: process.env['PATH'] } });
    };
    expect(theirs('true').status).toBe(0);
    const psql = theirs(
      'psql',
      '-wXAtc',
      'select 1',
      `postgresql://hoop:guessed@127.0.0.1:${pg!.port}/shop?sslmode=disable`,
    );
    expect([psql.status, psql.stdout]).toEqual([2, '']);
    expect(psql.stderr).toMatch(/FATAL: {2}/);
    const curl = theirs(
      'curl',
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      `http://127.0.0.1:${api!.port}/`,
    );
    expect(curl.stdout).toBe('401');
    if (process.getuid?.() === 0)
      expect(theirs('cat', `/proc/${running.child.pid}/environ`).stderr).toContain('Permission denied');
  } finally {
    running.child.kill('SIGTERM');
    await running.finished;
  }
});

test('what waits for people is told by hoopctl where the client is silent, once; what is soon over asks nobody', async () => {
  const otto = await stack.person('otto');
  const curl = 'curl -sS -X DELETE "$API_URL/orders/7"';
  const waiting = stack.start(['connect', 'api', '--', 'sh', '-c', `${curl} & ${curl}/lines; wait`]);
  const told =
    /^hoopctl: api: DELETE \/orders\/7 waits for the approval of "sales": (apr_\w+);\n? *to decide:/m;
  const [, id = ''] = await waiting.until(told, 'stderr');
  const [, other = ''] = await waiting.until(/DELETE \/orders\/7\/lines waits for.*: (apr_\w+)/, 'stderr');
  await stack.hoopctl(['approval', 'approve', other, '--yes'], otto);
  await stack.hoopctl(['approval', 'deny', id, '--reason', 'it is paid'], otto);
  const { exitCode, stdout, stderr } = await waiting.finished;
  expect(exitCode).toBe(0);
  expect(stdout).toContain('hello\n');
  expect(stdout).toContain('"reason":"it is paid"');
  expect(stderr.split(`of "sales": ${id}`)).toHaveLength(2);
  expect(await stack.hoopctl(['connect', 'api', '--', 'sh', '-c', 'curl -s "$API_URL/"'])).toMatchObject({
    ...{ exitCode: 0, stdout: 'hello\n', stderr: '' },
  });
});

test('who shows the secret only when it is asked for it is told of nothing; who never does, and who has another, is', async () => {
  const run = (script: string) => stack.hoopctl(['connect', 'api', '--', 'sh', '-c', script]);
  const asked = await run('curl -s --anyauth "$API_URL/"; sleep 1.2');
  expect(asked).toMatchObject({ exitCode: 0, stdout: 'hello\n', stderr: '' });
  const bare = 'url=http://127.0.0.1:$(echo "$API_URL" | sed s/.*://)';
  const missing = "hoopctl: the tunnel's own secret is missing or wrong";
  expect((await run(`${bare}; curl -sf "$url/"`)).stderr).toContain(missing);
  expect((await run(`${bare}; curl -s -u hoop:guessed "$url/"; curl -s "$API_URL/"`)).stderr).toContain(
    missing,
  );
});
