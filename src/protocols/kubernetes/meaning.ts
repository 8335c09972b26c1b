import type { Refusal } from '../../enforcement/operation.ts';
import type { Pair, PolicyObject } from '../../policy/model.ts';
import type { ApiMeaning, AskedQuestion, Understood } from '../http/relay/meaning.ts';
import type { CanonicalRequest } from '../http/request/canonical.ts';
import { isRefused } from '../http/request/refusals.ts';
import { type CleanText, forPeople } from '../stream/for-people.ts';
import { nonResource, objectOf, pluralOf } from './entities.ts';
import { type ObjectAddress, type OtherAddress, readAddress } from './request/address.ts';
import { type KubernetesRefusal, refused } from './request/refusals.ts';
import { verbOf } from './request/verb.ts';

/** Parameters that may be there several times: words of a command. */
const SEVERAL: ReadonlySet<string> = new Set(['command']);
/** By which a request would show a credential of its own. */
const CREDENTIAL = 'access_token';

interface Read {
  readonly request: CanonicalRequest;
  readonly action: string;
  readonly address: ObjectAddress | OtherAddress;
}

/** What requests to a cluster mean: a verb, done to objects by their address. */
export const clusterMeaning: ApiMeaning = {
  pathsOf: () => [],
  read(request): Understood | Refusal {
    const read = readRequest(request);
    if (isRefused(read)) return read;
    const { method, path, query, contentType } = request;
    return {
      // None of them holds a line break.
      alike: [method, path, query, contentType].join('\n'),
      question: (cluster, clean) => questionOf(cluster, read, clean),
    };
  },
};

function readRequest(request: CanonicalRequest): Read | KubernetesRefusal {
  const { method, path, segments, parameters } = request;
  const names = parameters.map(([name]) => name);
  const twice = names.find((name, at) => !SEVERAL.has(name) && names.indexOf(name) !== at);
  if (twice !== undefined) return refused('k8s-query', 'a parameter is there more than once');
  if (names.includes(CREDENTIAL)) return refused('k8s-query', 'the query shows a credential');
  const address = readAddress(segments, path.endsWith('/') && segments.length > 0);
  if (isRefused(address)) return address;
  if ('kind' in address) {
    const action = verbOf(request, address);
    return typeof action === 'string' ? { request, action, address } : action;
  }
  if (method !== 'GET' && method !== 'HEAD')
    return refused('k8s-shape', `${method} means nothing at this path`);
  return { request, action: address.discovery ? 'k8s.discover' : 'k8s.raw', address };
}

/** Pure. */
function questionOf(cluster: PolicyObject, read: Read, clean: CleanText): AskedQuestion {
  const { request, action, address } = read;
  const { method, path, query, parameters, contentType } = request;
  const value = (wanted: string) => parameters.find(([name]) => name === wanted)?.[1] ?? '';
  return {
    pairs: [pairOf(cluster, read, clean)],
    context: {
      dryRun: value('dryRun') === 'All',
      fieldSelector: value('fieldSelector'),
      labelSelector: value('labelSelector'),
      contentType,
    },
    text: forPeople('kind' in address ? textOf(action, address) : `${method} ${path}`, clean),
    original: { request: `${method} ${path}${query}` },
  };
}

function pairOf(cluster: PolicyObject, { request, action, address }: Read, clean: CleanText): Pair {
  if ('kind' in address) return { action, object: objectOf(cluster, address, clean) };
  return { action, object: nonResource(cluster, request.segments, clean) };
}

/** As kubectl's users would say it: `delete deployments.apps/web in shop`. */
function textOf(action: string, address: ObjectAddress): string {
  const { namespace, name, subresource, proxied } = address;
  const what = [pluralOf(address), name, subresource].filter((one) => one !== '').join('/');
  const to = proxied === undefined ? '' : ` to ${proxied.port}${proxied.path}`;
  const where = namespace === '' ? '' : ` in ${namespace}`;
  return `${action.replace('k8s.', '')} ${what}${to}${where}`;
}
