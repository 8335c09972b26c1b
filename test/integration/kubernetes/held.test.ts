/** A command that waits for people, by WebSocket: what its client is told meanwhile, and what becomes of what it says. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LocalEnd } from '../../support/http/local-end.ts';
import { ASKS, RawWebSocket, RawWebSocketTarget, switching } from '../../support/http/raw-websocket.ts';
import { RawCluster } from '../../support/kubernetes/raw-cluster.ts';
import { RawSpdy } from '../../support/kubernetes/raw-spdy.ts';
import { eventually, timePasses } from '../../support/waiting.ts';
import { person } from '../../unit/policy/support.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal", Action::"k8s"], resource);
@id("asked-for") @approval("sre") forbid (principal, action == Action::"k8s.exec", resource) when { resource.name == "box" }
unless { context.approvals.contains("sre") };
`;
const ADA = { ...person('ada', ['sre']), subject: 'ada' };
const V5 = 'v5.channel.k8s.io';
const SUCCESS = '{"metadata":{},"status":"Success"}';
const KEPT = 64 * 1024;

let target: RawWebSocketTarget;
let cluster: RawCluster;
let local: LocalEnd;
let count = 0;

beforeAll(async () => {
  target = await RawWebSocketTarget.start();
  cluster = await RawCluster.start(target.port, POLICY, 'approvals: { wait: 20s }');
  local = cluster.local;
});

beforeEach(() => {
  target.clear();
  target.takes = (key) => switching(key, `Sec-WebSocket-Protocol: ${V5}`);
});

afterAll(async () => {
  await cluster?.stop();
  await target?.stop();
});

const approvals = () => cluster.running.gateway.approvals;
const pending = () =>
  approvals()
    .list()
    .filter(({ state }) => state === 'pending');
const on = (channel: number, text: string | Buffer) => Buffer.concat([Buffer.of(channel), Buffer.from(text)]);

/** What the client heard in one channel. */
const heard = ({ said }: RawWebSocket, channel: number) =>
  said
    .filter((one) => one.startsWith(`binary ${String.fromCharCode(channel)}`))
    .map((one) => one.slice(8))
    .join('');

const pathOf = (query: string, pod = 'box') =>
  `/api/v1/namespaces/shop/pods/${pod}/exec?command=cat&${query}&mark=${count++}`;

function open(
  query: string,
  pod = 'box',
  subprotocols = V5,
  path = pathOf(query, pod),
): Promise<RawWebSocket> {
  const lines = [`Authorization: ${local.authorization}`, ...ASKS, `Sec-WebSocket-Protocol: ${subprotocols}`];
  return RawWebSocket.open(local.port, path, lines);
}

/** A cluster of which it is known that it takes WebSockets up. */
async function known(): Promise<void> {
  const client = await open('stderr=true', 'other');
  expect(client.status).toBe(101);
  client.close(1000);
  await eventually('it is over', () => target.open === 0);
  target.clear();
  target.takes = (key) => switching(key, `Sec-WebSocket-Protocol: ${V5}`);
}

async function decided(how: 'yes' | 'no'): Promise<void> {
  await eventually('people are asked', pending, (all) => all.length === 1);
  const { id } = pending()[0]!;
  await (how === 'yes'
    ? approvals().approve(id, ADA, ['sre'])
    : approvals().deny(id, ADA, 'not on a Friday'));
}

it('before the cluster is known to take it up it waits in silence', async () => {
  let answered = false;
  const opening = open('stderr=true').finally(() => {
    answered = true;
  });
  await eventually('people are asked', pending, (all) => all.length === 1);
  await timePasses(300, 'an answer would have come');
  expect(answered).toBe(false);
  await decided('yes');
  const client = await opening;
  expect(client.status).toBe(101);
  client.close(1000);
  await eventually('it is over', () => target.open === 0);
});

