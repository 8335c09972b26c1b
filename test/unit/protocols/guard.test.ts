import { createSecretKey } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Actor, AuditLog, EventInput } from '../../../src/audit/event.ts';
import { HoopError } from '../../../src/core/errors.ts';
import { createEnforcer } from '../../../src/enforcement/enforcer.ts';
import type { CredentialCheck, Principal } from '../../../src/identity/principal.ts';
import { PseudonymKey } from '../../../src/masking/pseudonyms.ts';
import { Guard, type GuardParts, type Question } from '../../../src/protocols/stream/guard.ts';
import type { FrameKind } from '../../../src/recording/format.ts';
import { type FrameSink, FramingStreamRecorder } from '../../../src/recording/stream-recorder.ts';
import { agent, engineOf, resource, table, vocabulary } from '../policy/support.ts';

const POLICIES = `
  @id("read") permit (principal, action == Action::"sql.select", resource);
  @id("few") @rows("10") permit (principal, action == Action::"sql.update", resource);
  @id("mask") forbid (principal, action == Action::"reveal", resource);`;

class Log implements AuditLog {
  readonly events: EventInput[] = [];
  failing = false;
  append(event: EventInput): Promise<string> | string {
    if (this.failing) throw new HoopError('ERR_AUDIT_UNAVAILABLE');
    this.appendSoon(event);
    return `evt_${this.events.length}`;
  }
  appendSoon({ common, ...event }: EventInput): void {
    this.events.push({ ...common, ...event });
  }
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

class Sink implements FrameSink {
  readonly frames: string[] = [];
  failed: Error | undefined;
  pendingBytes = 0;
  #operations = 0;
  add(kind: FrameKind, _stream: number, _operation: number, bytes: Uint8Array): void {
    const [id, text] = Buffer.from(bytes).toString().split('\0');
    this.frames.push(text === undefined ? `${kind} ${id}` : `${kind} ${text} ${id}`);
  }
  nextOperation(): number {
    return ++this.#operations;
  }
  async drained(): Promise<void> {}
}

const FIRST = agent('bot', ['ai-agents']);

let log: Log;
let recorder: Sink;
let now: Principal;
let revoked: boolean;
let tally: { operations: number; denied: number };
let guard: Guard;
let parts: GuardParts;

beforeEach(() => {
  [log, recorder] = [new Log(), new Sink()];
  [now, revoked] = [FIRST, false];
  tally = { operations: 0, denied: 0 };
  const engine = engineOf(POLICIES);
  const credentials: CredentialCheck = {
    assertLive: () => {
      if (revoked) throw new HoopError('ERR_REVOKED');
    },
    current: () => now,
    onEnd: () => () => undefined,
  };
  const clock = { now: () => 1_700_000_000_000 };
  const actor = { kind: 'agent', name: FIRST.name } as Actor;
  parts = {
    session: { id: 'ses_1', principal: FIRST, actor, resource, protocol: 'postgres' },
    enforcer: createEnforcer({ engine: () => engine, vocabulary, audit: log, credentials, clock }),
    credentials,
    pseudonyms: new PseudonymKey(createSecretKey(Buffer.alloc(32, 1))),
    recorder: new FramingStreamRecorder(recorder, 0),
    nextRecorder: () => new FramingStreamRecorder(recorder, 1),
    clock,
    tally,
  };
  guard = new Guard(parts);
});

const question = (action: string, more: Partial<Question> = {}): Question => ({
  pairs: [{ action, object: table('t'), counted: true }],
  context: { hasWhere: true, tautology: false },
  text: 'shown',
  ...more,
});

async function allowed(action = 'sql.select') {
  const answer = await guard.ask(question(action));
  if (answer.effect !== 'allow') throw new Error(answer.denial.message);
  return answer;
}

const types = () => log.events.map(({ type }) => type);

describe('the guard', () => {
  it('answers at once where the audit does, and the operation is on record by then', () => {
    const answer = guard.ask(question('sql.select', { original: { statement: 'asked' } }));
    expect(answer).not.toBeInstanceOf(Promise);
    expect(answer).toMatchObject({ effect: 'allow', open: true, bound: undefined });
    expect(log.events).toMatchObject([
      { type: 'operation.decided', decision: 'allow', text: 'shown', original: { statement: 'asked' } },
    ]);
    expect(recorder.frames).toEqual([`request shown ${log.events[0]?.operation}`]);
    expect(tally).toEqual({ operations: 1, denied: 0 });
  });

  it('hands on how many rows may be changed', async () => {
    expect((await allowed('sql.update')).bound).toMatchObject({ max: 10, rule: { id: 'few' } });
  });

  it('counts a denial, and opens nothing', async () => {
    const answer = await guard.ask(question('sql.delete'));
    expect(answer).toMatchObject({ effect: 'deny', denial: { code: 'ERR_DENIED', rule: 'default-deny' } });
    expect(tally).toEqual({ operations: 1, denied: 1 });
    expect(guard.busy).toBe(false);
    expect(recorder.frames).toHaveLength(1);
    guard.closeAll();
    expect(types()).toEqual(['operation.decided']);
  });

  it("denies by the adapter's own refusal, whatever policy permits", async () => {
    const refusal = { code: 'ERR_DENIED', rule: 'unclear', reason: 'r' } as const;
    const answer = await guard.ask(question('sql.select', { refusal }));
    expect(answer).toMatchObject({ effect: 'deny', denial: { rule: 'unclear' } });
    expect(log.events).toMatchObject([{ decision: 'deny', reason: 'unclear: r' }]);
  });

  it('denies where the audit cannot be written', async () => {
    log.failing = true;
    const answer = await guard.ask(question('sql.select'));
    expect(answer).toMatchObject({ effect: 'deny', denial: { code: 'ERR_AUDIT_UNAVAILABLE' } });
    expect(guard.busy).toBe(false);
    expect([log.events, recorder.frames]).toEqual([[], []]);
  });

  it('denies where the recording cannot be written, on record', async () => {
    recorder.failed = new Error('disk full');
    const refusal = { code: 'ERR_DENIED', rule: 'unclear', reason: 'r' } as const;
    for (const more of [{}, { refusal }]) {
      const answer = await guard.ask(question('sql.select', more));
      expect(answer).toMatchObject({ effect: 'deny', denial: { rule: 'recording-unavailable' } });
    }
    expect(log.events).toHaveLength(2);
    expect(guard.busy).toBe(false);
  });

  it('fails for one who was revoked: the session is to end', () => {
    revoked = true;
    expect(() => guard.ask(question('sql.select'))).toThrow(expect.objectContaining({ code: 'ERR_REVOKED' }));
    expect([log.events, recorder.frames]).toEqual([[], []]);
  });

  it('closes an operation once, with what it counted', async () => {
    const operation = await allowed();
    Object.assign(operation, { rows: 3, bytes: 40, maskedValues: 2 });
    expect(guard.busy).toBe(true);
    operation.close('failure', '42P01');
    operation.close('success');
    guard.closeAll();
    expect([operation.open, guard.busy]).toEqual([false, false]);
    expect(types()).toEqual(['operation.decided', 'operation.closed']);
    expect(log.events[1]).toMatchObject({
      operation: operation.id,
      outcome: 'failure',
      rows: 3,
      bytes: 40,
      maskedValues: 2,
    });
  });

  it('closes what is open when the stream is over: what was answered in part did what it was asked', async () => {
    const [, second] = [await allowed(), await allowed()];
    second.answered = true;
    guard.closeAll();
    guard.closeAll();
    expect(log.events.slice(2)).toMatchObject([{ outcome: 'unknown' }, { outcome: 'success' }]);
  });

  it('says what policy allows and shows without a word on record', () => {
    expect(guard.allows(question('sql.select').pairs, { hasWhere: true })).toBe(true);
    expect(guard.allows(question('sql.delete').pairs, { hasWhere: true, tautology: false })).toBe(false);
    expect(guard.allows([], {})).toBe(false);
    const column = {
      type: 'Column',
      id: 'pg/public.t.c',
      attrs: { schema: 'public', table: 't', name: 'c', tags: [], detected: false },
      parent: table('t'),
    };
    expect(guard.reveal(column)).toMatchObject({ show: false });
    expect([log.events, recorder.frames, tally]).toEqual([[], [], { operations: 0, denied: 0 }]);
  });

  it('has a version that changes with the powers of its principal, and with nothing else', async () => {
    const version = guard.policyVersion();
    now = { ...now };
    expect(guard.policyVersion()).toBe(version);
    now = { ...now, groups: ['other'] };
    const changed = guard.policyVersion();
    expect(changed).not.toBe(version);
    expect(guard.policyVersion()).toBe(changed);
    // An operation that is allowed now was decided by what the principal is now: nothing is asked again for it.
    expect((await allowed()).policyVersion).toBe(changed);
    now = FIRST;
    expect(guard.policyVersion()).not.toBe(version);
  });

  it('gives the same pseudonyms to one principal in one run, which is what is attested of it, else what it says', () => {
    const value = Buffer.from('ann@example.com');
    const of = (more: Partial<Principal>, id = 'ses_1', domain = 'pii.email', on = resource) => {
      const principal = { ...FIRST, ...more };
      const session = { id, principal, actor: {} as Actor, resource: on, protocol: 'postgres' };
      return new Guard({ ...parts, session }).pseudonyms(domain).text(value);
    };
    const attested = { runId: '7' };
    const groups = [
      [of({ run: 'a' }), of({ run: 'a' }, 'ses_2'), of({ run: 'a', groups: [], declared: { model: 'm' } })],
      [of({ run: 'b' })],
      // Whatever it says, it is in the run that is attested.
      [of({ attested }), of({ attested, run: 'a' }), of({ attested, run: 'b' }, 'ses_2')],
      [of({ attested: { runId: '8' } })],
      [of({ attested: { pipelineId: '7' } })],
      [of({})],
      [of({}, 'ses_2')],
      [of({ run: 'a', name: 'other' })],
      [of({ run: 'a', issuer: 'https://other.test' })],
      [of({ run: 'a', subject: 'other' })],
      [of({ run: 'a' }, 'ses_1', 'pii.name')],
      [of({ run: 'a' }, 'ses_1', 'pii.email', { ...resource, id: 'other' })],
    ];
    for (const group of groups) expect(new Set(group).size).toBe(1);
    expect(new Set(groups.flat()).size).toBe(groups.length);
  });

  it('records what is shown', () => {
    guard.shown(Buffer.from('masked'));
    expect(recorder.frames).toEqual(['response masked']);
  });
});
