import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Secret } from '../../core/secret.ts';
import { deliveryHeaders, parseSigningKey } from './signature.ts';

export interface WebhookSettings {
  /** Whoever knows it may write there: only its host is ever logged. */
  readonly url: Secret;
  /** See `parseSigningKey`. Absent: not signed. */
  readonly key: Secret | undefined;
  readonly format: 'json' | 'slack';
  readonly link: string | undefined;
}

export interface WebhookDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Default `PACE`. */
  readonly pace?: Pace;
}

export interface Pace {
  /** For one attempt, ms. */
  readonly timeoutMs: number;
  /** Before the second attempt, ms; before each further one four times as long. */
  readonly firstDelayMs: number;
  /** What was told longer ago is tried once more and not again: it has stood behind others, and others stand behind it, ms. */
  readonly retryForMs: number;
  /** What was told longer ago is news to nobody, ms. */
  readonly dropAfterMs: number;
  /** What a receiver asks for beyond it is not waited for, ms. */
  readonly maxRetryAfterMs: number;
}

/** Five attempts in about five minutes. */
const PACE: Pace = {
  timeoutMs: 10_000,
  firstDelayMs: 4000,
  maxRetryAfterMs: 300_000,
  retryForMs: 300_000,
  dropAfterMs: 900_000,
};
const ATTEMPTS = 5;
const MAX_WAITING = 1000;
/** Statuses that another attempt may change; all others are final, redirects too. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

interface Delivery {
  readonly id: string;
  readonly body: string;
}

/** One that was told, when, ms since the epoch. */
interface Told extends Delivery {
  readonly at: number;
}

interface Answer {
  /** A status, or why there was none. */
  readonly said: string;
  readonly verdict: 'taken' | 'refused' | 'again';
  readonly afterMs: number;
}

/**
 * Delivers to one address, one message after the other in the order in which they were told, behind everybody's back: it
 * never throws and nobody waits for it.
 */
export class Webhook {
  readonly #deps: WebhookDeps;
  readonly #pace: Pace;
  readonly #closing = new AbortController();
  #settings: WebhookSettings;
  #waiting: Told[] = [];
  #busy = false;

  constructor(settings: WebhookSettings, deps: WebhookDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#pace = deps.pace ?? PACE;
  }

  get settings(): WebhookSettings {
    return this.#settings;
  }

  /** For the same address; holds from the next attempt on. */
  set settings(settings: WebhookSettings) {
    this.#settings = settings;
  }

  tell(delivery: Delivery): void {
    if (this.#waiting.length >= MAX_WAITING) {
      const dropped = this.#waiting.shift();
      this.#warn('a webhook is too slow: its oldest message was dropped', dropped?.id, {});
    }
    this.#waiting.push({ ...delivery, at: this.#deps.clock.now() });
    if (!this.#busy) void this.#deliverAll();
  }

  /** Nothing is sent after it; what was not delivered is lost. */
  close(): void {
    this.#closing.abort();
    this.#waiting = [];
  }

  async #deliverAll(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      await this.#deliver(next);
    this.#busy = false;
  }

  async #deliver(delivery: Told): Promise<void> {
    const ageMs = () => this.#deps.clock.now() - delivery.at;
    if (ageMs() > this.#pace.dropAfterMs)
      return this.#warn('a webhook was not told', delivery.id, { attempts: 0 });
    for (let attempt = 1; !this.#closing.signal.aborted; attempt++) {
      const { said, verdict, afterMs } = await this.#attempt(delivery);
      if (verdict === 'taken' || this.#closing.signal.aborted) return;
      if (verdict === 'refused' || attempt === ATTEMPTS || ageMs() > this.#pace.retryForMs)
        return this.#warn('a webhook was not told', delivery.id, { said, attempts: attempt });
      const backoffMs = this.#pace.firstDelayMs * 4 ** (attempt - 1) * (0.75 + Math.random() / 2);
      await pause(Math.max(backoffMs, afterMs), undefined, {
        signal: this.#closing.signal,
        ref: false,
      }).catch(() => undefined);
    }
  }

  async #attempt({ id, body }: Told): Promise<Answer> {
    const { url, key } = this.#settings;
    const { clock } = this.#deps;
    try {
      const signingKey = key === undefined ? undefined : parseSigningKey(key.expose());
      const response = await fetch(url.expose(), {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json',
          ...deliveryHeaders(id, clock.now(), body, signingKey),
        },
        body,
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#pace.timeoutMs)]),
      });
      // Nothing that a receiver writes is read.
      await response.body?.cancel();
      return this.#answerOf(response);
    } catch (error) {
      return { said: failureOf(error), verdict: 'again', afterMs: 0 };
    }
  }

  #answerOf({ status, ok, headers }: Response): Answer {
    const again = status >= 500 || PASSING.has(status);
    const afterMs = retryAfterMs(headers.get('retry-after'), this.#deps.clock.now());
    return {
      said: String(status),
      verdict: ok ? 'taken' : again ? 'again' : 'refused',
      afterMs: Math.min(afterMs, this.#pace.maxRetryAfterMs),
    };
  }

  #warn(what: string, message: string | undefined, fields: Readonly<Record<string, string | number>>): void {
    this.#deps.log.warn(what, { host: new URL(this.#settings.url.expose()).host, message, ...fields });
  }
}

/** Seconds, or a date. @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function retryAfterMs(value: string | null, nowMs: number): number {
  if (value === null) return 0;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/** A code or a name: the text of an error of `fetch` may hold the address. */
function failureOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
