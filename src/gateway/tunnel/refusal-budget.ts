import type { Clock } from '../../core/clock.ts';

/** Refusals of strangers that are recorded one by one, in one span of time. */
const PER_SPAN = 50;
const SPAN_MS = 10_000;

/**
 * Bounds what strangers can write into the audit: beyond the bound refusals are only counted, and the next recorded
 * one carries the number. Refusals of those who proved who they are always count as events.
 */
export class RefusalBudget {
  readonly #clock: Clock;
  #spanStart = Number.NEGATIVE_INFINITY;
  #spent = 0;
  #suppressed = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns How many went unrecorded since the last event; undefined: do not record this one. */
  spend(): number | undefined {
    const now = this.#clock.now();
    if (now - this.#spanStart >= SPAN_MS) {
      this.#spanStart = now;
      this.#spent = 0;
    }
    if (this.#spent >= PER_SPAN) {
      this.#suppressed++;
      return undefined;
    }
    this.#spent++;
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    return suppressed;
  }
}
