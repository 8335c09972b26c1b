import type { CanonicalRequest } from '../../http/request/canonical.ts';
import type { ObjectAddress } from './address.ts';
import { type KubernetesRefusal, refused } from './refusals.ts';

type Read = Pick<CanonicalRequest, 'method' | 'parameters'>;

/** What is done by asking for these parts of an object, whatever the method: a stream, or another server. */
const STREAMS: Readonly<Record<string, string>> = {
  exec: 'k8s.exec',
  attach: 'k8s.attach',
  portforward: 'k8s.port-forward',
  proxy: 'k8s.proxy',
};

/** Parts of which a method means something of its own. */
const PARTS: Readonly<Record<string, string>> = {
  'GET log': 'k8s.logs',
  'GET ephemeralcontainers': 'k8s.get',
  'PUT ephemeralcontainers': 'k8s.debug',
  'PATCH ephemeralcontainers': 'k8s.debug',
  'POST eviction': 'k8s.evict',
  'POST token': 'k8s.token',
};

const OF_ONE: Readonly<Record<string, string>> = {
  GET: 'k8s.get',
  HEAD: 'k8s.get',
  PUT: 'k8s.update',
  PATCH: 'k8s.patch',
  DELETE: 'k8s.delete',
};

const OF_ALL: Readonly<Record<string, string>> = {
  GET: 'k8s.list',
  HEAD: 'k8s.list',
  POST: 'k8s.create',
  DELETE: 'k8s.deletecollection',
};

/** What a request does to what it names. Pure. @returns Refused: no server of Kubernetes does such a thing. */
export function verbOf({ method, parameters }: Read, address: ObjectAddress): string | KubernetesRefusal {
  const { name, subresource } = address;
  const watches = watchOf(parameters);
  if (typeof watches === 'object') return watches;
  if (watches && (method !== 'GET' || name !== ''))
    return refused(
      'k8s-query',
      'only all of a kind is watched: name one by fieldSelector=metadata.name=NAME',
    );
  if (subresource !== '') {
    const known = STREAMS[subresource] ?? PARTS[`${method} ${subresource}`];
    return known ?? (method === 'POST' ? 'k8s.create' : (OF_ONE[method] ?? notDone(method)));
  }
  if (watches) return 'k8s.watch';
  return (name === '' ? OF_ALL : OF_ONE)[method] ?? notDone(method);
}

function notDone(method: string): KubernetesRefusal {
  return refused('k8s-shape', `${method} means nothing at this path`);
}

/** As servers read it anything else is true, even nothing: that is said plainly, or not at all. */
function watchOf(parameters: Read['parameters']): boolean | KubernetesRefusal {
  const value = parameters.find(([name]) => name === 'watch')?.[1];
  if (value === undefined || value === 'false' || value === '0') return false;
  if (value === 'true' || value === '1') return true;
  return refused('k8s-query', 'watch is neither true nor false');
}
