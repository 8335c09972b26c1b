/** hoopctl before a cluster: what a client reads of the kubeconfig, and what it is told there. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import { type Stack, startStack } from '../../support/stack.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"k8s", Action::"reveal"], resource);
@id("no-secrets") @hint("ask the owner of the workload") forbid (principal, action, resource is KubernetesObject)
when { resource.kind == "secrets" };
@id("ask-first") @approval("boss") forbid (principal is Agent, action == Action::"k8s.delete", resource)
unless { context.approvals.contains("boss") };
@id("boss") permit (principal is Person, action == Action::"approval.grant", resource);`;

const PODS = '/api/v1/namespaces/shop/pods';

/** Asks as a client does that has nothing but its kubeconfig: METHOD PATH [TOKEN]. */
const CLIENT = `
const [method, path, given] = process.argv.slice(1);
const { clusters: [{ cluster }], users: [{ user }] } = JSON.parse(require('node:fs').readFileSync(process.env.KUBECONFIG, 'utf8'));
const ca = Buffer.from(cluster['certificate-authority-data'], 'base64');
const headers = { authorization: 'Bearer ' + (given ?? user.token) };
require('node:https').request(cluster.server + path, { method, ca, headers, agent: false }, async (res) => {
  let text = '';
  for await (const chunk of res) text += chunk;
  process.stdout.write(res.statusCode + ' ' + text);
}).end();`;

let cluster: Server;
let heard: string[];
let stack: Stack;
let directory: string;

beforeAll(async () => {
  const { authority, server } = await makeLocalCertificates(['127.0.0.1'], Date.now());
  cluster = createServer(server, (req, res) => {
    heard.push(`${req.method} ${req.url} ${req.headers.authorization}`);
    res.setHeader('content-type', 'application/json').end('{"kind":"PodList"}');
  });
  cluster.listen(0, '127.0.0.1');
  await once(cluster, 'listening');
  const { port } = cluster.address() as AddressInfo;
  directory = mkdtempSync(join(tmpdir(), 'hoop-cluster-'));
  writeFileSync(join(directory, 'ca.pem'), authority);
  writeFileSync(join(directory, 'token'), 'token-of-the-cluster', { mode: 0o600 });
  stack = await startStack({
    policy: POLICY,
    resources: () => `  k8s-prod:
    protocol: kubernetes
    target: { url: 'https://127.0.0.1:${port}', caFile: ${directory}/ca.pem }
    credentials: { bearer: { file: ${directory}/token } }`,
  });
});

beforeEach(() => {
  heard = [];
});

afterAll(async () => {
  await stack?.stop();
  cluster?.close();
  rmSync(directory, { recursive: true, force: true });
});

const ask = (options: readonly string[], ...said: readonly string[]) =>
  stack.hoopctl(['connect', 'k8s-prod', ...options, '--', process.execPath, '-e', CLIENT, ...said]);

it('is reached by TLS and the token of the tunnel, and hoopd shows its own', async () => {
  expect(await ask([], 'GET', PODS)).toMatchObject({ exitCode: 0, stdout: '200 {"kind":"PodList"}' });
  expect(heard).toEqual([`GET ${PODS} Bearer token-of-the-cluster`]);
  expect((await ask([], 'GET', PODS, 'another')).stdout).toMatch(/^401 /);
  expect(heard).toHaveLength(1);
});

it('is told what is denied by a Status, in whose message stands what to do', async () => {
  const { stdout } = await ask([], 'GET', '/api/v1/namespaces/shop/secrets');
  expect(stdout).toMatch(/^403 /);
  expect(JSON.parse(stdout.slice(4))).toMatchObject({
    kind: 'Status',
    status: 'Failure',
    reason: 'Forbidden',
    code: 403,
    message: expect.stringMatching(
      /denied by rule "no-secrets"; ask the owner of the workload \{"rule":"no-secrets","next":"instead","retryable":false\}$/,
    ),
    hoop: { rule: 'no-secrets', retryable: false },
  });
  expect(heard).toEqual([]);
});

it('is asked ahead for what needs people, and does it once they have said yes', async () => {
  const request = ['approval', 'request', 'k8s-prod', '-c'];
  expect(await stack.hoopctl([...request, `GET ${PODS}`])).toMatchObject({
    exitCode: 0,
    stdout: 'no approval is needed\n',
  });
  const asked = await stack.hoopctl([...request, `DELETE ${PODS}/web-1`, '--json']);
  expect(asked.exitCode, asked.stderr).toBe(75);
  const { id } = JSON.parse(asked.stdout) as { id: string };
  const person = await stack.person('ada');
  expect(await stack.hoopctl(['approval', 'approve', id, '--yes'], person)).toMatchObject({ exitCode: 0 });
  expect(heard).toEqual([]);
  const done = await ask(['--approval', id], 'DELETE', `${PODS}/web-1`);
  expect(done, done.stderr).toMatchObject({ stdout: '200 {"kind":"PodList"}' });
  expect(heard).toEqual([`DELETE ${PODS}/web-1 Bearer token-of-the-cluster`]);
});
