import { type PolicyJson, policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { LoadedPolicy, PolicySet } from './load.ts';
import type { PolicyObject, Reach } from './model.ts';
import { sightOf } from './sight.ts';

/**
 * Policies that allow whatever those of a set might allow in some circumstances: a permit asks for no circumstances, and a
 * forbid that does, or that people can lift, forbids nothing.
 *
 * Pure. Never narrower than the set: who may do something under it for a moment may do it here.
 *
 * @returns A set for `CedarPolicies`, in Cedar's JSON.
 */
export function possiblePolicies(set: PolicySet, reach: Reach): Record<string, PolicyJson> {
  const possible = set.policies.flatMap((policy) => {
    const loosened = loosen(policy, reach);
    return loosened === undefined ? [] : [[policy.id, loosened] as const];
  });
  return Object.fromEntries(possible);
}

type Condition = PolicyJson['conditions'][number];

/** @returns Undefined: it forbids nothing for sure. @throws {Error} Cedar cannot read what it has read before. */
function loosen(policy: LoadedPolicy, reach: Reach): PolicyJson | undefined {
  const answer = policyToJson(policy.text);
  if (answer.type === 'failure') throw new Error(`${policy.id} cannot be read`);
  const { annotations: _, ...json } = answer.json;
  const sure = (one: Condition) => isSure(json, one, reach);
  const scoped = reach === 'object' || isAboutAll(json.resource);
  if (policy.effect === 'permit')
    return {
      ...json,
      conditions: json.conditions.flatMap(apart).filter(sure),
      resource: scoped ? json.resource : widened(json.resource),
    };
  return scoped && policy.approval === undefined && json.conditions.every(sure) ? json : undefined;
}

/** `when { a && b }` holds where `when { a } when { b }` does, and `unless { a || b }` where `unless { a } unless { b }` does. */
function apart(condition: Condition): Condition[] {
  const { kind, body } = condition;
  const both =
    kind === 'when' ? ('&&' in body ? body['&&'] : undefined) : '||' in body ? body['||'] : undefined;
  if (both === undefined) return [condition];
  const parts = Array.isArray(both) ? both : [both.left, both.right];
  return parts.flatMap((one) => apart({ kind, body: one }));
}

/** Whether a condition looks at nothing that may be another way next time. */
function isSure(json: PolicyJson, condition: Condition, reach: Reach): boolean {
  const all = { op: 'All' } as const;
  const { context, resource } = sightOf({ ...json, resource: all, conditions: [condition] }, undefined);
  const looksAt = ({ whole, attrs }: typeof context) => whole || attrs.length > 0;
  // What a caller says of itself it says another way in its next session.
  const declared = JSON.stringify(condition).includes('"declared"');
  return !declared && !looksAt(context) && (reach === 'object' || !looksAt(resource));
}

/** Whether a head holds for every object of a resource, or for none. */
function isAboutAll(scope: PolicyJson['resource']): boolean {
  if (scope.op === 'All') return true;
  const within = scope.op === 'in' ? scope : scope.op === 'is' ? scope.in : undefined;
  if (scope.op === 'is' && within === undefined) return true;
  return within !== undefined && 'entity' in within && typeOf(within.entity) === 'Resource';
}

function typeOf(entity: object): unknown {
  const uid = '__entity' in entity ? entity.__entity : entity;
  return typeof uid === 'object' && uid !== null && 'type' in uid ? uid.type : undefined;
}

/** What hangs in a place that nobody names may hang in this one. */
function widened(scope: PolicyJson['resource']): PolicyJson['resource'] {
  return scope.op === 'is' ? { op: 'is', entity_type: scope.entity_type } : { op: 'All' };
}

/** What tells one question from another, beside who asks. */
export function possibleKey(action: string, object: PolicyObject, reach: Reach): string {
  return JSON.stringify([reach, action, object]);
}
