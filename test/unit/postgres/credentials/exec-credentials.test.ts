import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { toHoopError } from '../../../../src/core/errors.ts';
import { readIssued, readRenewed } from '../../../../src/protocols/postgres/credentials/command-answer.ts';
import { credentialsConfig } from '../../../../src/protocols/postgres/credentials/config.ts';
import { TurnsOfCommand } from '../../../../src/protocols/postgres/credentials/turns-of-command.ts';
import { runCommand } from '../../../../src/protocols/stream/run-command.ts';
import { eventually } from '../../../support/waiting.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const SECRET = 'correct-horse-battery';

/** What went wrong, as the operator's log is told. */
function detailOf(error: unknown): string | undefined {
  const { code, message, detail } = toHoopError(error);
  expect([code, message]).toEqual(['ERR_TARGET_CREDENTIAL', 'no credential for the target could be had']);
  return detail;
}

function complaintOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return detailOf(error);
  }
  throw new Error('there was no complaint');
}

describe('what a command printed', () => {
  const login = { user: 'u', password: SECRET };
  const vault = {
    request_id: 'r',
    warnings: null,
    data: { username: 'v-app-1', password: SECRET, extra: 1 },
  };

  it.each([
    ['no lease', login, { id: undefined, endsAt: undefined, renewable: true }],
    [
      'an end in seconds',
      { ...login, lease: { id: 'l', expiresIn: 2.5 } },
      { id: 'l', endsAt: NOW + 2500, renewable: true },
    ],
    [
      'a moment with an offset',
      { ...login, lease: { expiresAt: '2026-03-01T14:00:00+01:00', renewable: false } },
      { id: undefined, endsAt: NOW + 3_600_000, renewable: false },
    ],
    [
      "Vault's shape",
      { ...vault, lease_id: 'database/creds/app/1', lease_duration: 3600, renewable: true },
      { id: 'database/creds/app/1', endsAt: NOW + 3_600_000, renewable: true },
    ],
    [
      "Vault's shape of a static role",
      { ...vault, lease_id: '', lease_duration: 0, renewable: false },
      { id: undefined, endsAt: undefined, renewable: false },
    ],
  ])('is a login with %s', (_, json, term) => {
    const issued = readIssued(` ${JSON.stringify(json)}\n`, NOW);
    expect(issued.term).toEqual(term);
    expect(issued.user).toMatch(/^(u|v-app-1)$/);
    expect(issued.password.expose()).toBe(SECRET);
    expect(JSON.stringify(issued)).not.toContain(SECRET);
  });

  it.each([
    ['nothing', '', 'printed no JSON object'],
    ['a password alone', SECRET, 'printed no JSON object'],
    ['half of it', `{"user":"u","password":"${SECRET}"`, 'printed no JSON object'],
    ['a list', `["${SECRET}"]`, 'printed no JSON object'],
    ['null', 'null', 'printed no JSON object'],
    ['two objects', '{}{}', 'printed no JSON object'],
    ['no user', { password: SECRET }, 'printed JSON without a valid "user"'],
    ['an empty user', { ...login, user: '' }, 'printed JSON without a valid "user"'],
    ['a user with a NUL', { ...login, user: 'a\0b' }, 'printed JSON without a valid "user"'],
    ['a user too long', { ...login, user: 'u'.repeat(64) }, 'printed JSON without a valid "user"'],
    ['no password', { user: 'u' }, 'printed JSON without a valid "password"'],
    ['an empty password', { ...login, password: '' }, 'printed JSON without a valid "password"'],
    ['a password that is a number', { user: 'u', password: 1 }, 'printed JSON without a valid "password"'],
    ['another key', { ...login, [SECRET]: 1 }, 'printed JSON with an unknown key'],
    [
      'another key of a lease',
      { ...login, lease: { ttl: 1 } },
      'printed JSON with an unknown key in "lease"',
    ],
    ['no time', { ...login, lease: { expiresIn: 0 } }, 'printed JSON without a valid "lease.expiresIn"'],
    [
      'a time that is text',
      { ...login, lease: { expiresIn: '1h' } },
      'printed JSON without a valid "lease.expiresIn"',
    ],
    [
      'a time too long',
      { ...login, lease: { expiresIn: 1e12 } },
      'printed JSON without a valid "lease.expiresIn"',
    ],
    [
      'no moment',
      { ...login, lease: { expiresAt: 'soon' } },
      'printed JSON without a valid "lease.expiresAt"',
    ],
    [
      'two ends',
      { ...login, lease: { expiresIn: 1, expiresAt: '2027-01-01T00:00:00Z' } },
      'printed JSON with both "lease.expiresIn" and "lease.expiresAt"',
    ],
    [
      'an end that was',
      { ...login, lease: { expiresAt: '2026-03-01T12:00:00Z' } },
      'gave a lease that was over before',
    ],
    ['no user of Vault', { data: { password: SECRET } }, 'printed JSON without a valid "data.username"'],
  ])('is refused with %s, and not repeated', (_, printed, problem) => {
    const text = typeof printed === 'string' ? printed : JSON.stringify(printed);
    const detail = complaintOf(() => readIssued(text, NOW));
    expect(detail).toBe(`the command ${problem}`);
  });

  it('says of a renewal until when', () => {
    const own = readRenewed('{"lease":{"expiresIn":60}}', NOW);
    expect(own).toEqual({ id: undefined, endsAt: NOW + 60_000, renewable: true });
    const vaults = '{"lease_id":"l","lease_duration":60,"renewable":true,"data":null}';
    expect(readRenewed(vaults, NOW)).toEqual({ id: 'l', endsAt: NOW + 60_000, renewable: true });
  });

  it.each([
    ['no lease', '{}', 'printed JSON without a valid "lease"'],
    ['no end', '{"lease":{}}', 'does not say until when the lease is renewed'],
    ["no time of Vault's", '{"lease_duration":0}', 'does not say until when the lease is renewed'],
  ])('is no renewal with %s', (_, text, problem) => {
    expect(complaintOf(() => readRenewed(text, NOW))).toBe(`the command ${problem}`);
  });
});

