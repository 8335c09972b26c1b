import { after, type Later } from '../../../core/later.ts';
import type { Denied } from '../../stream/guard.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import type { Planned } from '../reading/planner.ts';
import { type Original, writesMaskBack } from '../reading/write-back.ts';
import type { SessionState } from './state.ts';

/**
 * Puts what was read before the guard: no statement comes to the target in another way.
 *
 * @param original What was really asked: sealed in the audit.
 * @returns As `Guard.ask`; undefined where nobody is to send it or to refuse it any more: while the decision was made the
 *   server failed the batch, and would skip this message, or the session ended.
 * @throws {HoopError} As `Guard.ask`.
 */
export function ask(
  state: SessionState,
  planned: Planned,
  original: Original,
): Later<OpenOperation | Denied | undefined> {
  const { pairs, context, text } = planned;
  const refusal = planned.refusal ?? writesMaskBack(planned, original);
  const question = { pairs, context, text, original, ...(refusal === undefined ? {} : { refusal }) };
  return after(state.guard.ask(question), (answer) => {
    if (!state.pipeline.skipping && !state.ended) return answer;
    if (answer.effect === 'allow') answer.close('unknown');
    return undefined;
  });
}
