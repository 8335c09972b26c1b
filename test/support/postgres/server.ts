import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { eventually } from '../waiting.ts';
import { makeCertificates } from './certificates.ts';

const run = promisify(execFile);
/** Debian's 15 has psql, which stands in for the one that other folders of binaries may lack. */
const DEBIAN_BIN = '/usr/lib/postgresql/15/bin';
const BIN = process.env['HOOP_TEST_PG_BIN'] ?? DEBIAN_BIN;
const START_MS = 30_000;
const STOP_MS = 10_000;

export interface PostgresOptions {
  /** Folder of `postgres` and `initdb`, passable for the user `postgres`. Default: `HOOP_TEST_PG_BIN`, else Debian's 15. */
  readonly bin?: string;
  /** Lines of postgresql.conf beyond ours: `{ log_statement: 'all' }`. Values are quoted here. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines of pg_hba.conf that come before ours; ours is `hostssl all all 127.0.0.1/32 scram-sha-256`. */
  readonly hba?: readonly string[];
  /** Made at start if it is not `postgres`, which is the default. */
  readonly database?: string;
  /** Of the database that is made; default the cluster's. Its locale is C then. */
  readonly encoding?: string;
  /** Run by the administrator in `database` once the server is up. */
  readonly sql?: string;
  /** In a pid namespace of its own, so that process ids are small, as in a container. As root only. */
  readonly ownPids?: boolean;
  /** Names in the server's certificate, as openssl writes them. Default `DNS:localhost`, `IP:127.0.0.1`. */
  readonly certificateNames?: readonly string[];
}

interface PsqlOptions {
  readonly database?: string;
  readonly user?: string;
  readonly password?: string;
}

