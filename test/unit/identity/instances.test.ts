import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { instanceId } from '../../../src/identity/ids.ts';
import { type InstanceLimits, InstanceRegistry } from '../../../src/identity/instances.ts';
import type { Principal } from '../../../src/identity/principal.ts';
import type { RevokeTarget } from '../../../src/identity/revoke-target.ts';
import { MemoryStore, principal, refused, START } from './support.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let store: MemoryStore;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  store = new MemoryStore();
});
afterEach(() => {
  vi.useRealTimers();
});

function registry(limits: Partial<InstanceLimits> = {}): InstanceRegistry {
  return new InstanceRegistry({ clock: systemClock, store, limits });
}

const id = (n: number) => instanceId(`thumb-${n}`);

/** One process of hoopctl among several. */
function worker(n: number, overrides: Partial<Principal> = {}): Principal {
  return principal({ instance: id(n), keyThumbprint: `thumb-${n}`, ...overrides });
}

const soon = () => Date.now() + 5 * MINUTE;

describe('an instance', () => {
  it('may act after its exchange, and nobody else may', async () => {
    const instances = registry();
    await refused(() => instances.assertLive(worker(1)), 'ERR_LOGIN_EXPIRED');
    instances.renew(worker(1), soon());
    instances.assertLive(worker(1));
    await refused(() => instances.assertLive(worker(2)), 'ERR_LOGIN_EXPIRED');
    expect(instances.list()).toEqual([worker(1)]);
  });

  it('has a minute of grace after its token, then must have been renewed', async () => {
    const instances = registry();
    instances.renew(worker(1), soon());
    vi.setSystemTime(START + 6 * MINUTE - 1);
    instances.assertLive(worker(1));
    vi.setSystemTime(START + 6 * MINUTE);
    await refused(() => instances.assertLive(worker(1)), 'ERR_LOGIN_EXPIRED');
    expect(instances.list()).toEqual([]);
    instances.renew(worker(1), soon());
    instances.assertLive(worker(1));
  });

  it('never outlives its deadline, however often it is renewed', async () => {
    const instances = registry();
    const one = worker(1, { deadline: START + 10 * MINUTE });
    instances.renew(one, soon());
    vi.setSystemTime(START + 9 * MINUTE);
    instances.renew(one, soon());
    instances.assertLive(one);
    vi.setSystemTime(START + 10 * MINUTE);
    await refused(() => instances.assertLive(one), 'ERR_LOGIN_EXPIRED');
    await refused(() => instances.renew(one, soon()), 'ERR_LOGIN_EXPIRED');
  });

  it('cannot lengthen its deadline, only shorten it', async () => {
    const instances = registry();
    instances.renew(worker(1, { deadline: START + 4 * MINUTE }), soon());
    instances.renew(worker(1, { deadline: START + HOUR }), soon());
    instances.admit(worker(1, { deadline: START + HOUR }), soon());
    expect(instances.find('thumb-1')?.deadline).toBe(START + 4 * MINUTE);
    vi.setSystemTime(START + 4 * MINUTE);
    expect(instances.find('thumb-1')).toBeUndefined();
    await refused(() => instances.assertLive(worker(1, { deadline: START + HOUR })), 'ERR_LOGIN_EXPIRED');
  });

  it.each<[string, Partial<Principal>]>([
    ['person', { subject: 'u2' }],
    ['issuer', { issuer: 'https://other.example.com' }],
    ['agent', { name: 'other-agent' }],
    ['kind', { kind: 'person', name: 'alice@example.com' }],
    ['key', { keyThumbprint: 'thumb-9' }],
  ])('never changes its %s', async (_name, change) => {
    const instances = registry();
    instances.renew(worker(1), soon());
    await refused(() => instances.renew(worker(1, change), soon()), 'ERR_TOKEN_INVALID');
    await refused(() => instances.admit(worker(1, change), soon()), 'ERR_TOKEN_INVALID');
    instances.assertLive(worker(1));
  });

  it('comes back after a restart with its token, unless that has expired', async () => {
    const instances = registry();
    instances.admit(worker(1), soon());
    instances.assertLive(worker(1));
    await refused(() => instances.admit(worker(2), Date.now() - MINUTE), 'ERR_LOGIN_EXPIRED');
  });
});

