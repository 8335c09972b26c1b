import { appendFileSync, existsSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditQuery } from '../../../src/api/contract.ts';
import type { EventInput } from '../../../src/audit/event.ts';
import { type ChainLog, openAuditLog } from '../../../src/audit/log.ts';
import { type AuditIndex, openAuditIndex } from '../../../src/storage/audit-index.ts';
import { chainSegments, listChains } from '../../../src/storage/chain-files.ts';
import { actor, closed, decided, logOptions, temporary } from '../../support/audit.ts';

const root = temporary();
const dir = join(root, 'audit');
const file = join(root, 'index', 'audit.db');
let now = Date.parse('2026-03-01T08:00:00.000Z');
const options = logOptions(dir, { clock: { now: () => now } });
let log: ChainLog;
let index: AuditIndex;

const lee = {
  ...actor,
  kind: 'person' as const,
  name: 'lee@example.com',
  person: 'lee@example.com',
  subject: 'lee',
};
const { person: _, ...withoutPerson } = actor;
const ci = {
  ...withoutPerson,
  name: 'ci-migrate',
  subject: 'repo:shop',
  attested: {},
  declared: { model: 'gpt' },
};

/** Events a minute apart: op_1 … op_5 and three that are no operations. */
async function fill(): Promise<void> {
  const put = async (...events: EventInput[]) => {
    for (const event of events) await log.append(event);
    now += 60_000;
  };
  await put({ type: 'session.started', actor, session: 'ses_1', resource: 'pg-prod', protocol: 'postgres' });
  await put(decided('op_1'), closed('op_1', { rows: 3, durationMs: 1.5 }));
  await put(
    decided('op_2', {
      text: 'DROP TABLE audit_log',
      actions: ['sql.drop'],
      decision: 'deny',
      rules: [{ id: 'ddl-needs-a-dba' }],
      objects: ['pg-prod/Public.Customers'],
    }),
  );
  await put(
    decided('op_3', { actor: ci, resource: 'pg-test', session: 'ses_2', objects: ['pg-test/shop.orders'] }),
    closed('op_3', { outcome: 'failure', sqlstate: '23505' }),
  );
  const text = 'update naïve set "x" = 東京 where NEAR(a b)';
  await put(decided('op_4', { actor: lee, session: 'ses_3', actions: ['sql.update', 'sql.select'], text }));
  const archive = { text: 'grant all on orders_archive', objects: ['pg-prod/public.orders_archive'] };
  await put(decided('op_5', { decision: 'hold', ...archive }));
  await put({ type: 'login.refused', reason: 'the proof of possession is not valid' });
  await put({ type: 'session.ended', actor, session: 'ses_1', reason: 'client left' });
}

beforeAll(async () => {
  log = await openAuditLog(options);
  await fill();
  index = openAuditIndex({ dir, file });
});
afterAll(async () => {
  await index.close();
  await log.close();
  rmSync(root, { recursive: true, force: true });
});

const named = (event: { readonly [field: string]: unknown }) => event['operation'] ?? event['type'];
const found = async (query: AuditQuery) => (await index.search(query)).events.map(named);

