/** Runs: what an agent does at one go, over several protocols and processes, is found, listed and ended as one. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningHoopctl } from '../../support/run-hoopctl.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `
@id("all") permit (principal, action, resource);
@id("auditors-end") forbid (principal is Person, action in [Action::"session.kill", Action::"session.list", Action::"audit.search"], resource)
unless { principal in Group::"auditors" };`;

const SLEEPS = ['psql', '-Xqw', '-c', 'SELECT pg_sleep(60)'];

let upstream: Server;
let sshd: Sshd;
let stack: Stack;
let ada: Record<string, string>;
let otto: Record<string, string>;
const started: RunningHoopctl[] = [];

beforeAll(async () => {
  upstream = createServer((_request, response) => response.write('one line\n')).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  sshd = await startSshd();
  stack = await startStack({
    policy: POLICY,
    resources: () => `  api: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {} }
  host:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ['${sshd.publicKey('host')}'] }
    credentials: { user: ${sshd.user}, key: { file: ${sshd.file('user')} } }`,
  });
  [ada, otto] = await Promise.all([stack.person('ada', ['--agent', 'copilot']), stack.person('otto')]);
});

afterAll(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await stack?.stop();
  await sshd?.stop();
  upstream?.closeAllConnections();
  upstream?.close();
});

/** Stays until it is ended. */
function begin(env: Readonly<Record<string, string>>, args: readonly string[]): RunningHoopctl {
  const running = stack.start(args, env);
  started.push(running);
  return running;
}

interface Item {
  readonly id: string;
  readonly resource: string;
  readonly actor: string;
  readonly runs?: readonly string[];
}

async function live(...filters: string[]): Promise<readonly Item[]> {
  const { stdout } = await stack.hoopctl(['session', 'list', '--live', '--json', ...filters], otto);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Item);
}

const sessions = (count: number, ...filters: string[]) =>
  eventually(
    `${count} sessions of ${filters.join(' ')}`,
    () => live(...filters),
    (all) => all.length === count,
  );

/** How long after the order all of them had ended, ms. */
async function endedAfter(
  running: readonly RunningHoopctl[],
  order: () => Promise<unknown>,
): Promise<number> {
  let sent = 0;
  const all = Promise.all(running.map(({ finished }) => finished)).then(() => performance.now());
  const gone = order().then((value) => {
    sent = performance.now();
    return value;
  });
  await gone;
  return Math.max(0, (await all) - sent);
}

test('a run over three protocols and three processes: listed, searched and ended as one, and kept out', async () => {
  const run = { ...ada, HOOP_RUN_ID: 'nightly-42' };
  const mine = [
    begin(run, ['connect', 'pg', '--', ...SLEEPS]),
    begin(run, ['connect', 'api', '--', 'sh', '-c', 'curl -sN "$API_URL/events"']),
    begin(run, ['ssh', 'host', '--', 'sleep', '60']),
  ];
  const other = begin({ ...ada, HOOP_RUN_ID: 'nightly-43' }, ['connect', 'pg', '--', ...SLEEPS]);
  // Another identity that gives its run the same name is another run to whoever may end only their own.
  const stranger = begin({ HOOP_RUN_ID: 'nightly-42' }, ['connect', 'pg', '--', ...SLEEPS]);
  await sessions(4, '--run', 'nightly-42');
  await sessions(1, '--run', 'nightly-43');
  const own = (await live('--run', 'nightly-42')).filter(({ actor }) => actor === 'copilot');
  expect(own.map(({ resource }) => resource).sort()).toEqual(['api', 'host', 'pg']);

  const ms = await endedAfter(mine, async () => {
    const { stdout, stderr } = await stack.hoopctl(['session', 'kill', '--run', 'nightly-42'], ada);
    expect(stdout, stderr).toBe('revoked; sessions ended: 3\n');
  });
  expect(ms).toBeLessThan(1000);
  expect((await live('--run', 'nightly-42')).map(({ actor }) => actor)).toEqual(['ci']);
  await sessions(1, '--run', 'nightly-43');

  const again = await stack.hoopctl(['connect', 'pg', '--', 'true'], run);
  expect([again.exitCode, again.stderr]).toEqual([67, expect.stringContaining('revoked')]);
  expect((await stack.hoopctl(['connect', 'pg', '--', 'true'], ada)).exitCode).toBe(0);

  const found = await stack.hoopctl(
    ['audit', 'search', '--run', 'nightly-42', '--json', '--limit', '1000'],
    otto,
  );
  const events = found.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const started = events.filter(({ type }) => type === 'session.started');
  expect(started.map(({ resource }) => resource).sort()).toEqual(['api', 'host', 'pg', 'pg']);
  expect(events.every(({ actor }) => actor.declared.run === 'nightly-42')).toBe(true);
  expect(events.some(({ type, text }) => type === 'operation.decided' && /sleep/.test(text ?? ''))).toBe(
    true,
  );

  await endedAfter([stranger], () => stack.hoopctl(['session', 'kill', '--run', 'nightly-42'], otto));
  other.child.kill('SIGTERM');
  await other.finished;
});

