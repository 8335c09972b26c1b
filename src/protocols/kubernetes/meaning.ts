import type { Later } from '../../core/later.ts';
import type { Refusal } from '../../enforcement/operation.ts';
import type { Pair, PolicyObject } from '../../policy/model.ts';
import type { ApiMeaning, AskedQuestion, Understood } from '../http/relay/meaning.ts';
import type { CanonicalRequest } from '../http/request/canonical.ts';
import { isRefused } from '../http/request/refusals.ts';
import { type CleanText, forPeople } from '../stream/for-people.ts';
import { nonResource, objectOf, pluralOf } from './entities.ts';
import { type Written, writtenBy } from './guards/written.ts';
import { type ObjectAddress, type OtherAddress, readAddress } from './request/address.ts';
import { inNamespaces } from './request/namespaces.ts';
import { type KubernetesRefusal, refused } from './request/refusals.ts';
import { type AskedStream, readStream } from './request/stream.ts';
import { verbOf } from './request/verb.ts';
import { type Reviewed, reviewed, reviewIn } from './reviews/reviewed.ts';
import { planAnswer, readable } from './shown/answers.ts';
import { unwritable } from './shown/written.ts';

/** Parameters that may be there several times: words of a command, ports. */
const SEVERAL: ReadonlySet<string> = new Set(['command', 'ports']);
const STREAMS: ReadonlySet<string> = new Set(['k8s.exec', 'k8s.attach', 'k8s.port-forward']);
/** By which a request would show a credential of its own. */
const CREDENTIAL = 'access_token';

interface Read {
  readonly request: CanonicalRequest;
  readonly action: string;
  readonly address: ObjectAddress | OtherAddress;
  /** Of what is carried beyond the answer. */
  readonly stream?: AskedStream;
  /** It asks what may be done. */
  readonly review?: string;
}

type Whole = Read & Partial<Omit<Written, 'address'>> & Partial<Reviewed>;

/** What requests to a cluster mean: a verb, done to objects by their address. */
export const clusterMeaning: ApiMeaning = {
  pathsOf: () => [],
  answers: { readable, plan: planAnswer, refusal: unwritable },
  read(request, whole): Later<Understood | Refusal> {
    const read = readRequest(request);
    if (isRefused(read)) return read;
    const more = read.review === undefined ? writtenBy(read, whole) : reviewed(request, read.review, whole);
    if (more === undefined) return understood(read);
    return more.then((one) => (one !== undefined && isRefused(one) ? one : understood({ ...read, ...one })));
  },
};

function understood(read: Whole): Understood {
  const { method, path, query, contentType } = read.request;
  return {
    // None of them holds a line break.
    alike:
      read.facts === undefined && read.about === undefined
        ? [method, path, query, contentType].join('\n')
        : undefined,
    // Clients ask by GET, and by POST where that was not taken up.
    meant: read.stream && `CONNECT ${path}${query}`,
    question: (cluster, clean) => questionOf(cluster, read, clean),
    tries: read.tries,
    becomes: read.becomes,
  };
}

/** What a request would have carried into a pod; undefined: nothing. Pure. */
export function streamOf(
  request: CanonicalRequest,
): { readonly action: string; readonly stream: AskedStream } | KubernetesRefusal | undefined {
  const read = readRequest(request);
  if (isRefused(read)) return read;
  return read.stream && { action: read.action, stream: read.stream };
}

function readRequest(request: CanonicalRequest): Read | KubernetesRefusal {
  const { method, path, segments, parameters } = request;
  const names = parameters.map(([name]) => name);
  const twice = names.find((name, at) => !SEVERAL.has(name) && names.indexOf(name) !== at);
  if (twice !== undefined) return refused('k8s-query', 'a parameter is there more than once');
  if (names.includes(CREDENTIAL)) return refused('k8s-query', 'the query shows a credential');
  const address = readAddress(segments, path.endsWith('/') && segments.length > 0);
  if (isRefused(address)) return address;
  if ('kind' in address) {
    const review = reviewIn(request, address);
    if (review !== undefined)
      return { request, action: 'k8s.discover', address: { discovery: true }, review };
    const action = verbOf(request, address);
    if (typeof action !== 'string') return action;
    if (!STREAMS.has(action)) return { request, action, address };
    const stream = readStream(parameters, action);
    return isRefused(stream) ? stream : { request, action, address, stream };
  }
  if (method !== 'GET' && method !== 'HEAD')
    return refused('k8s-shape', `${method} means nothing at this path`);
  return { request, action: address.discovery ? 'k8s.discover' : 'k8s.raw', address };
}

/** Pure. */
function questionOf(cluster: PolicyObject, read: Whole, clean: CleanText): AskedQuestion {
  const { request, action, address, stream, about } = read;
  const { method, path, query, parameters, contentType } = request;
  const value = (wanted: string) => parameters.find(([name]) => name === wanted)?.[1] ?? '';
  const context = {
    dryRun: value('dryRun') === 'All',
    fieldSelector: value('fieldSelector'),
    labelSelector: value('labelSelector'),
    contentType,
    ...(stream && streamFacts(stream)),
    ...read.facts,
  };
  const elsewhere = (other: ObjectAddress, as = action) => ({
    pairs: pairsOf(cluster, { ...read, action: as, address: other }, clean),
    context,
  });
  return {
    pairs: pairsOf(cluster, read, clean),
    context,
    nearby: 'kind' in address ? inNamespaces(action, address, elsewhere) : undefined,
    text: forPeople(
      'kind' in address
        ? textOf(action, address, stream)
        : about === undefined
          ? `${method} ${path}`
          : `ask ${about}`,
      clean,
    ),
    original: { request: `${stream === undefined ? method : 'CONNECT'} ${path}${query}` },
  };
}

/** Input to what takes commands is a permission of its own. */
function pairsOf(cluster: PolicyObject, read: Read, clean: CleanText): readonly Pair[] {
  const pair = pairOf(cluster, read, clean);
  const { stream } = read;
  return stream?.stdin && stream.takesCommands ? [pair, { ...pair, action: 'k8s.shell' }] : [pair];
}

function streamFacts(stream: AskedStream) {
  const { argv, text, shell, takesCommands, stdin, tty, container, ports } = stream;
  const [program = '', ...words] = argv;
  return {
    argv: argv.map((word, at) => `${at}=${word}`),
    program,
    words: [...new Set(words)],
    command: text,
    shell,
    takesCommands,
    stdin,
    tty,
    container,
    ports: [...new Set(ports)],
  };
}

function pairOf(cluster: PolicyObject, { request, action, address }: Read, clean: CleanText): Pair {
  if ('kind' in address) return { action, object: objectOf(cluster, address, clean) };
  return { action, object: nonResource(cluster, request.segments, clean) };
}

/** As kubectl's users would say it: `delete deployments.apps/web in shop`. */
function textOf(action: string, address: ObjectAddress, stream: AskedStream | undefined): string {
  const { namespace, name, subresource, proxied } = address;
  const what = [pluralOf(address), name, subresource].filter((one) => one !== '').join('/');
  const to = proxied === undefined ? '' : ` to ${proxied.port}${proxied.path}`;
  const where = namespace === '' ? '' : ` in ${namespace}`;
  const input = stream?.stdin ? (stream.tty ? ' with a terminal' : ' with input') : '';
  const command = stream === undefined || stream.text === '' ? '' : `: ${stream.text}`;
  return `${action.replace('k8s.', '')} ${what}${to}${where}${input}${command}`;
}
