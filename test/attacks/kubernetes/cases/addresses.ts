/** K5, K8, K18: what is asked for, as a path says it. */
import { kept, served } from '../attack.ts';
import type { Asked, KubernetesGroup, Place } from '../world.ts';

const NS = '/api/v1/namespaces/NS';
const SHAPE = 'k8s-shape';

const PROXIES: readonly (readonly [target: string, at?: Place])[] = [
  [`${NS}/pods/web:8080/proxy/admin`],
  [`${NS}/pods/http:web:8080/proxy/admin/`],
  [`${NS}/pods/web/proxy`],
  [`${NS}/pods/web/proxy/`],
  [`${NS}/services/https:svc:443/proxy/`],
  [`${NS}/services/svc/proxy/a/b?c=d`],
  ['/api/v1/nodes/n1/proxy/pods', 'both'],
  ['/api/v1/nodes/n1/proxy/'],
  ['/api/v1/nodes/n1:10250/proxy/healthz'],
  ['/api/v1/nodes/https:n1:10250/proxy/healthz'],
  ['/api/v1/nodes/n1/proxy/exec/NS/web/box?command=id&output=1'],
  ['/api/v1/nodes/n1:10250/proxy/run/NS/web/box?cmd=id'],
  ['/api/v1/nodes/n1/proxy/containerLogs/NS/web/box'],
  ['/api/v1/nodes/n1/proxy/logs/'],
  ['/api/v1/nodes/n1/proxy/configz', 'both'],
];

/** The same by verbs that once stood in the path, and by a path of another kind. */
const OLD = [
  '/api/v1/proxy/namespaces/NS/pods/web:8080/',
  '/api/v1/proxy/namespaces/NS/services/svc/',
  '/api/v1/proxy/nodes/n1/pods',
  '/api/v1/redirect/namespaces/NS/pods/web',
];

/** Each is read by somebody as what it is not. */
const HIDDEN_PROXIES = [
  `${NS}/pods/web/proxy/../log`,
  `${NS}/pods/web/log/../proxy/`,
  `${NS}/pods/web/%70roxy/`,
  `${NS}/pods/web//proxy/`,
  `${NS}/pods/web:8080%2fproxy/`,
  `${NS}/pods/web/proxy%2f`,
  `${NS}/pods/ftp:web:21/proxy/`,
  `${NS}/pods/web:8080:x/proxy/`,
];

const METHODS = ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export const K5: KubernetesGroup = {
  id: 'K5',
  attacks: [
    ...PROXIES.map(([target, at]) => kept(target, { target }, { at, rule: 'default-deny' })),
    ...METHODS.map((method) =>
      kept(`${method} behind a proxy`, { method, target: `${NS}/pods/web/proxy/admin` }),
    ),
    ...OLD.map((target) => kept(target, { target }, { rule: SHAPE })),
    ...HIDDEN_PROXIES.map((target) => kept(target, { target })),
  ],
};

const POST = (part: string, body = '{}'): Asked => ({
  method: 'POST',
  target: `${NS}/pods/web/${part}`,
  body,
});
const MERGE = 'application/merge-patch+json';

/** Parts of an object are asked for by themselves: whoever may read pods and their logs may nothing of this. */
export const K4: KubernetesGroup = {
  id: 'K4',
  attacks: [
    ...[
      POST('eviction', '{"metadata":{"name":"web"}}'),
      POST('binding', '{"target":{"name":"n1"}}'),
      POST('exec?command=ls'),
      POST('attach'),
      POST('portforward'),
      POST('proxy/'),
      POST('log'),
      { ...POST('ephemeralcontainers'), method: 'PATCH', type: MERGE },
      { ...POST('ephemeralcontainers'), method: 'PUT' },
      { ...POST('resize'), method: 'PATCH', type: MERGE },
      { ...POST('status'), method: 'PATCH', type: MERGE },
      { target: `${NS}/pods/web/status` },
      { target: `${NS}/pods/web/ephemeralcontainers` },
      { target: `${NS}/pods/web/exec?command=ls` },
      { target: `${NS}/pods/web/attach` },
      { target: `${NS}/pods/web/portforward?ports=80` },
      { method: 'POST', target: `${NS}/serviceaccounts/default/token`, body: '{"spec":{}}' },
      { method: 'POST', target: `${NS}/serviceaccounts/admin/token`, body: '{"spec":{"audiences":["a"]}}' },
      { target: `${NS}/replicationcontrollers/web/scale` },
      { target: `${NS}/configmaps/web/log` },
      { target: '/api/v1/namespaces/kube-system/pods/web/log' },
    ].map((asked) => kept(`${asked.method ?? 'GET'} ${asked.target}`, asked, { rule: 'default-deny' })),
    ...['LOG', 'log/', 'log/x', 'log/../exec', 'logs', '%6cog/../exec', 'log;x', 'log%2f..%2fexec'].map(
      (part) => kept(`a part that is none: ${part}`, { target: `${NS}/pods/web/${part}` }, { live: false }),
    ),
    served('a log', { target: `${NS}/pods/web/log?previous=true&follow=true` }),
  ],
};

