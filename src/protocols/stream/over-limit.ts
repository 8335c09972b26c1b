import type { Denial } from '../../enforcement/operation.ts';
import type { AnswerLimit } from '../../policy/model.ts';

/**
 * What is said of an answer that goes over a limit. Pure.
 *
 * @param how `has more than 1000 rows`.
 * @param less What to do where the rule does not say it, and to how many rows the answer may come.
 */
export function overLimit(
  { rule }: AnswerLimit,
  how: string,
  { hint, most }: { readonly hint: string; readonly most?: number | undefined },
): Denial {
  return {
    code: 'ERR_DENIED',
    message: `the answer ${how}, and rule ${JSON.stringify(rule.id)} limits it: the rest is not shown`,
    rule: rule.id,
    reason: rule.reason ?? 'a rule limits what one answer may come to',
    hint: rule.hint ?? hint,
    next: 'less',
    ...(most === undefined ? {} : { most }),
  };
}
