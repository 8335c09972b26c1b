/** The only source of time in rooms that decide: tests pass their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

/** A timer of Node's holds no longer, ms: a longer one fires at once. @see https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = { now: () => Date.now() };
