import type { Attenuation, Principal } from '../identity/principal.ts';
import type { Pair, PolicyObject, RuleRef } from '../policy/model.ts';
import type { Vocabulary } from '../policy/vocabulary/index.ts';

/** The rule by which is denied what an instance gave up. */
export const ATTENUATED = 'attenuated';

/**
 * Says whether the principal's instance gave up what a pair asks for. It can only take away: what is left is still
 * policy's to decide.
 *
 * Pure.
 *
 * @param principal Of the session or the request.
 * @param pair One action on one object.
 * @param vocabulary Says what is always left, and what only reads.
 * @returns Undefined if nothing stands in the way, else what to tell as the rule that denies. Never throws.
 * @see docs/decisions/0006-attenuation.md
 */
export function attenuated(
  principal: Principal,
  { action, object }: Pair,
  vocabulary: Vocabulary,
): RuleRef | undefined {
  const { attenuation } = principal;
  if (attenuation === undefined) return undefined;
  const { resources } = attenuation;
  if (resources !== undefined && !isBelow(object, resources)) {
    return rule(`this connection is limited to ${listed(resources)}`, '--only');
  }
  if (vocabulary.isAlways(action, object)) return undefined;
  if (attenuation.readOnly && !vocabulary.reads(action))
    return rule('this connection may only read', '--read-only');
  return byActions(attenuation, action);
}

function byActions({ actions }: Attenuation, action: string): RuleRef | undefined {
  if (actions === undefined || actions.includes(action)) return undefined;
  return rule(`this connection was opened without ${action}`, '--only');
}

function rule(reason: string, option: string): RuleRef {
  const hint = `${option} took it away when this connection was opened: open another one without it, or do without`;
  return { id: ATTENUATED, reason, hint };
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'no resource' : names.join(', ');
}

/** Whether the object hangs in one of the resources; what hangs in none, as the audit log, does not. */
function isBelow(object: PolicyObject, resources: readonly string[]): boolean {
  for (let at: PolicyObject | undefined = object; at !== undefined; at = at.parent) {
    if (at.type === 'Resource') return resources.includes(at.id);
  }
  return false;
}
