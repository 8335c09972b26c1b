import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { eventually } from '../support/waiting.ts';

const POLICY = `
@id("all") permit (principal, action, resource);
@id("ask") @approval("dba") forbid (principal is Agent, action == Action::"sql.insert", resource)
unless { context.approvals.contains("dba") };`;

const SQL = `CREATE TABLE notes (id int); GRANT ALL ON notes TO hoop;`;

interface Asked {
  readonly id: string;
  readonly status: string;
  readonly usedBy?: string;
}

let stack: Stack;
let dba: Record<string, string>;
let tunnel: Tunnel;

beforeAll(async () => {
  stack = await startStack({ policy: POLICY, sql: SQL, yaml: 'approvals: { wait: 0s }' });
  dba = await stack.person('otto');
  tunnel = await stack.tunnel(['--keep']);
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

/** One statement on a connection of its own, as a pool would after a loss. */
async function run(sql: string): Promise<pg.QueryResult> {
  const { host, port, user, password, database } = tunnel;
  const client = new pg.Client({ host, port, user, password, database });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Sends it, gets a ticket, and has it approved. */
async function approved(sql: string): Promise<string> {
  const refused = await run(sql).then(
    () => undefined,
    (error: { readonly hint?: string }) => error.hint,
  );
  const { approval, retryable } = JSON.parse(refused ?? '{}');
  expect(retryable).toBe(true);
  const { exitCode, stderr } = await stack.hoopctl(['approval', 'approve', approval, '--yes'], dba);
  expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
  return approval;
}

async function shown(id: string): Promise<Asked> {
  const { stdout } = await stack.hoopctl(['approval', 'show', id, '--json'], dba);
  return JSON.parse(stdout) as Asked;
}

async function killed(): Promise<void> {
  stack.hoopd.child.kill('SIGKILL');
  await stack.hoopd.exited;
  await stack.restart();
}

const rows = async (id: number): Promise<number> =>
  Number(await stack.postgres.psql(`SELECT count(*) FROM notes WHERE id = ${id}`));

async function story(id: string): Promise<string[]> {
  const args = ['audit', 'search', '--type', 'approval.used', '--json', '--limit', '100'];
  const { stdout } = await stack.hoopctl(args, dba);
  const events = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return events.filter(({ facts }) => facts.approval === id).map(({ type }) => type);
}

describe('kill -9 of hoopd', () => {
  it('between the yes and its use: it is used once, in one new session', async () => {
    const sql = 'INSERT INTO notes VALUES (1)';
    const id = await approved(sql);
    await killed();
    expect((await run(sql)).rowCount).toBe(1);
    await expect(run(sql)).rejects.toMatchObject({ code: '42501' });
    expect(await rows(1)).toBe(1);
    expect((await shown(id)).usedBy).toMatch(/^op_/);
    expect(await story(id)).toEqual(['approval.used']);
  });

  it('between the use and its outcome: never run twice, and what is known is on record', async () => {
    const sql = 'INSERT INTO notes SELECT 2 FROM pg_sleep(3)';
    const id = await approved(sql);
    const lost = run(sql).catch((error: unknown) => error);
    await eventually('the statement at the target', async () => {
      const active = await stack.postgres.psql(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO notes%' AND state = 'active'",
      );
      return Number(active) > 0;
    });
    await killed();
    await lost;
    await expect(run(sql)).rejects.toMatchObject({ code: '42501' });
    const { usedBy } = await shown(id);
    expect(usedBy).toMatch(/^op_/);
    await eventually('the target to be done with it', async () => {
      const left = await stack.postgres.psql(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO notes%' AND state = 'active'",
      );
      return Number(left) === 0;
    });
    expect(await rows(2)).toBeLessThanOrEqual(1);
    const verified = await stack.hoopctl(['audit', 'verify', '--json'], dba);
    expect(verified.exitCode).toBe(0);
  });
});
