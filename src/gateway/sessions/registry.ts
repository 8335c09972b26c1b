import type { HoopError } from '../../core/errors.ts';
import type { LiveSession } from './live-session.ts';

/** The sessions that live in this process. */
export class SessionRegistry {
  readonly #live = new Map<string, LiveSession>();
  readonly #ofInstance = new Map<string, number>();
  #waiting: (() => void)[] = [];

  get size(): number {
    return this.#live.size;
  }

  add(session: LiveSession): void {
    this.#live.set(session.ref.id, session);
    const { instance } = session.ref.principal;
    this.#ofInstance.set(instance, this.countOf(instance) + 1);
  }

  remove(session: LiveSession): void {
    if (!this.#live.delete(session.ref.id)) return;
    const { instance } = session.ref.principal;
    const left = this.countOf(instance) - 1;
    if (left > 0) this.#ofInstance.set(instance, left);
    else this.#ofInstance.delete(instance);
    if (this.#live.size > 0) return;
    for (const wake of this.#waiting) wake();
    this.#waiting = [];
  }

  /** How many one instance has. */
  countOf(instance: string): number {
    return this.#ofInstance.get(instance) ?? 0;
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
