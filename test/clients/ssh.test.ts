/** SSH's clients as they are: what each gets through the tunnel is what it gets from the host itself. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sshd, startSshd } from '../support/ssh/sshd.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { eventually } from '../support/waiting.ts';

const run = promisify(execFile);
const LARGE = randomBytes(3_000_017);

const POLICY = `
@id("all") permit (principal, action, resource);
@id("ask") @approval("boss") forbid (principal is Agent, action == Action::"ssh.exec", resource)
when { resource.text like "*approved*" } unless { context.approvals.contains("boss") };`;

let directory: string;
let sshd: Sshd;
let stack: Stack;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ssh-clients-'));
  sshd = await startSshd();
  stack = await startStack({
    policy: POLICY,
    resources: () => `  host-1:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ['${sshd.publicKey('host')}'] }
    credentials: { user: ${sshd.user}, certificate: { ca: { file: ${sshd.file('user-ca')} } } }`,
  });
  writeFileSync(join(directory, 'large'), LARGE);
});

afterAll(async () => {
  await stack?.stop();
  await sshd?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** A script of the shell within a tunnel, in which `host-1` is a host for OpenSSH's programs. */
const within = (script: string, env: Record<string, string> = {}) =>
  stack.hoopctl(['connect', 'host-1', '--', 'sh', '-c', script], { D: directory, ...env });

describe('hoopctl', () => {
  it('runs a command and ends as it ends', async () => {
    const ran = await stack.hoopctl(['ssh', 'host-1', '--', 'echo', 'out;', 'echo err >&2;', 'exit 42']);
    expect(ran).toMatchObject({ stdout: 'out\n', exitCode: 42 });
    expect(ran.stderr).toContain('err\n');
    const killed = await stack.hoopctl(['ssh', 'host-1', '--', 'kill -TERM $$']);
    expect(killed.exitCode).toBe(255);
  });

  it('gives a terminal where one is asked for', async () => {
    const ran = await stack.hoopctl(['ssh', 'host-1', '--tty', '--', 'tty && stty size']);
    expect(ran.stdout).toMatch(/^\/dev\/pts\/\d+\r\n\d+ \d+\r\n$/);
    expect((await stack.hoopctl(['ssh', 'host-1', '--', 'tty'])).stdout).toBe('not a tty\n');
    // On a terminal too: one that policy does not permit would end the command with it.
    const hoopctl = `${process.execPath} ${join(import.meta.dirname, '../../bin/hoopctl.js')}`;
    const seen = await run('script', ['-qec', `${hoopctl} ssh host-1 -- 'tty; true'`, '/dev/null'], {
      env: { ...process.env, ...stack.env() },
    });
    expect(seen.stdout).toContain('not a tty\r\n');
  });

  it('prints a configuration with which ssh needs no tunnel to be open', async () => {
    const printed = await stack.hoopctl(['ssh-config', 'host-1']);
    expect(printed).toMatchObject({ exitCode: 0 });
    const config = join(directory, 'config');
    const hoopctl = `${process.execPath} ${join(import.meta.dirname, '../../bin/hoopctl.js')}`;
    writeFileSync(config, printed.stdout.replace('ProxyCommand hoopctl', `ProxyCommand ${hoopctl}`));
    const { stdout } = await run('ssh', ['-F', config, 'host-1', 'echo', 'by', 'stdio'], {
      env: { ...process.env, ...stack.env() },
    });
    expect(stdout).toBe('by stdio\n');
  });

  it('writes what a terminal showed so that asciinema plays it', async () => {
    const shown = "printf '\\033[32mgreen\\033[0m'; vi -es -c 'put =6*7' -c p -c q!";
    const ran = await stack.hoopctl(['ssh', 'host-1', '--tty', '--', shown]);
    expect(ran.stdout).toContain('\x1b[32mgreen\x1b[0m42');
    const otto = await stack.person('otto');
    const session = async () => {
      const { stdout } = await stack.hoopctl(['session', 'list', '--json'], otto);
      const lines = stdout.trim().split('\n');
      const listed = lines.map(
        (line) => JSON.parse(line) as { id: string; endedAt?: string; startedAt: string },
      );
      return listed.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))[0]!;
    };
    const { id } = await eventually('the session has ended', session, ({ endedAt }) => Boolean(endedAt));
    const cast = await stack.hoopctl(['session', 'replay', id, '--asciicast', '2'], otto);
    const file = join(directory, 'shell.cast');
    writeFileSync(file, cast.stdout);
    // It writes to nothing but a terminal.
    const played = ['-qec', `asciinema cat ${file}`, join(directory, 'typescript')];
    const { stdout } = await run('script', played, { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
    expect(stdout).toContain('\x1b[32mgreen\x1b[0m42');
  });

  it('asks ahead for a command, and runs nothing', async () => {
    const asked = ['approval', 'request', 'host-1', '-c', `touch ${directory}/ran`];
    expect(await stack.hoopctl(asked)).toMatchObject({ exitCode: 0, stdout: 'no approval is needed\n' });
    expect(readdirSync(directory)).not.toContain('ran');
  });

  it('runs once what was asked ahead and approved', async () => {
    const command = 'echo approved';
    const asked = await stack.hoopctl(['approval', 'request', 'host-1', '-c', command, '--json']);
    expect(asked.exitCode).toBe(75);
    const { id } = JSON.parse(asked.stdout) as { id: string };
    const person = await stack.person('ada');
    expect(await stack.hoopctl(['approval', 'approve', id, '--yes'], person)).toMatchObject({ exitCode: 0 });
    const ran = await stack.hoopctl(['ssh', 'host-1', '--approval', id, '--', command]);
    expect(ran, ran.stderr).toMatchObject({ exitCode: 0, stdout: 'approved\n' });
  });

  it('leaves nothing of the tunnel behind, and lets nobody in without its key', async () => {
    const { stdout } = await within(
      'cat "$HOOP_SSH_CONFIG"; dirname "$HOOP_SSH_CONFIG"; ls -l $(dirname "$HOOP_SSH_CONFIG")',
    );
    const made = /^\/\S+\/hoopctl-\S+$/m.exec(stdout)?.[0] ?? '';
    expect(() => readdirSync(made)).toThrow(/ENOENT/);
    expect(stdout.match(/^-rw-------/gm)).toHaveLength(3);
    const ran = await within('ssh -F "$HOOP_SSH_CONFIG" -o IdentityFile=$D/other host-1 true; echo $?', {});
    expect(ran.stdout).toMatch(/^0$/m);
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'other')]);
    const port = '$(sed -n \'s/^  Port //p\' "$HOOP_SSH_CONFIG")';
    const options = '-F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null';
    const other = await within(`ssh ${options} -i $D/other -p ${port} 127.0.0.1 true; echo $?`);
    expect(other.stdout).toBe('255\n');
    expect(other.stderr).toContain('Permission denied (publickey)');
  });
});

