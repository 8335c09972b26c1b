/** What other policies would have decided of what was really asked: with the real command line, of a real gateway's audit. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PolicyReplayReport } from '../../../src/api/policy-replay.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED, type Stack, startStack } from '../../support/stack.ts';

const POLICY = `${GUARDED}
@id("api") permit (principal, action in Action::"http", resource);
@id("ask") @approval("dba") forbid (principal, action in Action::"sql.ddl", resource)
unless { context.approvals.contains("dba") };
@id("ddl") permit (principal, action in Action::"sql.ddl", resource);`;

let upstream: Server;
let stack: Stack;
let otto: Record<string, string>;

beforeAll(async () => {
  upstream = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  const resources = () =>
    `  api: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {} }`;
  stack = await startStack({ policy: POLICY, sql: ATTACK_FIXTURE, columns: ATTACK_COLUMNS, resources });
  otto = await stack.person('otto');
  await stack.psql(
    'SELECT id FROM customers',
    'SELECT id FROM customers',
    'SELECT id FROM orders',
    'UPDATE orders SET status = status WHERE id = 1',
    "SELECT upper(ssn) || '' FROM customers",
    'SELECT pg_sleep(0)',
  );
  const api = await stack.tunnelTo('api');
  const asked = { headers: { authorization: `Bearer ${api.token}` } };
  await fetch(`http://${api.host}:${api.port}/orders?page=2`, asked).then((answer) => answer.text());
  await api.close();
});

afterAll(async () => {
  await stack?.stop();
  upstream?.close();
});

function policyFile(name: string, text: string): string {
  const dir = join(stack.directory, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'all.cedar'), text);
  return dir;
}

async function replay(name: string, policy: string, ...options: string[]) {
  const args = ['policy', 'replay', policyFile(name, policy), '--since', '1h', '--json', ...options];
  const { stdout, stderr, exitCode } = await stack.hoopctl(args, otto);
  const report = stdout === '' ? undefined : (JSON.parse(stdout) as PolicyReplayReport);
  return { report, stderr, exitCode };
}

describe('policy replay', () => {
  it('the same policies would decide the same of all that was asked of them', async () => {
    const { report, exitCode, stderr } = await replay('same', POLICY);
    expect([exitCode, report?.changed, report?.notReplayable, stderr]).toEqual([0, 0, [], '']);
    // Masked data where a function was to see it: refused, whatever policy says.
    expect(report?.refused).toBe(1);
    expect(report?.verdicts).toContainEqual({ was: 'deny', now: 'deny', count: 1 });
    const { events, same, refused } = report!;
    expect(same + refused).toBe(events);
    expect(report?.rules).toContainEqual({ rule: 'write', decided: 1, changed: 0 });
  });

  it('others would not: which decisions, by which rules, of whom', async () => {
    const stricter = `${POLICY}
      @id("customers-are-closed") @reason("no customers today")
      forbid (principal, action == Action::"sql.select", resource == Table::"pg/public.customers");`;
    const { report, exitCode } = await replay('stricter', stricter);
    expect(exitCode).toBe(76);
    expect(report?.changed).toBe(2);
    expect(report?.verdicts).toContainEqual({ was: 'allow', now: 'deny', count: 2 });
    expect(report?.rules[0]).toEqual({ rule: 'customers-are-closed', decided: 2, changed: 2 });
    expect(report?.differences).toEqual([
      {
        was: 'allow',
        now: 'deny',
        count: 2,
        events: [expect.stringMatching(/^evt_/), expect.stringMatching(/^evt_/)],
        at: expect.any(String),
        actor: expect.any(String),
        resource: 'pg',
        actions: ['sql.select'],
        objects: ['pg/public.customers'],
        text: 'SELECT id FROM customers',
        rulesWere: ['use'],
        rules: ['customers-are-closed'],
        reason: expect.stringContaining('no customers today'),
      },
    ]);
    const [event = ''] = report?.differences[0]?.events ?? [];
    const shown = await stack.hoopctl(['audit', 'show', event, '--json'], otto);
    expect(JSON.parse(shown.stdout)).toMatchObject({ id: event, objects: ['pg/public.customers'] });
  });

  it('filters are those of audit search', async () => {
    const { report } = await replay('none', '', '--object', 'public.orders', '--action', 'sql.select');
    expect([report?.events, report?.changed]).toEqual([1, 1]);
    expect(report?.differences[0]).toMatchObject({ rules: [], objects: ['pg/public.orders'] });
  });

  it('what no record holds is counted with its reason, and never guessed', async () => {
    const byQuery = `${POLICY}
      @id("first-page") forbid (principal, action in Action::"http", resource) when { context.query.contains("page=2") };`;
    const { report } = await replay('query', byQuery, '--resource', 'api');
    expect(report?.notReplayable).toEqual([{ reason: 'fact-not-recorded', what: 'query', count: 1 }]);
    expect(report?.changed).toBe(0);
  });

  it('for people: the same in words', async () => {
    const args = ['policy', 'replay', policyFile('words', ''), '--since', '1h', '--resource', 'pg'];
    const { stdout, exitCode } = await stack.hoopctl(args, otto);
    expect(exitCode).toBe(76);
    expect(stdout).toMatch(
      /as they were decided, \d+ otherwise, 1 refused under any policy, 0 not replayable/,
    );
    expect(stdout).toMatch(/2 × allow → deny: .* on pg, last /);
  });

  it('policies with a mistake are tried on nothing: where it stands, exit code 78', async () => {
    const { exitCode, stderr, report } = await replay(
      'broken',
      '@id("x") permit (principal, action, resorce);',
    );
    expect([exitCode, report]).toEqual([78, undefined]);
    expect(stderr).toMatch(/broken\/all\.cedar:1:\d+: /);
  });

  it('is for persons who may search in all of the audit, and is on record', async () => {
    const agent = await stack.hoopctl(['policy', 'replay', policyFile('agent', POLICY)]);
    expect([agent.exitCode, agent.stderr]).toEqual([77, expect.stringContaining('an agent may not')]);
    const found = await stack.hoopctl(['audit', 'search', '--type', 'policy.replayed', '--json'], otto);
    const events = found.stdout.trim().split('\n');
    expect(events.length).toBeGreaterThan(4);
    expect(events.some((line) => line.includes('"object":"public.orders"'))).toBe(true);
  });

  it('without the permit there is none for a person either', async () => {
    await stack.reload(POLICY.replace('Action::"audit.search", ', ''));
    const { exitCode, stderr } = await replay('closed', POLICY);
    await stack.reload(POLICY);
    expect([exitCode, stderr]).toEqual([77, expect.stringContaining('audit.search')]);
  });
});
