/** A job of hours in a minute: hoopd's tokens last ten seconds, and are renewed under connections that live on. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { query, type RawClient, rawLogin } from '../../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';
import { eventually, timePasses } from '../../support/waiting.ts';

const POLICY = `
@id("developers") permit (principal in Group::"developers", action, resource);
@id("jobs") permit (principal in Group::"ai-agents", action, resource);`;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ policy: POLICY, yaml: 'tokens: { lifetime: 10s }' });
});
afterAll(() => stack?.stop());

/** Renewals on record of whoever has this kind. */
function renewals(kind: 'person' | 'agent'): number {
  const audit = join(stack.directory, 'state', 'audit');
  const files = readdirSync(audit, { recursive: true }).map((name) => join(audit, String(name)));
  return files
    .filter((name) => name.endsWith('.ndjson'))
    .flatMap((name) => readFileSync(name, 'utf8').split('\n'))
    .filter((line) => line.includes('"credential.renewed"') && line.includes(`"kind":"${kind}"`)).length;
}

const BACKEND = query('select pg_backend_pid()');

/** Asks twice a second until there have been so many more renewals, and holds that it is the same connection. */
async function throughRenewals(client: RawClient, kind: 'person' | 'agent', count: number): Promise<void> {
  const before = renewals(kind);
  const [, backend] = await client.ask(BACKEND);
  const end = Date.now() + 45_000;
  while (renewals(kind) < before + count) {
    if (Date.now() > end) throw new Error(`only ${renewals(kind) - before} renewals`);
    expect((await client.ask(BACKEND))[1]).toBe(backend);
    await timePasses(500, 'the session is asked twice a second');
  }
}

async function another(tunnel: Tunnel): Promise<void> {
  const client = await rawLogin(tunnel);
  expect(await client.ask(query('select 1'))).toContain('DataRow 1');
  client.close();
}

test('D3: a job whose own token has long ended: its connection goes on, and new ones open', async () => {
  const exp = Math.floor(Date.now() / 1000) + 12;
  const tunnel = await stack.tunnel([], stack.env({ exp }));
  const client = await rawLogin(tunnel);
  await throughRenewals(client, 'agent', 4);
  expect(Date.now() / 1000).toBeGreaterThan(exp);
  await another(tunnel);
  expect(tunnel.running.stderr).not.toMatch(/renew|expired/i);
  client.close();
  await tunnel.close();
}, 60_000);

test('D3: a person: goes on while the provider says so; a group that was removed is felt by live connections', async () => {
  const tunnel = await stack.tunnel([], await stack.person('ada'));
  const client = await rawLogin(tunnel);
  await throughRenewals(client, 'person', 2);
  await another(tunnel);
  stack.people.setUser('ada', { email: 'ada@example.com', groups: ['visitors'] });
  const removedAt = Date.now();
  const answer = await eventually(
    'the session is refused',
    () => client.ask(BACKEND),
    (lines) => lines.some((line) => line.startsWith('ErrorResponse')),
    { withinMs: 15_000, everyMs: 250 },
  );
  expect(answer).toEqual(['ErrorResponse 42501', 'ReadyForQuery I']);
  expect(Date.now() - removedAt).toBeLessThan(10_000);
  // The group comes back: so do the rights, on the same connection.
  stack.people.setUser('ada', { email: 'ada@example.com', groups: ['developers'] });
  await eventually(
    'the rights are back',
    () => client.ask(BACKEND),
    (lines) => lines.length >= 4,
    { withinMs: 15_000, everyMs: 250 },
  );
  expect(await client.ask(BACKEND)).toContain('ReadyForQuery I');
  expect((await client.ask(query('select 1'))).at(-2)).toBe('CommandComplete SELECT 1');
  client.close();
  await tunnel.close();
}, 90_000);

test('D3: a person who is disabled: 67 with the cure, and nothing outlives the grace', async () => {
  const tunnel = await stack.tunnel([], await stack.person('ada'));
  const client = await rawLogin(tunnel);
  await client.ask(BACKEND);
  stack.people.setUser('ada', undefined);
  const { exitCode, stderr } = await tunnel.running.finished;
  expect(exitCode).toBe(67);
  expect(stderr).toContain('hoopctl login');
  expect(await client.next()).toBeUndefined();
  await expect(rawLogin(tunnel)).rejects.toThrow();
  stack.people.setUser('ada', { email: 'ada@example.com', groups: ['developers'] });
}, 60_000);
