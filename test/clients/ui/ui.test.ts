/** The terminal UI as a person meets it: keys go into a real terminal, a real hoopd is behind it, and the screen is looked at. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOOPCTL_MAIN } from '../../support/run-hoopctl.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED, type Stack, startStack } from '../../support/stack.ts';
import { readQr } from '../../support/ui/read-qr.ts';
import { LARGE, Screen, SMALL } from '../../support/ui/screen.ts';
import { eventually } from '../../support/waiting.ts';

const run = promisify(execFile);

const POLICY = `${GUARDED}
@id("answer") permit (principal is Person, action == Action::"approval.grant", resource);
@id("ddl") permit (principal, action in [Action::"sql.ddl"], resource);
@id("schema-changes-are-reviewed") @approval("dba") @reason("schema changes are reviewed")
forbid (principal, action in [Action::"sql.ddl"], resource) unless { context.approvals.contains("dba") };`;

let stack: Stack;
let ada: Record<string, string>;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hoop-ui-'));
  stack = await startStack({ policy: POLICY, sql: ATTACK_FIXTURE, columns: ATTACK_COLUMNS });
  ada = { ...(await stack.person('ada', ['--agent', 'copilot'])), HOOPCTL_SECRET_STORE: 'file' };
  await sql(
    'SELECT name, email FROM customers',
    'SELECT \'a\u202eb\' AS "x\x1b[31m"',
    'DELETE FROM orders',
    'SELECT count(*) FROM orders',
  );
});

afterAll(async () => {
  await stack?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** What ada's agent runs, one after the other, whatever becomes of each. */
async function sql(...statements: readonly string[]): Promise<void> {
  const each = statements.flatMap((one) => ['-c', one]);
  await stack.hoopctl(['connect', 'pg', '--', 'psql', '-X', '-w', '-q', ...each], ada);
}

const golden = (name: string) => join(import.meta.dirname, 'frames', `${name}.txt`);

describe('the feed', () => {
  test('shows operations as they come, searches as one types, and says why', async () => {
    const screen = await Screen.open(ada);
    try {
      await screen.sees('online');
      await screen.press('2');
      const small = await screen.frame(/deny +copilot .*DELETE FROM orders|DELETE FROM orders/, 'live');
      await expect(small).toMatchFileSnapshot(golden('feed-80x24'));
      expect(await screen.terminal.screen()).toMatch(/^ all .*[▁▂▃▄▅▆▇█]/m);
      await screen.terminal.resize(LARGE);
      await screen.press('Down', 'Down');
      await expect(await screen.frame('│ event', 'x\\x1b[31m')).toMatchFileSnapshot(golden('feed-140x40'));
      await screen.press('Up');
      const title = 'hoopctl ui: live operations with their decisions, and why one was refused';
      await screen.picture('ui', title, '│ event', '42501');
      await screen.terminal.resize(SMALL);
      await screen.press('/');
      await screen.type('outcome:fail');
      await screen.sees('1 of 1', /DELETE FROM orders/);
      await screen.press('Enter', 'Enter');
      await expect(await screen.frame('rule', 'outcome', '42501')).toMatchFileSnapshot(golden('event-80x24'));
      await screen.terminal.resize(LARGE);
      await expect(await screen.frame('rule', 'outcome', '42501')).toMatchFileSnapshot(
        golden('event-140x40'),
      );
      await screen.terminal.resize(SMALL);
      await screen.sees('42501');
      await screen.press('Escape');
      await screen.sees('▸ ', 'filter outcome:fail');
      await screen.press('Escape');
      await screen.sees('live', 'SELECT name, email');
      await screen.terminal.paste('q\n');
      await screen.sees('press / or : first');
      await sql('SELECT 4711');
      await screen.sees('SELECT 4711');
      await sql("SELECT '日本語 한국어 👩\u200d👧 e\u0301'");
      await screen.sees('日本語');
      await screen.press('Down', 'Down', 'Up', 'G', 'g', 'Down');
      const inParts = await screen.frame('日本語', /^▸ /m);
      await screen.terminal.resize(LARGE);
      await screen.sees('│ event');
      await screen.terminal.resize(SMALL);
      expect(await screen.frame('日本語', /^▸ /m)).toBe(inParts);
    } finally {
      await screen.stop();
    }
  });
});

