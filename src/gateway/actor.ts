import type { AttenuationItem } from '../api/contract.ts';
import type { Actor } from '../audit/event.ts';
import type { Attenuation, Principal } from '../identity/principal.ts';
import { foldVerbs } from '../policy/schema.ts';

/** What the audit says of a principal: nothing here is secret. */
export function actorOf(principal: Principal): Actor {
  const { kind, name, person, issuer, subject, groups, instance, login, attested, declared, attenuation } =
    principal;
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
    ...(attenuation === undefined ? {} : { attenuation: attenuationItem(attenuation) }),
  };
}

/** As people write it: groups of actions by their name. */
export function attenuationItem({ readOnly, actions, resources }: Attenuation): AttenuationItem {
  return {
    readOnly,
    ...(resources === undefined ? {} : { resources }),
    ...(actions === undefined ? {} : { actions: foldVerbs(actions) }),
  };
}
