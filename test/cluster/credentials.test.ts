/** How hoopd proves itself to a real cluster: by what a command gives it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeLocalCertificates } from '../../src/gateway/init/certificates.ts';
import { admin } from '../support/kubernetes/admin.ts';
import { runningCluster } from '../support/kubernetes/cluster.ts';
import { ClusterGateway, podOf } from '../support/kubernetes/gateway.ts';

const POLICY = () => '@id("all") permit (principal, action, resource);';

const directory = mkdtempSync(join(tmpdir(), 'hoop-plugin-'));
const file = join(directory, 'answer.json');

/** hoopd, which has its credential from a command, before a cluster in which hoopd's own user may nothing but what is said. */
async function withPlugin(command: string, role: string | null, use: (at: ClusterGateway) => Promise<void>) {
  const at = await ClusterGateway.start({
    policy: POLICY,
    role,
    credentials: `{ exec: { command: ${command} } }`,
  });
  try {
    await use(at);
  } finally {
    await at.stop();
  }
}

function gives(status: object): void {
  const answer = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status };
  writeFileSync(file, JSON.stringify(answer));
}

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('a token', () => {
  it('serves, and nobody sees it', async () => {
    const token = runningCluster().gatewayToken;
    gives({ token });
    await withPlugin(`[cat, ${file}]`, 'cluster-admin', async (at) => {
      const good = await at.kubectl(['get', 'pods', '-o', 'name']);
      expect(good, good.stderr).toMatchObject({ code: 0 });
      expect((await at.kubectl(['get', 'secrets', '-A', '-o', 'yaml'])).stdout).not.toContain(token);
    });
  });
});

describe('a client certificate', () => {
  it('serves for requests and for streams, until the cluster does not take another', async () => {
    gives(await administrator());
    await withPlugin(`[cat, ${file}]`, null, async (at) => {
      await at.admin(['create', '-f', '-'], JSON.stringify(podOf('box')));
      await at.admin(['wait', '--for=condition=Ready', 'pod/box', '--timeout=60s']);
      const good = await at.kubectl(['get', 'pods', '-o', 'name']);
      expect(good, good.stderr).toMatchObject({ code: 0, stdout: 'pod/box\n' });
      const ran = await at.kubectl(['exec', 'box', '--', 'echo', 'done']);
      expect(ran, ran.stderr).toMatchObject({ code: 0, stdout: 'done\n' });
    });
    const { server } = await makeLocalCertificates(['admin'], Date.now());
    gives({ clientCertificateData: server.cert, clientKeyData: server.key });
    await withPlugin(`[cat, ${file}]`, null, async (at) => {
      const { code, stdout } = await at.kubectl(['get', 'pods', '-o', 'name']);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    });
  });
});

/** The certificate of the cluster's own administrator. */
async function administrator(): Promise<object> {
  const text = await admin(['config', 'view', '--raw', '--flatten', '-o', 'json']);
  const { users } = JSON.parse(text) as {
    readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
  };
  const data = (name: string) => Buffer.from(users[0].user[name] ?? '', 'base64').toString();
  return {
    clientCertificateData: data('client-certificate-data'),
    clientKeyData: data('client-key-data'),
  };
}

it('what gives nothing of use is an error of the gateway, which says nothing of it', async () => {
  await withPlugin('[echo, correct-horse]', null, async (at) => {
    const { status, text } = await at.ask('GET', `/api/v1/namespaces/${at.namespace}/pods`);
    expect(status).toBe(502);
    expect(text).not.toContain('correct-horse');
    expect(text).toContain('ERR_TARGET_CREDENTIAL');
  });
});
