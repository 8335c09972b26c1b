/** A command with everything that it may reach; and with nothing else on the network. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  UNSHARE_PROGRAMS,
  type UnsharePrograms,
  unshareArguments,
} from '../../../src/cli/run/sandbox/unshare.ts';
import { HOOPCTL_MAIN, hoopctl } from '../../support/run-hoopctl.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED, type Stack, startStack } from '../../support/stack.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `${GUARDED}
@id("others") permit (principal, action in [Action::"http.get", Action::"ssh.exec"], resource);
@id("ask") @approval("dba") forbid (principal is Agent, action == Action::"connect", resource == Resource::"billing")
unless { context.approvals.contains("dba") };`;

const USE = `psql -XAtc 'SELECT email FROM customers WHERE id = 1'; curl -s "$API_URL/x"; ssh -F "$HOOP_SSH_CONFIG" host-1 'echo over ssh'`;

let upstream: Server;
let port: number;
let sshd: Sshd;
let stack: Stack;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hoop-run-'));
  upstream = createServer((_request, response) => response.end('hello\n')).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  ({ port } = upstream.address() as AddressInfo);
  sshd = await startSshd();
  stack = await startStack({
    policy: POLICY,
    sql: ATTACK_FIXTURE,
    columns: ATTACK_COLUMNS,
    resources:
      () => `  billing: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {} }
  api: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {} }
  host-1:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ['${sshd.publicKey('host')}'] }
    credentials: { user: ${sshd.user}, key: { file: ${sshd.file('user')} } }`,
  });
});

afterAll(async () => {
  await stack?.stop();
  await sshd?.stop();
  upstream?.close();
  rmSync(directory, { recursive: true, force: true });
});

const shell = (script: string, ...options: string[]) =>
  stack.hoopctl(['run', ...options, '--', 'sh', '-c', script]);

async function resourcesOf(run: string): Promise<readonly string[]> {
  const { stdout } = await stack.hoopctl(['session', 'list', '--run', run, '--json']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).resource as string);
}

test('it finds all that it may reach, under the name of one run, and no session is opened that nobody asks for', async () => {
  const all = await shell(`${USE}; echo "$HOOP_RUN_ID"; echo "\${BILLING_URL-none}"; exit 5`);
  const lines = all.stdout.trim().split('\n');
  expect([all.exitCode, lines.slice(0, 3), lines[4]]).toEqual([5, ['***', 'hello', 'over ssh'], 'none']);
  expect((await resourcesOf(lines[3]!)).toSorted()).toEqual(['api', 'host-1', 'pg']);

  const one = await shell('curl -s "$API_URL/x"; echo "$HOOP_RUN_ID"', '--only', 'api,pg');
  const [said, run] = one.stdout.trim().split('\n');
  expect(said).toBe('hello');
  expect(await resourcesOf(run!)).toEqual(['api']);
});

test('a brief says what may be reached, what is masked and whom to ask; no secret is in it', async () => {
  const script = 'stat -c %a "$HOOP_BRIEF"; cat "$HOOP_BRIEF"; echo "$PGPASSWORD" >&2; echo "$API_URL" >&2';
  const { stdout, stderr } = await shell(script, '--read-only');
  const [mode, ...brief] = stdout.split('\n');
  expect(mode).toBe('600');
  const text = brief.join('\n');
  for (const part of [
    'You are `ci` at the gateway',
    'Your rights were limited when you were started: read-only.',
    '| `pg` | postgres | `PG_URL` `PGHOST`',
    '| `api` | http | `API_URL`',
    '## What you may do there',
    'Values may be masked in what you read from `pg`',
    '`billing`: a person must approve the connection first: `hoopctl connect billing --wait --reason WHY`',
  ])
    expect(text).toContain(part);
  const [password, url] = stderr.trim().split('\n');
  expect(password).toMatch(/^[\w-]{43}$/);
  expect(text).not.toContain(password);
  expect(text).not.toContain(new URL(url!).password);
});

/** Where a sandbox is made: by bubblewrap, and by unshare where PATH has no bwrap. */
const MAKERS = [
  ['bubblewrap', () => process.env['PATH'] ?? ''],
  ['unshare', () => withoutBubblewrap()],
] as const;

/** All programs of PATH but one. */
function withoutBubblewrap(): string {
  // A sandbox has a /tmp of its own.
  const path = mkdtempSync('/var/tmp/hoop-programs-');
  for (const from of (process.env['PATH'] ?? '')
    .split(':')
    .filter((one) => existsSync(one))
    .reverse())
    for (const name of readdirSync(from).filter((one) => one !== 'bwrap')) {
      rmSync(join(path, name), { force: true });
      symlinkSync(join(from, name), join(path, name));
    }
  return path;
}

// Node makes the folder of its cache where it is told to, also in the sandbox's own /tmp.
const sandboxed = (path: string, script: string) =>
  stack.hoopctl(['run', '--sandbox', '--', 'sh', '-c', script], { PATH: path, NODE_COMPILE_CACHE: '' });

