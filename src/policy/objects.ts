import type { Pair, PolicyObject } from './model.ts';

/** What the objects of some pairs are called in evidence: each once, in order. */
export function shownIds(pairs: readonly Pair[]): string[] {
  return [...new Set(pairs.map(({ object }) => object.shownId ?? object.id))];
}

/** The entity of a configured resource. All that an adapter names hangs below it. */
export function resourceObject(name: string, protocol: string): PolicyObject {
  return { type: 'Resource', id: name, attrs: { protocol } };
}

/** The entity of one kind of value that detectors find, to ask whether it is shown. */
export function detectedObject(resource: PolicyObject, tag: string): PolicyObject {
  const attrs = { schema: '', table: '', name: tag, tags: [tag], detected: true };
  return { type: 'Detected', id: `${resource.id}/detected/${tag}`, attrs, parent: resource };
}

/** What people may say yes to at a resource, by its name in `@approval`: rules on the resource reach it. */
export function approvalObject(name: string, resource: string, protocol: string): PolicyObject {
  const parent = resourceObject(resource, protocol);
  return { type: 'Approval', id: `${resource}/${name}`, attrs: { name, resource }, parent };
}
