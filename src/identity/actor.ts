import type { Principal } from './principal.ts';

/**
 * Says whether two principals are the same actor: an instance never changes hands.
 *
 * Pure.
 *
 * @param a One.
 * @param b The other.
 * @returns True if issuer, subject, kind, key and, for agents, the name are the same. Never throws.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability
 */
export function sameActor(a: Principal, b: Principal): boolean {
  const sameSubject = a.issuer === b.issuer && a.subject === b.subject && a.keyThumbprint === b.keyThumbprint;
  return sameSubject && a.kind === b.kind && (a.kind === 'person' || a.name === b.name);
}
