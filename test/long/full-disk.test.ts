/**
 * What happens to sessions where the disk is full: refused in the protocol, nothing hangs, and all is well again once
 * there is room. A file system of our own where one may be mounted; everywhere, a process that may not write further.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cannot } from '../support/cannot.ts';
import { query, type RawClient, rawLogin } from '../support/postgres/raw-client.ts';
import { ALLOW_ALL, type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { eventually } from '../support/waiting.ts';

const folder = mkdtempSync(join(tmpdir(), 'hoop-full-'));
const mounts: string[] = [];

afterAll(() => {
  for (const path of mounts) execFileSync('umount', ['-l', path]);
  rmSync(folder, { recursive: true, force: true });
});

/** A file system of `mib` MiB that hoopd can fill, if this process may mount one. */
function disk(name: string, mib: number): string | undefined {
  const path = join(folder, name);
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  mounts.push(path);
  return path;
}

/** Takes all that is left. */
function fill(path: string): void {
  const { bavail, bsize } = statfsSync(path);
  try {
    writeFileSync(join(path, 'filler'), Buffer.alloc(bavail * bsize));
  } catch (error) {
    // What hoopd took in the meantime is gone just as well.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function empty(path: string): void {
  rmSync(join(path, 'filler'));
}

/** For what happens a moment later, on a busy machine two. */
const PATIENCE = { timeout: 20_000, interval: 300 };

describe('a process that may not write', () => {
  let stack: Stack;
  let tunnel: Tunnel;
  beforeAll(async () => {
    stack = await startStack({ policy: ALLOW_ALL, sql: 'CREATE TABLE t (i int); GRANT ALL ON t TO hoop' });
    tunnel = await stack.tunnel();
  });
  afterAll(async () => {
    await tunnel?.close();
    await stack?.stop();
  });
  const limit = (bytes: string) =>
    execFileSync('prlimit', ['--pid', String(stack.hoopd.child.pid), `--fsize=${bytes}:unlimited`]);

  test('refuses every statement with 58030, forwards none, and serves again by itself', async () => {
    const open = await rawLogin(tunnel);
    expect(await open.ask(query('insert into t values (1)'))).toContain('CommandComplete INSERT 0 1');
    limit('0');
    for (let i = 0; i < 5; i++) {
      expect(await open.ask(query('insert into t values (2)'))).toEqual([
        'ErrorResponse 58030',
        'ReadyForQuery I',
      ]);
    }
    const refused = await stack.psql('insert into t values (3)');
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toMatch(/cannot be written/);
    expect(await stack.postgres.psql('select count(*) from t')).toBe('1');
    limit('unlimited');
    await expect
      .poll(() => stack.psql('insert into t values (4)'), PATIENCE)
      .toMatchObject({ exitCode: 0, stdout: 'INSERT 0 1\n' });
    // The open session's recording has a hole: it is told to connect again, and that is on record.
    const last = await open.ask(query('insert into t values (5)'));
    expect(last).toEqual(['ErrorResponse 58030', 'ReadyForQuery I']);
    open.close();
    expect(await stack.psql('select count(*) from t')).toMatchObject({ stdout: '2\n' });
    const otto = await stack.person('otto');
    const verified = await stack.hoopctl(['audit', 'verify', join(stack.directory, 'state', 'audit')], otto);
    expect(verified.exitCode, verified.stdout + verified.stderr).toBe(0);
    const found = await stack.hoopctl(['audit', 'search', 'values', '--decision', 'deny', '--json'], otto);
    expect(found.stdout, found.stderr).toContain('"reason":"recording-unavailable: ');
  });
});

const disks = { audit: disk('audit', 4), recordings: disk('recordings', 4) };

// Where it is refused, the test above is the same without.
const noDisks = cannot("hoopd's full disk: mounting needs root", Object.values(disks).includes(undefined));
describe.skipIf(noDisks)('a full disk', () => {
  let stack: Stack;
  let tunnel: Tunnel;
  const state = disks.audit as string;
  const recordings = disks.recordings as string;
  beforeAll(async () => {
    stack = await startStack({
      policy: ALLOW_ALL,
      sql: 'CREATE TABLE t (i int); GRANT ALL ON t TO hoop',
      state: join(state, 'state'),
      recordings: join(recordings, 'recordings'),
    });
    tunnel = await stack.tunnel();
  });
  afterAll(async () => {
    await tunnel?.close();
    await stack?.stop();
  });
  const count = () => stack.postgres.psql('select count(*) from t');

  test('of the audit: nothing is forwarded, new sessions are refused, the open one goes on when there is room', async () => {
    const open = await rawLogin(tunnel);
    expect(await open.ask(query('insert into t values (1)'))).toContain('CommandComplete INSERT 0 1');
    fill(state);
    const answers = await until(open, 'ErrorResponse 58030');
    const before = await count();
    expect(answers.at(-1)).toBe('ReadyForQuery I');
    for (let i = 0; i < 5; i++) expect(await open.ask(query(INSERT))).toContain('ErrorResponse 58030');
    expect(await count()).toBe(before);
    const refused = await stack.psql(INSERT);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain('cannot be written');
    empty(state);
    await until(open, 'CommandComplete INSERT 0 1', 15_000);
    expect(await stack.psql('select 1')).toMatchObject({ exitCode: 0, stdout: '1\n' });
    open.close();
    const verified = await stack.hoopctl(['audit', 'verify', join(state, 'state', 'audit')]);
    expect(verified.exitCode, verified.stdout + verified.stderr).toBe(0);
  });

  test('of the recordings: the same, but on record, and sessions begun since go on', async () => {
    const open = await rawLogin(tunnel);
    fill(recordings);
    const noise = 'select md5(g::text) from generate_series(1, 20000) g';
    for (let i = 0; i < 20; i++) {
      const answer = await open.ask(query(noise));
      if (answer.includes('ErrorResponse 58030')) break;
    }
    const before = await count();
    expect(await open.ask(query(INSERT))).toEqual(['ErrorResponse 58030', 'ReadyForQuery I']);
    expect(await count()).toBe(before);
    const refused = await stack.psql(INSERT);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain('cannot be written');
    empty(recordings);
    await expect.poll(() => stack.psql('select 1'), PATIENCE).toMatchObject({ exitCode: 0, stdout: '1\n' });
    open.close();
  });

  /** Padded, so that the audit's disk is full soon. */
  const INSERT = `insert into t values (2) /* ${'x'.repeat(20_000)} */`;

  async function until(client: RawClient, wanted: string, timeoutMs = 30_000): Promise<string[]> {
    const includes = (answer: readonly string[]) => answer.includes(wanted);
    return eventually(wanted, () => client.ask(query(INSERT)), includes, { withinMs: timeoutMs });
  }
});
