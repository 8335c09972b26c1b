import type { IdleTimer } from '../../protocols/stream/client-turn.ts';

/** Calls `onIdle` when `start` was not followed by `start` or `stop` for so long. Started for each statement: it is cheap. */
export class SessionIdleTimer implements IdleTimer {
  readonly #ms: number | undefined;
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | undefined;
  #counting = false;

  /** @param ms Milliseconds; undefined: for ever. */
  constructor(ms: number | undefined, onIdle: () => void) {
    this.#ms = ms;
    this.#onIdle = onIdle;
  }

  start(): void {
    if (this.#ms === undefined) return;
    this.#counting = true;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#late(), this.#ms);
    else this.#timer.refresh();
  }

  stop(): void {
    this.#counting = false;
  }

  /** Never calls again. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#counting = false;
  }

  #late(): void {
    this.#timer = undefined;
    if (this.#counting) this.#onIdle();
  }
}
