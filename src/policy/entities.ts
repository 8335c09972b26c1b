import type { CedarValueJson, EntityJson, EntityUidJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { Person, Principal } from '../identity/principal.ts';
import type { PolicyObject, PolicyValue } from './model.ts';
import { ATTESTED_NAMES, DECLARED_NAMES } from './vocabulary/principals.ts';

/** Everything that Cedar is told of a principal: whom to ask for, and the entities. */
export interface Asked {
  /** Everyone who must be allowed: the agent, and the person it acts for. */
  readonly principals: readonly TypeAndId[];
  readonly entities: readonly EntityJson[];
  readonly delegated: boolean;
}

/**
 * Describes a principal to Cedar.
 *
 * Pure. An agent that acts for a person gives two principals, each in its own groups only, that know each other
 * (`principal.person`, `principal.agent`): what they may do is what both may.
 */
export function askedOf(principal: Principal): Asked {
  const facts = {
    attested: pick(principal.attested, ATTESTED_NAMES),
    declared: pick(principal.declared, DECLARED_NAMES),
  };
  const self = (
    type: string,
    name: string,
    issuer: string,
    other: CedarAttributes,
    groups: readonly string[],
  ): EntityJson => ({
    uid: { type, id: name },
    attrs: { name, issuer, ...facts, ...other },
    parents: groups.map((id) => ({ type: 'Group', id })),
    tags: { ...principal.attested },
  });
  if (principal.kind === 'person') {
    const name = principal.person?.name ?? principal.name;
    const person = self('Person', name, principal.issuer, {}, principal.groups);
    return asked([person], principal.groups);
  }
  const delegator = principal.person;
  if (delegator === undefined) {
    return asked([self('Agent', principal.name, principal.issuer, {}, principal.groups)], principal.groups);
  }
  const agent = self(
    'Agent',
    principal.name,
    principal.issuer,
    { person: reference('Person', delegator.name) },
    principal.groups,
  );
  const person = self(
    'Person',
    delegator.name,
    delegator.issuer,
    { agent: reference('Agent', principal.name) },
    delegator.groups,
  );
  return asked([agent, person], [...principal.groups, ...delegator.groups]);
}

type CedarAttributes = Record<string, CedarValueJson>;

function asked(principals: readonly EntityJson[], groups: readonly string[]): Asked {
  const entities = [...new Set(groups)].map(
    (id): EntityJson => ({ uid: { type: 'Group', id }, attrs: {}, parents: [] }),
  );
  return {
    principals: principals.map(({ uid }) => uid as TypeAndId),
    entities: [...principals, ...entities],
    delegated: principals.length > 1,
  };
}

function reference(type: string, id: string): CedarValueJson {
  return { __entity: { type, id } };
}

/** What identifies a principal and all that policy may ask of it: one text for one set of answers. */
export function principalKey(principal: Principal): string {
  const { kind, name, groups, issuer, subject, attested, declared, person } = principal;
  return JSON.stringify([kind, name, groups, issuer, subject, attested, declared, personKey(person)]);
}

function personKey(person: Person | undefined): unknown {
  return person === undefined ? null : [person.issuer, person.subject, person.name, person.groups];
}

const MAX_ANCESTORS = 8;

/** The object and what it hangs in, for Cedar. @throws {Error} The hierarchy is deeper than any of ours. */
export function objectEntities(object: PolicyObject): EntityJson[] {
  const entities: EntityJson[] = [];
  for (let at: PolicyObject | undefined = object; at !== undefined; at = at.parent) {
    if (entities.length >= MAX_ANCESTORS) throw new Error('an object has too many ancestors');
    const parents: EntityUidJson[] =
      at.parent === undefined ? [] : [{ type: at.parent.type, id: at.parent.id }];
    entities.push({
      uid: { type: at.type, id: at.id },
      attrs: { ...cedarValues(at.attrs), ...withGroups(at.attrs['tags']) },
      parents,
    });
  }
  return entities;
}

/** Tags are named by dots, and a rule may speak of all of a group: `pii.email` is `pii` too. */
function withGroups(tags: PolicyValue | undefined): CedarAttributes {
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string')) return {};
  const all = tags.flatMap((tag: string) =>
    tag.split('.').map((_, i, parts) => parts.slice(0, i + 1).join('.')),
  );
  return { tags: [...new Set(all)] };
}

/** Values as Cedar's JSON takes them. A record that pretends to be a reference to an entity is refused. */
export function cedarValues(values: Readonly<Record<string, PolicyValue>>): CedarAttributes {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, cedarValue(name, value)]));
}

function cedarValue(name: string, value: PolicyValue): CedarValueJson {
  if (name === '__entity' || name === '__extn') throw new Error('a value of this name is not allowed');
  if (Array.isArray(value)) return value.map((item: PolicyValue) => cedarValue('', item));
  if (typeof value === 'object') return cedarValues(value as Readonly<Record<string, PolicyValue>>);
  return value as boolean | number | string;
}

function pick(from: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (Object.hasOwn(from, name) ? [[name, from[name]!]] : [])),
  );
}
