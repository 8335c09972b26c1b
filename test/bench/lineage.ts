/** What it costs to find out where masked columns go, and whom that keeps waiting. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { maskedDatabase } from '../support/postgres/masked-database.ts';
import { query, type RawClient, rawLogin } from '../support/postgres/raw-client.ts';
import { pgEnv, type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { cpuUs, median } from './processes.ts';
import { type BenchRun, interleaved, note } from './rounds.ts';

const run = promisify(execFile);

const TABLES = `CREATE TABLE people (id int PRIMARY KEY, name text, email text, ssn text);
CREATE TABLE orders (id int PRIMARY KEY, person int, placed date, total numeric);
CREATE TABLE lines (id int PRIMARY KEY, "order" int, sku text, count int);`;

const COLUMNS = { 'public.people.email': ['pii.email'], 'public.people.ssn': ['pii.national-id'] };

const POLICY = `
@id("all") permit (principal, action, resource);
@id("hidden") @mask("partial") forbid (principal in Group::"others", action == Action::"reveal", resource is Column) when { resource.tags.containsAny(["pii.email", "pii.national-id"]) };
`;

/**
 * Three tables and a masked column that is carried: it depends on the key that rows are grouped by.
 *
 * @param more Of its condition.
 */
const join3 = (more: string) => `SELECT p.id, p.email, o.placed, sum(l.count * o.total) AS sum
FROM people p JOIN orders o ON o.person = p.id LEFT JOIN lines l ON l."order" = o.id
WHERE o.placed > '2026-01-01' AND p.name LIKE 'A%' AND p.id < 0 ${more}
GROUP BY p.id, o.placed`;

const HOSTILE: Readonly<Record<string, string>> = {
  'a statement of 1 MB': `SELECT p.email FROM people p WHERE p.id IN (${Array.from({ length: 150_000 }, (_, i) => i + 100_000).join()})`,
  'a UNION of 10,000 arms': Array.from({ length: 10_000 }, () => 'SELECT email FROM people').join(
    ' UNION ALL ',
  ),
  '1+1+… of 19 KB': `SELECT ${Array.from({ length: 9_500 }, () => '1').join('+')} FROM people`,
  'a join of 60 subqueries, each of all columns': Array.from(
    { length: 60 },
    (_, i) => `(SELECT * FROM people) q${i}`,
  )
    .join(', ')
    .replace(/^/, 'SELECT * FROM '),
};

/** Starts what it needs, measures, and stops it: two minutes if quick. */
export async function lineageFigures(bench: BenchRun): Promise<void> {
  await planning(bench);
  const stack = await startStack({
    policy: POLICY,
    targetTls: 'disable',
    sql: `${TABLES}\nGRANT SELECT ON ALL TABLES IN SCHEMA public TO hoop;`,
    columns: COLUMNS,
  });
  const plain = await stack.tunnel();
  const masked = await stack.tunnel([], {
    HOOPCTL_TOKEN: stack.issuer.mint({ sub: 'job', repository: 'org/other' }),
  });
  try {
    await decided(bench, stack, { masked, plain });
    await others(bench, masked);
  } finally {
    for (const tunnel of [masked, plain]) await tunnel.close();
    await stack.stop();
  }
}

/** CPU of one plan that nobody has made before: reading it, analysing it, and following what is masked. */
async function planning(bench: BenchRun): Promise<void> {
  const database = await maskedDatabase(TABLES, new Map(Object.entries(COLUMNS)));
  try {
    const times = bench.quick ? 300 : 1000;
    let number = 0;
    const plan = async () => {
      const { refusal } = await database.planOf(join3(`AND o.id <> ${number++}`));
      if (refusal !== undefined) throw new Error(`the statement is refused: ${refusal.reason}`);
    };
    for (let i = 0; i < 2000; i++) await plan();
    for (let round = 0; round < (bench.quick ? 5 : 9); round++) {
      const before = process.cpuUsage();
      for (let i = 0; i < times; i++) await plan();
      const { user, system } = process.cpuUsage(before);
      note(bench, 'lineageNew', (user + system) / times / 1000);
    }
  } finally {
    await database.stop();
  }
}

/** What masks cost hoopd for a statement that was planned before: the same one, of somebody who sees all, costs the rest. */
async function decided(bench: BenchRun, stack: Stack, places: Readonly<Record<'masked' | 'plain', Tunnel>>) {
  const directory = mkdtempSync(join(tmpdir(), 'hoop-lineage-'));
  const script = join(directory, 'join.sql');
  writeFileSync(script, `${join3('')};\n`);
  const pid = stack.hoopd.child.pid ?? 0;
  const perStatement = async (name: 'masked' | 'plain') => {
    const before = cpuUs(pid);
    const args = ['-n', '-M', 'simple', '-c', '4', '-T', '3', '-f', script];
    const { stdout } = await run('pgbench', args, { env: pgEnv(places[name]) });
    return (cpuUs(pid) - before) / Number(/actually processed: (\d+)/.exec(stdout)?.[1] ?? Number.NaN);
  };
  try {
    for (const name of ['masked', 'plain'] as const) await perStatement(name);
    await interleaved(bench.quick ? 7 : 11, ['masked', 'plain'] as const, perStatement, (round) => {
      bench.say(
        `hoopd's CPU for a join: ${round.masked.toFixed(0)} µs masked, ${round.plain.toFixed(0)} plain`,
      );
      note(bench, 'lineageKept', round.masked - round.plain);
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** How long another session waits at most, while one sends what takes long to understand. */
async function others(bench: BenchRun, tunnel: Tunnel): Promise<void> {
  const other = await rawLogin(tunnel);
  const hostile = await rawLogin(tunnel);
  for (let i = 0; i < 2000; i++) await other.ask(query('SELECT 1'));
  for (const [name, text] of Object.entries(HOSTILE)) {
    const worst: number[] = [];
    for (let round = 0; round < (bench.quick ? 5 : 9); round++) {
      const alone = await longest(other, sleep(500));
      const beside = await longest(other, sent(hostile, `${text} -- ${round}`));
      bench.say(`${name}: others wait ${beside.toFixed(1)} ms at most, ${alone.toFixed(1)} without`);
      worst.push(beside);
    }
    note(bench, 'lineageOthers', median(worst));
  }
  other.close();
  hostile.close();
}

async function sent(client: RawClient, text: string): Promise<void> {
  const lines = await client.ask(query(text));
  if (client.closed) throw new Error(`the session ended: ${lines.join(' / ')}`);
}

/** The longest that one `SELECT 1` of many takes until `end`, ms. */
async function longest(client: RawClient, end: Promise<void>): Promise<number> {
  let [over, most] = [false, 0];
  void end.finally(() => {
    over = true;
  });
  while (!over) {
    const startedAt = performance.now();
    await client.ask(query('SELECT 1'));
    most = Math.max(most, performance.now() - startedAt);
  }
  await end;
  return most;
}
