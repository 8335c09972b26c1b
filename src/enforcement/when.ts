import type { Principal } from '../identity/principal.ts';
import { type Judgement, judge, type Rules } from './judge.ts';
import type { Operation } from './operation.ts';

/** Times that are asked about. */
const MOST_TRIED = 48;

/**
 * From when policy permits what it denies now, where it is the time that stands in the way: of the times at which its rules turn, the
 * first at which the same is allowed, or held.
 *
 * Pure but for the engine's memory and its clock.
 *
 * @returns A hint, which ends no sentence; undefined: it is denied at any time of the next two weeks, or its rule says itself what to do, or
 *   it is asked as of another time. Never throws.
 * @see docs/refusals.md
 */
export function whenPermitted(
  rules: Rules,
  principal: Principal,
  { pairs, context }: Operation,
  { decision, pair, cause }: Judgement,
): string | undefined {
  if (decision.effect !== 'deny' || pair === undefined || decision.errors.length > 0) return undefined;
  if (decision.rules[0]?.hint !== undefined || context['time'] !== undefined) return undefined;
  if (cause !== undefined && cause !== 'default-deny') return undefined;
  const { engine } = rules;
  let left = MOST_TRIED;
  for (const { time, said } of engine.moments(pair.action, decision.rules)) {
    // What no time lifts is not asked about at each.
    if (left === MOST_TRIED && !mayEver()) return undefined;
    if (left-- === 0) return undefined;
    const { effect } = judge(rules, principal, pairs, { ...context, time }).decision;
    if (effect !== 'deny')
      return `it is permitted from ${said}${effect === 'hold' ? ', with an approval' : ''}`;
  }
  return undefined;

  function mayEver(): boolean {
    return pairs.every(({ action, object }) => engine.mayEver(principal, action, object, 'object'));
  }
}