describe('a search', () => {
  const all = ['session.ended', 'login.refused', 'op_5', 'op_4', 'op_3', 'op_2', 'op_1', 'session.started'];
  const operations = ['op_5', 'op_4', 'op_3', 'op_2', 'op_1'];
  const cases: [AuditQuery, string[]][] = [
    [{}, all],
    [{ agent: 'shop-copilot' }, ['session.ended', 'op_5', 'op_2', 'op_1', 'session.started']],
    [{ agent: 'lee@example.com' }, []],
    [{ person: 'lee@example.com' }, ['op_4']],
    [{ person: 'dana@example.com', decision: 'deny' }, ['op_2']],
    [{ model: 'gpt' }, ['op_3']],
    [{ resource: 'pg-test' }, ['op_3']],
    [{ session: 'ses_1', type: 'operation.decided' }, ['op_5', 'op_2', 'op_1']],
    [{ table: 'orders' }, ['op_4', 'op_3', 'op_1']],
    [{ table: 'ORDERS' }, ['op_4', 'op_3', 'op_1']],
    [{ table: 'public.orders' }, ['op_4', 'op_1']],
    [{ table: 'shop.orders' }, ['op_3']],
    [{ table: 'pg-prod/public.orders' }, ['op_4', 'op_1']],
    [{ table: 'customers' }, ['op_2']],
    [{ table: 'order' }, []],
    [{ action: 'sql.drop' }, ['op_2']],
    [{ action: 'sql' }, operations],
    [{ action: 'sql.*' }, operations],
    [{ action: 'sq' }, []],
    [{ decision: 'hold' }, ['op_5']],
    [{ decision: 'allow' }, ['op_4', 'op_3', 'op_1']],
    [{ outcome: 'success' }, ['op_1']],
    [{ outcome: 'failure' }, ['op_3']],
    [{ outcome: 'unknown' }, ['op_4']],
    [{ type: 'login.refused' }, ['login.refused']],
    [{ since: '2026-03-01T08:05:00Z' }, ['session.ended', 'login.refused', 'op_5']],
    [{ until: '2026-03-01T08:01:00Z' }, ['session.started']],
    [{ since: '2026-03-01T09:01:00+01:00', until: '2026-03-01T08:02:00.001Z' }, ['op_2', 'op_1']],
    [{ q: 'drop' }, ['op_2']],
    [{ q: 'DROP table' }, ['op_2']],
    [{ q: 'table drop' }, ['op_2']],
    [{ q: '"table drop"' }, []],
    [{ q: '"drop table"' }, ['op_2']],
    [{ q: 'ddl-needs-a-dba' }, ['op_2']],
    [{ q: 'audit_log' }, ['op_2']],
    [{ q: 'orders_arch*' }, ['op_5']],
    [{ q: 'orders_arch' }, []],
    [{ q: 'naive' }, ['op_4']],
    [{ q: '東京' }, ['op_4']],
    [{ q: 'possession' }, ['login.refused']],
    [{ q: 'orders', outcome: 'failure' }, ['op_3']],
    [{ q: '4711' }, []],
    [{ q: '', table: '' }, all],
  ];
  it.each(cases)('%j', async (query, expected) => {
    expect(await found(query)).toEqual(expected);
  });

  it('shows one event for a decision and its outcome, with its place, without what is sealed', async () => {
    const { events } = await index.search({ outcome: 'success' });
    const decision = { operation: 'op_1', type: 'operation.decided', at: '2026-03-01T08:01:00.000Z' };
    const place = { chain: log.chain, seq: 3 };
    expect(events[0]).toMatchObject({ ...decision, ...place, outcome: 'success', rows: 3, durationMs: 1.5 });
    expect(events[0]).not.toHaveProperty('sealed');
    expect(JSON.stringify(await index.search({}))).not.toContain('4711');
    expect((await index.search({ outcome: 'failure' })).events[0]).toMatchObject({ sqlstate: '23505' });
    expect((await index.search({ decision: 'deny' })).events[0]).not.toHaveProperty('outcome');
  });

  it('stays within the scope, whatever is asked', async () => {
    const scope = { issuer: actor.issuer, subject: 'repo:shop' };
    expect((await index.search({}, scope)).events.map(named)).toEqual(['op_3']);
    expect((await index.search({ person: 'lee@example.com' }, scope)).events).toEqual([]);
    expect((await index.search({}, { ...scope, issuer: 'https://evil.example.com' })).events).toEqual([]);
    expect((await index.search({}, { ...scope, agent: 'shop-copilot' })).events).toEqual([]);
    const [event] = (await index.search({}, scope)).events;
    expect(await index.event(event!.id, scope)).toEqual(event);
    expect(await index.event(event!.id, { ...scope, subject: 'lee' })).toBeUndefined();
    expect(await index.event('evt_nothing')).toBeUndefined();
  });

  const long = 'x'.repeat(2000);
  it.each<[string, AuditQuery]>([
    ['no rows', { limit: '0' }],
    ['too many rows', { limit: '1001' }],
    ['a limit that is no number', { limit: 'x' }],
    ['a time in words', { since: 'yesterday' }],
    ['a time that is a number', { until: '12' }],
    ['a cursor of its own making', { cursor: "1' OR 1=1" }],
    ['an unknown decision', { decision: 'maybe' }],
    ['an unknown outcome', { outcome: 'ok' }],
    ['a long text', { q: long }],
    ['many words', { q: 'x '.repeat(40) }],
    ['a long name', { agent: long }],
  ])('refuses %s', async (_name, query) => {
    await expect(index.search(query)).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });

  it('takes any text for a text', async () => {
    const quotes = ['"', '""', '"""', "'", '" *', '*"', '"\0"', 'x" OR words:"y', '\\"'];
    const operators = [
      '*',
      'a*b',
      'AND',
      'OR OR',
      'NOT x',
      'NEAR(a b, 3)',
      '{keys words}: x',
      '^x',
      'keys:x',
      '-x',
      '(',
    ];
    const rest = ['; DROP TABLE events', '\0', 'a\0b', '☃', '💥', '½', ')'];
    for (const q of [...quotes, ...operators, ...rest])
      await index.search({ q, agent: q, table: q, action: q, limit: '1' });
    const unit = fc.constantFrom(...'"*():^{}+-, \\\'\0aAND'.split(''));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit, maxLength: 30 }), async (q) => {
        await index.search({ q, limit: '1' });
      }),
      { numRuns: 200 },
    );
  });
});

