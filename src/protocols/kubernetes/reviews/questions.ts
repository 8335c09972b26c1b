import type { PolicyObject } from '../../../policy/model.ts';
import type { Weighed } from '../../http/relay/meaning.ts';
import { isRefused } from '../../http/request/refusals.ts';
import type { CleanText } from '../../stream/for-people.ts';
import { nonResource, objectOf, pluralOf } from '../entities.ts';
import { type Json, membersOf, textAt } from '../guards/json.ts';
import { isName, type ObjectAddress, readAddress } from '../request/address.ts';
import { verbOf } from '../request/verb.ts';
import type { KindName, Scope } from './scope.ts';

/** What somebody asks whether they may do: actions, and to what; or why nobody can say it. */
export type AskedAbout =
  | { readonly text: string; readonly of: (cluster: PolicyObject, clean: CleanText) => Weighed }
  | { readonly text: string; readonly unknown: string };

/** Verbs of objects, as rules of clusters have them: ours are called the same. */
const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
/** Done to all of a kind, whatever name stands beside it. */
const OF_ALL: ReadonlySet<string> = new Set(['list', 'watch', 'deletecollection']);
/** By which method a part of an object is asked for. */
const METHODS = { get: 'GET', create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE' } as const;
const ALL = '*';
/** Kinds of the server's own that lie in no namespace: clients name one all the same. */
const CLUSTER_WIDE: ReadonlySet<string> = new Set([
  ...['nodes', 'persistentvolumes', 'componentstatuses'],
  ...['clusterroles', 'clusterrolebindings'].map((kind) => `${kind}.rbac.authorization.k8s.io`),
  ...['storageclasses', 'volumeattachments', 'csidrivers', 'csinodes'].map(
    (kind) => `${kind}.storage.k8s.io`,
  ),
  ...['ingressclasses.networking.k8s.io', 'runtimeclasses.node.k8s.io', 'priorityclasses.scheduling.k8s.io'],
  ...['customresourcedefinitions.apiextensions.k8s.io', 'apiservices.apiregistration.k8s.io'],
  ...['certificatesigningrequests.certificates.k8s.io', 'podsecuritypolicies.policy'],
  ...['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'].map(
    (kind) => `${kind}.admissionregistration.k8s.io`,
  ),
]);

/** Groups of the server's own of which the kinds in no namespace are all in that list. */
const KNOWN_GROUPS: ReadonlySet<string> = new Set([
  ...[
    '',
    'apps',
    'batch',
    'autoscaling',
    'policy',
    'coordination.k8s.io',
    'events.k8s.io',
    'discovery.k8s.io',
  ],
]);

/** The kind that is asked about, where only the cluster knows whether it lies in the namespace that stands beside it. Pure. */
export function kindOfOthers(attributes: Json): KindName | undefined {
  const members = membersOf(attributes);
  const [group, kind, namespace] = [
    textAt(members, 'group'),
    textAt(members, 'resource'),
    textAt(members, 'namespace'),
  ];
  const known = KNOWN_GROUPS.has(group) || CLUSTER_WIDE.has(pluralOf({ group, kind }));
  return known || namespace === '' || [group, kind].includes(ALL) ? undefined : { group, kind };
}

/**
 * Of an object, as `resourceAttributes` of an access review name it. Pure.
 *
 * @param scope Where the kind lies, where it is `kindOfOthers`.
 */
export function aboutObject(attributes: Json, scope: Scope = 'namespace'): AskedAbout {
  const members = membersOf(attributes);
  const [verb, group, kind, subresource] = ['verb', 'group', 'resource', 'subresource'].map((name) =>
    textAt(members, name),
  ) as [string, string, string, string];
  const name = textAt(members, 'name');
  const namespace = scope === 'cluster' ? '' : textAt(members, 'namespace');
  const address = addressOf({ group, version: '', kind, subresource, name, namespace });
  const text = `${verb} ${[pluralOf(address), name, subresource].filter((one) => one !== '').join('/')}${address.namespace === '' ? '' : ` in ${address.namespace}`}`;
  if ([group, kind, subresource].includes(ALL))
    return { text, unknown: 'it answers for one kind at a time: ask for each by its name' };
  if (scope === 'untold')
    return { text, unknown: 'the cluster does not say whether this kind lies in namespaces' };
  if (kind === '' || (name !== '' && !isName(name))) return { text, unknown: 'no object is called so' };
  const actions = actionsOf(verb, address);
  if (actions.length === 0) return { text, unknown: `no request through it is to ${JSON.stringify(verb)}` };
  return {
    text,
    of: (cluster, clean) => ({
      pairs: actions.map((action) => ({
        action,
        object: objectOf(
          cluster,
          OF_ALL.has(action.slice('k8s.'.length)) ? { ...address, name: '' } : address,
          clean,
        ),
      })),
      context: {},
    }),
  };
}

/** Of a path beside the objects, as `nonResourceAttributes` name it. Pure. */
export function aboutPath(attributes: Json): AskedAbout {
  const members = membersOf(attributes);
  const [verb, path] = [textAt(members, 'verb'), textAt(members, 'path')];
  const text = `${verb} ${path}`;
  const segments = path.split('/').filter((one) => one !== '');
  const address = readAddress(segments, false);
  if (isRefused(address) || 'kind' in address || path.includes(ALL) || (verb !== 'get' && verb !== 'head'))
    return { text, unknown: 'it answers for one path at a time, that is read' };
  const action = address.discovery ? 'k8s.discover' : 'k8s.raw';
  return {
    text,
    of: (cluster, clean) => ({
      pairs: [{ action, object: nonResource(cluster, segments, clean) }],
      context: {},
    }),
  };
}

/** A kind that lies in no namespace has none; a namespace lies in itself. */
function addressOf(asked: ObjectAddress): ObjectAddress {
  if (asked.group === '' && asked.kind === 'namespaces') return { ...asked, namespace: asked.name };
  return CLUSTER_WIDE.has(pluralOf(asked)) ? { ...asked, namespace: '' } : asked;
}

function actionsOf(verb: string, address: ObjectAddress): readonly string[] {
  if (address.subresource === '') {
    const all = verb === ALL ? VERBS : VERBS.filter((one) => one === verb);
    return all.map((one) => `k8s.${one}`);
  }
  const methods = Object.entries(METHODS).flatMap(([one, method]) =>
    verb === ALL || verb === one ? [method] : [],
  );
  const actions = methods.map((method) => verbOf({ method, parameters: [] }, address));
  return [...new Set(actions.filter((action) => typeof action === 'string'))];
}
