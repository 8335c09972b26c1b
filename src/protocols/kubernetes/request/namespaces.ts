import type { Nearby, Operation } from '../../../enforcement/operation.ts';
import { isLabel, type ObjectAddress } from './address.ts';

/** The server's own kinds that lie in namespaces, as paths name them: asked for across all of them, one can be named. */
const NAMESPACED: ReadonlySet<string> = new Set([
  ...[
    'bindings',
    'configmaps',
    'endpoints',
    'events',
    'limitranges',
    'persistentvolumeclaims',
    'pods',
    'podtemplates',
  ],
  ...['replicationcontrollers', 'resourcequotas', 'secrets', 'serviceaccounts', 'services'],
  ...['controllerrevisions', 'daemonsets', 'deployments', 'replicasets', 'statefulsets'].map(
    (kind) => `${kind}.apps`,
  ),
  ...['cronjobs', 'jobs'].map((kind) => `${kind}.batch`),
  'horizontalpodautoscalers.autoscaling',
  'leases.coordination.k8s.io',
  'endpointslices.discovery.k8s.io',
  'events.events.k8s.io',
  'pods.metrics.k8s.io',
  ...['ingresses', 'networkpolicies'].map((kind) => `${kind}.networking.k8s.io`),
  'poddisruptionbudgets.policy',
  ...['rolebindings', 'roles'].map((kind) => `${kind}.rbac.authorization.k8s.io`),
]);

const LOOKS: ReadonlySet<string> = new Set(['k8s.get', 'k8s.list', 'k8s.watch']);

/**
 * The same in namespaces that rules write; of who looks for namespaces themselves, those. Pure.
 *
 * @param ask What the same asks there; or that verb.
 * @returns Undefined: it lies in none, or nobody knows without asking the cluster.
 */
export function inNamespaces(
  action: string,
  address: ObjectAddress,
  ask: (other: ObjectAddress, action?: string) => Pick<Operation, 'pairs' | 'context'>,
): Nearby | undefined {
  const { group, kind, namespace, name: own, subresource } = address;
  if (kind === 'namespaces' && group === '' && subresource === '' && LOOKS.has(action))
    return {
      action: 'k8s.get',
      at: (name) =>
        isLabel(name) && name !== own ? ask({ ...address, namespace: name, name }, 'k8s.get') : undefined,
      hint: ([first, ...more]) =>
        more.length === 0
          ? `the namespace ${first} is permitted: kubectl -n ${first}`
          : `these namespaces are permitted: kubectl -n ${first}${more.map((name) => `, -n ${name}`).join('')}`,
    };
  const lies = namespace !== '' || NAMESPACED.has(group === '' ? kind : `${kind}.${group}`);
  if (!lies || (kind === 'namespaces' && group === '')) return undefined;
  return {
    at: (name) => (isLabel(name) && name !== namespace ? ask({ ...address, namespace: name }) : undefined),
    hint: ([first, ...more]) =>
      more.length === 0
        ? `it is permitted in the namespace ${first}: kubectl -n ${first}`
        : `it is permitted by namespace: kubectl -n ${first}${more.map((name) => `, -n ${name}`).join('')}`,
  };
}
