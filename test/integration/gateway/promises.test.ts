/**
 * The promises of docs/security.md, each once through the whole walk: hoopctl, hoopd and PostgreSQL as users run them.
 * The many ways to break one are tried where it is enforced.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { query, rawConnect, rawLogin } from '../../support/postgres/raw-client.ts';
import type { Finished } from '../../support/run-hoopctl.ts';
import {
  ATTACK_COLUMNS,
  ATTACK_FIXTURE,
  GUARDED,
  type Stack,
  startStack,
  type Tunnel,
} from '../../support/stack.ts';

const SSN = '123-45-6789';
const PSQL = ['psql', '-X', '-w', '-At', '-v', 'VERBOSITY=verbose'];

let stack: Stack;
let tunnel: Tunnel;
let otto: Record<string, string>;

beforeAll(async () => {
  stack = await startStack({
    policy: GUARDED,
    sql: ATTACK_FIXTURE,
    columns: ATTACK_COLUMNS,
    settings: { log_statement: 'all' },
    yaml: 'approvals: { wait: 0s }',
  });
  tunnel = await stack.tunnel();
  otto = await stack.person('otto');
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

function expectDenied(finished: Finished, rule: string): void {
  expect(finished).toMatchObject({ exitCode: 1, stdout: '' });
  expect(finished.stderr).toContain('ERROR:  42501: ');
  const hint: unknown = JSON.parse(/^HINT: {2}(.+)$/m.exec(finished.stderr)?.[1] ?? '');
  expect(hint).toMatchObject({ rule, reason: expect.stringMatching(/./), hint: expect.stringMatching(/./) });
}

async function search(...args: string[]): Promise<Record<string, unknown>[]> {
  const { stdout, stderr } = await stack.hoopctl(['audit', 'search', '--json', ...args], otto);
  if (stderr !== '') throw new Error(stderr);
  const lines = stdout.trim().split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('1. what nobody permits is denied; forbid wins; a policy that errors denies; a hold without a way is a denial', async () => {
  const use = `@id("use") permit (principal, action in [Action::"connect", Action::"sql.read"], resource);
    @id("show") permit (principal, action == Action::"reveal", resource);`;
  const insert = "insert into orders values (9, 1, 1, 'x')";
  const under = async (policy: string) => {
    await stack.reload(`${use}\n${policy}`);
    return stack.psql(insert);
  };
  try {
    expectDenied(await under(''), 'default-deny');
    const permit = '@id("write") permit (principal, action == Action::"sql.insert", resource);';
    expectDenied(
      await under(`${permit} @id("never") forbid (principal, action == Action::"sql.insert", resource);`),
      'never',
    );
    // Valid to the schema, an overflow when it is asked.
    const broken = `@id("broken") forbid (principal, action == Action::"sql.insert", resource)
      when { 9223372036854775807 + 1 > 0 };`;
    expectDenied(await under(`${permit} ${broken}`), 'policy-error');
    const noWay =
      '@id("held") @approval("dba") forbid (principal, action == Action::"sql.insert", resource);';
    expectDenied(await under(`${permit} ${noWay}`), 'held');
    const held = `@id("held") @approval("dba") forbid (principal, action == Action::"sql.insert", resource)
      unless { context.approvals.contains("dba") };`;
    expectDenied(await under(held), 'default-deny');
    const asked = await under(`${permit} ${held}`);
    expectDenied(asked, 'held');
    expect(asked.stderr).toContain('approval');
    expect((await under(permit)).stdout).toBe('INSERT 0 1\n');
  } finally {
    await stack.reload(GUARDED);
    await stack.postgres.psql('delete from orders where id = 9');
  }
});

test('2. a name is not chosen but granted; a login that ends takes its open streams with it', async () => {
  const asAnother = await stack.hoopctl([
    'connect',
    'pg',
    '--agent',
    'copilot',
    '--',
    ...PSQL,
    '-c',
    'select 1',
  ]);
  expect(asAnother).toMatchObject({ exitCode: 77, stdout: '' });
  await expect(stack.person('otto', ['--agent', 'copilot'])).rejects.toThrow(/may not act as/);

  const ada = await stack.person('ada', ['--agent', 'copilot']);
  // A job's token beside her profile: it is told whose word the agent's name is.
  const job = await stack.hoopctl(['whoami'], { ...ada, HOOPCTL_TOKEN: stack.env()['HOOPCTL_TOKEN'] ?? '' });
  expect(job).toMatchObject({
    exitCode: 77,
    stderr: expect.stringContaining('the agent is "copilot" by profile "default"'),
  });
  const hers = await stack.tunnel([], ada);
  const client = await rawLogin(hers);
  expect(await client.ask(query('select 1'))).toContain('DataRow 1');
  const at = Date.now();
  expect((await stack.hoopctl(['logout'], ada)).exitCode).toBe(0);
  const last = await client.until('ErrorResponse', 5000);
  expect(last.at(-1)?.name).toBe('ErrorResponse');
  expect(Date.now() - at).toBeLessThan(5000);
  await expect(rawLogin(hers)).rejects.toThrow();
  await hers.close();
});

test('3. the server gets the octets that were analysed, or none', async () => {
  const odd = 'SELECT/* ünï */  id\n\t, name AS "n ame" FROM customers WHERE id=1 -- the end';
  expect((await stack.psql(odd)).stdout).toBe('1|Ann\n');
  expect(readFileSync(stack.postgres.logFile, 'utf8')).toContain(odd.split('\n')[0]);
  const client = await rawLogin(tunnel);
  const bad = Buffer.concat([Buffer.from("select 'zebra"), Buffer.from([0xff]), Buffer.from("'\0")]);
  const head = Buffer.from([0x51, 0, 0, 0, bad.length + 4]);
  expect(await client.ask(Buffer.concat([head, bad]))).toEqual([
    expect.stringMatching(/^ErrorResponse/),
    'ReadyForQuery I',
  ]);
  expect(readFileSync(stack.postgres.logFile, 'latin1')).not.toContain('zebra');
  client.close();
});

