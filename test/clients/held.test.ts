/** Clients that nobody changed, while people are asked: they are told, they wait, and what was approved runs. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pgEnv, type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { eventually } from '../support/waiting.ts';

const run = promisify(execFile);

const POLICY = `
@id("all") permit (principal, action, resource);
@id("ask") @approval("dba") forbid (principal is Agent, action == Action::"sql.insert", resource)
unless { context.approvals.contains("dba") };`;

const TOLD = /waiting for the approval of "dba" until/;

const PSYCOPG = `
import sys, psycopg
with psycopg.connect("", autocommit=True) as c:
    c.add_notice_handler(lambda d: print(d.severity, d.sqlstate, d.message_primary, file=sys.stderr))
    k = c.execute("insert into notes values (%s, %s)", (2, "psycopg"))
    print("rows", k.rowcount)
`;

let stack: Stack;
let tunnel: Tunnel;
let dba: Record<string, string>;

beforeAll(async () => {
  const sql = 'CREATE TABLE notes (id int PRIMARY KEY, v text); GRANT ALL ON notes TO hoop;';
  stack = await startStack({ policy: POLICY, sql });
  tunnel = await stack.tunnel();
  dba = await stack.person('otto');
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

const pending = async (): Promise<string> => {
  const list = async () => (await stack.hoopctl(['approval', 'list', '--json'], dba)).stdout;
  const id = /"(apr_\w{26})"[^}]*"pending"/;
  return id.exec(await eventually('a request for approval', list, (text) => id.test(text)))![1]!;
};

test.each([
  ['psql', 1, 'INSERT 0 1', 'psql', ['-Xw', '-c', "insert into notes values (1, 'psql')"]],
  ['psycopg 3', 2, 'rows 1', '/usr/bin/python3', ['-c', PSYCOPG]],
] as const)('%s shows the notice, waits, and gets its answer', async (_, id, answer, command, args) => {
  const running = run(command, args, { env: pgEnv(tunnel), timeout: 60_000 });
  const approval = await pending();
  const count = `select count(*) from notes where id = ${id}`;
  expect(await stack.postgres.psql(count)).toBe('0');
  const { exitCode, stderr: said } = await stack.hoopctl(['approval', 'approve', approval, '--yes'], dba);
  expect([exitCode, said]).toEqual([0, expect.any(String)]);
  const { stdout, stderr } = await running;
  expect(stdout).toContain(answer);
  expect(stderr).toMatch(TOLD);
  expect(stderr).toContain(approval);
  expect(await stack.postgres.psql(count)).toBe('1');
});
