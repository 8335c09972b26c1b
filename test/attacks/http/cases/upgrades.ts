/** H18, H19: what is said over a WebSocket, and upgrades that are none. */
import { deflateRawSync } from 'node:zlib';
import { frame } from '../../../../src/wire/http/websocket/frames.ts';
import { answer, head } from '../../../support/http/messages.ts';
import { ASKS, KEY, type RawPeer, switching } from '../../../support/http/raw-websocket.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import {
  leaksNothing,
  ofSockets,
  SECRET,
  type SocketAttack,
  type SocketWorld,
  saysNothing,
  servesOn,
} from '../sockets.ts';
import { SSN } from '../world.ts';

const USER = JSON.stringify({ id: 1, ssn: SSN });
const ORDER = '{"op":"order","n":1}';

/** Each in two frames, with a ping between them. */
function everyCut(peer: RawPeer, text: string): void {
  for (let at = 0; at <= text.length; at++) {
    peer.send('text', text.slice(0, at), false);
    peer.send('ping', 'x');
    peer.send('continuation', text.slice(at));
  }
}

function octetByOctet(peer: RawPeer, text: string, kind: 'text' | 'binary' = 'text'): void {
  peer.send(kind, '', false);
  for (const octet of Buffer.from(text)) peer.send('continuation', Buffer.from([octet]), false);
  peer.send('continuation');
}

/** As permessage-deflate has it: RFC 7692 §7.2.1. */
function compressed(text: string): Buffer {
  const bytes = deflateRawSync(text, { finishFlush: 2 });
  return bytes.subarray(0, bytes.length - 4);
}

const DOCUMENTS: readonly string[] = [
  `{"ssn":"1","ssn":"${SSN}"}`,
  `{"ssn":"${SSN}","ssn":"1"}`,
  `{"\\u0073sn":"${SSN}"}`,
  `{"SSN":"${SSN}"}`,
  `{"${SSN}":1}`,
  `[[[${USER}]]]`,
  `\ufeff${USER}`,
  `{}${USER}`,
  `42["user",${USER}]`,
  `"${SSN}"`,
  `her number is ${SSN}`,
  `{"ssn":"${SSN}`,
  `${'{"a":'.repeat(20_000)}${USER}${'}'.repeat(20_000)}`,
];

/** The target says something that is no WebSocket's, or too much of it: the client is not given it, others are served. */
function ended(what: string, says: (peer: RawPeer) => void, never?: RegExp): SocketAttack {
  return {
    case: what,
    run: async (world) => {
      const client = await world.through('/users');
      const { peer } = world.target;
      says(peer);
      await eventually('the socket is closed', () => client.closed && peer.closed);
      must(
        client.said.some((one) => /^close \d+/.test(one)),
        `the client is told ${client.said}`,
      );
      if (never !== undefined) must(!never.test(client.said.join()), `the client heard ${client.said}`);
      await servesOn(world);
    },
  };
}

