/** Watching a session that lives: for as long as it does, and the one who watches may. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplayFrame } from '../../api/replay.ts';
import { isHoopError } from '../../core/errors.ts';
import type { Following } from '../../recording/followed.ts';

/** A recording is written that often while something happens, ms. */
const LOOK_MS = 200;
/** A blank line at least so often, so that whatever stands between does not take silence for the end, ms. */
const BEAT_MS = 15_000;
const BEAT = Buffer.from('\n');

export interface WatchTerms {
  /** Whether the session lives in this process. */
  isLive(): boolean;
  /** @throws {HoopError} Whoever watches may not any more. Asked at every look. */
  demand(): void;
  /** Aborted when nobody listens. */
  readonly gone: AbortSignal;
}

export class Watch implements Following {
  readonly #terms: WatchTerms;
  /** Why it ended before the session did. */
  #over: string | undefined;

  constructor(terms: WatchTerms) {
    this.#terms = terms;
  }

  isLive(): boolean {
    return this.#over === undefined && !this.#terms.gone.aborted && this.#terms.isLive();
  }

  async again(): Promise<void> {
    await sleep(LOOK_MS, undefined, { ref: false });
    try {
      this.#terms.demand();
    } catch (error) {
      // What is shown so far ends in order, and says why.
      this.#over = isHoopError(error) ? error.message : 'it can no longer be watched';
    }
  }

  /** Frames until then; the end of one who may not watch any more says so. */
  async *frames(frames: AsyncIterable<ReplayFrame>): AsyncGenerator<ReplayFrame> {
    for await (const frame of frames) {
      if (this.#over === undefined) yield frame;
      else
        return yield { schemaVersion: 1, atMs: frame.atMs, kind: 'end', reason: this.#over, complete: false };
    }
  }
}

/** The same, and a blank line where nothing else comes for a while. */
export async function* withBeats(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const beat = Symbol('beat');
  try {
    for (let next = chunks.next(); ; ) {
      const timer = new AbortController();
      const silence = sleep(BEAT_MS, beat, { signal: timer.signal, ref: false }).catch(() => beat);
      const first = await Promise.race([next, silence]);
      timer.abort();
      if (first === beat) yield BEAT;
      else if ((first as IteratorResult<Uint8Array>).done === true) return;
      else {
        yield (first as IteratorYieldResult<Uint8Array>).value;
        next = chunks.next();
      }
    }
  } finally {
    await chunks.return(undefined);
  }
}