test('4. what reached the server has its event, with its rules and outcome', async () => {
  await stack.psql("update orders set status = 'promise-4' where id = 2");
  await expect
    .poll(() => search('update', '--action', 'sql.update', '--limit', '1'), { timeout: 10_000 })
    .toMatchObject([{ decision: 'allow', outcome: 'success', rows: 1, rules: [{ id: 'write' }] }]);
});

test('5, 6. no way to a masked value: rows, expressions, COPY, errors, notices, replay, audit', async () => {
  const row = await stack.psql('select id, ssn from customers where id = 1');
  expect(row.stdout).toMatch(/^1\|.+\n$/);
  const printed = [row];
  for (const sql of [
    'select upper(ssn) from customers',
    'select * from customers',
    'select c from customers c',
    'copy (select ssn from customers) to stdout',
    `insert into customers values (3, 'Eve', 'e@x', '${SSN}', 'x')`,
    'select lower2(name) from customers',
    `select 1 from customers where ssn = '${SSN.slice(0, 3)}' || '${SSN.slice(3)}'`,
    'update customers set note = ssn where id = 1',
  ])
    printed.push(await stack.psql(sql));
  const sessions = await stack.hoopctl(['session', 'list', '--json'], otto);
  const { id } = JSON.parse(sessions.stdout.split('\n')[0] ?? '') as { id: string };
  printed.push(await stack.hoopctl(['session', 'replay', id, '--json'], otto));
  for (const { stdout, stderr } of printed) {
    for (const text of [stdout, stderr]) expect(text.includes(SSN)).toBe(false);
  }
  const said = JSON.stringify(await search('--limit', '1000'));
  expect(said.includes(SSN)).toBe(false);
  expect(await stack.postgres.psql('select ssn from customers where id = 1')).toBe(SSN);
});

test("7. the target's secret stays with hoopd", async () => {
  const secret = readFileSync(join(stack.directory, 'pg.password'), 'utf8');
  const child = await stack.hoopctl(['connect', 'pg', '--', 'env']);
  expect(child.stdout).toContain('PGPASSWORD=');
  const { pid } = tunnel.running.child;
  const seen = [
    child.stdout,
    readFileSync(`/proc/${pid}/cmdline`, 'latin1'),
    readFileSync(`/proc/${pid}/environ`, 'latin1'),
    readFileSync(`/proc/${stack.hoopd.child.pid}/cmdline`, 'latin1'),
    readFileSync(`/proc/${stack.hoopd.child.pid}/environ`, 'latin1'),
    stack.hoopd.log,
    tunnel.running.stdout + tunnel.running.stderr,
  ];
  for (const text of seen) expect(text.includes(secret)).toBe(false);
});

