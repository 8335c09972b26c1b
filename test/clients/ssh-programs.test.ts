/** Programs and libraries that speak SSH themselves, through a tunnel. */
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { seenKeys } from '../../src/protocols/ssh/target/seen-keys.ts';
import { SshTarget } from '../../src/protocols/ssh/target/ssh-target.ts';
import { targetAddresses } from '../../src/protocols/stream/addresses.ts';
import { readNamedKey } from '../../src/wire/ssh/named-key.ts';
import { freePort } from '../support/postgres/server.ts';
import { type Sshd, startSshd } from '../support/ssh/sshd.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { eventually } from '../support/waiting.ts';

const run = promisify(execFile);

let directory: string;
let sshd: Sshd;
let stack: Stack;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ssh-programs-'));
  sshd = await startSshd({ certificateFor: 'localhost' });
  stack = await startStack({
    resources: () => `  host-1:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ['${sshd.publicKey('host')}'] }
    credentials: { user: ${sshd.user}, key: { file: ${sshd.file('user')} } }
  many:
    protocol: ssh
    target: { hosts: { pattern: 'local*' }, port: ${sshd.port}, hostCa: ['${sshd.publicKey('host-ca')}'] }
    credentials: { user: ${sshd.user}, certificate: { ca: { file: ${sshd.file('user-ca')} } } }`,
  });
  for (const name of ['client.py', 'client.go', 'go.mod', 'go.sum'])
    cpSync(join(import.meta.dirname, '../support/clients/ssh', name), join(directory, name));
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await sshd?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Told by variables where the local end is: `PORT`, `KEY`, `HOSTS`. */
const within = (script: string, resource: readonly string[] = ['host-1']) => {
  const of = (word: string) => `$(sed -n 's/^  ${word} //p' "$HOOP_SSH_CONFIG" | tr -d '"')`;
  const told = `export PORT="${of('Port')}" KEY="${of('IdentityFile')}" HOSTS="${of('UserKnownHostsFile')}"; cd "$D"`;
  return stack.hoopctl(['connect', ...resource, '--', 'sh', '-c', `${told}; ${script}`], { D: directory });
};

const SAID = `out\nerr\n7\n${'input'.repeat(1000)}\n100\n`;

it('paramiko: output, errors, exit codes, input, a hundred channels, new keys amid what runs', async () => {
  const ran = await within('/usr/bin/python3 -W ignore client.py paramiko');
  expect(ran).toMatchObject({ stdout: SAID, exitCode: 0 });
});

it('asyncssh: the same', async () => {
  const ran = await within('/usr/bin/python3 -W ignore client.py asyncssh');
  expect(ran).toMatchObject({ stdout: SAID, exitCode: 0 });
});

it("Go's x/crypto/ssh: the same", async () => {
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' };
  await run('go', ['build', '-o', 'go-client', '.'], { cwd: directory, env });
  expect(await within('./go-client')).toMatchObject({ stdout: SAID, exitCode: 0 });
}, 180_000);

it('one of many hosts, by its name: as an authority vouches for it', async () => {
  const ran = await within('ssh -F "$HOOP_SSH_CONFIG" localhost echo one of many', [
    'many',
    '--host',
    'localhost',
  ]);
  expect(ran).toMatchObject({ stdout: 'one of many\n', exitCode: 0 });
  const unnamed = await stack.hoopctl(['ssh', 'many', '--', 'true']);
  expect(unnamed).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('stands for many hosts') });
  const other = await stack.hoopctl(['ssh', 'many', '--host', '169.254.169.254', '--', 'true']);
  expect(other.exitCode).toBe(255);
  expect(other.stderr).toContain('no such resource, or no access to it');
  const printed = await stack.hoopctl(['ssh-config', 'many']);
  expect(printed.stdout).toContain('Host local*\n  ProxyCommand hoopctl connect many --stdio --host %h\n');
});

it('Ansible: ping, a module with a file, a small playbook', async () => {
  writeFileSync(join(directory, 'inventory'), 'host-1 ansible_python_interpreter=/usr/bin/python3\n');
  writeFileSync(
    join(directory, 'play.yml'),
    `- hosts: all
  gather_facts: false
  tasks:
    - command: echo played
      register: said
    - assert: { that: said.stdout == 'played' }
`,
  );
  const script = `export ANSIBLE_HOME=$D/ansible ANSIBLE_LOCAL_TEMP=$D/ansible/tmp ANSIBLE_SCP_IF_SSH=True ANSIBLE_SSH_TRANSFER_METHOD=piped
    ansible -i inventory all -m ping && ansible -i inventory all -m copy -a "src=play.yml dest=$D/copied" &&
    cmp play.yml copied && ansible-playbook -i inventory play.yml`;
  const ran = await within(script);
  expect(ran.stdout + ran.stderr).toMatch(/"ping": "pong"[\s\S]*"changed": true[\s\S]*ok=2 .*failed=0/);
}, 120_000);

it('ssh-audit finds nothing weak at the local end', async () => {
  const { stdout } = await within('ssh-audit -n -p "$PORT" 127.0.0.1');
  expect(stdout).toContain('(kex) curve25519-sha256');
  expect(stdout.match(/^.*\[fail\].*$/gm)).toBeNull();
  // Strict key exchange is newer than it; the two are for libssh2 and dropbear, which know no other.
  const warned = (stdout.match(/^.*\[warn\].*$/gm) ?? []).map((line) => line.replace(/ +-- .*/, ''));
  expect(warned).toEqual([
    '(kex) kex-strict-s-v00@openssh.com',
    '(mac) hmac-sha2-256',
    '(mac) hmac-sha2-512',
  ]);
});

it('dropbear as a host: its key is seen, pinned and proved before anything is asked of it', async () => {
  const key = join(directory, 'dropbear-key');
  await run('dropbearkey', ['-t', 'ed25519', '-f', key]);
  const port = await freePort();
  const dropbear = spawn('dropbear', ['-F', '-E', '-r', key, '-p', `127.0.0.1:${port}`], { stdio: 'ignore' });
  try {
    const ask = () => seenKeys(`127.0.0.1:${port}`).catch(() => []);
    const [seen] = await eventually('dropbear does not answer', ask, (keys) => keys.length > 0);
    const open = (line: string) =>
      new SshTarget({
        port,
        hostKeys: [readNamedKey(line)!.blob],
        hostCa: [],
        addresses: targetAddresses([]),
        credential: () => ({ kind: 'password', user: 'nobody-here', password: new Secret('none') }),
        clock: systemClock,
      }).open('127.0.0.1', { id: 'ses_1', actor: {} as never }, new AbortController().signal);
    await expect(open(seen!.line)).rejects.toMatchObject({ code: 'ERR_TARGET_AUTH' });
    await expect(open(sshd.publicKey('host'))).rejects.toMatchObject({ code: 'ERR_TARGET_IDENTITY' });
  } finally {
    dropbear.kill();
  }
});
