import type { PolicyValue } from '../../../policy/model.ts';
import { type Json, listOf, type Members, membersOf, textAt } from './json.ts';

/** Where the pod stands that an object is or makes, by group and kind. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  '/pods': ['spec'],
  '/podtemplates': ['template', 'spec'],
  '/replicationcontrollers': ['spec', 'template', 'spec'],
  'apps/deployments': ['spec', 'template', 'spec'],
  'apps/statefulsets': ['spec', 'template', 'spec'],
  'apps/daemonsets': ['spec', 'template', 'spec'],
  'apps/replicasets': ['spec', 'template', 'spec'],
  'extensions/deployments': ['spec', 'template', 'spec'],
  'extensions/daemonsets': ['spec', 'template', 'spec'],
  'extensions/replicasets': ['spec', 'template', 'spec'],
  'batch/jobs': ['spec', 'template', 'spec'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'];

/** Whether objects of this kind are pods, or make some. Pure. */
export function holdsPod({ group, kind }: { readonly group: string; readonly kind: string }): boolean {
  return `${group}/${kind}` in PLACES;
}

/**
 * What rules may ask of the pod that an object is or makes, as it is written there: what the cluster adds by itself is not
 * in it. Pure; a member of a type that no server would take is as if it were not there.
 */
export function podFacts(
  of: { readonly group: string; readonly kind: string },
  object: Json,
): Readonly<Record<string, PolicyValue>> | undefined {
  const place = PLACES[`${of.group}/${of.kind}`];
  if (place === undefined) return undefined;
  const spec = place.reduce<Members>((at, name) => membersOf(at[name]), membersOf(object));
  // Before 1.22 those that are added to a pod that runs stood beside its name, in a kind of their own.
  const added = listOf(membersOf(object)['ephemeralContainers']);
  const containers = [...CONTAINERS.flatMap((name) => listOf(spec[name])), ...added].map(membersOf);
  const volumes = listOf(spec['volumes']).map(membersOf);
  const images = [...containers.map((one) => textAt(one, 'image')), ...volumes.map(imageOf)];
  return {
    ...hostFacts(spec, containers, volumes),
    ...userFacts(spec, containers),
    images: distinct(images),
    registries: distinct(images.map(registryOf)),
    secrets: distinct(secretsOf(containers, volumes)),
    nodeName: textAt(spec, 'nodeName'),
  };
}

/** By which it leaves its own confinement. */
function hostFacts(spec: Members, containers: readonly Members[], volumes: readonly Members[]) {
  const contexts = containers.map(({ securityContext }) => membersOf(securityContext));
  const onHost = (context: Members) => membersOf(context['windowsOptions'])['hostProcess'] === true;
  const ports = containers.flatMap((one) => listOf(one['ports']).map((port) => membersOf(port)['hostPort']));
  return {
    privileged:
      onHost(membersOf(spec['securityContext'])) ||
      contexts.some((context) => context['privileged'] === true || onHost(context)),
    hostNetwork: spec['hostNetwork'] === true,
    hostPID: spec['hostPID'] === true,
    hostIPC: spec['hostIPC'] === true,
    hostPaths: distinct(volumes.map(({ hostPath }) => textAt(membersOf(hostPath), 'path'))),
    hostPorts: [...new Set(ports.filter((port) => Number.isSafeInteger(port) && port !== 0))] as number[],
    capabilities: distinct(
      contexts.flatMap(({ capabilities }) => listOf(membersOf(capabilities)['add']).map(asText)),
    ),
  };
}

/** As whom it runs, and what it may become. */
function userFacts(spec: Members, containers: readonly Members[]) {
  const ofPod = membersOf(spec['securityContext']);
  const contexts = containers.map(({ securityContext }) => membersOf(securityContext));
  // Who is not told who they are is who their image says.
  const mayBeRoot = (context: Members) => {
    const user = context['runAsUser'] ?? ofPod['runAsUser'];
    const notRoot = context['runAsNonRoot'] ?? ofPod['runAsNonRoot'];
    return user === 0 || (typeof user !== 'number' && notRoot !== true);
  };
  const account = textAt(spec, 'serviceAccountName') || textAt(spec, 'serviceAccount');
  return {
    runsAsRoot: contexts.some(mayBeRoot),
    escalates: contexts.some(({ allowPrivilegeEscalation }) => allowPrivilegeEscalation !== false),
    serviceAccount: account === '' ? 'default' : account,
  };
}

/** Names of those that it mounts, or has in its environment. */
function secretsOf(containers: readonly Members[], volumes: readonly Members[]): string[] {
  const mounted = volumes.flatMap((volume) => [
    textAt(membersOf(volume['secret']), 'secretName'),
    ...listOf(membersOf(volume['projected'])['sources']).map((source) =>
      textAt(membersOf(membersOf(source)['secret']), 'name'),
    ),
  ]);
  const given = containers.flatMap((one) => [
    ...listOf(one['env']).map((variable) =>
      textAt(membersOf(membersOf(membersOf(variable)['valueFrom'])['secretKeyRef']), 'name'),
    ),
    ...listOf(one['envFrom']).map((source) => textAt(membersOf(membersOf(source)['secretRef']), 'name')),
  ]);
  return [...mounted, ...given];
}

function imageOf({ image }: Members): string {
  return textAt(membersOf(image), 'reference');
}

/**
 * The host that an image is had from, as runtimes read its name.
 *
 * @see https://github.com/distribution/reference
 */
function registryOf(image: string): string {
  if (image === '') return '';
  const [first = '', ...rest] = image.split('/');
  const named = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return named ? first : 'docker.io';
}

function asText(value: Json): string {
  return typeof value === 'string' ? value : '';
}

/** Without what is empty. */
function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].filter((text) => text !== '');
}
