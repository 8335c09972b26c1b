import type { ContextKind, VerbRow, VocabularyPart, Written } from './row.ts';

/** Images and registries of all containers; capabilities that are added; names of secrets that are mounted or in the environment. */
const POD = `{
    privileged: Bool, hostNetwork: Bool, hostPID: Bool, hostIPC: Bool, hostPaths: Set<String>, hostPorts: Set<Long>,
    capabilities: Set<String>, runsAsRoot: Bool, escalates: Bool, serviceAccount: String,
    images: Set<String>, registries: Set<String>, secrets: Set<String>, nodeName: String
  }`;

const ASKED: ContextKind = {
  type: 'KubernetesContext',
  facts: `
  // Nothing is to be kept of it: what may be tried may be done, in the cluster's own rules.
  dryRun: Bool,
  // As they stand in the query; empty: there are none.
  fieldSelector: String, labelSelector: String,
  // "application/json"; empty: there is no body. Of a patch it says how it is meant.
  contentType: String,
  // Of what is created: the cluster makes a name that begins so; empty: it does not.
  generateName: String,
  // Of the object that is created, or that an update or a patch of what holds pods would make: "app=web".
  labels?: Set<String>,
  // Of the pod that this object is or makes, as written there. Of kinds that hold none nothing is known.
  pod?: ${POD},`,
  worstCase: { dryRun: false, fieldSelector: '', labelSelector: '', contentType: '', generateName: '' },
  recorded: ['dryRun'],
};

/** What is carried into a pod beyond one answer. */
const STREAMED: ContextKind = {
  type: 'KubernetesStreamContext',
  facts: `${ASKED.facts}
  // The command as it is run, word by word: "0=ls", "1=-l". The program, all words behind it, and all of them with one blank
  // between, quoted where they need it.
  argv: Set<String>, program: String, words: Set<String>, command: String,
  // A shell, or what else does what a text among its words says, or its input; and whether that is its input: sh, bash -s.
  shell: Bool, takesCommands: Bool,
  // It is given input, and a terminal.
  stdin: Bool, tty: Bool,
  // Empty: the pod's only one, or its first.
  container: String,
  // Of the pod, that connections go to.
  ports: Set<Long>,`,
  worstCase: {
    ...ASKED.worstCase,
    argv: [],
    program: '',
    words: [],
    command: '',
    shell: true,
    takesCommands: true,
    stdin: true,
    tty: true,
    container: '',
    ports: [],
  },
  recorded: ['dryRun', 'shell', 'takesCommands', 'stdin', 'tty', 'ports'],
  written: { argv: { form: /^\d+=/, like: '"0=ls"' } },
};

/** In paths kinds are plural and in lower case. Of what is singular the well known are told; of others nobody knows. */
const KIND: Written = {
  form: /^(?!(?:pod|node|secret|service|namespace|configmap|deployment|daemonset|statefulset|replicaset|job|cronjob|event|role)$)[^A-Z]*$/,
  like: '"pods"',
};

const OBJECT = 'KubernetesObject';
const SUBRESOURCE = 'Subresource';

type Words = Pick<VerbRow, 'verb' | 'reads'>;

const verbs = (
  group: string,
  on: readonly string[],
  rows: readonly Words[],
  context: ContextKind = ASKED,
): VerbRow[] => rows.map((row) => ({ ...row, group, on, context }));

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
  attributes: { [OBJECT]: { kind: KIND }, [SUBRESOURCE]: { kind: KIND } },
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
        // Beside them: input to what takes commands.
        { verb: 'k8s.shell' },
        { verb: 'k8s.port-forward' },
      ],
      STREAMED,
    ),
    ...verbs('k8s.run', [SUBRESOURCE], [{ verb: 'k8s.proxy' }, { verb: 'k8s.debug' }]),
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
