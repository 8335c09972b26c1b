/**
 * What every adapter does, whatever it speaks: asked through hoopd with a real client in front and a real target behind. An
 * adapter joins with a file that holds its harness.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { AHEAD_WORDS, PATHS, TUNNEL_HEADERS } from '../../src/api/contract.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { ERROR_TABLE } from '../../src/core/errors.ts';
import type { Caller } from '../support/running-gateway.ts';
import { holding } from './held.ts';
import {
  type AdapterHarness,
  breakAudit,
  breakRecordings,
  type OpenSession,
  Trial,
  type Words,
} from './trial.ts';

/** The promise: whom hoopd ends is told within a second. */
const SOON_MS = 1000;
/** What hangs is a failure: no client waits that long. */
const CASE_MS = 20_000;
/** For what happens a moment later, on a busy machine two. */
const PATIENCE = { timeout: 10_000, interval: 50 };

export function adapterConformance(harness: AdapterHarness): void {
  describe(`the adapter for ${harness.protocol}`, { timeout: CASE_MS }, () => {
    let trial: Trial;
    beforeAll(async () => {
      trial = await Trial.start(harness);
    });
    afterEach(() => trial?.leave());
    afterAll(() => trial?.stop());
    const { words } = harness;
    const given = () => trial;

    opening(given, words);
    refusing(given, words);
    holding(given, words);
    explaining(given, words);
    failingEvidence(given, words);
    masking(given, words);
    ending(given, words);
    changing(given, harness);
    if (harness.session === 'tunnel') severalStreams(given, words);

    it('leaves one outcome for each allow, none for a denial, and one end for each session, with its counts', async () => {
      await vi.waitFor(() => expect(trial.running.gateway.sessions.size).toBe(0), PATIENCE);
      await vi.waitFor(async () => expect(problemsOf(await trial.events())).toEqual([]), PATIENCE);
      expect((await trial.events()).filter(({ type }) => type === 'session.ended').length).toBeGreaterThan(
        10,
      );
    });
  });
}

type Given = () => Trial;

/** Octets that the target takes for one allowed request: asked again, it takes the same. */
async function costOf({ target }: Trial, { client }: OpenSession, { allowed }: Words): Promise<number> {
  await client.ask(allowed.say);
  const before = target.heard.octets;
  await client.ask(allowed.say);
  return target.heard.octets - before;
}

/** Nothing of it has reached the target: what follows takes what it always takes, and not an octet more. */
async function expectNothingSent(
  trial: Trial,
  session: OpenSession,
  words: Words,
  refused: () => Promise<void>,
) {
  const cost = await costOf(trial, session, words);
  const before = trial.target.heard;
  await refused();
  expect(trial.target.heard).toEqual(before);
  expect(await session.client.ask(words.allowed.say)).toMatchObject({ refused: false });
  expect(trial.target.heard).toEqual({ ...before, octets: before.octets + cost });
}

function explaining(given: Given, words: Words): void {
  it('only says what policy would, where that is asked for: the target hears nothing and nobody is asked', async () => {
    const trial = given();
    const session = await trial.open(trial.agent, { [TUNNEL_HEADERS.approval]: AHEAD_WORDS.explains });
    const asks = async ([say, rule]: readonly [string, string]) =>
      expect(await session.client.ask(say)).toMatchObject({
        refused: true,
        text: expect.stringContaining(rule),
      });
    const denied = [words.denied, 'no'] as const;
    await asks(denied);
    // From here on the connection to the target is the session's own, where there is one.
    const before = trial.target.heard;
    const asked = [
      [words.allowed.say, 'explains-only'],
      [words.held, 'ask-first'],
      [words.unread.say, words.unread.rule],
    ] as const;
    for (const one of asked) await asks(one);
    await session.client.close();
    await trial.end(session.id);
    expect(trial.target.heard).toEqual(before);
    const decided = (await trial.events(session.id)).filter(({ type }) => type === 'operation.decided');
    expect(decided.slice(1).map(({ decision, facts }) => [decision, facts?.['would']])).toEqual(
      ['deny', 'allow', 'hold', 'deny'].map((would) => ['explained', would]),
    );
    const ended = (await trial.events(session.id)).find(({ type }) => type === 'session.ended');
    expect(ended?.facts).toMatchObject({ operations: 4, denied: 0 });
    expect((await trial.events(session.id)).map(({ type }) => type)).not.toContain('approval.requested');
  });
}

