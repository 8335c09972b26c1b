/** K19: what somebody may do, as they ask it. */
import { answer } from '../../../support/http/messages.ts';
import { statusOf } from '../../../support/http/raw-http.ts';
import { must } from '../../attack.ts';
import { kept, servesOn } from '../attack.ts';
import type { Asked, KubernetesAttack, KubernetesGroup, KubernetesWorld } from '../world.ts';

const AUTHORIZATION = '/apis/authorization.k8s.io/v1';

const asks = (kind: string, spec: object): Asked => ({
  method: 'POST',
  target: `${AUTHORIZATION}/${kind}`,
  body: JSON.stringify({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec }),
});
const about = (verb: string, resource: string, more: object = {}) =>
  asks('selfsubjectaccessreviews', {
    resourceAttributes: { verb, resource, namespace: 'NS', ...more },
  });
const at = (verb: string, path: string) =>
  asks('selfsubjectaccessreviews', { nonResourceAttributes: { verb, path } });

/** Groups of others: a kind of the one lies in namespaces, that of another in none, and of the third nothing is told. */
const [WITHIN, BESIDE, SILENT] = ['metrics.k8s.io', 'beside.example', 'silent.example'];

/** What a cluster tells of the kinds that it has. */
function discovered(path: string): readonly Buffer[] {
  const json = ['Content-Type: application/json'];
  const [, , group = '', version] = path.split('/');
  if (group === SILENT) return [answer('503 Service Unavailable', json, '{}')];
  const versions = { kind: 'APIGroup', versions: [{ version: 'v1' }], preferredVersion: { version: 'v1' } };
  const resources = [{ name: 'pods', namespaced: group !== BESIDE }];
  return [answer('200 OK', json, JSON.stringify(version === undefined ? versions : { resources }))];
}

/** A cluster that permits everything to the gateway. */
function permits(world: KubernetesWorld): void {
  if (!world.isRecording) return;
  world.upstream.answer = ({ start, body }) => {
    const [method, path = ''] = start.split(' ');
    if (method === 'GET') return discovered(path);
    const asked = JSON.parse(body.toString()) as object;
    const told = JSON.stringify({ ...asked, status: { allowed: true, reason: 'all of it' } });
    return [answer('201 Created', ['Content-Type: application/json'], told)];
  };
}

/** What the cluster says yes to, and what of that the gateway passes on. */
function said(what: string, asked: Asked, yes: boolean): KubernetesAttack {
  return {
    case: `${what}: ${yes ? 'yes' : 'no'}`,
    at: 'both',
    run: async (world) => {
      const allowedIn = (text: string) =>
        (JSON.parse(text) as { status: { allowed: boolean } }).status.allowed;
      permits(world);
      const direct = await world.admin(asked);
      must(allowedIn(direct.body.toString()), `dead: the cluster says no: ${direct.body}`);
      world.closeClients();
      permits(world);
      const [answered] = await (await world.through(asked)).answered();
      must(answered !== undefined && statusOf(answered) === 201, `it is answered ${answered?.start}`);
      must(allowedIn(answered.body.toString()) === yes, `it is answered ${answered.body}`);
      await servesOn(world);
    },
  };
}

/** The same, of a cluster that has such a kind. */
const told: typeof said = (...trial) => ({ ...said(...trial), at: 'recording' });

/** A list of rights has none that policy has not. */
const listed: KubernetesAttack = {
  case: 'a list of rights has none of the gateway that are not its asker’s',
  run: async (world) => {
    const rules = [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['get', 'list', 'delete'], apiGroups: [''], resources: ['pods', 'secrets'] },
    ];
    const body = JSON.stringify({
      kind: 'SelfSubjectRulesReview',
      status: {
        resourceRules: rules,
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        incomplete: false,
      },
    });
    world.upstream.answer = () => [answer('201 Created', ['Content-Type: application/json'], body)];
    const [answered] = await (
      await world.through(asks('selfsubjectrulesreviews', { namespace: 'NS' }))
    ).answered();
    must(answered !== undefined && statusOf(answered) === 201, `it is answered ${answered?.start}`);
    const { status } = JSON.parse(answered.body.toString()) as {
      readonly status: {
        readonly resourceRules: readonly { readonly verbs: string[]; readonly resources: string[] }[];
      };
    };
    const told = status.resourceRules.flatMap(({ verbs, resources }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
    );
    must(told.includes('get pods'), `dead: ${answered.body}`);
    const more = told.find((one) => !['get pods', 'list pods', 'watch pods'].includes(one));
    must(more === undefined, `it has ${more}`);
  },
};

export const K19: KubernetesGroup = {
  id: 'K19',
  attacks: [
    said('get pods', about('get', 'pods'), true),
    said('list pods', about('list', 'pods', { version: 'v1' }), true),
    said('get a log', about('get', 'pods', { subresource: 'log' }), true),
    said('get /version', at('get', '/version'), true),
    said('delete pods', about('delete', 'pods'), false),
    said('every verb of pods', about('*', 'pods'), false),
    said('everything', about('*', '*', { group: '*' }), false),
    said('get Secrets', about('get', 'secrets'), false),
    said('get one Secret', about('get', 'secrets', { name: 'db' }), false),
    said('get pods of all namespaces', about('get', 'pods', { namespace: '' }), false),
    said('get pods of another namespace', about('get', 'pods', { namespace: 'kube-system' }), false),
    said('exec', about('create', 'pods', { subresource: 'exec' }), false),
    said('exec by get', about('get', 'pods', { subresource: 'exec' }), false),
    said('any part of pods', about('get', 'pods', { subresource: '*' }), false),
    said('pods of another group', about('get', 'pods', { group: WITHIN }), true),
    told('pods of another group that lie in no namespace', about('get', 'pods', { group: BESIDE }), false),
    told('pods of a group of which nothing is told', about('get', 'pods', { group: SILENT }), false),
    said('impersonate', about('impersonate', 'users'), false),
    said('bind', about('bind', 'clusterroles', { group: 'rbac.authorization.k8s.io' }), false),
    said('get /metrics', at('get', '/metrics'), false),
    said('get any path', at('get', '*'), false),
    said('post /version', at('post', '/version'), false),
    listed,
    ...['subjectaccessreviews', 'namespaces/NS/localsubjectaccessreviews'].map((kind) =>
      kept(
        `what others may: ${kind}`,
        asks(kind, { user: 'admin', resourceAttributes: { verb: 'get', resource: 'pods' } }),
      ),
    ),
    kept('whose a token is', {
      method: 'POST',
      target: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: '{"spec":{"token":"a"}}',
    }),
    kept('a question that is there twice', {
      ...about('get', 'pods'),
      body: '{"spec":{"resourceAttributes":{"verb":"get","verb":"delete","resource":"pods"}}}',
    }),
  ],
};
