/** Asked ahead with the real command line: nothing runs meanwhile, and what was approved runs once, with real clients. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApprovalItem } from '../../../src/api/approvals.ts';
import { ERROR_TABLE } from '../../../src/core/errors.ts';
import { type Stack, startStack } from '../../support/stack.ts';

const POLICY = `
@id("all") permit (principal, action, resource);
@id("open") @approval("dba") forbid (principal is Agent, action == Action::"connect", resource == Resource::"guarded")
unless { context.approvals.contains("dba") };
@id("ask") @approval("dba") forbid (principal is Agent, action == Action::"sql.insert", resource)
unless { context.approvals.contains("dba") };
@id("never") forbid (principal, action == Action::"sql.truncate", resource);`;

const PSYCOPG = `
import sys, psycopg
with psycopg.connect("", autocommit=True) as c:
    print("rows", c.execute("insert into notes values (%s, %s)", (sys.argv[1], "psycopg")).rowcount)
`;
const NODE_POSTGRES = `
import pg from 'pg';
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const { rowCount } = await client.query('insert into notes values ($1, $2)', ['3', 'node']);
console.log('rows', rowCount);
await client.end();
`;

let stack: Stack;
let otto: Record<string, string>;
beforeAll(async () => {
  const sql = 'CREATE TABLE notes (id int, v text); GRANT ALL ON notes TO hoop;';
  const resources = (server: { port: number }) => `
  guarded: { protocol: postgres, target: { host: 127.0.0.1, port: ${server.port}, database: shop, tls: disable },
    credentials: { user: hoop, password: { file: ./pg.password } } }`;
  stack = await startStack({
    policy: POLICY,
    sql,
    resources,
    targetTls: 'disable',
    yaml: 'approvals: { wait: 1s }',
  });
  otto = await stack.person('otto');
});
afterAll(() => stack?.stop());

const count = (id: number) => stack.postgres.psql(`select count(*) from notes where id = ${id}`);
const approve = (id: string) => stack.hoopctl(['approval', 'approve', id, '--yes'], otto);

/** @returns What was asked, as it stands, and the exit code. */
async function ask(...args: string[]): Promise<{ item: ApprovalItem; exitCode: number | null }> {
  const { stdout, stderr, exitCode } = await stack.hoopctl(['approval', 'request', ...args, '--json']);
  if (stdout === '') throw new Error(stderr);
  return { item: JSON.parse(stdout) as ApprovalItem, exitCode };
}

const ways = [
  [
    'psql -c',
    1,
    ["insert into notes values (1, 'psql')"],
    ['psql', '-Xw', '-c', "insert into notes values (1, 'psql')"],
    'INSERT 0 1',
  ],
  [
    'psycopg, whose values are text',
    2,
    ['insert into notes values ($1, $2)', '--param', '2', '--param', 'psycopg'],
    ['/usr/bin/python3', '-c', PSYCOPG, '2'],
    'rows 1',
  ],
  [
    'node-postgres',
    3,
    ['insert into notes values ($1, $2)', '--param', '3', 'node'],
    [process.execPath, '--input-type=module', '-e', NODE_POSTGRES],
    'rows 1',
  ],
] as const;

test.each(ways)('%s uses what was asked ahead, once', async (_, id, question, command, answer) => {
  const asked = await ask('pg', '-c', ...question, '--reason', 'ticket 4711');
  expect(asked).toMatchObject({ exitCode: 75, item: { status: 'pending', reason: 'ticket 4711' } });
  expect(await ask('pg', '-c', ...question)).toMatchObject({ exitCode: 75, item: { id: asked.item.id } });
  expect(await approve(asked.item.id)).toMatchObject({ exitCode: 0 });
  expect(await ask('pg', '-c', ...question, '--wait')).toMatchObject({
    exitCode: 0,
    item: { id: asked.item.id, status: 'approved' },
  });
  expect(await count(id)).toBe('0');
  const connect = ['connect', 'pg', '--approval', asked.item.id, '--', ...command];
  const ran = await stack.hoopctl(connect);
  expect(ran.stdout, ran.stderr).toContain(answer);
  expect(await count(id)).toBe('1');
  // The same instance once more is asked anew.
  const again = await stack.hoopctl(connect);
  const next = /apr_\w{26}/.exec(again.stderr.replaceAll(asked.item.id, ''))?.[0];
  expect(next, again.stderr).toBeDefined();
  expect(await count(id)).toBe('1');
});

test('what people said no to is told, and not asked anew', async () => {
  const { item } = await ask('pg', '-c', "insert into notes values (9, 'no')");
  await stack.hoopctl(['approval', 'deny', item.id, '--reason', 'not today'], otto);
  const ran = await stack.hoopctl(['connect', 'pg', '--approval', item.id, '--', 'true']);
  expect(ran).toMatchObject({ stdout: '' });
  expect(ran.stderr).toMatch(new RegExp(`did not approve ${item.id}\nhint: not today\n$`));
  expect(ran.exitCode).toBe(ERROR_TABLE.ERR_APPROVAL_DENIED.exit);
  const twice = await stack.hoopctl(['approval', 'approve', item.id, '--yes'], otto);
  expect(twice.stderr).toContain(`hint: see: hoopctl approval show ${item.id}`);
});

