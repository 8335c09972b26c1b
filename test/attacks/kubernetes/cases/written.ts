/** K14: what is changed, and by which verb. */
import { statusOf } from '../../../support/http/raw-http.ts';
import { must } from '../../attack.ts';
import { harmless, kept, served, servesOn } from '../attack.ts';
import type { Asked, KubernetesAttack, KubernetesGroup, Place } from '../world.ts';

const NS = '/api/v1/namespaces/NS';
const MAPS = `${NS}/configmaps`;
const SETTINGS = `${MAPS}/settings`;
const APPS = '/apis/apps/v1/namespaces/NS';
const DRY = 'dryRun=All';
const LABEL = '{"metadata":{"labels":{"a":"b"}}}';
const MAP = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"a":"b"}}';

/** Each form of a patch, as clients send it. */
const PATCHES: readonly (readonly [type: string, query: string, body: string, at?: Place])[] = [
  ['application/merge-patch+json', '', LABEL, 'both'],
  ['application/strategic-merge-patch+json', '', LABEL, 'both'],
  ['application/json-patch+json', '', '[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]', 'both'],
  ['application/apply-patch+yaml', '&fieldManager=a', MAP, 'both'],
  ['application/apply-patch+yaml', '&fieldManager=a&force=true', MAP, 'both'],
  [
    'application/apply-patch+yaml',
    '&fieldManager=a',
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n',
    'both',
  ],
  ['application/apply-patch+cbor', '&fieldManager=a', '\u00a0'],
  ['application/json', '', LABEL],
  ['application/x-unknown', '', LABEL],
];

const patch = (target: string) =>
  PATCHES.map(([type, query, body, at]): readonly [string, Asked, Place | undefined] => [
    `${type}${query} of ${target}`,
    { method: 'PATCH', target: `${target}?${DRY}${query}`, type, body },
    at,
  ]);

/** What changes something, with what it is called. */
const WRITES: readonly (readonly [what: string, asked: Asked, at?: Place | undefined])[] = [
  ...patch(SETTINGS),
  ['a deletion', { method: 'DELETE', target: `${SETTINGS}?${DRY}` }, 'both'],
  ['a deletion that leaves no trace in the query', { method: 'DELETE', target: SETTINGS }],
  ['a deletion with options', { method: 'DELETE', target: SETTINGS, body: '{"dryRun":["All"]}' }, 'both'],
  ['a deletion of all', { method: 'DELETE', target: `${MAPS}?${DRY}` }, 'both'],
  [
    'a deletion of all that a selector has',
    { method: 'DELETE', target: `${MAPS}?${DRY}&labelSelector=a%3Db` },
    'both',
  ],
  ['a deletion of all pods', { method: 'DELETE', target: `${NS}/pods?${DRY}&gracePeriodSeconds=0` }, 'both'],
  [
    'a deletion of a pod',
    { method: 'DELETE', target: `${NS}/pods/web?${DRY}&propagationPolicy=Orphan` },
    'both',
  ],
  ['an update', { method: 'PUT', target: `${SETTINGS}?${DRY}`, body: MAP }, 'both'],
  [
    'a creation',
    { method: 'POST', target: `${MAPS}?${DRY}`, body: MAP.replace('settings', 'other') },
    'both',
  ],
  ['a creation under a name in the path', { method: 'POST', target: SETTINGS, body: MAP }],
  ['the status of a pod', { method: 'PUT', target: `${NS}/pods/web/status`, body: '{}' }],
  [
    'the status of a pod by a patch',
    {
      method: 'PATCH',
      target: `${NS}/pods/web/status?${DRY}`,
      type: 'application/merge-patch+json',
      body: '{"status":{"message":"a"}}',
    },
    'both',
  ],
  [
    'how many there are',
    { method: 'PUT', target: `${APPS}/deployments/web/scale`, body: '{"spec":{"replicas":0}}' },
  ],
  [
    'how many there are by a patch',
    {
      method: 'PATCH',
      target: `${APPS}/deployments/web/scale`,
      body: '{"spec":{"replicas":0}}',
      type: 'application/merge-patch+json',
    },
  ],
  [
    'an end of a namespace',
    { method: 'PUT', target: `${NS}/finalize`, body: '{"metadata":{"name":"NS"},"spec":{}}' },
  ],
  ['a namespace', { method: 'DELETE', target: `${NS}?${DRY}` }, 'both'],
  ['an eviction', { method: 'POST', target: `${NS}/pods/web/eviction`, body: '{"metadata":{"name":"web"}}' }],
  ['a binding', { method: 'POST', target: `${NS}/pods/web/binding`, body: '{"target":{"name":"n1"}}' }],
  [
    'more memory',
    { method: 'PATCH', target: `${NS}/pods/web/resize`, body: '{}', type: 'application/merge-patch+json' },
  ],
  [
    'a node that is emptied',
    {
      method: 'PATCH',
      target: `/api/v1/nodes/n1?${DRY}`,
      body: '{"spec":{"unschedulable":true}}',
      type: 'application/merge-patch+json',
    },
    'both',
  ],
];

