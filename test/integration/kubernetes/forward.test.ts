/** Streams over SPDY/3.1 before a cluster of raw frames: exec, and connections to ports. */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SpdyWriter } from '../../../src/wire/http/spdy/frames.ts';
import { ASKS, RawWebSocket, RawWebSocketTarget, switching } from '../../support/http/raw-websocket.ts';
import { RawCluster } from '../../support/kubernetes/raw-cluster.ts';
import { RawSpdy } from '../../support/kubernetes/raw-spdy.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"k8s"], resource);
@id("see") permit (principal, action == Action::"reveal", resource) unless { resource.tags.contains("pii.email") };
@id("web-only") forbid (principal, action == Action::"k8s.port-forward", resource)
unless { [8080, 8443].containsAll(context.ports) };
@id("no-rm") forbid (principal, action == Action::"k8s.exec", resource) when { context.program == "rm" };
`;
const CLOSED = POLICY.replace('[8080, 8443]', '[8443]');

let server: Server;
let peers: RawSpdy[];
/** What the cluster answers, by what it is asked for. */
let answers: (version: string) => string;
let cluster: RawCluster;

beforeAll(async () => {
  server = createServer({ noDelay: true }, (socket) => {
    const peer: RawSpdy = new RawSpdy(socket, false, ({ headers }) => {
      const version = headers.find(([name]) => name.toLowerCase() === 'x-stream-protocol-version')?.[1] ?? '';
      socket.write(answers(version));
      peers.push(peer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cluster = await RawCluster.start((server.address() as AddressInfo).port, POLICY);
});

beforeEach(() => {
  peers = [];
  answers = (version) =>
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${version}\r\n\r\n`;
});

afterAll(async () => {
  await cluster?.stop();
  server?.close();
});

const path = (part: string, query = '') => `/api/v1/namespaces/shop/pods/box/${part}?${query}`;

function open(part: string, query = '', ...versions: readonly string[]): Promise<RawSpdy> {
  const { port, authorization } = cluster.local;
  const lines = versions.map((one) => `X-Stream-Protocol-Version: ${one}`);
  return RawSpdy.open(port, path(part, query), [`Authorization: ${authorization}`, ...lines]);
}

const ALL = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'];

describe('exec over SPDY', () => {
  it('is carried in its channels, to the status', async () => {
    const client = await open('exec', 'command=cat&stdin=true', ...ALL);
    expect(client.status).toBe(101);
    const { writer } = client;
    client.send(writer.open(1, [['streamtype', 'error']]), writer.open(3, [['streamtype', 'stdin']]));
    client.send(writer.open(5, [['streamtype', 'stdout']]), writer.data(3, Buffer.from('given'), true));
    const [target] = peers;
    await target!.hears(/^data 3 given/);
    await target!.hears(/^data 3 .*\(last\)$/);
    expect(target!.said.slice(0, 2)).toEqual(['opened 1 streamtype=error', 'opened 3 streamtype=stdin']);
    target!.send(
      target!.writer.data(5, Buffer.from('ann@example.com\n'), true),
      target!.writer.data(1, Buffer.from('{"status":"Succ'), false),
      target!.writer.data(1, Buffer.from('ess"}'), true),
    );
    target!.socket.end();
    await client.hears(/^data 5 \*\*\*/);
    await client.hears(/^data 1 \{"metadata":\{\},"status":"Success"\}/);
    await eventually('it is closed', () => client.closed);
  });

  it('without a status is a failure', async () => {
    const client = await open('exec', 'command=ls', ...ALL);
    client.send(client.writer.open(1, [['streamtype', 'error']]));
    await peers[0]!.hears(/^opened 1/);
    peers[0]!.socket.end();
    await client.hears(/^data 1 .*"status":"Failure".*without a status/);
  });

  it.each<[what: string, part: string, query: string, versions: readonly string[], rule: string]>([
    ['by rule', 'exec', 'command=rm', ALL, 'no-rm'],
    ['in an older version alone', 'exec', 'command=ls', ALL.slice(1), 'k8s-stream'],
    ['of port-forward', 'exec', 'command=ls', ['portforward.k8s.io'], 'k8s-stream'],
    ['to a port by the request', 'portforward', 'ports=22', ['portforward.k8s.io'], 'web-only'],
  ])('is refused %s, and the cluster hears nothing', async (_what, part, query, versions, rule) => {
    const client = await open(part, query, ...versions);
    expect(client.status).toBe(403);
    expect(JSON.parse(client.answer!.body.toString()).hoop.rule).toBe(rule);
    expect(peers).toEqual([]);
  });

  it.each(['403 Forbidden', '200 OK'])('a cluster that answers %s ends it', async (status) => {
    answers = () => `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno`;
    const client = await open('exec', 'command=sh&stdin=true', ...ALL);
    expect(client.status).toBe(Number(status.slice(0, 3)));
    client.send(client.writer.open(1, [['streamtype', 'stdin']]));
    await eventually('it is closed', () => client.closed);
    expect(peers[0]!.said).toEqual([]);
  });
});

const NOTHING = Buffer.alloc(0);
const forwards = () => open('portforward', '', 'portforward.k8s.io');

function connection(writer: SpdyWriter, id: number, request: string, port: string): Buffer {
  const of = (type: string) =>
    [
      ['streamtype', type],
      ['port', port],
      ['requestid', request],
      ['x', 'y'],
    ] as const;
  return Buffer.concat([
    writer.open(id, of('error')),
    writer.data(id, NOTHING, true),
    writer.open(id + 2, of('data')),
  ]);
}

