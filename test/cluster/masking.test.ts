/** What is classified of a cluster's objects is nowhere in what kubectl prints or any client is sent, and can be used all the same. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusterGateway, podOf } from '../support/kubernetes/gateway.ts';
import { kubectls } from '../support/kubernetes/kubectl.ts';

const SECRET = 'correct-horse-battery';
const ENV = 'staple-of-the-env';
const FORMS = [SECRET, ENV].flatMap((value) => [
  value,
  Buffer.from(value).toString('base64'),
  Buffer.from(value).toString('hex'),
  [...value].reverse().join(''),
]);

const POLICY = () => `
@id("use") permit (principal, action in [Action::"connect", Action::"k8s"], resource);
@id("see") permit (principal, action == Action::"reveal", resource)
unless { resource.tags.containsAny(["secret.kubernetes", "secret.env", "secret.key"]) };
`;

let at: ClusterGateway;

beforeAll(async () => {
  at = await ClusterGateway.start({
    policy: POLICY,
    resource: `    classification: { kinds: { '*': { '$..env.value': [secret.env] } } }`,
  });
  const env = [{ name: 'KEY', value: ENV }];
  await at.admin(['apply', '-f', '-'], JSON.stringify(secretOf('db', SECRET)));
  await at.admin(['apply', '-f', '-'], JSON.stringify(podOf('web', {}, { env })));
  const release = { type: 'helm.sh/release.v1', data: { release: Buffer.from(SECRET).toString('base64') } };
  await at.admin(
    ['create', '-f', '-'],
    JSON.stringify({ ...secretOf('sh.helm.release.v1.web.v1', ''), ...release }),
  );
  await at.admin(['wait', '--for=condition=Ready', 'pod/web', '--timeout=60s']);
});

afterAll(() => at?.stop());

function secretOf(name: string, password: string) {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { password } };
}

function expectHidden(text: string): void {
  for (const form of FORMS) expect(text).not.toContain(form);
}

it('is there for whoever asks past the gateway', async () => {
  const { stdout } = await at.direct(['get', 'secret,pod', '-o', 'yaml']);
  for (const value of [Buffer.from(SECRET).toString('base64'), ENV]) expect(stdout).toContain(value);
});

describe.each(kubectls())('kubectl $version', ({ path }) => {
  it.each([
    [['get', 'secret', 'db'], 'Opaque'],
    [['get', 'secrets', '-A', '-o', 'wide'], 'helm.sh/release.v1'],
    [['get', 'secret', 'db', '-o', 'yaml'], 'password: Kioq'],
    [['get', 'secrets', '-o', 'json', '--show-managed-fields'], '"password": "Kioq"'],
    [['get', 'secret', 'db', '-o', 'jsonpath={.data.password}'], 'Kioq'],
    [['get', 'secret', 'db', '-o', 'go-template={{.data.password | base64decode}}'], '***'],
    [['get', 'secret', '-o', 'custom-columns=P:.data.password'], 'Kioq'],
    [['get', 'secrets', '--sort-by=.data.password', '-o', 'name'], 'secret/db'],
    [['get', 'secrets', '-o', 'yaml', '--chunk-size=1'], 'Kioq'],
    [['describe', 'secret', 'db'], 'password:  3 bytes'],
    [['get', 'pod', 'web', '-o', 'yaml'], 'KEY'],
    [['get', 'pods', '-o', 'wide'], 'n1'],
    [['describe', 'pod', 'web'], '***'],
    [['get', 'pod', 'web', '-o', 'jsonpath={.metadata.annotations}'], '***'],
    [['set', 'env', 'pod/web', '--list'], 'KEY=***'],
  ])('%j', async (args, shows) => {
    const { stdout, stderr, code } = await at.kubectl(args, {}, path);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(shows);
    expectHidden(stdout);
  });

  it('watches, and sees what changes masked', async () => {
    const args = ['get', 'secrets', '-w', '-o', 'yaml', '--request-timeout=3s'];
    const { stdout } = await at.kubectl(args, {}, path);
    expect(stdout).toContain('password: Kioq');
    expectHidden(stdout);
  });

  it('copies files and applies what is no mask', async () => {
    const changed = await at.kubectl(
      ['apply', '-f', '-'],
      { input: JSON.stringify(secretOf('own', `${SECRET}2`)) },
      path,
    );
    expect(changed, changed.stderr).toMatchObject({ code: 0 });
    expectHidden(changed.stdout);
    const seen = await at.direct(['get', 'secret', 'own', '-o', 'jsonpath={.data.password}']);
    expect(Buffer.from(seen.stdout, 'base64').toString()).toBe(`${SECRET}2`);
  });
});

describe('what was masked and is written back', () => {
  const password = () => at.direct(['get', 'secret', 'db', '-o', 'jsonpath={.data.password}']);

  it.each([
    ['apply', ['apply', '-f', '-']],
    ['server-side apply', ['apply', '--server-side', '--force-conflicts', '-f', '-']],
    ['replace', ['replace', '-f', '-']],
    ['create', ['create', '--dry-run=server', '-f', '-']],
    ['patch', ['patch', 'secret', 'db', '-p', '{"data":{"password":"Kioq"}}']],
  ] as [string, string[]][])('%s is refused, and the value stays', async (_by, args) => {
    const before = await password();
    expect(before.stdout).not.toBe('');
    const shown = await at.kubectl(['get', 'secret', 'db', '-o', 'yaml']);
    const { code, stderr } = await at.kubectl(args, { input: shown.stdout });
    expect(code, stderr).not.toBe(0);
    expect(stderr).toContain('kubectl patch');
    expect(await password()).toEqual(before);
  });

  it('goes on in part: labels, other values, and a workload that is scaled', async () => {
    await at.admin(['apply', '-f', '-'], JSON.stringify(secretOf('part', SECRET)));
    const labelled = await at.kubectl(['label', 'secret', 'part', 'a=b']);
    expect(labelled, labelled.stderr).toMatchObject({ code: 0 });
    const set = await at.kubectl(['patch', 'secret', 'part', '-p', '{"stringData":{"other":"new"}}']);
    expect(set, set.stderr).toMatchObject({ code: 0 });
    const { stdout } = await at.direct(['get', 'secret', 'part', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      metadata: { labels: { a: 'b' } },
      data: {
        password: Buffer.from(SECRET).toString('base64'),
        other: Buffer.from('new').toString('base64'),
      },
    });
  });
});

describe('a client that asks as it likes', () => {
  const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const secrets = () => `/api/v1/namespaces/${at.namespace}/secrets`;

  it.each([
    ['application/json', ''],
    ['application/vnd.kubernetes.protobuf', ''],
    ['application/vnd.kubernetes.protobuf, */*', '/db'],
    ['application/cbor', ''],
    ['application/yaml', '/db'],
    [TABLE, '?includeObject=Object'],
    [`${TABLE},application/json`, '?includeObject=Object&watch=true&timeoutSeconds=1'],
    ['application/vnd.kubernetes.protobuf;stream=watch', '?watch=true&timeoutSeconds=1'],
    ['application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', ''],
    ['*/*', '?watch=true&allowWatchBookmarks=true&resourceVersion=0&timeoutSeconds=1'],
    ['application/json', '?limit=1'],
  ])('%s %s', async (accept, path) => {
    const headers = { accept, 'accept-encoding': 'gzip' };
    const { status, text } = await at.ask('GET', secrets() + path, { headers });
    expect(status, text).toBe(200);
    expect(text).toMatch(/metadata/);
    expectHidden(text);
  });

  it.each([
    ['application/merge-patch+json', '{"metadata":{"labels":{"a":"b"}}}'],
    ['application/strategic-merge-patch+json', '{"metadata":{"labels":{"a":"c"}}}'],
    ['application/json-patch+json', '[{"op":"add","path":"/metadata/labels","value":{"a":"d"}}]'],
    ['application/merge-patch+json', '{"data":{"password":12345}}'],
    ['application/merge-patch+json', '{"type":"other"}'],
  ])('is answered to %s %s without the values', async (type, body) => {
    const { status, text } = await at.ask('PATCH', `${secrets()}/db?dryRun=All`, { type, body });
    expect([200, 400, 422, 500]).toContain(status);
    expectHidden(text);
  });

  it('is told nothing of what a pod may not change', async () => {
    const body = '{"spec":{"containers":[{"name":"box","env":[{"name":"KEY","value":"new"}]}]}}';
    const type = 'application/strategic-merge-patch+json';
    const path = `/api/v1/namespaces/${at.namespace}/pods/web`;
    const direct = await at.askDirect('PATCH', path, { type, body });
    expect(direct.text).toContain(ENV);
    const { status, text, json } = await at.ask('PATCH', path, { type, body });
    expect(status).toBe(422);
    expectHidden(text);
    expect(json).toMatchObject({ reason: 'Invalid', message: '***' });
  });

  it('is given no token of a service account', async () => {
    const path = `/api/v1/namespaces/${at.namespace}/serviceaccounts/default/token`;
    await at.direct(['create', 'serviceaccount', 'default']);
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const { json } = await at.ask('POST', path, { body });
    expect(json.status.token).toBe('***');
  });
});
