import type { NotReplayableReason } from '../api/policy-replay.ts';
import type { AskedQuestion } from '../audit/event.ts';
import type { Principal } from '../identity/principal.ts';
import type { PolicyEngine, RuleRef } from '../policy/model.ts';
import { factsLookedAt, type Sight } from '../policy/sight.ts';
import type { Vocabulary } from '../policy/vocabulary/index.ts';
import { questionOf } from './asked.ts';
import { denialOf } from './denial.ts';
import { judge } from './judge.ts';

/** Policies that were never in force, and are asked what was asked of others. */
export interface ReplayRules {
  readonly engine: PolicyEngine;
  readonly vocabulary: Vocabulary;
  /** Of every rule; undefined: that one may look at anything. */
  readonly sights: readonly (Sight | undefined)[];
}

/** What they say, or why nobody knows. */
export type Replayed =
  | {
      readonly effect: 'allow' | 'hold' | 'deny';
      readonly rules: readonly RuleRef[];
      /** What a client would be told, where it is not allowed. */
      readonly reason?: string;
    }
  | { readonly missing: NotReplayableReason; readonly what?: string };

/**
 * Asks other policies what is on record as asked.
 *
 * Pure but for the engine's memory. Nothing is guessed: where a rule about one of the actions looks at a fact that is not on
 * record, or an object's name is masked there, the answer is what is missing.
 *
 * @param principal As it was when it was asked.
 * @returns The judgement of all pairs together. Never throws.
 */
export function replayed(
  { engine, vocabulary, sights }: ReplayRules,
  principal: Principal,
  asked: AskedQuestion,
): Replayed {
  const question = questionOf(asked);
  if (question === undefined) return { missing: 'name-masked' };
  const { pairs, context } = question;
  const verbs = new Set(pairs.map(({ action }) => action));
  const unknown = [...verbs].find((verb) => vocabulary.verbsOf(verb) === undefined);
  if (unknown !== undefined) return { missing: 'unknown-action', what: unknown };
  const withheld = asked.withheld ?? [];
  const seen = withheld.length === 0 ? [] : [...verbs].flatMap((verb) => looked(verb, withheld));
  if (seen.length > 0) return { missing: 'fact-not-recorded', what: [...new Set(seen)].sort().join(', ') };
  const judgement = judge({ engine, vocabulary }, principal, pairs, context);
  const { effect, rules } = judgement.decision;
  if (effect === 'allow') return { effect, rules };
  // What is only made ready is asked for its approvals when it runs.
  if (effect === 'hold' && asked.prepares === true) return { effect: 'allow', rules };
  const { message, reason } = denialOf(judgement);
  return { effect, rules, reason: `${message}: ${reason}` };

  function looked(verb: string, facts: readonly string[]): readonly string[] {
    return factsLookedAt(verb, facts, sights, vocabulary);
  }
}
