/** K6, K7: who asks, as a client would have it. */
import { chunked } from '../../../support/http/messages.ts';
import { statusOf } from '../../../support/http/raw-http.ts';
import { must } from '../../attack.ts';
import { harmless, kept, sentHeaders, servesOn } from '../attack.ts';
import type { Asked, KubernetesAttack, KubernetesGroup, KubernetesWorld } from '../world.ts';

const PODS = '/api/v1/namespaces/NS/pods';

/** Headers by which a cluster, or a proxy before it, is told who asks. */
const PERSONS: readonly (readonly string[])[] = [
  ['Impersonate-User: system:admin'],
  ['impersonate-user: system:admin', 'impersonate-group: system:masters'],
  ['IMPERSONATE-USER: system:admin'],
  ['Impersonate-User: system:admin', 'Impersonate-User: system:anonymous'],
  ['Impersonate-User: system:admin '],
  ['Impersonate-User:\tsystem:admin'],
  ['Impersonate-Group: system:masters'],
  ['Impersonate-Uid: 0'],
  ['Impersonate-Extra-scopes: all'],
  ['Impersonate-Extra-acme.com%2Fproject: other'],
  ['Impersonate-Extra-: x'],
  ['X-Remote-User: system:admin', 'X-Remote-Group: system:masters'],
  ['X-Remote-Extra-Scopes: all'],
  ['Impersonate_User: system:admin'],
  ['Impersonate_Group: system:masters', 'Impersonate-User: x'],
  ['X_Remote_User: system:admin'],
  ['Impersonate-User: system:serviceaccount:kube-system:default', 'Connection: close'],
];

/** Whatever they are written as, two servers read them in two ways. */
const MALFORMED: readonly (readonly string[])[] = [
  ['Impersonate-User : system:admin'],
  [' Impersonate-User: system:admin'],
  ['X-A: 1', ' Impersonate-User: system:admin'],
  ['Impersonate-User: system:admin\0'],
  ['Impersonate-User: a\rImpersonate-Group: system:masters'],
  ['Impersonate-User: a\nImpersonate-Group: system:masters'],
  ['Connection: Impersonate-User', 'Impersonate-User: system:admin'],
  ['Connection: close, Authorization'],
];

function strips(lines: readonly string[]): KubernetesAttack {
  return harmless(`${lines.join(' ')} goes no further`, { target: PODS, lines }, (world) => {
    const heard = world.upstream.heard.flatMap(({ headers }) => headers.map(([name]) => name));
    const left = heard.find((name) => /^(?:impersonate|x.remote)/i.test(name));
    must(left === undefined, `the cluster hears ${left}`);
  });
}

/** A real cluster that heard it would answer for somebody who may nothing: it is answered for hoopd. */
function unheard(lines: readonly string[]): KubernetesAttack {
  return {
    case: `${lines.join(' ')}: it is hoopd who is answered`,
    at: 'server',
    run: async (world) => {
      const direct = await world.admin({ target: PODS, lines });
      must(statusOf(direct) === 403, `dead: ${direct.start}`);
      const [answer] = await (await world.through({ target: PODS, lines })).answered();
      must(answer !== undefined && statusOf(answer) === 200, `it is answered ${answer?.start}`);
    },
  };
}

/** Behind a body, where trailers stand. */
const inTrailers: KubernetesAttack = {
  case: 'behind a body, as trailers',
  run: async (world) => {
    const whole = chunked('', [], '{}').toString('latin1');
    const body = whole.slice(whole.indexOf('\r\n\r\n') + 4).replace(/0\r\n\r\n$/, '');
    const asked: Asked = {
      method: 'GET',
      target: PODS,
      lines: ['Transfer-Encoding: chunked', 'TE: trailers'],
    };
    const client = await world.through(asked);
    client.send(`${body}0\r\nImpersonate-User: system:admin\r\nImpersonate-Group: system:masters\r\n\r\n`);
    const [answer] = await client.answered();
    must(answer !== undefined, 'no answer came');
    must(!/impersonate/i.test(world.sent.toString('latin1')), `the cluster is sent ${world.sent}`);
    await servesOn(world);
  },
};

export const K6: KubernetesGroup = {
  id: 'K6',
  attacks: [
    ...PERSONS.map(strips),
    ...MALFORMED.map((lines) =>
      kept(`${JSON.stringify(lines.join(' '))} is malformed`, { target: PODS, lines }, { live: false }),
    ),
    unheard(['Impersonate-User: nobody']),
    unheard(['Impersonate-User: system:serviceaccount:NS:default']),
    unheard(['impersonate-user: nobody', 'impersonate-group: nobodies', 'Impersonate-Extra-a: b']),
    inTrailers,
  ],
};