describe('resources', () => {
  test('are listed at once by hoopctl alone, in any window; a tunnel is opened, copied, used and closed by keys', async () => {
    const screen = await Screen.open(ada);
    try {
      await expect(await screen.frame('▸ pg ', 'online')).toMatchFileSnapshot(golden('resources-80x24'));
      await screen.press('?');
      await expect(await screen.frame('On the screen Resources', '↑↓ read')).toMatchFileSnapshot(
        golden('help-80x24'),
      );
      await screen.terminal.resize(LARGE);
      await expect(await screen.frame('On the screen Resources', '↑↓ read')).toMatchFileSnapshot(
        golden('help-140x40'),
      );
      await screen.terminal.resize(SMALL);
      await screen.press('?');
      await screen.sees('▸ pg ');
      await screen.press('o');
      await screen.sees('pg is ready on 127.0.0.1:');
      await screen.press('c');
      await screen.sees('connection string copied');
      const url = await screen.terminal.copied();
      const psql = () => run('psql', ['-X', '-At', '-c', 'SELECT email FROM customers WHERE id = 1', url]);
      expect((await psql()).stdout).toMatch(/^\S*\*\S*\n$/);
      await screen.terminal.resize(LARGE);
      await screen.sees(/│ connection string/);
      await screen.press('x');
      await screen.sees('the tunnel is closed');
      await expect(psql()).rejects.toThrow(/refused/i);
      await screen.press('Escape');
      await expect(await screen.frame('│ no tunnel', 'by policy')).toMatchFileSnapshot(
        golden('resources-140x40'),
      );
      const title = 'hoopctl ui: what may be reached, and what may be done there';
      await screen.picture('ui-resources', title, '│ no tunnel', 'by policy');
      await screen.press('q');
      expect(await screen.sees('at-home$')).not.toContain('Resources');
      await screen.type('stty -a | tr " " "\\n" | grep -x -e echo -e icanon');
      await screen.press('Enter');
      await screen.sees('echo\n', 'icanon\n');
    } finally {
      await screen.stop();
    }
  });
});

describe('approvals', () => {
  test('are decided on the spot, once that is allowed, and for exactly what was read', async () => {
    const otto = { ...(await stack.person('otto')), HOOPCTL_SECRET_STORE: 'file' };
    const screen = await Screen.open(otto);
    try {
      await screen.sees('online');
      await screen.press('3');
      await screen.sees('Nothing waits for approval');
      const ddl = 'CREATE TABLE notes (v int)';
      const job = stack.start(
        ['connect', 'pg', '--reason', 'ticket 4711', '--', 'psql', '-X', '-w', '-q', '-c', ddl],
        ada,
      );
      const listed = await screen.frame('3 Approvals (1)', 'CREATE TABLE');
      await expect(listed).toMatchFileSnapshot(golden('approvals-80x24'));
      await screen.terminal.resize(LARGE);
      const beside = await screen.frame('│ request', 'values masked');
      await expect(beside).toMatchFileSnapshot(golden('approvals-140x40'));
      await screen.terminal.resize(SMALL);
      await screen.sees('1 of 1');
      await screen.press('Enter');
      await expect(await screen.frame('ticket 4711', 'exactly:')).toMatchFileSnapshot(
        golden('approval-80x24'),
      );
      await screen.terminal.resize(LARGE);
      await expect(await screen.frame('ticket 4711', 'exactly:')).toMatchFileSnapshot(
        golden('approval-140x40'),
      );
      await screen.terminal.resize(SMALL);
      await screen.sees('ticket 4711');
      await screen.press('Escape');
      await screen.sees('LEFT');
      await screen.press('a');
      await screen.sees('read-only: press W first');
      await screen.press('W', 'a');
      await screen.sees('there is more below');
      await screen.press('y');
      await screen.sees('read to the end first');
      await screen.press('G');
      await screen.sees('Approve exactly this?', `  | ${ddl}`);
      await screen.press('y');
      await screen.sees(/apr_\w+: approved/);
      expect(await job.finished).toMatchObject({ exitCode: 0 });
      const second = stack.start(
        ['connect', 'pg', '--', 'psql', '-X', '-w', '-q', '-c', 'CREATE TABLE more (v int)'],
        ada,
      );
      await screen.sees('CREATE TABLE more');
      await screen.terminal.resize(LARGE);
      await screen.press('d');
      await screen.sees('Deny this?');
      await screen.press('r');
      await screen.type('use notes');
      await screen.press('Enter');
      await screen.sees('reason: use notes', 'Deny this?');
      await screen.press('y');
      await screen.sees(/apr_\w+: denied/);
      expect((await second.finished).stderr).toContain('use notes');
    } finally {
      await screen.stop();
    }
  });
});

