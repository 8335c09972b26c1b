/** kubectl does and says through the gateway what it does and says past it, in every version. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusterGateway, podOf, podSpec } from '../support/kubernetes/gateway.ts';
import { type Ended, kubectls, newestKubectl, type RunOptions } from '../support/kubernetes/kubectl.ts';
import { eventually } from '../support/waiting.ts';

const POLICY = () => `
@id("all") permit (principal, action in [Action::"connect", Action::"reveal", Action::"k8s"], resource);
@id("no-secrets") forbid (principal, action, resource is KubernetesObject) when { resource.kind == "secrets" };
`;
const COUNTS = { command: ['sh', '-c', 'for i in 1 2 3; do echo line $i; sleep 0.3; done'] };

const directory = mkdtempSync(join(tmpdir(), 'hoop-clients-'));
const editor = join(directory, 'editor');
let at: ClusterGateway;

type Run = (args: readonly string[], options?: RunOptions) => Promise<Ended>;

beforeAll(async () => {
  at = await ClusterGateway.start({ policy: POLICY });
  writeFileSync(editor, '#!/bin/sh\nsed -i "s/replicas: 3/replicas: 4/" "$1"\n');
  chmodSync(editor, 0o755);
  const env = [{ name: 'KEY', value: 'of the pod' }];
  await at.admin(['create', '-f', '-'], JSON.stringify(podOf('box', {}, { env })));
  await at.admin(['create', '-f', '-'], JSON.stringify(podOf('counts', { restartPolicy: 'Never' }, COUNTS)));
  await at.admin(['create', '-f', '-'], JSON.stringify(deployment('seen', 1)));
  await at.admin(['wait', '--for=condition=Ready', 'pod/box', '--timeout=60s']);
  const phase = async () => at.admin(['get', 'pod', 'counts', '-o', 'jsonpath={.status.phase}']);
  await eventually('it has counted', phase, (said) => said === 'Succeeded', {
    withinMs: 60_000,
    everyMs: 250,
  });
});

afterAll(async () => {
  await at?.stop();
  rmSync(directory, { recursive: true, force: true });
});

function deployment(name: string, replicas: number, image = 'localhost/box:1'): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: podSpec({}, { image }) };
  const spec = { replicas, selector: { matchLabels: labels }, template };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, labels }, spec };
}

/** What a controller would have made of a deployment, had there been one: a set of its own for each of its revisions, the last one of now. */
async function revisionsOf(name: string, ...images: readonly string[]): Promise<void> {
  const { metadata, spec } = JSON.parse(await at.admin(['get', 'deployment', name, '-o', 'json'])) as {
    readonly metadata: { readonly uid: string };
    readonly spec: { readonly selector: { readonly matchLabels: Readonly<Record<string, string>> } };
  };
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name, uid: metadata.uid, controller: true };
  for (const [index, image] of images.entries()) {
    const labels = { ...spec.selector.matchLabels, 'pod-template-hash': `${index}` };
    const annotations = { 'deployment.kubernetes.io/revision': `${index + 1}` };
    const template = { metadata: { labels }, spec: podSpec({}, { image }) };
    const set = { name: `${name}-${index}`, labels, annotations, ownerReferences: [owner] };
    const made = { replicas: 0, selector: { matchLabels: labels }, template };
    const object = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: set, spec: made };
    await at.admin(['create', '-f', '-'], JSON.stringify(object));
  }
}

/** As long ago as it is, and what each making gives anew. */
function steady(text: string, name = ''): string {
  const same = text
    .replaceAll(/\b(?:\d+[smh])+\b/g, 'AGE')
    .replaceAll(/ {2,}/g, '  ')
    .replaceAll(/"?(?:resourceVersion|uid|generation|time|restartedAt)"?: .*/g, '')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME')
    .replaceAll(/\/tmp\/(?:LIVE|MERGED)-\d+/g, 'FILE')
    .replaceAll(/^(?:---|\+\+\+).*$/gm, '')
    .replaceAll(/^diff .*$/gm, '');
  return name === '' ? same : same.replaceAll(name, 'NAME');
}

