/** K9, K10: in which forms a masked value is asked for and answered. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { answer, chunked, json } from '../../../support/http/messages.ts';
import { statusOf } from '../../../support/http/raw-http.ts';
import { must } from '../../attack.ts';
import { leaksNothing, sentHeaders, servesOn, shownTo } from '../attack.ts';
import { BASE64, type KubernetesAttack, type KubernetesGroup, MASKED, SECRET } from '../world.ts';

export const NS = '/api/v1/namespaces/NS';
export const SECRETS = `${NS}/secrets`;
const DB = `${SECRETS}/db`;
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

export const OBJECT = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'db', resourceVersion: '7' },
  data: { password: BASE64 },
};
const SETTINGS = { kind: 'ConfigMap', metadata: { name: 'settings' }, data: { password: SECRET } };

/** An object as a server writes it in protobuf, near enough: the value stands in it as it is. */
export const IN_PROTOBUF = Buffer.concat([
  Buffer.from('k8s\0\n\x0c\n\x02v1\x12\x06Secret\x12\x20'),
  Buffer.from(SECRET),
]);
export const as = (type: string, body: string | Buffer) =>
  answer('200 OK', type === '' ? [] : [`Content-Type: ${type}`], body);

/** Whatever a client would have of a real server. */
const ACCEPTED: readonly (readonly [accept: string, query?: string, place?: string])[] = [
  [PROTOBUF],
  [`${PROTOBUF}, */*`],
  [`${PROTOBUF},application/json`, '', DB],
  [`${PROTOBUF};stream=watch`, '?watch=true&timeoutSeconds=1'],
  [`application/json;q=0.1, ${PROTOBUF};q=1`],
  [PROTOBUF.toUpperCase()],
  ['application/yaml', '', DB],
  ['application/json', '', DB],
  ['*/*'],
  ['application/*'],
  ['', '', DB],
  ['application/json;pretty=1', '?pretty=true'],
  ['application/json;stream=watch', '?watch=1&timeoutSeconds=1'],
  [TABLE, '?includeObject=Object'],
  [`${TABLE},application/json`, '?includeObject=Object&watch=1&timeoutSeconds=1'],
  [`${PROTOBUF};as=Table;v=v1;g=meta.k8s.io`, '?includeObject=Object'],
  [
    'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io',
    '?includeObject=Object',
  ],
  ['application/cbor, application/json;q=0.5'],
  ['application/json', '?limit=1'],
  ['application/json', '?resourceVersion=0'],
  ['application/json', '?export=true', DB],
];

/** A form that shows nothing but names needs no mask: the plain form is the control. */
function askedOf([accept, query = '', place = SECRETS]: (typeof ACCEPTED)[number]): KubernetesAttack {
  const lines = accept === '' ? [] : [`Accept: ${accept}`];
  return {
    case: `a real server is asked for ${accept || 'anything'} ${place}${query}`,
    at: 'server',
    run: async (world) => {
      const direct = await world.direct({ target: DB });
      await direct.answered();
      must(shownTo(direct) !== undefined, 'dead: there is no value');
      world.closeClients();
      const client = await world.through({ target: place + query, lines: [...lines, 'Connection: close'] });
      const [answered] = await client.answered();
      must(answered !== undefined && statusOf(answered) === 200, `it is answered ${answered?.start}`);
      must(answered.body.includes('"'), 'the answer is no JSON');
      const found = shownTo(client);
      must(found === undefined, `leaked, ${found}: ${client.received.toString('latin1')}`);
    },
  };
}

/** What the cluster is asked for, whatever the client would have. */
function asksFor(accept: readonly string[], target: string, sent: string): KubernetesAttack {
  return {
    case: `${accept.join(' and ')} of ${target} is asked for as ${sent}`,
    run: async (world) => {
      const lines = accept.map((one) => `Accept: ${one}`);
      await (await world.through({ target, lines })).answered();
      const heard = sentHeaders(world, 'accept').join(', ');
      must(heard === sent, `the cluster is asked for ${heard}`);
      await servesOn(world);
    },
  };
}