/** By which some servers take another method. */
const OVERRIDES: readonly (readonly string[])[] = [
  ['X-HTTP-Method-Override: DELETE'],
  ['X-Method-Override: DELETE'],
  ['X-HTTP-Method: DELETE'],
];

/** They may patch settings, and nothing else. */
const PATCH_ONLY = `
@id("connect") permit (principal, action in [Action::"connect", Action::"reveal"], resource);
@id("pods") permit (principal, action in Action::"k8s.read", resource) when { resource in Namespace::"k8s/NS" && resource.kind == "pods" };
@id("patch") permit (principal, action == Action::"k8s.patch", resource is KubernetesObject)
when { resource in Namespace::"k8s/NS" && resource.kind == "configmaps" };
`;

const PATCHED: KubernetesGroup = {
  id: 'K14',
  policy: PATCH_ONLY,
  attacks: [
    ...patch(SETTINGS)
      .filter(([, , at]) => at === 'both')
      .map(([what, asked, at]) => served(`${what}, where patches are permitted`, asked, at)),
    ...WRITES.filter(([, { method }]) => method !== 'PATCH').map(([what, asked, at]) =>
      kept(`${what}, where patches are permitted`, asked, { at }),
    ),
    kept(
      'a patch of a Secret, where those of others are permitted',
      {
        method: 'PATCH',
        target: `${NS}/secrets/db?${DRY}`,
        body: LABEL,
        type: 'application/merge-patch+json',
      },
      { at: 'both' },
    ),
    kept('a patch in another namespace', {
      method: 'PATCH',
      target: `/api/v1/namespaces/kube-system/configmaps/settings`,
      body: LABEL,
      type: 'application/merge-patch+json',
    }),
    kept('a patch of a part', {
      method: 'PATCH',
      target: `${SETTINGS}/status`,
      body: LABEL,
      type: 'application/merge-patch+json',
    }),
    kept('a patch of all', {
      method: 'PATCH',
      target: MAPS,
      body: LABEL,
      type: 'application/merge-patch+json',
    }),
  ],
};

/** They may try anything, and do nothing. */
const DRY_ONLY = `
@id("connect") permit (principal, action in [Action::"connect", Action::"reveal"], resource);
@id("read") permit (principal, action in Action::"k8s.read", resource);
@id("try") permit (principal, action in Action::"k8s.write", resource) when { context.dryRun };
`;

/** A deletion that says in two places whether it is tried. */
const HALF_DRY: readonly (readonly [query: string, body: string])[] = [
  [`?${DRY}`, '{"kind":"DeleteOptions","apiVersion":"v1"}'],
  [`?${DRY}`, '{"kind":"DeleteOptions","apiVersion":"v1","dryRun":[]}'],
  [`?${DRY}`, '{"kind":"DeleteOptions","apiVersion":"v1","dryRun":null}'],
  [`?${DRY}`, '{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}'],
  [`?${DRY}`, '{"kind":"DeleteOptions","apiVersion":"v1","DryRun":["All"]}'],
  [`?${DRY}`, '{"kind":"DeleteOptions","apiVersion":"v1","metadata":{"dryRun":["All"]}}'],
  [`?${DRY}`, 'kind: DeleteOptions\napiVersion: v1\n'],
];