export interface PostgresServer {
  /** Always `127.0.0.1`, which the certificate names. */
  readonly host: string;
  /** Below 32768, so that no outgoing connection takes it. */
  readonly port: number;
  readonly admin: { readonly user: string; readonly password: string };
  readonly database: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly caFile: string;
  /** The server's log; grows while it runs. */
  readonly logFile: string;
  /** Runs SQL through psql over verified TLS; gives its unaligned output without headers; rejects on any error. */
  psql(sql: string, options?: PsqlOptions): Promise<string>;
  /** Stops the server as `pg_ctl stop -m fast` would; its data stays. */
  shutDown(): Promise<void>;
  /** Kills the server at once, without a shutdown: what a crash looks like. Its data stays. */
  crash(): Promise<void>;
  /** Starts it again on the same port after `shutDown` or `crash`. */
  restart(): Promise<void>;
  /** Stops the server and removes its files. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL on loopback with TLS, SCRAM passwords and no fsync, in a directory of its own.
 *
 * As root it runs as the user `postgres`. The server ends with the test process even if `stop` is never reached.
 * Takes about 1.5 s. The binaries are Debian's version 15, or those in the folder `HOOP_TEST_PG_BIN`.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const directory = mkdtempSync(join(tmpdir(), 'hoop-pg-'));
  chmodSync(directory, 0o755);
  try {
    return await startIn(directory, options);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(directory: string, options: PostgresOptions): Promise<PostgresServer> {
  const admin = { user: 'admin', password: 'admin-secret' };
  const dataDirectory = join(directory, 'data');
  const logFile = join(directory, 'server.log');
  const database = options.database ?? 'postgres';
  const certificates = await makeCertificates(directory, options.certificateNames);
  const bin = options.bin ?? BIN;
  await initialise(bin, directory, dataDirectory, admin);
  const port = await freePort();
  writeSettings(
    dataDirectory,
    { ...serverSettings(directory, certificates, port), ...options.settings },
    options,
  );
  const start = () => startServer(bin, dataDirectory, logFile, options.ownPids === true);
  let server = await start();

  const psql = (sql: string, who: PsqlOptions = {}) =>
    runPsql(sql, { port, caFile: certificates.caFile, database, ...admin, ...who });
  const stop = async () => {
    await endServer(server, 'SIGINT');
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    if (database !== 'postgres') {
      const encoded = `TEMPLATE template0 ENCODING '${options.encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`;
      const rest = options.encoding === undefined ? '' : encoded;
      await psql(`CREATE DATABASE "${database}" ${rest}`, { database: 'postgres' });
    }
    if (options.sql !== undefined) await psql(options.sql);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: '127.0.0.1',
    port,
    admin,
    database,
    caFile: certificates.caFile,
    logFile,
    psql,
    stop,
    shutDown: () => endServer(server, 'SIGINT'),
    crash: () => endServer(server, 'SIGQUIT'),
    restart: async () => {
      server = await start();
    },
  };
}

/**
 * Starts a copy of a server that follows it and takes statements that only read, on a port of its own. The server is stopped while its
 * files are copied.
 *
 * @param port That nobody listens on; see `freePort`.
 * @returns Stops it and removes its files.
 */
export async function startStandby(
  of: Pick<PostgresServer, 'psql' | 'shutDown' | 'restart'>,
  port: number,
): Promise<() => Promise<void>> {
  const original = await of.psql('SHOW data_directory');
  const directory = mkdtempSync(join(tmpdir(), 'hoop-standby-'));
  const dataDirectory = join(directory, 'data');
  await of.shutDown();
  await run('cp', ['-a', original, dataDirectory], { timeout: START_MS });
  await of.restart();
  const settings = `port = '${port}'
restore_command = 'cp ${original}/pg_wal/%f %p'
wal_retrieve_retry_interval = '200ms'
`;
  appendFileSync(join(dataDirectory, 'postgresql.auto.conf'), settings);
  writeFileSync(join(dataDirectory, 'standby.signal'), '');
  if (isRoot()) await run('chown', ['-R', 'postgres:postgres', directory], { timeout: 10_000 });
  const server = await startServer(BIN, dataDirectory, join(directory, 'server.log'), false);
  return async () => {
    await endServer(server, 'SIGINT');
    rmSync(directory, { recursive: true, force: true });
  };
}

async function initialise(
  bin: string,
  directory: string,
  dataDirectory: string,
  admin: { user: string; password: string },
): Promise<void> {
  mkdirSync(dataDirectory, { mode: 0o700 });
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, admin.password, { mode: 0o600 });
  if (isRoot()) await run('chown', ['-R', 'postgres:postgres', directory], { timeout: 10_000 });
  const auth = [
    '-U',
    admin.user,
    '--auth-local=trust',
    '--auth-host=scram-sha-256',
    `--pwfile=${passwordFile}`,
  ];
  const [command, args] = asPostgres(bin, 'initdb', [
    '-D',
    dataDirectory,
    ...auth,
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ]);
  await run(command, args, { timeout: START_MS, cwd: directory });
}

function serverSettings(
  directory: string,
  certificates: { certFile: string; keyFile: string },
  port: number,
): Record<string, string> {
  return {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: directory,
    ssl: 'on',
    ssl_cert_file: certificates.certFile,
    ssl_key_file: certificates.keyFile,
    password_encryption: 'scram-sha-256',
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    logging_collector: 'off',
    log_line_prefix: '%m [%p] %u@%d ',
  };
}

function writeSettings(
  dataDirectory: string,
  settings: Readonly<Record<string, string>>,
  options: PostgresOptions,
): void {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  writeFileSync(join(dataDirectory, 'postgresql.auto.conf'), `${lines.join('\n')}\n`);
  const hba = ['local all all trust', ...(options.hba ?? []), 'hostssl all all 127.0.0.1/32 scram-sha-256'];
  writeFileSync(join(dataDirectory, 'pg_hba.conf'), `${hba.join('\n')}\n`);
}

interface RunningServer {
  /** The postmaster, or what started it in a namespace of its own and ends with it. */
  readonly child: ChildProcess;
  readonly ownPids: boolean;
}

async function startServer(
  bin: string,
  dataDirectory: string,
  logFile: string,
  ownPids: boolean,
): Promise<RunningServer> {
  const log = openSync(logFile, 'a');
  // SIGINT is PostgreSQL's fast shutdown: sent by the kernel should the test process die first.
  const alone = asPostgres(bin, 'postgres', ['-D', dataDirectory], ['--pdeathsig', 'INT']);
  const [command, args] = ownPids ? inOwnNamespace(alone) : alone;
  const child = spawn(command, args, { stdio: ['ignore', log, log], cwd: dataDirectory });
  const server = { child, ownPids };
  closeSync(log);
  try {
    await untilReady(server, dataDirectory);
    return server;
  } catch (error) {
    await endServer(server, 'SIGQUIT');
    const tail = readFileSync(logFile, 'utf8').split('\n').slice(-15).join('\n');
    throw new Error(`PostgreSQL did not start:\n${tail}`, { cause: error });
  }
}

