/** What servers of Kubernetes may make of a request: as they read it, however its path was mended before. Pure. */
import type { Heard } from '../../support/http/recording-upstream.ts';
import { readings } from '../http/readings.ts';

/** What a request does, as a server's authorization is asked. */
interface Done {
  readonly verb: string;
  readonly namespace: string;
  readonly kind: string;
  readonly subresource: string;
}

const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
/** What policy permits, in one namespace. */
const PERMITTED = new Set(['get pods', 'list pods', 'watch pods', 'get pods/log']);
const OPEN =
  /^\/(?:version|healthz|livez|readyz|openapi\/.*|api|apis|apis\/[^/]+|apis?\/(?:[^/]+\/)?v\d\w*)?\/?$/;
/** By which a server is told who asks. */
const PERSONS = /^(?:impersonate-.*|x-remote-.*)$/i;

/** @see `RequestInfoFactory` of k8s.io/apiserver, with its verbs in the path */
function doneBy(method: string, path: string): Done | undefined {
  const [root, ...behind] = path.split('/').filter((one) => one !== '');
  if (root !== 'api' && root !== 'apis') return undefined;
  const rest = behind.slice(root === 'api' ? 1 : 2);
  let verb = VERBS[method] ?? method;
  if (rest[0] === 'watch' || rest[0] === 'proxy' || rest[0] === 'redirect') verb = rest.shift()!;
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 2 && !['status', 'finalize'].includes(rest[2]!))
    namespace = rest.splice(0, 2)[1]!;
  const [kind = '', name, subresource = ''] = rest;
  if (name === undefined && verb === 'get') verb = 'list';
  if (name === undefined && verb === 'delete') verb = 'deletecollection';
  return { verb, namespace, kind, subresource };
}

/** How a request would do what policy permits nobody, in some server's reading; undefined: in none. */
export function breach({ method, target, headers }: Heard, namespace: string): string | undefined {
  const person = headers.find(([name]) => PERSONS.test(name.replaceAll(/[^a-z0-9]/gi, '-')));
  if (person !== undefined) return `the person is ${person.join(': ')}`;
  for (const path of readings(target.replace(/\?.*$/s, ''))) {
    const done = doneBy(method, path);
    if (done === undefined) {
      if (!OPEN.test(path) && /^\/(?:metrics|logs|debug|configz|flagz|statusz|ui|swagger)/.test(path))
        return `it is at ${path}`;
      continue;
    }
    const what = `${done.verb} ${[done.kind, done.subresource].filter((one) => one !== '').join('/')}`;
    if (done.kind !== '' && (done.namespace !== namespace || !PERMITTED.has(what)))
      return `it does ${what} in ${done.namespace} by ${path}`;
  }
  return undefined;
}
