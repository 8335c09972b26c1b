/** dropbear as a host, with users of its own: files of this test's lie over the machine's, for dropbear alone. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seenKeys } from '../../../src/protocols/ssh/target/seen-keys.ts';
import { freePort } from '../postgres/server.ts';
import { eventually } from '../waiting.ts';
import { freshKey } from './fresh-key.ts';

export interface Dropbear {
  readonly port: number;
  /** `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  readonly user: string;
  /** Of the user, in OpenSSH's format. */
  readonly key: string;
  readonly password: string;
  /** The user's. */
  readonly home: string;
  /** What it has logged so far. */
  readonly log: string;
  stop(): Promise<void>;
}

/** Whether this process may give dropbear a view of its own of the machine's files, and users. */
export function mayStartDropbear(): boolean {
  return process.getuid?.() === 0;
}

/** Starts it. Whoever logs in is root, under another name and with another home. @param shell What runs commands there. */
export async function startDropbear(shell = '/bin/sh'): Promise<Dropbear> {
  const directory = mkdtempSync(join(tmpdir(), 'dropbear-'));
  const file = (name: string) => join(directory, name);
  const [user, home, password] = ['captain', file('home'), randomBytes(9).toString('base64url')];
  const { text: key, line } = freshKey();
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  // It takes no keys from where others may write.
  for (const one of [directory, home]) chmodSync(one, 0o700);
  writeFileSync(join(home, '.ssh', 'authorized_keys'), `${line}\n`, { mode: 0o600 });
  const hash = execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: password }).toString().trim();
  writeFileSync(file('passwd'), `${user}:x:0:0::${home}:${shell}\n${readFileSync('/etc/passwd', 'utf8')}`);
  writeFileSync(file('shadow'), `${user}:${hash}:19000:0:99999:7:::\n`, { mode: 0o600 });
  execFileSync('dropbearkey', ['-t', 'ed25519', '-f', file('host')], { stdio: 'ignore' });
  const port = await freePort();
  const script = `mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/shadow" /etc/shadow &&
    exec dropbear -F -E -r "$1/host" -p "127.0.0.1:$2"`;
  const args = ['--mount', '--', 'sh', '-c', script, 'sh', directory, String(port)];
  const child = spawn('unshare', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ask = () => seenKeys(`127.0.0.1:${port}`).catch(() => []);
  const [seen] = await eventually('dropbear does not answer', ask, (keys) => keys.length > 0);
  const stop = async () => {
    child.kill();
    await once(child, 'exit');
    rmSync(directory, { recursive: true, force: true });
  };
  return {
    ...{ port, hostKey: seen!.line, user, key, password, home, stop },
    get log() {
      return log;
    },
  };
}
