/** Approvals as people and agents meet them: real hoopctl, real hoopd, a real server behind. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApprovalItem } from '../../src/api/approvals.ts';
import type { RunningHoopctl } from '../support/run-hoopctl.ts';
import { ALLOW_ALL, type Stack, startStack } from '../support/stack.ts';

/** Everyone may do everything, approving included: what keeps an agent from it is no rule. */
const POLICY = `${ALLOW_ALL}
@id("production-is-opened-for-a-purpose") @approval("dba") @reason("it is production")
forbid (principal, action == Action::"connect", resource) unless { context.approvals.contains("dba") };
@id("schema-changes-are-reviewed") @approval("dba") @reason("schema changes are reviewed")
forbid (principal, action in [Action::"sql.ddl", Action::"sql.delete"], resource) unless { context.approvals.contains("dba") };`;
const ALL = ['--status', 'all', '--json'];

let stack: Stack;
let otto: Record<string, string>;
beforeAll(async () => {
  // There before anybody asks: what was just defined at the target is read anew for a yes, and is another question then.
  const sql = 'CREATE TABLE kept (v int); INSERT INTO kept VALUES (1), (2); GRANT ALL ON kept TO hoop';
  stack = await startStack({ policy: POLICY, sql });
  otto = await stack.person('otto');
});
afterAll(() => stack?.stop());

/** A job that waits for its connection. */
async function waiting(sql = 'select 7'): Promise<{ job: RunningHoopctl; id: string }> {
  const psql = ['--', 'psql', '-X', '-w', '-At', '-c', sql];
  const job = stack.start(['connect', 'pg', '--wait', '--reason', 'ticket 4711', ...psql]);
  const [, id = ''] = await job.until(/(apr_\w+), until/, 'stderr');
  return { job, id };
}
const items = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ApprovalItem);

describe('a connection that needs an approval', () => {
  test('is asked for, shown, watched, approved, and then made', async () => {
    const watch = stack.start(['approval', 'watch', '--json'], otto);
    const { job, id } = await waiting();
    await watch.until(new RegExp(`"${id}","status":"pending"`));
    const shown = await stack.hoopctl(['approval', 'show', id], otto);
    expect(shown.stdout.replace(/ {2,}/g, ': ')).toContain('says why: "ticket 4711" (not checked)');
    expect(await stack.hoopctl(['approval', 'approve', id], otto)).toMatchObject({
      exitCode: 64,
      stdout: '',
    });
    const yes = await stack.hoopctl(['approval', 'approve', id, '--yes'], otto);
    expect(yes).toMatchObject({ exitCode: 0, stdout: `${id}: approved\n` });
    expect(yes.stderr).toContain('may open pg as often as it likes for 60 min');
    expect(await job.finished).toMatchObject({ exitCode: 0, stdout: '7\n' });
    await watch.until(new RegExp(`"${id}","status":"approved"`));
    watch.child.kill('SIGINT');
    expect(await watch.finished).toMatchObject({ exitCode: 130 });
    for (const item of items(watch.stdout)) expect(item).toMatchObject({ schemaVersion: 1, resource: 'pg' });
  });

  test('without --wait nobody is asked: 75', async () => {
    const before = (await stack.hoopctl(['approval', 'list', ...ALL], otto)).stdout;
    const { exitCode, stdout, stderr } = await stack.psql('select 7');
    expect({ exitCode, stdout }).toEqual({ exitCode: 75, stdout: '' });
    expect(stderr).toContain('--wait');
    expect((await stack.hoopctl(['approval', 'list', ...ALL], otto)).stdout).toBe(before);
  });

  test('is refused with the reason: 77, for whoever waits', async () => {
    const { job, id } = await waiting();
    const looks = stack.start(['approval', 'show', id, '--wait', '--json']);
    await stack.hoopctl(['approval', 'deny', id, '--reason', 'use the replica\u202e'], otto);
    const refused = await job.finished;
    expect(refused).toMatchObject({ exitCode: 77, stdout: '' });
    expect(refused.stderr).toContain('hint: use the replica\\u202e');
    const looked = await looks.finished;
    expect(looked.exitCode).toBe(77);
    expect(items(looked.stdout)).toMatchObject([
      { id, status: 'denied', endReason: 'use the replica\u202e' },
    ]);
  });

  test('that nobody decides in time is no refusal: 75, and nobody can say yes to it later', async () => {
    const wait = ['connect', 'pg', '--wait=1s', '--json', '--', 'true'];
    const { exitCode, stdout, stderr } = await stack.hoopctl(wait);
    expect(exitCode).toBe(75);
    expect(JSON.parse(stderr).error.code).toBe('ERR_APPROVAL_REQUIRED');
    const { approval: id } = JSON.parse(stdout);
    const late = await stack.hoopctl(['approval', 'approve', id, '--yes', '--json'], otto);
    expect(late).toMatchObject({ exitCode: 64, stdout: '' });
    const looked = await stack.hoopctl(['approval', 'show', id, '--wait', '--json']);
    expect(looked.exitCode).toBe(75);
    expect(items(looked.stdout)).toMatchObject([{ status: 'cancelled', next_action: 'request' }]);
  });
});

