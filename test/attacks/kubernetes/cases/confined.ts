/** K15: pods, and what makes pods, that leave what they are confined to. */
import { statusOf } from '../../../support/http/raw-http.ts';
import { podOf, podSpec } from '../../../support/kubernetes/gateway.ts';
import { must } from '../../attack.ts';
import { kept, served, servesOn } from '../attack.ts';
import type { Asked, KubernetesAttack, KubernetesGroup, Place } from '../world.ts';
import { DRY, NS, named, post } from './making.ts';

/** They make pods and what makes pods, which have nothing of their node. */
const POLICY = `
@id("connect") permit (principal, action in [Action::"connect", Action::"reveal"], resource);
@id("make") permit (principal, action in [Action::"k8s.read", Action::"k8s.write", Action::"k8s.debug"], resource)
when { resource in Namespace::"k8s/NS" && resource has kind && ["pods", "deployments", "jobs", "cronjobs", "daemonsets", "rollouts"].contains(resource.kind) && (resource.kind != "rollouts" || context has pod) };
@id("confined") forbid (principal, action, resource)
when { context has pod && (context.pod.privileged || context.pod.hostNetwork || context.pod.hostPID || context.pod.hostIPC ||
  !context.pod.hostPaths.isEmpty() || !context.pod.hostPorts.isEmpty() || !context.pod.capabilities.isEmpty() || context.pod.serviceAccount != "default" ||
  !context.pod.secrets.isEmpty() || !["n1", ""].contains(context.pod.nodeName) || !["localhost"].containsAll(context.pod.registries)) };
`;

/** Parts of a pod by which it leaves its confinement. */
const OUT: Readonly<Record<string, readonly [spec: object, container?: object]>> = {
  'a file of the host': [{ volumes: [{ name: 'h', hostPath: { path: '/' } }] }],
  'a file of the host that seems harmless': [
    {
      volumes: [
        { name: 'a', emptyDir: {} },
        { name: 'h', hostPath: { path: '/tmp' } },
      ],
    },
  ],
  'a container that is privileged': [{}, { securityContext: { privileged: true } }],
  'a second container that is privileged': [
    { containers: [box('a'), { ...box('b'), securityContext: { privileged: true } }] },
  ],
  'a first container that is privileged': [
    { initContainers: [{ ...box('i'), securityContext: { privileged: true } }] },
  ],
  "the host's network": [{ hostNetwork: true }],
  "the host's processes": [{ hostPID: true }],
  "the host's memory": [{ hostIPC: true }],
  'a port of the host': [{}, { ports: [{ containerPort: 80, hostPort: 80 }] }],
  'a capability': [{}, { securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }],
  'every capability': [{}, { securityContext: { capabilities: { add: ['ALL'] } } }],
  'another account': [{ serviceAccountName: 'admin' }],
  'another account by its old name': [{ serviceAccount: 'admin' }],
  'a Secret that is mounted': [{ volumes: [{ name: 's', secret: { secretName: 'db' } }] }],
  'a Secret that is mounted among others': [
    { volumes: [{ name: 's', projected: { sources: [{ secret: { name: 'db' } }] } }] },
  ],
  'a Secret in its environment': [
    {},
    { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }] },
  ],
  'all of a Secret in its environment': [{}, { envFrom: [{ secretRef: { name: 'db' } }] }],
  'another node': [{ nodeName: 'master' }],
  'an image of somebody else': [{}, { image: 'evil.example/a:1' }],
  'an image of whoever': [{}, { image: 'busybox' }],
};

function box(name: string) {
  return { name, image: 'localhost/box:1', imagePullPolicy: 'Never' };
}

const TEMPLATES: Readonly<Record<string, (spec: object) => unknown>> = {
  '/apis/apps/v1/namespaces/NS/deployments': (spec) => workload(spec),
  '/apis/apps/v1/namespaces/NS/daemonsets': (spec) => workload(spec),
  '/apis/batch/v1/namespaces/NS/jobs': (spec) => ({
    ...named('w'),
    spec: { template: { spec: { ...spec, restartPolicy: 'Never' } } },
  }),
  '/apis/batch/v1beta1/namespaces/NS/cronjobs': (spec) => ({
    ...named('w'),
    spec: {
      schedule: '* * * * *',
      jobTemplate: { spec: { template: { spec: { ...spec, restartPolicy: 'Never' } } } },
    },
  }),
};

