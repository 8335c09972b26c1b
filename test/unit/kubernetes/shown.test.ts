/** What is classified of a kind, in every form in which a server answers with it, however it is cut into pieces. */
import { describe, expect, it } from 'vitest';
import { HoopError } from '../../../src/core/errors.ts';
import { canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { METHODS, type Method } from '../../../src/protocols/http/request/methods.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';
import { classifiedObjects } from '../../../src/protocols/http/shown/classification.ts';
import { ShownMasks } from '../../../src/protocols/http/shown/masks.ts';
import { type AnswerHead, planBody } from '../../../src/protocols/http/shown/plan.ts';
import { planAnswer, readable } from '../../../src/protocols/kubernetes/shown/answers.ts';
import { classifiedKinds } from '../../../src/protocols/kubernetes/shown/kinds.ts';
import { unwritable } from '../../../src/protocols/kubernetes/shown/written.ts';
import type { DetectedValues } from '../../../src/protocols/stream/detected-values.ts';

const CLUSTER = { type: 'Resource', id: 'k8s', attrs: {} };
const CLASSIFIED = classifiedKinds(CLUSTER, {
  configmaps: { '$.data.password': ['secret.app'], '$.binaryData.*': ['secret.app'] },
  '*': { '$..env.value': ['secret.env'] },
  'vaults.example.com': { '$.spec.key': ['secret.app'] },
  events: { '$.message': ['secret.app'], '$.involvedObject.name': ['secret.app'] },
  nodes: { '$.metadata.labels.owner': ['secret.app'] },
});
const DETECTED = { masks: false, refresh: () => undefined } as unknown as DetectedValues;

const masksOf = (method: Method, path: string) =>
  new ShownMasks(
    { policyVersion: () => 'one', reveal: () => ({ show: false, mask: 'redact', rules: [] }) },
    CLASSIFIED,
    DETECTED,
  ).of(method, path.split('?')[0]!.split('/').slice(1));

function request(line: string, ...fields: string[]) {
  const [method = '', target = ''] = line.split(' ');
  const read = canonicalRequest(
    { method, target, httpVersion: '1.1', rawHeaders: ['host', 'localhost', ...fields] },
    { credentialHeaders: [] },
  );
  if (isRefused(read)) throw new Error(read.reason);
  return read;
}

const HEAD: AnswerHead = {
  method: 'GET',
  status: 200,
  contentType: 'application/json',
  contentEncoding: undefined,
  contentRange: undefined,
  contentLength: undefined,
};

/** What is shown of a body, in pieces that end at `split` too. */
function shown(line: string, body: string, split: number, head: Partial<AnswerHead> = {}): string {
  const asked = request(line);
  const plan = planAnswer(
    asked,
    { ...HEAD, method: asked.method, ...head },
    masksOf(asked.method, asked.path),
    false,
  );
  if (plan.kind === 'refuse') return `! ${plan.refusal.rule}`;
  if (plan.kind === 'pass') return body;
  const masker = plan.make();
  const octets = Buffer.from(body);
  const pieces = [masker.push(octets.subarray(0, split)), masker.push(octets.subarray(split)), masker.end()];
  return Buffer.concat(
    pieces.flatMap((piece) => (piece === undefined ? [] : [Buffer.from(piece)])),
  ).toString();
}

const VALUE = 'aHVudGVyMg==';
const SECRET = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'db',
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify({
        data: { password: VALUE },
        stringData: { other: 'hunter2' },
      })}\n`,
      note: 'a note',
      backup: JSON.stringify({
        metadata: { annotations: { applied: JSON.stringify({ data: { password: VALUE } }) } },
      }),
    },
    managedFields: [{ fieldsV1: { 'f:data': { '.': {}, 'f:password': {} } } }],
  },
  data: { password: VALUE, empty: '' },
  type: 'Opaque',
};
const SECRETS = '/api/v1/namespaces/shop/secrets';
const WORKLOAD = {
  kind: 'Deployment',
  metadata: {
    annotations: { applied: JSON.stringify({ spec: { env: [{ name: 'A', value: 'hunter2' }] } }) },
  },
  spec: {
    replicas: 3.0,
    template: {
      metadata: { annotations: { inner: '{"env":[{"value":"hunter2"}]}' } },
      spec: {
        initContainers: [{ env: [{ name: 'A', value: 'hunter2' }] }],
        containers: [{ envFrom: [{ secretRef: { name: 'db' } }], env: [{ name: 'B', value: 'hunter2' }] }],
      },
    },
  },
};
const TABLE = {
  kind: 'Table',
  columnDefinitions: [{ name: 'Name' }, { name: 'Data' }],
  rows: [{ cells: ['db', 1], object: SECRET }],
};

const lines = (...events: unknown[]) => events.map((one) => `${JSON.stringify(one)}\n`).join('');
const event = (type: string, object: unknown) => ({ type, object });

/** An object with an annotation that is JSON, of what stands there. */
function noteAt([name, ...names]: readonly string[]): object {
  const note = JSON.stringify({ env: [{ value: 'hunter2' }] });
  return name === undefined ? { metadata: { annotations: { note } } } : { [name]: noteAt(names) };
}

const MASKED: readonly (readonly [form: string, line: string, body: string])[] = [
  ['an object', `GET ${SECRETS}/db`, JSON.stringify(SECRET)],
  ['a list', `GET ${SECRETS}`, JSON.stringify({ kind: 'SecretList', items: [SECRET, SECRET] })],
  ['a list of the cluster', 'GET /api/v1/secrets', JSON.stringify({ items: [SECRET] })],
  ['a table', `GET ${SECRETS}`, JSON.stringify(TABLE)],
  ['a watch', `GET ${SECRETS}?watch=true`, lines(event('ADDED', SECRET), event('DELETED', SECRET))],
  ['a watch of a table', `GET ${SECRETS}?watch=1`, lines(event('MODIFIED', TABLE))],
  ['what was created', `POST ${SECRETS}?dryRun=All`, JSON.stringify(SECRET)],
  ['what was patched', `PATCH ${SECRETS}/db`, JSON.stringify(SECRET)],
  ['a patch in JSON', `PATCH ${SECRETS}/db`, JSON.stringify([{ op: 'add', path: '/data/a', value: VALUE }])],
  ['what was deleted', `DELETE ${SECRETS}/db`, JSON.stringify(SECRET)],
  ['a workload', 'GET /apis/apps/v1/namespaces/shop/deployments/web', JSON.stringify(WORKLOAD)],
  ['workloads', 'GET /apis/apps/v1/deployments?watch=true', lines(event('ADDED', WORKLOAD))],
  [
    'part of a workload',
    'GET /apis/apps/v1/namespaces/shop/deployments/web/status',
    JSON.stringify(WORKLOAD),
  ],
  ...[
    '$.spec.jobTemplate',
    '$.spec.jobTemplate.spec.template',
    '$.template',
    '$.data.spec.template',
    '$.items.a.b',
  ].map((place): (typeof MASKED)[number] => [
    `a note at ${place}`,
    'GET /apis/batch/v1/namespaces/shop/cronjobs/again',
    JSON.stringify(noteAt(place.split('.').slice(1))),
  ]),
  ['a token', 'POST /api/v1/namespaces/shop/serviceaccounts/ci/token', '{"status":{"token":"hunter2"}}'],
  ['a kind of its own', 'GET /apis/example.com/v1/vaults', '{"items":[{"spec":{"key":"hunter2"}}]}'],
];

describe('what is masked in a kind', () => {
  it.each(MASKED)('is masked in %s, wherever it is cut', (_form, line, body) => {
    const whole = shown(line, body, 0);
    expect(body).toMatch(/hunter2|aHVudGVyMg/);
    expect(whole).not.toMatch(/hunter2|aHVudGVyMg/);
    for (let split = 1; split < body.length; split++) expect(shown(line, body, split)).toBe(whole);
    for (const one of whole.trim().split('\n')) expect(() => JSON.parse(one)).not.toThrow();
  });

  it('leaves everything else as it is, octet by octet', () => {
    const applied = `${JSON.stringify({ data: { password: 'Kioq' }, stringData: { other: '***' } })}\n`;
    const { annotations } = SECRET.metadata;
    const backup = annotations.backup.replace(VALUE, 'Kioq');
    expect(JSON.parse(shown(`GET ${SECRETS}/db`, JSON.stringify(SECRET), 0))).toEqual({
      ...SECRET,
      metadata: {
        ...SECRET.metadata,
        annotations: { ...annotations, backup, 'kubectl.kubernetes.io/last-applied-configuration': applied },
      },
      data: { password: 'Kioq', empty: 'Kioq' },
    });
    const numbers = '{"items":[{"metadata":{"generation":1.0e2,"x":12345678901234567890}}]}';
    expect(shown('GET /api/v1/pods', numbers, 0)).toBe(numbers);
  });

  it('is what clients can decode where they decode it', () => {
    const body = '{"data":{"password":"hunter2","user":"ann"},"binaryData":{"key":"aHVudGVyMg=="}}';
    expect(shown('GET /api/v1/namespaces/shop/configmaps/app', body, 0)).toBe(
      '{"data":{"password":"***","user":"ann"},"binaryData":{"key":"Kioq"}}',
    );
  });

  it.each(['{not json', ' [1,', '{"a":1}}'])(
    'an annotation that only seems to be JSON is hidden: %s',
    (text) => {
      const body = JSON.stringify({ metadata: { annotations: { text } } });
      expect(shown(`GET ${SECRETS}/db`, body, 0)).toBe('{"metadata":{"annotations":{"text":"***"}}}');
    },
  );

  it.each([400, 422, 500])('what the server says of a value by %i is hidden', (status) => {
    const body =
      '{"kind":"Status","message":"not hunter2","details":{"causes":[{"message":"hunter2","field":"data"}]}}';
    expect(shown(`PATCH ${SECRETS}/db`, body, 0, { status })).toBe(
      '{"kind":"Status","message":"***","details":{"causes":[{"message":"***","field":"data"}]}}',
    );
  });

  it.each([
    'application/vnd.kubernetes.protobuf',
    'application/vnd.kubernetes.protobuf;stream=watch',
    'application/cbor',
    'application/cbor-seq',
    'application/yaml',
    'text/plain',
  ])('%s is not shown', (contentType) => {
    expect(shown(`GET ${SECRETS}/db`, 'k8s\0hunter2', 0, { contentType })).toBe('! answer-type');
  });

  it('is nothing in a log, in discovery, and where a pod itself answers', () => {
    for (const path of [
      '/api/v1/namespaces/shop/pods/web/log',
      '/openapi/v2',
      '/apis/apps/v1',
      '/api',
      '/api/v1/namespaces/shop/pods/web/proxy/data',
    ])
      expect(masksOf('GET', path).any, path).toBe(false);
    expect(masksOf('GET', '/api/v1/pods').any).toBe(true);
    expect(METHODS.every((method) => masksOf(method, `${SECRETS}/db`).any)).toBe(true);
  });

  it('is named once for each kind and path', () => {
    expect(classifiedObjects(CLASSIFIED).map(({ id }) => id)).toEqual([
      'k8s/secrets#$.data.*',
      'k8s/secrets#$.stringData.*',
      'k8s/serviceaccounts/token#$.status.token',
      'k8s/configmaps#$.data.password',
      'k8s/configmaps#$.binaryData.*',
      'k8s/*#$..env.value',
      'k8s/vaults.example.com#$.spec.key',
      'k8s/events#$.message',
      'k8s/events#$.involvedObject.name',
      'k8s/nodes#$.metadata.labels.owner',
    ]);
  });
});

describe('what would undo a mask', () => {
  const PATCH = `PATCH ${SECRETS}/db`;
  const kioq = 'Kioq';
  const written = async (line: string, type: string, body: string | Buffer) => {
    const asked = type === '' ? request(line) : request(line, 'content-type', type, 'content-length', '1');
    const refusal = await unwritable(asked, masksOf(asked.method, asked.path), () =>
      Promise.resolve(Buffer.from(body)),
    );
    return refusal?.rule;
  };

  it.each<[string, string | Buffer, string]>([
    ['application/json', `{"data":{"a":"1","password":"${kioq}"}}`, ' at data.password'],
    [
      'application/json',
      '{"spec":{"containers":[{"args":["a"]},{"args":["b","c ***"]}]}}',
      ' at spec.containers[1].args[1]',
    ],
    [
      'application/merge-patch+json',
      JSON.stringify({
        metadata: { annotations: { 'kubectl.kubernetes.io/last': JSON.stringify({ a: '***' }) } },
      }),
      ' at metadata.annotations["kubectl.kubernetes.io/last"]',
    ],
    ['application/json-patch+json', `[{"op":"add","path":"/data/a","value":"${kioq}"}]`, ' at [0].value'],
    ['application/json', `{"\u202e***":1,"a\u202eb":"***"}`, ' at ["a\\u202eb"]'],
    ['application/json', '{"***":1}', ''],
    ['application/json', `{"${'x'.repeat(200)}":"***"}`, ''],
    ['application/json', `${'['.repeat(100_000)}"***"${']'.repeat(100_000)}`, ''],
    ['application/apply-patch+yaml', `data:\n  password: ${kioq}\n`, ''],
  ])('%s %#: it is told where the first mask stands, if that can be read', async (type, body, place) => {
    const asked = request(PATCH, 'content-type', type, 'content-length', '1');
    const whole = () => Promise.resolve(Buffer.from(body));
    const refusal = await unwritable(asked, masksOf('PATCH', asked.path), whole);
    expect(refusal?.reason).toBe(`what would be written holds the mask of a value${place}`);
  });

  it.each([
    [`PUT ${SECRETS}/db`, 'application/json', `{"data":{"password":"${kioq}"}}`],
    [`POST ${SECRETS}`, 'application/json', '{"stringData":{"password":"***"}}'],
    [PATCH, 'application/apply-patch+yaml', `data:\n  password: ${kioq}\n`],
    [PATCH, 'application/apply-patch+yaml', 'stringData: {password: "***"}'],
    [
      PATCH,
      'application/merge-patch+json',
      JSON.stringify({ a: JSON.stringify({ data: { password: kioq } }) }),
    ],
    [PATCH, 'application/json-patch+json', `[{"op":"add","path":"/data/a","value":"${kioq}"}]`],
    [`PUT ${SECRETS}/db`, 'application/vnd.kubernetes.protobuf', Buffer.from('k8s\0\x03***\x1a')],
    [`PUT ${SECRETS}/db`, 'application/cbor', Buffer.from('\x43***', 'latin1')],
    ['PATCH /apis/apps/v1/namespaces/shop/deployments/web', 'application/json', '{"value":"a***"}'],
  ])('%s %s of a mask is refused', async (line, type, body) => {
    expect(await written(line, type, body)).toBe('k8s-masked-written');
  });

  it.each([
    [PATCH, 'application/json-patch+json', '[{"op":"test","path":"/data/password","value":"Z3Vlc3M="}]'],
    [
      PATCH,
      'application/json-patch+json',
      '[{"op":"copy","from":"/data/a","path":"/metadata/annotations/a"}]',
    ],
    [PATCH, 'application/json-patch+json', '[{"op":"move","from":"/data/a","path":"/metadata/labels/a"}]'],
    [PATCH, 'application/json-patch+json', '[{"\\u006fp":"te\\u0073t","path":"/data/a","value":""}]'],
    [PATCH, 'application/json-patch+json', 'no JSON'],
    [PATCH, 'application/json-patch+json', '{"op":"test"}'],
    ['GET /apis/example.com/v1/vaults?fieldSelector=spec.key%3Dguess', '', ''],
    ['DELETE /apis/example.com/v1/vaults?fieldSelector=metadata.name%3Da,spec.key!%3Db', '', ''],
    ['GET /api/v1/events?fieldSelector=involvedObject.name%3Dguess', '', ''],
    ['GET /api/v1/events?fieldSelector=reason%3Da,InvolvedObject.name!%3D%3Dguess&watch=true', '', ''],
    ['GET /api/v1/nodes?labelSelector=a%3Db,owner%3Dguess', '', ''],
    ['GET /api/v1/nodes?labelSelector=owner%20in%20(guess)', '', ''],
    ['GET /api/v1/nodes?labelSelector=!owner', '', ''],
  ])('%s %s %s tells of a value', async (line, type, body) => {
    expect(await written(line, type, body)).toBe('k8s-masked-asked');
  });

  it.each([
    [
      `PUT ${SECRETS}/db`,
      'application/json',
      `{"data":{"password":"${VALUE}","b":"aKioq","c":"Kioqa","d":"****"}}`,
    ],
    [PATCH, 'application/json-patch+json', '[{"op":"replace","path":"/metadata/labels/a","value":"b"},null]'],
    [PATCH, 'application/merge-patch+json', '{"op":"test"}'],
    [`GET ${SECRETS}?fieldSelector=type%3DOpaque`, '', ''],
    ['GET /api/v1/events?fieldSelector=involvedObject.kind%3DPod', '', ''],
    ['GET /api/v1/nodes?labelSelector=a%3Db', '', ''],
    ['GET /apis/example.com/v1/vaults?fieldSelector=metadata.name%3Da', '', ''],
    ['POST /api/v1/namespaces/shop/services/web/proxy/a', 'text/plain', '***'],
    ['GET /openapi/v2', '', ''],
  ])('%s %s %s goes on', async (line, type, body) => {
    expect(await written(line, type, body)).toBeUndefined();
  });

  it('a body that is too long to be looked at is refused', async () => {
    const asked = request(PATCH, 'content-type', 'application/json', 'content-length', '1');
    const tooLong = () => Promise.reject(new HoopError('ERR_TOO_LARGE', 'too long'));
    const refusal = await unwritable(asked, masksOf('PATCH', asked.path), tooLong);
    expect(refusal?.rule).toBe('k8s-masked-written');
    const left = () => Promise.reject(new HoopError('ERR_SESSION_ENDED', 'left'));
    await expect(unwritable(asked, masksOf('PATCH', asked.path), left)).rejects.toThrow('left');
  });
});

describe('what a server is asked for', () => {
  const TABLE_OF = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const PROTOBUF = 'application/vnd.kubernetes.protobuf';
  it.each([
    ['GET /api/v1/pods', `${PROTOBUF}, */*`, 'application/json'],
    ['GET /api/v1/pods', `${PROTOBUF};stream=watch`, 'application/json'],
    ['GET /api/v1/pods', `${TABLE_OF},application/json`, `${TABLE_OF}, application/json`],
    ['GET /api/v1/pods', `${PROTOBUF};as=Table;v=v1;g=meta.k8s.io`, TABLE_OF],
    ['GET /apis/example.com/v1/vaults', `${TABLE_OF},application/json`, 'application/json'],
    ['GET /apis/gateway.networking.k8s.io/v1/gateways', `${TABLE_OF},application/json`, 'application/json'],
    ['GET /apis/networking.k8s.io/v1/ingresses', TABLE_OF, TABLE_OF],
    [`GET ${SECRETS}`, TABLE_OF, TABLE_OF],
    ['GET /api/v1/configmaps', TABLE_OF, TABLE_OF],
    ['GET /api/v1/events', `${TABLE_OF},application/json`, 'application/json'],
    ['GET /api/v1/nodes', TABLE_OF, 'application/json'],
    ['GET /apis/batch/v1/jobs', 'application/cbor, application/cbor-seq', 'application/json'],
    [
      'GET /api/v1/pods',
      `${PROTOBUF};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io`,
      'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    ],
    ['GET /api/v1/pods', 'image/png', 'application/json'],
    ['POST /api/v1/namespaces/shop/pods/web/exec?command=ls', '*/*', '*/*'],
    ['GET /api/v1/namespaces/shop/pods/web/portforward', '*/*', '*/*'],
    [
      'GET /openapi/v2',
      'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
      'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
    ],
  ])('%s as %s: as %s', (line, accept, sent) => {
    const asked = request(line, 'accept', accept);
    const { headers } = readable(asked, masksOf(asked.method, asked.path));
    expect(headers.filter(([name]) => name === 'accept').map(([, value]) => value)).toEqual([sent]);
  });

  it('goes by the plan of any body where the path names no object', () => {
    const masks = masksOf('GET', '/metrics');
    expect(planAnswer(request('GET /metrics'), HEAD, masks, false)).toEqual(planBody(HEAD, masks, false));
  });
});
