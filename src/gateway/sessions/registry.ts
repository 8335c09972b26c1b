import type { HoopError } from '../../core/errors.ts';
import type { LiveSession } from './live-session.ts';

/** The sessions that live in this process. */
export class SessionRegistry {
  readonly #live = new Map<string, LiveSession>();
  #waiting: (() => void)[] = [];

  get size(): number {
    return this.#live.size;
  }

  add(session: LiveSession): void {
    this.#live.set(session.ref.id, session);
  }

  remove(session: LiveSession): void {
    this.#live.delete(session.ref.id);
    if (this.#live.size > 0) return;
    for (const wake of this.#waiting) wake();
    this.#waiting = [];
  }

  find(id: string): LiveSession | undefined {
    return this.#live.get(id);
  }

  /** Newest first. */
  list(): LiveSession[] {
    return [...this.#live.values()].reverse();
  }

  /** Tells every session that matches to end; gives how many those are. */
  endWhere(matches: (session: LiveSession) => boolean, reason: HoopError): number {
    const matching = [...this.#live.values()].filter((session) => matches(session));
    for (const session of matching) session.end(reason);
    return matching.length;
  }

  /** Resolves once no session is left. */
  empty(): Promise<void> {
    if (this.#live.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
