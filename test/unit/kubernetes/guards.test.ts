import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Asks, Sent } from '../../../src/protocols/http/relay/meaning.ts';
import { canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';
import type { TargetAnswer } from '../../../src/protocols/http/target/http-target.ts';
import { podFacts } from '../../../src/protocols/kubernetes/guards/pod-facts.ts';
import { clusterMeaning } from '../../../src/protocols/kubernetes/meaning.ts';

const cluster = { type: 'Resource', id: 'k8s', attrs: { protocol: 'kubernetes' } };
const PODS = '/api/v1/namespaces/shop/pods';
const MERGE = 'application/merge-patch+json';

interface WhatIsRead {
  readonly rule?: string;
  readonly reason?: string;
  readonly id?: string | undefined;
  readonly context?: object;
  readonly asked?: readonly string[];
  readonly facts?: object;
  readonly sends?: Sent;
  readonly answer?: TargetAnswer;
}

/** What is asked, and of what is tried what that tells and what would be sent. */
async function read(
  line: string,
  body: string,
  contentType = 'application/json',
  made = '{}',
  status = 200,
): Promise<WhatIsRead> {
  const [method = '', target = ''] = line.split(' ');
  const fields = ['content-type', contentType, 'content-length', String(Buffer.byteLength(body))];
  const head = { method, target, httpVersion: '1.1', rawHeaders: ['host', 'localhost', ...fields] };
  const request = canonicalRequest(head, { credentialHeaders: [] });
  if (isRefused(request)) throw new Error(request.rule);
  const understood = await clusterMeaning.read(request, async () => Buffer.from(body));
  if (isRefused(understood)) return { rule: understood.rule, reason: understood.reason };
  const { pairs, context } = understood.question(cluster, (text) => text);
  const id = pairs[0]?.object.id;
  if (understood.tries === undefined) return { id, context };
  const asked: string[] = [];
  const ask: Asks = async ({ query, headers }, sent) => {
    asked.push(`${query} ${headers.find(([name]) => name === 'accept')?.[1]} ${sent}`);
    return {
      status,
      rawHeaders: [],
      body: Readable.from([Buffer.from(made)]),
      trailers: () => [],
      atHand: () => undefined,
      leave: () => undefined,
    };
  };
  const tried = await understood.tries(ask, () => {
    throw new Error('policy is not asked');
  });
  if (isRefused(tried)) return { rule: tried.rule, reason: tried.reason };
  return { id, context, asked, ...('answer' in tried ? { answer: tried.answer } : tried) };
}

const pod = (spec: object, metadata: object = { name: 'web-1' }) => JSON.stringify({ metadata, spec });

describe('what a pod asks for', () => {
  const SAFE = {
    containers: [{ image: 'a', securityContext: { runAsUser: 1000, allowPrivilegeEscalation: false } }],
  };
  const of = (spec: object) => podFacts({ group: '', kind: 'pods' }, { spec: { ...SAFE, ...spec } });
  const box = (more: object) => ({ containers: [{ image: 'a', ...more }] });

  it('is nothing of the host’s where it says so', () => {
    expect(of({})).toEqual({
      privileged: false,
      hostNetwork: false,
      hostPID: false,
      hostIPC: false,
      hostPaths: [],
      hostPorts: [],
      capabilities: [],
      runsAsRoot: false,
      escalates: false,
      serviceAccount: 'default',
      images: ['a'],
      registries: ['docker.io'],
      secrets: [],
      nodeName: '',
    });
  });

  it('are those that were put beside it before 1.22, too', () => {
    const added = box({ securityContext: { privileged: true } }).containers;
    const facts = podFacts({ group: '', kind: 'pods' }, { metadata: {}, ephemeralContainers: added });
    expect(facts).toMatchObject({
      privileged: true,
      registries: expect.arrayContaining([expect.any(String)]),
    });
  });

  it.each<[what: string, spec: object, facts: object]>([
    ['a privileged container', box({ securityContext: { privileged: true } }), { privileged: true }],
    [
      'one that begins before',
      { initContainers: box({ securityContext: { privileged: true } }).containers },
      { privileged: true },
    ],
    [
      'one that is put beside',
      { ephemeralContainers: box({ securityContext: { privileged: true } }).containers },
      { privileged: true },
    ],
    [
      'a process of a Windows host',
      { securityContext: { windowsOptions: { hostProcess: true } } },
      { privileged: true },
    ],
    ['what only looks like yes', box({ securityContext: { privileged: 'true' } }), { privileged: false }],
    [
      'the host’s namespaces',
      { hostNetwork: true, hostPID: true, hostIPC: true },
      { hostNetwork: true, hostPID: true, hostIPC: true },
    ],
    ['the host’s files', { volumes: [{ name: 'x', hostPath: { path: '/' } }] }, { hostPaths: ['/'] }],
    ['the host’s ports', box({ ports: [{ containerPort: 80, hostPort: 80 }] }), { hostPorts: [80] }],
    [
      'capabilities',
      box({ securityContext: { capabilities: { add: ['SYS_ADMIN'], drop: ['ALL'] } } }),
      { capabilities: ['SYS_ADMIN'] },
    ],
    ['root, by silence', box({}), { runsAsRoot: true, escalates: true }],
    ['root, in one container', box({ securityContext: { runAsUser: 0 } }), { runsAsRoot: true }],
    ['not root, for all', { ...box({}), securityContext: { runAsNonRoot: true } }, { runsAsRoot: false }],
    [
      'not root, but for one',
      { ...box({ securityContext: { runAsNonRoot: false } }), securityContext: { runAsNonRoot: true } },
      { runsAsRoot: true },
    ],
    ['an account', { serviceAccountName: 'admin' }, { serviceAccount: 'admin' }],
    ['an account by its old name', { serviceAccount: 'admin' }, { serviceAccount: 'admin' }],
    ['a node', { nodeName: 'n1' }, { nodeName: 'n1' }],
    [
      'secrets, in every way',
      {
        volumes: [{ secret: { secretName: 'a' } }, { projected: { sources: [{ secret: { name: 'b' } }] } }],
        ...box({
          env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'c', key: 'k' } } }],
          envFrom: [{ secretRef: { name: 'd' } }],
        }),
      },
      { secrets: ['a', 'b', 'c', 'd'] },
    ],
    [
      'images of registries',
      {
        containers: ['a/b', 'localhost/a', 'host:5000/a:1', 'ghcr.io/a/b@sha256:0', 'a'].map((image) => ({
          image,
        })),
      },
      { registries: ['docker.io', 'localhost', 'host:5000', 'ghcr.io'] },
    ],
    [
      'nothing that can be read',
      { containers: { privileged: true }, volumes: 'x' },
      { images: [], hostPaths: [] },
    ],
  ])('%s', (_what, spec, facts) => {
    expect(of(spec)).toMatchObject(facts);
  });

  it.each([
    ['apps/deployments', { spec: { template: { spec: { hostPID: true } } } }],
    ['apps/statefulsets', { spec: { template: { spec: { hostPID: true } } } }],
    ['apps/daemonsets', { spec: { template: { spec: { hostPID: true } } } }],
    ['apps/replicasets', { spec: { template: { spec: { hostPID: true } } } }],
    ['batch/jobs', { spec: { template: { spec: { hostPID: true } } } }],
    ['batch/cronjobs', { spec: { jobTemplate: { spec: { template: { spec: { hostPID: true } } } } } }],
    ['/replicationcontrollers', { spec: { template: { spec: { hostPID: true } } } }],
    ['/podtemplates', { template: { spec: { hostPID: true } } }],
  ])('in a template of %s', (place, object) => {
    const [group = '', kind = ''] = place.split('/');
    expect(podFacts({ group, kind }, object)).toMatchObject({ hostPID: true });
  });

  it('is unknown of kinds that hold none', () => {
    expect(podFacts({ group: 'example.com', kind: 'pods' }, { spec: { hostPID: true } })).toBeUndefined();
  });
});

