import { describe, expect, it } from 'vitest';
import { HoopError } from '../../../src/core/errors.ts';
import { createEnforcer } from '../../../src/enforcement/enforcer.ts';
import type { Approvable, Hold, Operation, SessionRef } from '../../../src/enforcement/operation.ts';
import type { CredentialCheck } from '../../../src/identity/principal.ts';
import type { PolicyEngine } from '../../../src/policy/model.ts';
import { DeskSetUp, question } from '../approval/support.ts';
import { agent, engineOf, person, resource, table, vocabulary } from '../policy/support.ts';

const POLICIES = `
  @id("all") permit (principal, action, resource);
  @id("ddl") @approval("dba") forbid (principal, action in Action::"sql.ddl", resource)
  unless { context.approvals.contains("dba") };
  @id("door") @approval("dba") @window("2h") @quorum("2") forbid (principal, action == Action::"connect", resource)
  unless { context.approvals.contains("dba") };
  @id("never") forbid (principal, action == Action::"sql.do", resource);`;
const policies = engineOf(POLICIES);
const ada = { ...person('ada', ['dbas']), subject: 'sub-ada' };
const pairs = [{ action: 'sql.drop', object: table('t') }];

function setUp() {
  const desks = new DeskSetUp();
  let engine: PolicyEngine = policies;
  let dead = false;
  const credentials: CredentialCheck = {
    assertLive: () => {
      if (dead) throw new HoopError('ERR_REVOKED');
    },
    current: (principal) => principal,
    onEnd: () => () => undefined,
  };
  const { log, clock, desk } = desks;
  const parts = { engine: () => engine, vocabulary, audit: log, credentials, clock, desk };
  const enforcer = createEnforcer(parts);
  const principal = agent('bot', ['ai-agents'], { deadline: desks.now + 9e9, subject: 'sub-bot' });
  const { actor } = question();
  const session: SessionRef = { id: 'ses_1', principal, actor, resource, protocol: 'postgres' };
  let exact = 'as it is';
  const told: Hold[] = [];
  const told1 = Promise.withResolvers<Hold>();
  const leaving = new AbortController();
  const base = { pairs, context: {}, text: 'DROP TABLE t', original: { statement: 'DROP TABLE t' } };
  const ticket: Approvable = { exact: () => exact };
  const again = () => ({ ...base, approvable });
  const wait = {
    signal: leaving.signal,
    told: (hold: Hold) => {
      told.push(hold);
      told1.resolve(hold);
    },
    again: () => again(),
  };
  const approvable: Approvable = { exact: () => exact, wait };
  const operation = (more: Partial<Operation> = {}): Operation => ({ session, ...base, approvable, ...more });
  return {
    ...desks,
    desk,
    log,
    enforcer,
    operation,
    ticket,
    told,
    asked: told1.promise,
    leave: () => leaving.abort(),
    redefine: () => {
      exact = 'as it is now';
    },
    revoke: () => {
      dead = true;
    },
    put: (text: string) => {
      engine = engineOf(text);
    },
  };
}

describe('an operation that can wait', () => {
  it('waits, and goes when people have said yes: asked anew, used once', async () => {
    const { enforcer, operation, asked, desk, log } = setUp();
    const verdict = enforcer.decide(operation());
    const hold = await asked;
    expect(hold).toMatchObject({ approvals: ['dba'] });
    await desk.approve(hold.id, ada, ['dba']);
    const allowed = await verdict;
    expect(allowed).toMatchObject({ effect: 'allow' });
    expect(log.types).toEqual([
      'approval.requested',
      'approval.granted',
      'approval.used',
      'operation.decided',
    ]);
    expect(log.events.at(-1)).toMatchObject({
      decision: 'allow',
      operation: allowed.operation,
      facts: { approval: hold.id },
    });
    expect(log.events.at(-1)).not.toHaveProperty('reason');
  });

  it('is asked about anew where a definition has changed meanwhile', async () => {
    const { enforcer, operation, asked, desk, told, redefine } = setUp();
    const verdict = enforcer.decide(operation());
    const { id } = await asked;
    redefine();
    await desk.approve(id, ada, ['dba']);
    await expect.poll(() => told.length).toBe(2);
    expect(told[1]?.id).not.toBe(id);
    await desk.deny(told[1]!.id, ada, 'the view is another one now');
    expect(await verdict).toMatchObject({
      effect: 'deny',
      denial: { code: 'ERR_APPROVAL_DENIED', reason: 'the view is another one now', rule: 'ddl' },
    });
  });

  it('ends with the session: revoked while it waited', async () => {
    const { enforcer, operation, asked, desk, revoke } = setUp();
    const verdict = enforcer.decide(operation());
    const { id } = await asked;
    revoke();
    await desk.approve(id, ada, ['dba']);
    await expect(verdict).rejects.toMatchObject({ code: 'ERR_REVOKED' });
  });

  it('is cancelled when nobody waits any more: a yes then is for nothing', async () => {
    const { enforcer, operation, asked, desk, leave } = setUp();
    const verdict = enforcer.decide(operation());
    const { id } = await asked;
    leave();
    expect(await verdict).toMatchObject({ effect: 'deny', denial: { code: 'ERR_APPROVAL_EXPIRED' } });
    expect(desk.find(id)?.state).toBe('cancelled');
  });

  it('is judged by the policy in force when it goes: a rule that came meanwhile stands', async () => {
    const { enforcer, operation, asked, desk, put } = setUp();
    const verdict = enforcer.decide(operation());
    const { id } = await asked;
    put(`${POLICIES} @id("frozen") forbid (principal, action == Action::"sql.drop", resource);`);
    await desk.approve(id, ada, ['dba']);
    expect(await verdict).toMatchObject({ effect: 'deny', denial: { rule: 'frozen' } });
  });
});

