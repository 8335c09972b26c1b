import { describe, expect, it } from 'vitest';
import type { Actor, AuditLog, EventInput } from '../../../src/audit/event.ts';
import { HoopError } from '../../../src/core/errors.ts';
import { createEnforcer } from '../../../src/enforcement/enforcer.ts';
import type { Operation, SessionRef } from '../../../src/enforcement/operation.ts';
import type { CredentialCheck, Principal } from '../../../src/identity/principal.ts';
import type { Pair, PolicyEngine } from '../../../src/policy/model.ts';
import { agent, column, delegated, engineOf, resource, table, vocabulary } from '../policy/support.ts';

const POLICIES = `
  @id("all") permit (principal, action, resource);
  @id("where") @reason("whole tables are not changed") @hint("ask the table's owner")
  forbid (principal, action in [Action::"sql.update", Action::"sql.delete"], resource) unless { context.hasWhere && !context.tautology };
  @id("ddl") @approval("dba") @hint("say what the change is for")
  forbid (principal, action in Action::"sql.ddl", resource) unless { context.approvals.contains("dba") };
  @id("grants") @approval("security")
  forbid (principal, action == Action::"sql.grant", resource) unless { context.approvals.contains("security") };
  @id("never") forbid (principal, action == Action::"sql.do", resource);`;

