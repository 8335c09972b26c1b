import { after, type Later } from '../../../core/later.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import type { Planned } from '../reading/planner.ts';
import { type Original, writesMaskBack } from '../reading/write-back.ts';
import type { SessionState } from './state.ts';

/** What becomes of a message when its answer is there. */
interface Answers {
  /** It may go to the target, and the operation must be closed. */
  send(operation: OpenOperation): Later<void>;
  refuse(denial: Denial): Later<void>;
  /** While the decision was made the server failed the batch, and would skip it, or the session ended. */
  skip?(): void;
}

/**
 * Puts what was read before the guard: no statement comes to the target in another way.
 *
 * @param original What was really asked: sealed in the audit.
 * @throws {HoopError} As `Guard.ask`, and what `answers` throw.
 */
export function ask(
  state: SessionState,
  planned: Planned,
  original: Original,
  answers: Answers,
): Later<void> {
  const { pairs, context, text } = planned;
  const refusal = planned.refusal ?? writesMaskBack(planned, original);
  const question = { pairs, context, text, original };
  return after(state.guard.ask(refusal === undefined ? question : { ...question, refusal }), (answer) => {
    if (state.pipeline.skipping || state.ended) {
      if (answer.effect === 'allow') answer.close('unknown');
      return answers.skip?.();
    }
    return answer.effect === 'allow' ? answers.send(answer) : answers.refuse(answer.denial);
  });
}
