/** Streams into pods: what runs there, what is reached there, and what is said behind an upgrade. */
import { SpdyWriter } from '../../../../src/wire/http/spdy/frames.ts';
import { head, type Message } from '../../../support/http/messages.ts';
import { statusOf } from '../../../support/http/raw-http.ts';
import { acceptOf, KEY } from '../../../support/http/raw-websocket.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import type { StreamAttack, StreamWorld } from '../streams-world.ts';

const POD = '/api/v1/namespaces/shop/pods/web-1';
const LS = 'command=ls&command=-l&stdout=true';
const V5 = ['v5.channel.k8s.io'];
const V4 = ['v4.channel.k8s.io'];

type Form = 'websocket' | 'spdy';

/** As a client asks for a stream. */
function asked(form: Form, target: string, spoken: readonly string[], ...more: readonly string[]): string {
  const both = ['Host: localhost', 'Connection: Upgrade', ...more];
  if (form === 'spdy')
    return head(
      `POST ${target} HTTP/1.1`,
      ...both,
      'Upgrade: SPDY/3.1',
      'Content-Length: 0',
      ...spoken.map((one) => `X-Stream-Protocol-Version: ${one}`),
    );
  return head(
    `GET ${target} HTTP/1.1`,
    ...both,
    'Upgrade: websocket',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    ...(spoken.length === 0 ? [] : [`Sec-WebSocket-Protocol: ${spoken.join(', ')}`]),
  );
}

/** A cluster that takes up whatever it is asked for. */
function takesUp({ headers }: Message): string {
  const field = (name: string) => headers.find(([one]) => one.toLowerCase() === name)?.[1];
  const key = field('sec-websocket-key');
  const lines =
    key === undefined
      ? ['Upgrade: SPDY/3.1', `X-Stream-Protocol-Version: ${field('x-stream-protocol-version')}`]
      : [
          'Upgrade: websocket',
          `Sec-WebSocket-Accept: ${acceptOf(key)}`,
          `Sec-WebSocket-Protocol: ${field('sec-websocket-protocol')?.split(',').at(-1)?.trim()}`,
        ];
  return head('HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', ...lines);
}

/** What is permitted is carried, as before. */
async function servesOn(world: StreamWorld): Promise<void> {
  world.clear();
  world.answers = takesUp;
  const client = world.through(asked('websocket', `${POD}/exec?${LS}`, V5, auth(world)));
  const answer = await client.answer();
  must(answer !== undefined && statusOf(answer) === 101, `an honest exec is not carried: ${answer?.start}`);
}

const auth = (world: StreamWorld) => `Authorization: ${world.cluster.local.authorization}`;

/** Taken up where no gateway stands; through it the cluster hears nothing, and the client a refusal. */
function kept(form: Form, target: string, spoken: readonly string[], what = target): StreamAttack {
  return {
    case: `${form}: ${what}`,
    run: async (world) => {
      world.answers = takesUp;
      const live = await world.direct(asked(form, target, spoken)).answer();
      must(live !== undefined && statusOf(live) === 101, `dead: ${live?.start}`);
      world.clear();
      const client = world.through(asked(form, target, spoken, auth(world)));
      const answer = await client.answer();
      const status = answer === undefined ? 0 : statusOf(answer);
      must(status >= 400 && status < 600, `it is answered ${answer?.start}`);
      must(world.heard.length === 0, `the cluster hears ${world.heard.toString('latin1')}`);
      await servesOn(world);
    },
  };
}

const words = (...argv: readonly string[]) =>
  `${POD}/exec?${argv.map((word) => `command=${encodeURIComponent(word)}`).join('&')}&stdout=true`;

const CAT = words('cat', '/srv/a');

