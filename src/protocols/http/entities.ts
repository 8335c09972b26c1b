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

/** What a message names, below the path that it is sent to. */
interface Named {
  readonly type: 'RpcMethod' | 'McpMethod' | 'McpTool' | 'McpPrompt' | 'McpResource';
  readonly name: string;
}

/**
 * Something that a message is about, as policy asks of it. It has the attributes of its path too. Pure.
 *
 * @param endpoint As `pairOf` makes it.
 */
export function namedObject(
  endpoint: PolicyObject,
  { type, name }: Named,
  clean: (text: string) => string,
): PolicyObject {
  const own = {
    RpcMethod: { name },
    McpMethod: { name },
    McpTool: { name, folded: name.toLowerCase() },
    McpPrompt: { name, folded: name.toLowerCase() },
    McpResource: { uri: name, scheme: name.split(':', 1)[0]! },
  }[type];
  const id = `${endpoint.id}#${type}/${name}`;
  const shownId = `${endpoint.shownId ?? endpoint.id}#${type}/${clean(name)}`;
  const object = { type, id, attrs: { ...endpoint.attrs, ...own }, parent: endpoint };
  return shownId === id ? object : { ...object, shownId };
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
