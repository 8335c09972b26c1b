import type { Clock } from '../../../core/clock.ts';
import { type HoopError, toHoopError } from '../../../core/errors.ts';
import type { Log } from '../../../core/log.ts';

/** What whoever gives it does not say the life of, ms. */
export const UNSAID_LIFE_MS = 5 * 60_000;
/** It is renewed when so much of its life is left, and before it is shorter than so long, ms. */
const LEFT = 0.2;
const LEAST_LEFT_MS = 10_000;
/** After a failure nobody asks again for so long, ms: a provider in trouble is left alone. */
const REST_MS = 2_000;
/** A target that takes none has the provider asked again no more often than so, ms: another one would be no better. */
const FORGET_MS = 10_000;

/** What is good for a time. */
export interface Lived {
  /** Undefined: whoever gave it did not say. */
  readonly lifeMs: number | undefined;
}

export interface RenewedParts<T extends Lived> {
  /** Asks whoever gives it. @throws {HoopError} `ERR_TARGET_CREDENTIAL`. */
  readonly ask: () => Promise<T>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Held<T> {
  readonly one: T;
  /** ms since the epoch. */
  readonly renewAt: number;
  readonly endsAt: number;
}

/**
 * What the gateway proves itself with for a time: had when it is first needed, renewed before it ends, one question for all who
 * wait. One that the target does not take is thrown away; the request that met it is not sent again.
 */
export class Renewed<T extends Lived> {
  readonly #parts: RenewedParts<T>;
  #held: Held<T> | undefined;
  /** The one before: answers to it may still be on their way. */
  #before: T | undefined;
  #asking: Promise<Held<T>> | undefined;
  /** Until then none is thrown away, ms since the epoch. */
  #keptUntil = Number.NEGATIVE_INFINITY;
  #failure: { readonly error: HoopError; readonly until: number } | undefined;

  constructor(parts: RenewedParts<T>) {
    this.#parts = parts;
  }

  /** What the target may know: the one in use, unless that was thrown away, and behind it the one before. */
  get shown(): readonly T[] {
    return [this.#held?.one, this.#before].filter((one) => one !== undefined);
  }

  /** @throws {HoopError} `ERR_TARGET_CREDENTIAL`. */
  async current(): Promise<T> {
    const held = this.#held;
    const now = this.#parts.clock.now();
    if (held === undefined || now >= held.endsAt) return (await this.#renewed()).one;
    // Meanwhile it goes on with the one that there is.
    if (now >= held.renewAt) this.#renewed().catch(() => undefined);
    return held.one;
  }

  forget(): void {
    const now = this.#parts.clock.now();
    if (now < this.#keptUntil) return;
    this.#keptUntil = now + FORGET_MS;
    this.#before = this.#held?.one ?? this.#before;
    this.#held = undefined;
  }

  #renewed(): Promise<Held<T>> {
    const { clock } = this.#parts;
    if (this.#failure !== undefined && clock.now() < this.#failure.until)
      return Promise.reject(this.#failure.error);
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<Held<T>> {
    const { ask, clock, log } = this.#parts;
    try {
      const one = await ask();
      const { lifeMs = UNSAID_LIFE_MS } = one;
      const endsAt = clock.now() + lifeMs;
      const renewAt = endsAt - Math.max(lifeMs * LEFT, Math.min(LEAST_LEFT_MS, lifeMs / 2));
      this.#before = this.#held?.one ?? this.#before;
      this.#held = { one, endsAt, renewAt };
      this.#failure = undefined;
      return this.#held;
    } catch (thrown) {
      const error = toHoopError(thrown, 'ERR_TARGET_CREDENTIAL');
      log.warn('no credential for the target could be had', { detail: error.detail });
      this.#failure = { error, until: clock.now() + REST_MS };
      throw error;
    }
  }
}
