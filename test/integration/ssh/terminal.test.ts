import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import ssh2, { type ClientChannel } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRecordingStore } from '../../../src/recording/file-store.ts';
import { cannot } from '../../support/cannot.ts';
import type { RunningGateway } from '../../support/running-gateway.ts';
import { gatewayBefore } from '../../support/ssh/gateway.ts';
import { SshLocalEnd } from '../../support/ssh/local-end.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { eventually } from '../../support/waiting.ts';

let sshd: Sshd;
let running: RunningGateway;
let local: SshLocalEnd;

beforeAll(async () => {
  sshd = await startSshd();
  running = await gatewayBefore(
    sshd,
    `@id("all") permit (principal, action in [Action::"connect", Action::"ssh", Action::"reveal"], resource);`,
  );
  local = await SshLocalEnd.open(await running.person(['developers'], { agent: 'copilot' }), 'host-1');
});

afterAll(async () => {
  local?.close();
  await running?.remove();
  await sshd?.stop();
});

const SECRET = 'Tr0ub4dor-and-3';

/** What stands in a recording, by kind, when its session has ended. */
async function recorded(session: string): Promise<Map<string, string>> {
  await eventually('the session has ended', () => running.gateway.sessions.size === 0);
  const store = openRecordingStore(join(running.dir, 'recordings'), { now: Date.now });
  const kinds = new Map<string, string>();
  for await (const item of (await store.read(session))!) {
    const text = 'bytes' in item ? item.bytes.toString() : 'text' in item ? item.text : '';
    kinds.set(item.kind, `${kinds.get(item.kind) ?? ''}${text}`);
  }
  return kinds;
}

/** A command in a terminal, at which somebody types when there is something to answer. */
class Terminal {
  readonly #client: ssh2.Client;
  readonly #channel: ClientChannel;
  screen = '';

  private constructor(client: ssh2.Client, channel: ClientChannel) {
    this.#client = client;
    this.#channel = channel;
    channel.on('data', (chunk: Buffer) => (this.screen += chunk.toString()));
  }

  static async open(command: string): Promise<Terminal> {
    const client = new ssh2.Client();
    const ready = new Promise<void>((resolve, reject) => {
      client.once('ready', () => resolve()).once('error', reject);
    });
    client.connect({ host: '127.0.0.1', port: local.port, username: 'me', privateKey: local.key });
    await ready;
    return new Promise((resolve, reject) =>
      client.exec(command, { pty: true }, (error, channel) =>
        error === undefined ? resolve(new Terminal(client, channel)) : reject(error),
      ),
    );
  }

  async answer(prompt: string, typed: string): Promise<void> {
    await eventually(
      () => `no ${prompt} in ${this.screen}`,
      () => this.screen.includes(prompt),
    );
    // As hands do it: a key at a time.
    for (const key of typed) this.#channel.write(key);
  }

  async ended(text: string): Promise<void> {
    await eventually(
      () => `no ${text} in ${this.screen}`,
      () => this.screen.includes(text),
    );
    this.#client.end();
  }
}

it('records a terminal: its size, what is typed where it is shown, what is printed, the exit', async () => {
  const ran = await local.ssh(['-tt', 'me@127.0.0.1', 'cat'], 'shown\n\x04');
  expect(ran.code).toBe(0);
  const kinds = await recorded(local.sessions.at(-1)!);
  expect(kinds.get('request')).toBe('exec cat');
  expect(kinds.has('resize')).toBe(true);
  expect(kinds.get('output')).toContain('shown');
  expect(kinds.get('status')).toBe('exit 0');
  expect(kinds.get('input')).toContain('shown');
});

it.each([
  ['in a terminal', ['-tt']],
  ['without one', []],
])('waits for the exit of a program that has closed its outputs: %s', async (_, options) => {
  const ran = await local.ssh([...options, 'me@127.0.0.1', 'exec <&- >&- 2>&-; sleep 0.3; exit 3'], '');
  expect(ran.code).toBe(3);
  expect((await recorded(local.sessions.at(-1)!)).get('status')).toBe('exit 3');
});

