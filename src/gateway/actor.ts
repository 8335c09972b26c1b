import type { AttenuationItem } from '../api/contract.ts';
import type { Actor } from '../audit/event.ts';
import type { Attenuation, Principal } from '../identity/principal.ts';
import type { Vocabulary } from '../policy/vocabulary/index.ts';

/** What the audit says of a principal: nothing here is secret. */
export function actorOf(principal: Principal, vocabulary: Vocabulary): Actor {
  const { kind, name, person, issuer, subject, groups, instance, login, attested, attenuation } = principal;
  return {
    kind,
    name,
    ...(person === undefined ? {} : { person: person.name }),
    ...(person === undefined || kind === 'person' ? {} : { personGroups: person.groups }),
    issuer,
    subject,
    groups,
    instance,
    login,
    attested,
    declared: saidOf(principal),
    ...(attenuation === undefined ? {} : { attenuation: attenuationItem(attenuation, vocabulary) }),
  };
}

/** What somebody says of itself: the run as well, of which policy is not told. */
export function saidOf({ declared, run }: Principal): Readonly<Record<string, string>> {
  return run === undefined ? declared : { ...declared, run };
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