/** Approves on a terminal: `script` makes one. */
async function onTerminal(
  id: string,
  answer: string,
  who = otto,
): Promise<{ shown: string; exitCode: number | null }> {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const command = `${process.execPath} ${main} approval approve ${id}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, ...who, HOOPCTL_SECRET_STORE: 'file' },
  });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (!shown.includes('[y/N]') && (shown + text).includes('[y/N]')) child.stdin.write(answer);
    shown += text;
  });
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { shown, exitCode };
}

describe('a statement that needs an approval', () => {
  test('is shown exactly as it is, approved on a terminal, and run once', async () => {
    const { job, id: connection } = await waiting("create table \u0430udit (n text default 'x\u202e')");
    await stack.hoopctl(['approval', 'approve', connection, '--yes'], otto);
    const [, id = ''] = await job.until(/NOTICE[\s\S]*?(apr_\w{26})/, 'stderr');
    const why = 'only rows are counted that are changed, not what CREATE TABLE does';
    expect(items((await stack.hoopctl(['approval', 'show', id, '--json'], otto)).stdout)).toMatchObject([
      { notTried: why },
    ]);
    const tried = await stack.hoopctl(['approval', 'try', id], otto);
    expect([tried.exitCode, tried.stderr]).toEqual([77, expect.stringContaining(why)]);
    const no = await onTerminal(id, '\n');
    expect(no.shown).toContain("| create table \u0430udit (n text default 'x\\u202e')");
    expect(no.shown).toContain('has characters beyond ASCII: \u0430 U+0430');
    expect(no.exitCode).toBe(75);
    const interrupted = await onTerminal(id, '\x03');
    expect(interrupted.exitCode).toBe(130);
    const yes = await onTerminal(id, 'y\n');
    expect({ exitCode: yes.exitCode, said: yes.shown.includes(`${id}: approved`) }, yes.shown).toEqual({
      exitCode: 0,
      said: true,
    });
    expect(await job.finished).toMatchObject({ exitCode: 0, stdout: 'CREATE TABLE\n' });
    const { stdout } = await stack.hoopctl(['approval', 'show', id, '--json'], otto);
    expect(items(stdout)).toMatchObject([{ status: 'approved', usedBy: expect.stringMatching(/^op_/) }]);
  });
});

describe('a statement that is tried out before anybody says yes', () => {
  test('is counted and undone, for who may decide it and for nobody else, and it is on record', async () => {
    const count = 'SELECT count(*) FROM kept';
    const { job, id: connection } = await waiting('delete from kept');
    await stack.hoopctl(['approval', 'approve', connection, '--yes'], otto);
    const [, id = ''] = await job.until(/NOTICE[\s\S]*?(apr_\w{26})/, 'stderr');
    const tried = await stack.hoopctl(['approval', 'try', id], otto);
    expect({ ...tried, stdout: tried.stdout.replace(/ +/g, ' ') }).toMatchObject({ exitCode: 0, stderr: '' });
    expect(tried.stdout.replace(/ +/g, ' ')).toBe(
      'DELETE of 2 rows. It was undone; nothing was kept.\n\nCHANGED INSERTED UPDATED DELETED\npublic.kept 0 0 2\n' +
        '\nRows are not shown: "kept" has no primary key by which they are told apart.\n',
    );
    const json = JSON.parse((await stack.hoopctl(['approval', 'try', id, '--json'], otto)).stdout);
    expect(json).toMatchObject({ schemaVersion: 1, id, command: 'DELETE', rows: 2, changed: false });
    expect(await stack.postgres.psql(count)).toBe('2');
    expect(await stack.hoopctl(['approval', 'try', id])).toMatchObject({ exitCode: 77, stdout: '' });
    expect(await stack.hoopctl(['approval', 'try', connection], otto)).toMatchObject({ exitCode: 64 });
    const search = ['audit', 'search', '--approval', id, '--json'];
    const events = (await stack.hoopctl(search, otto)).stdout.trim().split('\n');
    const story = events.map((line) => JSON.parse(line)).filter(({ type }) => type === 'approval.tried');
    expect(story.map(({ actor, outcome }) => `${actor.name} ${outcome ?? 'begins'}`).toSorted()).toEqual([
      'otto@example.com begins',
      'otto@example.com begins',
      'otto@example.com success',
      'otto@example.com success',
    ]);
    await stack.hoopctl(['approval', 'approve', id, '--yes'], otto);
    expect(await job.finished).toMatchObject({ exitCode: 0, stdout: 'DELETE 2\n' });
    expect(await stack.postgres.psql(count)).toBe('0');
  });
});

describe('nobody approves what was asked on their own authority', () => {
  test('not the job, whatever policy permits it; it may take it back', async () => {
    const { job, id } = await waiting();
    for (const word of ['approve', 'deny']) {
      const yes = word === 'approve' ? ['--yes'] : [];
      const { exitCode, stderr } = await stack.hoopctl(['approval', word, id, ...yes]);
      expect({ exitCode, said: stderr.includes('an agent may not') }).toEqual({ exitCode: 77, said: true });
    }
    const cancelled = await stack.hoopctl(['approval', 'cancel', id]);
    expect(cancelled).toMatchObject({ exitCode: 0, stdout: `${id}: cancelled\n` });
    expect(await job.finished).toMatchObject({ exitCode: 75 });
  });

  test('not the person', async () => {
    const ada = await stack.person('ada');
    const own = stack.start(['connect', 'pg', '--wait', '--', 'true'], ada);
    const [, id = ''] = await own.until(/(apr_\w+), until/, 'stderr');
    const { exitCode, stderr } = await stack.hoopctl(['approval', 'approve', id, '--yes'], ada);
    expect(exitCode).toBe(77);
    expect(stderr).toContain('nobody decides what was asked on their own authority');
    const { shown, ...unasked } = await onTerminal(id, 'y\n', ada);
    expect({ ...unasked, asked: shown.includes('[y/N]') }, shown).toEqual({ exitCode: 77, asked: false });
    expect(shown).toContain(`your yes does not count for ${id}`);
    const other = await stack.hoopctl(
      ['approval', 'approve', id, '--yes', '--binding', '0'.repeat(64)],
      otto,
    );
    expect(other.exitCode).toBe(76);
    expect((await stack.hoopctl(['approval', 'list'], otto)).stdout).toContain('dba 0/1 (you)');
    await stack.hoopctl(['approval', 'approve', id, '--yes'], otto);
    expect(await own.finished).toMatchObject({ exitCode: 0 });
    const all = items((await stack.hoopctl(['approval', 'list', ...ALL], otto)).stdout);
    expect(all.length).toBeGreaterThan(1);
    const one = await stack.hoopctl(['approval', 'list', ...ALL, '--limit', '1'], otto);
    expect(items(one.stdout)).toEqual(all.slice(0, 1));
    expect(one.stderr).toContain('older ones match too');
  });
});
