/** OpenSSH's own server on a loopback port, of the user that runs the tests. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../postgres/server.ts';
import { eventually } from '../waiting.ts';

export interface SshdOptions {
  /** Lines of sshd_config, before all others: the first one counts. */
  readonly config?: readonly string[];
  /** Names for which its host key has a certificate. */
  readonly certificateFor?: string;
  /** Days, as ssh-keygen takes them. */
  readonly certificateValidity?: string;
}

export class Sshd {
  readonly directory: string;
  readonly port: number;
  readonly user = userInfo().username;
  readonly #child: ChildProcess;

  constructor(directory: string, port: number, child: ChildProcess) {
    this.directory = directory;
    this.port = port;
    this.#child = child;
  }

  /** A file beside its configuration. */
  file(name: string): string {
    return join(this.directory, name);
  }

  text(name: string): string {
    return readFileSync(this.file(name), 'utf8');
  }

  /** `ssh-ed25519 AAAA…`. */
  publicKey(name: string): string {
    return this.text(`${name}.pub`).trim().split(' ').slice(0, 2).join(' ');
  }

  /** What it has logged. */
  get log(): string {
    return this.text('log');
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode !== null || !this.#child.kill()) return;
    await ended;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/**
 * Starts it with keys `host`, `user` (authorized), `host-ca` and `user-ca` (trusted for users) in its directory. Whoever
 * logs in is the user that runs the tests.
 */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), 'sshd-'));
  const file = (name: string) => join(directory, name);
  for (const name of ['host', 'user', 'host-ca', 'user-ca'])
    keygen('-t', 'ed25519', '-N', '', '-C', name, '-f', file(name));
  keygen('-t', 'rsa', '-b', '2048', '-N', '', '-f', file('host-rsa'));
  if (options.certificateFor !== undefined)
    keygen(
      ...['-s', file('host-ca'), '-I', 'host', '-h', '-n', options.certificateFor],
      ...['-V', options.certificateValidity ?? '-1d:+1d', file('host.pub')],
    );
  writeFileSync(file('authorized_keys'), readFileSync(file('user.pub')), { mode: 0o600 });
  const port = await freePort();
  writeFileSync(file('sshd_config'), configOf(directory, port, options).join('\n'));
  // Its privilege separation wants it to be there.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const child = spawn('/usr/sbin/sshd', ['-D', '-f', file('sshd_config'), '-E', file('log')], {
    stdio: 'ignore',
  });
  await eventually('sshd does not listen', () => listens(port), Boolean);
  return new Sshd(directory, port, child);
}

function configOf(directory: string, port: number, { config = [], certificateFor }: SshdOptions): string[] {
  return [
    ...config,
    ...[`Port ${port}`, 'ListenAddress 127.0.0.1', 'PidFile none', 'LogLevel VERBOSE'],
    ...[`HostKey ${directory}/host`, `HostKey ${directory}/host-rsa`],
    ...(certificateFor === undefined ? [] : [`HostCertificate ${directory}/host-cert.pub`]),
    ...[`AuthorizedKeysFile ${directory}/authorized_keys`, `TrustedUserCAKeys ${directory}/user-ca.pub`],
    ...['StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no'],
    ...['PermitRootLogin prohibit-password', 'PermitUserRC no', 'MaxSessions 200', 'MaxStartups 100:30:200'],
    ...['AcceptEnv LANG LC_*', 'AllowTcpForwarding yes', 'AllowAgentForwarding yes', 'X11Forwarding no'],
    ...['Subsystem sftp internal-sftp', ''],
  ];
}

function keygen(...args: readonly string[]): void {
  execFileSync('ssh-keygen', ['-q', ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket.destroy() !== undefined));
    socket.once('error', () => resolve(false));
  });
}
