/**
 * What every audit log and its search do: files and SQLite today, a database of its own later. A store joins with a file
 * that names its places.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditQuery, SessionQuery } from '../../src/api/contract.ts';
import type { AuditEvent, EventInput } from '../../src/audit/event.ts';
import type { SealKey } from '../../src/audit/keys.ts';
import type { ChainLog } from '../../src/audit/log.ts';
import { unseal } from '../../src/audit/seal.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { ChainReport } from '../../src/core/evidence/audit-verify.ts';
import type { AuditIndex } from '../../src/search/audit-index.ts';
import type { SessionScope } from '../../src/search/sessions.ts';
import { actor, closed, decided } from '../support/audit.ts';

interface OpenAudit {
  readonly log: ChainLog;
  readonly index: AuditIndex;
  close(): Promise<void>;
}

/** Where one gateway keeps its audit; empty at first. */
export interface AuditPlace {
  readonly sealKey: SealKey;
  /** Starts a writer with a chain of its own, and a search over all that is kept here. */
  open(clock: Clock): Promise<OpenAudit>;
  /** Every event as it is stored, in the order of the chain. */
  stored(): Promise<readonly AuditEvent[]>;
  /** As `hoopctl audit verify` would, oldest chain first. */
  verify(): Promise<readonly ChainReport[]>;
  /** Nothing can be stored until the returned function is called. */
  break(): () => void;
  /** Changes a stored event's text, as somebody who has the store in hand could. */
  alter(operation: string): Promise<void>;
  remove(): Promise<void>;
}

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

const started = (session: string): EventInput => ({
  type: 'session.started',
  actor,
  session,
  resource: 'pg-prod',
  protocol: 'postgres',
});

/** op_1 … op_5 and three that are no operations; each group is a minute after the one before. */
const FILLING: readonly (readonly EventInput[])[] = [
  [started('ses_1')],
  [decided('op_1'), closed('op_1', { rows: 3, durationMs: 1.5 })],
  [
    decided('op_2', {
      text: 'DROP TABLE audit_log',
      actions: ['sql.drop'],
      decision: 'deny',
      rules: [{ id: 'ddl-needs-a-dba' }],
      objects: ['pg-prod/Public.Customers'],
    }),
  ],
  [
    decided('op_3', { actor: ci, resource: 'pg-test', session: 'ses_2', objects: ['pg-test/shop.orders'] }),
    closed('op_3', { outcome: 'failure', status: '23505' }),
  ],
  [
    decided('op_4', {
      actor: lee,
      session: 'ses_3',
      actions: ['sql.update', 'sql.select'],
      text: 'update naïve set "x" = 東京 where NEAR(a b)',
    }),
  ],
  [
    decided('op_5', {
      decision: 'hold',
      text: 'grant all on orders_archive',
      objects: ['pg-prod/public.orders_archive'],
      facts: { approval: 'apr_1' },
    }),
  ],
  [{ type: 'login.refused', reason: 'the proof of possession is not valid' }],
  [{ type: 'session.ended', actor, session: 'ses_1', reason: 'client left' }],
];

const OPERATIONS = ['op_5', 'op_4', 'op_3', 'op_2', 'op_1'];
const ALL = ['session.ended', 'login.refused', ...OPERATIONS, 'session.started'];

