/** A scripted agent that has only kubectl: five tasks, and from each refusal the step that what kubectl prints of it names. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deaf, kubectl, type Program } from '../support/agent/programs.ts';
import { ScriptedAgent } from '../support/agent/scripted-agent.ts';
import { ClusterGateway, podOf } from '../support/kubernetes/gateway.ts';
import { newestKubectl } from '../support/kubernetes/kubectl.ts';
import { person } from '../unit/policy/support.ts';

const POLICY = () => `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal", Action::"k8s.read", Action::"k8s.discover",
  Action::"k8s.exec"], resource);
@id("settings") permit (principal, action in Action::"k8s.write", resource is KubernetesObject) when { resource.kind == "configmaps" };
@id("codes") @mask("redact") forbid (principal, action == Action::"reveal", resource) when { resource.tags.contains("secret.code") };
@id("asked-for") @approval("sre") forbid (principal, action == Action::"k8s.exec", resource)
unless { context.approvals.contains("sre") };
@id("no-secrets") @reason("secrets are for programs") @hint("their settings stand in configmaps")
forbid (principal, action, resource is KubernetesObject) when { resource.kind == "secrets" };
`;
const CLASSIFIED = '    classification: { kinds: { configmaps: { $.data.code: [secret.code] } } }';
const ADA = { ...person('ada', ['sre']), subject: 'ada' };

let at: ClusterGateway;

beforeAll(async () => {
  at = await ClusterGateway.start({
    policy: POLICY,
    through: 'front',
    more: 'approvals: { wait: 1s }',
    resource: CLASSIFIED,
  });
  const command = ['sh', '-c', 'echo started; sleep 3600'];
  await at.admin(['create', '-f', '-'], JSON.stringify(podOf('box', {}, { command })));
  await at.admin(['create', 'configmap', 'shop', '--from-literal=colour=blue']);
  await at.admin(['create', 'configmap', 'door', '--from-literal=code=4711', '--from-literal=colour=blue']);
  await at.admin(['wait', '--for=condition=Ready', 'pod/box', '--timeout=60s']);
});

afterAll(() => at?.stop());

const agentOf = (how: 'yes' | 'no' = 'yes', program: Program = kubectl) => {
  const { approvals } = at.gateway.gateway;
  const env = { HOME: at.gateway.dir, KUBECONFIG: at.kubeconfig };
  const agent = new ScriptedAgent(program, env, {
    async asked({ approval = '' }) {
      if (how === 'yes') await approvals.approve(approval, ADA, ['sre']);
      else await approvals.deny(approval, ADA, 'not today');
    },
  });
  const args = (words: string) => [newestKubectl().path, '-n', at.namespace, ...words.split(' ')];
  const work = async (...ways: string[]) => {
    const report = await agent.work(...ways.map(args));
    return report.done ? report.output.trim() : `${report.told.rule}: ${report.told.next}`;
  };
  return { agent, work };
};

it('does five tasks by kubectl alone', async () => {
  const { agent, work } = agentOf();
  expect(await work('get pods -o name')).toBe('pod/box');
  expect(await work('logs box')).toBe('started');
  expect(await work('exec box -- echo done')).toBe('done');
  const settings = await work(
    'get secrets -o name',
    'get events -o name',
    'get configmaps shop -o jsonpath={.data.colour}',
  );
  expect(settings).toBe('blue');
  expect(await work('auth can-i get pods')).toBe('yes');
  const met = agent.refusals.map(({ rule, next }) => `${rule}: ${next}`);
  expect([...new Set(met)]).toEqual(['asked-for: ask', 'no-secrets: instead']);
});

it('reports and stops where nothing else is left', async () => {
  const { agent, work } = agentOf('no');
  expect(await work('delete pod box')).toBe('default-deny: report');
  expect(await work('get secrets', 'get pods')).toBe('no-secrets: instead');
  expect(await work('exec box -- echo never')).toBe('asked-for: instead');
  expect(agent.refusals.at(-1)?.rule).toBe('asked-for');
});

describe('a refusal by', () => {
  const file = (name: string) => join(at.gateway.dir, name);
  const raw = (path: string) => `--raw /api/v1/namespaces/${at.namespace}/${path}`;
  const door = (code: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'door', namespace: at.namespace },
    data: { code, colour: 'red' },
  });
  const colour = 'get configmap door -o jsonpath={.data.colour}';
  const codes = 'get configmap door -o jsonpath={.data}';

  beforeAll(() => {
    writeFileSync(file('anchors.yaml'), 'kind: &k ConfigMap\nmetadata: { name: made }\ndata: { kind: *k }\n');
    writeFileSync(file('masked.json'), JSON.stringify(door('***')));
  });

  /** What is looked at is asked of the cluster itself, before and after. */
  it.each<[string, string, () => string, string, string, string, string]>([
    [
      'k8s-shape',
      'correct',
      () => 'get --raw /api/v1/watch/pods',
      'get pods -o name',
      'get pods -o name',
      'pod/box',
      'pod/box',
    ],
    [
      'k8s-query',
      'correct',
      () => `get ${raw('pods?watch=false&watch=true')}`,
      'get pods -o name',
      'get pods -o name',
      'pod/box',
      'pod/box',
    ],
    [
      'k8s-body',
      'correct',
      () => `create ${raw('configmaps')} -f ${file('anchors.yaml')}`,
      'create configmap made --from-literal=kind=ConfigMap',
      'get configmap made --ignore-not-found -o name',
      '',
      'configmap/made',
    ],
    [
      'k8s-masked-written',
      'leave-out',
      () => `replace ${raw('configmaps/door')} -f ${file('masked.json')}`,
      'patch configmap door -p {"data":{"colour":"red"}}',
      colour,
      'blue',
      'red',
    ],
    [
      'k8s-masked-asked',
      'leave-out',
      () => 'patch configmap door --type=json -p [{"op":"copy","from":"/data/code","path":"/data/colour"}]',
      'patch configmap door --type=json -p [{"op":"replace","path":"/data/colour","value":"green"}]',
      codes,
      '{"code":"4711","colour":"red"}',
      '{"code":"4711","colour":"green"}',
    ],
  ])('%s: %s', async (rule, next, refused, other, look, before, after) => {
    const seen = async () => (await at.admin(['-n', at.namespace, ...look.split(' ')])).trim();
    expect(await seen()).toBe(before);
    const lost = agentOf('yes', deaf(kubectl));
    await expect(lost.work(refused(), other)).rejects.toThrow(/that is no refusal/);
    expect(await seen()).toBe(before);
    const { agent, work } = agentOf();
    await work(refused(), other);
    expect(agent.refusals).toMatchObject([{ rule, next, retryable: false }]);
    expect(await seen()).toBe(after);
  });
});
