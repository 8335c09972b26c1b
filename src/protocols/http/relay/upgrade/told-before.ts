import type { SessionRef } from '../../../../enforcement/operation.ts';
import type { Denied } from '../../../stream/guard.ts';
import type { OwnAnswer } from '../problem.ts';

/** Who asked may not, and what they are told. */
export interface Told {
  readonly denied: Denied;
  readonly answer: OwnAnswer;
}

/** What was asked, and in which of the forms that it has. */
export interface AskedForm {
  /** As `Understood.meant`. */
  readonly meant: string;
  readonly form: string;
}

/** A client asks in the next form at once. */
const WITHIN_MS = 10_000;
/** Of one session. */
const MOST = 16;

interface Kept {
  readonly told: Told;
  readonly form: string;
  readonly at: number;
}

/**
 * Denials of what clients ask for in another form as soon as the first is not taken up: told again, once, so that people are not
 * asked again, and nothing is counted twice.
 */
export class ToldBefore {
  readonly #bySession = new WeakMap<SessionRef, Map<string, Kept>>();

  /**
   * Asks, unless the same was denied in another form a moment ago.
   *
   * @param asksAgain Whether this client asks in another form what it was denied; looked at behind the answer.
   */
  async once<Allowed extends object>(
    session: SessionRef,
    asked: AskedForm,
    ask: () => Promise<Allowed | Told>,
    asksAgain: () => boolean = () => true,
  ): Promise<Allowed | Told> {
    const before = this.take(session, asked, performance.now());
    if (before !== undefined) return before;
    const answer = await ask();
    if ('denied' in answer && asksAgain()) this.keep(session, asked, answer, performance.now());
    return answer;
  }

  /** @param nowMs Of a clock that only goes forward. */
  keep(session: SessionRef, { meant, form }: AskedForm, told: Told, nowMs: number): void {
    const kept = this.#bySession.get(session) ?? new Map<string, Kept>();
    this.#bySession.set(session, kept);
    kept.delete(meant);
    kept.set(meant, { told, form, at: nowMs });
    const [oldest] = kept.size > MOST ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
  }

  /** What was told a moment ago of the same in another form; it is forgotten then. */
  take(session: SessionRef, { meant, form }: AskedForm, nowMs: number): Told | undefined {
    const kept = this.#bySession.get(session);
    const known = kept?.get(meant);
    kept?.delete(meant);
    if (known === undefined || known.form === form || nowMs - known.at > WITHIN_MS) return undefined;
    return known.told;
  }
}