describe('a command', () => {
  const shell = (script: string, more: { env?: Record<string, string>; timeoutMs?: number } = {}) =>
    runCommand({
      argv: ['sh', '-c', script, 'sh'],
      env: { PATH: process.env['PATH'] ?? '', ...more.env },
      stdin: '{"version":1}\n',
      timeoutMs: more.timeoutMs ?? 10_000,
    });
  const failure = (run: Promise<string>) =>
    run.then(
      () => 'it did not fail',
      (error: unknown) => detailOf(error),
    );

  it('is told what stands on its standard input, and has the environment that it is given', async () => {
    const printed = await shell('cat; env', { env: { GIVEN: 'x' } });
    const [told, ...variables] = printed.trim().split('\n');
    expect(told).toBe('{"version":1}');
    const names = variables
      .map((line) => line.split('=', 1)[0])
      .filter((name) => name !== '_' && name !== 'PWD');
    expect(names.toSorted()).toEqual(['GIVEN', 'PATH', 'SHLVL'].filter((name) => names.includes(name)));
  });

  it('is run as it is written: no shell reads its words', async () => {
    const argv = ['printf', '%s', '$(id) `id` $HOME ; id'];
    const call = { argv, env: { PATH: process.env['PATH'] ?? '' }, stdin: '', timeoutMs: 10_000 };
    expect(await runCommand(call)).toBe('$(id) `id` $HOME ; id');
  });

  it.each([
    ['fails', 'exit 3', 'exited with code 3'],
    [
      'fails with a word',
      'echo "permission denied" >&2; echo more >&2; exit 2',
      'exited with code 2: permission denied',
    ],
    ['is ended', 'kill -TERM $$', 'was ended by SIGTERM'],
    ['prints too much', 'head -c 70000 /dev/zero', 'printed more than 64 KiB'],
    ['prints for ever', 'yes', 'printed more than 64 KiB'],
  ])('that %s is told of', async (_, script, problem) => {
    expect(await failure(shell(script))).toBe(`the command ${problem}`);
  });

  it('that is not there is told of', async () => {
    const call = { env: {}, stdin: '', timeoutMs: 1000 };
    const missing = failure(runCommand({ ...call, argv: ['/nonexistent/program'] }));
    expect(await missing).toBe('the command could not be started (ENOENT)');
    const directory = failure(runCommand({ ...call, argv: ['/'] }));
    expect(await directory).toBe('the command could not be started (EACCES)');
  });

  it('has no word of its output or environment in what the log is told, nor anything that a terminal obeys', async () => {
    const script = `echo '{"password":"${SECRET}"}'; printf 'token %s for ${SECRET} \\033[2J\\342\\200\\256 end\\n' "$TOKEN" >&2; exit 1`;
    expect(await failure(shell(script, { env: { TOKEN: 'hvs.0123456789' } }))).toBe(
      'the command exited with code 1: token *** for *** ?[2J? end',
    );
    const long = await failure(shell('head -c 9000 /dev/zero | tr "\\0" x >&2; exit 1'));
    expect(long?.length).toBeLessThan(300);
  });

  /** Or dead, and not fetched yet by whoever inherited it. */
  const isGone = (pid: number) => {
    try {
      return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    } catch {
      return true;
    }
  };

  it('that hangs is killed in time, with all that it has started', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'hoop-exec-')), 'pid');
    const script = `sleep 300 & echo $! > ${file}; sleep 300`;
    expect(await failure(shell(script, { timeoutMs: 1000 }))).toBe('the command was not done within 1000 ms');
    const pid = Number(readFileSync(file, 'utf8'));
    expect(pid).toBeGreaterThan(1);
    await eventually('it is gone', () => isGone(pid));
    rmSync(dirname(file), { recursive: true });
  });

  it('is done when its program is: what it leaves running is killed', async () => {
    const pid = Number(await shell('sleep 300 & echo $!'));
    await eventually('it is gone', () => isGone(pid));
  });

  it('need not read what it is told', async () => {
    expect(await shell('exec <&-; echo done')).toBe('done\n');
  });
});