describe.each(kubectls())('kubectl $version', ({ path, version }) => {
  const through: Run = (args, options) => at.kubectl(args, options, path);
  const direct: Run = (args, options) => at.direct(args, options, path);
  const id = version.replace('.', '-');

  it.each([
    ['get', 'pods'],
    ['get', 'pods', '-o', 'wide', '--show-labels'],
    ['get', 'pod', 'box', '-o', 'yaml'],
    ['get', 'pods', '-o', 'json'],
    ['get', 'pods,deployments', '-o', 'name'],
    ['get', 'all'],
    ['get', 'pods', '-o', 'jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}'],
    ['get', 'pods', '-o', 'custom-columns=NAME:.metadata.name,NODE:.spec.nodeName'],
    ['get', 'pods', '-o', 'go-template={{len .items}}'],
    ['get', 'pods', '--field-selector=metadata.name=box', '--sort-by=.metadata.name'],
    ['get', 'pods', '-l', 'app=nobody'],
    ['get', 'pods', '--chunk-size=1'],
    ['get', 'pod', 'nobody'],
    ['get', '--raw', '/version'],
    ['get', 'namespaces', '-A'],
    ['get', 'nodes', '-o', 'wide'],
    ['get', 'gadgets'],
    ['describe', 'pod', 'box'],
    ['describe', 'deployment', 'seen'],
    ['explain', 'pod.spec.containers'],
    ['explain', 'deployments', '--recursive'],
    ['api-resources', '-o', 'name'],
    ['api-versions'],
    ['logs', 'counts'],
    ['logs', 'counts', '--tail=1', '--timestamps=false'],
    ['logs', '-f', 'counts'],
    ['logs', 'box', '-c', 'nobody'],
    ['wait', '--for=condition=Ready', 'pod/box', '--timeout=5s'],
    ['wait', '--for=condition=Ready', 'pod/counts', '--timeout=1s'],
    ['top', 'pods'],
    ['rollout', 'history', 'deployment/seen'],
    ['rollout', 'undo', 'deployment/seen'],
    ['set', 'env', 'pod/box', '--list'],
    ['exec', 'box', '--', 'hostname'],
    ['auth', 'can-i', 'get', 'pods'],
    ['create', 'deployment', 'dry', '--image=x', '--dry-run=server', '-o', 'name'],
  ])('%s %s %s %s', async (...args) => {
    const [ours, theirs] = [await through(args), await direct(args)];
    expect({ ...ours, stdout: steady(ours.stdout), stderr: steady(ours.stderr) }).toEqual({
      ...theirs,
      stdout: steady(theirs.stdout),
      stderr: steady(theirs.stderr),
    });
  });

  it('goes back to a revision, and tells which there are', async () => {
    const undone = async (kubectl: Run, name: string) => {
      await at.admin(['create', '-f', '-'], JSON.stringify(deployment(name, 0, 'localhost/box:2')));
      await revisionsOf(name, 'localhost/box:1', 'localhost/box:2');
      const said: Ended[] = [];
      for (const args of [
        ['rollout', 'history', `deployment/${name}`],
        ['rollout', 'history', `deployment/${name}`, '--revision=1'],
        ['rollout', 'undo', `deployment/${name}`],
        ['get', 'deployment', name, '-o', 'jsonpath={.spec.template.spec.containers[0].image}'],
        ['rollout', 'undo', `deployment/${name}`, '--to-revision=2'],
        ['get', 'deployment', name, '-o', 'jsonpath={.spec.template.spec.containers[0].image}'],
        ['rollout', 'undo', `deployment/${name}`, '--to-revision=7'],
      ]) {
        const { code, stdout, stderr } = await kubectl(args);
        said.push({ code, stdout: steady(stdout, name), stderr: steady(stderr, name) });
      }
      return said;
    };
    const [ours, theirs] = [await undone(through, `back-${id}`), await undone(direct, `gone-${id}`)];
    expect(ours).toEqual(theirs);
    expect(ours.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0, 1]);
    expect([ours[3]?.stdout, ours[5]?.stdout]).toEqual(['localhost/box:1', 'localhost/box:2']);
  });

  it('changes a deployment in every way', async () => {
    const ours = await lifeOf(through, `ours-${id}`);
    const theirs = await lifeOf(direct, `their-${id}`);
    expect(ours).toEqual(theirs);
    expect(ours.filter(({ what }) => what === 'delete')).toMatchObject([{ code: 0 }]);
  });
});

