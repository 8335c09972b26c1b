/** How hoopd proves itself to a real cluster: by what a command gives it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runningCluster } from '../support/kubernetes/cluster.ts';
import { ClusterGateway } from '../support/kubernetes/gateway.ts';

const directory = mkdtempSync(join(tmpdir(), 'hoop-plugin-'));
const file = join(directory, 'answer.json');
let at: ClusterGateway;

function gives(token: string): void {
  const answer = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } };
  writeFileSync(file, JSON.stringify(answer));
}

beforeAll(async () => {
  gives(runningCluster().gatewayToken);
  at = await ClusterGateway.start({
    policy: () => '@id("all") permit (principal, action, resource);',
    credentials: `{ exec: { command: [cat, ${file}] } }`,
  });
});

afterAll(async () => {
  await at?.stop();
  rmSync(directory, { recursive: true, force: true });
});

it('is served by its token, which nobody sees', async () => {
  const good = await at.kubectl(['get', 'pods', '-o', 'name']);
  expect(good, good.stderr).toMatchObject({ code: 0 });
  expect((await at.kubectl(['get', 'secrets', '-A', '-o', 'yaml'])).stdout).not.toContain(
    at.settings.gatewayToken,
  );
});

it('that gives nothing of use is an error of the gateway, which says nothing of it', async () => {
  const broken = await ClusterGateway.start({
    policy: () => '@id("all") permit (principal, action, resource);',
    role: null,
    credentials: '{ exec: { command: [echo, correct-horse] } }',
  });
  try {
    const { status, text } = await broken.ask('GET', `/api/v1/namespaces/${broken.namespace}/pods`);
    expect(status).toBe(502);
    expect(text).not.toContain('correct-horse');
    expect(text).toContain('ERR_TARGET_CREDENTIAL');
  } finally {
    await broken.stop();
  }
});
