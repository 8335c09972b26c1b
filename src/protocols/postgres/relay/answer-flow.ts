import { toHoopError } from '../../../core/errors.ts';
import type { Turns } from '../../../core/turns.ts';
import type { Outlet } from '../../stream/outlet.ts';
import { POSTGRES_LIMITS } from '../limits.ts';
import type { Upstream } from '../target/upstream.ts';
import type { ResponsePump } from './responses.ts';
import type { SessionState } from './state.ts';

/**
 * Brings what the target says to the client, in pieces: while one session's answer is looked through, others have their
 * turn, and the target is not read.
 */
export class AnswerFlow {
  readonly #state: SessionState;
  readonly #responses: ResponsePump;
  readonly #outlet: Outlet;
  readonly #upstream: Upstream;
  readonly #turns: Turns;
  /** The client must take some first. */
  #full = false;
  #working = false;
  #lost: (() => void) | undefined;

  constructor(parts: {
    readonly state: SessionState;
    readonly responses: ResponsePump;
    readonly outlet: Outlet;
    readonly upstream: Upstream;
    readonly turns: Turns;
  }) {
    this.#state = parts.state;
    this.#responses = parts.responses;
    this.#outlet = parts.outlet;
    this.#upstream = parts.upstream;
    this.#turns = parts.turns;
  }

  /** @param lost Called once when the target has closed the connection and all that it said is handled. */
  start(lost: () => void): void {
    const { socket, rest } = this.#upstream;
    const end = () => {
      this.#lost = lost;
      if (!this.#working) lost();
    };
    socket.on('error', end);
    socket.on('close', end);
    this.#upstream.onBytes((chunk) => this.#take(chunk));
    if (rest.length > 0) this.#take(rest);
    if (!this.#full && !this.#working) socket.resume();
  }

  /** The session has ended: what is not handled yet never will be. */
  stop(): void {
    if (!this.#working) this.#responses.dispose();
  }

  /** For the outlet: it knows when the client is behind. */
  pause(): void {
    this.#full = true;
    this.#upstream.socket.pause();
  }

  resume(): void {
    this.#full = false;
    if (!this.#working) this.#upstream.socket.resume();
  }

  /** @param chunk Its memory is written again when this returns. */
  #take(chunk: Buffer): void {
    if (this.#state.ended) return;
    if (this.#working) return this.#responses.add(Buffer.from(chunk));
    this.#responses.add(chunk);
    this.#handle();
    if (this.#state.ended) return;
    if (this.#responses.more) this.#responses.keep();
    // A message that comes in thousands of reads takes turns, too: the event loop would read on and on.
    else if (this.#responses.buffered <= POSTGRES_LIMITS.largeMessageBytes || !this.#turns.spent) return;
    this.#working = true;
    this.#upstream.socket.pause();
    void this.#goOn();
  }

  #handle(): void {
    try {
      this.#outlet.send(this.#responses.handle(), this);
      this.#state.held.set('answers', this.#responses.buffered + this.#outlet.waitingBytes);
    } catch (error) {
      this.#state.end(toHoopError(error));
    }
  }

  async #goOn(): Promise<void> {
    do {
      await this.#turns.next();
      if (!this.#state.ended && this.#responses.more) this.#handle();
    } while (!this.#state.ended && this.#responses.more);
    this.#working = false;
    if (this.#state.ended) this.#responses.dispose();
    else if (this.#lost !== undefined) this.#lost();
    else if (!this.#full) this.#upstream.socket.resume();
  }
}
