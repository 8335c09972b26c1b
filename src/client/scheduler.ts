import type { Clock } from '../core/clock.ts';
import { systemClock } from '../core/clock.ts';

/** Time and chance for what happens in the background; tests pass their own. */
export interface Scheduler extends Clock {
  /** Calls back once after `ms`; returns a function that prevents it. Does not keep the process alive. */
  after(ms: number, callback: () => void): () => void;
  /** 0 ≤ x < 1. */
  random(): number;
}

export const systemScheduler: Scheduler = {
  now: systemClock.now,
  after(ms, callback) {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
