/**
 * Long runs that the test suite has no time for; every part uses a real PostgreSQL, hoopd and hoopctl in processes of
 * their own, under a policy that allows everything. Prints one line per part; exits 1 if one failed.
 *
 *   npm run soak                      all parts: 1 GiB of COPY IN, 64 sessions for ten minutes, 4,000 short sessions
 *   npm run soak -- copy --mib 256
 *   npm run soak -- sessions --minutes 3 --sessions 64
 *   npm run soak -- short --short 8000
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import postgres from 'postgres';
import { query, rawLogin } from '../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { copyIn } from './copy-in.ts';

const MIB = 1024 * 1024;
/** Beyond what both processes hold when they are warm. */
const FLAT_MIB = 96;
/** After so long without work hoopd has given back what it does not need. */
const REST_MS = 45_000;

interface Memory {
  readonly hoopd: number;
  readonly hoopctl: number;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      mib: { type: 'string', default: '1024' },
      minutes: { type: 'string', default: '10' },
      sessions: { type: 'string', default: '64' },
      short: { type: 'string', default: '4000' },
    },
  });
  const wanted = (part: string) => positionals.length === 0 || positionals.includes(part);
  const stack = await startStack({
    superuser: true,
    settings: { max_connections: '200', max_wal_size: '4GB' },
  });
  const tunnel = await stack.tunnel();
  try {
    const copied = !wanted('copy') || (await copyPart(stack, tunnel, Number(values.mib)));
    const steady =
      !wanted('sessions') ||
      (await sessionsPart(stack, tunnel, Number(values.sessions), Number(values.minutes)));
    const flat = !wanted('short') || (await shortPart(stack, tunnel, Number(values.short)));
    return copied && steady && flat ? 0 : 1;
  } finally {
    await tunnel.close();
    await stack.stop();
  }
}

async function copyPart(stack: Stack, tunnel: Tunnel, mib: number): Promise<boolean> {
  await stack.postgres.psql('CREATE UNLOGGED TABLE bulk (id bigint, filler text)');
  await copyIn(tunnel, 'bulk', 32 * MIB); // warm
  const watched = watchMemory(stack, tunnel);
  const startedAt = Date.now();
  const rows = await copyIn(tunnel, 'bulk', mib * MIB);
  const seconds = (Date.now() - startedAt) / 1000;
  const grown = watched.stop();
  const ok = grown.hoopd < FLAT_MIB && grown.hoopctl < FLAT_MIB;
  say(
    `copy in: ${mib} MiB, ${rows} rows in ${seconds.toFixed(1)} s (${(mib / seconds).toFixed(0)} MiB/s); ` +
      `memory grew by ${grown.hoopd} MiB in hoopd, ${grown.hoopctl} MiB in hoopctl: ${ok ? 'flat' : 'NOT FLAT'}`,
  );
  return ok;
}

/**
 * Sessions of one statement each, one after the other: what hoopd holds after each quarter of them, and when it has
 * rested.
 */
async function shortPart(stack: Stack, tunnel: Tunnel, count: number): Promise<boolean> {
  const held = [resident(stack.hoopd.child.pid)];
  for (let quarter = 0; quarter < 4; quarter++) {
    await shortSessions(tunnel, count / 4);
    held.push(resident(stack.hoopd.child.pid));
  }
  await sleep(REST_MS);
  const rested = resident(stack.hoopd.child.pid);
  const [second = 0, last = 0] = [held[2], held[4]];
  const ok = last - second < FLAT_MIB && rested < last;
  say(
    `short sessions: ${count}; hoopd held ${held.join(', ')} MiB at the start and after each quarter of them, ` +
      `${rested} MiB after ${REST_MS / 1000} s of rest: ${ok ? 'flat' : 'NOT FLAT'}`,
  );
  return ok;
}

async function shortSessions(tunnel: Tunnel, count: number): Promise<void> {
  let left = count;
  const some = async () => {
    while (left-- > 0) {
      const client = await rawLogin(tunnel);
      await client.ask(query(`select ${left}, 'text of session ${left}'`));
      client.close();
    }
  };
  await Promise.all(Array.from({ length: 4 }, some));
}