describe('what is created', () => {
  it('has the name that its body gives, its labels, and the pod', async () => {
    const body = pod({ hostPID: true }, { name: 'web-1', namespace: 'shop', labels: { app: 'web' } });
    expect(await read(`POST ${PODS}`, body)).toMatchObject({
      id: 'k8s/shop/pods/web-1',
      context: { generateName: '', labels: ['app=web'], pod: { hostPID: true } },
    });
  });

  it('has no name where the cluster makes one', async () => {
    expect(await read(`POST ${PODS}`, pod({}, { generateName: 'web-' }))).toMatchObject({
      id: 'k8s/shop/pods',
      context: { generateName: 'web-' },
    });
  });

  it('is a namespace that lies in itself', async () => {
    expect(await read('POST /api/v1/namespaces', pod({}, { name: 'new' }))).toMatchObject({
      id: 'k8s/new/namespaces/new',
    });
  });

  it.each([
    ['in another namespace', pod({}, { name: 'a', namespace: 'other' }), 'application/json'],
    ['of a name that none has', pod({}, { name: '../a' }), 'application/json'],
    ['in protobuf', 'k8s\0', 'application/vnd.kubernetes.protobuf'],
    ['in CBOR', '\xd9', 'application/cbor'],
    ['in YAML that readers take in two ways', 'spec: {hostPID: yes}', 'application/yaml'],
    ['in YAML with a name in two cases', 'spec: {hostPID: false, hostPid: true}', 'application/yaml'],
    ['with a name twice', '{"spec":{"hostPID":false,"hostPID":true}}', 'application/json'],
    ['with a name in two cases', '{"spec":{"hostPID":false,"hostPid":true}}', 'application/json'],
  ])('%s is refused', async (_what, body, contentType) => {
    expect(await read(`POST ${PODS}`, body, contentType)).toMatchObject({ rule: 'k8s-body' });
  });
});

