import { HoopError } from '../../core/errors.ts';
import type { Guard, Question } from './guard.ts';
import type { OpenOperation } from './operations.ts';

const NO_MORE = 'policy does not permit it any more';

/** Whether policy, where it is another than what allowed an operation, permits what goes on under it. */
export class Stands {
  readonly #guard: Pick<Guard, 'policyVersion' | 'weighs'>;
  readonly #question: Pick<Question, 'pairs' | 'context'>;
  #version: string;
  #allowed = true;
  #rule: string | undefined;

  /** @param operation As it was allowed: the approvals that it was given count. */
  constructor(
    guard: Pick<Guard, 'policyVersion' | 'weighs'>,
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
    const { effect, rules } = this.#guard.weighs(this.#question.pairs, this.#question.context);
    this.#allowed = effect === 'allow';
    this.#rule = rules[0]?.id;
    return this.#allowed;
  }

  /** What is said where not: the rule is named that denies it now, or holds it; none, where no rule permits it. */
  get ending(): HoopError {
    const rule = this.#rule === undefined ? '' : `: rule ${JSON.stringify(this.#rule)}`;
    return new HoopError('ERR_DENIED', `${NO_MORE}${rule}`);
  }
}