const SEARCHES: readonly [AuditQuery, readonly string[]][] = [
  [{}, ALL],
  [{ agent: 'shop-copilot' }, ['session.ended', 'op_5', 'op_2', 'op_1', 'session.started']],
  [{ agent: 'lee@example.com' }, []],
  [{ person: 'lee@example.com' }, ['op_4']],
  [{ person: 'dana@example.com', decision: 'deny' }, ['op_2']],
  [{ model: 'gpt' }, ['op_3']],
  [{ resource: 'pg-test' }, ['op_3']],
  [{ session: 'ses_1', type: 'operation.decided' }, ['op_5', 'op_2', 'op_1']],
  [{ object: 'orders' }, ['op_4', 'op_3', 'op_1']],
  [{ object: 'ORDERS' }, ['op_4', 'op_3', 'op_1']],
  [{ object: 'public.orders' }, ['op_4', 'op_1']],
  [{ object: 'shop.orders' }, ['op_3']],
  [{ object: 'pg-prod/public.orders' }, ['op_4', 'op_1']],
  [{ object: 'customers' }, ['op_2']],
  [{ object: 'order' }, []],
  [{ action: 'sql.drop' }, ['op_2']],
  [{ action: 'sql' }, OPERATIONS],
  [{ action: 'sql.*' }, OPERATIONS],
  [{ action: 'sq' }, []],
  [{ decision: 'hold' }, ['op_5']],
  [{ decision: 'allow' }, ['op_4', 'op_3', 'op_1']],
  [{ outcome: 'success' }, ['op_1']],
  [{ outcome: 'failure' }, ['op_3']],
  [{ outcome: 'unknown' }, ['op_4']],
  [{ type: 'login.refused' }, ['login.refused']],
  [{ type: 'login.refused,session.ended' }, ['session.ended', 'login.refused']],
  [{ approval: 'apr_1' }, ['op_5']],
  [{ approval: 'apr_2' }, []],
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
  [{ q: '', object: '' }, ALL],
];

const LONG = 'x'.repeat(2000);
const BAD_SEARCHES: readonly [string, AuditQuery][] = [
  ['no rows', { limit: '0' }],
  ['too many rows', { limit: '1001' }],
  ['a limit that is no number', { limit: 'x' }],
  ['a time in words', { since: 'yesterday' }],
  ['a time that is a number', { until: '12' }],
  ['a cursor of its own making', { cursor: "1' OR 1=1" }],
  ['an unknown decision', { decision: 'maybe' }],
  ['an unknown outcome', { outcome: 'ok' }],
  ['a long text', { q: LONG }],
  ['many words', { q: 'x '.repeat(40) }],
  ['a long name', { agent: LONG }],
];

const ODD_TEXTS = [
  ...['"', '""', '"""', "'", '" *', '*"', '"\0"', 'x" OR words:"y', '\\"'],
  ...['*', 'a*b', 'AND', 'OR OR', 'NOT x', 'NEAR(a b, 3)', '{keys words}: x', '^x', 'keys:x', '-x', '('],
  ...['; DROP TABLE events', '\0', 'a\0b', '☃', '💥', '½', ')'],
];

const named = (event: { readonly [field: string]: unknown }) => event['operation'] ?? event['type'];

