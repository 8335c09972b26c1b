/** What it costs to find out where masked columns go, and whom that keeps waiting. */
import { setTimeout as sleep } from 'node:timers/promises';
import { maskedDatabase } from '../support/postgres/masked-database.ts';
import { query, type RawClient, rawLogin } from '../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { cpuUs, median } from './processes.ts';
import { type BenchRun, interleaved, note } from './rounds.ts';

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

/** Sessions that ask at once, and how often they have their turn. */
const SESSIONS = 4;
const TURNS = 16;
/** A turn is as long as chance says, or it would keep step with what hoopd does every second. */
const TURN_MS = { least: 100, most: 300 } as const;

/** What masks cost hoopd for a statement that was planned before: the same one, of somebody who sees all, costs the rest. */
async function decided(bench: BenchRun, stack: Stack, places: Readonly<Record<'masked' | 'plain', Tunnel>>) {
  const pid = stack.hoopd.child.pid ?? 0;
  const sessions = (name: 'masked' | 'plain') =>
    Promise.all(Array.from({ length: SESSIONS }, () => rawLogin(places[name])));
  const clients = { masked: await sessions('masked'), plain: await sessions('plain') };
  const turn = async (name: 'masked' | 'plain') => {
    const before = cpuUs(pid);
    const statements = await asked(clients[name]);
    return (cpuUs(pid) - before) / statements;
  };
  const perStatement = async (): Promise<Record<'masked' | 'plain', number>> => {
    const turns: Record<'masked' | 'plain', number>[] = [];
    await interleaved(TURNS, ['masked', 'plain'] as const, turn, (each) => turns.push(each));
    return {
      masked: quiet(turns.map(({ masked }) => masked)),
      plain: quiet(turns.map(({ plain }) => plain)),
    };
  };
  await perStatement();
  for (let round = 0; round < (bench.quick ? 7 : 11); round++) {
    const { masked, plain } = await perStatement();
    bench.say(`hoopd's CPU for a join: ${masked.toFixed(1)} µs masked, ${plain.toFixed(1)} plain`);
    note(bench, 'lineageKept', masked - plain);
  }
  for (const client of [...clients.masked, ...clients.plain]) client.close();
}

/** Of a quarter of the turns no more: what else the machine does takes a turn more, and never less. */
function quiet(turns: readonly number[]): number {
  return [...turns].sort((a, b) => a - b)[Math.floor(turns.length / 4)] ?? Number.NaN;
}

/** Asks the same on all, for one turn. @returns How often. */
async function asked(clients: readonly RawClient[]): Promise<number> {
  const text = query(join3(''));
  const { least, most } = TURN_MS;
  const end = performance.now() + least + Math.random() * (most - least);
  let statements = 0;
  const ask = async (client: RawClient) => {
    for (; performance.now() < end; statements++) await sent(client, text);
    client.take();
  };
  await Promise.all(clients.map(ask));
  return statements;
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
      const beside = await longest(other, sent(hostile, query(`${text} -- ${round}`)));
      bench.say(`${name}: others wait ${beside.toFixed(1)} ms at most, ${alone.toFixed(1)} without`);
      worst.push(beside);
    }
    note(bench, 'lineageOthers', median(worst));
  }
  other.close();
  hostile.close();
}

async function sent(client: RawClient, message: Buffer): Promise<void> {
  const lines = await client.ask(message);
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
