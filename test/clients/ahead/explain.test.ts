/** What policy would say, asked with the real command line: of statements, requests and commands, of which none runs. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../../src/api/explanation.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED, type Stack, startStack } from '../../support/stack.ts';

const POLICY = `${GUARDED}
@id("ask") @approval("dba") @reason("shapes are reviewed") forbid (principal, action in Action::"sql.ddl", resource)
unless { context.approvals.contains("dba") };
@id("ddl") permit (principal, action in Action::"sql.ddl", resource);
@id("read") permit (principal, action in [Action::"http.get", Action::"http.delete"], resource);
@id("run") permit (principal, action == Action::"ssh.exec", resource);
@id("call") permit (principal, action == Action::"mcp.call", resource);
@id("no-purge") @hint("ask a person") forbid (principal, action == Action::"mcp.call", resource is McpTool)
when { resource.name == "purge" };
@id("never") @reason("orders are kept") @hint("cancel it: POST /orders/42/cancel")
forbid (principal, action == Action::"http.delete", resource);`;

let upstream: Server;
let asked = 0;
let sshd: Sshd;
let stack: Stack;

beforeAll(async () => {
  upstream = createServer((_request, response) => {
    asked++;
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  sshd = await startSshd();
  const resources =
    () => `  api: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {}, api: { mcp: [/mcp] } }
  host:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ['${sshd.publicKey('host')}'] }
    credentials: { user: ${sshd.user}, certificate: { ca: { file: ${sshd.file('user-ca')} } } }`;
  stack = await startStack({ policy: POLICY, sql: ATTACK_FIXTURE, columns: ATTACK_COLUMNS, resources });
});

afterAll(async () => {
  await stack?.stop();
  await sshd?.stop();
  upstream?.close();
});

async function explained(resource: string, ...how: string[]): Promise<[number | null, Explanation]> {
  const { stdout, stderr, exitCode } = await stack.hoopctl(['policy', 'explain', resource, ...how, '--json']);
  if (stdout === '') throw new Error(stderr);
  return [exitCode, JSON.parse(stdout) as Explanation];
}

describe('a statement', () => {
  it('that would run: every pair with the rules that permit it, and what is masked', async () => {
    const [exitCode, explanation] = await explained('pg', '-c', 'SELECT id, email FROM customers');
    expect(exitCode).toBe(0);
    expect(explanation).toEqual({
      schemaVersion: 1,
      effect: 'allow',
      pairs: [{ action: 'sql.select', object: 'pg/public.customers', effect: 'allow', rules: ['use'] }],
      rules: [{ id: 'use' }, { id: 'pii-is-masked' }],
      masked: ['pg/public.customers.email', 'pg/public.customers.ssn', 'pg/detected'],
      maskedBy: {
        'pg/public.customers.email': ['pii-is-masked'],
        'pg/public.customers.ssn': ['pii-is-masked'],
        'pg/detected': ['pii-is-masked'],
      },
      columns: [
        { name: 'id', from: ['pg/public.customers.id'] },
        { name: 'email', from: ['pg/public.customers.email'], mask: 'redact' },
      ],
      policyVersion: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  it('column by column: where each comes from, on whatever way, and how it would be masked', async () => {
    const sql = `WITH c AS (SELECT id AS key, email AS who FROM customers)
      SELECT c.who, u.w, key + o.id AS sum, count(*) OVER () AS n, 'x' AS word
      FROM c JOIN orders o ON o.customer_id = c.key, (SELECT who AS w FROM c UNION ALL SELECT 'none') u`;
    const [exitCode, { columns }] = await explained('pg', '-c', sql);
    expect([exitCode, columns]).toEqual([
      0,
      [
        { name: 'who', from: ['pg/public.customers.email'], mask: 'redact' },
        { name: 'w', from: ['pg/public.customers.email'], mask: 'redact' },
        { name: 'sum', from: ['pg/public.customers.id', 'pg/public.orders.id'], computed: true },
        { name: 'n', from: [] },
        { name: 'word', from: [] },
      ],
    ]);
  });

  it('that would change rows: within which bound; and none is changed', async () => {
    const how = ['-c', 'DELETE FROM orders WHERE id = $1', '--param', '1'];
    const [exitCode, { effect, rows }] = await explained('pg', ...how);
    expect([exitCode, effect, rows]).toEqual([0, 'allow', 1]);
    expect(await stack.postgres.psql('select count(*) from orders')).toBe('2');
  });

  it('that would need people: whom, and nobody is asked', async () => {
    const [exitCode, { effect, approvals, pairs, told }] = await explained(
      'pg',
      '-c',
      'CREATE TABLE fresh (id int)',
    );
    expect([exitCode, effect, approvals]).toEqual([75, 'hold', ['dba']]);
    expect(pairs).toContainEqual(expect.objectContaining({ effect: 'hold', rules: ['ask'] }));
    expect(told).toMatchObject({ rule: 'ask', reason: 'shapes are reviewed' });
    const { stdout } = await stack.hoopctl(['approval', 'list', '--status', 'all', '--json']);
    expect(stdout).toBe('');
    expect(await stack.postgres.psql("select to_regclass('fresh') is null")).toBe('t');
  });

  it.each([
    ['no rule permits', 'SELECT pg_sleep(1)', 'default-deny'],
    ['policy is not even asked about', "SELECT upper(ssn) || '' FROM customers", 'masked-column-flow'],
  ])('that %s: what its client would be told', async (_what, sql, rule) => {
    const [exitCode, { effect, told }] = await explained('pg', '-c', sql);
    expect([exitCode, effect, told?.rule]).toEqual([77, 'deny', rule]);
  });

  it('that is many: all of it, to a bound', async () => {
    const tables = Array.from({ length: 40 }, (_one, at) => `CREATE TABLE t${at} (id int)`);
    const [, { pairs, more = 0 }] = await explained('pg', '-c', tables.join(';'));
    expect(pairs.length).toBeLessThanOrEqual(64);
    expect(pairs.length + more).toBeGreaterThanOrEqual(40);
  });
});

it('a request: by which rule it is denied, and what to do instead; the API hears nothing', async () => {
  const before = asked;
  expect(await explained('api', '-c', 'GET /orders')).toMatchObject([0, { effect: 'allow' }]);
  const [exitCode, { told }] = await explained('api', '-c', 'DELETE /orders/42');
  expect([exitCode, told?.rule, told?.hint]).toEqual([77, 'never', 'cancel it: POST /orders/42/cancel']);
  expect(asked).toBe(before);
});

it('a message of JSON-RPC: what would be made of the call that it is; the server hears nothing', async () => {
  const before = asked;
  const post = 'POST /mcp\ncontent-type: application/json\n\n';
  const call = (name: string) =>
    JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name, arguments: {} } });
  const [allowed, { effect, pairs }] = await explained('api', '-c', post + call('lookup'));
  expect([allowed, effect, pairs.map(({ action }) => action)]).toEqual([0, 'allow', ['mcp.call']]);
  const [denied, { told }] = await explained('api', '-c', post + call('purge'));
  expect([denied, told?.rule, told?.hint]).toEqual([77, 'no-purge', 'ask a person']);
  const [unread, said] = await explained('api', '-c', `${post}{"jsonrpc":"2.0","id":7}`);
  expect([unread, said.told?.rule]).toEqual([77, 'rpc-message']);
  const both = `[${call('lookup')},${call('purge').replace('7', '8')}]`;
  const list = await stack.hoopctl(['policy', 'explain', 'api', '-c', post + both]);
  expect(list).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('one by one') });
  expect(asked).toBe(before);
});

it('a command: that it would run, and it does not', async () => {
  const file = `/tmp/explained-${process.pid}`;
  expect(await explained('host', '-c', `touch ${file}`)).toMatchObject([0, { effect: 'allow' }]);
  const { stdout } = await stack.hoopctl(['ssh', 'host', '--', `ls ${file} 2>&1; true`]);
  expect(stdout).toMatch(/No such file/);
});

it('is said to people in words', async () => {
  const { stdout, exitCode } = await stack.hoopctl(['policy', 'explain', 'api', '-c', 'DELETE /orders/42']);
  expect(exitCode).toBe(77);
  expect(stdout).toMatch(
    /^it would be denied, by policy [0-9a-f]{16}\n.*\nwhat its client can do: cancel it.*\n\nit would:\n {2}EFFECT +ACTION +OBJECT +BY\n {2}deny +http\.delete +api\/.* +never\n\nbecause:\n {2}never: orders are kept\n$/,
  );
});

it('is on record, as what did not run', async () => {
  const { stdout } = await stack.hoopctl(
    ['audit', 'search', '--type', 'operation.decided', '--action', 'http.delete', '--json'],
    await stack.person('otto'),
  );
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events.length).toBeGreaterThan(0);
  for (const event of events)
    expect(event).toMatchObject({ decision: 'explained', facts: { would: 'deny', rule: 'never' } });
});

it.each([
  [['policy', 'explain', 'pg'], 'which operation'],
  [['policy', 'explain', 'pg', '-c', 'SELECT 1', '-f', 'x'], 'exclude each other'],
  [['policy', 'explain', 'pg', '-c', ' '], 'nothing in it'],
])('is not asked without one operation: %j', async (args, words) => {
  expect(await stack.hoopctl(args)).toMatchObject({ exitCode: 64, stderr: expect.stringContaining(words) });
});

describe('cases in a file', () => {
  const file = () => join(stack.directory, 'policy-tests.yaml');
  const GOOD = `tests:
  - name: an agent reads customers, and their e-mails are masked
    resource: pg
    command: SELECT id, email FROM customers
    expect: allow
    masked: [pg/public.customers.email]
    shown: [pg/public.customers.name]
  - { resource: pg, command: DELETE FROM orders WHERE id = $1, params: ['1'], expect: allow, rows: 1, rule: write }
  - { resource: pg, command: CREATE TABLE fresh (id int), expect: hold, approvals: [dba] }
  - { resource: api, command: DELETE /orders/42, expect: deny, rule: never }
  - { resource: host, command: uptime, expect: allow }
  - { resource: nowhere, command: SELECT 1, expect: deny }
`;

  it('that all are as policy says: 0, with a report', async () => {
    writeFileSync(file(), GOOD);
    const junit = join(stack.directory, 'report.xml');
    const { stdout, stderr, exitCode } = await stack.hoopctl(['policy', 'test', file(), '--junit', junit]);
    expect(stdout, stderr).toMatch(
      /^ok {6}an agent reads customers, and their e-mails are masked \(\d+ ms\)\n/,
    );
    expect(stdout).toMatch(/\n6 of 6 as expected\n$/);
    expect(exitCode).toBe(0);
    expect(readFileSync(junit, 'utf8')).toContain('<testsuites tests="6" failures="0" errors="0"');
  });

  it('of which some are not: 76, and in how far', async () => {
    writeFileSync(
      file(),
      GOOD.replace('rule: never', 'rule: nobody').replace('expect: hold', 'expect: deny'),
    );
    const { stdout, exitCode } = await stack.hoopctl(['policy', 'test', file(), '--json']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { passed: boolean; failures: string[] });
    expect(exitCode).toBe(76);
    expect(lines.map(({ passed }) => passed)).toEqual([true, true, false, false, true, true]);
    expect(lines[2]!.failures[0]).toMatch(/^expected deny, got hold: /);
    expect(lines[3]!.failures).toEqual(['rule nobody did not decide, but never']);
  });

  it('that cannot be read: 78, by line', async () => {
    writeFileSync(file(), 'tests:\n  - resource: pg\n    comand: SELECT 1\n    expect: allow\n');
    const { stderr, exitCode } = await stack.hoopctl(['policy', 'test', file()]);
    expect([exitCode, stderr]).toEqual([
      78,
      expect.stringContaining('policy-tests.yaml:3:5: tests.0.comand'),
    ]);
  });
});
