import type { ErrorCode } from '../../../core/errors.ts';
import type { Refusal } from '../../../enforcement/operation.ts';
import type { RefusalRule } from '../../../enforcement/refusals.ts';

interface AnswerRefusal extends RefusalRule {
  /** Status of the answer in place of the target's, RFC 9110 §15. */
  readonly status: number;
}

/**
 * The words by which a target's answer is not shown, where something may be in it that the principal is not to see. Part of
 * the contract: what is here keeps its meaning. `docs/refusals.md` is made from it.
 */
export const ANSWER_REFUSALS = {
  'answer-type': {
    status: 502,
    means:
      'Values are masked for you there, and the body of the answer is of a type that nobody can mask them in.',
    instead: 'Ask for JSON by the header Accept, or for a rule that shows you these values.',
    next: 'correct',
  },
  'answer-coding': {
    status: 502,
    means: 'The body of the answer is in a content coding that is not undone.',
    instead: 'Tell those who run the target: gzip, deflate, br and zstd are.',
    next: 'report',
  },
  'answer-partial': {
    status: 502,
    means:
      'Values are masked for you there, and the answer is a part of a body, which cannot be read by itself.',
    instead: 'Ask for the whole, without the header Range.',
    next: 'correct',
  },
} as const satisfies Readonly<Record<string, AnswerRefusal>>;

export type AnswerRule = keyof typeof ANSWER_REFUSALS;

/** Never throws. */
export function answerRefused(rule: AnswerRule, reason: string): Refusal<AnswerRule> {
  const { instead } = ANSWER_REFUSALS[rule];
  const code: ErrorCode = 'ERR_UNSUPPORTED';
  return { code, rule, reason, hint: `${instead.charAt(0).toLowerCase()}${instead.slice(1, -1)}` };
}