test('what a command starts is of its run; a job is found by the name that its platform attests', async () => {
  const { issuer } = stack;
  const token = issuer.mint({ sub: 'job', repository: 'org/shop', run_id: '9876543210' });
  const script =
    'echo "$HOOP_RUN_ID"; psql -Xqw -c "SELECT 1" >/dev/null; hoopctl() { "$NODE" "$MAIN" "$@"; }; hoopctl whoami --json';
  const env = { HOOPCTL_TOKEN: token, NODE: process.execPath, MAIN: started[0]!.child.spawnargs[1]! };
  const { stdout, stderr } = await stack.hoopctl(['connect', 'pg', '--', 'sh', '-c', script], env);
  const [run, line] = stdout.trim().split('\n');
  expect(run, stderr).toMatch(/^run_[0-9A-Z]{26}$/);
  expect(JSON.parse(line!)).toMatchObject({ declared: { run }, attested: { runId: '9876543210' } });
  for (const name of [run!, '9876543210']) {
    const found = await stack.hoopctl(
      ['audit', 'search', '--run', name, '--type', 'operation.decided', '--json'],
      otto,
    );
    expect(found.stdout).toContain('"text":"SELECT 1"');
  }
  const foreign = await stack.hoopctl(['session', 'kill', '--run', '9876543210'], ada);
  expect([foreign.exitCode, foreign.stderr]).toEqual([
    77,
    expect.stringContaining('no such run, or no access to it'),
  ]);
});

test('by attested model, and by agent: all of it ends within a second, and comes back when it is let in', async () => {
  const job = (claims: object) => ({
    HOOPCTL_TOKEN: stack.issuer.mint({ sub: 'job', repository: 'org/shop', ...claims }),
  });
  const attested = begin(job({ agent_model: 'planner-2' }), ['connect', 'pg', '--', ...SLEEPS]);
  const shell = begin(job({ agent_model: 'planner-2' }), ['ssh', 'host', '--', 'sleep', '60']);
  const declared = begin(job({}), ['connect', 'pg', '--model', 'planner-2', '--', ...SLEEPS]);
  await sessions(3, '--agent', 'ci');
  const denied = await stack.hoopctl(['session', 'kill', '--model', 'planner-2'], ada);
  expect(denied.exitCode).toBe(77);
  const byModel = await endedAfter([attested, shell], async () => {
    const { stdout } = await stack.hoopctl(
      ['session', 'kill', '--model', 'planner-2', '--reason', 'astray'],
      otto,
    );
    expect(stdout).toBe('revoked; sessions ended: 2\n');
  });
  expect(byModel).toBeLessThan(1000);
  await sessions(1, '--agent', 'ci');
  const byAgent = await endedAfter([declared], () =>
    stack.hoopctl(['session', 'kill', '--agent', 'ci'], otto),
  );
  expect(byAgent).toBeLessThan(1000);
  expect((await stack.hoopctl(['whoami'])).exitCode).toBe(67);

  const { stdout } = await stack.hoopctl(['revocation', 'list', '--json'], otto);
  const kept = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const agent = kept.find(({ kind, value }) => kind === 'agent' && value === 'ci');
  expect(kept.map(({ kind, value }) => `${kind} ${value}`)).toContain('model planner-2');
  expect((await stack.hoopctl(['revocation', 'lift', agent.id], otto)).stdout).toBe('lifted\n');
  expect((await stack.hoopctl(['whoami'])).exitCode).toBe(0);
  expect((await stack.hoopctl(['revocation', 'list'], ada)).exitCode).toBe(77);
});
