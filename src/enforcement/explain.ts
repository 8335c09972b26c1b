import type { ExplainedPair, Explanation } from '../api/explanation.ts';
import type { Principal } from '../identity/principal.ts';
import type { RuleRef } from '../policy/model.ts';
import { denialOf } from './denial.ts';
import { type Judgement, judge, type Rules } from './judge.ts';
import type { Denial, Operation } from './operation.ts';

/** Pairs that are told one by one, their rules, and names of what is masked. */
const MAX_TOLD = 64;
/** Of one pair. */
const MAX_RULES = 8;
const MAX_ID_CHARS = 256;

/**
 * Says what policy would make of an operation, pair by pair. Pure but for the engine's memory.
 *
 * @param judgement What it says of all of them together.
 * @returns At most 64 pairs, 8 rules of each, and 64 names; longer ids are cut. Never throws.
 */
export function explanationOf(
  rules: Rules,
  principal: Principal,
  { pairs, context, approvable }: Operation,
  judgement: Judgement,
): Explanation {
  const { decision } = judgement;
  const by = new Map<string, RuleRef>();
  const told = pairs.slice(0, MAX_TOLD).map((pair): ExplainedPair => {
    const { decision: alone } = judge(rules, principal, [pair], context);
    const first = alone.rules.slice(0, MAX_RULES);
    for (const rule of first) by.set(rule.id, rule);
    const object = short(pair.object.shownId ?? pair.object.id);
    return { action: pair.action, object, effect: alone.effect, rules: first.map(({ id }) => id) };
  });
  const masked = (approvable?.masked ?? []).slice(0, MAX_TOLD).map(short);
  return {
    schemaVersion: 1,
    effect: decision.effect,
    ...(decision.effect === 'hold' ? { approvals: decision.approvals } : {}),
    ...(decision.effect === 'allow' && decision.rows !== undefined ? { rows: decision.rows.max } : {}),
    ...(decision.effect === 'allow' ? {} : { told: toldBy(denialOf(judgement)) }),
    pairs: told,
    rules: [...by.values()].slice(0, MAX_TOLD),
    ...(pairs.length > told.length ? { more: pairs.length - told.length } : {}),
    ...(masked.length === 0 ? {} : { masked }),
    policyVersion: rules.engine.version,
  };
}

/** Of what is refused before policy is asked. Pure. */
export function explainedRefusal(denial: Denial, policyVersion: string): Explanation {
  return { schemaVersion: 1, effect: 'deny', told: toldBy(denial), pairs: [], rules: [], policyVersion };
}

function toldBy({ message, rule, reason, hint }: Denial): NonNullable<Explanation['told']> {
  return { message, rule, reason, hint };
}

function short(id: string): string {
  return id.length <= MAX_ID_CHARS ? id : `${id.slice(0, MAX_ID_CHARS - 1)}…`;
}