describe('an operation that cannot wait', () => {
  it('gets a ticket; the very same finds the yes later, and once', async () => {
    const { enforcer, operation, ticket, desk, log } = setUp();
    const cannot = operation({ approvable: ticket });
    const verdict = await enforcer.decide(cannot);
    const id = verdict.effect === 'deny' ? verdict.denial.approval : undefined;
    expect(verdict).toMatchObject({ denial: { code: 'ERR_APPROVAL_REQUIRED', rule: 'ddl' } });
    expect(log.events.at(-1)).toMatchObject({ decision: 'hold', facts: { approval: id } });
    expect(await enforcer.decide(cannot)).toMatchObject({ denial: { approval: id } });
    await desk.approve(id!, ada, ['dba']);
    expect(await enforcer.decide(cannot)).toMatchObject({ effect: 'allow' });
    const next = await enforcer.decide(cannot);
    expect(next.effect === 'deny' && next.denial.approval).not.toBe(id);
  });

  it.each<[string, Partial<Approvable>, object]>([
    ['how, as its adapter says', { trial: { how: 'so' } }, { trial: 'so', notTried: undefined }],
    ['not, as its adapter says', { trial: { not: 'it calls' } }, { trial: undefined, notTried: 'it calls' }],
    ['not, where its kind never is', {}, { notTried: 'what it does is not known to be undone again' }],
    [
      'not, where it opens',
      { opens: true },
      { notTried: 'it opens something, and changes nothing by itself' },
    ],
  ])('says whether it could be tried out: %s', async (_, more, expected) => {
    const { enforcer, operation, ticket, desk } = setUp();
    await enforcer.decide(operation({ approvable: { ...ticket, ...more } }));
    const [approval] = desk.list();
    expect({ trial: approval?.trial, notTried: approval?.notTried }).toMatchObject(expected);
  });

  it('that is no such thing is refused, and nobody is asked', async () => {
    const { enforcer, session, log } = { ...setUp(), session: setUp().operation().session };
    const verdict = await enforcer.decide({ session, pairs, context: {}, text: 'x' });
    expect(verdict).toMatchObject({ denial: { code: 'ERR_APPROVAL_REQUIRED' } });
    expect(log.types).toEqual(['operation.decided']);
  });
});

describe('a session that only asks', () => {
  it('runs nothing, whatever policy says, and uses no yes up', async () => {
    const { enforcer, operation, ticket, told, desk, log, asked } = setUp();
    const session = { ...operation().session, id: 'ses_9', ahead: 'asks' as const };
    const select = [{ action: 'sql.select', object: table('t') }];
    for (const more of [
      { pairs: select },
      { pairs: select, approvable: ticket },
      { approvable: { ...ticket, prepares: true } },
    ]) {
      const verdict = await enforcer.decide(operation({ session, ...more }));
      expect(verdict).toMatchObject({ effect: 'deny', told: true, denial: { rule: 'asks-only' } });
      // Nobody was refused anything: who looks for refusals does not find it.
      expect(log.events.at(-1)).toMatchObject({ decision: 'explained', facts: { would: 'allow' } });
    }
    expect(desk.list()).toEqual([]);
    const verdict = await enforcer.decide(operation({ session }));
    const id = (verdict.effect === 'deny' && verdict.denial.approval) || '';
    expect(verdict).toMatchObject({ denial: { code: 'ERR_APPROVAL_REQUIRED' } });
    expect(verdict).toHaveProperty('denial.hint', expect.stringContaining(`connect --approval ${id}`));
    expect(told).toEqual([]);
    await desk.approve(id, ada, ['dba']);
    expect(await enforcer.decide(operation({ session }))).toMatchObject({ denial: { approval: id } });
    expect(log.types).not.toContain('approval.used');
    expect(await enforcer.decide(operation())).toMatchObject({ effect: 'allow' });
    expect(desk.find(id)).toMatchObject({ boundTo: 'ses_1' });
    expect(enforcer.decide(operation())).toBeInstanceOf(Promise);
    await asked;
  });
});