describe('a revocation', () => {
  const workers = [
    worker(1),
    worker(2, { login: 'lgn_2' }),
    worker(3, { name: 'other-agent', attested: { model: 'm', modelVersion: '2' } }),
    worker(4, { kind: 'person', name: 'alice@example.com', attested: {}, declared: { model: 'm' } }),
    worker(5, { attested: { model: 'n' }, person: { issuer: 'i', subject: 'u5', name: 'bob', groups: [] } }),
  ];

  it.each<[RevokeTarget, number[]]>([
    [{ instance: id(1) }, [1]],
    [{ login: 'lgn_1' }, [1, 3, 4, 5]],
    [{ agent: 'shop-copilot' }, [1, 2, 5]],
    [{ agent: 'alice@example.com' }, []],
    [{ person: 'alice@example.com' }, [1, 2, 3, 4]],
    [{ person: 'u5' }, [5]],
    [{ model: 'm' }, [1, 2, 3]],
    [{ model: 'm', modelVersion: '2' }, [3]],
    [{ instance: 'ins_' }, []],
    [{ agent: '*' }, []],
  ])('of %j ends what it names, at once and after a restart', async (target, expected) => {
    const instances = registry();
    const ended: string[] = [];
    for (const one of workers) {
      instances.renew(one, soon());
      instances.onEnd(one, (code) => ended.push(`${one.instance} ${code}`));
    }
    expect(instances.revoke(target)).toBe(expected.length);
    expect(ended).toEqual(expected.map((n) => `${id(n)} ERR_REVOKED`));
    for (const [n, one] of workers.entries()) {
      if (!expected.includes(n + 1)) instances.assertLive(one);
      else await refused(() => instances.assertLive(one), 'ERR_REVOKED');
    }
    expect(instances.revoke(target)).toBe(0);
    const restarted = registry();
    for (const [n, one] of workers.entries()) {
      const admit = () => restarted.admit(one, soon());
      if (expected.includes(n + 1)) await refused(admit, 'ERR_REVOKED');
      else admit();
    }
    expect(store.kept.size).toBe(1);
  });

  it('keeps new instances of the login out, too', async () => {
    const instances = registry();
    instances.revoke({ login: 'lgn_1' });
    await refused(() => instances.renew(worker(9), soon()), 'ERR_REVOKED');
    instances.renew(worker(9, { login: 'lgn_2' }), soon());
  });

  it.each<[string, RevokeTarget, readonly number[]]>([
    ['by the name that callers gave it', { run: 'nightly' }, [1, 2, 3]],
    ['by what an issuer attests', { run: '4711' }, [4]],
    [
      "of one subject's alone",
      { run: 'nightly', owner: { issuer: 'https://login.example.com', subject: 'u1' } },
      [1, 2],
    ],
    [
      'of one agent of a subject',
      { run: 'nightly', owner: { issuer: 'https://login.example.com', subject: 'u1', agent: 'other' } },
      [2],
    ],
  ])('of a run, %s, ends all of it and keeps it out', async (_what, target, expected) => {
    const instances = registry();
    const all = [
      worker(1, { run: 'nightly' }),
      worker(2, { run: 'nightly', name: 'other' }),
      worker(3, { run: 'nightly', subject: 'u2' }),
      worker(4, { attested: { runId: '4711' } }),
      worker(5, { run: 'weekly' }),
      worker(6),
    ];
    for (const one of all) instances.renew(one, soon());
    const ended: number[] = [];
    for (const [i, one] of all.entries()) instances.onEnd(one, () => ended.push(i + 1));
    expect(instances.revoke(target)).toBe(expected.length);
    expect(ended).toEqual(expected);
    const restarted = registry();
    for (const [i, one] of all.entries()) {
      const again = worker(i + 11, { ...one, instance: id(i + 11), keyThumbprint: `thumb-${i + 11}` });
      if (expected.includes(i + 1)) await refused(() => restarted.renew(again, soon()), 'ERR_REVOKED');
      else restarted.renew(again, soon());
    }
  });

  it('of an earlier login ends an instance that has moved to another', async () => {
    const instances = registry();
    instances.renew(worker(1), soon());
    for (const login of ['lgn_2', 'lgn_3']) instances.renew(worker(1, { login }), soon());
    expect(instances.revoke({ login: 'lgn_2' })).toBe(1);
    await refused(() => instances.renew(worker(1, { login: 'lgn_3' }), soon()), 'ERR_REVOKED');
  });

  it('is not escaped by signing in ever again', async () => {
    const instances = registry();
    for (let n = 0; n < 16; n++) instances.renew(worker(1, { login: `lgn_${n}` }), soon());
    await refused(() => instances.renew(worker(1, { login: 'lgn_16' }), soon()), 'ERR_LIMIT');
  });

  it('can be lifted; what it ended stays ended', async () => {
    const instances = registry();
    instances.renew(worker(1), soon());
    instances.revoke({ agent: 'shop-copilot' });
    const [revocation] = instances.revocations();
    expect(instances.lift(revocation?.id ?? '')).toBe(true);
    expect(instances.lift(revocation?.id ?? '')).toBe(false);
    expect(store.kept.size).toBe(0);
    await refused(() => instances.assertLive(worker(1)), 'ERR_REVOKED');
    instances.renew(worker(2), soon());
  });

  it('works even if it cannot be stored, and says that it could not', () => {
    const instances = registry();
    instances.renew(worker(1), soon());
    store.add = () => {
      throw new Error('disk full');
    };
    expect(() => instances.revoke({ instance: id(1) })).toThrow('disk full');
    expect(() => instances.assertLive(worker(1))).toThrow('revoked');
  });

  it.each<[RevokeTarget]>([
    [{}],
    [{ instance: 'a', login: 'b' }],
    [{ modelVersion: '1' }],
    [{ agent: 'a', modelVersion: '1' }],
    [{ person: '' }],
    [{ person: 'x'.repeat(257) }],
  ])('of %j is refused', async (target) => {
    await refused(() => registry().revoke(target), 'ERR_USAGE');
  });

  it('of an instance or login is forgotten when nothing could come of it any more', () => {
    const instances = registry();
    instances.revoke({ instance: id(1) });
    instances.revoke({ login: 'lgn_1' });
    instances.revoke({ agent: 'shop-copilot' });
    vi.setSystemTime(START + 401 * 24 * HOUR);
    expect(instances.revocations().map(({ kind }) => kind)).toEqual(['agent']);
    registry();
    expect([...store.kept.values()].map(({ kind }) => kind)).toEqual(['agent']);
  });
});

