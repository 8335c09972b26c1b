import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller, RunningGateway } from '../support/running-gateway.ts';
import { freshKey } from '../support/ssh/fresh-key.ts';
import { gatewayBefore } from '../support/ssh/gateway.ts';
import { SshLocalEnd } from '../support/ssh/local-end.ts';
import { type Sshd, startSshd } from '../support/ssh/sshd.ts';
import { eventually } from '../support/waiting.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"ssh", Action::"reveal"], resource);
@id("no-rm") forbid (principal, action == Action::"ssh.exec", resource) when { resource.program == "rm" };
@id("no-shell-syntax") forbid (principal, action == Action::"ssh.exec", resource) when { resource.text like "*no-such*" };
@id("no-scripts") forbid (principal, action == Action::"ssh.exec", resource) when { resource.takesCommands && !resource.shell };
@id("no-files-of-others") forbid (principal, action in Action::"sftp", resource is Path) when { resource.segments.contains("others") };
@id("ask-first") @approval("boss") forbid (principal, action == Action::"ssh.exec", resource)
when { resource.program == "reboot" } unless { context.approvals.contains("boss") };
`;

let sshd: Sshd;
let running: RunningGateway;
let caller: Caller;
let local: SshLocalEnd;

beforeAll(async () => {
  sshd = await startSshd();
  running = await gatewayBefore(sshd, POLICY, 'approvals: { wait: 1s }');
  caller = await running.person(['developers'], { agent: 'copilot' });
  local = await SshLocalEnd.open(caller, 'host-1');
});

afterAll(async () => {
  local?.close();
  await running?.remove();
  await sshd?.stop();
});

const ssh = (...args: string[]) => local.ssh(['me@127.0.0.1', ...args]);

describe("OpenSSH's client through hoopd", () => {
  it('gets output, errors and exit code as they are', async () => {
    expect(await ssh('echo out; echo err >&2; exit 3')).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('sends its standard input, to its end', async () => {
    const input = 'x'.repeat(3_000_000);
    const ran = await local.ssh(['me@127.0.0.1', 'cat'], input);
    expect(ran.code).toBe(0);
    expect(ran.stdout.length).toBe(input.length);
  });

  it('cannot have done by its input what its words do not say', async () => {
    const marker = join(sshd.directory, 'by-input');
    const script = `touch ${marker}\n`;
    for (const command of [['sh'], ['/bin/bash', '-s'], ['env', 'sh'], ['python3', '-'], ['sudo', '-s']]) {
      const ran = await local.ssh(['me@127.0.0.1', ...command], script);
      expect([ran.code, existsSync(marker)], command.join(' ')).toEqual([126, false]);
      expect(ran.stderr).toContain('"rule":"no-scripts"');
    }
    // The same by its words, and by a shell's.
    expect((await ssh('sh', '-c', `"touch ${marker}"`)).code).toBe(0);
    expect(existsSync(marker)).toBe(true);
    rmSync(marker);
    expect((await local.ssh(['me@127.0.0.1', 'cat | sh'], script)).code).toBe(0);
    expect(existsSync(marker)).toBe(true);
  });

  it('is told why what is denied is denied, and ends with 126', async () => {
    const ran = await ssh('rm', '-rf', '/nonexistent');
    expect(ran.code).toBe(126);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(
      /^hoop: ERR_DENIED: ssh.exec on .* is denied by rule "no-rm"\nhoop: \{"rule":"no-rm",.*\}\n$/,
    );
  });

  it('is told by what it runs why its agent is not forwarded, and why the host listens for nobody', async () => {
    const agent = spawn('ssh-agent', ['-D', '-a', join(local.directory, 'agent')], { stdio: 'ignore' });
    await eventually('an agent', () => existsSync(join(local.directory, 'agent')));
    const ran = await local.ssh([
      ...['-A', '-o', `IdentityAgent=${join(local.directory, 'agent')}`],
      'me@127.0.0.1',
      'echo',
      'ran',
    ]);
    agent.kill();
    expect(ran).toMatchObject({ code: 0, stdout: 'ran\n' });
    const rule = '\nhoop: {"rule":"forwarding-not-carried",';
    expect(ran.stderr).toContain(`hoop: ERR_UNSUPPORTED: refused: agents are not forwarded${rule}`);
    const listened = await local.ssh(['-R', '8080:127.0.0.1:1', 'me@127.0.0.1', 'echo', 'ran']);
    expect(listened).toMatchObject({ code: 0, stdout: 'ran\n' });
    expect(listened.stderr).toContain(`its resource has no session.listens${rule}`);
    expect(listened.stderr.match(/ERR_UNSUPPORTED/g)).toHaveLength(1);
    expect((await ssh('echo', 'ran')).stderr).toBe('');
  });
});

const read = (key: string | Buffer) => ssh2.utils.parseKey(key) as ssh2.ParsedKey;
const anyKey = () => read(freshKey().text);

/** Shows the tunnel's public key, and signs with one of its own: somebody who read the key's public half. */
class Pretender extends ssh2.BaseAgent {
  readonly #key: ssh2.ParsedKey;
  constructor(key: ssh2.ParsedKey) {
    super();
    this.#key = key;
  }
  override getIdentities(callback: (error?: Error | null, keys?: ssh2.ParsedKey[]) => void): void {
    callback(null, [read(readFileSync(join(local.directory, 'key.pub')))]);
  }
  override sign(
    _key: unknown,
    data: Buffer,
    options: unknown,
    callback?: (error?: Error | null, signature?: Buffer) => void,
  ): void {
    const done = (typeof options === 'function' ? options : callback) as typeof callback;
    done?.(null, this.#key.sign(data) as Buffer);
  }
}

describe('who does not hold the key of the tunnel', () => {
  const logIn = (how: ssh2.ConnectConfig) =>
    new Promise<string>((resolve) => {
      const client = new ssh2.Client();
      client.on('ready', () => resolve('in')).on('error', ({ message }) => resolve(message));
      client.connect({ host: '127.0.0.1', port: local.port, username: 'me', ...how });
      client.on('close', () => resolve('closed')).once('ready', () => client.end());
    });

  it.each<[string, () => ssh2.ConnectConfig]>([
    ['as a file', () => ({ privateKey: local.key })],
    ['in an agent', () => ({ agent: new Pretender(read(local.key)) })],
  ])('(who does gets in, %s)', async (_, how) => {
    expect(await logIn(how())).toBe('in');
  });

  it.each<[string, () => ssh2.ConnectConfig]>([
    ['nothing', () => ({})],
    ['a password', () => ({ password: 'hunter2' })],
    ['answers to questions', () => ({ tryKeyboard: true })],
    ['another key', () => ({ privateKey: sshd.text('user') })],
    ['its public half alone', () => ({ agent: new Pretender(anyKey()) })],
  ])('does not get in with %s', async (_, how) => {
    expect(await logIn(how())).toMatch(/authentication|closed/i);
  });
});

describe("OpenSSH's sftp and scp through hoopd", () => {
  let files = '';
  beforeAll(() => {
    files = realpathSync(mkdtempSync(join(tmpdir(), 'hoop-files-')));
    mkdirSync(join(files, 'others'));
    writeFileSync(join(files, 'others', 'key'), 'the key of others');
    symlinkSync('others/key', join(files, 'link'));
  });
  afterAll(() => rmSync(files, { recursive: true }));

  const place = (name: string) => join(files, name);
  const sftp = (...lines: string[]) =>
    local.run('sftp', ['-q', '-b', '-', '-P', String(local.port), 'me@127.0.0.1'], `${lines.join('\n')}\n`);
  const scp = (from: string, to: string) => local.run('scp', ['-P', String(local.port), from, to]);

  it('copies both ways, unchanged', async () => {
    const data = randomBytes(3_000_000);
    writeFileSync(place('big'), data);
    const put = await sftp(`put ${place('big')} ${place('put')}`, `rename ${place('put')} ${place('named')}`);
    expect([put.code, put.stderr]).toEqual([0, '']);
    expect(await scp(`me@127.0.0.1:${place('named')}`, place('got'))).toMatchObject({ code: 0 });
    const hashes = ['named', 'got'].map((name) =>
      createHash('sha256')
        .update(readFileSync(place(name)))
        .digest('hex'),
    );
    expect(new Set(hashes)).toEqual(new Set([createHash('sha256').update(data).digest('hex')]));
  });

  it('lists, makes and removes', async () => {
    const ran = await sftp(`mkdir ${place('new')}`, `ls -l ${files}`, `rmdir ${place('new')}`, `ls ${files}`);
    expect(ran.code).toBe(0);
    expect(ran.stdout.match(/^d.*new$/gm)).toHaveLength(1);
  });

  it('is told that what is denied is denied, under whatever name it is asked for', async () => {
    for (const name of ['others/key', 'link', 'others/../link', './others/./key']) {
      const ran = await sftp(`get ${files}/${name} ${place('stolen')}`);
      expect([ran.code, existsSync(place('stolen'))]).toEqual([1, false]);
      expect(ran.stderr).toContain('"rule":"no-files-of-others"');
    }
    const ran = await sftp(`rm ${place('others/key')}`);
    expect([ran.code, readFileSync(place('others/key'), 'utf8')]).toEqual([1, 'the key of others']);
  });
});
