import type { IdleTimer } from '../../protocols/stream/client-turn.ts';
import { SessionIdleTimer } from './idle-timer.ts';

/** One stream's part in the silence of its session. */
export interface StreamIdle extends IdleTimer {
  /** The stream has ended: the others alone decide. */
  close(): void;
}

/** Calls `onIdle` when every stream of a session has waited for its client for so long. */
export class IdleStreams {
  readonly #timer: SessionIdleTimer;
  #streams = 0;
  #waiting = 0;

  /** @param ms Milliseconds; undefined: for ever. */
  constructor(ms: number | undefined, onIdle: () => void) {
    this.#timer = new SessionIdleTimer(ms, onIdle);
  }

  stream(): StreamIdle {
    let waits = false;
    let open = true;
    this.#streams++;
    this.#timer.stop();
    return {
      start: () => {
        if (!open) return;
        if (!waits) this.#waiting++;
        waits = true;
        this.#count();
      },
      stop: () => {
        if (waits) this.#waiting--;
        waits = false;
        this.#timer.stop();
      },
      close: () => {
        if (!open) return;
        open = false;
        this.#streams--;
        if (waits) this.#waiting--;
        waits = false;
        if (this.#streams > 0) this.#count();
        else this.#timer.stop();
      },
    };
  }

  /** Never calls again. */
  close(): void {
    this.#timer.close();
  }

  #count(): void {
    if (this.#waiting === this.#streams) this.#timer.start();
  }
}
