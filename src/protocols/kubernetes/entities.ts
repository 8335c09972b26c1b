import type { PolicyObject } from '../../policy/model.ts';
import { type CleanText, forPeople } from '../stream/for-people.ts';
import type { ObjectAddress } from './request/address.ts';

/**
 * What an address names, as policy asks of it. Pure.
 *
 * @param clean Takes out what nobody is to read in the audit.
 */
export function objectOf(cluster: PolicyObject, address: ObjectAddress, clean: CleanText): PolicyObject {
  const { group, kind, namespace, name, subresource } = address;
  const attrs = { group, kind, namespace, name };
  const parent = namespace === '' ? cluster : namespaceOf(cluster, namespace, clean);
  // No namespace is called so: a kind that lies in none is not taken for one.
  const within = (place: string) => `${namespace === '' ? `${cluster.id}/-` : place}/${pluralOf(address)}`;
  const [all, allShown] = [within(parent.id), within(parent.shownId ?? parent.id)];
  const id = name === '' ? all : `${all}/${name}`;
  const shown = shownAs(id, name === '' ? allShown : `${allShown}/${forPeople(name, clean)}`);
  const object = { type: 'KubernetesObject', id, ...shown, attrs, parent };
  if (subresource === '') return object;
  return {
    type: 'Subresource',
    id: `${id}/${subresource}`,
    ...shownAs(`${id}/${subresource}`, `${shown.shownId ?? id}/${subresource}`),
    attrs: { ...attrs, subresource },
    parent: object,
  };
}

/** A path that names no object. Pure. */
export function nonResource(
  cluster: PolicyObject,
  segments: readonly string[],
  clean: CleanText,
): PolicyObject {
  const path = `/${segments.join('/')}`;
  const id = `${cluster.id}${path}`;
  const attrs = { path, segments: [...new Set(segments)] };
  return {
    type: 'NonResource',
    id,
    ...shownAs(id, `${cluster.id}${forPeople(path, clean)}`),
    attrs,
    parent: cluster,
  };
}

/** `pods`, `deployments.apps`: as kubectl names kinds. Pure. */
export function pluralOf({ kind, group }: Pick<ObjectAddress, 'kind' | 'group'>): string {
  return group === '' ? kind : `${kind}.${group}`;
}

function namespaceOf(cluster: PolicyObject, name: string, clean: CleanText): PolicyObject {
  const id = `${cluster.id}/${name}`;
  const shown = shownAs(id, `${cluster.id}/${forPeople(name, clean)}`);
  return { type: 'Namespace', id, ...shown, attrs: { name }, parent: cluster };
}

function shownAs(id: string, shownId: string): { readonly shownId?: string } {
  return shownId === id ? {} : { shownId };
}
