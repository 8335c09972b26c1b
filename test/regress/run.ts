/**
 * Runs PostgreSQL 15's own regression suite twice against one server: directly, and through hoopctl and hoopd under a
 * policy that allows everything. Prints what differs; exits 1 if a test that passes directly fails through the tunnel.
 *
 *   npm run regress [-- TEST…]     only these tests, after test_setup
 *
 * Results, and for each test that differs the difference, are left in the folder that the last line names.
 */
import { execFile } from 'node:child_process';
import { chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ALLOW_ALL, type Stack, startStack } from '../support/stack.ts';

const PG_REGRESS = '/usr/lib/postgresql/15/lib/pgxs/src/test/regress/pg_regress';
/** Server and psql, below the folder that `sources` makes. */
const BIN = 'server/usr/lib/postgresql/15/bin';
const DATABASE = 'regression';
/** What pg_regress gives a database that it makes itself. */
const DATABASE_SETTINGS = ['lc_messages', 'lc_monetary', 'lc_numeric', 'lc_time']
  .map((name) => `ALTER DATABASE ${DATABASE} SET ${name} TO 'C';`)
  .concat(
    `ALTER DATABASE ${DATABASE} SET bytea_output TO 'hex';`,
    `ALTER DATABASE ${DATABASE} SET timezone_abbreviations TO 'Default';`,
  )
  .join('\n');

interface Way {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

interface Report {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
}

async function main(tests: readonly string[]): Promise<number> {
  const { stdout } = await promisify(execFile)(new URL('sources', import.meta.url).pathname);
  const cache = stdout.trim();
  const output = mkdtempSync(join(tmpdir(), 'hoop-regress-'));
  cpSync(join(cache, 'src/test/regress'), output, { recursive: true });
  await promisify(execFile)('chown', ['-R', 'postgres:postgres', output]);
  const direct =
    process.env['HOOP_REGRESS_TUNNEL_ONLY'] === undefined
      ? await run(cache, output, 'direct', tests)
      : undefined;
  const tunnel = await run(cache, output, 'tunnel', tests);
  return compare(direct ?? { passed: tunnel.passed.concat(tunnel.failed), failed: [] }, tunnel, output);
}

function compare(direct: Report, tunnel: Report, output: string): number {
  const count = (report: Report) => `${report.passed.length}/${report.passed.length + report.failed.length}`;
  const worse = tunnel.failed.filter((name) => direct.passed.includes(name));
  say(`direct ${count(direct)}, failed: ${direct.failed.join(' ') || 'none'}`);
  say(`tunnel ${count(tunnel)}, failed though they pass directly: ${worse.join(' ') || 'none'}`);
  say(output);
  return worse.length === 0 ? 0 : 1;
}

/** A fresh server for each way: the suite leaves objects and roles behind. */
async function run(
  cache: string,
  output: string,
  way: 'direct' | 'tunnel',
  tests: readonly string[],
): Promise<Report> {
  const stack = await startStack({
    policy: ALLOW_ALL,
    bin: join(cache, BIN),
    database: DATABASE,
    asAdmin: true,
    sql: DATABASE_SETTINGS,
    settings: { max_connections: '60', max_prepared_transactions: '2', autovacuum: 'on' },
  });
  try {
    if (way === 'direct') return await suite(cache, join(output, way), output, directly(stack), tests);
    const tunnel = await stack.tunnel();
    const report = await suite(cache, join(output, way), output, tunnel, tests);
    await tunnel.close();
    writeFileSync(join(output, way, 'hoopd.log'), stack.hoopd.log);
    return report;
  } finally {
    await stack.stop();
  }
}

/** By the socket, as pg_regress likes it: tests that connect as another role give no password. */
function directly({ postgres }: Stack): Way {
  return { host: join(postgres.logFile, '..'), port: postgres.port, ...postgres.admin };
}

async function suite(
  cache: string,
  results: string,
  input: string,
  way: Way,
  tests: readonly string[],
): Promise<Report> {
  const only = tests.length > 0;
  mkdirSync(results);
  const { uid, gid } = await postgresUser();
  chownSync(results, uid, gid);
  const args = [
    '--use-existing',
    `--dbname=${DATABASE}`,
    `--bindir=${join(cache, BIN)}`,
    `--dlpath=${join(cache, 'lib')}`,
    `--inputdir=${input}`,
    `--outputdir=${results}`,
    `--host=${way.host}`,
    `--port=${way.port}`,
    `--user=${way.user}`,
    '--max-connections=4',
    ...(only ? ['test_setup', ...tests] : [`--schedule=${join(input, 'parallel_schedule')}`]),
  ];
  const env = { PATH: process.env['PATH'], HOME: results, PGPASSWORD: way.password, LC_ALL: 'C' };
  const command = ['--reuid=postgres', '--regid=postgres', '--init-groups', PG_REGRESS, ...args];
  const text = await new Promise<string>((resolve) =>
    execFile(
      '/usr/bin/setpriv',
      command,
      { env, timeout: 1_800_000, maxBuffer: 1 << 26 },
      (_, stdout, stderr) => resolve(stdout + stderr),
    ),
  );
  writeFileSync(join(results, 'report'), text);
  const named = (word: string) =>
    [...text.matchAll(/^(?:test |\s+)?(\S+)\s+\.\.\. (ok|FAILED)/gm)].flatMap((m) =>
      m[2] === word ? [m[1] ?? ''] : [],
    );
  const report = { passed: named('ok'), failed: named('FAILED') };
  if (report.passed.length + report.failed.length === 0) throw new Error(`pg_regress ran nothing:\n${text}`);
  return report;
}

async function postgresUser(): Promise<{ uid: number; gid: number }> {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith('postgres:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main(process.argv.slice(2));
