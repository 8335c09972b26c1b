/**
 * hoopd with what a pod of its own is given: the token of a service account, and the cluster's authority, in files that the node
 * puts in the place of those before.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeLocalCertificates } from '../../src/gateway/init/certificates.ts';
import { admin, removeNamespace } from '../support/kubernetes/admin.ts';
import { runningCluster } from '../support/kubernetes/cluster.ts';
import { podOf } from '../support/kubernetes/gateway.ts';
import { newestKubectl, runProgram } from '../support/kubernetes/kubectl.ts';
import { type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { eventually } from '../support/waiting.ts';

const PLACE = '/var/run/secrets/kubernetes.io/serviceaccount';
const NAMES = ['token', 'ca.crt'] as const;
const AUTHORITY = 'kube-root-ca.crt';

type Files = Readonly<Record<(typeof NAMES)[number], string>>;

const namespace = `t-${randomBytes(5).toString('hex')}`;
const directory = mkdtempSync(join(tmpdir(), 'hoop-pod-'));

let stack: Stack;
let tunnel: Tunnel;
let first: Files;

const inNamespace = (args: readonly string[], input = '') => admin(['-n', namespace, ...args], input);

/** A pod as a cluster makes it that gives each its account: what is put in its place. */
async function filesOf(name: string): Promise<Files> {
  const sources = [
    { serviceAccountToken: { path: 'token', expirationSeconds: 600 } },
    { configMap: { name: AUTHORITY, items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
  ];
  const mounted = { volumeMounts: [{ name: 'own', mountPath: PLACE, readOnly: true }] };
  const spec = { serviceAccountName: 'hoopd', volumes: [{ name: 'own', projected: { sources } }] };
  await inNamespace(['create', '-f', '-'], JSON.stringify(podOf(name, spec, mounted)));
  await inNamespace(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s']);
  const read = (file: string) => inNamespace(['exec', name, '--', 'cat', `${PLACE}/${file}`]);
  return { token: await read('token'), 'ca.crt': await read('ca.crt') };
}

/** As a node does it: all files at once, by the one name that leads to them. */
function put(files: Files): void {
  const version = `..${randomBytes(4).toString('hex')}`;
  mkdirSync(join(directory, version));
  for (const name of NAMES) writeFileSync(join(directory, version, name), files[name], { mode: 0o600 });
  symlinkSync(version, join(directory, '..data_tmp'));
  renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
}

function kubectl(...args: string[]) {
  const env = { KUBECONFIG: tunnel.kubeconfig ?? '', HOME: directory };
  return runProgram(newestKubectl().path, ['-n', namespace, ...args], { env });
}

beforeAll(async () => {
  const { server, caFile } = runningCluster();
  await admin(['create', 'namespace', namespace]);
  await inNamespace(['create', 'serviceaccount', 'hoopd']);
  await inNamespace(['create', 'role', 'looks', '--verb=get,list', '--resource=pods']);
  const account = `--serviceaccount=${namespace}:hoopd`;
  await inNamespace(['create', 'rolebinding', 'looks', '--role=looks', account]);
  await inNamespace(['create', 'configmap', AUTHORITY, `--from-file=ca.crt=${caFile}`]);
  first = await filesOf('first');
  put(first);
  for (const name of NAMES) symlinkSync(`..data/${name}`, join(directory, name));
  stack = await startStack({
    resources: () => `  k8s:
    protocol: kubernetes
    target: { url: '${server}', caFile: ${directory}/ca.crt }
    credentials: { bearer: { file: ${directory}/token } }`,
  });
  tunnel = await stack.tunnelTo('k8s');
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
  await removeNamespace(namespace);
  rmSync(directory, { recursive: true, force: true });
});

it('is that account to the cluster', async () => {
  expect(await kubectl('get', 'pods', '-o', 'name')).toMatchObject({ code: 0, stdout: 'pod/first\n' });
  const { code, stderr } = await kubectl('create', 'configmap', 'mine');
  expect(code).toBe(1);
  expect(stderr).toContain(`"system:serviceaccount:${namespace}:hoopd"`);
  expect(first.token.split('.')).toHaveLength(3);
});

it('takes up the next token, where the one before is worth nothing any more', async () => {
  const second = await filesOf('second');
  expect(second.token).not.toBe(first.token);
  await inNamespace(['delete', 'pod', 'first', '--force', '--grace-period=0']);
  await eventually(
    'the token of a pod that is gone is over',
    async () => (await kubectl('get', 'pods')).code !== 0,
    Boolean,
    // The API server remembers for some seconds that a token was good.
    { withinMs: 60_000, everyMs: 250 },
  );
  put(second);
  const names = async () => (await kubectl('get', 'pods', '-o', 'name')).stdout;
  await eventually('the next one serves', names, (said) => said === 'pod/second\n');
});

it('trusts the authority that stands there now, and no other', async () => {
  const { authority } = await makeLocalCertificates(['127.0.0.1'], Date.now());
  const third = await filesOf('third');
  put({ ...third, 'ca.crt': authority });
  await eventually('another is not trusted', async () => (await kubectl('get', 'pods')).code !== 0);
  put(third);
  await eventually('its own is', async () => (await kubectl('get', 'pods')).code === 0);
});
