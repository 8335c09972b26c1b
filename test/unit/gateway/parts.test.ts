import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { HoopError } from '../../../src/core/errors.ts';
import { silentLog } from '../../../src/core/log.ts';
import { Turns } from '../../../src/core/turns.ts';
import { SharedByProtocol } from '../../../src/gateway/compose/shared.ts';
import { createLog } from '../../../src/gateway/log.ts';
import { challengeOf, problemOf } from '../../../src/gateway/server/problem.ts';
import { LiveSession } from '../../../src/gateway/sessions/live-session.ts';
import { SessionRegistry } from '../../../src/gateway/sessions/registry.ts';
import { RefusalBudget } from '../../../src/gateway/tunnel/refusal-budget.ts';
import { type ResourceSpec, ResourceTable } from '../../../src/gateway/tunnel/resources.ts';
import type { Protocol } from '../../../src/protocols/protocol.ts';

describe('problems', () => {
  it('carry code, text and hint; never detail or cause', () => {
    const error = new HoopError('ERR_TARGET_AUTH', undefined, {
      detail: 'secret',
      cause: new Error('secret'),
      hint: 'h',
    });
    const problem = problemOf(error, { rule: 'r' });
    expect(problem).toEqual({
      type: 'about:blank',
      title: "the target refused the gateway's credential",
      status: 502,
      code: 'ERR_TARGET_AUTH',
      hint: 'h',
      rule: 'r',
    });
  });

  it.each([
    ['ERR_PROOF_NONCE', 'use_dpop_nonce'],
    ['ERR_PROOF_INVALID', 'invalid_dpop_proof'],
    ['ERR_LOGIN_STALE', 'insufficient_user_authentication'],
    ['ERR_REVOKED', 'invalid_token'],
    ['ERR_DENIED', undefined],
  ] as const)('%s challenges with %s', (code, word) => {
    const challenge = challengeOf(new HoopError(code));
    if (word === undefined) expect(challenge).toBeUndefined();
    else expect(challenge).toContain(`DPoP error="${word}"`);
  });
});

describe('what strangers can write into the audit', () => {
  it('is bounded, and what was left out is counted', () => {
    let now = 0;
    const budget = new RefusalBudget({ now: () => now });
    const first = Array.from({ length: 60 }, () => budget.spend());
    expect(first.filter((answer) => answer === 0)).toHaveLength(50);
    expect(first.filter((answer) => answer === undefined)).toHaveLength(10);
    now = 10_000;
    expect(budget.spend()).toBe(10);
    expect(budget.spend()).toBe(0);
  });
});

describe('the log', () => {
  it('is one JSON object per line, values cut, levels obeyed', () => {
    let out = '';
    const sink = new Writable({
      write(chunk, _, done) {
        out += chunk;
        done();
      },
    });
    const log = createLog('info', sink);
    log.debug('hidden');
    log.child({ session: 'ses_1' }).warn('said', { text: 'x'.repeat(5000), absent: undefined, line: 'a\nb' });
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    const line = JSON.parse(lines[0]!);
    expect(line).toMatchObject({ level: 'warn', msg: 'said', session: 'ses_1', line: 'a\nb' });
    expect(line.text).toHaveLength(2049);
    expect(line).not.toHaveProperty('absent');
  });
});

const live = (id: string) =>
  new LiveSession({ id, actor: {}, resource: {}, principal: { instance: 'ins_1' } } as never, 0);

describe('sessions', () => {
  it('end once, with the first reason', () => {
    const session = live('ses_1');
    session.end(new HoopError('ERR_REVOKED'));
    session.end(new HoopError('ERR_SESSION_ENDED'));
    expect(session.signal.reason).toMatchObject({ code: 'ERR_REVOKED' });
  });

  it('are waited for until the last has gone', async () => {
    const registry = new SessionRegistry();
    const [one, two] = [live('ses_1'), live('ses_2')];
    registry.add(one);
    registry.add(two);
    let empty = false;
    const waiting = registry.empty().then(() => {
      empty = true;
    });
    registry.remove(one);
    await Promise.resolve();
    expect(empty).toBe(false);
    registry.remove(two);
    await waiting;
    await registry.empty();
  });
});

describe('what the resources of a protocol share', () => {
  const made: string[] = [];
  const protocol = {
    name: 'p',
    shared: () => {
      const name = `shared ${made.length}`;
      made.push(name);
      return { name, close: async () => void made.push(`${name} closed`) };
    },
  } as unknown as Protocol;
  const adapter = (seen: unknown) => ({
    protocol: 'p',
    serve: async () => Promise.reject(seen),
    close: async () => undefined,
  });

  it('is made with the first adapter and closed with the last; anew with the next', async () => {
    const all = new SharedByProtocol({ turns: new Turns(), ownSecret: () => Buffer.alloc(32) });
    const seen: unknown[] = [];
    const make = () =>
      all.adapter(protocol, (shared) => {
        seen.push(shared);
        return adapter(shared);
      });
    const [one, two] = [make(), make()];
    expect(seen[0]).toBe(seen[1]);
    await one.close();
    expect(made).toEqual(['shared 0']);
    await two.close();
    expect(made).toEqual(['shared 0', 'shared 0 closed']);
    make();
    await all.close();
    expect(made.slice(2)).toEqual(['shared 2', 'shared 2 closed']);
  });
});

describe('resources over reloads', () => {
  const closed: string[] = [];
  const protocol = {} as unknown as Protocol;
  const spec = (name: string, port: number, ca?: string): ResourceSpec => ({
    name,
    protocol,
    files: [ca],
    config: { target: { port } } as never,
    object: { type: 'Resource', id: name, attrs: {} },
    facts: { connect: {}, classified: [] },
    make: () => ({
      protocol: 'p',
      serve: async () => never(),
      close: async () => void closed.push(`${name}:${port}`),
    }),
  });
  const never = (): never => {
    throw new Error('not served');
  };

  it('an adapter lives as long as its configuration or its last session', async () => {
    const table = new ResourceTable(silentLog);
    expect(table.replace([spec('a', 1), spec('b', 1)])).toEqual({
      added: ['a', 'b'],
      changed: [],
      removed: [],
    });
    const before = table.find('a')!;
    const release = table.hold(before);
    expect(table.replace([spec('a', 2), spec('b', 1)])).toEqual({ added: [], changed: ['a'], removed: [] });
    expect(table.find('a')).not.toBe(before);
    expect(closed).toEqual([]);
    release();
    release();
    expect(closed).toEqual(['a:1']);
    expect(table.replace([spec('a', 2, 'new authority')])).toEqual({
      added: [],
      changed: ['a'],
      removed: ['b'],
    });
    expect(closed).toEqual(['a:1', 'a:2', 'b:1']);
    await table.close();
  });
});
