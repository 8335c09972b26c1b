/** The two ways in which a test waits: until something is so, and for time that must pass. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** Default 10 s. */
  readonly withinMs?: number;
  /** Between two questions; default 20 ms. */
  readonly everyMs?: number;
}

/**
 * Asks again and again until the answer will do.
 *
 * @param what Said of it where it does not come in time; a function where that is longer.
 * @returns The answer that will do.
 * @throws {Error} Not within `withinMs`; whatever `ask` throws.
 */
export async function eventually<T>(
  what: string | (() => string),
  ask: () => T | Promise<T>,
  enough: (answer: T) => boolean = Boolean,
  { withinMs = 10_000, everyMs = 20 }: Patience = {},
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (enough(answer)) return answer;
    if (Date.now() > end) {
      const said = typeof what === 'string' ? what : what();
      throw new Error(`not within ${withinMs} ms: ${said}; last: ${JSON.stringify(answer)}`);
    }
    await sleep(everyMs);
  }
}

/**
 * Lets time pass where time is what the test is about: a clock that must move on, a load that is paced, something that
 * must not happen meanwhile. Never to wait for something that can be asked for: that is `eventually`.
 *
 * @param why A sentence for readers; the unit tests hold that there is one.
 */
export async function timePasses(ms: number, _why: string): Promise<void> {
  await sleep(ms);
}