/** What waits for people, in one form: nothing of it is heard before their yes, and one yes is good once. */
function waits(form: Form): StreamAttack {
  return {
    case: `${form}: what people are asked for waits for them, each time`,
    run: async (world) => {
      world.answers = takesUp;
      const ask = () => world.through(asked(form, CAT, form === 'spdy' ? V4 : V5, auth(world)));
      for (const time of ['first', 'second']) {
        world.clear();
        const client = ask();
        await eventually(`people are asked the ${time} time`, () => world.pending.length === 1);
        must(
          !client.octets.includes('HTTP/1.1 101') && world.heard.length === 0,
          `the ${time} does not wait`,
        );
        await world.approve(world.pending[0]!);
        const answer = await client.answer();
        must(answer !== undefined && statusOf(answer) === 101, `dead: it is answered ${answer?.start}`);
        must(world.heard.includes('command=cat'), 'dead: it is not heard');
      }
      await servesOn(world);
    },
  };
}

/** Who leaves is not asked for any more. */
const leaves: StreamAttack = {
  case: 'websocket: who leaves while people are asked has nothing done',
  run: async (world) => {
    world.answers = takesUp;
    const client = world.through(asked('websocket', CAT, V5, auth(world)));
    await eventually('people are asked', () => world.pending.length === 1);
    const [id] = world.pending;
    client.socket.destroy();
    await eventually('people are asked no more', () => world.pending.length === 0);
    await world.approve(id!).catch(() => undefined);
    await servesOn(world);
    must(!world.heard.includes('command=cat'), 'it is done all the same');
  },
};

export const K1: readonly StreamAttack[] = [
  waits('websocket'),
  leaves,
  kept('websocket', words('rm', '-rf', '/'), V5),
  kept('websocket', words('rm', '-rf', '/'), V4),
  kept('websocket', `${POD}/exec?${LS}`, ['v3.channel.k8s.io'], 'a subprotocol that nobody reads'),
  kept('websocket', `${POD}/exec?${LS}`, ['base64.channel.k8s.io'], 'another, in base64'),
];

export const K2: readonly StreamAttack[] = [
  waits('spdy'),
  kept('spdy', words('rm', '-rf', '/'), V4),
  kept('spdy', `${POD}/exec?${LS}`, ['v3.channel.k8s.io'], 'an older version'),
  kept('spdy', `${POD}/exec?${LS}`, ['portforward.k8s.io'], 'the version of another stream'),
];

export const K3: readonly StreamAttack[] = [
  words('sh', '-c', 'ls -l'),
  words('ls -l'),
  words('-l', 'ls'),
  words('ls', '-l', ''),
  words('', 'ls', '-l'),
  words('ls', '-l', ';', 'rm'),
  words('ls;rm', '-l'),
  words('/bin/ls', '-l'),
  words('env', 'ls', '-l'),
  words('LS', '-l'),
  words('ls', '-l '),
  words('ls', '−l'),
  `${POD}/exec?command=ls+-l`,
  `${POD}/exec?command=ls&Command=-l`,
  `${POD}/exec?${LS}&stdin=true&tty=true`,
  `${POD}/exec?${LS}&stdin=`,
  `${POD}/exec?${LS}&stdin=false&stdin=true`,
  `${POD}/exec?stdout=true`,
].map((target) => kept('websocket', target, V5));

const NODE = '/api/v1/nodes/n1/proxy';

/** Behind a proxy a connection leads to what runs on a node. */
export const K5: readonly StreamAttack[] = [
  kept('websocket', `${NODE}/exec/shop/web-1/box?command=id&output=1`, V4),
  kept('websocket', `${NODE}/attach/shop/web-1/box?output=1`, V4),
  kept('websocket', `${NODE}/portForward/shop/web-1?port=22`, V4),
  kept('websocket', '/api/v1/nodes/https:n1:10250/proxy/exec/shop/web-1/box?command=id', V5),
  kept('websocket', `${POD}:8080/proxy/socket`, V5),
  kept('websocket', '/api/v1/namespaces/shop/services/web:80/proxy/socket', V5),
  kept('spdy', `${NODE}/exec/shop/web-1/box?command=id&output=1`, V4),
  kept('spdy', `${NODE}/run/shop/web-1/box?cmd=id`, V4),
];

