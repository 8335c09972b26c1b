/**
 * `node test/bench/kubernetes/server.ts KEY CERT PODS`: answers what kubectl and a watch ask, with objects that were made once, over TLS.
 * A real server takes them from its store, which is slower than anything in between. Says its port.
 */
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

const [key = '', cert = '', pods = '0'] = process.argv.slice(2);

/** As much as a pod of a usual workload has. */
function podOf(n: number) {
  const name = `web-${n % 97}-${n.toString(36).padStart(6, '0')}`;
  const time = '2026-01-01T12:00:00Z';
  const fields = {
    'f:metadata': { 'f:labels': { '.': {}, 'f:app': {}, 'f:tier': {} } },
    'f:spec': { 'f:containers': {} },
  };
  const probe = {
    httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' },
    periodSeconds: 10,
    timeoutSeconds: 1,
  };
  const container = {
    name: 'web',
    image: `registry.example.com/shop/web:1.${n % 40}`,
    ports: [{ containerPort: 8080, protocol: 'TCP' }],
    env: Array.from({ length: 6 }, (_, i) => ({ name: `SETTING_${i}`, value: `value ${i} of pod ${n}` })),
    resources: { limits: { cpu: '500m', memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    livenessProbe: probe,
    readinessProbe: probe,
    imagePullPolicy: 'IfNotPresent',
  };
  return {
    metadata: {
      name,
      namespace: `shop-${n % 50}`,
      uid: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
      resourceVersion: String(100_000 + n),
      creationTimestamp: time,
      labels: { app: `web-${n % 97}`, tier: 'front' },
      managedFields: [{ manager: 'kubelet', operation: 'Update', apiVersion: 'v1', time, fieldsV1: fields }],
    },
    spec: {
      containers: [container],
      nodeName: `node-${n % 30}`,
      serviceAccountName: 'web',
      restartPolicy: 'Always',
    },
    status: {
      phase: 'Running',
      podIP: `10.${n % 200}.${n % 250}.7`,
      containerStatuses: [
        {
          name: 'web',
          ready: true,
          restartCount: 0,
          image: container.image,
          state: { running: { startedAt: time } },
        },
      ],
      conditions: ['Initialized', 'Ready', 'PodScheduled'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: time,
      })),
    },
  };
}

const all = Array.from({ length: Number(pods) }, (_, n) => podOf(n));
const head = { apiVersion: 'v1', metadata: { resourceVersion: '1' } };
const list = Buffer.from(JSON.stringify({ kind: 'PodList', ...head, items: all }));
const columns = ['Name', 'Ready', 'Status', 'Restarts', 'Age'].map((name) => ({
  name,
  type: 'string',
  format: '',
  description: '',
  priority: 0,
}));
const rows = all.map(({ metadata }) => ({
  cells: [metadata.name, '1/1', 'Running', 0, '5d'],
  object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata },
}));
const table = Buffer.from(
  JSON.stringify({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: head.metadata,
    columnDefinitions: columns,
    rows,
  }),
);
const events = all
  .slice(0, 1_000)
  .map((object) =>
    Buffer.from(
      `${JSON.stringify({ type: 'MODIFIED', object: { kind: 'Pod', apiVersion: 'v1', ...object } })}\n`,
    ),
  );

const CORE = {
  name: 'pods',
  singularName: '',
  namespaced: true,
  kind: 'Pod',
  verbs: ['get', 'list', 'watch'],
  shortNames: ['po'],
};
const DISCOVERY: Readonly<Record<string, object>> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [CORE] },
};

const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, answer) => {
  const url = new URL(request.url ?? '/', 'https://localhost');
  const say = (body: Buffer) =>
    answer.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  const known = DISCOVERY[url.pathname];
  if (known !== undefined) say(Buffer.from(JSON.stringify(known)));
  else if (url.searchParams.get('watch') === 'true')
    watch(answer, Number(url.searchParams.get('perSecond')), Number(url.searchParams.get('seconds')));
  else if (url.pathname.endsWith('/pods'))
    say(request.headers.accept?.includes('as=Table') === true ? table : list);
  else answer.writeHead(404).end();
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

/** @param perSecond Events; 0: as many as are taken. */
function watch(answer: ServerResponse, perSecond: number, seconds: number): void {
  answer.writeHead(200, { 'content-type': 'application/json' });
  const startedAt = Date.now();
  let sent = 0;
  const goOn = () => {
    const passed = Date.now() - startedAt;
    if (passed >= seconds * 1000) return void answer.end();
    const due = perSecond === 0 ? sent + 200 : Math.floor((passed / 1000) * perSecond);
    let room = true;
    while (sent < due && room) room = answer.write(events[sent++ % events.length]);
    if (!room) answer.once('drain', goOn);
    else if (perSecond === 0) setImmediate(goOn);
    else setTimeout(goOn, 5);
  };
  goOn();
}
