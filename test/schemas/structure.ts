/**
 * Structure files of well-known applications, loaded through the tunnel and directly, their
 * dumps compared; then what these applications ask all day, by one for whom some columns are masked.
 *
 * Packages are fetched by name when they are missing. Exits with 1 if any cannot be had, or anything is not as expected.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pgEnv, type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { APPS, type App, type Expected } from './apps.ts';
import { sqlOf } from './fetch.ts';

const run = promisify(execFile);
const say = (text: string) => writeSync(1, `${text}\n`);

type Place = Pick<Tunnel, 'host' | 'port' | 'user' | 'password' | 'database'>;

const POLICY = `
@id("all") permit (principal, action, resource);
@id("pii-is-masked") @mask("redact") forbid (principal in Group::"others", action == Action::"reveal", resource is Column)
when { resource.tags.contains("pii") && !resource.detected };
`;

/** When a row was loaded. */
const MOMENT = /\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?([+-]\d\d)?/g;

const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
const apps = APPS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const texts = new Map<string, string>();
let failures = 0;

for (const app of apps) {
  try {
    texts.set(app.name, sqlOf(app.source, app.files));
  } catch (error) {
    failures++;
    say(`MISSING  ${app.name}: ${app.source.from} package ${app.source.name} cannot be had (${error})`);
  }
}
const there = apps.filter(({ name }) => texts.has(name));
const stack = await startStack({
  policy: POLICY,
  superuser: true,
  targetTls: 'disable',
  settings: { max_locks_per_transaction: '1000' },
  resources: ({ host, port }) => there.map((app) => resource(app, host, port)).join(''),
});
try {
  for (const app of there) await check(app).catch((error: unknown) => failed(app.name, error));
} finally {
  await stack.stop();
}
say(
  `${there.length} of ${apps.length} applications, ${failures === 0 ? 'all as expected' : `${failures} NOT as expected`}`,
);
process.exitCode = failures === 0 && there.length >= Math.min(5, apps.length) ? 0 : 1;

function resource({ name, masked }: App, host: string, port: number): string {
  const columns = masked.map((column) => `        ${column}: [pii]\n`).join('');
  return `  ${name}:
    protocol: postgres
    target: { host: ${host}, port: ${port}, database: ${database(name)}, tls: disable }
    credentials: { user: hoop, password: { file: pg.password } }
    classification:
      columns:
${columns}`;
}

function database(name: string): string {
  return name.replaceAll('-', '_');
}

async function check(app: App): Promise<void> {
  const direct = directly(stack, `${database(app.name)}_direct`);
  await psql(directly(stack, 'shop'), ['-c', `CREATE DATABASE ${direct.database}`]);
  await psql(directly(stack, 'shop'), ['-c', `CREATE DATABASE ${database(app.name)}`]);
  const tunnel = await stack.tunnelTo(app.name);
  try {
    await load(app, direct, tunnel);
  } finally {
    await tunnel.close();
  }
  await psql(directly(stack, database(app.name)), ['-c', app.rows]);
  const others = { HOOPCTL_TOKEN: stack.issuer.mint({ sub: 'job', repository: 'org/other' }) };
  const masked = await stack.tunnelTo(app.name, [], others);
  try {
    for (const [expected, sql] of app.queries)
      await ask(app, masked, expected, sql).catch((error: unknown) => failed(sql, error));
  } finally {
    await masked.close();
  }
}

function directly({ postgres, directory }: Stack, name: string): Place {
  const password = readFileSync(join(directory, 'pg.password'), 'utf8');
  return { host: '127.0.0.1', port: postgres.port, user: 'hoop', password, database: name };
}

function psql(at: Place, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const all = ['-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', ...args];
  return run('psql', all, { env: pgEnv(at), maxBuffer: 1 << 28 });
}

async function load(app: App, direct: Place, tunnel: Place): Promise<void> {
  const file = join(stack.directory, `${app.name}.sql`);
  writeFileSync(file, texts.get(app.name) ?? '');
  try {
    const directMs = await timed(() => psql(direct, ['-f', file]));
    const tunnelMs = await timed(() => psql(tunnel, ['-f', file]));
    const dumps = await Promise.all([direct, directly(stack, database(app.name))].map(dump));
    const same = dumps[0] === dumps[1];
    if (!same) failures++;
    say(
      `${same ? 'ok      ' : 'DIFFERS '} ${app.name}: dumps of ${dumps[0]?.split('\n').length} lines ${same ? 'equal' : 'differ'}; ` +
        `directly ${directMs.toFixed(0)} ms, through the tunnel ${tunnelMs.toFixed(0)} ms (${(tunnelMs / directMs).toFixed(1)} ×)`,
    );
  } catch (error) {
    failed(app.name, error);
  }
}

function failed(what: string, error: unknown): void {
  failures++;
  say(`FAILED   ${what}: ${String((error as { stderr?: string }).stderr ?? error).slice(0, 1000)}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Structure and rows. The key in \restrict is another one each time, and so is when a row was loaded. */
async function dump(at: Place): Promise<string> {
  const { stdout } = await run('pg_dump', [], { env: pgEnv(at), maxBuffer: 1 << 30 });
  return stdout.replaceAll(/^\\(un)?restrict .*$/gm, '').replaceAll(MOMENT, '‹moment›');
}

async function ask(app: App, at: Place, expected: Expected, sql: string): Promise<void> {
  const there = await psql(directly(stack, database(app.name)), ['-c', `BEGIN; ${sql}; ROLLBACK`]);
  const [became, why] = await psql(at, ['-c', sql]).then(
    ({ stdout }): [Expected, string] => [stdout === there.stdout ? 'answered' : 'masked', ''],
    ({ stderr }: { stderr: string }): [Expected, string] => [
      'refused',
      stderr.replaceAll(/\s+/g, ' ').slice(0, 300),
    ],
  );
  if (became !== expected) failures++;
  const mark = became === expected ? 'ok      ' : 'OTHER   ';
  say(
    `${mark}   ${became}${became === expected ? '' : ` (expected ${expected})`}: ${sql.slice(0, 110)}${why === '' ? '' : `\n             ${why}`}`,
  );
}