/** What `kubectl cp` runs. */
export const K15: readonly StreamAttack[] = [
  words('tar', 'cf', '-', '/etc'),
  `${words('tar', '-xmf', '-', '-C', '/bin')}&stdin=true`,
  words('test', '-d', '/srv'),
  words('sh', '-c', 'tar cf - /etc'),
].map((target) => kept('websocket', target, V5, `a copy: ${target}`));

export const K4: readonly StreamAttack[] = [
  kept('websocket', `${POD}/attach?stdout=true`, V5),
  kept('spdy', `${POD}/attach?stdin=true&tty=true`, V4),
  kept('websocket', `${POD}/portforward?ports=22`, V4),
  kept('spdy', `${POD}/portforward?ports=22`, ['portforward.k8s.io']),
  kept('websocket', `${POD}/proxy/`, V5, 'what stands behind a proxy'),
  kept('websocket', '/api/v1/namespaces/shop/pods?watch=true', V4, 'a watch'),
  kept('websocket', `${POD}/log?follow=true`, ['base64.binary.k8s.io'], 'a log'),
];

/** What the client sends behind an answer that is no 101. */
function behind(form: Form, status: string): StreamAttack {
  const request = head('GET /api/v1/namespaces/kube-system/secrets HTTP/1.1', 'Host: x');
  return {
    case: `${form}: behind ${status}`,
    run: async (world) => {
      world.answers = () =>
        `${head(`HTTP/1.1 ${status}`, 'Content-Type: text/plain', 'Content-Length: 2')}no`;
      const say = async (client: ReturnType<StreamWorld['direct']>) => {
        await client.answer();
        client.socket.write(request);
      };
      await say(world.direct(asked(form, `${POD}/exec?${LS}`, form === 'spdy' ? V4 : V5)));
      await eventually('dead: it hears nothing', () => world.heard.includes('secrets'));
      world.clear();
      const client = world.through(asked(form, `${POD}/exec?${LS}`, form === 'spdy' ? V4 : V5, auth(world)));
      await say(client);
      await eventually('the connection is not closed', () => client.closed);
      must(world.heard.includes('/exec?'), 'dead: the cluster was not asked');
      must(!world.heard.includes('secrets'), 'the cluster hears what was sent behind its answer');
      await servesOn(world);
    },
  };
}

export const K17: readonly StreamAttack[] = (['websocket', 'spdy'] as const).flatMap((form) =>
  ['200 OK', '403 Forbidden', '500 Internal Server Error'].map((status) => behind(form, status)),
);

/** Two streams of a connection to a port. */
function connection(writer: SpdyWriter, port: string): Buffer {
  const of = (type: string) =>
    [
      ['streamtype', type],
      ['port', port],
      ['requestid', '0'],
    ] as const;
  return Buffer.concat([
    writer.open(1, of('error')),
    writer.open(3, of('data')),
    writer.data(3, Buffer.from('SYN'), false),
  ]);
}

/** A port that is named behind the 101, where nobody has read it before. */
function port(number: string, carried: boolean): StreamAttack {
  return {
    case: `port ${number}, named within the stream`,
    run: async (world) => {
      world.answers = takesUp;
      const spoken = ['portforward.k8s.io'];
      const live = world.direct(asked('spdy', `${POD}/portforward`, spoken));
      await live.answer();
      live.socket.write(connection(new SpdyWriter(), number));
      await eventually('dead: it is not heard', () => world.heard.includes('SYN'));
      world.clear();
      const client = world.through(asked('spdy', `${POD}/portforward`, spoken, auth(world)));
      const answer = await client.answer();
      must(answer !== undefined && statusOf(answer) === 101, `dead: ${answer?.start}`);
      client.socket.write(connection(new SpdyWriter(), number));
      const told = () =>
        carried ? world.heard.includes('SYN') : client.octets.includes('ERR_') || client.closed;
      await eventually('it is neither carried nor refused', told);
      must(world.heard.includes('SYN') === carried, `the cluster hears ${world.heard.toString('latin1')}`);
      await servesOn(world);
    },
  };
}

export const K21: readonly StreamAttack[] = [
  port('8080', true),
  ...['22', '08080', '8080,22', '0', '73616', ' 8080'].map((number) => port(number, false)),
];