/** Where the cluster is asked in the name of whoever asks, it hears that name, and no other. */
function onlyOwn(lines: readonly string[]): KubernetesAttack {
  return {
    case: `${lines.join(' ')}: the cluster hears whom the gateway names`,
    run: async (world) => {
      const [answer] = await (await world.through({ target: PODS, lines })).answered();
      must(answer !== undefined && statusOf(answer) === 200, `it is answered ${answer?.start}`);
      const users = sentHeaders(world, 'impersonate-user');
      const groups = sentHeaders(world, 'impersonate-group');
      must(users.length === 1 && users[0]!.startsWith('hoop:dana'), `the user is ${users.join()}`);
      must(
        groups.length > 0 && groups.every((one) => one.startsWith('hoop:')),
        `the groups are ${groups.join()}`,
      );
      const names = world.upstream.heard.flatMap(({ headers }) =>
        headers.map(([name]) => name.toLowerCase()),
      );
      const other = names.find((name) => /^impersonate(?!-(?:user|group)$)|^x.remote/.test(name));
      must(other === undefined, `the cluster hears ${other}`);
      await servesOn(world);
    },
  };
}

export const K6_NAMED: KubernetesGroup = {
  id: 'K6',
  impersonate: "{ user: 'hoop:{name}', groups: 'hoop:{group}' }",
  attacks: PERSONS.map(onlyOwn),
};

/** The cluster hears the one credential that is hoopd's, and nothing of a client's own. */
async function mustHearOwn(world: KubernetesWorld, foreign: string): Promise<void> {
  const heard = sentHeaders(world, 'authorization');
  must(
    heard.length > 0 && heard.every((one) => one === `Bearer ${world.token}`),
    `the cluster hears ${heard.join()}`,
  );
  must(!world.sent.includes(foreign), `the cluster hears ${world.sent.toString('latin1')}`);
  must(!world.sent.includes(world.cluster.local.secret), 'the cluster hears the secret of the tunnel');
  await servesOn(world);
}

const FOREIGN = 'b3RoZXItdG9rZW4tb3RoZXItdG9rZW4';

/** What a client shows beside the tunnel's token. */
function shows(...lines: readonly string[]): KubernetesAttack {
  return {
    case: `${lines.join(' ')} goes no further`,
    run: async (world) => {
      await (await world.direct({ target: PODS, lines })).answered();
      must(world.sent.includes(FOREIGN), 'dead: it is not heard');
      world.closeClients();
      const [answer] = await (await world.through({ target: PODS, lines })).answered();
      must(answer !== undefined && statusOf(answer) === 200, `it is answered ${answer?.start}`);
      await mustHearOwn(world, FOREIGN);
    },
  };
}

/** What is shown in the place of the tunnel's token lets nobody in. */
function letsNobodyIn(what: string, ...auth: readonly string[]): KubernetesAttack {
  return {
    case: `${what} lets nobody in`,
    run: async (world) => {
      const own = auth.map((line) => line.replaceAll('CLUSTER', world.token));
      const client = await world.send(world.cluster.local.port, { target: PODS }, ...own);
      const [answer] = await client.answered();
      must(world.sent.length === 0, `the cluster is sent ${world.sent.toString('latin1')}`);
      must(
        answer !== undefined && [400, 401, 403].includes(statusOf(answer)),
        `it is answered ${answer?.start}`,
      );
      must(!client.received.includes(world.token), 'the client is shown the credential of hoopd');
      await servesOn(world);
    },
  };
}

export const K7: KubernetesGroup = {
  id: 'K7',
  attacks: [
    shows(`Cookie: token=${FOREIGN}`),
    shows(`X-Auth-Token: ${FOREIGN}`),
    shows(`X-Access-Token: ${FOREIGN}`),
    shows(`Proxy-Authorization: Bearer ${FOREIGN}`),
    shows(`X-Forwarded-Client-Cert: Hash=${FOREIGN}`),
    shows(`X-SSL-Client-Cert: ${FOREIGN}`),
    shows(`Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.${FOREIGN}`),
    kept('?access_token=', { target: `${PODS}?access_token=${FOREIGN}` }, { live: false, rule: 'k8s-query' }),
    kept(
      '?access_token= beside others',
      { target: `${PODS}?limit=1&access_token=${FOREIGN}` },
      { live: false },
    ),
    kept('?%61ccess_token=', { target: `${PODS}?%61ccess_token=${FOREIGN}` }, { live: false }),
    kept(
      'two of Authorization',
      { target: PODS, lines: [`Authorization: Bearer ${FOREIGN}`] },
      { live: false, status: [400, 401] },
    ),
    letsNobodyIn('nothing at all'),
    letsNobodyIn('another token', `Authorization: Bearer ${FOREIGN}`),
    letsNobodyIn("hoopd's own token", 'Authorization: Bearer CLUSTER'),
    letsNobodyIn('an empty one', 'Authorization: Bearer '),
    letsNobodyIn('no scheme', `Authorization: ${FOREIGN}`),
    letsNobodyIn(
      'a token as of a WebSocket',
      `Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.${FOREIGN}`,
    ),
    letsNobodyIn('a person', 'X-Remote-User: system:admin', 'Impersonate-User: system:admin'),
    {
      case: 'the token of the tunnel by Bearer, as kubectl shows it, is let in and goes no further',
      run: async (world) => {
        const { local } = world.cluster;
        const client = await world.send(
          local.port,
          { target: PODS },
          `Authorization: Bearer ${local.secret}`,
        );
        const [answer] = await client.answered();
        must(answer !== undefined && statusOf(answer) === 200, `it is answered ${answer?.start}`);
        await mustHearOwn(world, FOREIGN);
      },
    },
  ],
};