const lying = (what: string, body: Buffer, target = DB, status?: number) =>
  leaksNothing(what, { target, lines: ['Accept: application/json'] }, [[body]], {
    ...(status === undefined ? {} : { status }),
  });

const event = (message: string) => ({ kind: 'Event', metadata: { name: 'e' }, message, reason: 'x' });

export const K9: KubernetesGroup = {
  id: 'K9',
  policy: MASKED,
  attacks: [
    ...ACCEPTED.map(askedOf),
    asksFor([PROTOBUF], SECRETS, 'application/json'),
    asksFor([`${PROTOBUF};stream=watch`], `${SECRETS}?watch=true`, 'application/json'),
    asksFor(['application/cbor', 'application/cbor-seq'], SECRETS, 'application/json'),
    asksFor(['application/yaml'], DB, 'application/json'),
    asksFor(['*/*'], SECRETS, 'application/json'),
    asksFor([], SECRETS, 'application/json'),
    asksFor(['image/png'], SECRETS, 'application/json'),
    asksFor([`${PROTOBUF};q=1`, 'application/json;q=0'], SECRETS, 'application/json'),
    asksFor([TABLE], SECRETS, TABLE),
    asksFor([TABLE], '/apis/example.com/v1/namespaces/NS/vaults', 'application/json'),
    asksFor([TABLE], `${NS}/events`, 'application/json'),
    lying('protobuf, though JSON was asked for', as(PROTOBUF, IN_PROTOBUF), DB, 502),
    lying('YAML', as('application/yaml', `data:\n  password: ${BASE64}\n`), DB, 502),
    lying('CBOR', as('application/cbor', Buffer.from(`\xa1\x64data\x75${SECRET}`, 'latin1')), DB, 502),
    lying('JSON by another name', as('text/plain', JSON.stringify(OBJECT)), DB, 502),
    lying('no name at all', as('', JSON.stringify(OBJECT))),
    lying('protobuf that is called JSON', as('application/json', IN_PROTOBUF)),
    lying('JSON of a vendor', as('application/vnd.x+json', JSON.stringify(OBJECT))),
    lying('two objects', as('application/json', JSON.stringify(OBJECT) + JSON.stringify(OBJECT))),
    lying('an array of objects', json([OBJECT])),
    lying(
      'a member that is there twice',
      as('application/json', `{"data":{},"data":{"password":"${BASE64}"}}`),
    ),
    lying('a member by another case', as('application/json', `{"Data":{"password":"${BASE64}"}}`)),
    lying('a member with escapes', as('application/json', `{"d\\u0061ta":{"password":"${BASE64}"}}`)),
    lying('a value with escapes', as('application/json', `{"data":{"password":"${escaped(BASE64)}"}}`)),
    lying('a list', json({ kind: 'SecretList', items: [OBJECT, OBJECT] }), SECRETS),
    lying('a table', json({ kind: 'Table', rows: [{ cells: ['db'], object: OBJECT }] }), SECRETS),
    lying('a list of the whole cluster', json({ items: [OBJECT] }), '/api/v1/secrets'),
    lying('another version of the group', json(OBJECT), '/api/v2/namespaces/NS/secrets/db'),
    lying('a part of it', json(OBJECT), `${DB}/status`),
    lying('a ConfigMap', json(SETTINGS), `${NS}/configmaps/settings`),
    lying("a pod's environment", json(podWith(SECRET)), `${NS}/pods/web`),
    lying(
      "a workload's environment",
      json({ spec: { template: podWith(SECRET) } }),
      '/apis/apps/v1/namespaces/NS/deployments/web',
    ),
    lying(
      'what it was applied from',
      json({ metadata: { annotations: { applied: JSON.stringify(OBJECT) } }, data: {} }),
    ),
    lying(
      'what that was applied from',
      json({
        metadata: {
          annotations: { a: JSON.stringify({ metadata: { annotations: { b: JSON.stringify(OBJECT) } } }) },
        },
      }),
    ),
    lying(
      'a release of Helm',
      json({ ...OBJECT, data: { release: Buffer.from(BASE64).toString('base64') } }),
    ),
    lying('a token', json({ status: { token: SECRET } }), `${NS}/serviceaccounts/ci/token`),
    leaksNothing(
      'columns of events of a real server',
      { target: `${NS}/events`, lines: [`Accept: ${TABLE}`] },
      [],
      { at: 'server', status: 200 },
    ),
    lying('an event', json({ items: [event(SECRET)] }), `${NS}/events`),
    lying(
      'an event in a watch',
      as('application/json', `${JSON.stringify({ type: 'ADDED', object: event(SECRET) })}\n`),
      `${NS}/events?watch=1`,
    ),
    refusedStatus('what is wrong with it', 422),
    refusedStatus('what cannot be read of it', 400),
    refusedStatus('what broke over it', 500),
  ],
};

