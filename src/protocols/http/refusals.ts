import type { NextStep } from '../../core/next-step.ts';
import type { Refusal } from '../../enforcement/operation.ts';
import type { GeneralRule, RefusalRule } from '../../enforcement/refusals.ts';
import { REQUEST_REFUSALS } from './request/refusals.ts';
import { RPC_REFUSALS } from './rpc/refusals.ts';
import { ANSWER_REFUSALS } from './shown/refusals.ts';

interface HttpRefusalRule extends RefusalRule {
  /** Status of the answer, RFC 9110 §15. */
  readonly status: number;
}

/**
 * The words by which a request is refused, or its answer, whatever policy permits. Part of the contract: what is here keeps its meaning.
 * `docs/refusals.md` is made from it.
 */
export const HTTP_REFUSALS = {
  ...REQUEST_REFUSALS,
  ...ANSWER_REFUSALS,
  ...RPC_REFUSALS,
  'not-http': {
    status: 400,
    means: 'What the client sent is no request of HTTP/1.1 or HTTP/2.',
    instead: 'Speak HTTP, without TLS, to the local address.',
    next: 'correct',
  },
  'upgrade-not-carried': {
    status: 501,
    means: 'The connection would be upgraded, and the resource has nothing that it may be upgraded to.',
    instead: 'Use what the API offers by ordinary requests, or ask for a line under target.upgrades.',
    next: 'instead',
  },
} as const satisfies Readonly<Record<string, HttpRefusalRule>>;

type HttpRule = keyof typeof HTTP_REFUSALS;

/** A refusal in this protocol. */
export type HttpRefusal = Refusal<HttpRule | GeneralRule>;

/** The status by which a rule of this list is answered; undefined for a rule of policy. */
export function statusOfRule(rule: string): number | undefined {
  return Object.hasOwn(HTTP_REFUSALS, rule) ? HTTP_REFUSALS[rule as HttpRule].status : undefined;
}

/** What follows a refusal by a rule of this list. */
export function stepOfRule(rule: string): NextStep | undefined {
  return Object.hasOwn(HTTP_REFUSALS, rule) ? HTTP_REFUSALS[rule as HttpRule].next : undefined;
}
