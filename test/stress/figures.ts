/** How long a statement takes, again and again: what another session feels. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** Between two statements. */
const PAUSE_MS = 10;

export interface Latency {
  readonly statements: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * Asks `SELECT 1` on one connection until `over` holds; on another if that is lost, which `failed` is told.
 *
 * @returns How long each took, ms.
 */
export async function timesOf(
  connectionString: string,
  over: () => boolean,
  failed: (why: string) => void,
): Promise<number[]> {
  const times: number[] = [];
  while (!over()) {
    const client = new pg.Client({ connectionString });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await askAgain(client, over, times);
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
      await sleep(200);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return times;
}

export function latencyOf(times: readonly number[]): Latency {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN);
  return { statements: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

async function askAgain(client: pg.Client, over: () => boolean, times: number[]): Promise<void> {
  while (!over()) {
    const before = performance.now();
    await client.query('SELECT 1');
    times.push(performance.now() - before);
    await sleep(PAUSE_MS);
  }
}

export interface HonestLoad {
  statements: number;
  readonly failed: string[];
}

/** What an honest client does beside: it writes, reads back, prepares and rolls back; each answer is checked. */
export async function honest(
  connectionString: string,
  worker: number,
  over: () => boolean,
  seen: HonestLoad,
) {
  while (!over()) {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 30_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      for (let n = 0; n < 50 && !over(); n++) {
        await oneRound(client, worker, seen.statements);
        seen.statements += 6;
        await sleep(50);
      }
    } catch (error) {
      seen.failed.push(error instanceof Error ? error.message : String(error));
      await sleep(200);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function oneRound(client: pg.Client, worker: number, n: number): Promise<void> {
  const text = `row ${n} of worker ${worker}`;
  await client.query('begin');
  await client.query({
    name: 'put',
    text: 'insert into honest (worker, t) values ($1, $2)',
    values: [worker, text],
  });
  const { rows } = await client.query('select t from honest where worker = $1 and t = $2', [worker, text]);
  if (rows[0]?.t !== text) throw new Error('another row than was written');
  await client.query('commit');
  const masked = await client.query('select email, name from customers order by id');
  if (masked.rows[0]?.email !== '***' || masked.rows[0]?.name !== 'Ann')
    throw new Error('another mask than before');
  const many = await client.query('select g, $1::text as t from generate_series(1, 500) g', [text]);
  if (many.rows.length !== 500 || many.rows[499].t !== text) throw new Error('rows are missing');
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
