/** What clients create in their own forms is decided on, and created: by each kubectl, of which newer ones write protobuf. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusterGateway, podOf } from '../support/kubernetes/gateway.ts';
import { kubectls } from '../support/kubernetes/kubectl.ts';
import { eventually } from '../support/waiting.ts';

const POLICY = () => `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal", Action::"k8s"], resource);
@id("not-theirs") forbid (principal, action == Action::"k8s.create", resource) when { resource.name like "kube-*" };
@id("own-images") forbid (principal, action, resource) when { context has pod && !(["localhost"].containsAll(context.pod.registries)) };
`;

let at: ClusterGateway;

beforeAll(async () => {
  at = await ClusterGateway.start({ policy: POLICY });
});

afterAll(() => at?.stop());

describe.each(kubectls())('kubectl $version', ({ path, version }) => {
  const id = version.replace('.', '-');
  const kubectl = (args: readonly string[]) => at.kubectl(args, {}, path);

  it.each<[what: string, args: string[], object: string]>([
    [
      'a deployment',
      ['create', 'deployment', `d-${id}`, '--image=localhost/box:1', '--port=80'],
      `deployment/d-${id}`,
    ],
    ['a job', ['create', 'job', `j-${id}`, '--image=localhost/box:1', '--', 'true'], `job/j-${id}`],
    ['a configmap', ['create', 'configmap', `c-${id}`, '--from-literal=a=b'], `configmap/c-${id}`],
    ['a secret', ['create', 'secret', 'generic', `s-${id}`, '--from-literal=a=b'], `secret/s-${id}`],
    ['a service', ['create', 'service', 'nodeport', `n-${id}`, '--tcp=80:http'], `service/n-${id}`],
    ['an account', ['create', 'serviceaccount', `a-${id}`], `serviceaccount/a-${id}`],
    ['a role', ['create', 'role', `r-${id}`, '--verb=get,list', '--resource=pods,pods/log'], `role/r-${id}`],
    ['a quota', ['create', 'quota', `q-${id}`, '--hard=cpu=1500m,memory=1Gi,pods=9'], `quota/q-${id}`],
  ])('creates %s, as it does past the gateway', async (_what, args, object) => {
    const made = await kubectl(args);
    expect(made, made.stderr).toMatchObject({ code: 0 });
    const ours = await specOf(object);
    await at.admin(['delete', object, '--wait=false']);
    await at.direct(args, {}, path);
    expect(ours).toEqual(await specOf(object));
    await at.admin(['delete', object, '--wait=false']);
  });

  it('is denied what its object would be', async () => {
    const images = await kubectl(['create', 'deployment', `x-${id}`, '--image=evil.example/x']);
    expect(images).toMatchObject({ code: 1, stderr: expect.stringContaining('rule "own-images"') });
    const names = await kubectl(['create', 'configmap', `kube-${id}`]);
    expect(names).toMatchObject({ code: 1, stderr: expect.stringContaining('rule "not-theirs"') });
    expect((await at.direct(['get', `deployment/x-${id}`])).stderr).toContain('NotFound');
  });
});

it.each(kubectls().filter(({ version }) => Number(version.slice(2)) >= 24))(
  'kubectl $version has a token made',
  async ({ path, version }) => {
    const account = `t-${version.replace('.', '-')}`;
    await at.admin(['create', 'serviceaccount', account]);
    const { stdout, stderr } = await at.kubectl(['create', 'token', account], {}, path);
    expect(stdout, stderr).toMatch(/^eyJ/);
  },
);

/** Without what each making is given anew. */
async function specOf(object: string): Promise<unknown> {
  const { metadata, status: _status, ...rest } = JSON.parse(await at.admin(['get', object, '-o', 'json']));
  const own = JSON.stringify(rest)
    .replaceAll(/"(?:controller-uid|clusterIP|clusterIPs|nodePort|secrets)":[^,}\]]*\]?,?/g, '')
    .replaceAll(metadata.uid, 'uid');
  return { own, labels: Object.keys(metadata.labels ?? {}) };
}

describe('YAML', () => {
  const place = () => `/api/v1/namespaces/${at.namespace}/pods`;
  const yaml = (image: string) => `
apiVersion: v1
kind: Pod
metadata:
  name: yaml
spec:
  nodeName: n1
  automountServiceAccountToken: false
  containers:
  - name: box
    image: ${image}
    imagePullPolicy: Never
`;

  it('is decided on and created', async () => {
    const denied = await at.ask('POST', place(), { body: yaml('evil.example/x'), type: 'application/yaml' });
    expect(denied).toMatchObject({ status: 403, json: { hoop: { rule: 'own-images' } } });
    const made = await at.ask('POST', place(), { body: yaml('localhost/box:1'), type: 'application/yaml' });
    expect(made, made.text).toMatchObject({ status: 201, json: { metadata: { name: 'yaml' } } });
  });

  it('is decided on and applied', async () => {
    const target = `${place()}/yaml?fieldManager=test&force=true`;
    const type = 'application/apply-patch+yaml';
    const denied = await at.ask('PATCH', target, { body: yaml('evil.example/x'), type });
    expect(denied).toMatchObject({ status: 403, json: { hoop: { rule: 'own-images' } } });
    // The kubelet writes of the pod as well: the server says so by a conflict, and whoever applies asks again.
    const done = await eventually(
      'nobody else writes of it meanwhile',
      () => at.ask('PATCH', target, { body: yaml('localhost/box:2'), type }),
      ({ status }) => status !== 409,
    );
    expect(done, done.text).toMatchObject({
      status: 200,
      json: { spec: { containers: [{ image: 'localhost/box:2' }] } },
    });
  });

  it('that readers take in two ways is refused, and what is in CBOR', async () => {
    for (const [type, body] of [
      ['application/yaml', `${yaml('localhost/box:1')}  hostPID: yes\n`],
      ['application/cbor', JSON.stringify(podOf('cbor'))],
    ] as const)
      expect(await at.ask('POST', place(), { body, type })).toMatchObject({
        status: 400,
        json: { hoop: { rule: 'k8s-body' } },
      });
  });
});