/** A Secret, as paths hide it; some of them real servers read too. */
const SECRETS: readonly (readonly [target: string, at?: Place])[] = [
  [`${NS}/secrets`, 'both'],
  [`${NS}/secrets/db`, 'both'],
  ['/api/v1/secrets', 'both'],
  ['/api/v1/secrets?fieldSelector=metadata.namespace=NS', 'both'],
  [`${NS}/secrets?watch=1&timeoutSeconds=1`, 'both'],
  [`${NS}/secrets?watch=true&timeoutSeconds=1&fieldSelector=metadata.name=db`, 'both'],
  ['/api/v1/watch/namespaces/NS/secrets?timeoutSeconds=1', 'both'],
  ['/api/v1/watch/namespaces/NS/secrets/db?timeoutSeconds=1', 'both'],
  ['/api/v1/watch/secrets?timeoutSeconds=1', 'both'],
  [`${NS}/pods/../secrets`],
  [`${NS}/pods/%2e%2e/secrets`],
  [`${NS}/pods/.%2e/secrets`],
  [`${NS}/./secrets`],
  ['//api/v1/secrets'],
  ['/api//v1/secrets'],
  [`/api/v1/namespaces//NS/secrets`],
  [`${NS}/secrets/`],
  [`${NS}/secrets//db`],
  ['/api/v1/namespaces/NS%2fsecrets'],
  [`${NS}/pods%2f..%2fsecrets`],
  [`${NS}/pods/..%5csecrets`],
  [`${NS}/pods/..\\secrets`],
  [`${NS}/%73ecrets`, 'both'],
  [`${NS}/%73%65%63%72%65%74%73/db`, 'both'],
  [`${NS}/%2573ecrets`],
  [`${NS}/Secrets`],
  [`${NS}/secrets;x=y`],
  [`${NS}/secrets%00`],
  [`${NS}/secrets%20`],
  [`${NS}/secrets%0a`],
  [`${NS}/secrets%3fwatch=1`],
  [`${NS}/ｓｅｃｒｅｔｓ`.replaceAll(/[^\x20-\x7e]/g, encodeURIComponent)],
  ['/API/v1/secrets'],
  ['/Api/v1/namespaces/NS/secrets'],
  ['/api/V1/namespaces/NS/secrets'],
  ['/apis//v1/namespaces/NS/secrets'],
  ['/apis/v1/namespaces/NS/secrets'],
  ['http://localhost/api/v1/secrets'],
];

/** Pods of others: the namespace is named elsewhere, or not at all. */
const ELSEWHERE: readonly (readonly [target: string, at?: Place])[] = [
  ['/api/v1/pods', 'both'],
  ['/api/v1/pods?fieldSelector=metadata.namespace=NS', 'both'],
  ['/api/v1/pods?namespace=NS', 'both'],
  ['/api/v1/pods/web'],
  ['/api/v1/namespaces/kube-system/pods', 'both'],
  ['/api/v1/namespaces/NS/pods/../../kube-system/pods'],
  ['/api/v1/namespaces/*/pods'],
  ['/api/v1/namespaces/NS,kube-system/pods'],
  ['/api/v1/namespaces', 'both'],
  ['/api/v1/namespaces/NS', 'both'],
];