function opening(given: Given, words: Words): void {
  it('opens by a decision; what was asked, its outcome and the end are on record, with counts', async () => {
    const trial = given();
    const session = await trial.open();
    expect(await session.client.ask(words.allowed.say)).toEqual({
      refused: false,
      text: words.allowed.answer,
    });
    expect(await session.client.ask(words.denied)).toMatchObject({ refused: true });
    await session.client.close();
    const ended = await trial.end(session.id);
    const events = await trial.events(session.id);
    const [connect, allowed, denied] = events.filter(({ type }) => type === 'operation.decided');
    expect(connect).toMatchObject({
      actions: ['connect'],
      objects: ['it'],
      decision: 'allow',
      actor: { name: 'copilot', person: 'dana@example.com' },
      policyVersion: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(events.find(({ type }) => type === 'session.started')?.operation).toBe(connect!.operation);
    expect(allowed).toMatchObject({ decision: 'allow', actions: expect.arrayContaining([words.verb]) });
    expect(denied).toMatchObject({ decision: 'deny', rules: [{ id: 'no' }] });
    const outcomes = await trial.outcomes(session.id);
    expect(outcomes.map(({ operation, outcome }) => [operation, outcome])).toEqual([
      [allowed!.operation, 'success'],
    ]);
    const { items } = await trial.recording(session.id);
    const end = items.at(-1);
    expect(ended.facts).toMatchObject({ operations: 2, denied: 1, recordingComplete: true });
    expect(end).toMatchObject({ kind: 'end', complete: true, sha256: ended.facts?.['recordingSha256'] });
    expect(ended.bytes).toBeGreaterThanOrEqual(words.allowed.answer.length);
  });

  it('does not open, and the target hears nothing, where policy does not permit connect', async () => {
    const { running, target } = given();
    const stranger = await running.person(['strangers'], { name: 'sam' });
    const before = target.heard;
    expect((await stranger.tunnel('it')).status).toBe(403);
    expect(target.heard).toEqual(before);
    const [decided, refused] = (await given().events())
      .filter(({ actor }) => actor?.name === 'sam@example.com')
      .slice(-2);
    expect(decided).toMatchObject({ type: 'operation.decided', actions: ['connect'], decision: 'deny' });
    expect(refused).toMatchObject({ type: 'session.refused', operation: decided!.operation });
  });
}

function refusing(given: Given, words: Words): void {
  const cases = [
    ['denied', words.denied, 'no', 'deny'],
    ['held, while nobody decides', words.held, 'ask-first', 'hold'],
    ['not understood', words.unread.say, words.unread.rule, 'deny'],
  ] as const;
  it.each(cases)(
    'sends no octet to the target of what is %s, says the rule, and goes on',
    async (_, say, rule, decision) => {
      const trial = given();
      const session = await trial.open();
      await expectNothingSent(trial, session, words, async () => {
        const answer = await session.client.ask(say);
        expect(answer).toMatchObject({ refused: true, text: expect.stringContaining(rule) });
      });
      await session.client.close();
      await trial.end(session.id);
      const decided = await trial.decided(session.id);
      expect(decided.map((event) => event.decision)).toEqual(['allow', 'allow', decision, 'allow']);
      if (decision === 'hold') expect(decided[2]!.reason).toContain('boss');
    },
  );
}

/** Each piece stands behind the one before it. */
function expectInOrder(received: Buffer, pieces: readonly Buffer[]): void {
  let at = 0;
  for (const piece of pieces) {
    const found = received.indexOf(piece, at);
    expect(found, piece.toString()).toBeGreaterThanOrEqual(at);
    at = found + piece.length;
  }
}

function failingEvidence(given: Given, words: Words): void {
  it('refuses what cannot be audited, sends none of it, and goes on once it can', async () => {
    const trial = given();
    const session = await trial.open();
    await expectNothingSent(trial, session, words, () =>
      withoutAudit(
        trial,
        async () => {
          const answer = await session.client.ask(words.allowed.say);
          expect(answer.refused).toBe(true);
          expect(answer.text).toContain(ERROR_TABLE.ERR_AUDIT_UNAVAILABLE.text);
        },
        session,
      ),
    );
    await session.client.close();
  });

  it('opens no session that cannot be audited', async () => {
    const trial = given();
    const before = trial.target.heard;
    await withoutAudit(trial, async () => {
      expect((await trial.agent.tunnel('it')).status).toBe(503);
    });
    expect(trial.target.heard).toEqual(before);
  });

  it('refuses what follows once its recording has failed, and sends none of it; a new session is well', async () => {
    const trial = given();
    const session = await trial.open();
    await session.client.ask(words.allowed.say);
    const mend = await breakRecordings();
    try {
      await vi.waitFor(async () => {
        const answer = await session.client.ask(words.allowed.say);
        expect(answer.refused).toBe(true);
        expect(answer.text).toMatch(/recording .*cannot be written/);
      }, PATIENCE);
    } finally {
      mend();
    }
    const before = trial.target.heard;
    expect(await session.client.ask(words.allowed.say)).toMatchObject({ refused: true });
    expect(trial.target.heard).toEqual(before);
    await session.client.close();
    const ended = await trial.end(session.id);
    expect(ended).toMatchObject({ outcome: 'failure', facts: { recordingComplete: false } });
    const another = await trial.open();
    expect(await another.client.ask(words.allowed.say)).toMatchObject({ refused: false });
    await another.client.close();
  });
}

function masking(given: Given, words: Words): void {
  it('shows a masked value to nobody: client, wire, recording, replay, audit, log', async () => {
    const trial = given();
    const session = await trial.open();
    const { say, secret, shown } = words.masked;
    const answer = await session.client.ask(say);
    expect(answer).toMatchObject({ refused: false, text: expect.stringContaining(shown) });
    await session.client.close();
    await trial.end(session.id);
    const { items, shown: pieces } = await trial.recording(session.id);
    const recorded = Buffer.concat(pieces);
    expect(recorded.includes(shown)).toBe(true);
    const places = {
      client: answer.text,
      wire: session.received().toString('latin1'),
      recording: recorded.toString('latin1') + JSON.stringify(items),
      replay: (await trial.auditor.get(`${PATHS.sessions}/${session.id}/recording`)).text,
      audit: JSON.stringify(await trial.events(session.id)),
      log: trial.log.join('\n'),
    };
    expect(places.replay).toContain(shown);
    for (const [place, text] of Object.entries(places)) expect(text.includes(secret), place).toBe(false);
    const [outcome] = await trial.outcomes(session.id);
    expect(outcome?.maskedValues).toBeGreaterThan(0);
  });

  it('records what the client was sent, octet for octet, and what it asked', async () => {
    const trial = given();
    const session = await trial.open();
    for (const say of [words.allowed.say, words.masked.say, words.denied]) await session.client.ask(say);
    await session.client.close();
    await trial.end(session.id);
    const { items, shown } = await trial.recording(session.id);
    expect(Buffer.concat(shown).length).toBeGreaterThan(0);
    expectInOrder(session.received(), shown);
    const asked = items.flatMap((item) => (item.kind === 'request' ? [item.id] : []));
    const decided = await trial.decided(session.id);
    expect(asked).toEqual(decided.map(({ operation }) => operation));
  });
}

function ending(given: Given, words: Words): void {
  /** Something is asked that is not answered; resolves once the target has it. */
  async function busy(trial: Trial, caller?: Caller): Promise<OpenSession> {
    const session = await trial.open(caller);
    await session.client.ask(words.allowed.say);
    const before = trial.target.heard;
    void session.client.ask(words.slow).catch(() => undefined);
    await vi.waitFor(() => expect(trial.target.heard).not.toEqual(before), PATIENCE);
    return session;
  }
  const idle = async (trial: Trial, caller?: Caller) => {
    const session = await trial.open(caller);
    await session.client.ask(words.allowed.say);
    return session;
  };
  const states = [
    ['idle', idle],
    ['busy', busy],
  ] as const;

  async function endedSoon(session: OpenSession, end: () => Promise<void>): Promise<string> {
    const at = performance.now();
    await end();
    const last = await session.client.ended;
    expect(performance.now() - at).toBeLessThan(SOON_MS);
    return last;
  }

  it.each(states)(
    'ends a session that is %s within a second of being killed, and says why',
    async (_, open) => {
      const trial = given();
      const session = await open(trial);
      const last = await endedSoon(session, () => trial.kill(session.id));
      expect(last).toContain('the session was ended by an operator');
      const end = await trial.end(session.id);
      expect(end).toMatchObject({ outcome: 'failure', reason: 'the session was ended by an operator' });
    },
  );

  it.each(states)(
    'ends a session that is %s within a second of a revocation, and says why',
    async (_, open) => {
      const trial = given();
      const caller = await trial.running.person(['developers'], { name: 'vic', agent: 'copilot' });
      const session = await open(trial, caller);
      const last = await endedSoon(session, () => trial.revoke(caller.issued.instance));
      expect(last).toContain(ERROR_TABLE.ERR_REVOKED.text);
      await trial.end(session.id);
      expect((await caller.tunnel('it')).status).toBe(401);
    },
  );

  it('has an unknown outcome where the client is gone before the answer', async () => {
    const trial = given();
    const session = await busy(trial);
    session.socket.destroy();
    await trial.end(session.id);
    const outcomes = await trial.outcomes(session.id);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['success', 'unknown']);
  });

  it('ends alone where its client breaks the protocol', async () => {
    const trial = given();
    const [bad, good] = [await trial.open(), await trial.open()];
    await bad.client.ask(words.allowed.say);
    bad.socket.write(words.malformed);
    expect(await bad.client.ended).not.toBe('');
    expect(await trial.end(bad.id)).toMatchObject({ outcome: 'failure' });
    expect(await good.client.ask(words.allowed.say)).toMatchObject({ refused: false });
    await good.client.close();
  });
}

function changing(given: Given, { policy, words }: AdapterHarness): void {
  it('obeys a policy that was replaced in the middle of a session at the next operation', async () => {
    const trial = given();
    const session = await trial.open();
    await session.client.ask(words.allowed.say);
    try {
      await trial.policy(
        `${policy}\n@id("closed") forbid (principal, action == Action::"${words.verb}", resource);`,
      );
      const answer = await session.client.ask(words.allowed.say);
      expect(answer).toMatchObject({ refused: true, text: expect.stringContaining('closed') });
    } finally {
      await trial.policy(policy);
    }
    expect(await session.client.ask(words.allowed.say)).toMatchObject({ refused: false });
    await session.client.close();
  });

  it('masks, from the next operation on, what a replaced policy no longer shows', async () => {
    const trial = given();
    const session = await trial.open();
    const { say, secret } = words.masked;
    await session.client.ask(say);
    try {
      await trial.policy(policy.replace(/^.*@mask.*$/gm, ''));
      expect((await session.client.ask(say)).text).toContain(secret);
    } finally {
      await trial.policy(policy);
    }
    expect((await session.client.ask(say)).text).not.toContain(secret);
    await session.client.close();
  });

  it('refuses what the instance gave up, whatever policy permits', async () => {
    const trial = given();
    const session = await trial.open(await trial.narrowed('reveal'));
    await session.client.ask(words.allowed.say);
    const before = trial.target.heard;
    const answer = await session.client.ask(words.allowed.say);
    expect(answer).toMatchObject({ refused: true, text: expect.stringContaining('attenuated') });
    expect(trial.target.heard).toEqual(before);
    await session.client.close();
  });
}

function severalStreams(given: Given, words: Words): void {
  const newTunnel = () => ({ [TUNNEL_HEADERS.tunnel]: randomBytes(16).toString('base64url') });
  const both = async (trial: Trial, headers: Readonly<Record<string, string>>) => {
    const streams = [await trial.open(trial.agent, headers), await trial.open(trial.agent, headers)] as const;
    for (const { client } of streams) await client.ask(words.allowed.say);
    return streams;
  };

  it('serves the streams of one tunnel as one session, with one start, one recording, one end and the counts of all', async () => {
    const trial = given();
    const [one, two] = await both(trial, newTunnel());
    expect(two.id).toBe(one.id);
    await two.client.ask(words.denied);
    await one.client.close();
    expect(await two.client.ask(words.allowed.say)).toMatchObject({ refused: false });
    await two.client.close();
    expect(await trial.end(one.id)).toMatchObject({
      facts: { operations: 4, denied: 1, recordingComplete: true },
    });
    const events = await trial.events(one.id);
    expect(events.filter(({ type }) => type === 'session.started')).toHaveLength(1);
    const { items } = await trial.recording(one.id);
    const asked = items.flatMap((item) => (item.kind === 'request' ? [item.stream] : []));
    expect(asked).toEqual([0, 1, 1, 1]);
    const closed = items.flatMap((item) => (item.kind === 'closed' ? [item.stream] : []));
    expect(closed.toSorted()).toEqual([0, 1]);
  });

  it('ends all streams of a session that is killed', async () => {
    const trial = given();
    const streams = await both(trial, newTunnel());
    await trial.kill(streams[0].id);
    for (const { client } of streams)
      expect(await client.ended).toContain('the session was ended by an operator');
    await trial.end(streams[0].id);
  });

  it('lets nobody else into a session, whatever tunnel is named', async () => {
    const trial = given();
    const headers = newTunnel();
    const mine = await trial.open(trial.agent, headers);
    const other = await trial.running.person(['developers'], { name: 'eve', agent: 'copilot' });
    const theirs = await trial.open(other, headers);
    expect(theirs.id).not.toBe(mine.id);
    await mine.client.close();
    await theirs.client.close();
  });
}

/** Where the evidence of sessions is not what it should be; empty: nowhere. @param live Its end is yet to come. */
function problemsOf(events: readonly AuditEvent[], live?: string): string[] {
  const of = (type: AuditEvent['type'], session?: string) =>
    events.filter((event) => event.type === type && (session === undefined || event.session === session));
  const outcomes = Map.groupBy(of('operation.closed'), ({ operation }) => operation);
  const ofOperations = of('operation.decided')
    .filter(({ session, actions }) => session !== live || actions?.[0] !== 'connect')
    .filter(
      ({ operation, decision }) => (outcomes.get(operation)?.length ?? 0) !== (decision === 'allow' ? 1 : 0),
    )
    .map(({ session, operation, decision }) => `${session}: ${decision} of ${operation} has no one outcome`);
  const ofSessions = of('session.started')
    .map(({ session }) => session!)
    .filter((session) => session !== live)
    .filter((session) => {
      const [end, ...more] = of('session.ended', session);
      const denied = of('operation.decided', session).filter(
        ({ decision }) => decision !== 'allow' && decision !== 'explained',
      );
      return more.length > 0 || end?.facts?.['denied'] !== denied.length;
    });
  return [...ofOperations, ...ofSessions.map((session) => `${session}: not one end with its counts`)];
}

/**
 * Runs something while nothing can be audited; resolves once that has been noticed and the writer is well again. What was
 * done before is on record first.
 */
async function withoutAudit(trial: Trial, run: () => Promise<void>, live?: OpenSession): Promise<void> {
  await vi.waitFor(async () => expect(problemsOf(await trial.events(), live?.id)).toEqual([]), PATIENCE);
  const recoveries = async () =>
    (await trial.events()).filter(({ type }) => type === 'audit.recovered').length;
  const before = await recoveries();
  const mend = breakAudit();
  try {
    await run();
  } finally {
    mend();
  }
  await vi.waitFor(async () => expect(await recoveries()).toBeGreaterThan(before), PATIENCE);
}