test('8. a denial fails the transaction as an error of the server does, and the connection goes on', async () => {
  const client = await rawLogin(tunnel);
  expect(await client.ask(query('begin'))).toContain('ReadyForQuery T');
  expect(await client.ask(query('delete from orders'))).toEqual(['ErrorResponse 42501', 'ReadyForQuery E']);
  expect(await client.ask(query('select 1'))).toEqual(['ErrorResponse 25P02', 'ReadyForQuery E']);
  expect(await client.ask(query('commit'))).toEqual(['CommandComplete ROLLBACK', 'ReadyForQuery I']);
  expect(await client.ask(query('select 1'))).toContain('DataRow 1');
  client.close();
});

test('9. nothing lives longer than it was given: a stream, and new ones through its tunnel', async () => {
  const short = await stack.tunnel(['--ttl', '8s']);
  const client = await rawLogin(short);
  const messages = await client.until('ErrorResponse', 20_000);
  expect(messages.at(-1)?.name).toBe('ErrorResponse');
  const { exitCode, stderr } = await short.running.finished;
  expect(exitCode).toBe(67);
  // Asking for more than was given would make an instance anew, and be no trouble to tell of.
  expect(stderr).not.toContain('could not be renewed');
});

test('10. a session that breaks the protocol ends alone', async () => {
  const [bad, good] = [await rawLogin(tunnel), await rawLogin(tunnel)];
  bad.send(Buffer.from('not a message at all'));
  await bad.until('ErrorResponse');
  expect(await good.ask(query('select 1'))).toContain('DataRow 1');
  good.close();
});

test('11, D7: the local end: not with a guessed password, not from a web page, no socket of another user', async () => {
  await expect(rawLogin(tunnel, { password: 'guessed' })).rejects.toThrow(/28P01/);
  const page = await rawConnect(tunnel);
  page.send(Buffer.from('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n'));
  expect((await page.untilReady(5000)).every(({ name }) => name === 'ErrorResponse')).toBe(true);

  const place = mkdtempSync(join(tmpdir(), 'hoop-socket-'));
  const running = stack.start(['connect', 'pg', '--socket', place, '--json']);
  try {
    await running.until(/"listening"/);
    const own = spawnSync('psql', ['-XAtw', '-h', place, '-U', 'hoop', '-c', 'select 7', 'shop']);
    expect(own.stdout.toString()).toBe('7\n');
    const asNobody = (...args: string[]) => {
      const [user, group] = ['--reuid=65534', '--regid=65534'];
      return spawnSync('setpriv', [user, group, '--clear-groups', ...args], { cwd: '/' });
    };
    // Only root can become somebody else; others see the modes in cli-connect.test.ts.
    if (process.getuid?.() === 0) {
      expect(asNobody('true').status).toBe(0);
      const theirs = asNobody('psql', '-XAtw', '-h', place, '-U', 'hoop', '-c', 'select 7', 'shop');
      expect(theirs.status).toBe(2);
      expect(theirs.stderr.toString()).toContain('Permission denied');
      // Even where the directory is open by mistake, the socket itself is not.
      chmodSync(place, 0o755);
      const again = asNobody('psql', '-XAtw', '-h', place, '-U', 'hoop', '-c', 'select 7', 'shop');
      expect(again.stderr.toString()).toContain('Permission denied');
    }
  } finally {
    running.child.kill('SIGTERM');
    await running.finished;
    rmSync(place, { recursive: true, force: true });
  }
});

test("12. an agent's login opens nothing of the administration, even where policy permits all", async () => {
  await stack.reload('@id("all") permit (principal, action, resource);');
  try {
    const sessions = await stack.hoopctl(['session', 'list', '--json'], otto);
    const foreign = sessions.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { id: string; actor: string })
      .find(({ actor }) => actor === 'copilot');
    for (const args of [
      ['audit', 'export'],
      ['audit', 'verify'],
      ['session', 'replay', foreign?.id ?? ''],
      ['session', 'kill', foreign?.id ?? ''],
    ]) {
      const { exitCode, stdout } = await stack.hoopctl(args);
      expect([args[1], exitCode, stdout]).toEqual([args[1], 77, '']);
    }
    const found = await stack.hoopctl(['audit', 'search', '--json', '--limit', '1000']);
    const actors = found.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).actor?.name);
    expect(new Set(actors)).toEqual(new Set(['ci']));
  } finally {
    await stack.reload(GUARDED);
  }
});
