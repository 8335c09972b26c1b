import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { IdleStreams } from '../../../src/gateway/sessions/idle-streams.ts';
import { SessionIdleTimer } from '../../../src/gateway/sessions/idle-timer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function timer(ms: number | undefined = 1000) {
  const onIdle = vi.fn();
  return { onIdle, idle: new SessionIdleTimer(ms, onIdle) };
}

describe('an idle timer', () => {
  test('calls once, so long after the last start', () => {
    const { onIdle, idle } = timer();
    idle.start();
    vi.advanceTimersByTime(900);
    idle.start();
    vi.advanceTimersByTime(900);
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(5000);
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  test('calls nobody while stopped, however long, and counts anew afterwards', () => {
    const { onIdle, idle } = timer();
    idle.start();
    idle.stop();
    vi.advanceTimersByTime(10_000);
    idle.start();
    vi.advanceTimersByTime(999);
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  test('calls nobody when closed, before it was started, or without a time', () => {
    const closed = timer();
    closed.idle.start();
    closed.idle.close();
    const endless = timer();
    const never = { onIdle: vi.fn() };
    const without = new SessionIdleTimer(undefined, never.onIdle);
    without.start();
    vi.advanceTimersByTime(100_000);
    for (const { onIdle } of [closed, endless, never]) expect(onIdle).not.toHaveBeenCalled();
  });
});

describe('the streams of a session', () => {
  test('are idle when all wait for their clients, from the last that began to', () => {
    const onIdle = vi.fn();
    const idle = new IdleStreams(1000, onIdle);
    const [one, two] = [idle.stream(), idle.stream()];
    one.start();
    vi.advanceTimersByTime(5000);
    expect(onIdle).not.toHaveBeenCalled();
    two.start();
    vi.advanceTimersByTime(900);
    one.start();
    vi.advanceTimersByTime(900);
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  test('count anew when the one that was busy has gone, and not while one logs in', () => {
    const onIdle = vi.fn();
    const idle = new IdleStreams(1000, onIdle);
    const [one, busy] = [idle.stream(), idle.stream()];
    one.start();
    busy.close();
    vi.advanceTimersByTime(900);
    const third = idle.stream();
    vi.advanceTimersByTime(5000);
    expect(onIdle).not.toHaveBeenCalled();
    third.close();
    vi.advanceTimersByTime(999);
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  test('of which none is left are not idle', () => {
    const onIdle = vi.fn();
    const idle = new IdleStreams(1000, onIdle);
    const one = idle.stream();
    one.start();
    one.close();
    one.start();
    vi.advanceTimersByTime(5000);
    expect(onIdle).not.toHaveBeenCalled();
  });
});
