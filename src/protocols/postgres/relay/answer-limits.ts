import { durationText, sizeText } from '../../../core/config/units.ts';
import type { Later } from '../../../core/later.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import type { AnswerLimit } from '../../../policy/model.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import { overLimit } from '../../stream/over-limit.ts';
import { HINTS } from '../hints.ts';
import type { Planned } from '../reading/planner.ts';

const DENIED = '42501';

/**
 * Answers under a limit. What is shown in one transaction is the sum of its statements, or a cursor would show all of it in
 * small pieces. Whatever goes over a limit is cancelled at the target, so that its own error ends the statement, the batch
 * and the transaction; should it have ended by then, a stand-in fails there in its place. Nothing else of the session's is at the
 * target while an answer under a limit is outstanding, for a cancel would meet that.
 */
export class LimitedAnswers {
  readonly #cancel: () => Promise<void>;
  #rows = 0;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #cancelling: Promise<void> | undefined;

  /** @param cancel Cancels at the target what runs there. */
  constructor(cancel: () => Promise<void>) {
    this.#cancel = cancel;
  }

  /** The transaction is over. */
  reset(): void {
    this.#rows = 0;
    this.#bytes = 0;
  }

  /** It goes to the target now: its time begins. */
  begin(operation: OpenOperation): void {
    const time = operation.limits?.time;
    if (time === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (operation.open)
        this.#over(operation, time, `took more than ${durationText(time.max)}`, 'refused: time');
    }, time.max);
    this.#timer.unref();
  }

  /** Its answer is whole. @returns Until a cancel that was sent for it can meet nothing else any more. */
  ended(): Later<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#cancelling;
  }

  /**
   * Counts rows that are about to be shown.
   *
   * @param bytes As they are shown.
   * @returns Whether they may be; if not, the operation is over, and `refused`.
   */
  take(operation: OpenOperation, rows: number, bytes: number): boolean {
    const { limits } = operation;
    if (limits === undefined) return true;
    if (operation.refused !== undefined) return false;
    this.#rows += rows;
    this.#bytes += bytes;
    if (limits.rows !== undefined && this.#rows > limits.rows.max)
      this.#over(operation, limits.rows, `has more than ${limits.rows.max} rows`, 'refused: rows shown');
    else if (limits.bytes !== undefined && this.#bytes > limits.bytes.max)
      this.#over(
        operation,
        limits.bytes,
        `has more than ${sizeText(limits.bytes.max)}`,
        'refused: bytes shown',
      );
    return operation.refused === undefined;
  }

  #over(operation: OpenOperation, limit: AnswerLimit, how: string, reason: string): void {
    const most = limit === operation.limits?.rows ? limit.max : undefined;
    operation.refused = overLimit(limit, how, { hint: HINTS.askForLess, most });
    operation.close('failure', DENIED, reason);
    const cancelled = this.#cancel()
      .catch(() => undefined)
      .then(() => {
        if (this.#cancelling === cancelled) this.#cancelling = undefined;
      });
    this.#cancelling = cancelled;
  }
}

/**
 * Why an operation under a limit cannot run as it was sent; undefined: it can. Pure.
 *
 * @param planned What was read of it: one statement, or nobody could say which of several goes over.
 */
export function unlimitable({ limits }: OpenOperation, { plans, unread }: Planned): Denial | undefined {
  const [limit] = Object.values(limits ?? {});
  if (limit === undefined || (plans.length === 1 && unread !== true)) return undefined;
  return {
    ...overLimit(limit, 'is of several statements at once, or of one that is not read', {
      hint: HINTS.askForLess,
    }),
    hint: 'send each statement by itself',
    next: 'correct',
  };
}
