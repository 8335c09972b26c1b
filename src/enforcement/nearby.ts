import type { Principal } from '../identity/principal.ts';
import { type Judgement, judge, type Rules } from './judge.ts';
import type { Nearby, Operation } from './operation.ts';

/** Names that are tried, and those that are told. */
const MOST_TRIED = 24;
const MOST_TOLD = 3;
/** What can be told in a hint as it is. */
const TELLABLE = /^[\x21-\x7e][\x20-\x7e]{0,63}$/;

/**
 * What may be asked in the place of an operation that is denied. Only what policy allows as it is now, asked by the names that its
 * permits write and that the operation would take, so that nothing is guessed.
 *
 * Pure but for the engine's memory.
 *
 * @returns A hint of the adapter's; undefined: nothing is known. Never throws.
 * @see docs/refusals.md
 */
export function insteadOf(
  rules: Rules,
  principal: Principal,
  { nearby, pairs, session }: Operation,
  { decision, cause }: Judgement,
): string | undefined {
  const [first] = pairs;
  const hinted = decision.rules[0]?.hint !== undefined;
  if (nearby === undefined || first === undefined || decision.effect !== 'deny' || hinted) return undefined;
  if (cause !== undefined && cause !== 'default-deny') return undefined;
  const found: string[] = [];
  let left = MOST_TRIED;
  for (const name of namesOf(nearby, () =>
    rules.engine.written(nearby.action ?? first.action, session.resource.id),
  )) {
    const other = TELLABLE.test(name) ? nearby.at(name) : undefined;
    if (other === undefined) continue;
    if (found.length === MOST_TOLD || left-- === 0) break;
    const { decision: then } = judge(rules, principal, other.pairs, other.context);
    if (then.effect === 'allow') found.push(name);
  }
  return found.length === 0 ? undefined : nearby.hint(found);
}

/** Those that rules write are looked for where the others were not enough. */
function* namesOf({ also = [] }: Nearby, written: () => readonly string[]): Generator<string> {
  yield* also;
  yield* written();
}
