import { composeVocabulary } from '../../../src/gateway/compose/vocabulary.ts';
import type { Principal } from '../../../src/identity/principal.ts';
import { CedarEngine } from '../../../src/policy/engine.ts';
import { type LoadedPolicy, loadPolicies, type PolicySet } from '../../../src/policy/load.ts';
import type { PolicyObject, PolicyValue } from '../../../src/policy/model.ts';
import { PROTOCOLS } from '../../../src/protocols/index.ts';

/** The product's words. */
export const vocabulary = composeVocabulary(PROTOCOLS);
export const VERBS: readonly string[] = vocabulary.verbs.map(({ verb }) => verb);

export function policySet(text: string): PolicySet {
  const loaded = loadPolicies(vocabulary, [{ name: 'test.cedar', text }]);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults, null, 1));
  return loaded.set;
}

/** A set that was not validated: for properties over many random sets, all of them well formed. */
export function uncheckedSet(policies: readonly LoadedPolicy[]): PolicySet {
  return { version: String(policies.length), policies, vocabulary };
}

export const engineOf = (text: string): CedarEngine => new CedarEngine(policySet(text));

const base = {
  issuer: 'https://login.test',
  subject: 'sub',
  attested: {},
  declared: {},
  instance: 'ins_1',
  login: 'lgn_1',
  keyThumbprint: 'jkt',
  signedInAt: 0,
  deadline: 1,
};

/** An agent with its own token. */
export function agent(name: string, groups: readonly string[], more: Partial<Principal> = {}): Principal {
  return { ...base, kind: 'agent', name, groups, ...more };
}

/** An agent that acts for a person. */
export function delegated(
  groups: readonly string[],
  personGroups: readonly string[],
  name = 'copilot',
): Principal {
  const person = { issuer: base.issuer, subject: 'sub', name: 'maya', groups: personGroups };
  return agent(name, groups, { person });
}

export function person(name: string, groups: readonly string[]): Principal {
  return {
    ...base,
    kind: 'person',
    name,
    groups,
    person: { issuer: base.issuer, subject: 'sub', name, groups },
  };
}

export const resource: PolicyObject = { type: 'Resource', id: 'pg', attrs: { protocol: 'postgres' } };
export const schema: PolicyObject = {
  type: 'Schema',
  id: 'pg/public',
  attrs: { name: 'public', system: false },
  parent: resource,
};

export function table(name: string, more: Readonly<Record<string, PolicyValue>> = {}): PolicyObject {
  const attrs = { schema: 'public', name, kind: 'table', system: false, sensitive: false, tags: [], ...more };
  return { type: 'Table', id: `pg/public.${name}`, attrs, parent: schema };
}

export function column(name: string, tags: readonly string[], parent = table('customers')): PolicyObject {
  const attrs = { schema: 'public', table: String(parent.attrs['name']), name, tags, detected: false };
  return { type: 'Column', id: `${parent.id}.${name}`, attrs, parent };
}
