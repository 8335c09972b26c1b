/** What others have made with the client of Go: Helm, and a program that watches as controllers do. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusterGateway, podOf, podSpec } from '../support/kubernetes/gateway.ts';
import { type RunOptions, runProgram } from '../support/kubernetes/kubectl.ts';
import { buildPrograms } from '../support/kubernetes/programs.ts';

/** With what has to be had and built where nothing is at hand. */
const BUILD_MS = 15 * 60_000;

const POLICY = (see: string) => () =>
  `
@id("use") permit (principal, action in [Action::"connect", Action::"k8s"], resource);
@id("see") permit (principal, action == Action::"reveal", resource) ${see};
@id("confined") forbid (principal, action, resource) when { context has pod && context.pod.privileged };
`;

let directory: string | undefined;
let chart: string;
let at: ClusterGateway;
let masked: ClusterGateway;

beforeAll(async () => {
  directory = await buildPrograms();
  chart = join(directory, 'web');
  writeChart();
  at = await ClusterGateway.start({ policy: POLICY('') });
  masked = await ClusterGateway.start({
    policy: POLICY('unless { resource.tags.contains("secret.kubernetes") }'),
  });
}, BUILD_MS);

afterAll(async () => {
  await at?.stop();
  await masked?.stop();
  if (directory !== undefined) rmSync(directory, { recursive: true });
});

function writeChart(): void {
  mkdirSync(join(chart, 'templates'), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: web\nversion: 1.0.0\n');
  writeFileSync(join(chart, 'values.yaml'), 'replicas: 1\nprivileged: false\n');
  const labels = { app: 'web' };
  const box = { securityContext: { privileged: 'VALUE-privileged' } };
  const objects = {
    deployment: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 'VALUE-replicas',
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec({}, box) },
      },
    },
    secret: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'web' },
      stringData: { password: 'correct-horse' },
    },
  };
  for (const [name, object] of Object.entries(objects)) {
    const text = JSON.stringify(object).replaceAll(/"VALUE-(\w+)"/g, '{{ .Values.$1 }}');
    writeFileSync(join(chart, 'templates', `${name}.yaml`), text);
  }
}

function program(gateway: ClusterGateway, name: string, args: readonly string[], options: RunOptions = {}) {
  const env = { HOME: gateway.gateway.dir, KUBECONFIG: gateway.kubeconfig };
  return runProgram(join(directory ?? '', name), args, { ...options, env });
}

describe('Helm', () => {
  const helm = (...args: string[]) => program(at, 'helm', ['-n', at.namespace, ...args]);
  const replicas = () => at.admin(['get', 'deployment', 'web', '-o', 'jsonpath={.spec.replicas}']);

  it('installs, upgrades, rolls back and lists', async () => {
    const installed = await helm('install', 'web', chart);
    expect(installed, installed.stderr).toMatchObject({ code: 0 });
    expect(await replicas()).toBe('1');
    const upgraded = await helm('upgrade', 'web', chart, '--set', 'replicas=2');
    expect(upgraded, upgraded.stderr).toMatchObject({ code: 0 });
    expect(await replicas()).toBe('2');
    const back = await helm('rollback', 'web', '1');
    expect(back, back.stderr).toMatchObject({ code: 0 });
    expect(await replicas()).toBe('1');
    const { stdout } = await helm('list', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'web', revision: '3', status: 'deployed' }]);
    expect((await helm('history', 'web')).stdout).toContain('Rollback to 1');
  });

  it('is denied what a chart must not be, and leaves it as it was', async () => {
    const { code, stderr } = await helm('upgrade', 'web', chart, '--set', 'privileged=true');
    expect(code).toBe(1);
    expect(stderr).toContain('rule "confined"');
    expect(await at.admin(['get', 'deployment', 'web', '-o', 'yaml'])).toContain('privileged: false');
  });

  it('uninstalls', async () => {
    expect(await helm('uninstall', 'web')).toMatchObject({ code: 0 });
    expect((await at.direct(['get', 'deployment', 'web'])).stderr).toContain('NotFound');
  });

  it('has nothing of releases that are masked, and writes none of that back', async () => {
    const within = (...args: string[]) => program(masked, 'helm', ['-n', masked.namespace, ...args]);
    expect(await within('install', 'web', chart)).toMatchObject({ code: 0 });
    const [shown, changed] = [await within('get', 'all', 'web'), await within('upgrade', 'web', chart)];
    expect(shown.code).not.toBe(0);
    expect(changed.code).not.toBe(0);
    expect(`${shown.stdout}${changed.stdout}${changed.stderr}`).not.toContain('correct-horse');
    const secrets = await masked.admin(['get', 'secrets', '-l', 'owner=helm', '-o', 'yaml']);
    expect(secrets).not.toContain('Kioq');
  });
});

describe.each(['application/json', 'application/vnd.kubernetes.protobuf'])('an informer, in %s', (type) => {
  it.each(['at', 'masked'] as const)('hears of what is made, changed and deleted (%s)', async (name) => {
    const gateway = name === 'at' ? at : masked;
    await gateway.admin(['create', '-f', '-'], JSON.stringify(podOf(`seen-${type.length}`)));
    const { code, stdout, stderr } = await program(gateway, 'informer', [gateway.namespace, type]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^added told=one\nupdated told=two\ndeleted told=two\n[1-9]\d* pods\n$/);
  });
});