describe('sessions', () => {
  test('are listed, read and played', async () => {
    const screen = await Screen.open(ada, { args: 'ui' });
    try {
      await screen.sees('online');
      await screen.press('4');
      await screen.sees(/▸ .*copilot/);
      const { stdout } = await stack.hoopctl(['session', 'list', '--json'], ada);
      const { id } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { id: string };
      await screen.type(`/${id}`);
      await screen.sees('1 of 1');
      await screen.press('Enter');
      await expect(await screen.frame('filter ses_', '1 of 1')).toMatchFileSnapshot(golden('sessions-80x24'));
      await screen.terminal.resize(LARGE);
      await expect(await screen.frame('│ session')).toMatchFileSnapshot(golden('sessions-140x40'));
      await screen.terminal.resize(SMALL);
      await screen.sees(/▸ .*copilot/, 'filter ses_');
      await screen.press('Enter');
      const text = await screen.frame('4 asked', '> SELECT name, email FROM customers', 'refused');
      await expect(text).toMatchFileSnapshot(golden('transcript-80x24'));
      await screen.terminal.resize(LARGE);
      await expect(
        await screen.frame('4 asked', '> SELECT name, email FROM customers', 'refused'),
      ).toMatchFileSnapshot(golden('transcript-140x40'));
      await screen.terminal.resize(SMALL);
      await screen.sees('4 asked');
      await screen.press('p');
      await screen.sees('-- end of the session', 'any key goes back');
      await screen.press('x');
      await screen.sees('[4 Sessions]', 'line 1 of');
      await screen.press('Escape');
      await screen.sees('[4 Sessions]', /▸ .*copilot/);
    } finally {
      await screen.stop();
    }
  });
});

describe('a session that lives', () => {
  test('is watched as it goes on, as text and drawn, and what strangers made it show does no harm', async () => {
    const screen = await Screen.open(ada);
    const psql = stack.start(['connect', 'pg', '--', 'psql', '-X', '-w', '-q', '-At'], ada);
    const ask = (sql: string) => psql.child.stdin!.write(`${sql};\n`);
    try {
      ask("SELECT 'one-' || 1");
      await psql.until(/one-1/);
      await screen.sees('online');
      await screen.press('4');
      await screen.sees(/▸ .* live /);
      const { stdout } = await stack.hoopctl(['session', 'list', '--json'], ada);
      const { id } = JSON.parse(stdout.split('\n')[0]!) as { id: string };
      const follow = stack.start(['session', 'replay', id, '--follow', '--json'], ada);
      await follow.until(/one-1/);
      await screen.press('Enter');
      await screen.sees('live', 'one-1', '1 asked');
      ask(String.raw`SELECT E'\x1b]52;c;aGFja2Vk\x07\x1b]0;owned\x07\x1b[2J\u202e', repeat('wide ', 2000)`);
      ask("SELECT email, 'two-' || 2 FROM customers WHERE id = 1");
      const shown = await screen.sees('two-2', '[4 Sessions]', '3 asked');
      expect(shown).not.toMatch(/ann@example\.com/);
      await screen.press('g');
      await screen.sees('\\x1b]52;c;aGFja2Vk\\x07\\x1b]0;owned\\x07\\x1b[2J\\u202e', '[4 Sessions]');
      await screen.press('p');
      await screen.sees('two-2');
      ask("SELECT 'three-' || 3");
      await screen.sees('three-3');
      await screen.press('q');
      await screen.sees('[4 Sessions]');
      await screen.press('G');
      psql.child.stdin!.end();
      await screen.sees('three-3', 'end of the session');
      await expect(screen.terminal.copied()).rejects.toThrow();
      expect(await follow.finished).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('three-3'),
      });
    } finally {
      psql.child.kill('SIGTERM');
      await screen.stop();
    }
  });
});