describe('where it is', () => {
  beforeAll(known);

  it('its client is told, and what it says meanwhile is the first that the command is given, behind a yes', async () => {
    const client = await open('stderr=true&stdin=true');
    expect(client.field('sec-websocket-protocol')).toBe(V5);
    await client.hears(/hoop: /);
    expect(heard(client, 2)).toMatch(/^hoop: waits until .* for the approval of "sre": apr_\w+.*\n$/);
    const input = Buffer.alloc(4 * KEPT, 'x');
    client.send('ping', 'there?');
    await client.hears(/^pong there\?/);
    for (let at = 0; at < input.length; at += 16_384)
      client.send('binary', on(0, input.subarray(at, at + 16_384)));
    client.send('binary', Buffer.of(255, 0));
    await timePasses(200, 'the cluster would hear of it');
    expect(target.requests).toEqual([]);
    await decided('yes');
    await eventually('the cluster is asked', () => target.peers.length === 1);
    await target.peer.hears(/^binary ÿ.$/s);
    const given = target.peer.said.filter((one) => one.startsWith('binary \0')).map((one) => one.slice(8));
    expect(given.join('')).toBe(input.toString());
    target.peer.send('binary', on(1, 'done\n'));
    target.peer.send('binary', on(3, SUCCESS));
    target.peer.close(1000);
    await client.hears(/^close 1000/);
    expect(heard(client, 1)).toBe('done\n');
    expect(JSON.parse(heard(client, 3))).toEqual(JSON.parse(SUCCESS));
  });

  it('at a terminal it is a line of the terminal', async () => {
    const client = await open('stdout=true&stdin=true&tty=true');
    await client.hears(/hoop: /);
    expect(heard(client, 1)).toMatch(/^hoop: .*\r\n$/);
    await decided('no');
    await client.hears(/^close 1000/);
  });

  it('a no is a failure, of which the cluster hears nothing', async () => {
    const client = await open('stderr=true&stdin=true');
    client.send('binary', on(0, 'given'));
    await decided('no');
    await client.hears(/^close 1000/);
    expect(JSON.parse(heard(client, 3))).toMatchObject({
      status: 'Failure',
      message: expect.stringContaining('not on a Friday'),
    });
    expect(target.requests).toEqual([]);
  });

  it('who asks the same in another form behind a no is asked about anew: the first client would not', async () => {
    const path = pathOf('stderr=true');
    const client = await open('', '', V5, path);
    await decided('no');
    await client.hears(/^close 1000/);
    const spoken = 'X-Stream-Protocol-Version: v4.channel.k8s.io';
    const opening = RawSpdy.open(local.port, path, [`Authorization: ${local.authorization}`, spoken]);
    await decided('no');
    expect((await opening).status).toBe(403);
  });

  it.each(['403 Forbidden', '400 Bad Request'])(
    'a cluster that answers %s behind a yes is a failure',
    async (answer) => {
      target.takes = () => `HTTP/1.1 ${answer}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno`;
      const client = await open('stderr=true');
      await decided('yes');
      await client.hears(/^close 1000/);
      expect(JSON.parse(heard(client, 3))).toMatchObject({
        status: 'Failure',
        message: expect.stringContaining(answer.slice(0, 3)),
      });
      await eventually('the cluster is left', () => target.open === 0);
    },
  );

  it('so is one that takes up another subprotocol than its client was promised', async () => {
    const client = await open('stderr=true', 'box', `v4.channel.k8s.io, ${V5}`);
    expect(client.field('sec-websocket-protocol')).toBe(V5);
    target.takes = (key) => switching(key, 'Sec-WebSocket-Protocol: v4.channel.k8s.io');
    await decided('yes');
    await client.hears(/^close 1000/);
    expect(JSON.parse(heard(client, 3))).toMatchObject({ status: 'Failure' });
  });

  it.each<[what: string, query: string, leaves: (client: RawWebSocket) => void]>([
    ['closes', 'stderr=true', (client) => client.close(1000)],
    ['breaks off', 'stderr=true', ({ socket }) => socket.destroy()],
    [
      'presses Ctrl-C at a terminal',
      'stdout=true&stdin=true&tty=true',
      (client) => client.send('binary', on(0, '\u0003')),
    ],
    [
      'says what is no WebSocket',
      'stderr=true',
      (client) => client.raw(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
    ],
    ['says what has no meaning', 'stderr=true', (client) => client.send('binary', on(9, 'x'))],
    [
      'pings without an end',
      'stderr=true',
      (client) => {
        for (let n = 0; n < 5_000; n++) client.send('ping', `${n}`);
      },
    ],
  ])('whoever %s is asked for no more', async (_what, query, leaves) => {
    const client = await open(query);
    await eventually('people are asked', pending, (all) => all.length === 1);
    leaves(client);
    await eventually('it is withdrawn', pending, (all) => all.length === 0);
    await eventually('the connection is closed', () => client.closed);
    expect(target.requests).toEqual([]);
  });

  it('whose client shows nothing of what is printed waits in silence', async () => {
    const opening = open('stdin=true');
    await decided('yes');
    const client = await opening;
    expect(heard(client, 2)).toBe('');
    client.close(1000);
    await eventually('it is over', () => target.open === 0);
  });
});
