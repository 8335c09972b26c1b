import type { Actor } from '../audit/event.ts';
import type { Principal } from '../identity/principal.ts';

/** What the audit says of a principal: nothing here is secret. */
export function actorOf(principal: Principal): Actor {
  const { kind, name, person, issuer, subject, groups, instance, login, attested, declared } = principal;
  return {
    kind,
    name,
    ...(person === undefined ? {} : { person: person.name }),
    issuer,
    subject,
    groups,
    instance,
    login,
    attested,
    declared,
  };
}
