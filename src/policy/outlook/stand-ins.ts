/**
 * Stand-ins for objects and contexts of which nothing is known but their kind: each fact is one that Cedar leaves open. Pure.
 */
import type { CedarValueJson, EntityJson, SchemaJson } from '@cedar-policy/cedar-wasm/nodejs';
import { objectEntities } from '../entities.ts';
import type { PolicyObject } from '../model.ts';
import type { ContextKind } from '../vocabulary/row.ts';

/** Facts by name, and whether each is always there. */
export type FactNames = ReadonlyMap<string, { readonly required: boolean }>;

export interface StandIn {
  readonly uid: { readonly type: string; readonly id: string };
  readonly entities: readonly EntityJson[];
}

/** No object has it: a name ends with something, and nothing is called so. */
const NOBODY = '\u0000any';

/** What an entity type has, as the schema says it. */
export function attributesOf(schema: SchemaJson<string>, type: string): FactNames {
  return namesOf(schema['']?.entityTypes[type]);
}

/** What a context has beside approvals and delegation, which are known. */
export function factsOf(schema: SchemaJson<string>, kind: ContextKind | undefined): FactNames {
  if (kind === undefined || kind.facts === '') return new Map();
  const names = new Map(namesOf({ shape: schema['']?.commonTypes?.[kind.type] }));
  names.delete('approvals');
  names.delete('delegated');
  return names;
}

function namesOf(type: unknown): FactNames {
  const shape = (type as { readonly shape?: { readonly attributes?: Attributes } } | undefined)?.shape;
  const attributes = Object.entries(shape?.attributes ?? {});
  return new Map(attributes.map(([name, { required }]) => [name, { required: required !== false }]));
}

type Attributes = Readonly<Record<string, { readonly required?: boolean }>>;

/** Any object of a type below a resource; of the resource's own type that is the resource. */
export function anyObject(resource: PolicyObject, type: string, names: FactNames, whole: boolean): StandIn {
  if (type === resource.type) return { uid: { type, id: resource.id }, entities: objectEntities(resource) };
  const uid = { type, id: `${resource.id}/${NOBODY}` };
  const parents = [{ type: resource.type, id: resource.id }];
  return { uid, entities: [{ uid, attrs: openFacts(names, whole), parents }, ...objectEntities(resource)] };
}

/** @param whole With the facts that are not always there. */
export function openFacts(names: FactNames, whole: boolean): Record<string, CedarValueJson> {
  const there = [...names].filter(([, { required }]) => whole || required);
  return Object.fromEntries(there.map(([name]) => [name, { __extn: { fn: 'unknown', arg: name } }]));
}

/** Whether some fact may be missing. */
export function mayLack(names: FactNames): boolean {
  return [...names.values()].some(({ required }) => !required);
}