function inOwnNamespace([program, args]: [string, readonly string[]]): [string, readonly string[]] {
  const unshare = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child=INT'];
  return ['setpriv', ['--pdeathsig', 'KILL', ...unshare, program, ...args]];
}

/** As the server itself counts: in a namespace of its own it is the first. */
function ownPid({ child, ownPids }: RunningServer): number | undefined {
  return ownPids ? 1 : child.pid;
}

function signal({ child, ownPids }: RunningServer, name: NodeJS.Signals): void {
  if (!ownPids) return void child.kill(name);
  const pid = Number(readLines(`/proc/${child.pid}/task/${child.pid}/children`)[0]);
  if (pid > 0) process.kill(pid, name);
}

/** The postmaster writes `ready` on line 8 of postmaster.pid, which is what pg_ctl waits for too. */
async function untilReady(server: RunningServer, dataDirectory: string): Promise<void> {
  const isReady = () => {
    if (hasEnded(server)) throw new Error(`postgres ended with code ${server.child.exitCode}`);
    const [pid, , , , , , , status] = readLines(join(dataDirectory, 'postmaster.pid'));
    return Number(pid) === ownPid(server) && status?.startsWith('ready') === true;
  };
  await eventually('postgres is ready', isReady, Boolean, { withinMs: START_MS });
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

async function endServer(server: RunningServer, how: NodeJS.Signals): Promise<void> {
  if (hasEnded(server)) return;
  const ended = new Promise<void>((resolve) => server.child.once('exit', () => resolve()));
  const waited = async () => Promise.race([ended.then(() => true), sleep(STOP_MS, false, { ref: false })]);
  signal(server, how);
  if (await waited()) return;
  signal(server, 'SIGQUIT');
  if (await waited()) return;
  signal(server, 'SIGKILL');
  await ended;
}

function hasEnded({ child }: RunningServer): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function runPsql(
  sql: string,
  to: Required<PsqlOptions> & { port: number; caFile: string },
): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    PGHOST: '127.0.0.1',
    PGPORT: String(to.port),
    PGUSER: to.user,
    PGPASSWORD: to.password,
    PGDATABASE: to.database,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: to.caFile,
    PGCONNECT_TIMEOUT: '10',
    PGCLIENTENCODING: 'UTF8',
  };
  const args = ['-X', '-w', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-f', '-'];
  const limits = { timeout: 60_000, maxBuffer: 256 * 1024 * 1024 };
  const running = run(join(DEBIAN_BIN, 'psql'), args, { env, ...limits });
  running.child.stdin?.end(sql);
  const { stdout } = await running;
  return stdout.replace(/\n$/, '');
}

/** PostgreSQL refuses to run as root: then it gets the user `postgres` first. */
function asPostgres(
  bin: string,
  program: string,
  args: readonly string[],
  settings: readonly string[] = [],
): [string, readonly string[]] {
  const identity = isRoot() ? ['--reuid=postgres', '--regid=postgres', '--init-groups'] : [];
  return ['setpriv', [...identity, ...settings, join(bin, program), ...args]];
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Waits until so many sessions run a statement with such a text. @throws {Error} Not within `withinMs`. */
export async function untilRunning(
  server: Pick<PostgresServer, 'psql'>,
  text: string,
  count = 1,
  withinMs = 15_000,
): Promise<void> {
  const running = `select count(*) from pg_stat_activity
    where state = 'active' and query like '%${text}%' and pid <> pg_backend_pid()`;
  await eventually(
    `${count} times running: ${text}`,
    () => server.psql(running),
    (found) => found === String(count),
    { withinMs, everyMs: 50 },
  );
}

/** A port below the ephemeral range that nobody listens on right now. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await canListen(port)) return port;
  }
  throw new Error('no free port between 20000 and 32000');
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
