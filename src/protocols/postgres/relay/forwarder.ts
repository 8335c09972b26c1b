import type { Later } from '../../../core/later.ts';
import { type Piece, Pieces } from '../../../wire/postgres/frame.ts';
import type { SessionState } from './state.ts';

/** What goes to the target: gathered, written together, and waited for where the answer decides what comes next. */
export class Forwarder {
  readonly #state: SessionState;
  readonly #send: (slices: Buffer[]) => void;
  readonly #out = new Pieces();

  /** @param send Writes to the target, at once and in order. */
  constructor(state: SessionState, send: (slices: Buffer[]) => void) {
    this.#state = state;
    this.#send = send;
  }

  /** Bytes of the client's that were judged, unchanged. */
  add(piece: Piece): void {
    this.#out.add(piece);
  }

  /** A message of ours. */
  addBytes(bytes: Buffer): void {
    this.#out.add({ chunk: bytes, start: 0, end: bytes.length });
  }

  /** Writes what was gathered. Called when no further message has arrived, and before any wait for the target. */
  flush(): void {
    const slices = this.#out.take();
    if (slices.length > 0) this.#send(slices);
  }

  /** Until the target's answers have brought the condition about, or the session has ended. */
  until(settled: () => boolean): Later<void> {
    return settled() ? undefined : this.#wait(settled);
  }

  async #wait(settled: () => boolean): Promise<void> {
    while (!settled() && !this.#state.context.signal.aborted && !this.#state.ended) {
      this.flush();
      await this.#state.progress();
    }
  }

  /**
   * What follows COPY FROM STDIN means something else if the server refuses it, what follows a setting may be read in
   * another way, and what follows a schema change is judged by the schema it made: the answer is awaited.
   */
  answerBarrier(): Later<void> {
    const { pipeline } = this.#state;
    const entry = pipeline.last;
    return this.until(() => this.#state.copyIn || pipeline.answered(entry));
  }
}
