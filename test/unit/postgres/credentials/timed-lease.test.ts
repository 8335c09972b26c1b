import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../../src/core/clock.ts';
import { HoopError } from '../../../../src/core/errors.ts';
import { silentLog } from '../../../../src/core/log.ts';
import type { Term } from '../../../../src/protocols/postgres/credentials/command-answer.ts';
import { TimedLease } from '../../../../src/protocols/postgres/credentials/timed-lease.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function lease(endsInMs: number | undefined, renew?: (term: Term) => Promise<Term>, neededMs = 30 * DAY) {
  const now = Date.now();
  const endsAt = endsInMs === undefined ? undefined : now + endsInMs;
  const parts = { neededUntil: now + neededMs, renew, clock: systemClock, log: silentLog };
  return new TimedLease({ id: 'l', endsAt, renewable: true }, parts);
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('the time of a lease', () => {
  it('is over at its end, and whoever works with it is told so', async () => {
    const { ended } = lease(HOUR);
    await pass(HOUR - 1);
    expect(ended.aborted).toBe(false);
    await pass(1);
    expect(ended.reason).toMatchObject({
      code: 'ERR_SESSION_ENDED',
      message: "the session's credential at the target has ended",
    });
  });

  it('is renewed after two thirds of it, again and again, for as long as it is needed', async () => {
    const asked: Term[] = [];
    const renew = async (term: Term) => {
      asked.push(term);
      return { id: undefined, endsAt: Date.now() + HOUR, renewable: true };
    };
    const one = lease(HOUR, renew);
    await pass(HOUR * 0.66);
    expect(asked).toEqual([]);
    await pass(DAY);
    expect(asked.length).toBe(36);
    expect(asked.every(({ id }) => id === 'l')).toBe(true);
    expect(one.ended.aborted).toBe(false);
    one.stop();
    await pass(DAY);
    expect(asked.length).toBe(36);
    expect(one.ended.aborted).toBe(false);
  });

  it('that could not be renewed is tried again, and is over at its end', async () => {
    let tries = 0;
    const failing = lease(HOUR, async () => {
      tries++;
      throw new HoopError('ERR_TARGET_CREDENTIAL');
    });
    await pass(HOUR - 2000);
    expect(tries).toBeGreaterThan(5);
    expect(failing.ended.aborted).toBe(false);
    await pass(2000);
    expect(failing.ended.aborted).toBe(true);
    expect(tries).toBeLessThan(20);
  });

  it('is over at its end though its renewal hangs, and though that comes then', async () => {
    const { promise, resolve } = Promise.withResolvers<Term>();
    const { ended } = lease(HOUR, () => promise);
    await pass(HOUR);
    expect(ended.aborted).toBe(true);
    resolve({ id: 'l', endsAt: Date.now() + HOUR, renewable: true });
    await pass(DAY);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is renewed no more once it was not prolonged', async () => {
    const renew = vi.fn(async (term: Term) => term);
    const { ended } = lease(HOUR, renew);
    await pass(HOUR);
    expect(renew).toHaveBeenCalledTimes(1);
    expect(ended.aborted).toBe(true);
  });

  it.each([
    ['it has none', undefined, DAY],
    ['it ends after what it is needed for', 2 * HOUR, HOUR],
    ['it ends in years', 3650 * DAY, 3600 * DAY],
  ])('is not watched, or not at once, where %s', async (_, endsIn, neededMs) => {
    const one = lease(endsIn, undefined, neededMs);
    await pass(HOUR);
    expect(one.ended.aborted).toBe(false);
    one.stop();
  });

  it('is watched over what a timer can wait', async () => {
    const { ended } = lease(60 * DAY, undefined, 90 * DAY);
    await pass(60 * DAY - 1);
    expect(ended.aborted).toBe(false);
    await pass(1);
    expect(ended.aborted).toBe(true);
  });
});
