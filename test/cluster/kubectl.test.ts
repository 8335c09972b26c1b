/** kubectl as it is, before a real cluster: what needs no stream. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusterGateway, podOf } from '../support/kubernetes/gateway.ts';
import { kubectls } from '../support/kubernetes/kubectl.ts';

const POLICY = (namespace: string) => `
@id("connect") permit (principal, action in [Action::"connect", Action::"reveal"], resource);
@id("find-the-way") permit (principal, action == Action::"k8s.discover", resource);
@id("own-namespace") permit (principal, action in Action::"k8s", resource in Namespace::"k8s/${namespace}");
@id("no-secrets") forbid (principal, action, resource is KubernetesObject) when { resource.kind == "secrets" };
`;

let at: ClusterGateway;

beforeAll(async () => {
  at = await ClusterGateway.start({ policy: POLICY });
});

afterAll(() => at?.stop());

describe.each(kubectls())('kubectl $version', ({ path, version }) => {
  const name = `box-${version.replace('.', '-')}`;

  it('creates, shows and deletes a pod, and is denied what policy denies', async () => {
    const made = await at.kubectl(['create', '-f', '-'], { input: JSON.stringify(podOf(name)) }, path);
    expect(made, made.stderr).toMatchObject({ code: 0, stdout: `pod/${name} created\n` });
    const seen = await at.direct(['get', 'pod', name, '-o', 'name']);
    expect(seen.stdout).toBe(`pod/${name}\n`);
    const shown = await at.kubectl(['get', 'pods'], {}, path);
    expect(shown.stdout).toContain(name);
    const secrets = await at.kubectl(['get', 'secrets'], {}, path);
    expect(secrets).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('rule "no-secrets"'),
    });
    for (const elsewhere of [['-A'], ['-n', 'default']]) {
      const denied = await at.kubectl(['get', 'pods', ...elsewhere], {}, path);
      expect(denied.stderr).toContain(
        `permitted in the namespace ${at.namespace}: kubectl -n ${at.namespace}`,
      );
      expect(denied.stderr).toContain('"next":"instead"');
    }
    // A kubelet that is told to end a pod while it begins one does so a minute later.
    await at.admin(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s']);
    const deleted = await at.kubectl(['delete', 'pod', name, '--grace-period=1'], {}, path);
    expect(deleted, deleted.stderr).toMatchObject({ code: 0 });
    expect((await at.direct(['get', 'pod', name, '-o', 'name'])).stderr).toContain('NotFound');
  });
});