describe('what a program without a terminal is given', () => {
  const given = async (input: string, ...command: string[]) => {
    const ran = await local.ssh(['me@127.0.0.1', ...command], input);
    return { ran, kinds: await recorded(local.sessions.at(-1)!) };
  };

  it.each([
    ['a shell', []],
    ['sh', ['sh']],
    ['bash -s', ['bash', '-s']],
    ['what a shell makes of it', ['cat | sh']],
  ])('is recorded where it may be commands: %s', async (_, command) => {
    const { ran, kinds } = await given('echo one-$((1 + 1))\n', ...command);
    expect(ran.stdout).toContain('one-2\n');
    expect(kinds.get('input')).toBe('echo one-$((1 + 1))\n');
  });

  it('is in no recording where it is data, nor where a password may be in it', async () => {
    const data = await given('not-a-command\n', 'wc', '-l');
    expect([data.ran.stdout.trim(), data.kinds.has('input')]).toEqual(['1', false]);
    const secret = await given(`${SECRET}\n`, 'read password; echo got it');
    expect(secret.ran.stdout).toBe('got it\n');
    expect([...secret.kinds.values()].join()).not.toContain(SECRET);
    expect(secret.kinds.get('note')).toContain('there may be a password in it');
  });

  it('is recorded up to 64 KiB, and goes to its end', async () => {
    const { ran, kinds } = await given(`${': nothing\n'.repeat(20_000)}echo end\n`, 'sh');
    expect(ran.stdout).toBe('end\n');
    expect(kinds.get('input')).toHaveLength(64 * 1024);
    expect(kinds.get('note')).toContain('the rest of what it is given is not recorded');
  });
});

const STARS = `p=; while IFS= read -rsn1 c && [ -n "$c" ]; do p=$p$c; printf '*'; done`;

describe('what is typed where it is not shown is in no recording', () => {
  it.each([
    ['stty -echo', `stty -echo; printf 'Password: '; read p; stty echo; echo`],
    ["bash's read -s", `read -rsp 'Password: ' p; echo`],
    ['a star for each letter', `stty -echo; printf 'Password: '; ${STARS}; stty echo; echo`],
  ])('%s', async (_, ask) => {
    // The host says by its hash that it has got it, and what it got.
    const script = `printf 'Name: '; read name; ${ask}; printf 'Note: '; read note; printf %s "$p" | sha256sum`;
    const terminal = await Terminal.open(`bash -c ${quoted(script)}`);
    await terminal.answer('Name: ', 'captain-haddock\r');
    await terminal.answer('Password: ', `${SECRET}\r`);
    await terminal.answer('Note: ', 'typed-afterwards\r');
    await terminal.ended(execFileSync('sha256sum', { input: SECRET }).toString().slice(0, 64));
    const kinds = await recorded(local.sessions.at(-1)!);
    expect(kinds.get('input')).toBe('captain-haddock\rtyped-afterwards\r');
    expect([...kinds.values()].join()).not.toContain(SECRET);
    // Nor the most of it.
    expect([...kinds.values()].join()).not.toContain(SECRET.slice(0, 6));
  });

  const unable = cannot(
    "sudo's own prompt: it takes sudo, and root, which may be somebody whom sudo asks",
    !existsSync('/usr/bin/sudo') || process.getuid?.() !== 0,
  );

  it.skipIf(unable)('the password that sudo asks for', async () => {
    const terminal = await Terminal.open('setpriv --reuid 65534 --regid 65534 --clear-groups sudo -k id');
    await terminal.answer('password for nobody', `${SECRET}\r`);
    // It was read, and is not that user's.
    await terminal.ended('try again');
    const kinds = await recorded(local.sessions.at(-1)!);
    expect(kinds.get('output')).toContain('password for nobody');
    expect([...kinds.values()].join()).not.toContain(SECRET.slice(0, 6));
  });

  it("the passphrase that OpenSSH's own program asks for", async () => {
    const key = join(running.dir, 'locked');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', SECRET, '-C', 'opened', '-f', key]);
    const terminal = await Terminal.open(`ssh-keygen -y -f ${key}`);
    await terminal.answer('Enter passphrase', `${SECRET}\r`);
    await terminal.ended('opened');
    const kinds = await recorded(local.sessions.at(-1)!);
    expect(kinds.get('output')).toContain('ssh-ed25519 AAAA');
    expect([...kinds.values()].join()).not.toContain(SECRET.slice(0, 6));
  });
});

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