/** What kubectl says in the life of one. */
async function lifeOf(kubectl: Run, name: string) {
  const object = `deployment/${name}`;
  const steps: readonly [what: string, args: readonly string[], options?: RunOptions][] = [
    ['apply', ['apply', '-f', '-'], { input: JSON.stringify(deployment(name, 1)) }],
    ['the same', ['apply', '-f', '-'], { input: JSON.stringify(deployment(name, 1)) }],
    ['diff', ['diff', '-f', '-'], { input: JSON.stringify(deployment(name, 2)) }],
    ['more', ['apply', '-f', '-'], { input: JSON.stringify(deployment(name, 2)) }],
    [
      'server-side',
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      { input: JSON.stringify(deployment(name, 2)) },
    ],
    ['label', ['label', object, 'tier=web']],
    ['annotate', ['annotate', object, 'why=because']],
    ['scale', ['scale', object, '--replicas=3']],
    ['edit', ['edit', object], { env: { EDITOR: editor } }],
    ['replicas', ['get', object, '-o', 'jsonpath={.spec.replicas}']],
    ['image', ['set', 'image', object, 'box=localhost/box:2']],
    ['patch', ['patch', object, '--type=json', '-p', '[{"op":"replace","path":"/spec/replicas","value":0}]']],
    ['restart', ['rollout', 'restart', object]],
    ['status', ['rollout', 'status', object, '--timeout=1s']],
    ['pause', ['rollout', 'pause', object]],
    ['replace', ['replace', '-f', '-'], { input: JSON.stringify(deployment(name, 0)) }],
    ['delete', ['delete', object, '--wait', '--timeout=20s']],
    ['gone', ['get', object]],
  ];
  const said: { what: string; code: number | null; stdout: string; stderr: string }[] = [];
  for (const [what, args, options] of steps) {
    const { code, stdout, stderr } = await kubectl(args, options);
    said.push({ what, code, stdout: steady(stdout, name), stderr: steady(stderr, name) });
  }
  return said;
}

describe.each([kubectls()[0]!, newestKubectl()])('kubectl $version', ({ path, version }) => {
  const env = () => ({ ...process.env, KUBECONFIG: at.kubeconfig, HOME: at.gateway.dir });

  it('watches', async () => {
    const child = spawn(path, ['-n', at.namespace, 'get', 'pods', '-w', '-o', 'name'], { env: env() });
    let said = '';
    child.stdout.on('data', (text) => (said += text));
    const times = () => said.split('\n').filter((line) => line === 'pod/box').length;
    try {
      await eventually('it is listed', times, (count) => count === 1);
      await at.admin(['label', 'pod', 'box', `seen-${version}=${Date.now()}`, '--overwrite']);
      await eventually('its change is told', times, (count) => count === 2);
    } finally {
      child.kill();
      await once(child, 'close');
    }
  });

  it('serves a proxy, in which each request is decided', async () => {
    const child = spawn(path, ['proxy', '--port=0'], { env: env() });
    let said = '';
    child.stdout.on('data', (text) => (said += text));
    const port = () => /127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    try {
      await eventually('it serves', port, (one) => one !== undefined);
      const ask = (kind: string) =>
        fetch(`http://127.0.0.1:${port()}/api/v1/namespaces/${at.namespace}/${kind}`);
      expect((await ask('pods')).status).toBe(200);
      const denied = await ask('secrets/x');
      expect(denied.status).toBe(403);
      expect(await denied.json()).toMatchObject({ hoop: { rule: 'no-secrets' } });
    } finally {
      child.kill();
      await once(child, 'close');
    }
  });
});
