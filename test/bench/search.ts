import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditQuery } from '../../src/api/contract.ts';
import type { Actor, EventInput } from '../../src/audit/event.ts';
import { newSealKeyText, parseSealKey } from '../../src/audit/keys.ts';
import { openAuditLog } from '../../src/audit/log.ts';
import { systemClock } from '../../src/core/clock.ts';
import { isHoopError } from '../../src/core/errors.ts';
import { silentLog } from '../../src/core/log.ts';
import { type AuditIndex, openAuditIndex } from '../../src/search/audit-index.ts';
import { median } from './processes.ts';

const EVENTS = 1_000_000;
/** Events that share one write. */
const GROUP = 2000;
const ASKED = 5;
const TABLES = ['customers', 'orders', 'invoices', 'payments', 'people', 'parts', 'suppliers', 'notes'];
const ACTIONS = ['sql.select', 'sql.insert', 'sql.update', 'sql.delete'];

/** Each filter by itself: one that matches much, one that matches little, and all together. */
const QUERIES: readonly AuditQuery[] = [
  {},
  { agent: 'agent-7' },
  { person: 'person-7' },
  { model: 'model-3' },
  { resource: 'pg-1' },
  { session: 'ses_17' },
  { instance: 'inst_17' },
  { object: 'public.orders' },
  { action: 'sql.update' },
  { decision: 'deny' },
  { outcome: 'unknown' },
  { type: 'operation.decided' },
  { q: 'select' },
  { q: 'customers r17' },
  { q: 'nowhere' },
  { q: 'inv*', decision: 'deny', agent: 'agent-2' },
  { since: new Date(0).toISOString(), until: new Date(1).toISOString() },
  { agent: 'agent-7', object: 'public.orders', action: 'sql.select', q: 'region' },
];

function actor(i: number): Actor {
  return {
    kind: 'agent',
    name: `agent-${i % 40}`,
    person: `person-${i % 300}`,
    issuer: 'https://login.example.com',
    subject: `subject-${i % 300}`,
    groups: ['ai-agents'],
    instance: `inst_${i % 900}`,
    login: `log_${i % 900}`,
    attested: {},
    declared: { model: `model-${i % 6}` },
  };
}

function event(i: number): EventInput {
  const table = TABLES[i % TABLES.length] as string;
  const action = ACTIONS[(i >> 3) % ACTIONS.length] as string;
  const text = `${action.slice(4)} ${table} where id = $1 and region = 'r${i % 77}'`;
  return {
    type: 'operation.decided',
    operation: `op_${i}`,
    actor: actor(i),
    session: `ses_${Math.floor(i / 400)}`,
    resource: `pg-${i % 5}`,
    protocol: 'postgres',
    text,
    actions: [action],
    objects: [`pg-${i % 5}/public.${table}`],
    decision: i % 50 === 0 ? 'deny' : 'allow',
  };
}

async function writeEvents(dir: string): Promise<void> {
  const log = await openAuditLog({
    dir,
    instance: 'bench',
    // Events of one turn share a write.
    durability: 'strict',
    sealKey: parseSealKey(newSealKeyText()),
    signingKey: generateKeyPairSync('ed25519').privateKey,
    clock: systemClock,
    log: silentLog,
  });
  for (let i = 0; i < EVENTS; i += GROUP) {
    await Promise.all(Array.from({ length: GROUP }, (_, j) => log.append(event(i + j))));
  }
  await log.close();
}

async function caughtUp(index: AuditIndex): Promise<void> {
  for (;;) {
    try {
      await index.search({ limit: '1' });
      return;
    } catch (error) {
      if (!isHoopError(error) || error.code !== 'ERR_LIMIT') throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/**
 * First page of a search over a million events, which the real writer wrote and the real index read. Takes minutes.
 *
 * @returns Median time of each query, ms: the slowest of them is what counts.
 */
export async function searchTimes(say: (text: string) => void): Promise<number[]> {
  const dir = mkdtempSync(join(tmpdir(), 'hoop-search-'));
  const startedAt = Date.now();
  const seconds = () => `${Math.round((Date.now() - startedAt) / 1000)} s`;
  let index: AuditIndex | undefined;
  try {
    await writeEvents(join(dir, 'audit'));
    say(`search: ${EVENTS} events written after ${seconds()}`);
    index = openAuditIndex({ dir: join(dir, 'audit'), file: join(dir, 'index.db') });
    await caughtUp(index);
    say(`search: and indexed after ${seconds()}`);
    const times: number[] = [];
    for (const query of QUERIES) times.push(await timeOf(index, query));
    const slowest = times.indexOf(Math.max(...times));
    say(`search: the slowest is ${JSON.stringify(QUERIES[slowest])}, ${times[slowest]?.toFixed(1)} ms`);
    return times;
  } finally {
    await index?.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function timeOf(index: AuditIndex, query: AuditQuery): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < ASKED; i++) {
    const startedAt = performance.now();
    await index.search(query);
    times.push(performance.now() - startedAt);
  }
  return median(times);
}