/** @param makePlace Called once: the cases build on one another, as a gateway's life does. */
export function auditConformance(name: string, makePlace: () => Promise<AuditPlace>): void {
  describe(`an audit in ${name}`, () => {
    let place: AuditPlace;
    let audit: OpenAudit;
    let now = Date.parse('2026-03-01T08:00:00.000Z');
    const clock: Clock = { now: () => now };
    const found = async (query: AuditQuery) => (await audit.index.search(query)).events.map(named);

    beforeAll(async () => {
      place = await makePlace();
      audit = await place.open(clock);
      for (const group of FILLING) {
        for (const event of group) await audit.log.append(event);
        now += 60_000;
      }
    });
    afterAll(async () => {
      await audit.close();
      await place.remove();
    });

    searching(() => audit, found);

    it('stores events in the order of the calls, their originals sealed', async () => {
      const operations = Array.from({ length: 300 }, (_, i) => `op_order_${i}`);
      const session = 'ses_order';
      const ids = await Promise.all(
        operations.map((one) => audit.log.append(decided(one, { session, text: 'select ?' }))),
      );
      const stored = (await place.stored()).filter((event) => event.session === session);
      expect(stored.map(({ id, operation }) => [id, operation])).toEqual(
        ids.map((id, i) => [id, operations[i]]),
      );
      expect(JSON.stringify(stored)).not.toContain('4711');
      const { sealed, id } = stored[7]!;
      expect(unseal(sealed!, id, [place.sealKey]).original).toEqual(decided('op').original);
    });

    it('shows an event to the very next search, its outcome too', async () => {
      const session = 'ses_now';
      for (let i = 0; i < 20; i++) {
        await audit.log.append(decided(`op_now_${i}`, { session }));
        expect(await found({ session, outcome: 'unknown' })).toEqual([`op_now_${i}`]);
        await audit.log.append(closed(`op_now_${i}`, { session }));
        expect(await found({ session, outcome: 'unknown' })).toEqual([]);
        expect(await found({ session, outcome: 'success' })).toHaveLength(i + 1);
      }
    });

    it('stores an outcome soon, without being asked again', async () => {
      const session = 'ses_soon';
      await audit.log.append(decided('op_soon', { session }));
      audit.log.appendSoon(closed('op_soon', { session }));
      await vi.waitFor(async () => expect(await found({ session, outcome: 'success' })).toEqual(['op_soon']));
      audit.log.appendSoon(closed('op_flushed', { session }));
      await audit.log.flush();
      expect((await place.stored()).at(-1)).toMatchObject({ operation: 'op_flushed' });
    });

    it('refuses all while nothing can be stored, counts it, and is well again by itself', async () => {
      const session = 'ses_broken';
      const mend = place.break();
      for (let i = 0; i < 3; i++)
        await expect(audit.log.append(decided(`op_lost_${i}`, { session }))).rejects.toMatchObject({
          code: 'ERR_AUDIT_UNAVAILABLE',
        });
      expect(audit.log.available).toBe(false);
      await expect(audit.log.flush()).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
      mend();
      await vi.waitFor(() => expect(audit.log.available).toBe(true), { timeout: 5000 });
      await audit.log.append(decided('op_kept', { session }));
      expect(await found({ session })).toEqual(['op_kept']);
      const recovered = (await place.stored()).findLast((event) => event.type === 'audit.recovered');
      expect(recovered).toMatchObject({ facts: { refused: 3 } });
    });

    it('refuses an event that is too large, and takes the next', async () => {
      const huge = decided('op_huge', { session: 'x'.repeat(5 * 1024 * 1024) });
      await expect(audit.log.append(huge)).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
      await audit.log.append(decided('op_after_huge', { session: 'ses_huge' }));
      expect(await found({ session: 'ses_huge' })).toEqual(['op_after_huge']);
    });

    it('goes on in a new chain after a restart, which names the one before; sessions without an end were interrupted', async () => {
      await audit.log.append(started('ses_9'));
      await audit.log.append(decided('op_9', { session: 'ses_9' }));
      const [live] = (await audit.index.sessions({ limit: '1' })).sessions;
      expect(live).toMatchObject({ id: 'ses_9', operations: 1, denied: 0 });
      expect(live).not.toHaveProperty('endedAt');
      const { chain } = audit.log;
      await audit.close();
      await expect(audit.log.append(decided('op_late'))).rejects.toMatchObject({
        code: 'ERR_AUDIT_UNAVAILABLE',
      });
      now += 60_000;
      audit = await place.open(clock);
      expect(audit.log.chain).not.toBe(chain);
      const [first, second] = await place.verify();
      expect(first).toMatchObject({ ok: true, chain, closed: true, tail: { unsignedEvents: 0 } });
      expect(second).toMatchObject({ ok: true, closed: false, previous: { chain } });
      expect(await audit.index.session('ses_9')).toMatchObject({ endReason: 'interrupted' });
      expect(await audit.index.session('ses_1')).toMatchObject({ endReason: 'client left' });
      expect(await found({ session: 'ses_1', decision: 'deny' })).toEqual(['op_2']);
    });

    it('does not verify once a stored event is another', async () => {
      await place.alter('op_2');
      expect((await place.verify())[0]).toMatchObject({ ok: false });
    });
  });
}

