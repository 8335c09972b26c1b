import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';

export type EndCode = 'ERR_REVOKED' | 'ERR_LOGIN_EXPIRED';

/** Longest sleep, ms: a timer of more than 2^31−1 would fire at once, and clocks get corrected. */
const MAX_SLEEP_MS = 15 * 60_000;

interface Subscriber {
  readonly deadline: number;
  readonly callback: (code: EndCode) => void;
}

export interface EndWatchOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** When the credential ends by itself, ms since the epoch; asked again whenever it matters. */
  readonly endsAt: () => number;
}

/**
 * Tells the sessions of one instance, once each, that it has ended: at once when it is revoked, by a timer when its time
 * is up. Timers never keep the process alive.
 */
export class EndWatch {
  readonly #options: EndWatchOptions;
  readonly #subscribers = new Set<Subscriber>();
  #timer: NodeJS.Timeout | undefined;
  #ended: EndCode | undefined;

  constructor(options: EndWatchOptions) {
    this.#options = options;
  }

  /**
   * Calls back once, never before this returns.
   *
   * @param deadline The session's own end, ms since the epoch; counts if it is earlier than the credential's.
   * @param callback What it throws is logged, and keeps nobody else from being told.
   * @returns Unsubscribes; may be called again.
   * @see https://nodejs.org/api/timers.html#settimeoutcallback-delay-args
   */
  add(deadline: number, callback: (code: EndCode) => void): () => void {
    const subscriber = { deadline, callback };
    this.#subscribers.add(subscriber);
    this.#arm();
    return () => {
      if (this.#subscribers.delete(subscriber) && this.#subscribers.size === 0) this.close();
    };
  }

  /** The credential's end has moved. */
  reschedule(): void {
    this.#arm();
  }

  /** Tells everyone now, and whoever subscribes later. */
  end(code: EndCode): void {
    this.#ended ??= code;
    for (const subscriber of [...this.#subscribers]) this.#tell(subscriber, this.#ended);
    this.close();
  }

  /** Lets the timer and the subscribers go; nobody is told. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#subscribers.clear();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#subscribers.size === 0) return;
    let next = Number.POSITIVE_INFINITY;
    for (const one of this.#subscribers) next = Math.min(next, this.#endOf(one));
    const sleep = Math.min(Math.max(next - this.#options.clock.now(), 0), MAX_SLEEP_MS);
    this.#timer = setTimeout(() => this.#wake(), sleep);
    this.#timer.unref();
  }

  #wake(): void {
    const now = this.#options.clock.now();
    for (const one of [...this.#subscribers]) {
      if (now >= this.#endOf(one)) this.#tell(one, this.#ended ?? 'ERR_LOGIN_EXPIRED');
    }
    this.#arm();
  }

  #endOf(subscriber: Subscriber): number {
    return this.#ended === undefined ? Math.min(subscriber.deadline, this.#options.endsAt()) : 0;
  }

  #tell(subscriber: Subscriber, code: EndCode): void {
    this.#subscribers.delete(subscriber);
    try {
      subscriber.callback(code);
    } catch (error) {
      this.#options.log.error('a session could not be ended', {
        code,
        reason: error instanceof Error ? error.name : '',
      });
    }
  }
}
