import { randomUUID } from 'node:crypto';
import type { Approval } from '../../approval/model.ts';

type Listener = (approval: Approval) => void;

/** Tells whoever listens of each change of a request. */
export class ApprovalChanges {
  readonly #listeners = new Set<Listener>();
  /** A cursor of an earlier start must not look like one of this. */
  readonly #start = randomUUID();
  #count = 0;

  /** Of the last change. */
  get cursor(): string {
    return `${this.#start}.${this.#count}`;
  }

  readonly tell = (approval: Approval): void => {
    this.#count++;
    for (const listener of [...this.#listeners]) listener(approval);
  };

  /** @returns Ends it. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves with the next change that is of interest, or when the time is over or the signal aborted. Never rejects. */
  async next(interests: (approval: Approval) => boolean, ms: number, signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<void>();
    const wake = () => over.resolve();
    const end = this.subscribe((approval) => {
      if (interests(approval)) wake();
    });
    const timer = setTimeout(wake, ms).unref();
    signal.addEventListener('abort', wake, { once: true });
    if (signal.aborted) wake();
    await over.promise;
    end();
    clearTimeout(timer);
    signal.removeEventListener('abort', wake);
  }
}
