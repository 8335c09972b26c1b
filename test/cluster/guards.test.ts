/** Rules on what pods ask for, before a real cluster: whatever way a pod comes to be, or to be what it was not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusterGateway, podOf, podSpec } from '../support/kubernetes/gateway.ts';

const POLICY = (namespace: string) => `
@id("connect") permit (principal, action in [Action::"connect", Action::"reveal", Action::"k8s.discover"], resource);
@id("own-namespace") permit (principal, action in [Action::"k8s.read", Action::"k8s.write", Action::"k8s.debug"], resource in Namespace::"k8s/${namespace}");
@id("confined") forbid (principal, action, resource)
when { context has pod && (context.pod.privileged || context.pod.hostNetwork || context.pod.hostPID || context.pod.hostIPC
  || !context.pod.hostPaths.isEmpty() || !context.pod.capabilities.isEmpty() || !context.pod.secrets.isEmpty()) };
@id("own-account") forbid (principal, action, resource) when { context has pod && context.pod.serviceAccount != "default" };
@id("own-images") forbid (principal, action, resource) when { context has pod && !(["localhost"].containsAll(context.pod.registries)) };
@id("not-theirs") forbid (principal, action, resource is KubernetesObject) when { resource.name like "kube-*" };
@id("tried-only") forbid (principal, action == Action::"k8s.delete", resource is KubernetesObject)
unless { context.dryRun || resource.name != "kept" };
`;

const WORKLOADS: readonly [kind: string, path: string, make: (spec: object) => object][] = [
  ['Deployment', 'apps/v1/deployments', template],
  ['StatefulSet', 'apps/v1/statefulsets', (spec) => ({ ...template(spec), serviceName: 'x' })],
  ['DaemonSet', 'apps/v1/daemonsets', template],
  ['ReplicaSet', 'apps/v1/replicasets', template],
  ['Job', 'batch/v1/jobs', (spec) => ({ template: { spec: { restartPolicy: 'Never', ...spec } } })],
  [
    'CronJob',
    'batch/v1beta1/cronjobs',
    (spec) => ({
      schedule: '0 0 1 1 *',
      jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', ...spec } } } },
    }),
  ],
];

const PRIVILEGED = podSpec({}, { securityContext: { privileged: true } });

function template(spec: object): object {
  const labels = { app: 'x' };
  return { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } };
}

let at: ClusterGateway;
let core: string;

beforeAll(async () => {
  at = await ClusterGateway.start({ policy: POLICY });
  core = `/api/v1/namespaces/${at.namespace}`;
});

afterAll(() => at?.stop());

const placeOf = (path: string) => {
  const [group, version, kind] = path.split('/');
  return `/apis/${group}/${version}/namespaces/${at.namespace}/${kind}`;
};

describe('a pod', () => {
  it('that keeps to itself is created, and runs', async () => {
    const made = await at.kubectl(['apply', '-f', '-'], { input: JSON.stringify(podOf('plain')) });
    expect(made, made.stderr).toMatchObject({ code: 0, stdout: 'pod/plain created\n' });
    expect(await at.admin(['wait', '--for=condition=Ready', '--timeout=60s', 'pod/plain'])).toContain('met');
  });

  it.each<[what: string, spec: object, container: object, rule: string]>([
    ['privileged', {}, { securityContext: { privileged: true } }, 'confined'],
    ['the host’s files', { volumes: [{ name: 'h', hostPath: { path: '/' } }] }, {}, 'confined'],
    ['the host’s network', { hostNetwork: true }, {}, 'confined'],
    ['the host’s processes', { hostPID: true }, {}, 'confined'],
    ['the host’s memory', { hostIPC: true }, {}, 'confined'],
    ['a capability', {}, { securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }, 'confined'],
    ['a secret', {}, { envFrom: [{ secretRef: { name: 's' } }] }, 'confined'],
    ['an account', { serviceAccountName: 'admin' }, {}, 'own-account'],
    ['an image from elsewhere', {}, { image: 'evil.example/box:1' }, 'own-images'],
    [
      'a container that begins before',
      { initContainers: [{ name: 'i', image: 'localhost/box:1', securityContext: { privileged: true } }] },
      {},
      'confined',
    ],
  ])('with %s is denied, though the cluster would make it', async (_what, spec, container, rule) => {
    const pod = podOf('bad', spec, container);
    expect((await at.askDirect('POST', `${core}/pods?dryRun=All`, { body: pod })).status).toBe(201);
    const through = await at.ask('POST', `${core}/pods`, { body: pod });
    expect(through).toMatchObject({ status: 403, json: { hoop: { rule } } });
    expect((await at.askDirect('GET', `${core}/pods/bad`)).status).toBe(404);
  });

  it('of a name that is another’s is denied', async () => {
    const through = await at.ask('POST', `${core}/pods`, { body: podOf('kube-x') });
    expect(through).toMatchObject({ status: 403, json: { hoop: { rule: 'not-theirs' } } });
  });

  it('is told to people by kubectl', async () => {
    const input = JSON.stringify(podOf('bad', {}, { securityContext: { privileged: true } }));
    for (const how of [['create'], ['apply'], ['apply', '--server-side']]) {
      const { code, stderr } = await at.kubectl([...how, '-f', '-'], { input });
      expect(code, how.join(' ')).toBe(1);
      expect(stderr).toContain('rule "confined"');
    }
  });
});

describe.each(WORKLOADS)('%s', (kind, path, make) => {
  const object = (spec: object) => ({
    apiVersion: path.split('/').slice(0, 2).join('/'),
    kind,
    metadata: { name: 'work' },
    spec: make(spec),
  });

  it('that makes privileged pods is denied, and one that makes others is created and not patched into it', async () => {
    const place = placeOf(path);
    const bad = await at.ask('POST', place, { body: object(PRIVILEGED) });
    expect(bad).toMatchObject({ status: 403, json: { hoop: { rule: 'confined' } } });
    const good = await at.ask('POST', place, { body: object(podSpec()) });
    expect(good.status, good.text).toBe(201);
    const paused = { metadata: { labels: { seen: 'yes' } } };
    const merged = await at.ask('PATCH', `${place}/work`, {
      body: paused,
      type: 'application/merge-patch+json',
    });
    expect(merged, merged.text).toMatchObject({
      status: 200,
      json: { metadata: { labels: { seen: 'yes' } } },
    });
    if (kind === 'Job') return; // Its template is never changed.
    const patch = { body: { spec: make(PRIVILEGED) }, type: 'application/merge-patch+json' };
    expect((await at.askDirect('PATCH', `${place}/work?dryRun=All`, patch)).status).toBe(200);
    const through = await at.ask('PATCH', `${place}/work`, patch);
    expect(through).toMatchObject({ status: 403, json: { hoop: { rule: 'confined' } } });
    const { text } = await at.askDirect('GET', `${place}/work`);
    expect(text).not.toContain('"privileged":true');
  });
});

describe('a patch is judged by the object that it would make', () => {
  const place = () => `${placeOf('apps/v1/deployments')}/patched`;
  const own = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'patched' } };

  beforeAll(async () => {
    await at.admin(['apply', '-f', '-'], JSON.stringify({ ...own, spec: template(podSpec()) }));
  });

  it.each<[type: string, query: string, bad: unknown, good: unknown]>([
    [
      'application/json-patch+json',
      '',
      [{ op: 'add', path: '/spec/template/spec/hostPID', value: true }],
      [{ op: 'add', path: '/spec/replicas', value: 2 }],
    ],
    [
      'application/merge-patch+json',
      '',
      { spec: { template: { spec: { hostPID: true } } } },
      { spec: { replicas: 3 } },
    ],
    [
      'application/strategic-merge-patch+json',
      '',
      {
        spec: {
          template: { spec: { containers: [{ name: 'box', securityContext: { privileged: true } }] } },
        },
      },
      { spec: { replicas: 4 } },
    ],
    [
      'application/apply-patch+yaml',
      '?fieldManager=test&force=true',
      { ...own, spec: { ...template(PRIVILEGED) } },
      { ...own, spec: { replicas: 5 } },
    ],
  ])('%s', async (type, query, bad, good) => {
    const direct = await at.askDirect('PATCH', `${place()}${query === '' ? '?' : `${query}&`}dryRun=All`, {
      body: bad,
      type,
    });
    expect(direct.status, direct.text).toBe(200);
    const denied = await at.ask('PATCH', `${place()}${query}`, { body: bad, type });
    expect(denied).toMatchObject({ status: 403, json: { hoop: { rule: 'confined' } } });
    const done = await at.ask('PATCH', `${place()}${query}`, { body: good, type });
    expect(done.status, done.text).toBe(200);
    const { json } = await at.askDirect('GET', place());
    expect(json.spec.template.spec.hostPID).toBeUndefined();
    expect(json.spec.replicas).toBe(done.json.spec.replicas);
    expect(json.metadata.resourceVersion).toBe(done.json.metadata.resourceVersion);
  });

  it('of what is not there is answered as the cluster does', async () => {
    const patch = { body: {}, type: 'application/merge-patch+json' };
    const { status, json } = await at.ask('PATCH', `${placeOf('apps/v1/deployments')}/none`, patch);
    expect({ status, reason: json.reason }).toEqual({ status: 404, reason: 'NotFound' });
  });
});

it('what the body of a deletion says is done, whatever the query says', async () => {
  await at.admin(['create', '-f', '-'], JSON.stringify({ ...podOf('kept'), spec: podSpec() }));
  const dry = await at.ask('DELETE', `${core}/pods/kept?dryRun=All`);
  expect(dry.status, dry.text).toBe(200);
  const options = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 };
  const real = await at.ask('DELETE', `${core}/pods/kept?dryRun=All`, { body: options });
  expect(real).toMatchObject({ status: 403, json: { hoop: { rule: 'tried-only' } } });
  expect((await at.askDirect('GET', `${core}/pods/kept`)).json.metadata.deletionTimestamp).toBeUndefined();
  const direct = await at.askDirect('DELETE', `${core}/pods/kept?dryRun=All`, { body: options });
  expect(direct.status).toBe(200);
  expect((await at.askDirect('GET', `${core}/pods/kept`)).status, 'the case is live').toBe(404);
});