describe('what was understood by definitions that are older than the question', () => {
  const newer = [{ action: 'sql.drop', object: table('made_just_now') }];
  const stale = (operation: Operation, wait: boolean): Operation => {
    const { exact, wait: waits } = operation.approvable!;
    const current = { exact, ...(wait ? { wait: waits } : {}) };
    const { session: _, ...anew } = { ...operation, pairs: newer, approvable: current };
    return { ...operation, approvable: { ...current, anew: () => anew } };
  };

  it('is understood anew first, and people are asked once, about what it is', async () => {
    const { enforcer, operation, asked, desk, told } = setUp();
    const verdict = enforcer.decide(stale(operation(), true));
    const { id } = await asked;
    expect(desk.find(id)?.objects).toEqual(['pg/public.made_just_now']);
    await desk.deny(id, ada, 'not now');
    expect(await verdict).toMatchObject({ denial: { code: 'ERR_APPROVAL_DENIED' } });
    expect([told.length, desk.list().length]).toEqual([1, 1]);
  });

  it('is so where it cannot wait, and where it is asked ahead', async () => {
    for (const only of [{}, { ahead: 'asks' as const }]) {
      const { enforcer, operation, desk } = setUp();
      const { session } = operation();
      const verdict = await enforcer.decide(stale(operation({ session: { ...session, ...only } }), false));
      expect(verdict).toMatchObject({ denial: { code: 'ERR_APPROVAL_REQUIRED' } });
      expect(desk.list().map(({ objects }) => objects)).toEqual([['pg/public.made_just_now']]);
    }
  });

  it('is not asked for where it is denied by what it is', async () => {
    const { enforcer, operation, desk } = setUp();
    const at = operation();
    const pairs = [{ action: 'sql.do', object: resource }];
    const { session: _, ...anew } = { ...at, pairs };
    const approvable = { ...at.approvable!, anew: () => anew };
    expect(await enforcer.decide({ ...at, approvable })).toMatchObject({ denial: { rule: 'never' } });
    expect(desk.list()).toEqual([]);
  });
});

describe('a session that asks under a key of its own', () => {
  const asking = (
    key: string,
    at: ReturnType<typeof setUp>,
    statement: string,
    more: Partial<Operation> = {},
  ) => {
    const { approvable, session, ...base } = at.operation(more);
    const asks = { ...session, id: 'ses_9', ahead: 'asks' as const, idempotencyKey: key };
    const original = { statement };
    return at.enforcer.decide({ ...base, approvable: approvable!, session: asks, original, text: statement });
  };
  const idOf = (verdict: Awaited<ReturnType<typeof asking>>) =>
    verdict.effect === 'deny' ? verdict.denial.approval : undefined;

  it('has one request of it, with its end, and none of anything else', async () => {
    const at = setUp();
    const id = idOf(await asking('k', at, 'DROP TABLE t'))!;
    expect(id).toMatch(/^apr_/);
    at.redefine();
    expect(idOf(await asking('k', at, 'DROP TABLE t'))).toBe(id);
    const other = await asking('k', at, 'DROP TABLE u');
    expect(other).toMatchObject({ effect: 'deny', denial: { code: 'ERR_KEY_REUSED' } });
    expect(at.log.events.at(-1)).toMatchObject({ type: 'operation.decided', decision: 'deny' });
    await at.desk.deny(id, ada, 'use the archive');
    expect(await asking('k', at, 'DROP TABLE t')).toMatchObject({
      denial: { code: 'ERR_APPROVAL_DENIED', reason: 'use the archive' },
    });
    expect(at.desk.list()).toHaveLength(1);
  });

  it('is told that its yes was used, and opens under the same key', async () => {
    const at = setUp();
    const door = { pairs: [{ action: 'connect', object: resource }] };
    const opening = { ...door, approvable: { exact: () => '', opens: true, asks: true } as const };
    const opened = idOf(await asking('k', at, '', opening));
    const id = idOf(await asking('k', at, 'DROP TABLE t'))!;
    expect(id).not.toBe(opened);
    await at.desk.approve(id, ada, ['dba']);
    const used = at.enforcer.decide({ ...at.operation(), original: { statement: 'DROP TABLE t' } });
    expect(await used).toMatchObject({ effect: 'allow' });
    expect(await asking('k', at, 'DROP TABLE t')).toMatchObject({ denial: { code: 'ERR_APPROVAL_EXPIRED' } });
  });

  it('is for what is asked ahead: in a session where things run each is asked for as it is then', async () => {
    const at = setUp();
    let asked = 0;
    const exact = () => {
      if (++asked > 20) throw new HoopError('ERR_INTERNAL', 'it is asked again and again');
      return at.ticket.exact();
    };
    const { session, approvable, ...base } = at.operation();
    const decide = () => {
      const again = () => ({ ...base, approvable: own });
      const own: Approvable = { exact, wait: { ...approvable!.wait!, again } };
      return at.enforcer.decide({ ...base, approvable: own, session: { ...session, idempotencyKey: 'k' } });
    };
    const pending = () => at.desk.list().find(({ state }) => state === 'pending');
    const approved = async () => {
      await expect.poll(pending).toBeDefined();
      await at.desk.approve(pending()!.id, ada, ['dba']);
    };
    const [first] = await Promise.all([decide(), approved()]);
    expect(first).toMatchObject({ effect: 'allow' });
    const second = decide();
    await expect.poll(pending).toBeDefined();
    at.redefine();
    await approved();
    await approved();
    expect(await second).toMatchObject({ effect: 'allow' });
  });
});