function workload(spec: object) {
  const labels = { app: 'w' };
  return {
    ...named('w'),
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

const RUN = JSON.stringify({ ...podOf('p', { hostNetwork: true }) });

/** The same in another writing. */
const WRITINGS: readonly (readonly [what: string, body: string, type: string, at?: Place])[] = [
  [
    'YAML',
    `apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  hostNetwork: true\n  nodeName: n1\n  containers:\n  - name: box\n    image: localhost/box:1\n`,
    'application/yaml',
    'both',
  ],
  [
    'YAML in one line',
    `{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {hostNetwork: true, containers: [{name: box, image: "localhost/box:1"}]}}`,
    'application/yaml',
    'both',
  ],
  [
    'YAML with an anchor',
    `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  hostNetwork: &t true\n  hostPID: *t\n  containers: [{name: box, image: "localhost/box:1"}]\n`,
    'application/yaml',
    'both',
  ],
  [
    'YAML whose truth is a yes',
    `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  hostNetwork: yes\n  containers: [{name: box, image: "localhost/box:1"}]\n`,
    'application/yaml',
    'both',
  ],
  ['JSON that is called YAML', RUN, 'application/yaml', 'both'],
  ['JSON of no type', RUN, 'application/json; charset=utf-8', 'both'],
  [
    'a member that is there twice',
    RUN.replace('"hostNetwork":true', '"hostNetwork":true,"hostNetwork":false').replace(
      '"hostNetwork":true,"hostNetwork":false',
      '"hostNetwork":false,"hostNetwork":true',
    ),
    'application/json',
    'both',
  ],
  ['a member with escapes', RUN.replace('"hostNetwork"', '"host\\u004eetwork"'), 'application/json', 'both'],
  ['a body with a mark before it', `\ufeff${RUN}`, 'application/json'],
  ['protobuf that cannot be read', 'k8s\0\u0001\u0002', 'application/vnd.kubernetes.protobuf'],
  ['CBOR', '\u00d9\u00d9\u00f7\u00a0', 'application/cbor'],
  ['a body with another thing behind it', `${RUN}{}`, 'application/json'],
];

const pods = (spec: object, container: object = {}) => podOf('p', spec, container);

/** Where a patch would make of it what may not be made, it stays as it is. */
function unpatched(what: string, type: string, body: unknown, query = ''): KubernetesAttack {
  const target = '/apis/apps/v1/namespaces/NS/deployments';
  const spec = (text: string) =>
    JSON.stringify((JSON.parse(text) as { spec: { template: unknown } }).spec.template);
  return {
    case: `a patch that makes it ${what}`,
    at: 'server',
    run: async (world) => {
      await world.admin({
        method: 'POST',
        target,
        body: JSON.stringify(workload(podSpec({ nodeName: '' }))),
      });
      const asked = (more: string): Asked => ({
        method: 'PATCH',
        target: `${target}/w?${[query, more].filter((one) => one !== '').join('&')}`,
        type,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const read = async () => spec((await world.admin({ target: `${target}/w` })).body.toString());
      const before = await read();
      const tried = await world.admin(asked('dryRun=All'));
      must(
        statusOf(tried) === 200 && spec(tried.body.toString()) !== before,
        `dead: ${tried.start} ${tried.body}`,
      );
      world.closeClients();
      for (const more of ['', 'dryRun=All']) {
        const [answer] = await (await world.through(asked(more))).answered();
        must(
          answer !== undefined && [400, 403].includes(statusOf(answer)),
          `it is answered ${answer?.start}`,
        );
      }
      must((await read()) === before, 'it was patched');
      await servesOn(world);
    },
  };
}

const DEBUGGED = { ephemeralContainers: [{ ...box('d'), securityContext: { privileged: true } }] };

const PRIVILEGED = { containers: [{ name: 'box', securityContext: { privileged: true } }] };
const PATCHES: KubernetesGroup['attacks'] = [
  unpatched('share the network', 'application/merge-patch+json', {
    spec: { template: { spec: { hostNetwork: true } } },
  }),
  unpatched('privileged', 'application/strategic-merge-patch+json', {
    spec: { template: { spec: PRIVILEGED } },
  }),
  unpatched('share its processes', 'application/json-patch+json', [
    { op: 'add', path: '/spec/template/spec/hostPID', value: true },
  ]),
  unpatched('share its processes, by steps', 'application/json-patch+json', [
    { op: 'add', path: '/spec/template/metadata/annotations', value: { a: 'b' } },
    { op: 'replace', path: '/spec/template/spec', value: podSpec({ hostPID: true, nodeName: '' }) },
  ]),
  unpatched(
    'have another account',
    'application/apply-patch+yaml',
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      ...named('w'),
      spec: { template: { spec: { serviceAccountName: 'admin' } } },
    },
    'fieldManager=a&force=true',
  ),
  unpatched('have an image of somebody else', 'application/strategic-merge-patch+json', {
    spec: { template: { spec: { containers: [{ name: 'box', image: 'evil.example/a' }] } } },
  }),
  unpatched('have a file of the host', 'application/strategic-merge-patch+json', {
    spec: { template: { spec: { volumes: [{ name: 'h', hostPath: { path: '/' } }] } } },
  }),
];

export const CONFINED: KubernetesGroup = {
  id: 'K15',
  policy: POLICY,
  attacks: [
    served('a pod that keeps to itself', post(`${NS}/pods`, pods({ nodeName: 'n1' })), 'both'),
    ...Object.entries(OUT).map(([what, [spec, container]]) =>
      kept(`a pod with ${what}`, post(`${NS}/pods`, pods(spec, container)), {
        at: what.includes('account') ? 'recording' : 'both',
        rule: 'confined',
      }),
    ),
    ...Object.entries(TEMPLATES).flatMap(([target, make]) => [
      kept(
        `${target} of privileged pods`,
        post(target, make(podSpec({}, { securityContext: { privileged: true } }))),
        { at: 'both', rule: 'confined' },
      ),
      kept(
        `${target} of pods with a file of the host`,
        post(target, make(podSpec({ volumes: [{ name: 'h', hostPath: { path: '/' } }] }))),
        { at: 'both', rule: 'confined' },
      ),
    ]),
    ...WRITINGS.map(([what, body, type, at]) =>
      kept(
        `the host's network in ${what}`,
        { method: 'POST', target: `${NS}/pods${DRY}`, body, type },
        { at },
      ),
    ),
    kept(
      'an update of it',
      { method: 'PUT', target: `${NS}/pods/web`, body: RUN.replace('"p"', '"web"') },
      { rule: 'confined' },
    ),
    kept(
      'a pod of another namespace',
      post(`${NS}/pods`, { ...pods({}), metadata: { name: 'p', namespace: 'kube-system' } }),
      { live: false },
    ),
    kept(
      'a kind that makes pods, and that nobody knows',
      post('/apis/argoproj.io/v1alpha1/namespaces/NS/rollouts', workload(podSpec({ hostNetwork: true }))),
    ),
    kept('an encoded body', { ...post(`${NS}/pods`, RUN), lines: ['Content-Encoding: gzip'] }),
    ...[{ spec: DEBUGGED }, DEBUGGED].map((body, at) =>
      kept(
        `a container beside it that is privileged, as servers ${at === 0 ? 'have it' : 'had it before 1.22'}`,
        {
          method: 'PUT',
          target: `${NS}/pods/web/ephemeralcontainers`,
          body: JSON.stringify({ ...named('web'), ...body }),
        },
        { rule: 'confined' },
      ),
    ),
    ...PATCHES,
  ],
};
