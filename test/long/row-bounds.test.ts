import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query, type RawClient, rawLogin } from '../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../support/stack.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql.read", Action::"sql.transaction"], resource);
@id("ten-rows") @rows("10") permit (principal, action in Action::"sql.write", resource);
@id("show") permit (principal, action == Action::"reveal", resource);
`;

let stack: Stack;
let tunnel: Tunnel;

beforeAll(async () => {
  stack = await startStack({
    policy: POLICY,
    sql: `CREATE TABLE stock (id int PRIMARY KEY, qty int); INSERT INTO stock SELECT n, 0 FROM generate_series(1, 50) n;
      GRANT ALL ON stock TO hoop`,
  });
  tunnel = await stack.tunnel();
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

/** Lines of the audit's files that hold a text. */
function onRecord(text: string): string[] {
  const root = join(stack.directory, 'state', 'audit');
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const lines = files.flatMap((one) => readFileSync(join(one.parentPath, one.name), 'utf8').split('\n'));
  return lines.filter((line) => line.includes(text));
}

const changed = async () => (await stack.postgres.psql('SELECT count(*) FROM stock WHERE qty <> 0')).trim();

/** Waits until PostgreSQL has so many backends in a state. */
async function backends(where: string, count: number): Promise<void> {
  const sql = `SELECT count(*) FROM pg_stat_activity WHERE usename = 'hoop' AND ${where}`;
  await expect
    .poll(async () => (await stack.postgres.psql(sql)).trim(), { timeout: 15_000 })
    .toBe(`${count}`);
}

/** PostgreSQL has made the change and waits to be told whether to keep it; hoopd stands still. */
async function heldBeforeCommit(): Promise<RawClient> {
  const client = await rawLogin(tunnel);
  const locked = stack.postgres.psql('BEGIN; LOCK TABLE stock; SELECT pg_sleep(2); COMMIT');
  await expect
    .poll(() =>
      stack.postgres.psql("SELECT count(*) FROM pg_locks WHERE relation = 'stock'::regclass AND granted"),
    )
    .toContain('1');
  client.send(query('UPDATE stock SET qty = 1 WHERE id = 1'));
  await backends("wait_event_type = 'Lock'", 1);
  stack.hoopd.child.kill('SIGSTOP');
  await locked;
  await backends("wait_event = 'ClientRead' AND query LIKE 'UPDATE stock%' AND backend_xid IS NOT NULL", 1);
  return client;
}

describe('a bounded change between its count and its commit', () => {
  test('hoopd goes on: it is kept', async () => {
    const client = await heldBeforeCommit();
    expect(await changed()).toBe('0');
    stack.hoopd.child.kill('SIGCONT');
    await client.untilReady();
    client.close();
    expect(await changed()).toBe('1');
    await stack.postgres.psql('UPDATE stock SET qty = 0');
  });

  test('one that is refused is on record as allowed, failed, and of so many rows', async () => {
    const client = await rawLogin(tunnel);
    expect(await client.ask(query('UPDATE stock SET qty = 2'))).toEqual([
      'ErrorResponse 42501',
      'ReadyForQuery I',
    ]);
    client.close();
    await expect.poll(() => onRecord('refused: rows')).toHaveLength(1);
    const [line = ''] = onRecord('refused: rows');
    expect(JSON.parse(line).event).toMatchObject({
      type: 'operation.closed',
      outcome: 'failure',
      status: '42501',
      reason: 'refused: rows',
      rows: 50,
    });
    expect(await changed()).toBe('0');
  });

  test('hoopd is killed: nothing of it is kept', async () => {
    const client = await heldBeforeCommit();
    stack.hoopd.child.kill('SIGKILL');
    await stack.hoopd.exited;
    client.close();
    await backends('true', 0);
    expect(await changed()).toBe('0');
  });
});