describe('what is opened', () => {
  const door = { pairs: [{ action: 'connect', object: resource }], text: 'connect' };
  const bo = { ...person('bo', ['dbas']), subject: 'sub-bo' };

  it('is approved until one moment, which whoever opens it is told', async () => {
    const { enforcer, operation, desk, now } = setUp();
    const asks = operation({ ...door, approvable: { exact: () => '', opens: true } });
    const uses = operation({ ...door, approvable: { exact: () => '', opens: true, asks: false } });
    expect(await enforcer.decide(uses)).not.toHaveProperty('denial.approval');
    expect(desk.list()).toEqual([]);
    const refused = await enforcer.decide(asks);
    const id = (refused.effect === 'deny' && refused.denial.approval) || '';
    expect(await desk.approve(id, ada, ['dba'])).toMatchObject({ state: 'pending', needs: [{ count: 2 }] });
    await desk.approve(id, bo, ['dba']);
    for (const _ of [1, 2])
      expect(await enforcer.decide(uses)).toMatchObject({ effect: 'allow', until: now + 7_200_000 });
    // What asks for no more than the connection is not asked again; what the approval was not for, is.
    const { approvable: _, ...nothing } = operation({ ...door, text: 'SELECT 1' });
    expect(await enforcer.decide(nothing)).toMatchObject({ effect: 'allow' });
    const { approvable: __, ...drop } = operation({ pairs: [...door.pairs, ...pairs] });
    expect(await enforcer.decide(drop)).toMatchObject({ denial: { code: 'ERR_APPROVAL_REQUIRED' } });
    const other = { ...nothing, session: { ...nothing.session } };
    expect(await enforcer.decide(other)).toMatchObject({ denial: { code: 'ERR_APPROVAL_REQUIRED' } });
  });
});

describe('nobody is asked', () => {
  it.each([
    ['of what is denied anyway', { pairs: [...pairs, { action: 'sql.do', object: resource }] }, 'never'],
    [
      'of what the adapter refuses',
      { refusal: { code: 'ERR_UNSUPPORTED', rule: 'r', reason: 'no' } as const },
      'r',
    ],
  ])('%s', async (_, more, rule) => {
    const { enforcer, operation, log } = setUp();
    expect(await enforcer.decide(operation(more))).toMatchObject({ effect: 'deny', denial: { rule } });
    expect(log.types).toEqual(['operation.decided']);
  });

  it('where the definitions cannot be known: refused, on record, and the session goes on', async () => {
    const { enforcer, operation, log } = setUp();
    const exact = () => {
      throw new HoopError('ERR_TARGET_UNREACHABLE');
    };
    const verdict = await enforcer.decide(operation({ approvable: { exact } }));
    expect(verdict).toMatchObject({ effect: 'deny', denial: { code: 'ERR_TARGET_UNREACHABLE' } });
    expect(log.types).toEqual(['operation.decided']);
  });
});
