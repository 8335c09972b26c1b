/** Clients that nobody changed, while people are asked: they are told, they wait, and what was approved runs. */
import { execFile, spawn } from 'node:child_process';
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

const ASYNCPG = `
import asyncio, asyncpg, sys
async def main():
    c = await asyncpg.connect(command_timeout=float(sys.argv[2]))
    c.add_log_listener(lambda _, m: print(m.message, file=sys.stderr))
    try:
        print(await c.execute(f"insert into notes values ({sys.argv[1]}, 'asyncpg')"))
    except asyncio.TimeoutError:
        print("timed out; it can go on:", await c.fetchval("select 1"))
    await c.close()
asyncio.run(main())
`;

/** With parameters it flushes between Parse and Bind: a batch is open, which cannot wait. */
const ASYNCPG_TICKET = `
import asyncio, asyncpg, json, sys
async def main():
    c = await asyncpg.connect()
    insert = lambda: c.execute("insert into notes values ($1, $2)", 9, "ticket")
    try:
        await insert()
    except asyncpg.InsufficientPrivilegeError as e:
        print(json.loads(e.hint)["approval"], flush=True)
    sys.stdin.readline()
    print(await insert())
    await c.close()
asyncio.run(main())
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

const rows = (id: number) => stack.postgres.psql(`select count(*) from notes where id = ${id}`);

test.each([
  ['psql', 1, 'INSERT 0 1', 'psql', ['-Xw', '-c', "insert into notes values (1, 'psql')"]],
  ['psycopg 3', 2, 'rows 1', '/usr/bin/python3', ['-c', PSYCOPG]],
  ['asyncpg', 3, 'INSERT 0 1', '/usr/bin/python3', ['-c', ASYNCPG, '3', '60']],
] as const)('%s shows the notice, waits, and gets its answer', async (_, id, answer, command, args) => {
  const running = run(command, args, { env: pgEnv(tunnel), timeout: 60_000 });
  const approval = await pending();
  expect(await rows(id)).toBe('0');
  const { exitCode, stderr: said } = await stack.hoopctl(['approval', 'approve', approval, '--yes'], dba);
  expect([exitCode, said]).toEqual([0, expect.any(String)]);
  const { stdout, stderr } = await running;
  expect(stdout).toContain(answer);
  expect(stderr).toMatch(TOLD);
  expect(stderr).toContain(approval);
  expect(await rows(id)).toBe('1');
});

test('JDBC waits, and gets its answer', async () => {
  const jdbc = `jdbc:postgresql://${tunnel.host}:${tunnel.port}/${tunnel.database}?sslmode=disable`;
  const source = new URL('../support/clients/Held.java', import.meta.url).pathname;
  const args = ['-cp', '/usr/share/java/postgresql.jar', source, jdbc, tunnel.user, tunnel.password];
  const running = run('java', args, { timeout: 60_000 });
  const approval = await pending();
  expect(await rows(4)).toBe('0');
  await stack.hoopctl(['approval', 'approve', approval, '--yes'], dba);
  const { stdout, stderr } = await running;
  expect([stdout, await rows(4)]).toEqual(['rows 1\n', '1']);
  expect(stderr).toMatch(TOLD);
});

/** @returns What became of the request: who stopped waiting has taken it back, and nobody can say yes to it. */
async function takenBack(approval: string): Promise<void> {
  await eventually('it is taken back', async () => {
    const { stdout } = await stack.hoopctl(['approval', 'show', approval, '--json'], dba);
    return stdout.includes('"status":"cancelled"');
  });
  const late = await stack.hoopctl(['approval', 'approve', approval, '--yes'], dba);
  expect(late.exitCode).toBe(64);
  const story = await stack.hoopctl(['audit', 'search', '--approval', approval, '--json'], dba);
  expect(story.stdout).toContain('"type":"approval.cancelled"');
  expect(story.stdout).not.toContain('"type":"approval.used"');
}

