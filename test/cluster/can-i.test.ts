/** Whether somebody may do something is answered by policy and cluster together, before a real one. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusterGateway } from '../support/kubernetes/gateway.ts';
import { kubectls } from '../support/kubernetes/kubectl.ts';

const POLICY = (namespace: string) => `
@id("connect") permit (principal, action in [Action::"connect", Action::"reveal", Action::"k8s.discover"], resource);
@id("own-namespace") permit (principal, action in [Action::"k8s.read", Action::"k8s.write", Action::"k8s.exec"], resource in Namespace::"k8s/${namespace}");
@id("nodes") permit (principal, action in Action::"k8s.read", resource is KubernetesObject) when { resource.kind == "nodes" };
@id("no-secrets") forbid (principal, action, resource is KubernetesObject) when { resource.kind == "secrets" };
@id("settings-stay") @hint("ask the shop's owners") forbid (principal, action == Action::"k8s.create", resource is KubernetesObject) when { resource.kind == "configmaps" };
@id("asked-for") @approval("sre") forbid (principal, action == Action::"k8s.delete", resource) unless { context.approvals.contains("sre") };
`;

/** A group of others, with a kind that lies in namespaces and one that lies in none. */
const GROUP = `${randomBytes(5).toString('hex')}.test.example`;
const KINDS = { gadgets: 'Cluster', widgets: 'Namespaced' } as const;

function definitionOf(kind: keyof typeof KINDS): object {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const named = `${kind[0]!.toUpperCase()}${kind.slice(1, -1)}`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: KINDS[kind],
      names: { plural: kind, kind: named },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}

let at: ClusterGateway;

beforeAll(async () => {
  at = await ClusterGateway.start({ policy: POLICY, role: null });
  const rights = [
    'create',
    'role',
    'part',
    '--verb=get,list,delete,create',
    '--resource=pods,pods/exec,pods/log,secrets',
  ];
  await at.admin(rights);
  await at.admin(['create', 'rolebinding', 'part', '--role=part', '--user=hoopd']);
  for (const kind of ['gadgets', 'widgets'] as const)
    await at.admin(['create', '-f', '-'], JSON.stringify(definitionOf(kind)));
  const all = [`gadgets.${GROUP}`, `widgets.${GROUP}`];
  for (const name of all)
    await at.admin(['wait', '--for=condition=Established', `crd/${name}`, '--timeout=30s']);
  await at.admin(['create', 'clusterrole', GROUP, '--verb=get,list', `--resource=${all.join()}`]);
  await at.admin(['create', 'clusterrolebinding', GROUP, `--clusterrole=${GROUP}`, '--user=hoopd']);
});

afterAll(async () => {
  for (const kind of ['gadgets', 'widgets']) await at.direct(['delete', 'crd', `${kind}.${GROUP}`]);
  await at.direct(['delete', `clusterrole/${GROUP}`, `clusterrolebinding/${GROUP}`]);
  await at.stop();
});

describe.each(kubectls())('kubectl $version auth can-i', ({ path }) => {
  const ask = (args: readonly string[]) => at.kubectl(['auth', 'can-i', ...args], {}, path);

  it.each([
    [['get', 'pods'], 'yes'],
    [['delete', 'pod/web'], 'yes'],
    [['get', 'pods', '--subresource=log'], 'yes'],
    [['create', 'pods', '--subresource=exec'], 'yes'],
    [['get', 'secrets'], 'the gateway: k8s.get on .*/secrets is denied by rule "no-secrets"$'],
    [['patch', 'pods'], 'the cluster: nothing permits it$'],
    [['patch', 'secrets'], 'the gateway: .* "no-secrets"; the cluster: nothing permits it$'],
    [['get', 'pods', '-A'], 'the gateway: no policy permits k8s.get on k8s/-/pods; the cluster'],
    [['get', 'nodes'], 'no - the cluster: nothing permits it$'],
    [
      ['create', 'configmaps'],
      `the gateway: .* "settings-stay" \\(ask the shop's owners\\); the cluster: nothing permits it$`,
    ],
    [['*', '*'], 'the gateway: it answers for one kind at a time'],
    [['get', '/version'], 'yes'],
    [['get', '/metrics'], 'the gateway: no policy permits k8s.raw on k8s/metrics; the cluster'],
    [['impersonate', 'users'], 'the gateway: no request through it is to "impersonate"'],
  ] as [string[], string][])('%j: %s', async (args, says) => {
    const { code, stdout } = await ask(args);
    expect(stdout.trim()).toMatch(new RegExp(says));
    expect(code).toBe(says === 'yes' ? 0 : 1);
  });

  it.each([
    ['widgets', 'yes'],
    ['gadgets', `no - the gateway: no policy permits k8s.list on k8s/-/gadgets.${GROUP}`],
  ])('list %s, a kind of others: %s, as it is done', async (kind, says) => {
    const { stdout } = await ask(['list', `${kind}.${GROUP}`]);
    expect(stdout.trim()).toBe(says);
    const done = await at.kubectl(['get', `${kind}.${GROUP}`], {}, path);
    expect(done.code, done.stderr).toBe(says === 'yes' ? 0 : 1);
  });

  it('--list has what both permit', async () => {
    const { stdout, stderr } = await ask(['--list']);
    const lines = stdout.split('\n').map((line) => line.replace(/ +/g, ' '));
    expect(lines, stderr).toContain('pods [] [] [get list delete create]');
    expect(lines).toContain('pods/exec [] [] [get delete create]');
    expect(stdout).not.toContain('secrets');
  });
});

it('says what people would be asked for, and asks nobody', async () => {
  const spec = {
    resourceAttributes: { verb: 'delete', resource: 'pods', name: 'web', namespace: at.namespace },
  };
  const answer = await at.ask('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec },
  });
  expect(answer, answer.text).toMatchObject({
    status: 201,
    json: { status: { allowed: true, reason: 'the gateway: it needs the approval of "sre"' } },
  });
  expect(at.gateway.gateway.approvals.list()).toEqual([]);
});