/** Tried by what a rule sees, done by what the server reads: past the gateway it is gone. */
function halfDry(what: string, query: string, body: string, method = 'DELETE'): KubernetesAttack {
  const type = body.startsWith('{') ? 'application/json' : 'application/yaml';
  return {
    case: `${what}: ${query} ${body.replaceAll('\n', ' ')}`,
    at: 'server',
    run: async (world) => {
      const create = async () => {
        const made = await world.admin({
          method: 'POST',
          target: MAPS,
          body: MAP.replace('settings', 'half'),
        });
        must([201, 409].includes(statusOf(made)), `dead: ${made.start}`);
      };
      const there = async () => statusOf(await world.admin({ target: `${MAPS}/half` })) === 200;
      const asked: Asked = { method, target: `${MAPS}/half${query}`, body, type };
      await create();
      const direct = await world.admin(asked);
      must(!(await there()), `dead: it is only tried past the gateway: ${direct.start}`);
      await create();
      const [answer] = await (await world.through(asked)).answered();
      must(await there(), 'it is gone');
      must(answer !== undefined && [400, 403].includes(statusOf(answer)), `it is answered ${answer?.start}`);
      await servesOn(world);
    },
  };
}

/** What is no dry run is done. */
const NO_DRY_RUNS = [
  '',
  '?dryRun=',
  '?dryRun=None',
  '?dryRun=all',
  '?dryRun=true',
  '?dryrun=All',
  '?dryRun=All&dryRun=',
  '?DryRun=All',
];

const TRIED: KubernetesGroup = {
  id: 'K14',
  policy: DRY_ONLY,
  attacks: [
    ...HALF_DRY.map(([query, body]) => halfDry('what the body says is done', query, body)),
    ...NO_DRY_RUNS.flatMap((query) => [
      kept(`DELETE ${query} is not tried but done`, { method: 'DELETE', target: SETTINGS + query }),
      kept(`POST ${query} is not tried but done`, { method: 'POST', target: MAPS + query, body: MAP }),
      kept(`PATCH ${query} is not tried but done`, {
        method: 'PATCH',
        target: SETTINGS + query,
        body: LABEL,
        type: 'application/merge-patch+json',
      }),
    ]),
    kept('options that say it twice', {
      method: 'DELETE',
      target: SETTINGS,
      body: '{"dryRun":["All"],"dryRun":[]}',
    }),
    kept('options that say it in two cases', {
      method: 'DELETE',
      target: SETTINGS,
      body: '{"dryRun":["All"],"DryRun":[]}',
    }),
    kept('options in CBOR', {
      method: 'DELETE',
      target: `${SETTINGS}?${DRY}`,
      body: '\u00a0',
      type: 'application/cbor',
    }),
    ...(
      [
        ['a deletion', { method: 'DELETE', target: `${SETTINGS}?${DRY}` }],
        [
          'a deletion by its body',
          {
            method: 'DELETE',
            target: SETTINGS,
            body: '{"kind":"DeleteOptions","apiVersion":"v1","dryRun":["All"]}',
          },
        ],
        [
          'a patch',
          {
            method: 'PATCH',
            target: `${SETTINGS}?${DRY}`,
            body: LABEL,
            type: 'application/merge-patch+json',
          },
        ],
      ] as const
    ).map(([what, asked]) => served(`${what} that is only tried`, asked, 'both')),
  ],
};

export const K14: readonly KubernetesGroup[] = [
  {
    id: 'K14',
    attacks: [
      ...WRITES.map(([what, asked, at]) => kept(`${what}, where all is read`, asked, { at })),
      ...OVERRIDES.map((lines) => overridden(lines)),
      ...['PROPFIND', 'CONNECT', 'TRACE', 'LINK', 'delete'].map((method) =>
        kept(
          `the method ${method}`,
          { method, target: SETTINGS },
          { live: false, status: [400, 403, 405, 501] },
        ),
      ),
    ],
  },
  PATCHED,
  TRIED,
];

function overridden(lines: readonly string[]): KubernetesAttack {
  const asked: Asked = { target: `${NS}/pods/web`, lines };
  return harmless(
    `${lines.join(' ')} goes no further`,
    asked,
    (world) => {
      must(
        !/override|x-http-method/i.test(world.sent.toString('latin1')),
        'the cluster hears of another method',
      );
    },
    { live: false },
  );
}
