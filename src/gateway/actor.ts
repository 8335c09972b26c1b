import type { AttenuationItem } from '../api/contract.ts';
import type { Actor } from '../audit/event.ts';
import type { Attenuation, Principal } from '../identity/principal.ts';
import type { Vocabulary } from '../policy/vocabulary/index.ts';

/** What the audit says of a principal: nothing here is secret. */
export function actorOf(principal: Principal, vocabulary: Vocabulary): Actor {
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
    ...(attenuation === undefined ? {} : { attenuation: attenuationItem(attenuation, vocabulary) }),
  };
}

/** As people write it: groups of actions by their name. */
export function attenuationItem(
  { readOnly, actions, resources }: Attenuation,
  vocabulary: Vocabulary,
): AttenuationItem {
  return {
    readOnly,
    ...(resources === undefined ? {} : { resources }),
    ...(actions === undefined ? {} : { actions: vocabulary.foldVerbs(actions) }),
  };
}
