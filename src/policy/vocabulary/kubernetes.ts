import type { ContextKind, VerbRow, VocabularyPart } from './row.ts';

const ASKED: ContextKind = {
  type: 'KubernetesContext',
  facts: `
  // Nothing is to be kept of it: what may be tried may be done, in the cluster's own rules.
  dryRun: Bool,
  // As they stand in the query; empty: there are none.
  fieldSelector: String, labelSelector: String,
  // "application/json"; empty: there is no body. Of a patch it says how it is meant.
  contentType: String,`,
  worstCase: { dryRun: false, fieldSelector: '', labelSelector: '', contentType: '' },
};

const OBJECT = 'KubernetesObject';
const SUBRESOURCE = 'Subresource';

type Words = Pick<VerbRow, 'verb' | 'reads'>;

const verbs = (group: string, on: readonly string[], rows: readonly Words[]): VerbRow[] =>
  rows.map((row) => ({ ...row, group, on, context: ASKED }));

/** What is asked of clusters: what is done to objects, and what runs in them. */
export const KUBERNETES_VOCABULARY: VocabularyPart = {
  name: 'kubernetes',
  groups: { k8s: undefined, 'k8s.read': 'k8s', 'k8s.write': 'k8s', 'k8s.run': 'k8s' },
  entities: `
entity Namespace in [Resource] = { name: String };
// An object by its address; name is empty for all of a kind that a namespace holds, and namespace for all namespaces, or
// for a kind that lies in none. The kind as it stands in the path: "pods", "deployments"; its group: "apps", or "".
entity KubernetesObject in [Namespace, Resource] = { group: String, kind: String, namespace: String, name: String };
// A part of an object that is asked for by itself: "status", "scale", "log", "exec".
entity Subresource in [KubernetesObject] = {
  group: String, kind: String, namespace: String, name: String, subresource: String
};
// A path beside the objects: "/metrics", "/openapi/v2".
entity NonResource in [Resource] = { path: String, segments: Set<String> };
`,
  verbs: [
    ...verbs('k8s.read', [OBJECT, SUBRESOURCE], [{ verb: 'k8s.get', reads: true }]),
    ...verbs(
      'k8s.read',
      [OBJECT],
      [
        { verb: 'k8s.list', reads: true },
        { verb: 'k8s.watch', reads: true },
      ],
    ),
    ...verbs('k8s.read', [SUBRESOURCE], [{ verb: 'k8s.logs', reads: true }]),
    ...verbs(
      'k8s.write',
      [OBJECT, SUBRESOURCE],
      [{ verb: 'k8s.create' }, { verb: 'k8s.update' }, { verb: 'k8s.patch' }, { verb: 'k8s.delete' }],
    ),
    ...verbs('k8s.write', [OBJECT], [{ verb: 'k8s.deletecollection' }]),
    ...verbs('k8s.write', [SUBRESOURCE], [{ verb: 'k8s.evict' }]),
    ...verbs(
      'k8s.run',
      [SUBRESOURCE],
      [
        { verb: 'k8s.exec' },
        { verb: 'k8s.attach' },
        { verb: 'k8s.port-forward' },
        { verb: 'k8s.proxy' },
        { verb: 'k8s.debug' },
      ],
    ),
    // Makes a credential of the cluster's, and shows it.
    ...verbs('k8s', [SUBRESOURCE], [{ verb: 'k8s.token' }]),
    // What every client asks first: which kinds there are, and of which version the cluster is.
    ...verbs(
      'k8s',
      ['NonResource'],
      [
        { verb: 'k8s.discover', reads: true },
        { verb: 'k8s.raw', reads: true },
      ],
    ),
  ],
};
