import { createHash } from 'node:crypto';
import type { Original } from '../audit/event.ts';
import type { Principal } from '../identity/principal.ts';
import type { Pair, PolicyValue } from '../policy/model.ts';

/** Everything that an approval covers: whatever differs in any of it is another question. */
export interface Covered {
  readonly resource: string;
  readonly protocol: string;
  readonly principal: Principal;
  readonly pairs: readonly Pair[];
  readonly context: Readonly<Record<string, PolicyValue>>;
  readonly original: Original | undefined;
  /** Of the adapter: the exact bytes, and the definitions at the target of what they name. */
  readonly exact: string;
  readonly policyVersion: string;
  readonly approvals: readonly string[];
}

/**
 * Makes one value of all that an approval covers: who (agent, person, instance key, run), where, the exact text and
 * parameters, the objects as they were resolved and defined, and the policy. Not the session: see `Approval.boundTo`.
 *
 * Pure. Equal only where everything is equal; what the principal's renewals change by themselves is left out.
 *
 * @returns SHA-256, hexadecimal.
 */
export function bindingOf(covered: Covered): string {
  const { resource, protocol, principal, pairs, context, original, exact, policyVersion, approvals } =
    covered;
  const { kind, name, issuer, subject, person, instance, login, keyThumbprint } = principal;
  const { attested, declared, attenuation } = principal;
  const who = {
    kind,
    name,
    issuer,
    subject,
    instance,
    login,
    keyThumbprint,
    attested,
    declared,
    attenuation,
  };
  const by = person === undefined ? null : { issuer: person.issuer, subject: person.subject };
  const what = pairs.map(({ action, object: { type, id, attrs } }) => ({ action, type, id, attrs }));
  const parts = { resource, protocol, who, by, what, context, original, exact, policyVersion, approvals };
  return createHash('sha256')
    .update(JSON.stringify(sorted(parts)))
    .digest('hex');
}

/** Members of objects in one order, however they were made. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value ?? null;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sorted(one)]),
  );
}