function searching(open: () => OpenAudit, found: (query: AuditQuery) => Promise<unknown[]>): void {
  const search: AuditIndex['search'] = (...args) => open().index.search(...args);

  it.each(SEARCHES)('finds by %j', async (query, expected) => {
    expect(await found(query)).toEqual(expected);
  });

  it.each(BAD_SEARCHES)('refuses a search for %s', async (_, query) => {
    await expect(search(query)).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });

  it('takes any text for a text', async () => {
    for (const q of ODD_TEXTS) await search({ q, agent: q, object: q, action: q, limit: '1' });
    const unit = fc.constantFrom(...'"*():^{}+-, \\\'\0aAND'.split(''));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit, maxLength: 30 }), async (q) => {
        await search({ q, limit: '1' });
      }),
      { numRuns: 200 },
    );
  });

  it('shows one event for a decision and its outcome, with its place, without what is sealed', async () => {
    const { events } = await search({ outcome: 'success' });
    const decision = { operation: 'op_1', type: 'operation.decided', at: '2026-03-01T08:01:00.000Z' };
    const place = { chain: open().log.chain, seq: 3 };
    expect(events[0]).toMatchObject({ ...decision, ...place, outcome: 'success', rows: 3, durationMs: 1.5 });
    expect(events[0]).not.toHaveProperty('sealed');
    expect(JSON.stringify(await search({}))).not.toContain('4711');
    expect((await search({ outcome: 'failure' })).events[0]).toMatchObject({ status: '23505' });
    expect((await search({ decision: 'deny' })).events[0]).not.toHaveProperty('outcome');
  });

  it('stays within the scope, whatever is asked', async () => {
    const { index } = open();
    const scope = { issuer: actor.issuer, subject: 'repo:shop' };
    expect((await search({}, scope)).events.map(named)).toEqual(['op_3']);
    expect((await search({ person: 'lee@example.com' }, scope)).events).toEqual([]);
    expect((await search({}, { ...scope, issuer: 'https://evil.example.com' })).events).toEqual([]);
    expect((await search({}, { ...scope, agent: 'shop-copilot' })).events).toEqual([]);
    const other = { own: { issuer: actor.issuer, subject: 'someone else' } };
    expect((await index.sessions({}, other)).sessions).toEqual([]);
    expect(await index.session('ses_1', other)).toBeUndefined();
    const [event] = (await search({}, scope)).events;
    expect(await index.event(event!.id, scope)).toEqual(event);
    expect(await index.event(event!.id, { ...scope, subject: 'lee' })).toBeUndefined();
    expect(await index.event('evt_nothing')).toBeUndefined();
  });

  it('gives sessions their start, end, counts and people', async () => {
    expect(await open().index.session('ses_1')).toEqual({
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
  });

  describe('sessions', () => {
    const people = [actor, ci, { ...lee, declared: { run: 'nightly' } }];
    const at = ['pg-a', 'pg-b'];
    /** Many in one millisecond; the first are the oldest. */
    const all = Array.from({ length: 24 }, (_, i) => ({
      ...started(`ses_0${String(i).padStart(2, '0')}`),
      actor: { ...people[i % 3]!, instance: `ins_list_${i % 4}` },
      resource: at[i % 2]!,
    }));
    const ids = (of: (one: (typeof all)[number]) => boolean) =>
      all
        .filter(of)
        .map(({ session }) => session)
        .toReversed();
    const listed = async (query: SessionQuery, scope?: SessionScope) => {
      const found: string[] = [];
      for (let page: SessionQuery | undefined = {}; page !== undefined; ) {
        const { sessions, next } = await open().index.sessions({ ...query, ...page, limit: '5' }, scope);
        found.push(...sessions.map(({ id }) => id));
        page = next === undefined ? undefined : { cursor: next };
      }
      return found.filter((id) => id.startsWith('ses_0'));
    };
    beforeAll(async () => {
      for (const one of all) await open().log.append(one);
      await open().log.append({ ...all[3]!, type: 'session.ended', reason: 'client left' });
    });

    it.each<[SessionQuery, (one: (typeof all)[number]) => boolean]>([
      [{}, () => true],
      [{ agent: 'shop-copilot' }, (one) => one.actor.name === 'shop-copilot'],
      [{ agent: 'lee@example.com' }, () => false],
      [{ agent: '' }, () => false],
      [{ person: 'dana@example.com' }, (one) => one.actor.name === 'shop-copilot'],
      [
        { person: 'lee@example.com', resource: 'pg-a' },
        (one) => one.resource === 'pg-a' && one.actor.name === 'lee@example.com',
      ],
      [{ resource: 'pg-a' }, (one) => one.resource === 'pg-a'],
      [
        { resource: 'pg-b', agent: 'ci-migrate' },
        (one) => one.resource === 'pg-b' && one.actor.name === 'ci-migrate',
      ],
      [{ instance: 'ins_list_2' }, (one) => one.actor.instance === 'ins_list_2'],
      [{ run: 'nightly' }, (one) => one.actor.name === 'lee@example.com'],
      [{ run: 'night' }, () => false],
      [{ live: 'true' }, (one) => one.session !== 'ses_003'],
    ])('are found by %j, page by page, however old', async (query, of) => {
      expect(await listed(query)).toEqual(ids(of));
    });

    it('are within the scope, whatever is asked', async () => {
      const [pgA, other] = [
        { resource: 'pg-a', protocol: 'postgres' },
        { resource: 'pg-a', protocol: 'http' },
      ];
      const own = { issuer: actor.issuer, subject: 'lee' };
      const mine = (one: (typeof all)[number]) => one.actor.subject === 'lee';
      expect(await listed({}, { own })).toEqual(ids(mine));
      expect(await listed({}, { own, ownAt: [pgA] })).toEqual(
        ids((one) => mine(one) && one.resource === 'pg-a'),
      );
      expect(await listed({}, { own, ownAt: [], allAt: [other] })).toEqual([]);
      expect(await listed({}, { own: { ...own, agent: 'copilot' } })).toEqual([]);
      const both = { own, allAt: [pgA] };
      expect(await listed({}, both)).toEqual(ids((one) => mine(one) || one.resource === 'pg-a'));
      expect(await listed({ agent: 'ci-migrate', resource: 'pg-b' }, both)).toEqual([]);
      expect(await open().index.sessionPlaces()).toContainEqual(pgA);
    });

    it('neither come again nor are missed where others begin between two pages', async () => {
      const { index, log } = open();
      const first = await index.sessions({ resource: 'pg-a', limit: '7' });
      await log.append({ ...started('ses_1_late'), resource: 'pg-a' });
      const rest = await index.sessions({ resource: 'pg-a', cursor: first.next! });
      const found = [...first.sessions, ...rest.sessions].map(({ id }) => id);
      expect(found).toEqual(ids((one) => one.resource === 'pg-a'));
    });

    it.each<[string, SessionQuery]>([
      ['a limit', { limit: '1001' }],
      ['a limit that is none', { limit: 'all' }],
      ['a cursor', { cursor: "'; DROP TABLE sessions" }],
      ['no cursor', { cursor: '' }],
      ['another word for life', { live: 'yes' }],
      ['too long a value', { run: 'x'.repeat(5000) }],
    ])('are not listed by %s that will not do', async (_, query) => {
      await expect(open().index.sessions(query)).rejects.toMatchObject({ code: 'ERR_USAGE' });
    });
  });

  it('gives pages that neither repeat nor skip an event while others are appended', async () => {
    const before = await found({ limit: '1000' });
    const seen: unknown[] = [];
    let pages = 0;
    for (let cursor = ''; ; pages++) {
      const page = await search({ limit: '3', cursor });
      seen.push(...page.events.map(named));
      await open().log.append(decided(`op_late_${pages}`, { session: 'ses_late' }));
      if (page.next === undefined) break;
      cursor = page.next;
    }
    expect(seen).toEqual(before);
    expect(await found({ session: 'ses_late', limit: '1' })).toEqual([`op_late_${pages}`]);
  });

  it('keeps events of one millisecond apart', async () => {
    const session = 'ses_same';
    const all = Array.from({ length: 2500 }, (_, i) => `op_same_${i}`);
    await Promise.all(all.map((one) => open().log.append(decided(one, { session }))));
    const seen: unknown[] = [];
    for (let cursor = ''; ; ) {
      const page = await search({ session, limit: '999', cursor });
      seen.push(...page.events.map(named));
      if (page.next === undefined) break;
      cursor = page.next;
    }
    expect(seen).toEqual(all.toReversed());
  });
}
