import type { SessionItem } from '../api/contract.ts';
import { HoopError } from '../core/errors.ts';
import { attenuated } from '../enforcement/attenuated.ts';
import type { Principal } from '../identity/principal.ts';
import type { Decision, PolicyObject } from '../policy/model.ts';
import { resourceObject } from '../policy/objects.ts';
import type { Vocabulary } from '../policy/vocabulary/index.ts';
import type { AuditScope } from '../search/query.ts';

/** Asks policy about what people do at hoopd itself. */
export type Ask = (principal: Principal, action: string, object: PolicyObject) => Decision;

/** Entities of the gateway's own house. */
export const AUDIT_LOG: PolicyObject = { type: 'AuditLog', id: 'all', attrs: {} };
export const GATEWAY: PolicyObject = { type: 'Gateway', id: 'self', attrs: {} };

/** A session's recording, below the resource it was made at: rules on the resource reach it. */
export function recordingObject(session: SessionItem): PolicyObject {
  return {
    type: 'Recording',
    id: session.id,
    attrs: { owner: session.person ?? session.actor, resource: session.resource },
    parent: resourceObject(session.resource, session.protocol),
  };
}

/**
 * The agent's plane is not the administrator's: below any policy, so that no rule can open it by mistake.
 *
 * @throws {HoopError} `ERR_DENIED` the principal is not a person.
 */
export function demandPerson(principal: Principal): void {
  if (principal.kind === 'person') return;
  throw new HoopError('ERR_DENIED', 'an agent may not administer the gateway', {
    hint: 'a person must do this, signed in as themselves',
  });
}

/** Whether a person may do this to everything, and not only to their own. Never true for an agent. Never throws. */
export function mayBeyondOwn(principal: Principal, action: string, object: PolicyObject, ask: Ask): boolean {
  return principal.kind === 'person' && ask(principal, action, object).effect === 'allow';
}

/**
 * Demands that the instance did not give this up. For what policy is not asked for: one's own sessions and events.
 *
 * @throws {HoopError} `ERR_DENIED` it did.
 */
export function demandUnattenuated(
  principal: Principal,
  action: string,
  object: PolicyObject,
  vocabulary: Vocabulary,
): void {
  const rule = attenuated(principal, { action, object }, vocabulary);
  if (rule !== undefined)
    throw new HoopError('ERR_DENIED', rule.reason, rule.hint === undefined ? {} : { hint: rule.hint });
}

/**
 * Demands that a person may administer.
 *
 * @throws {HoopError} `ERR_DENIED` an agent, or policy does not allow it (a hold is a denial here).
 */
export function demandAdministrator(
  principal: Principal,
  action: string,
  object: PolicyObject,
  ask: Ask,
): void {
  demandPerson(principal);
  const decision = ask(principal, action, object);
  if (decision.effect === 'allow') return;
  const rule = decision.rules[0];
  throw new HoopError('ERR_DENIED', rule?.reason ?? `no policy permits you ${action}`, {
    hint: rule?.hint ?? `ask the operator for a policy that permits ${action}`,
  });
}

/**
 * What a principal may see: undefined is everything.
 *
 * A person's own is what was done on their authority, by themselves or by an agent they delegated to. An agent's own
 * is what the same agent did for the same subject: never what the person did, never another agent. Names are not
 * compared where issuer and subject can be: two providers may give one name to two people.
 */
export function scopeOf(principal: Principal, beyondOwn: boolean): AuditScope | undefined {
  return beyondOwn && principal.kind === 'person' ? undefined : ownScope(principal);
}

/** A principal's own, and nothing else. */
export function ownScope({ issuer, subject, kind, name }: Principal): AuditScope {
  return { issuer, subject, ...(kind === 'agent' ? { agent: name } : {}) };
}
