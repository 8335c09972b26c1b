/**
 * Migrations that well-known applications run with their own tools, into an empty database directly and into another one
 * through the tunnel: what they made is compared, and what the tools remember of it.
 *
 * Applications are installed when they are missing. Exits with 1 if any cannot be had, or anything is not as expected.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ALLOW_ALL, pgEnv, startStack, type Tunnel } from '../support/stack.ts';
import { MIGRATED, type Migrated } from './migrated.ts';
import { installed } from './python.ts';

const run = promisify(execFile);
const say = (text: string) => writeSync(1, `${text}\n`);

type Place = Pick<Tunnel, 'host' | 'port' | 'user' | 'password' | 'database'>;
type Programs = ReturnType<typeof installed>;

interface Made {
  readonly dump: string;
  /** What the tool remembers, one step a line, or only the last one. */
  readonly remembered: string;
  readonly steps: number;
  /** How many rows each table has, one table a line. */
  readonly rows: string;
}

const wanted = process.argv.slice(3).filter((arg) => !arg.startsWith('-'));
const apps = MIGRATED.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const there = new Map<Migrated, Programs>();
let failures = 0;

for (const name of wanted.filter((one) => !MIGRATED.some((app) => app.name === one))) {
  failures++;
  say(`UNKNOWN  ${name}: known are ${MIGRATED.map((app) => app.name).join(', ')}`);
}
for (const app of apps) {
  try {
    there.set(app, installed(app));
  } catch (error) {
    failures++;
    const why = String((error as { stderr?: unknown }).stderr ?? error).trim();
    say(`MISSING  ${app.name}: ${app.requirements.join(', ')} cannot be had: ${why.slice(0, 500)}`);
  }
}
const stack = await startStack({
  policy: ALLOW_ALL,
  superuser: true,
  targetTls: 'disable',
  settings: { max_locks_per_transaction: '1000' },
  resources: ({ host, port }) => [...there.keys()].map((app) => resource(app, host, port)).join(''),
});
try {
  for (const [app, programs] of there) await check(app, programs).catch((error) => failed(app.name, error));
} finally {
  await stack.stop();
}
say(
  `${there.size} of ${apps.length} applications, ${failures === 0 ? 'all as expected' : `${failures} NOT as expected`}`,
);
process.exitCode = failures === 0 && there.size > 0 ? 0 : 1;

function resource({ name }: Migrated, host: string, port: number): string {
  return `  ${name}:
    protocol: postgres
    target: { host: ${host}, port: ${port}, database: ${database(name)}, tls: disable }
    credentials: { user: hoop, password: { file: pg.password } }
`;
}

function database(name: string): string {
  return name.replaceAll('-', '_');
}

async function check(app: Migrated, programs: Programs): Promise<void> {
  const alone = directly(`${database(app.name)}_direct`);
  const behind = directly(database(app.name));
  for (const at of [alone, behind]) await psql(directly('shop'), `CREATE DATABASE ${at.database}`);
  const directMs = await timed(() => migrate(app, programs, alone));
  const tunnel = await stack.tunnelTo(app.name);
  let tunnelMs: number;
  try {
    tunnelMs = await timed(() => migrate(app, programs, tunnel));
  } finally {
    await tunnel.close();
  }
  const [one, other] = await Promise.all([made(app, alone), made(app, behind)]);
  const differ = (Object.keys(one) as (keyof Made)[]).filter((part) => one[part] !== other[part]);
  if (differ.length > 0) failures++;
  say(
    `${differ.length === 0 ? 'ok      ' : 'DIFFERS '} ${app.name} (${app.requirements[0]}): ${one.steps} steps, ` +
      `${one.rows.trim().split('\n').length} tables, dumps of ${one.dump.split('\n').length} lines; ` +
      `${differ.length === 0 ? 'all equal' : `different: ${differ.join(', ')}`}; directly ${(directMs / 1000).toFixed(1)} s, ` +
      `through the tunnel ${(tunnelMs / 1000).toFixed(1)} s (${(tunnelMs / directMs).toFixed(1)} ×)`,
  );
  for (const part of differ) say(firstDifference(String(one[part]), String(other[part])));
}

function directly(name: string): Place {
  const password = readFileSync(join(stack.directory, 'pg.password'), 'utf8');
  return { host: '127.0.0.1', port: stack.postgres.port, user: 'hoop', password, database: name };
}

async function psql(at: Place, sql: string): Promise<string> {
  const args = ['-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-c', sql];
  return (await run('psql', args, { env: pgEnv(at), maxBuffer: 1 << 28 })).stdout;
}

async function migrate(app: Migrated, { bin, folder }: Programs, at: Place): Promise<void> {
  const fill = (text: string) =>
    text
      .replaceAll('{at}', `${at.user}:${at.password}@${at.host}:${at.port}/${at.database}`)
      .replaceAll('{database}', at.database)
      .replaceAll('{folder}', folder);
  const env = Object.fromEntries(Object.entries(app.env ?? {}).map(([name, text]) => [name, fill(text)]));
  const [program = '', ...args] = app.command.map(fill);
  const path = `${bin}:${process.env.PATH}`;
  // Without a seed, runs of Django noted squashed migrations in different orders; with one they did not.
  const all = { ...pgEnv(at), PATH: path, PYTHONHASHSEED: '0', ...env };
  await run(join(bin, program), args, { cwd: folder, env: all, maxBuffer: 1 << 28 });
}

/** Of the database itself: what a tool did to its table of steps is what the server has counted. */
async function made({ steps: { table, columns } }: Migrated, at: Place): Promise<Made> {
  const { stdout } = await run('pg_dump', ['-s'], { env: pgEnv(at), maxBuffer: 1 << 28 });
  const remembered = await psql(at, `SELECT ${columns} FROM ${table} ORDER BY 1`);
  const steps = await psql(
    at,
    `SELECT n_tup_ins + n_tup_upd FROM pg_stat_user_tables WHERE relname = '${table}'`,
  );
  const rows = await psql(
    at,
    `SELECT table_schema, table_name, (xpath('/row/c/text()', query_to_xml(
       format('SELECT count(*) AS c FROM %I.%I', table_schema, table_name), false, true, '')))[1]
     FROM information_schema.tables WHERE table_type = 'BASE TABLE'
       AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`,
  );
  // The key in \restrict is another one each time.
  return { dump: stdout.replaceAll(/^\\(un)?restrict .*$/gm, ''), remembered, steps: Number(steps), rows };
}

function firstDifference(one: string, other: string): string {
  const [left, right] = [one.split('\n'), other.split('\n')];
  const at = left.findIndex((line, index) => line !== right[index]);
  return `           line ${at + 1}, directly: ${left[at]}\n           through the tunnel: ${right[at]}`;
}

function failed(what: string, error: unknown): void {
  failures++;
  const { stderr, stdout } = error as { stderr?: string; stdout?: string };
  say(`FAILED   ${what}: ${String(error).slice(0, 200)}\n${`${stdout ?? ''}\n${stderr ?? ''}`.slice(-2500)}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
