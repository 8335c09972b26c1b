import type { Scheduler } from '../../src/client/scheduler.ts';

/** Time that stands still until a test moves it; chance is always in the middle. */
export class TestTime implements Scheduler {
  #now = 1_000_000;
  #timers: { at: number; callback: () => void }[] = [];
  now = () => this.#now;
  random = () => 0.5;

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Ms until the next callback is due; `undefined` if none is. */
  get next(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map(({ at }) => at)) - this.#now;
  }

  /** Moves time, calls back what is due, and lets promises settle. */
  async pass(ms: number): Promise<void> {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { callback } of due) callback();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }

  /** Moves time as a sleeping laptop does: nothing is called back. */
  sleep(ms: number): void {
    this.#now += ms;
  }
}