describe('pages', () => {
  it('neither repeat nor skip an event while others are appended', async () => {
    const before = await found({ limit: '1000' });
    const seen: unknown[] = [];
    let pages = 0;
    for (let cursor = ''; ; pages++) {
      const page = await index.search({ limit: '3', cursor });
      seen.push(...page.events.map(named));
      await log.append(decided(`op_late_${pages}`, { session: 'ses_late' }));
      if (page.next === undefined) break;
      cursor = page.next;
    }
    expect(seen).toEqual(before);
    expect(await found({ session: 'ses_late', limit: '1' })).toEqual([`op_late_${pages}`]);
  });

  it('keep events of one millisecond apart', async () => {
    const session = 'ses_same';
    await Promise.all(
      Array.from({ length: 2500 }, (_, i) => log.append(decided(`op_same_${i}`, { session }))),
    );
    now += 10;
    const seen: unknown[] = [];
    for (let cursor = ''; ; ) {
      const page = await index.search({ session, limit: '999', cursor });
      seen.push(...page.events.map(named));
      if (page.next === undefined) break;
      cursor = page.next;
    }
    expect(seen).toEqual(Array.from({ length: 2500 }, (_, i) => `op_same_${2499 - i}`));
  });
});

describe('what was appended', () => {
  it('is found by the very next search, its outcome too, whichever batch it came in', async () => {
    const session = 'ses_now';
    for (let i = 0; i < 20; i++) {
      await log.append(decided(`op_now_${i}`, { session }));
      expect(await found({ session, outcome: 'unknown' })).toEqual([`op_now_${i}`]);
      await log.append(closed(`op_now_${i}`, { session }));
      expect(await found({ session, outcome: 'unknown' })).toEqual([]);
      expect(await found({ session, outcome: 'success' })).toHaveLength(i + 1);
    }
  });
});

describe('sessions', () => {
  it('have a start, an end, counts and their people', async () => {
    expect((await index.sessions({ id: 'ses_1' }))[0]).toEqual({
      id: 'ses_1',
      resource: 'pg-prod',
      protocol: 'postgres',
      actor: 'shop-copilot',
      person: 'dana@example.com',
      instance: 'ins_1',
      startedAt: '2026-03-01T08:00:00.000Z',
      endedAt: '2026-03-01T08:07:00.000Z',
      endReason: 'client left',
      operations: 3,
      denied: 1,
    });
    expect(await index.sessions({}, { issuer: actor.issuer, subject: 'someone else' })).toEqual([]);
    await log.append({
      type: 'session.started',
      actor,
      session: 'ses_9',
      resource: 'pg-prod',
      protocol: 'postgres',
    });
    await log.append(decided('op_9', { session: 'ses_9' }));
    const live = (await index.sessions({ limit: 1 }))[0];
    expect(live).toMatchObject({ id: 'ses_9', operations: 1, denied: 0 });
    expect(live).not.toHaveProperty('endedAt');
  });

  it('are interrupted when the gateway died under them', async () => {
    await log.close();
    now += 60_000;
    log = await openAuditLog(options);
    expect((await index.sessions({ id: 'ses_9' }))[0]).toMatchObject({ endReason: 'interrupted' });
    expect((await index.sessions({ id: 'ses_1' }))[0]).toMatchObject({ endReason: 'client left' });
  });
});

describe('the index itself', () => {
  const path = () => chainSegments(dir, listChains(dir).at(-1)!.fileId).at(-1)!;

  it('is for its owner only', () => {
    for (const name of [file, `${file}-wal`]) expect(statSync(name).mode & 0o077).toBe(0);
  });

  it('is made again when it is gone, damaged or of another version, with the same answers', async () => {
    const before = await index.search({ limit: '1000' });
    const ways = [
      () => rmSync(file),
      () => writeFileSync(file, 'not a database at all, but long enough to look like one'.repeat(100)),
      () => truncateSync(file, 5000),
    ];
    for (const way of ways) {
      await index.close();
      for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
      way();
      index = openAuditIndex({ dir, file });
      expect(await index.search({ limit: '1000' })).toEqual(before);
      expect(existsSync(file)).toBe(true);
    }
  });

  it('goes on where it was after a restart, and over a torn tail', async () => {
    await log.append(decided('op_torn', { session: 'ses_torn' }));
    await index.close();
    const size = statSync(path()).size;
    appendFileSync(path(), '{"hash":"00');
    index = openAuditIndex({ dir, file });
    expect(await found({ session: 'ses_torn' })).toEqual(['op_torn']);
    truncateSync(path(), size);
    await log.append(decided('op_torn_2', { session: 'ses_torn' }));
    expect(await found({ session: 'ses_torn' })).toEqual(['op_torn_2', 'op_torn']);
  });

  it('forgets what the writer took back', async () => {
    const size = statSync(path()).size;
    await log.append(decided('op_gone', { session: 'ses_gone' }));
    expect(await found({ session: 'ses_gone' })).toEqual(['op_gone']);
    truncateSync(path(), size);
    expect(await found({ session: 'ses_gone' })).toEqual([]);
    expect(await found({ session: 'ses_torn' })).toEqual(['op_torn_2', 'op_torn']);
  });

  it('still answers when a line of the chain was spoilt', async () => {
    appendFileSync(path(), `not a line\n${'x'.repeat(5_000_000)}\n`);
    expect(await found({ session: 'ses_torn' })).toEqual(['op_torn_2', 'op_torn']);
    expect(await found({ session: 'ses_torn' })).toEqual(['op_torn_2', 'op_torn']);
  });
});
