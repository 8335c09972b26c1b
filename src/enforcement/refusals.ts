import type { NextStep } from '../core/next-step.ts';

/** What it means when the gateway itself refuses, and what the one who is refused can do. */
export interface RefusalRule {
  readonly means: string;
  readonly instead: string;
  /** The same for programs. */
  readonly next: NextStep;
}

/**
 * The words by which the gateway refuses in every protocol, beside the rules of policy. Part of the contract: what is
 * here keeps its meaning. `docs/refusals.md` is made from it.
 */
export const GENERAL_REFUSALS = {
  'default-deny': {
    means: 'No rule of the policy permits it.',
    instead: 'Do what is permitted, which the hint names where rules do, or ask for a rule that permits it.',
    next: 'report',
  },
  'approval-required': {
    means: 'A rule permits it only with an approval, and there is none.',
    instead: 'Ask those whom the hint names.',
    next: 'ask',
  },
  'nothing-to-decide': {
    means: 'Nothing was found in it that policy could permit.',
    instead: 'Send one operation that the gateway can read.',
    next: 'correct',
  },
  'too-many-pairs': {
    means: 'It touches more objects than the gateway judges in one operation.',
    instead: 'Divide it into smaller operations.',
    next: 'less',
  },
  'policy-error': {
    means: 'A rule failed when it was evaluated, and what cannot be decided is denied.',
    instead: 'Tell the operator of the gateway; the audit log says which rule it was.',
    next: 'report',
  },
  'rows-not-counted': {
    means: 'A rule bounds how many rows are changed, and nobody could say how many these would be.',
    instead: 'Send the change by itself, as one operation.',
    next: 'correct',
  },
  'asks-only': {
    means: 'It was sent where nothing runs, to ask for an approval ahead, and needs none.',
    instead: 'Send it where things run.',
    next: 'instead',
  },
  'explains-only': {
    means: 'It was sent where nothing runs, to be told what policy says of it.',
    instead: 'Send it where things run.',
    next: 'instead',
  },
  'recording-unavailable': {
    means: "The session's recording cannot be written any more, and nothing goes on without one.",
    instead: 'Connect again; if that is refused too, tell the operator of the gateway.',
    next: 'reconnect',
  },
} as const satisfies Readonly<Record<string, RefusalRule>>;

export type GeneralRule = keyof typeof GENERAL_REFUSALS;

/** What follows a refusal by one of these; undefined for any other rule. Pure. */
export function generalStep(rule: string): NextStep | undefined {
  return Object.hasOwn(GENERAL_REFUSALS, rule) ? GENERAL_REFUSALS[rule as GeneralRule].next : undefined;
}
