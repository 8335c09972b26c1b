import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALLOW_ALL, pgEnv, type Stack, startStack } from '../support/stack.ts';
import { timePasses } from '../support/waiting.ts';

interface Found {
  readonly type: string;
  readonly operation?: string;
  readonly session?: string;
  readonly text?: string;
  readonly outcome?: string;
}

let stack: Stack;
let auditor: Record<string, string>;

beforeAll(async () => {
  stack = await startStack({
    policy: ALLOW_ALL,
    superuser: true,
    settings: { log_statement: 'all', log_line_prefix: '%m [%p] %a ' },
  });
  auditor = await stack.person('otto');
});

afterAll(() => stack?.stop());

/** How often each statement stands in PostgreSQL's own log, the gateway's own questions left out. */
function logged(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of readFileSync(stack.postgres.logFile, 'utf8').split('\n')) {
    const found =
      /\] (\S+) LOG: {2}(?:statement|execute [^:]*): (UPDATE|INSERT|SELECT abalance|BEGIN|END)(.*)$/.exec(
        line,
      );
    if (found?.[1] !== 'pgbench') continue;
    const text = `${found[2]}${found[3]}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}

async function search(...args: string[]): Promise<Found[]> {
  const found = await stack.hoopctl(['audit', 'search', '--json', ...args], auditor);
  expect(found.stderr).toBe('');
  expect(found.exitCode).toBe(0);
  return found.stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Found);
}

describe('kill -9 of hoopd under load', () => {
  test('every statement that PostgreSQL logged has its event; the chain verifies; the recording replays; it serves again', async () => {
    const tunnel = await stack.tunnel();
    const env = pgEnv(tunnel);
    const prepare = spawn('pgbench', ['-i', '-q', '-s', '1'], { env, stdio: 'ignore' });
    await new Promise((resolve) => prepare.once('exit', resolve));
    const load = spawn('pgbench', ['-n', '-c', '4', '-T', '30', '-M', 'prepared'], { env, stdio: 'ignore' });
    const ended = new Promise((resolve) => load.once('exit', resolve));
    await timePasses(4000, 'a load that has come up to speed');
    stack.hoopd.child.kill('SIGKILL');
    const killedAt = Date.now();
    await stack.hoopd.exited;
    await ended;
    await tunnel.close();
    // The server notices that its clients are gone by itself; then nothing is added to its log any more.
    await timePasses(1500, 'nothing more may be added to the log');

    await stack.restart();
    expect(await stack.psql('select 1')).toMatchObject({ stdout: '1\n', stderr: '', exitCode: 0 });

    const statements = logged();
    expect([...statements.values()].reduce((a, b) => a + b, 0)).toBeGreaterThan(100);
    const events = await allDecided();
    for (const [text, count] of statements) {
      expect(events.get(text) ?? 0, text).toBeGreaterThanOrEqual(count);
    }

    const verified = await stack.hoopctl(['audit', 'verify', '--json'], auditor);
    expect(verified.stderr).toBe('');
    expect(verified.exitCode).toBe(0);

    const sessions = await stack.hoopctl(['session', 'list', '--json'], auditor);
    const interrupted = sessions.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter((one) => one.endReason === 'interrupted');
    expect(interrupted.length).toBeGreaterThanOrEqual(4);
    const replay = await stack.hoopctl(['session', 'replay', interrupted[0].id, '--json'], auditor);
    expect(replay.exitCode).toBe(0);
    const frames = replay.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(frames.at(-1)).toMatchObject({ kind: 'end', complete: false });
    const lastShown = Date.parse(interrupted[0].startedAt) + frames.at(-2).atMs;
    expect(killedAt - lastShown).toBeLessThan(1000);
  });
});

/** How often each text was decided, over all pages of the search. */
async function allDecided(): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const event of await search('--type', 'operation.decided', '--limit', '100000')) {
    if (event.text !== undefined) counts.set(event.text, (counts.get(event.text) ?? 0) + 1);
  }
  return counts;
}