function escaped(text: string): string {
  return [...text].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}

function podWith(value: string) {
  return {
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: { containers: [{ env: [{ name: 'KEY', value }] }] },
  };
}

/** What a server says of an object is among its values. */
function refusedStatus(what: string, code: number): KubernetesAttack {
  const told = {
    kind: 'Status',
    status: 'Failure',
    message: `Secret "db" is invalid: data: Invalid value: "${SECRET}"`,
    details: { causes: [{ message: `Invalid value: "${SECRET}"`, field: 'data' }] },
    code,
  };
  const octets = answer(`${code} No`, ['Content-Type: application/json'], JSON.stringify(told));
  const asked = {
    method: 'PATCH',
    target: DB,
    body: '{"data":{"a":"b"}}',
    type: 'application/merge-patch+json',
  };
  return leaksNothing(what, asked, [[octets]], { status: code });
}

const encoded = (coding: string, body: Buffer, ...more: readonly string[]) =>
  answer('200 OK', ['Content-Type: application/json', `Content-Encoding: ${coding}`, ...more], body);
const LIST = JSON.stringify({ kind: 'SecretList', items: Array.from({ length: 2_000 }, () => OBJECT) });

const CODED: Readonly<Record<string, readonly Buffer[]>> = {
  gzip: [encoded('gzip', gzipSync(LIST))],
  'gzip in capitals': [encoded('GZIP', gzipSync(LIST))],
  'gzip of gzip': [encoded('gzip, gzip', gzipSync(gzipSync(LIST)))],
  br: [encoded('br', brotliCompressSync(LIST))],
  'gzip that is not told': [as('application/json', gzipSync(LIST))],
  'gzip that is none': [encoded('gzip', Buffer.from(LIST))],
  'two members of gzip': [
    encoded('gzip', Buffer.concat([gzipSync(LIST.slice(0, 1000)), gzipSync(LIST.slice(1000))])),
  ],
  'something behind gzip': [encoded('gzip', Buffer.concat([gzipSync('{}'), Buffer.from(LIST)]))],
  'gzip in chunks': [
    chunked(
      '200 OK',
      ['Content-Type: application/json', 'Content-Encoding: gzip'],
      ...halves(gzipSync(LIST)),
    ),
  ],
};

function halves(octets: Buffer): Buffer[] {
  const half = Math.floor(octets.length / 2);
  return [octets.subarray(0, half), octets.subarray(half)];
}

/** A real server compresses what is longer than 128 KiB. */
const longList: KubernetesAttack = {
  case: 'a real server that compresses a long list',
  at: 'server',
  run: async (world) => {
    const filler = Buffer.alloc(200_000, 'x').toString();
    const body = JSON.stringify({ metadata: { name: 'long' }, stringData: { filler, password: SECRET } });
    const made = await world.admin({ method: 'POST', target: SECRETS, body });
    must(statusOf(made) === 201, `dead: ${made.start}`);
    await leaksNothing('', { target: SECRETS, lines: ['Accept-Encoding: gzip'] }, [], {
      status: 200,
      more: (_client, { sent }) => must(sent.includes('gzip'), 'dead: no coding is asked for'),
    }).run(world);
  },
};

export const K10: KubernetesGroup = {
  id: 'K10',
  policy: MASKED,
  attacks: [
    ...Object.entries(CODED).map(([what, pieces]) =>
      leaksNothing(what, { target: SECRETS, lines: ['Accept-Encoding: gzip, br'] }, [pieces]),
    ),
    longList,
  ],
};