export const MESSAGES = ofSockets('H18', [
  {
    case: 'a path that no rule permits',
    run: async (world) => {
      for (const path of ['/admin', '/users/1', '/users/../admin', '/users?x=1', '/%75sers']) {
        const client = await world.through(path);
        must([101, 400, 403].includes(client.status), `${path}: ${client.answer?.start}`);
        must(
          (client.status === 101) === /^\/(?:users|%75sers)(?:\?|$)/.test(path),
          `${path}: ${client.status}`,
        );
      }
      must(
        world.target.requests.every((one) => / \/users(?:\?x=1)? HTTP/.test(one.start)),
        world.heard,
      );
    },
  },
  {
    case: 'an extension is agreed on with nobody, whoever offers or takes it',
    run: async (world) => {
      const offer = [
        'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
        'Sec-WebSocket-Extensions: x',
      ];
      const client = await world.through('/users', [...ASKS, ...offer]);
      must(
        client.status === 101 && client.field('sec-websocket-extensions') === undefined,
        'an extension was agreed on',
      );
      must(!/extensions/i.test(world.heard), 'the target was offered one');
      world.target.takes = (key) => switching(key, 'Sec-WebSocket-Extensions: permessage-deflate');
      const other = await world.through('/users', [...ASKS, ...offer]);
      must(other.status === 502, `answered with ${other.answer?.start}`);
    },
  },
  ended('a compressed message', (peer) => {
    const octets = frame('text', true, compressed(USER));
    octets[0]! |= 0x40;
    peer.raw(octets);
  }),
  leaksNothing('a message, cut at every place', (peer) => everyCut(peer, USER)),
  leaksNothing('a message, an octet at a time', (peer) => octetByOctet(peer, USER)),
  leaksNothing('a message in whatever JSON', (peer) => {
    for (const one of DOCUMENTS) peer.text(one);
  }),
  leaksNothing('a binary message', (peer) => peer.send('binary', USER)),
  leaksNothing('a binary message, an octet at a time', (peer) => octetByOctet(peer, USER, 'binary')),
  leaksNothing('a message in UTF-16', (peer) => peer.text(Buffer.from(USER, 'utf16le'))),
  leaksNothing('a message with octets that are no UTF-8', (peer) =>
    peer.text(Buffer.concat([Buffer.from([0xc0, 0x80]), Buffer.from(USER)])),
  ),
  leaksNothing('a message longer than is looked at', (peer) =>
    peer.text(`{"a":"${'x'.repeat(2 << 20)}",${USER.slice(1)}`),
  ),
  leaksNothing('a message without an end', (peer) => {
    peer.send('text', USER, false);
    peer.close(1000);
  }),
  leaksNothing('a ping, a pong', (peer) => {
    peer.send('ping', SSN);
    peer.send('pong', SSN);
  }),
  leaksNothing('why it is closed', (peer) => peer.close(1000, `user ${SSN}`)),
  leaksNothing(
    "the gateway's own secret",
    (peer) => {
      peer.text(JSON.stringify({ token: SECRET, more: Buffer.from(`a:${SECRET}`).toString('base64') }));
      everyCut(peer, `{"token":"${SECRET}"}`);
      peer.close(1000, SECRET);
    },
    SECRET,
  ),
  saysNothing('an order', (client) => client.text(ORDER)),
  saysNothing('an order in two frames', (client) => {
    client.send('text', ORDER.slice(0, 8), false);
    client.send('ping', 'x');
    client.send('continuation', ORDER.slice(8));
  }),
  saysNothing('an order, an octet at a time', (client) => octetByOctet(client, ORDER)),
  saysNothing('an order that is binary', (client) => client.send('binary', ORDER)),
  saysNothing('an order behind an order', (client) => client.text(`{"op":"order","op":"look","x":"order"}`)),
  saysNothing('an order behind what is allowed, in one message', (client) =>
    client.text(`{"op":"look"}\n${ORDER}`),
  ),
  saysNothing('an order in a list', (client) => client.text(`[{"op":"look"},${ORDER}]`)),
  saysNothing('an order in a name with an escape', (client) => client.text(ORDER.replace('op', '\\u006fp'))),
  saysNothing('an order that is compressed', (client) => {
    const octets = frame('text', true, Buffer.from(ORDER), Buffer.alloc(4));
    octets[0]! |= 0x40;
    client.raw(octets);
  }),
  saysNothing('an order that is not masked', (client) => client.raw(frame('text', true, Buffer.from(ORDER)))),
  {
    case: 'an order behind the end',
    run: async (world) => {
      const client = await world.through('/feed');
      client.close(1000);
      client.text(ORDER);
      await world.target.peer.hears(/^close 1000/);
      world.target.peer.close(1000);
      await eventually('the socket is closed', () => client.closed && world.target.peer.closed);
      must(!world.target.peer.said.join().includes('order'), 'the target heard it');
    },
  },
  flood('pings', (peer) => peer.send('ping', 'x'.repeat(125))),
  flood('pongs', (peer) => peer.send('pong')),
  {
    case: 'a frame of 4 EiB is no reason to take memory',
    run: async (world) => {
      const before = process.memoryUsage.rss();
      for (const length of ['7fffffffffffffff', '001fffffffffffff', '0000000100000000']) {
        const client = await world.through('/users');
        client.raw(Buffer.concat([Buffer.from(`82ff${length}01020304`, 'hex'), Buffer.alloc(100_000)]));
        await servesOn(world);
      }
      must(process.memoryUsage.rss() - before < 200 * 1024 * 1024, 'memory was taken for it');
    },
  },
  ended(
    'a message within a message',
    (peer) => {
      peer.send('text', '{"a":', false);
      peer.text(USER);
    },
    /123-/,
  ),
  ended('a code that no close has', (peer) => peer.close(1005, SSN), /123-/),
  ended('a close of one octet', (peer) => peer.send('close', '1')),
  ended(
    'HTTP in place of frames',
    (peer) => peer.raw(answer('200 OK', ['Content-Type: text/html'], USER)),
    /123-/,
  ),
  {
    case: 'in what is kept',
    run: async (world) => {
      const client = await world.through('/feed');
      client.text(`{"said":"${SSN}","mark":"kept-5e12"}`);
      await world.target.peer.hears(/5e12/);
      world.target.peer.text(`{"mark":"kept-5e13","note":"${SSN} ${SECRET}"}`);
      await client.hears(/5e13/);
      const kept = () => world.kept();
      await eventually('it is recorded', async () => {
        const all = await kept();
        return all.includes('kept-5e12') && all.includes('kept-5e13');
      });
      must(!(await kept()).includes(SSN), 'a number was kept');
    },
  },
]);

