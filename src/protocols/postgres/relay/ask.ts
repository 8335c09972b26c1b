import { after, type Later } from '../../../core/later.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import type { Planned } from '../reading/planner.ts';
import { type Original, writesMaskBack } from '../reading/write-back.ts';
import { ApprovableStatement, type Asking } from './approvable.ts';
import type { SessionState } from './state.ts';

/** What becomes of a message when its answer is there. */
interface Answers {
  /**
   * It may go to the target, and the operation must be closed.
   *
   * @param planned As it was read last: anew, where it waited for an approval.
   */
  send(operation: OpenOperation, planned: Planned): Later<void>;
  refuse(denial: Denial): Later<void>;
  /** While the decision was made the server failed the batch, and would skip it, or the session ended. */
  skip?(): void;
}

/**
 * Puts what was read before the guard: no statement comes to the target in another way.
 *
 * @throws {HoopError} As `Guard.ask`, and what `answers` throw.
 */
export function ask(state: SessionState, planned: Planned, asking: Asking, answers: Answers): Later<void> {
  let latest = planned;
  const reread = (again: Planned) => {
    latest = again;
    return questionOf(again, asking.original);
  };
  const approvable = new ApprovableStatement(state, planned, asking, reread);
  const question = questionOf(planned, asking.original);
  const asked = asking.nobody === true ? question : { ...question, approvable };
  return after(state.guard.ask(asked), (answer) => {
    const cancelled = state.released();
    if (state.pipeline.skipping || state.ended) {
      if (answer.effect === 'allow') answer.close('unknown');
      return answers.skip?.();
    }
    if (answer.effect === 'deny') return answers.refuse(cancelled ? CANCELLED : answer.denial);
    // What is only prepared asks nothing yet.
    const spent = asking.prepares === true ? undefined : state.lookUp(latest);
    if (spent === undefined) return answers.send(answer, latest);
    answer.close('failure', '42501', 'refused: lookups');
    return answers.refuse(spent);
  });
}

function questionOf(planned: Planned, original: Original) {
  const { pairs, context, text } = planned;
  const refusal = planned.refusal ?? writesMaskBack(planned, original);
  return refusal === undefined
    ? { pairs, context, text, original }
    : { pairs, context, text, original, refusal };
}

/** As the server says it. @see https://www.postgresql.org/docs/current/errcodes-appendix.html 57014 */
const CANCELLED: Denial = {
  code: 'ERR_APPROVAL_EXPIRED',
  message: 'canceling statement due to user request',
  rule: 'cancelled',
  reason: 'the client did not wait for the approval any longer',
  hint: 'it did not run; send it again, and it is asked for anew',
  next: 'ask',
};