/** What is asked for of what is permitted, by a parameter that two servers read in two ways. */
const QUERIES: readonly string[] = [
  'watch=TRUE',
  'watch=True',
  'watch=yes',
  'watch=',
  'watch',
  'watch=2',
  'watch=false&watch=true',
  'watch=0&watch=1',
  'limit=1&limit=500',
  'fieldSelector=metadata.name=a&fieldSelector=metadata.name=b',
  'watch=1;watch=0',
  '%77atch=1&watch=0',
];

export const K8: KubernetesGroup = {
  id: 'K8',
  attacks: [
    ...SECRETS.map(([target, at]) => kept(target, { target }, { at })),
    ...ELSEWHERE.map(([target, at]) => kept(target, { target }, { at })),
    ...['HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) =>
      kept(`${method} of Secrets`, { method, target: `${NS}/secrets/db` }),
    ),
    ...QUERIES.map((query) => twoWays(`?${query}`, { target: `${NS}/pods?${query}` })),
    twoWays('an old form of what is permitted', {
      target: '/api/v1/watch/namespaces/NS/pods?timeoutSeconds=1',
    }),
    twoWays('one pod is watched', { target: `${NS}/pods/web?watch=true` }),
    served('pods are watched by ?watch=1', { target: `${NS}/pods?watch=1&timeoutSeconds=1` }, 'both'),
    served('pods are watched by ?watch=true', { target: `${NS}/pods?watch=true&timeoutSeconds=1` }, 'both'),
    served('an encoded name is that name', { target: `${NS}/%70ods` }, 'both'),
    served('a selector of fields', { target: `${NS}/pods?fieldSelector=metadata.name=web` }, 'both'),
  ],
};

/** What two servers read in two ways goes nowhere, whether one of the two would be permitted or not. */
function twoWays(what: string, asked: Asked) {
  return kept(what, asked, { live: false });
}

const DISCOVERY: readonly (readonly [target: string, ...lines: readonly string[]])[] = [
  ['/version'],
  ['/version/'],
  ['/healthz'],
  ['/livez?verbose'],
  ['/readyz'],
  ['/api'],
  ['/api/v1'],
  ['/apis'],
  ['/apis/apps'],
  ['/apis/apps/v1'],
  ['/openapi/v2'],
  ['/openapi/v2', 'Accept: application/com.github.proto-openapi.spec.v2@v1.0+protobuf'],
  ['/.well-known/openid-configuration'],
  ['/apis', 'Accept: application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList,application/json'],
];

const OTHERS: readonly (readonly [target: string, at?: Place])[] = [
  ['/metrics', 'both'],
  ['/metrics/'],
  ['/logs'],
  ['/logs/'],
  ['/logs/kube-apiserver.log'],
  ['/debug/pprof', 'both'],
  ['/debug/pprof/', 'both'],
  ['/debug/pprof/cmdline'],
  ['/debug/pprof/profile?seconds=1'],
  ['/debug/flags/v'],
  ['/configz'],
  ['/flagz'],
  ['/statusz'],
  ['/version/../metrics'],
  ['/version/%2e%2e/metrics'],
  ['/healthz/..%2fmetrics'],
  ['/%6detrics', 'both'],
  ['//metrics'],
  ['/openapi/../metrics'],
  ['/metrics/slis'],
  ['/logs/../metrics'],
];

export const K18: KubernetesGroup = {
  id: 'K18',
  attacks: [
    ...DISCOVERY.map(([target, ...lines]) => served([target, ...lines].join(' '), { target, lines }, 'both')),
    served('/openapi/v3', { target: '/openapi/v3' }),
    served('/openapi/v3/apis/apps/v1', { target: '/openapi/v3/apis/apps/v1?hash=A' }),
    ...OTHERS.map(([target, at]) => kept(target, { target }, { at })),
    ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method) =>
      kept(`${method} /version`, { method, target: '/version' }, { live: false }),
    ),
    kept('POST /debug/flags/v', { method: 'PUT', target: '/debug/flags/v', body: '9' }),
  ],
};