describe('the mouse', () => {
  test('scrolls and chooses once it is asked to, and half of what it sends is no key', async () => {
    const screen = await Screen.open(ada, { args: 'ui --mouse' });
    try {
      await screen.sees('▸ pg ', 'online');
      expect(await screen.terminal.modes()).toBe('mouse alternate');
      await screen.type('\x1b[<0;18;1M\x1b[<0;18;1m');
      await screen.sees('[2 Feed]', 'live');
      await screen.type('\x1b[<0;10;8M');
      await screen.sees(/^(?:.*\n){7}▸ /);
      await screen.type('\x1b[<4;4');
      await screen.type('4;44\x1b[<0;30;1M');
      await screen.sees('[3 Approvals]');
      await screen.press('?');
      await screen.sees('On the screen Approvals');
      await screen.type('\x1b[<65;5;5M');
      expect(await screen.sees('log in, where the login')).not.toContain('On the screen Approvals');
      await screen.press('Escape');
      await screen.sees('Nothing waits for approval');
      await screen.press('m');
      await screen.sees('the mouse is the terminal’s again');
      expect(await screen.terminal.modes()).toBe('alternate');
      await screen.type('\x1b[<0;18;1M');
      await screen.press('4');
      await screen.sees('[4 Sessions]');
    } finally {
      await screen.stop();
    }
  });

  test('is the terminal’s again when the shell is back, be it for a while, at the end or after a crash', async () => {
    const crash = join(directory, 'crash.mjs');
    const pid = join(directory, 'pid');
    writeFileSync(
      crash,
      `import { writeFileSync } from 'node:fs';
       writeFileSync('${pid}', String(process.pid));
       process.on('SIGUSR2', () => { throw new Error('crashed'); });`,
    );
    const screen = await Screen.open({ ...ada, NODE_OPTIONS: `--import=${crash}` }, { args: 'ui --mouse' });
    try {
      await screen.sees('▸ pg ', 'online');
      await screen.press('C-z');
      await screen.sees(/at-home\$\s*$/, /Stopped|Suspended/);
      expect(await screen.terminal.modes()).toBe('cursor');
      await screen.type('fg');
      await screen.press('Enter');
      await screen.sees('▸ pg ', 'online');
      expect(await screen.terminal.modes()).toBe('mouse alternate');
      await screen.press('4');
      await screen.sees(/▸ .*copilot/);
      await screen.press('p');
      await screen.sees('-- end of the session');
      expect(await screen.terminal.modes()).not.toContain('mouse');
      await screen.press('x');
      await screen.sees('[4 Sessions]');
      process.kill(Number(readFileSync(pid, 'utf8')), 'SIGUSR2');
      await screen.sees('hoopctl: internal error: crashed', /at-home\$\s*$/);
      expect(await screen.terminal.modes()).toBe('cursor');
    } finally {
      await screen.stop();
    }
  });
});

describe('what goes wrong', () => {
  test('a gateway that goes away freezes nothing, and is found again', async () => {
    const screen = await Screen.open(ada);
    try {
      await screen.sees('▸ pg ', 'online');
      await stack.hoopd.stop();
      await screen.sees('✗ offline', 'again in', '▸ pg ');
      await screen.press('?');
      await screen.sees('Everywhere');
      await screen.press('Escape');
      await stack.restart();
      await screen.press('r');
      await screen.sees('● online', '▸ pg ');
    } finally {
      await screen.stop();
    }
  });

  test('one logs in from inside', async () => {
    const env = { ...ada, HOOPCTL_CONFIG_DIR: join(directory, 'nobody') };
    const screen = await Screen.open(env);
    try {
      await expect(await screen.frame('You are not logged in')).toMatchFileSnapshot(
        golden('logged-out-80x24'),
      );
      await screen.terminal.resize(LARGE);
      await expect(await screen.frame('You are not logged in')).toMatchFileSnapshot(
        golden('logged-out-140x40'),
      );
      await screen.terminal.resize(SMALL);
      await screen.sees('You are not logged in');
      await screen.press('L');
      const shown = await screen.sees(/user_code=[A-Z]{4}-[A-Z]{4}/, '█');
      const code = /user_code=([A-Z-]+)/.exec(shown)![1]!;
      await screen.sees('In a larger window there is a QR code');
      await screen.terminal.resize(LARGE);
      const scanned = await eventually(
        () => 'no decoder reads a QR code on the screen',
        async () => readQr(await screen.terminal.screen()),
        (text) => text !== undefined,
      );
      expect(scanned).toMatch(new RegExp(`^https?://.*user_code=${code}$`));
      await stack.people.approve(code, 'ada');
      await screen.sees('▸ pg ', 'online', 'ada@example.com');
    } finally {
      await screen.stop();
    }
  });

  test('D8: without colours, in a small window, and on what is no terminal', async () => {
    const screen = await Screen.open({ ...ada, NO_COLOR: '1' });
    try {
      await screen.sees('▸ pg ');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are sequences.
      expect(await screen.terminal.screen(true)).not.toMatch(/\x1b\[[\d;]*\b(3|4|9)\d\b/);
      await screen.terminal.resize({ columns: 20, rows: 5 });
      await screen.sees('20×5 is too small');
      await screen.terminal.resize({ columns: 220, rows: 12 });
      await screen.sees('▸ pg ');
      await screen.press('C-c');
      await screen.sees('at-home$');
      await screen.type(`clear; TERM=dumb ${process.execPath} ${HOOPCTL_MAIN} ui; echo code $?`);
      await screen.press('Enter');
      await screen.sees('needs a terminal, and TERM says dumb', 'code 64');
    } finally {
      await screen.stop();
    }
    expect(await stack.hoopctl(['ui'], ada)).toMatchObject({ exitCode: 64, stdout: '' });
    expect(await stack.hoopctl([], ada)).toMatchObject({ exitCode: 64, stdout: '' });
  });
});
