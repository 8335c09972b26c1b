import { type Clock, LONGEST_TIMER_MS } from '../../../core/clock.ts';
import { HoopError, toHoopError } from '../../../core/errors.ts';
import type { Log } from '../../../core/log.ts';
import type { Term } from './command-answer.ts';

interface TimedLeaseParts {
  /** When nobody needs it any more, ms since the epoch. */
  readonly neededUntil: number;
  /** Undefined: it cannot be renewed. */
  readonly renew: ((term: Term) => Promise<Term>) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** The part of its time after which a lease is renewed. */
const RENEWED_AFTER = 2 / 3;
/** However short a lease is, no command is run more often, ms. */
const SHORTEST_MS = 500;

/** The time that a login is good for: renewed as long as it is needed and can be, told when it is over. */
export class TimedLease {
  readonly #parts: TimedLeaseParts;
  readonly #ended = new AbortController();
  #term: Term;
  /** Undefined: not to be renewed, or being renewed. */
  #renewAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(term: Term, parts: TimedLeaseParts) {
    this.#parts = parts;
    this.#term = term;
    this.#renewAt = this.#nextRenewal();
    this.#wait();
  }

  /** Aborted when its time is over, with an error that says so to whoever works with it. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  get term(): Term {
    return this.#term;
  }

  /** Neither renewed nor told any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #nextRenewal(): number | undefined {
    const { renew, clock } = this.#parts;
    const { endsAt, renewable } = this.#term;
    if (renew === undefined || !renewable || endsAt === undefined) return undefined;
    const now = clock.now();
    return now + Math.max(SHORTEST_MS, (endsAt - now) * RENEWED_AFTER);
  }

  #wait(): void {
    const { neededUntil, clock } = this.#parts;
    const { endsAt } = this.#term;
    clearTimeout(this.#timer);
    if (this.#stopped || endsAt === undefined || endsAt >= neededUntil) return;
    const next = Math.min(endsAt, this.#renewAt ?? endsAt) - clock.now();
    this.#timer = setTimeout(() => this.#due(endsAt), Math.min(Math.max(0, next), LONGEST_TIMER_MS)).unref();
  }

  #due(endsAt: number): void {
    const now = this.#parts.clock.now();
    if (now >= endsAt) {
      this.stop();
      this.#ended.abort(over());
    } else if (this.#renewAt !== undefined && now >= this.#renewAt) {
      this.#renewAt = undefined;
      void this.#renew();
      this.#wait();
    } else this.#wait();
  }

  /** Never rejects. What could not be renewed is tried again as long as there is time. */
  async #renew(): Promise<void> {
    const { renew, clock, log } = this.#parts;
    const before = this.#term;
    try {
      const after = (await renew?.(before)) ?? before;
      if (this.#stopped) return;
      if ((after.endsAt ?? 0) > (before.endsAt ?? 0)) {
        this.#term = { ...after, id: after.id ?? before.id };
        this.#renewAt = this.#nextRenewal();
      } else
        log.info('a lease was not prolonged, and ends', {
          endsAt: new Date(before.endsAt ?? 0).toISOString(),
        });
    } catch (error) {
      if (this.#stopped) return;
      log.warn('a lease could not be renewed', { detail: toHoopError(error).detail });
      const now = clock.now();
      this.#renewAt = now + Math.max(SHORTEST_MS, ((before.endsAt ?? now) - now) / 2);
    }
    this.#wait();
  }
}

function over(): HoopError {
  return new HoopError('ERR_SESSION_ENDED', "the session's credential at the target has ended", {
    hint: 'connect again: a new connection gets a new one',
  });
}