class Log implements AuditLog {
  readonly events: EventInput[] = [];
  failing: 'no' | 'rejects' | 'throws' = 'no';
  append(event: EventInput): Promise<string> {
    const error = new HoopError('ERR_AUDIT_UNAVAILABLE');
    if (this.failing === 'throws') throw error;
    if (this.failing === 'rejects') return Promise.reject(error);
    this.appendSoon(event);
    return Promise.resolve(`evt_${this.events.length}`);
  }
  appendSoon({ common, ...event }: EventInput): void {
    this.events.push({ ...common, ...event });
  }
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

const live: CredentialCheck = {
  assertLive: () => undefined,
  current: (principal) => principal,
  onEnd: () => () => undefined,
};
const policies = engineOf(POLICIES);

function setUp(
  engine: PolicyEngine = policies,
  credentials = live,
  principal: Principal = agent('bot', ['ai-agents']),
) {
  const log = new Log();
  const enforcer = createEnforcer({
    engine: () => engine,
    vocabulary,
    audit: log,
    credentials,
    clock: { now: () => 1_700_000_000_000 },
  });
  const actor = { kind: 'agent', name: principal.name } as Actor;
  const session: SessionRef = { id: 'ses_1', principal, actor, resource, protocol: 'postgres' };
  const operation = (pairs: readonly Pair[], more: Partial<Operation> = {}): Operation => ({
    session,
    pairs,
    context: { hasWhere: true, tautology: false },
    text: 'SELECT ‹…›',
    ...more,
  });
  return { log, enforcer, session, operation };
}

const pair = (action: string, object = table('t')): Pair => ({ action, object });

describe('the principal as last renewed', () => {
  it('a group taken away at the identity provider is gone from the next operation on', async () => {
    const engine = engineOf('@id("g") permit (principal in Group::"ai-agents", action, resource);');
    let now = agent('bot', ['ai-agents']);
    const { enforcer, operation, session } = setUp(engine, { ...live, current: () => now }, now);
    expect(await enforcer.decide(operation([pair('sql.select')]))).toMatchObject({ effect: 'allow' });
    expect(enforcer.reveal(session, column('c', []))).toEqual({ show: true });
    now = agent('bot', []);
    expect(await enforcer.decide(operation([pair('sql.select')]))).toMatchObject({ effect: 'deny' });
    expect(enforcer.evaluate(session.principal, [pair('sql.select')], {}).effect).toBe('deny');
    expect(enforcer.reveal(session, column('c', []))).toMatchObject({ show: false });
  });
});

describe('one answer over all pairs: any denial > any hold > allow', () => {
  it.each([
    ['allow', [pair('sql.select'), pair('sql.insert', table('u'))], undefined],
    ['deny', [pair('sql.select'), pair('sql.do', resource)], ['ERR_DENIED', 'never']],
    ['deny', [pair('sql.drop'), pair('sql.do', resource), pair('sql.select')], ['ERR_DENIED', 'never']],
    ['hold', [pair('sql.select'), pair('sql.drop')], ['ERR_APPROVAL_REQUIRED', 'ddl']],
    ['hold', [pair('sql.drop'), pair('sql.grant')], ['ERR_APPROVAL_REQUIRED', 'ddl']],
    ['deny', [], ['ERR_DENIED', 'nothing-to-decide']],
    ['deny', [pair('sql.bogus')], ['ERR_DENIED', 'policy-error']],
    ['deny', Array.from({ length: 5000 }, () => pair('sql.select')), ['ERR_DENIED', 'too-many-pairs']],
  ] as const)('%s: %o', async (decision, pairs, denial) => {
    const { log, enforcer, operation } = setUp();
    const verdict = await enforcer.decide(operation(pairs));
    expect(verdict.effect).toBe(decision === 'allow' ? 'allow' : 'deny');
    if (verdict.effect === 'deny') expect([verdict.denial.code, verdict.denial.rule]).toEqual(denial);
    expect(log.events).toMatchObject([
      { type: 'operation.decided', decision, operation: verdict.operation, policyVersion: policies.version },
    ]);
  });
});

describe('says what was denied, why, and what to do', () => {
  it.each([
    [
      [pair('sql.delete')],
      {
        message: 'sql.delete on pg/public.t is denied by rule "where"',
        reason: 'whole tables are not changed',
        hint: "ask the table's owner",
      },
    ],
    [
      [pair('sql.drop'), pair('sql.grant', table('u'))],
      {
        message: 'sql.drop on pg/public.t needs an approval (rule "ddl")',
        hint: 'it needs the approval of "dba" and "security"; say what the change is for',
      },
    ],
  ])('%#', async (pairs, denial) => {
    const { enforcer, operation } = setUp();
    const verdict = await enforcer.decide(
      operation(pairs, { context: { hasWhere: false, tautology: false } }),
    );
    expect(verdict).toMatchObject({ effect: 'deny', denial });
  });

  it('of the default deny too', async () => {
    const { enforcer, operation, log } = setUp(
      engineOf('@id("x") permit (principal in Group::"none", action, resource);'),
    );
    const verdict = await enforcer.decide(operation([pair('sql.select')]));
    expect(verdict).toMatchObject({
      denial: {
        code: 'ERR_DENIED',
        rule: 'default-deny',
        message: 'no policy permits sql.select on pg/public.t',
        hint: expect.stringContaining('sql.select'),
      },
    });
    expect(log.events).toMatchObject([{ decision: 'deny', rules: [], reason: 'default-deny' }]);
  });
});

it.each([
  ['ai-agents', ' to the person you act for, too: the agent has one'],
  ['developers', ' to the agent, too: the person it acts for has one'],
  ['nobody', ''],
])(
  'where only %s are permitted it, the one who acts for another is told who lacks it',
  async (group, said) => {
    const { enforcer, operation } = setUp(
      engineOf(`@id("x") permit (principal in Group::"${group}", action, resource);`),
      live,
      delegated(['ai-agents'], ['developers']),
    );
    expect(
      await enforcer.decide(operation([pair('sql.select'), pair('sql.select', table('u'))])),
    ).toMatchObject({
      denial: {
        rule: 'default-deny',
        hint: `use what you are permitted, or ask the operator for a policy that permits sql.select${said}`,
      },
    });
  },
);

describe('the order of checks', () => {
  it('a credential that is not live: thrown, nothing asked, nothing stored', async () => {
    const dead = {
      ...live,
      assertLive: () => {
        throw new HoopError('ERR_REVOKED');
      },
    };
    const { enforcer, operation, log } = setUp(policies, dead);
    await expect(async () => enforcer.decide(operation([pair('sql.select')]))).rejects.toMatchObject({
      code: 'ERR_REVOKED',
    });
    expect(log.events).toEqual([]);
  });

  it("an adapter's refusal stands whatever policy says, and is on record with its pairs", async () => {
    const { enforcer, operation, log } = setUp();
    const refusal = {
      code: 'ERR_UNSUPPORTED',
      rule: 'unsupported',
      reason: 'not read',
      hint: 'write less',
    } as const;
    const original = { statement: 'SELECT 1' };
    const verdict = await enforcer.decide(operation([pair('sql.select')], { refusal, original }));
    expect(verdict).toMatchObject({
      effect: 'deny',
      denial: { code: 'ERR_UNSUPPORTED', rule: 'unsupported', reason: 'not read', hint: 'write less' },
    });
    expect(log.events).toMatchObject([
      {
        decision: 'deny',
        reason: 'unsupported: not read',
        actions: ['sql.select'],
        objects: ['pg/public.t'],
        text: 'SELECT ‹…›',
        original,
        session: 'ses_1',
        resource: 'pg',
        protocol: 'postgres',
        actor: { name: 'bot' },
      },
    ]);
    expect((await enforcer.decide(operation([], { refusal }))).effect).toBe('deny');
  });

  it('an event that cannot be stored: no verdict at all', async () => {
    for (const failing of ['rejects', 'throws'] as const) {
      const { enforcer, operation, log } = setUp();
      log.failing = failing;
      await expect(async () => enforcer.decide(operation([pair('sql.select')]))).rejects.toMatchObject({
        code: 'ERR_AUDIT_UNAVAILABLE',
      });
    }
  });

  it('the verdict comes after the event', async () => {
    const { enforcer, operation, log } = setUp();
    let store: (id: string) => void = () => undefined;
    log.append = () =>
      new Promise((resolve) => {
        store = resolve;
      });
    let settled = false;
    const verdict = Promise.resolve(enforcer.decide(operation([pair('sql.select')]))).finally(() => {
      settled = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    store('evt_1');
    expect((await verdict).effect).toBe('allow');
  });
});

describe('an engine that throws', () => {
  const broken: PolicyEngine = {
    version: 'v',
    phase: () => '',
    decide: () => {
      throw new Error('stack exhausted');
    },
    reveal: () => {
      throw new Error('stack exhausted');
    },
    written: () => {
      throw new Error('stack exhausted');
    },
    moments: () => {
      throw new Error('stack exhausted');
    },
    mayEver: () => {
      throw new Error('stack exhausted');
    },
  };

  it('denies, says so in the audit only, and hides', async () => {
    const { enforcer, operation, log, session } = setUp(broken);
    const verdict = await enforcer.decide(operation([pair('sql.select')]));
    expect(verdict).toMatchObject({ effect: 'deny', denial: { rule: 'policy-error' } });
    expect(JSON.stringify(verdict)).not.toContain('exhausted');
    expect(log.events).toMatchObject([{ decision: 'deny', reason: 'policy-error: stack exhausted' }]);
    expect(enforcer.reveal(session, column('c', []))).toEqual({ show: false, mask: 'redact', rules: [] });
    expect(enforcer.mayEver(session.principal, 'sql.insert', table('t'), 'object')).toBe(true);
    expect(enforcer.evaluate(session.principal, [pair('sql.select')], {})).toMatchObject({ effect: 'deny' });
  });
});

it('records actions, objects and rules once each', async () => {
  const { enforcer, operation, log } = setUp();
  await enforcer.decide(operation([pair('sql.select'), pair('sql.select', table('u')), pair('sql.insert')]));
  expect(log.events).toMatchObject([
    {
      actions: ['sql.select', 'sql.insert'],
      objects: ['pg/public.t', 'pg/public.u'],
      rules: [{ id: 'all' }],
    },
  ]);
});

it('an agent for a person is judged as both', async () => {
  const text = `@id("bots") permit (principal in Group::"ai-agents", action, resource);
    @id("staff") permit (principal in Group::"developers", action == Action::"sql.select", resource);`;
  const { enforcer, operation } = setUp(engineOf(text), live, delegated(['ai-agents'], ['developers']));
  expect((await enforcer.decide(operation([pair('sql.select')]))).effect).toBe('allow');
  expect((await enforcer.decide(operation([pair('sql.insert')]))).effect).toBe('deny');
});

it('evaluate asks without recording', () => {
  const { enforcer, session, log } = setUp();
  const ask = (action: string, object = resource) =>
    enforcer.evaluate(session.principal, [{ action, object }], {}).effect;
  expect([ask('connect'), ask('sql.do'), ask('sql.create')]).toEqual(['allow', 'deny', 'hold']);
  expect(enforcer.evaluate(session.principal, [], {}).effect).toBe('deny');
  expect(log.events).toEqual([]);
});

it('closes with the outcome', () => {
  const { enforcer, session, log } = setUp();
  enforcer.close(session, 'op_1', { outcome: 'success', rows: 3, maskedValues: 2, durationMs: 5 });
  expect(log.events).toMatchObject([
    {
      type: 'operation.closed',
      operation: 'op_1',
      outcome: 'success',
      rows: 3,
      maskedValues: 2,
      durationMs: 5,
    },
  ]);
});

it('asks the policies in force at each operation, one version for all its pairs', async () => {
  const log = new Log();
  const engines = [
    policies,
    engineOf('@id("x") permit (principal, action == Action::"sql.insert", resource);'),
  ];
  let current = 0;
  const enforcer = createEnforcer({
    engine: () => engines[current]!,
    vocabulary,
    audit: log,
    credentials: live,
    clock: { now: () => 1 },
  });
  const { operation } = setUp();
  const before = enforcer.policyVersion();
  expect((await enforcer.decide(operation([pair('sql.select')]))).effect).toBe('allow');
  current = 1;
  expect(enforcer.policyVersion()).not.toBe(before);
  expect((await enforcer.decide(operation([pair('sql.select')]))).effect).toBe('deny');
  expect(log.events.map(({ policyVersion }) => policyVersion)).toEqual(engines.map(({ version }) => version));
});