describe('the end', () => {
  it('is told once, when the deadline comes', () => {
    const instances = registry();
    const one = worker(1, { deadline: START + 3 * MINUTE });
    const told = vi.fn();
    instances.renew(one, soon());
    instances.onEnd(one, told);
    vi.advanceTimersByTime(3 * MINUTE - 1);
    expect(told).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(told).toHaveBeenCalledExactlyOnceWith('ERR_LOGIN_EXPIRED');
    instances.revoke({ instance: id(1) });
    vi.advanceTimersByTime(HOUR);
    expect(told).toHaveBeenCalledTimes(1);
  });

  it('is told when the instance is not renewed, and put off when it is', () => {
    const instances = registry();
    const one = worker(1, { deadline: START + 24 * HOUR });
    const told = vi.fn();
    instances.renew(one, soon());
    instances.onEnd(one, told);
    for (let i = 0; i < 100; i++) {
      vi.advanceTimersByTime(4 * MINUTE);
      instances.renew(one, soon());
    }
    expect(told).not.toHaveBeenCalled();
    vi.advanceTimersByTime(6 * MINUTE + 1);
    expect(told).toHaveBeenCalledExactlyOnceWith('ERR_LOGIN_EXPIRED');
  });

  it('waits longer than a timer can', () => {
    const instances = registry();
    const one = worker(1, { deadline: START + 29 * 24 * HOUR });
    const told = vi.fn();
    instances.renew(one, one.deadline);
    instances.onEnd(one, told);
    vi.advanceTimersByTime(29 * 24 * HOUR - 1);
    expect(told).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(told).toHaveBeenCalledTimes(1);
  });

  it('comes earlier when a renewal shortens the deadline', () => {
    const instances = registry();
    const told = vi.fn();
    instances.renew(worker(1), soon());
    instances.onEnd(worker(1), told);
    instances.renew(worker(1, { deadline: START + MINUTE }), soon());
    vi.advanceTimersByTime(MINUTE + 1);
    expect(told).toHaveBeenCalledTimes(1);
  });

  it('is told to a late subscriber, but never before subscribing returns', () => {
    const instances = registry();
    instances.renew(worker(1), soon());
    instances.revoke({ instance: id(1) });
    const told = vi.fn();
    instances.onEnd(worker(1), told);
    instances.onEnd(worker(2), told);
    expect(told).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(told.mock.calls).toEqual([['ERR_REVOKED'], ['ERR_LOGIN_EXPIRED']]);
  });

  it('is not told to who has unsubscribed', () => {
    const instances = registry();
    const told = vi.fn();
    instances.renew(worker(1), soon());
    const unsubscribe = instances.onEnd(worker(1), told);
    unsubscribe();
    unsubscribe();
    instances.revoke({ instance: id(1) });
    vi.advanceTimersByTime(HOUR);
    expect(told).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('reaches the others when one of them throws', () => {
    const instances = registry();
    const told = vi.fn();
    instances.renew(worker(1), soon());
    instances.onEnd(worker(1), () => {
      throw new Error('session broken');
    });
    instances.onEnd(worker(1), told);
    expect(instances.revoke({ instance: id(1) })).toBe(1);
    expect(told).toHaveBeenCalledTimes(1);
  });

  it('of the process leaves no timer', () => {
    const instances = registry();
    instances.renew(worker(1), soon());
    instances.onEnd(worker(1), vi.fn());
    instances.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a waiting timer', () => {
  it('does not keep the process alive', () => {
    vi.useRealTimers();
    const code = `
      import { EndWatch } from './src/identity/end-watch.ts';
      const watch = new EndWatch({ clock: { now: () => 0 }, log: {}, endsAt: () => 60_000 });
      watch.add(60_000, () => {});
    `;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], { timeout: 10_000 });
    expect(`${child.status} ${child.stderr}`).toBe('0 ');
  });
});

describe('the number of instances is bounded', () => {
  it('for one subject, so that nobody shuts the others out', async () => {
    const instances = registry({ perSubject: 3 });
    for (const n of [1, 2, 3]) instances.renew(worker(n), soon());
    await refused(() => instances.renew(worker(4), soon()), 'ERR_LIMIT');
    instances.renew(worker(3), soon());
    instances.renew(worker(5, { subject: 'u2' }), soon());
    vi.setSystemTime(START + 7 * MINUTE);
    instances.renew(worker(4), soon());
  });

  it('all together; the dead make room', async () => {
    const instances = registry({ total: 2 });
    instances.renew(worker(1, { deadline: START + MINUTE }), soon());
    instances.renew(worker(2, { subject: 'u2' }), soon());
    await refused(() => instances.renew(worker(3, { subject: 'u3' }), soon()), 'ERR_LIMIT');
    vi.setSystemTime(START + MINUTE);
    instances.renew(worker(3, { subject: 'u3' }), soon());
    instances.assertLive(worker(2, { subject: 'u2' }));
  });

  it('one that sleeps for a while keeps its deadline', () => {
    const instances = registry();
    instances.renew(worker(1, { deadline: START + 2 * HOUR }), soon());
    vi.setSystemTime(START + 30 * MINUTE);
    instances.renew(worker(2), soon());
    expect(instances.find('thumb-1')?.deadline).toBe(START + 2 * HOUR);
  });
});

describe('a check', () => {
  it('costs next to nothing, as it runs per statement', () => {
    vi.useRealTimers();
    const instances = new InstanceRegistry({ clock: systemClock, store });
    const now = Date.now();
    const all = Array.from({ length: 1000 }, (_, n) => worker(n, { deadline: now + HOUR, subject: `u${n}` }));
    for (const one of all) instances.renew(one, now + 5 * MINUTE);
    const started = performance.now();
    for (let round = 0; round < 100; round++) for (const one of all) instances.assertLive(one);
    expect((performance.now() - started) / 100_000).toBeLessThan(0.05);
    instances.close();
  });
});
