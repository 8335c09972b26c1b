import type { Pair, PolicyObject } from '../../policy/model.ts';
import type { CanonicalRequest } from './request/canonical.ts';

/**
 * What a request is, as policy asks of it: a verb for its method, done to its path.
 *
 * Pure. In evidence it is called by the path without what detectors find there. A slash at the end of a path makes no difference here, so that a rule on `/admin` meets `/admin/` too.
 */
export function pairOf(
  resource: PolicyObject,
  request: CanonicalRequest,
  operation?: { readonly id: string; readonly tags: readonly string[] },
  clean: (path: string) => string = (path) => path,
): Pair {
  const verb = request.upgrade === undefined ? request.method.toLowerCase() : 'connect';
  return {
    action: `http.${verb}`,
    object: endpoint(parentOf(resource, operation), resource, request.segments, clean),
  };
}

/** The operation of the API's description, where there is one. */
function parentOf(
  resource: PolicyObject,
  operation: { readonly id: string; readonly tags: readonly string[] } | undefined,
): PolicyObject {
  if (operation === undefined) return resource;
  const { id: name, tags } = operation;
  return { type: 'Operation', id: `${resource.id}/${name}`, attrs: { name, tags }, parent: resource };
}

function endpoint(
  parent: PolicyObject,
  resource: PolicyObject,
  segments: readonly string[],
  clean: (path: string) => string,
): PolicyObject {
  const path = `/${segments.join('/')}`;
  const attrs = { path, segments: [...new Set(segments)], depth: segments.length };
  const shown = clean(path);
  const endpoint = { type: 'Endpoint', id: `${resource.id}${path}`, attrs, parent };
  return shown === path ? endpoint : { ...endpoint, shownId: `${resource.id}${shown}` };
}

/** What detectors find lies in some member: a rule on members that hides a tag hides it there too. */
export function detectedField(resource: PolicyObject, tag: string): PolicyObject {
  const attrs = { schema: '', table: '', name: tag, tags: [tag], detected: true };
  return { type: 'Field', id: `${resource.id}/detected-field/${tag}`, attrs, parent: resource };
}