/** Each session reads, writes, prepares, rolls back, streams and pipelines until the time is up. */
async function sessionsPart(
  stack: Stack,
  tunnel: Tunnel,
  sessions: number,
  minutes: number,
): Promise<boolean> {
  await stack.postgres.psql('CREATE TABLE soak (worker int, n int, t text, PRIMARY KEY (worker, n))');
  await stack.postgres.psql('GRANT ALL ON soak TO hoop');
  const url = `postgres://${tunnel.user}:${tunnel.password}@${tunnel.host}:${tunnel.port}/${tunnel.database}`;
  const end = Date.now() + minutes * 60_000;
  const errors: string[] = [];
  const watched = watchMemory(stack, tunnel);
  let done = 0;
  const one = async (worker: number) => {
    const round = worker % 2 === 0 ? overNodePostgres : overPostgresJs;
    try {
      for (let n = 0; Date.now() < end; ) n = await round(url, worker, n, end, () => done++);
    } catch (error) {
      errors.push(`session ${worker}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  await Promise.all(Array.from({ length: sessions }, (_, worker) => one(worker)));
  const grown = watched.stop();
  const kept = Number(await stack.postgres.psql('SELECT count(*) FROM soak'));
  say(
    `sessions: ${sessions} for ${minutes} min, ${done} rounds, ${kept} rows kept, ${errors.length} errors; ` +
      `memory grew by ${grown.hoopd} MiB in hoopd, ${grown.hoopctl} MiB in hoopctl`,
  );
  for (const error of errors.slice(0, 10)) say(error);
  return errors.length === 0 && kept === done;
}

type Round = (url: string, worker: number, n: number, end: number, done: () => void) => Promise<number>;

/** One connection for some hundred rounds, then another. */
const overNodePostgres: Round = async (url, worker, from, end, done) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let n = from;
  for (; n < from + 300 && Date.now() < end; n++) {
    await client.query('begin');
    await client.query({
      name: 'put',
      text: 'insert into soak values ($1, $2, $3)',
      values: [worker, n, `row ${n}`],
    });
    await client.query('savepoint s');
    await client.query('select 1/0').catch((error) => mustBe(error, '22012'));
    await client.query('rollback to s');
    const { rows } = await client.query('select t from soak where worker = $1 and n = $2', [worker, n]);
    if (rows[0]?.t !== `row ${n}`) throw new Error('another row than was written');
    await client.query('commit');
    done();
    await sleep(20);
  }
  await client.end();
  return n;
};

const overPostgresJs: Round = async (url, worker, from, end, done) => {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  let n = from;
  for (; n < from + 300 && Date.now() < end; n++) {
    await sql`insert into soak values (${worker}, ${n}, ${`row ${n}`})`;
    const answers = await Promise.all(
      [1, 2, 3, 4].map(
        (k) => sql`select ${k}::int as k, count(*)::int as c from soak where worker = ${worker}`,
      ),
    );
    if (answers.some(([row], k) => row?.['k'] !== k + 1 || row?.['c'] !== n + 1))
      throw new Error('answers in disorder');
    let seen = 0;
    await sql`select generate_series(1, 500) as g`.cursor(100, (rows) => {
      seen += rows.length;
    });
    if (seen !== 500) throw new Error('rows of a cursor are missing');
    done();
    await sleep(20);
  }
  await sql.end();
  return n;
};

function mustBe(error: unknown, code: string): void {
  if ((error as { code?: string }).code !== code) throw error;
}

function watchMemory(stack: Stack, tunnel: Tunnel): { stop(): Memory } {
  const now = (): Memory => ({
    hoopd: resident(stack.hoopd.child.pid),
    hoopctl: resident(tunnel.running.child.pid),
  });
  const before = now();
  let peak = before;
  const timer = setInterval(() => {
    const { hoopd, hoopctl } = now();
    peak = { hoopd: Math.max(peak.hoopd, hoopd), hoopctl: Math.max(peak.hoopctl, hoopctl) };
  }, 100);
  const stop = () => {
    clearInterval(timer);
    return { hoopd: peak.hoopd - before.hoopd, hoopctl: peak.hoopctl - before.hoopctl };
  };
  return { stop };
}

/** MiB. */
function resident(pid: number | undefined): number {
  const kib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return Math.round(kib / 1024);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main();
