/** Ready-made policies, tried by their own cases against a real gateway before the demo's shop. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKS } from '../../../src/cli/policy/packs/index.ts';
import { makeShop } from '../../../src/demo/shop.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';

const TAGS = {
  'public.customers.email': ['pii.email'],
  'public.customers.phone': ['pii.phone'],
  'public.customers.ssn': ['pii.national-id'],
  'public.payments.card': ['pii.card'],
};

let upstream: Server;
let stack: Stack;

beforeAll(async () => {
  upstream = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  stack = await startStack({
    sql: `${makeShop().statements.join(';\n')};\nGRANT ALL ON ALL TABLES IN SCHEMA public TO hoop;`,
    resources: (postgres) => `  pg-demo:
    protocol: postgres
    target: { host: ${postgres.host}, port: ${postgres.port}, database: shop, tls: verify-full, caFile: ${postgres.caFile} }
    credentials: { user: hoop, password: { file: ./pg.password } }
    classification: { columns: ${JSON.stringify(TAGS)} }
  api-demo: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {} }`,
  });
});

afterAll(async () => {
  await stack?.stop();
  upstream?.close();
});

const policiesOf = (name: string | undefined) => PACKS.find((one) => one.name === name)?.policies ?? '';

describe('the packs', () => {
  it.each(PACKS.map((pack) => [pack.name, pack] as const))(
    '%s does what its cases say',
    async (name, pack) => {
      // A pack says "migrations" where the job at hand is in "ai-agents": as its users do, the name is replaced.
      const policy = policiesOf(pack.over) + pack.policies;
      await stack.reload(policy.replaceAll('Group::"migrations"', 'Group::"ai-agents"'));
      const file = join(stack.directory, `${name}.tests.yaml`);
      writeFileSync(file, pack.cases);
      const { stdout, exitCode } = await stack.hoopctl(['policy', 'test', file]);
      expect(stdout).not.toContain('FAILED');
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/\n(\d+) of \1 as expected\n$/);
    },
  );

  it('are written with their cases, and over nothing', async () => {
    const dir = join(stack.directory, 'written');
    const first = await stack.hoopctl(['policy', 'pack', 'pii', '--write', dir]);
    expect(first.stdout).toBe(`${join(dir, 'pii.cedar')}\n${join(dir, 'pii.tests.yaml')}\n`);
    expect(readFileSync(join(dir, 'pii.cedar'), 'utf8')).toBe(policiesOf('pii'));
    writeFileSync(join(dir, 'pii.cedar'), '// mine');
    const again = await stack.hoopctl(['policy', 'pack', 'pii', '--write', dir]);
    expect([again.exitCode, again.stderr]).toEqual([
      64,
      expect.stringContaining('exists, and is not written over'),
    ]);
    expect(readFileSync(join(dir, 'pii.cedar'), 'utf8')).toBe('// mine');
  });

  it('are listed and printed without a gateway', async () => {
    const nowhere = { HOOPCTL_GATEWAY: '', HOOPCTL_TOKEN: '' };
    const { stdout } = await stack.hoopctl(['policy', 'pack', '--json'], nowhere);
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).name);
    expect(names).toEqual(PACKS.map(({ name }) => name));
    const shown = await stack.hoopctl(['policy', 'pack', 'pci', '--tests'], nowhere);
    expect(shown.stdout).toBe(PACKS.find(({ name }) => name === 'pci')?.cases);
    expect(await stack.hoopctl(['policy', 'pack', 'pc'], nowhere)).toMatchObject({ exitCode: 64 });
  });
});

describe('a set of policies with an error', () => {
  const good = policiesOf('read-only-agent');
  let tunnel: Tunnel;
  let open: pg.Client;

  beforeAll(async () => {
    await stack.reload(good);
    tunnel = await stack.tunnelTo('pg-demo');
    open = await connected(tunnel);
  });

  afterAll(async () => {
    await open?.end();
    await tunnel?.close();
  });

  it.each([
    ['that is no Cedar', '@id("x") permit (principal, action, resource'],
    ['that names what there is not', '@id("x") permit (principal, action == Action::"sql.slect", resource);'],
    [
      'that asks for what it may not have',
      '@id("x") permit (principal, action, resource) when { resource.tagz == "a" };',
    ],
    ['that can never apply', '@id("x") permit (principal, action == Action::"sql.write", resource);'],
    ['without a name', 'permit (principal, action, resource);'],
    ['under a name that is taken', `@id("read-only-agent/look") permit (principal, action, resource);`],
    ['with an obligation that is none', '@id("x") @rows("many") permit (principal, action, resource);'],
  ])('%s is never in force: the old one stays, for what is open and for what comes', async (_what, bad) => {
    const before = stack.hoopd.log.length;
    writeFileSync(join(stack.directory, 'policies', 'test.cedar'), `${good}\n${bad}`);
    stack.hoopd.child.kill('SIGHUP');
    await stack.hoopd.until(/the old configuration stays in force/, before);
    expect(stack.hoopd.log.slice(before)).toMatch(/policies\/test\.cedar:\d+:\d+: /);
    for (const how of ['open', 'new']) {
      const client = how === 'open' ? open : await connected(tunnel);
      expect((await client.query('SELECT id FROM orders WHERE id = 1')).rows).toEqual([{ id: 1 }]);
      await expect(client.query('DELETE FROM orders')).rejects.toMatchObject({ code: '42501' });
      if (how === 'new') await client.end();
    }
  });
});

async function connected({ host, port, user, password, database }: Tunnel): Promise<pg.Client> {
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  return client;
}