describe('turns of a command', () => {
  it('let so many run at once, and refuse who waits too long', async () => {
    const turns = new TurnsOfCommand(200);
    const { promise: done, resolve } = Promise.withResolvers<void>();
    let running = 0;
    const hang = () =>
      turns.run(async () => {
        running++;
        await done;
      });
    const all = Array.from({ length: 17 }, hang);
    const refused = await all.at(-1)?.catch(detailOf);
    expect(refused).toBe('the command had no turn within 200 ms: 16 of it run');
    expect(running).toBe(16);
    const next = hang();
    resolve();
    await Promise.all([...all.slice(0, 16), next]);
    expect(running).toBe(17);
  });
});

describe('exec in the configuration', () => {
  const read = (written: unknown) => credentialsConfig('/etc/hoopd').safeParse(written);
  const command = ['vault', 'read', '-format=json', 'database/creds/app'];

  it('is a program with its arguments, by its name or from the configuration’s directory', () => {
    expect(read({ exec: { command } }).data).toEqual({
      kind: 'exec',
      exec: { command, timeout: 10_000, env: [] },
    });
    const written = {
      command,
      renew: ['./renew'],
      revoke: ['bin/revoke', './x'],
      timeout: '3s',
      env: ['HOME'],
    };
    expect(read({ exec: written, role: 'app' }).data).toEqual({
      kind: 'exec',
      exec: {
        command,
        renew: ['/etc/hoopd/renew'],
        revoke: ['/etc/hoopd/bin/revoke', './x'],
        timeout: 3000,
        env: ['HOME'],
      },
      role: 'app',
    });
  });

  it.each([
    [{ exec: { command }, user: 'hoop' }, ['user'], /^stands beside exec; remove one/],
    [{ exec: { command }, password: { env: 'X' } }, ['password'], /^stands beside exec; remove one/],
    [{ exec: { command: 'vault read' } }, ['exec', 'command'], /^expected a program and its arguments/],
    [{ exec: { command: [] } }, ['exec', 'command'], /^expected a program/],
    [{ exec: { command: [''] } }, ['exec', 'command'], /^expected a program/],
    [{ exec: {} }, ['exec', 'command'], /^is missing; write a list/],
    [{ exec: { command, timeout: '1h' } }, ['exec', 'timeout'], /^expected a duration 1s…2m/],
    [{ exec: { command, env: ['A=b'] } }, ['exec', 'env', 0], /^expected a variable's name/],
  ])('complains of %j', (written, path, message) => {
    const { error } = read(written) as { error: z.ZodError };
    expect(error.issues).toContainEqual(
      expect.objectContaining({ path, message: expect.stringMatching(message) }),
    );
  });
});
