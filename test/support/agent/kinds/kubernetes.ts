import type { KUBERNETES_REFUSALS } from '../../../../src/protocols/kubernetes/request/refusals.ts';
import type { Kind } from './kind.ts';

type KubernetesRule = keyof typeof KUBERNETES_REFUSALS;

const cluster = (test: string): Kind => ({ file: 'test/cluster/agent.test.ts', test });

/** Of each rule by which a request to a cluster is refused: before a real one. */
export const KUBERNETES_KINDS: Readonly<Record<KubernetesRule, Kind>> = {
  'k8s-shape': cluster('k8s-shape'),
  'k8s-query': cluster('k8s-query'),
  'k8s-body': cluster('k8s-body'),
  'k8s-stream': { never: 'kubectl opens streams by protocols that are carried' },
  'k8s-masked-written': cluster('k8s-masked-written'),
  'k8s-masked-asked': cluster('k8s-masked-asked'),
};