describe('connections to ports', () => {
  it('are decided one by one, and carried as they are', async () => {
    const client = await forwards();
    client.send(connection(client.writer, 1, '0', '22'), connection(client.writer, 5, '1', '8080'));
    const [target] = peers;
    await target!.hears(/^opened 3 streamtype=data,port=8080,requestid=1$/);
    expect(target!.said.filter((one) => one.startsWith('opened'))).toHaveLength(2);
    await client.hears(/^data 1 hoop: ERR_DENIED: .*web-only.* \(last\)$/);
    await client.hears(/^data 3 {2}\(last\)$/);
    client.send(client.writer.data(7, Buffer.from('ask ann@example.com'), false));
    await target!.hears(/^data 3 ask ann@example.com$/);
    target!.send(target!.writer.data(3, Buffer.from('told ann@example.com'), true));
    await client.hears(/^data 7 told ann@example.com \(last\)$/);
    client.send(client.writer.ping(1));
    await target!.hears(/^ping 1$/);
    target!.send(target!.writer.ping(1));
    await client.hears(/^ping 1$/);
    client.socket.end();
    await eventually('the target is left', () => target!.closed);
  });

  it('are as many as there are, some at once', async () => {
    const client = await forwards();
    const [target] = peers;
    const mine = client.writer;
    for (let batch = 0; batch < 4; batch++) {
      const firsts = Array.from({ length: 100 }, (_one, at) => 4 * (100 * batch + at) + 1);
      for (const first of firsts)
        client.send(connection(mine, first, String(first), '8080'), mine.data(first + 2, NOTHING, true));
      const last = firsts.at(-1)! + 2;
      await target!.hears(new RegExp(`^data ${last} {2}\\(last\\)$`));
      const { writer } = target!;
      for (const id of firsts.flatMap((first) => [first, first + 2]))
        target!.send(writer.reply(id), writer.data(id, NOTHING, true));
      await client.hears(new RegExp(`^data ${last} {2}\\(last\\)$`));
    }
    client.socket.end();
    await eventually('the target is left', () => target!.closed);
  });

  it('that policy permits no more are ended', async () => {
    const client = await forwards();
    client.send(connection(client.writer, 1, '0', '8080'));
    await peers[0]!.hears(/^opened 3/);
    cluster.running.write('policies/test.cedar', CLOSED);
    await cluster.running.gateway.reload(cluster.running.load());
    try {
      await client.hears(/^data 1 hoop: ERR_DENIED/);
      await eventually('it is closed', () => client.closed && peers[0]!.closed);
    } finally {
      cluster.running.write('policies/test.cedar', POLICY);
      await cluster.running.gateway.reload(cluster.running.load());
    }
  });

  it.each<[what: string, frames: (writer: SpdyWriter) => Buffer]>([
    [
      'without a port',
      (writer) =>
        writer.open(1, [
          ['streamtype', 'data'],
          ['requestid', '0'],
        ]),
    ],
    [
      'to two ports',
      (writer) =>
        Buffer.concat([
          connection(writer, 1, '0', '8080'),
          writer.open(5, [
            ['streamtype', 'error'],
            ['port', '8443'],
            ['requestid', '0'],
          ]),
        ]),
    ],
    [
      'with a second stream of data',
      (writer) => Buffer.concat([connection(writer, 1, '0', '8080'), connection(writer, 5, '0', '8080')]),
    ],
    ['that are none', () => Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('%s end all', async (_what, frames) => {
    const client = await forwards();
    client.send(frames(client.writer));
    await eventually('it is closed', () => client.closed && peers[0]!.closed);
  });
});

describe('connections to ports in the messages of a WebSocket', () => {
  it('are those of SPDY', async () => {
    const target = await RawWebSocketTarget.start();
    const own = await RawCluster.start(target.port, POLICY);
    try {
      const tunnel = 'Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io';
      target.takes = (key) => switching(key, tunnel);
      const lines = [`Authorization: ${own.local.authorization}`, ...ASKS, tunnel];
      const client = await RawWebSocket.open(own.local.port, path('portforward'), lines);
      expect(client.status).toBe(101);
      expect(client.field('sec-websocket-protocol')).toBe('SPDY/3.1+portforward.k8s.io');
      const writer = new SpdyWriter();
      const frames = connection(writer, 1, '0', '8080');
      // A frame of SPDY in two messages, and two in one.
      client.send('binary', frames.subarray(0, 9));
      client.send('binary', frames.subarray(9));
      client.send('ping', 'there?');
      await client.hears(/^pong there\?$/);
      const sent = () =>
        target.peer.said
          .filter((one) => one.startsWith('binary '))
          .map((one) => one.slice(7))
          .join('');
      await eventually('it is opened', () => sent().includes('8080'));
      client.close(1000);
      await client.hears(/^close 1000/);
      await target.peer.hears(/^close 1000/);
    } finally {
      await own.stop();
      await target.stop();
    }
  });
});

describe('what is asked by a WebSocket and then by SPDY', () => {
  it('is denied once', async () => {
    const { port, authorization } = cluster.local;
    const denied = () =>
      cluster.running.gateway.sessions.list().reduce((sum, one) => sum + one.tally.denied, 0);
    const before = denied();
    const lines = [`Authorization: ${authorization}`, ...ASKS, 'Sec-WebSocket-Protocol: v5.channel.k8s.io'];
    const first = await RawWebSocket.open(port, path('exec', 'command=rm&command=x'), lines);
    const second = await open('exec', 'command=rm&command=x', ...ALL);
    expect([first.status, second.status]).toEqual([403, 403]);
    expect(second.answer!.body.toString()).toBe(first.answer!.body.toString());
    expect(denied() - before).toBe(1);
    const third = await open('exec', 'command=rm&command=x', ...ALL);
    expect(third.status).toBe(403);
    expect(denied() - before).toBe(2);
    expect(peers).toEqual([]);
  });
});