describe('OpenSSH', () => {
  it('copies by scp in both its ways, and by sftp with ls, rename and resume', async () => {
    const script = `set -e; cd $D; F="-F $HOOP_SSH_CONFIG"
      scp -q $F large host-1:$D/by-sftp; scp -q -O $F large host-1:$D/by-scp; scp -q $F host-1:$D/by-scp back
      head -c 1000000 large > part; printf '%s\\n' "put large $D/one" "rename $D/one $D/two" "ls $D/two" "reget $D/two part" "rm $D/two" > batch
      sftp -q $F -b batch host-1 | grep -v '^sftp>'`;
    const ran = await within(script);
    expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('/two') });
    for (const name of ['by-sftp', 'by-scp', 'back', 'part']) expect(hash(name), name).toBe(hash('large'));
  });

  it('shares one connection, jumps over it and forwards through it', async () => {
    const server = createServer((_, response) => response.end('forwarded'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const script = `F="-F $HOOP_SSH_CONFIG"; S="-o ControlPath=$D/control"
      ssh $F $S -o ControlMaster=yes -fN -L $D/local:127.0.0.1:${port} host-1
      for n in 1 2 3 4 5 6 7 8; do ssh $F $S host-1 echo $n & done | sort; wait
      curl -s --unix-socket $D/local http://x/; echo
      ssh $F $S -O exit host-1 2>/dev/null
      ssh $F -o ProxyCommand="ssh $F -W 127.0.0.1:${sshd.port} host-1" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \\
        -o HostKeyAlias=inner -i ${sshd.file('user')} -o LogLevel=ERROR ${sshd.user}@inner echo jumped`;
    const ran = await within(script);
    server.close();
    expect(ran.stdout).toBe('1\n2\n3\n4\n5\n6\n7\n8\nforwarded\njumped\n');
  });

  it('gets a terminal with -tt, and signals and codes as they are', async () => {
    const script = `F="-F $HOOP_SSH_CONFIG"
      ssh $F -tt host-1 'test -t 1 && echo terminal' | tr -d '\\r'
      for code in 0 1 126 127 255; do ssh $F host-1 exit $code; echo $?; done`;
    expect((await within(script)).stdout).toBe('terminal\n0\n1\n126\n127\n255\n');
  });
});

describe('programs over OpenSSH', () => {
  it('rsync mirrors both ways, and deletes what is gone', async () => {
    mkdirSync(join(directory, 'tree/a'), { recursive: true });
    writeFileSync(join(directory, 'tree/a/one'), LARGE.subarray(0, 300_000));
    const script = `set -e; cd $D; rsync -a tree/ host-1:$D/there/; echo gone > there/extra; rsync -a --delete tree/ host-1:$D/there/
      test ! -e there/extra; rsync -a host-1:$D/there/ here/; diff -r tree here && echo same`;
    expect(await within(script)).toMatchObject({ exitCode: 0, stdout: 'same\n' });
  });

  it('git clones and pushes', async () => {
    const script = `set -e; cd $D; git init -q --bare -b main repo.git; git clone -q host-1:$D/repo.git work 2>/dev/null; cd work
      git config user.email a@example.com; git config user.name a; echo one > file; git add .; git commit -qm one
      git push -q origin HEAD:main; git clone -q host-1:$D/repo.git ../again; cat ../again/file`;
    expect(await within(script)).toMatchObject({ exitCode: 0, stdout: 'one\n' });
  });
});

function hash(name: string): string {
  return createHash('sha256')
    .update(readFileSync(join(directory, name)))
    .digest('hex');
}