/** More control frames than anybody needs: who sends them is closed, and the other side is not made to answer all. */
function flood(what: string, send: (peer: RawPeer) => void): SocketAttack {
  return {
    case: `a flood of ${what}, from either side`,
    run: async (world) => {
      for (const from of ['client', 'target'] as const) {
        const client = await world.through('/users');
        const { peer } = world.target;
        const [flooding, other] = from === 'client' ? [client, peer] : [peer, client];
        for (let at = 0; at < 20_000 && !flooding.closed; at++) send(flooding);
        await flooding.hears(/^close 1008/);
        await eventually('both are closed', () => client.closed && peer.closed);
        must(other.said.length < 1000, `the other side was sent ${other.said.length}`);
        await servesOn(world);
      }
    },
  };
}

const SMUGGLED = head('GET /admin HTTP/1.1', 'Host: localhost');

/** The target is asked for a WebSocket and answers otherwise; what the client says behind it goes nowhere. */
function noTunnel(
  what: string,
  takes: (key: string) => string | Buffer,
  status: readonly number[],
): SocketAttack {
  return {
    case: `no tunnel behind ${what}`,
    run: async (world) => {
      world.target.takes = takes;
      const client = await world.through('/users');
      must(status.includes(client.status), `answered with ${client.answer?.start}`);
      client.raw(Buffer.from(SMUGGLED));
      client.text(SMUGGLED);
      await eventually('both are closed', () => client.closed && world.target.open === 0);
      must(!world.heard.includes('/admin'), `the target heard ${world.heard}`);
      await servesOn(world);
    },
  };
}

/** It is refused; what stands behind it, sent with it or later, is no request and no message to anybody. */
function refused(
  what: string,
  lines: readonly string[],
  status: readonly number[],
  { start = 'GET /users HTTP/1.1', host = 'Host: localhost' } = {},
): SocketAttack {
  return {
    case: what,
    run: async (world) => {
      const client = await world.raw();
      client.send(head(start, host, world.authorization, ...lines) + SMUGGLED);
      const [got] = await client.answered();
      const code = Number(/^HTTP\/1\.1 (\d+)/.exec(got?.start ?? '')?.[1] ?? 0);
      must(status.includes(code), `answered with ${got?.start}`);
      client.send(SMUGGLED);
      await eventually('it is closed', () => client.closed);
      must(world.heard === '', `the target heard ${world.heard}`);
      await servesOn(world);
    },
  };
}

const CLOSE = 'Connection: Upgrade';

