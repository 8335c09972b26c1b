import { afterAll, beforeAll, expect, test } from 'vitest';
import { line, query, type RawClient, rawLogin } from '../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { eventually } from '../support/waiting.ts';

let stack: Stack;
let tunnel: Tunnel;

beforeAll(async () => {
  stack = await startStack({
    sql: 'CREATE TABLE t (id int); GRANT ALL ON t TO hoop;',
    resource: 'session: { max: 4s }',
  });
  tunnel = await stack.tunnel();
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

async function ended(
  client: RawClient,
  startedAt: number,
): Promise<{ last: string; text: string; ms: number }> {
  const messages = await client.until('ErrorResponse');
  const ms = performance.now() - startedAt;
  const error = messages.at(-1);
  const text =
    error?.name === 'ErrorResponse' ? String(error.fields.find(([code]) => code === 'M')?.[1] ?? '') : '';
  expect(await client.next()).toBeUndefined();
  return { last: error === undefined ? '' : line(error), text, ms };
}

test('the longest time of a session ends it in the middle of a query, to the second, and says why', async () => {
  const startedAt = performance.now();
  const client = await rawLogin(tunnel);
  client.send(query('select pg_sleep(63)'));
  const { last, text, ms } = await ended(client, startedAt);
  expect([last, text]).toEqual([
    'ErrorResponse 57P01',
    'the session reached the longest time this resource allows',
  ]);
  expect(ms).toBeGreaterThan(3000);
  expect(ms).toBeLessThan(6000);
  const running =
    "select count(*) from pg_stat_activity where query like '%pg_sleep(63)' and state = 'active'";
  await eventually(
    'the statement is cancelled',
    () => stack.postgres.psql(running),
    (count) => count === '0',
    { withinMs: 5000 },
  );
});

test('so it does where the target reads nothing: a COPY behind a lock', async () => {
  const startedAt = performance.now();
  const client = await rawLogin(tunnel);
  // The lock is not the gateway's: its sessions end with the time they have.
  const locked = stack.postgres.psql(
    'begin; lock table t in access exclusive mode; select pg_sleep(7); rollback',
  );
  const held =
    "select count(*) from pg_locks where relation = 't'::regclass and mode = 'AccessExclusiveLock' and granted";
  await eventually(
    'the table is locked',
    () => stack.postgres.psql(held),
    (count) => count === '1',
  );
  client.send(query('copy t from stdin'));
  const { last, ms } = await ended(client, startedAt);
  expect(last).toBe('ErrorResponse 57P01');
  expect(ms).toBeLessThan(6500);
  await locked;
});