test('Ctrl-C in psql takes it back: it never runs, and psql goes on', async () => {
  // A terminal, as a person has one: Ctrl-C is a key there.
  const script = spawn('script', ['-qec', 'psql -Xw', '/dev/null'], {
    env: { ...pgEnv(tunnel), PAGER: 'cat' },
  });
  let shown = '';
  script.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  script.stdin.write("insert into notes values (5, 'ctrl-c');\n");
  await eventually('it is told', () => TOLD.test(shown));
  const approval = await pending();
  script.stdin.write('\x03');
  await eventually('it is cancelled', () => shown.includes('canceling statement due to user request'));
  await takenBack(approval);
  script.stdin.write('select 40 + 2;\n');
  await eventually('it goes on', () => shown.includes(' 42'));
  script.stdin.write('\\q\n');
  await new Promise((resolve) => script.once('close', resolve));
  expect(await rows(5)).toBe('0');
});

test('asyncpg’s own timeout takes it back: it never runs, and the connection goes on', async () => {
  const running = run('/usr/bin/python3', ['-c', ASYNCPG, '6', '4'], { env: pgEnv(tunnel), timeout: 60_000 });
  const approval = await pending();
  expect((await running).stdout).toBe('timed out; it can go on: 1\n');
  await takenBack(approval);
  expect(await rows(6)).toBe('0');
});

test('an operator who ends the session ends what it asked', async () => {
  const sql = "insert into notes values (7, 'killed')";
  const running = run('psql', ['-Xw', '-c', sql], { env: pgEnv(tunnel) }).catch((error: unknown) => error);
  const approval = await pending();
  const { stdout } = await stack.hoopctl(['approval', 'show', approval, '--json'], dba);
  const { session } = JSON.parse(stdout) as { session: string };
  expect(await stack.hoopctl(['session', 'kill', session], dba)).toMatchObject({ exitCode: 0 });
  expect(await running).toMatchObject({ stderr: expect.stringContaining('FATAL') });
  await takenBack(approval);
  expect(await rows(7)).toBe('0');
});

test('a yes for one login is not another’s, with the same text at the same time', async () => {
  const sql = "insert into notes values (8, 'whose')";
  const psql = ['--', 'psql', '-Xw', '-At', '-c', sql];
  const one = stack.start(['connect', 'pg', ...psql], stack.env({ sub: 'one', repository: 'org/shop' }));
  const [, first = ''] = await one.until(/(apr_\w{26})/, 'stderr');
  const other = stack.start(['connect', 'pg', ...psql], stack.env({ sub: 'other', repository: 'org/shop' }));
  const [, second = ''] = await other.until(/(apr_\w{26})/, 'stderr');
  expect(second).not.toBe(first);
  await stack.hoopctl(['approval', 'approve', first, '--yes'], dba);
  expect(await one.finished).toMatchObject({ exitCode: 0, stdout: 'INSERT 0 1\n' });
  expect(await rows(8)).toBe('1');
  await stack.hoopctl(['approval', 'deny', second, '--reason', 'not yours'], dba);
  expect((await other.finished).stderr).toContain('not yours');
  expect(await rows(8)).toBe('1');
});

test('asyncpg with parameters is given a ticket at once, and the same runs when it is approved', async () => {
  const python = spawn('/usr/bin/python3', ['-c', ASYNCPG_TICKET], { env: pgEnv(tunnel) });
  let shown = '';
  python.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const ticket = /apr_\w{26}/;
  await eventually('a ticket', () => ticket.test(shown));
  await stack.hoopctl(['approval', 'approve', ticket.exec(shown)![0], '--yes'], dba);
  expect(await rows(9)).toBe('0');
  python.stdin.end('\n');
  await new Promise((resolve) => python.once('close', resolve));
  expect(shown).toContain('INSERT 0 1');
  expect(await rows(9)).toBe('1');
});
