import type { Guard, Question } from './guard.ts';
import type { OpenOperation } from './operations.ts';

/** What is said of it where not. */
export const NO_MORE = 'policy does not permit it any more';

/** Whether policy, where it is another than what allowed an operation, permits what goes on under it. */
export class Stands {
  readonly #guard: Pick<Guard, 'policyVersion' | 'allows'>;
  readonly #question: Pick<Question, 'pairs' | 'context'>;
  #version: string;
  #allowed = true;

  /** @param operation As it was allowed: the approvals that it was given count. */
  constructor(
    guard: Pick<Guard, 'policyVersion' | 'allows'>,
    { pairs, context }: Pick<Question, 'pairs' | 'context'>,
    { policyVersion, approvals }: Pick<OpenOperation, 'policyVersion' | 'approvals'>,
  ) {
    this.#guard = guard;
    this.#question = { pairs, context: approvals === undefined ? context : { ...context, approvals } };
    this.#version = policyVersion;
  }

  /** Asked before each octet that goes on; policy is asked once for each of its versions. */
  get now(): boolean {
    const version = this.#guard.policyVersion();
    if (version === this.#version) return this.#allowed;
    this.#version = version;
    this.#allowed = this.#guard.allows(this.#question.pairs, this.#question.context);
    return this.#allowed;
  }
}