test('the key that waits for it is its owner’s alone, and who has not got it is asked anew', async () => {
  const { item } = await ask('pg', '-c', "insert into notes values (5, 'x')");
  const dir = join(stack.directory, 'hoopctl', 'asked');
  for (const name of ['.', ...readdirSync(dir)]) expect(statSync(join(dir, name)).mode & 0o077).toBe(0);
  await approve(item.id);
  const other = { HOOPCTL_CONFIG_DIR: join(stack.directory, 'hoopctl-other') };
  const psql = ['psql', '-Xw', '-c', "insert into notes values (5, 'x')"];
  expect(await stack.hoopctl(['connect', 'pg', '--approval', item.id, '--', ...psql], other)).toMatchObject({
    exitCode: 64,
  });
  const another = await stack.hoopctl(['connect', 'pg', '--', ...psql]);
  expect(/apr_\w{26}/.exec(another.stderr)?.[0]).not.toBe(item.id);
  expect(await count(5)).toBe('0');
});

test('what is denied anyway is asked of nobody: 77; what needs no approval: 0, and nothing runs', async () => {
  const denied = await stack.hoopctl(['approval', 'request', 'pg', '-c', 'truncate notes']);
  expect(denied).toMatchObject({ exitCode: 77, stdout: '' });
  expect(denied.stderr).toContain('never');
  await stack.postgres.psql("insert into notes values (6, 'stays')");
  const free = await stack.hoopctl(['approval', 'request', 'pg', '-c', 'delete from notes where id = 6']);
  expect(free).toMatchObject({ exitCode: 0, stdout: 'no approval is needed\n' });
  expect(await count(6)).toBe('1');
});

test('a no: 77, with its reason', async () => {
  const sql = "insert into notes values (7, 'no')";
  const { item } = await ask('pg', '-c', sql);
  const waits = stack.start(['approval', 'request', 'pg', '-c', sql, '--wait']);
  await waits.until(new RegExp(item.id), 'stderr');
  await stack.hoopctl(['approval', 'deny', item.id, '--reason', 'use the archive'], otto);
  const { exitCode, stderr } = await waits.finished;
  expect([exitCode, stderr]).toEqual([77, expect.stringContaining('use the archive')]);
});

test('under a key of the caller: one request whatever becomes of it, and of nothing else', async () => {
  const asks = (text: string) => ['pg', '-c', text, '--idempotency-key', 'job 4711'];
  const { item, exitCode } = await ask(...asks('insert into notes values (7)'));
  expect([item.status, exitCode]).toEqual(['pending', 75]);
  const other = await stack.hoopctl(['approval', 'request', ...asks('insert into notes values (8)')]);
  expect([other.exitCode, other.stderr]).toEqual([77, expect.stringContaining('key was used for another')]);
  await stack.hoopctl(['approval', 'deny', item.id, '--reason', 'not today'], otto);
  const again = await stack.hoopctl(['approval', 'request', ...asks('insert into notes values (7)')]);
  expect([again.exitCode, again.stderr]).toEqual([77, expect.stringContaining('not today')]);
  const { item: fresh } = await ask('pg', '-c', 'insert into notes values (7)');
  expect(fresh.id).not.toBe(item.id);
  expect(await count(7)).toBe('0');
});

test('a connection that needs an approval is asked for first, the same again asks for the statement', async () => {
  const sql = "insert into notes values (8, 'both')";
  const connection = await ask('guarded', '-c', sql);
  expect(connection.item.actions).toEqual(['connect']);
  await approve(connection.item.id);
  const statement = await ask('guarded', '-c', sql);
  expect(statement.item.actions).toContain('sql.insert');
  await approve(statement.item.id);
  const psql = ['psql', '-Xw', '-c', sql];
  const ran = await stack.hoopctl(['connect', 'guarded', '--approval', statement.item.id, '--', ...psql]);
  expect(ran.stdout, ran.stderr).toContain('INSERT 0 1');
  expect(await count(8)).toBe('1');
});

test('several are used together, in one session', async () => {
  const [one, two] = ["insert into notes values (9, 'one')", "insert into notes values (9, 'two')"];
  const first = await ask('pg', '-c', one);
  const second = await ask('pg', '-f', '/dev/null', '-c', two).catch(() => undefined);
  expect(second).toBeUndefined();
  const beside = await ask('pg', '-c', two, '--approval', first.item.id);
  for (const { item } of [first, beside]) await approve(item.id);
  const psql = ['psql', '-Xw', '-c', one, '-c', two];
  const ran = await stack.hoopctl(['connect', 'pg', '--approval', first.item.id, '--', ...psql]);
  expect(ran.stdout, ran.stderr).toBe('INSERT 0 1\nINSERT 0 1\n');
  expect(await count(9)).toBe('2');
});
