import { type KubernetesRefusal, refused } from './refusals.ts';

/** An object, all of a kind, or a part of an object, as a path names it. */
export interface ObjectAddress {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** As in the path, in the plural: `pods`. */
  readonly kind: string;
  /** Empty where the path names none. */
  readonly namespace: string;
  /** Empty: all of the kind. */
  readonly name: string;
  /** `log`, `exec`, `scale`; empty: the object itself. */
  readonly subresource: string;
  /** What stands behind `proxy`, and where in the object it goes to, `https:8443`: the path of another server. */
  readonly proxied?: { readonly port: string; readonly path: string };
}

/** A path beside the objects. */
export interface OtherAddress {
  /** Asked by every client to find its way: kinds, versions, health. */
  readonly discovery: boolean;
}

const VERSION = /^v[1-9][0-9]{0,3}(?:(?:alpha|beta)[1-9][0-9]{0,3})?$/;
/** RFC 1123, as Kubernetes wants groups and most names. */
const GROUP = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Of objects whose names are those of others: `system:node`, `User_1`. Never a dot or two alone. */
const NAME = /^(?!\.\.?$)[A-Za-z0-9._:@-]{1,253}$/;
/** `http:web:8080`, `web:8080`, `web`: of a pod or a service behind which something is proxied. */
const PLACE = /^(?:(https?):)?([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::([a-z0-9-]{0,15}))?$/;
/** First segments of paths that only tell clients what there is. */
const DISCOVERY = new Set(['version', 'healthz', 'livez', 'readyz', 'openapi', '.well-known']);
/** Parts of a namespace itself; whatever else stands there is a kind within it. */
const OF_NAMESPACES = new Set(['status', 'finalize']);
/** Verbs that once stood in the path. */
const OLD_VERBS = new Set(['watch', 'proxy', 'redirect']);

const SHAPE = 'the path is none by which a cluster is asked for objects';

/** Whether an object may be called so. Pure. */
export function isName(name: string): boolean {
  return NAME.test(name);
}

/** Whether a namespace may be called so. Pure. */
export function isLabel(name: string): boolean {
  return LABEL.test(name);
}

/**
 * Reads where a request goes: as the server does, but for old forms, and for what it would read only after mending it.
 *
 * Pure.
 *
 * @param segments Decoded.
 * @param closed The path ends with a slash.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris; `RequestInfoFactory` of k8s.io/apiserver
 */
export function readAddress(
  segments: readonly string[],
  closed: boolean,
): ObjectAddress | OtherAddress | KubernetesRefusal {
  const [root = ''] = segments;
  if (root !== 'api' && root !== 'apis') {
    // Servers compare the two in lower case only, and what comes near to them is meant for nobody.
    if (/^apis?$/i.test(root)) return refused('k8s-shape', SHAPE);
    return { discovery: root === '' || DISCOVERY.has(root) };
  }
  const [group = '', version, ...rest] = root === 'api' ? ['', ...segments.slice(1)] : segments.slice(1);
  if (rest.length === 0) return discovered(root, group, version);
  if ((root === 'apis' && !GROUP.test(group)) || !VERSION.test(version!)) return refused('k8s-shape', SHAPE);
  const behind = rest.indexOf('proxy');
  if (closed && behind === -1) return refused('k8s-shape', 'the path ends with a slash');
  return readObject(group, version!, rest);
}

function discovered(
  root: string,
  group: string,
  version: string | undefined,
): OtherAddress | KubernetesRefusal {
  const named = root === 'api' ? [] : [group];
  const good =
    named.every((one) => one === '' || GROUP.test(one)) && (version === undefined || VERSION.test(version));
  return good ? { discovery: true } : refused('k8s-shape', SHAPE);
}

function readObject(
  group: string,
  version: string,
  rest: readonly string[],
): ObjectAddress | KubernetesRefusal {
  if (OLD_VERBS.has(rest[0]!)) return refused('k8s-shape', 'the path has an old form, with a verb in it');
  const [namespace, [kind = '', name = '', subresource = '', ...more]] = placed(rest);
  const names = [
    [kind, LABEL],
    [namespace, LABEL],
    [subresource, LABEL],
  ] as const;
  for (const [one, form] of names) if (one !== '' && !form.test(one)) return refused('k8s-shape', SHAPE);
  const at = { group, version, kind, namespace, subresource };
  if (subresource === 'proxy') return proxied(at, name, more);
  if (more.length > 0 || (name !== '' && !NAME.test(name))) return refused('k8s-shape', SHAPE);
  return { ...at, name };
}

/** The namespace, and what is named within it: a namespace lies in itself. */
function placed(rest: readonly string[]): readonly [namespace: string, within: readonly string[]] {
  const [first, namespace, kind] = rest;
  if (first !== 'namespaces' || namespace === undefined) return ['', rest];
  if (kind === undefined || (OF_NAMESPACES.has(kind) && rest.length === 3)) return [namespace, rest];
  return [namespace, rest.slice(2)];
}

function proxied(
  at: Omit<ObjectAddress, 'name'>,
  place: string,
  more: readonly string[],
): ObjectAddress | KubernetesRefusal {
  const [, scheme = '', name, port = ''] = PLACE.exec(place) ?? [];
  if (name === undefined)
    return refused('k8s-shape', 'the place that is proxied is not NAME, NAME:PORT or SCHEME:NAME:PORT');
  const to = [scheme, port].filter((one) => one !== '').join(':');
  return { ...at, name, proxied: { port: to, path: `/${more.join('/')}` } };
}
