/** Pings, pongs and closes of one side within so many ms: who keeps a connection alive needs a few a minute. */
const MAX_FRAMES = 600;
const WITHIN_MS = 10_000;

/** Bounds how often one side makes the other answer. Pure. */
export class ControlBudget {
  #since = Number.NEGATIVE_INFINITY;
  #frames = 0;

  /** @param nowMs Of a clock that only goes forward. @returns False: it is one too many. */
  takes(nowMs: number): boolean {
    if (nowMs - this.#since > WITHIN_MS) {
      this.#since = nowMs;
      this.#frames = 0;
    }
    this.#frames++;
    return this.#frames <= MAX_FRAMES;
  }
}