describe('what is patched', () => {
  const MADE = pod({ hostPID: true }, { name: 'web-1', resourceVersion: '7' });

  it('is what the cluster would make of it, and is bound to the version that it was made of', async () => {
    const { context, facts, sends, asked } = await read(
      `PATCH ${PODS}/web-1`,
      '{"spec":{"x":9007199254740993.0}}',
      MERGE,
      MADE,
    );
    expect(asked).toEqual(['?dryRun=All application/json {"spec":{"x":9007199254740993.0}}']);
    expect(context).not.toHaveProperty('pod');
    expect(facts).toMatchObject({ pod: { hostPID: true } });
    expect(sends?.body.toString()).toBe(
      '{"spec":{"x":9007199254740993.0},"metadata":{"resourceVersion":"7"}}',
    );
    expect(sends?.request).toMatchObject({ query: '', body: { length: sends?.body.length } });
  });

  it('is bound by a test where it is a list of operations', async () => {
    const patch = '[{"op":"remove","path":"/spec/nodeName"}]';
    const { sends } = await read(`PATCH ${PODS}/web-1`, patch, 'application/json-patch+json', MADE);
    expect(JSON.parse(sends!.body.toString())).toEqual([
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      { op: 'remove', path: '/spec/nodeName' },
    ]);
  });

  it('is answered as the cluster does where it would not do it', async () => {
    const { facts, answer } = await read(`PATCH ${PODS}/web-1`, '{}', MERGE, '{"code":404}', 404);
    expect(answer?.status).toBe(404);
    expect(facts).toBeUndefined();
  });

  it.each([
    ['one that is no object', '[]', MERGE],
    ['metadata that are none', '{"metadata":null}', MERGE],
    ['operations that are no list', '{}', 'application/json-patch+json'],
  ])('%s is refused', async (_what, body, contentType) => {
    expect(await read(`PATCH ${PODS}/web-1`, body, contentType, MADE)).toMatchObject({ rule: 'k8s-body' });
  });
});

it.each([
  ['{"dryRun":["All"]}', '', true],
  ['{}', '?dryRun=All', false],
  ['', '?dryRun=All', true],
])('a deletion with the body %s and the query "%s" is a dry run: %s', async (body, query, dryRun) => {
  expect(await read(`DELETE ${PODS}/web-1${query}`, body)).toMatchObject({ context: { dryRun } });
});