export const UPGRADES = ofSockets('H19', [
  noTunnel('200', () => answer('200 OK', ['Content-Type: application/json'], '{}'), [200]),
  noTunnel(
    '200 that goes on',
    () => `${head('HTTP/1.1 200 OK', 'Content-Type: application/json', 'Content-Length: 2')}{}`,
    [200],
  ),
  noTunnel('403', () => answer('403 Forbidden', ['Content-Type: application/json'], '{}'), [403]),
  noTunnel(
    '426, as by the wrong version',
    () => answer('426 Upgrade Required', ['Sec-WebSocket-Version: 8']),
    [426],
  ),
  noTunnel('500', () => answer('500 Oops', [CLOSE, 'Upgrade: websocket']), [500]),
  noTunnel('302', () => answer('302 Found', ['Location: /admin']), [302]),
  noTunnel(
    '101 to another protocol',
    (key) => switching(key).replace('Upgrade: websocket', 'Upgrade: SPDY/3.1'),
    [502],
  ),
  noTunnel('101 to two', (key) => switching(key, 'Upgrade: x'), [502]),
  noTunnel('101 without the proof', (key) => switching(key).replace(/Sec-WebSocket-Accept.*\r\n/, ''), [502]),
  noTunnel("101 with the proof of the client's own key", () => switching(KEY), [502]),
  noTunnel('101 with two proofs', (key) => switching(key, 'Sec-WebSocket-Accept: x'), [502]),
  noTunnel('101 that is not HTTP', () => 'HTTP/9.9 101 x\r\n\r\n', [502]),
  noTunnel('garbage', () => '\0\x01\x02\r\n\r\n', [502]),
  {
    case: '101 to a request that asks for none',
    run: async (world) => {
      world.target.takes = () => switching('x');
      const client = await world.raw();
      client.send(head('GET /users HTTP/1.1', 'Host: localhost', world.authorization));
      const [got] = await client.answered();
      must(/^HTTP\/1\.1 502/.test(got?.start ?? ''), `answered with ${got?.start}`);
      client.send(SMUGGLED);
      await eventually('the target is left', () => world.target.open === 0);
      must(!world.heard.includes('/admin'), `the target heard ${world.heard}`);
    },
  },
  {
    case: 'messages that come with the 101 are looked at as any other',
    run: async (world) => {
      world.target.takes = (key) =>
        Buffer.concat([Buffer.from(switching(key)), frame('text', true, Buffer.from(USER))]);
      const client = await world.through('/users');
      await client.hears(/^text/);
      must(!client.said.join().includes(SSN), 'it was shown');
    },
  },
  {
    case: 'messages that come before the answer are decided as any other',
    run: async (world) => {
      const client = await world.through(
        '/rpc',
        ASKS,
        frame('text', true, Buffer.from(ORDER), Buffer.alloc(4)),
      );
      await eventually('it is closed', () => client.closed);
      must(!world.heard.includes('order'), `the target heard ${world.heard}`);
      await servesOn(world);
    },
  },
  refused(
    'a wrong version, and a request behind it',
    [...ASKS.slice(0, 3), 'Sec-WebSocket-Version: 1337'],
    [426],
  ),
  refused(
    'no key',
    ASKS.filter((one) => !one.includes('Key')),
    [400],
  ),
  refused('two keys', [...ASKS, `Sec-WebSocket-Key: ${KEY}`], [400]),
  refused('HTTP/1.0', ASKS, [501], { start: 'GET /users HTTP/1.0' }),
  refused('POST', [...ASKS, 'Content-Length: 0'], [501], { start: 'POST /users HTTP/1.1' }),
  refused('a body', [...ASKS, `Content-Length: ${SMUGGLED.length}`], [400]),
  refused('a chunked body', [...ASKS, 'Transfer-Encoding: chunked'], [400]),
  refused('two protocols', [...ASKS, 'Upgrade: h2c'], [400, 501]),
  refused('SPDY/3.1', [CLOSE, 'Upgrade: SPDY/3.1'], [501]),
  refused('SPDY/3.1 by POST', [CLOSE, 'Upgrade: SPDY/3.1', 'Content-Length: 0'], [501], {
    start: 'POST /users HTTP/1.1',
  }),
  refused('TLS', [CLOSE, 'Upgrade: TLS/1.0'], [501]),
  refused('a path that no rule permits', ASKS, [403], { start: 'GET /admin HTTP/1.1' }),
  refused('a page of another site', [...ASKS, 'Origin: https://evil.test'], [403]),
  refused('a page in a sandbox', [...ASKS, 'Origin: null'], [403]),
  refused('a page under a name that leads here', ASKS, [403], { host: 'Host: evil.test' }),
  {
    case: 'who does not know the tunnel’s secret',
    run: async (world: SocketWorld) => {
      const client = await world.raw();
      client.send(head('GET /users HTTP/1.1', 'Host: localhost', ...ASKS));
      const [got] = await client.answered();
      must(/^HTTP\/1\.1 401/.test(got?.start ?? ''), `answered with ${got?.start}`);
      must(world.heard === '', 'the target heard of it');
    },
  },
  {
    case: 'behind a request that was sent ahead, in its turn',
    run: async (world) => {
      world.target.takes = (key, { start }) =>
        start.includes('?wait') ? answer('200 OK', ['Content-Type: application/json'], '{}') : switching(key);
      const client = await world.raw();
      const asks = (path: string, ...lines: readonly string[]) =>
        head(`GET ${path} HTTP/1.1`, 'Host: localhost', world.authorization, ...lines);
      client.send(asks('/users?wait') + asks('/admin') + asks('/users', ...ASKS));
      await eventually('all are answered', () => client.received.includes('101 Switching'));
      const statuses = [...client.received.toString('latin1').matchAll(/HTTP\/1\.1 (\d+)/g)].map(
        ([, code]) => code,
      );
      must(statuses.join() === '200,403,101', `answered with ${statuses}`);
      must(!world.heard.includes('/admin'), `the target heard ${world.heard}`);
    },
  },
]);