describe.each(MAKERS)('--sandbox by %s', (_, pathOf) => {
  let path: string;
  beforeAll(() => {
    path = pathOf();
  });
  afterAll(() => {
    if (path.startsWith('/var/tmp/hoop-programs-')) rmSync(path, { recursive: true, force: true });
  });

  test('the tunnels work, and there is nothing else: no network, no login, no process or socket of others', async () => {
    const { stdout, stderr, exitCode } = await sandboxed(
      path,
      `${USE}
     curl -sS -m 5 http://127.0.0.1:${port}/ || echo "no way past the tunnel"
     curl -sS -m 5 ${stack.url}/healthz -k || echo "no gateway"
     ls "$HOOPCTL_CONFIG_DIR" 2>/dev/null || echo "no login"
     env | grep -E '^HOOPCTL_(TOKEN|SANDBOX)' || echo "no token"
     kill -0 ${process.pid} 2>/dev/null || echo "no process of others"
     ls /run /tmp; grep CapEff /proc/self/status; exit 5`,
    );
    // What stands around the working directory is there, and empty but for it.
    const around = process.cwd().split('/');
    expect(
      stdout
        .split('\n')
        .filter((line) => !/^(\/run:|\/tmp:|hoopctl-\w{6}|)$/.test(line) && !around.includes(line)),
      stderr,
    ).toEqual([
      '***',
      'hello',
      'over ssh',
      'no way past the tunnel',
      'no gateway',
      'no login',
      'no token',
      'no process of others',
      'CapEff:\t0000000000000000',
    ]);
    expect(exitCode).toBe(5);
  });

  test('signals reach the command, and its code is ours', async () => {
    const running = stack.start(
      [
        'run',
        '--sandbox',
        '--',
        'sh',
        '-c',
        'trap "echo told; exit 9" TERM; echo up; while :; do sleep 0.1; done',
      ],
      { PATH: path },
    );
    await running.until(/up/);
    running.child.kill('SIGTERM');
    const { exitCode, stdout } = await running.finished;
    expect([exitCode, stdout]).toEqual([9, 'up\ntold\n']);
    const killed = await sandboxed(path, 'kill -KILL $$');
    expect(killed.exitCode).toBe(137);
  });

  test('a link by which hoopctl was started, as npx makes one, may lie where the sandbox hides it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hoop-link-'));
    const link = join(directory, 'hoopctl.ts');
    symlinkSync(HOOPCTL_MAIN, link);
    const env = { ...stack.env(), PATH: path, NODE_COMPILE_CACHE: '' };
    const words = ['run', '--sandbox', '--', 'sh', '-c', `[ ! -e '${link}' ] && echo in`];
    const { stdout, stderr, exitCode } = await hoopctl(words, env, link);
    rmSync(directory, { recursive: true });
    expect({ stdout, exitCode }, stderr).toEqual({ stdout: 'in\n', exitCode: 0 });
  });

  test('D5: hoopctl killed on the spot takes the command in it along', async () => {
    const running = stack.start(
      ['run', '--sandbox', '--', 'sh', '-c', 'echo "up $NOTHING_ELSE"; exec sleep 4711.5'],
      {
        PATH: path,
      },
    );
    await running.until(/up/);
    const sleeps = () =>
      readdirSync('/proc').filter((pid) => {
        try {
          return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1') === 'sleep\x004711.5\0';
        } catch {
          return false;
        }
      });
    await eventually('it runs', sleeps, (found) => found.length === 1);
    running.child.kill('SIGKILL');
    await eventually('it has ended', sleeps, (found) => found.length === 0);
  });
});

test('--sandbox by unshare, for whoever is not root: the same user, without a capability, in directories of its own', () => {
  const where = (name: string) =>
    spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
  const programs = Object.fromEntries(UNSHARE_PROGRAMS.map((name) => [name, where(name)])) as UnsharePrograms;
  const kept = mkdtempSync(join(tmpdir(), "it's kept-"));
  const [uid, gid] = process.getuid?.() === 0 ? [65_534, 65_534] : [process.getuid!(), process.getgid!()];
  chmodSync(kept, 0o755);
  writeFileSync(join(kept, 'file'), 'there\n');
  const look =
    'id -u; grep -E "CapEff|NoNewPrivs" /proc/self/status; ls /tmp; cat file; ps -e | wc -l; ip -o link | wc -l; touch /tmp/x && exit 5';
  const [file = '', ...args] = unshareArguments(
    { command: ['sh', '-c', look], cwd: kept, hidden: ['/tmp'], kept: [kept], newSession: false },
    { programs, uid, gid, isDirectory: () => true },
  );
  const become =
    uid === process.getuid?.() ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
  const [program = '', ...words] = [...become, file, ...args];
  const { stdout, stderr, status } = spawnSync(program, words, { encoding: 'utf8' });
  rmSync(kept, { recursive: true });
  expect([status, stderr]).toEqual([5, '']);
  const [id, eff, noNew, left, text, processes, links] = stdout.split('\n');
  expect([id, eff, noNew, left, text]).toEqual([
    String(uid),
    'CapEff:\t0000000000000000',
    'NoNewPrivs:\t1',
    basename(kept),
    'there',
  ]);
  expect(Number(processes)).toBeLessThan(8);
  // Loopback, and devices that the kernel puts into every namespace, all of them down.
  expect(Number(links)).toBeGreaterThan(0);
});

test.each([
  [
    'there is none, and nothing else',
    undefined,
    'needs bubblewrap, and there is no bwrap in PATH; to do without it unshare, mount',
  ],
  ['it may not', 'echo "setting up uid map: Permission denied" >&2; exit 1', 'could make no sandbox here'],
  [
    'it makes none',
    'while [ "$1" != -- ]; do shift; done; shift; exec "$@"',
    'the sandbox is none: it has a network',
  ],
])(
  '--sandbox where bubblewrap is not what it should be, %s: the command is not started',
  async (_what, program, said) => {
    const path = mkdtempSync(join(directory, 'bin-'));
    if (program !== undefined) {
      writeFileSync(join(path, 'bwrap'), `#!/bin/sh\n${program}\n`);
      chmodSync(join(path, 'bwrap'), 0o755);
    }
    const { exitCode, stdout, stderr } = await stack.hoopctl(
      ['run', '--sandbox', '--', '/bin/echo', 'started'],
      { PATH: path },
    );
    expect([exitCode, stdout]).toEqual([78, '']);
    expect(stderr).toContain(said);
  },
);
