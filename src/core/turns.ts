/** How long one turn of the event loop may go on before who has more to do lets others go first, ms. */
const TURN_MS = 4;

/**
 * Shares one thread among many of whom each may have more to do than the others can wait for.
 *
 * Whoever works through something large asks `spent` between its pieces, and when it is waits for `next`:
 *
 *     while (work.more) {
 *       work.piece();
 *       if (turns.spent) await turns.next();
 *     }
 */
export class Turns {
  readonly #turnMs: number;
  #began: number | undefined;
  #immediate: NodeJS.Immediate | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor(turnMs = TURN_MS) {
    this.#turnMs = turnMs;
  }

  /** Whether this turn of the event loop has been used up by those who asked. Never throws. */
  get spent(): boolean {
    const now = performance.now();
    if (this.#began !== undefined) return now - this.#began >= this.#turnMs;
    this.#began = now;
    this.#endSoon();
    return false;
  }

  /** Resolves in the order of asking, one in each turn of the event loop. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#endSoon();
    });
  }

  #endSoon(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#began = undefined;
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#endSoon();
    });
  }
}
