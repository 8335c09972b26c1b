import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { HoopError } from '../../../src/core/errors.ts';
import type { Principal } from '../../../src/identity/principal.ts';
import { openRecordingStore } from '../../../src/recording/file-store.ts';
import { LocalEnd } from '../../support/http/local-end.ts';
import {
  ASKS,
  acceptOf,
  KEY,
  RawWebSocket,
  RawWebSocketTarget,
  switching,
} from '../../support/http/raw-websocket.ts';
import { type Caller, RunningGateway } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"http"], resource);
@id("see") permit (principal, action == Action::"reveal", resource) unless { resource.tags.contains("pii.email") };
@id("see-all") permit (principal in Group::"dpo", action == Action::"reveal", resource);
@id("no") forbid (principal, action == Action::"http.connect", resource is Endpoint) when { resource.path == "/no" };
@id("chat-only") forbid (principal, action == Action::"http.connect", resource is Endpoint)
when { resource.path == "/chat" && !context.subprotocols.contains("chat") };
@id("no-orders") forbid (principal, action == Action::"http.connect", resource)
when { context.fields.contains("$.op=order") };
@id("ask-first") @approval("boss") forbid (principal, action == Action::"http.connect", resource is Endpoint)
when { resource.path == "/held" } unless { context.approvals.contains("boss") };
`;
/** As the policy, and nobody may open a WebSocket any more. */
const CLOSED = `${POLICY}
@id("closed") forbid (principal, action == Action::"http.connect", resource is Endpoint) when { resource.path == "/feed" };
`;
const BOSS = { issuer: 'https://people.test', subject: 'cy', name: 'cy' } as Principal;
const SECRET = 'upstream-token-4711';
const RESOURCES = (port: number) => `
  api:
    protocol: http
    target: { url: 'http://127.0.0.1:${port}', upgrades: [websocket] }
    credentials: { bearer: { env: WEBSOCKET_TEST_TOKEN } }
    session: { max: 1h, idle: 1h }
    api: { fields: { 'GET /rpc': [$.op] } }
    classification: { fields: { 'GET /customers': { '$.email': [pii.email] } } }
  quiet:
    protocol: http
    target: { url: 'http://127.0.0.1:${port}', upgrades: [websocket] }
    credentials: {}
    session: { max: 1h, idle: 1s }
  plain:
    protocol: http
    target: { url: 'http://127.0.0.1:${port}' }
    credentials: {}`;

let target: RawWebSocketTarget;
let running: RunningGateway;
let caller: Caller;
let local: LocalEnd;
let all: LocalEnd;

beforeAll(async () => {
  process.env['WEBSOCKET_TEST_TOKEN'] = SECRET;
  target = await RawWebSocketTarget.start();
  running = await RunningGateway.start({
    policy: POLICY,
    resources: RESOURCES(target.port),
    adapter: null,
    more: 'approvals: { wait: 10s }',
  });
  caller = await running.person(['developers']);
  local = await LocalEnd.open(caller, 'api');
  all = await LocalEnd.open(await running.person(['dpo']), 'api');
});

beforeEach(() => target.clear());

afterAll(async () => {
  local?.close();
  all?.close();
  await running?.remove();
  await target?.stop();
});

function open(path: string, { at = local, lines = ASKS as readonly string[] } = {}): Promise<RawWebSocket> {
  return RawWebSocket.open(at.port, path, [`Authorization: ${at.authorization}`, ...lines]);
}

const problemOf = ({ answer }: RawWebSocket) =>
  JSON.parse(answer!.body.toString()) as Record<string, unknown>;

describe('the handshake', () => {
  it('is made anew at the target, without extensions, and proven to both', async () => {
    target.takes = (key) => switching(key, 'Sec-WebSocket-Protocol: chat', 'X-Mine: 1', `X-Echo: ${SECRET}`);
    const offers = ['Sec-WebSocket-Extensions: permessage-deflate', 'Sec-WebSocket-Protocol: mqtt, chat'];
    const client = await open('/chat?room=1', {
      lines: [...ASKS, ...offers, 'Origin: http://localhost:80', 'Cookie: a=b'],
    });
    expect(client.status).toBe(101);
    expect(client.field('sec-websocket-accept')).toBe(acceptOf(KEY));
    expect(client.field('sec-websocket-protocol')).toBe('chat');
    expect(client.field('x-mine')).toBe('1');
    expect(client.field('x-echo')).toMatch(/^\*+$/);
    const [asked] = target.requests;
    const names = asked!.headers.map(([name]) => name.toLowerCase());
    const field = (name: string) => asked!.headers.find((one) => one[0].toLowerCase() === name)?.[1];
    expect(asked!.start).toBe('GET /chat?room=1 HTTP/1.1');
    expect(field('sec-websocket-key')).not.toBe(KEY);
    expect(field('sec-websocket-protocol')).toBe('mqtt, chat');
    expect(field('authorization')).toBe(`Bearer ${SECRET}`);
    for (const name of ['sec-websocket-extensions', 'origin', 'cookie']) expect(names).not.toContain(name);
  });

  it.each<[what: string, path: string, lines: readonly string[], status: number, rule: string]>([
    ['policy denies it', '/no', ASKS, 403, 'no'],
    ['its subprotocol is none that a rule permits', '/chat', ASKS, 403, 'chat-only'],
    [
      'its version is another',
      '/feed',
      [...ASKS.slice(0, 3), 'Sec-WebSocket-Version: 8'],
      426,
      'websocket-version',
    ],
    [
      'its key is none',
      '/feed',
      [...ASKS.slice(0, 2), 'Sec-WebSocket-Key: x', ASKS[3]!],
      400,
      'websocket-handshake',
    ],
    ['another protocol is asked for', '/feed', ['Connection: Upgrade', 'Upgrade: SPDY/3.1'], 501, 'upgrade'],
  ])('goes nowhere where %s, and the connection ends', async (_, path, lines, status, rule) => {
    const client = await open(path, { lines });
    expect(client.status).toBe(status);
    expect(problemOf(client)).toMatchObject({ rule });
    expect(client.field('sec-websocket-version')).toBe(status === 426 ? '13' : undefined);
    await eventually('it is closed', () => client.closed);
    expect(target.requests).toEqual([]);
  });

  it('goes nowhere where no upgrade is configured', async () => {
    const plain = await LocalEnd.open(caller, 'plain');
    const client = await open('/feed', { at: plain });
    expect(client.status).toBe(501);
    expect(problemOf(client)).toMatchObject({ rule: 'upgrade-not-carried' });
    plain.close();
  });

  it.each<[what: string, takes: (key: string) => string, status: number]>([
    ['no proof', (key) => switching(key).replace(/Sec-WebSocket-Accept.*\r\n/, ''), 502],
    ['a wrong proof', () => switching('x'), 502],
    ['an extension', (key) => switching(key, 'Sec-WebSocket-Extensions: permessage-deflate'), 502],
    ['a subprotocol that nobody asked for', (key) => switching(key, 'Sec-WebSocket-Protocol: x'), 502],
    ['another protocol', (key) => switching(key).replace('websocket', 'x'), 502],
    ['200', () => 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}', 200],
    ['403', () => 'HTTP/1.1 403 No\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}', 403],
    ['426', () => 'HTTP/1.1 426 No\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n', 426],
    ['101 without a protocol', () => 'HTTP/1.1 101 Switching\r\n\r\n', 502],
    ['garbage', () => '\x16\x03\x01 garbage\r\n\r\n', 502],
  ])('of a target that answers with %s makes no tunnel', async (_, takes, status) => {
    target.takes = takes;
    const client = await open('/feed');
    expect(client.status).toBe(status);
    client.text('what would go through a tunnel');
    await eventually('both are closed', () => client.closed && target.open === 0);
    expect(Buffer.concat(target.octets).toString('latin1')).not.toContain('tunnel');
  });

  it('that is held goes on when people have said yes', async () => {
    const opening = open('/held');
    const [held] = await eventually(
      'people are asked',
      () => running.gateway.approvals.list().filter(({ state }) => state === 'pending'),
      (found) => found.length > 0,
    );
    expect(held!.original).toMatchObject({
      request: 'GET /held',
      fields: expect.stringContaining('upgrade: websocket'),
    });
    expect(target.requests).toEqual([]);
    await running.gateway.approvals.approve(held!.id, BOSS, ['boss']);
    const client = await opening;
    expect(client.status).toBe(101);
    // A policy that changes elsewhere asks again as it was allowed.
    running.write(
      'policies/test.cedar',
      `${POLICY}\n@id("else") forbid (principal, action == Action::"http.put", resource);`,
    );
    await running.gateway.reload(running.load());
    client.text('still here');
    await target.peer.hears(/still here/);
    running.write('policies/test.cedar', POLICY);
    await running.gateway.reload(running.load());
  });
});

describe('messages', () => {
  it('go through both ways as they are, in whatever frames', async () => {
    const client = await open('/feed', { at: all });
    const long = 'x'.repeat(60_000);
    client.text('Grüße');
    client.send('binary', Buffer.from([0, 255, 1]));
    client.send('text', 'in ', false);
    client.send('ping', 'hello');
    client.send('continuation', 'parts');
    client.text(long);
    client.text('');
    await target.peer.hears(/^text $/);
    expect(target.peer.said.filter((one) => !one.startsWith('ping'))).toEqual([
      `text ${Buffer.from('Grüße').toString('latin1')}`,
      'binary \x00\xff\x01',
      'text in parts',
      `text ${long}`,
      'text ',
    ]);
    target.peer.send('text', 'ba', false);
    target.peer.send('continuation', 'ck');
    expect(await client.hears(/^text/)).toBe('text back');
  });

  it('are pinged and answered end to end, and what pings say stays where it is', async () => {
    const client = await open('/feed');
    client.send('ping', 'ann@example.com');
    const asked = await target.peer.hears(/^ping/);
    expect(asked).not.toContain('ann');
    target.peer.send('pong', Buffer.from(asked.slice('ping '.length), 'latin1'));
    await client.hears(/^pong ann@example\.com$/);
    target.peer.send('ping', 'bob@example.com');
    expect(await client.hears(/^ping/)).not.toContain('bob');
    target.peer.send('pong', 'unasked');
    target.peer.text('{}');
    await client.hears(/^text/);
    expect(client.said.join()).not.toContain('unasked');
  });

  it.each<[said: string, shown: string]>([
    ['{"id":1,"email":"ann@example.com","n":1.0e0}', '{"id":1,"email":"***","n":1.0e0}'],
    ['[{"EMAIL":"ann@example.com"}]', '[{"EMAIL":"***"}]'],
    ['plain text', '***'],
    ['{"email":"ann@example.com"', '***'],
    [`{"token":"${SECRET}"}`, `{"token":"${'*'.repeat(SECRET.length)}"}`],
    ['{"note":"mail ann@example.com"}', '{"note":"mail ***"}'],
  ])('of the target are masked as bodies are: %s', async (said, shown) => {
    const client = await open('/customers');
    for (let cut = 0; cut <= said.length; cut += 7) {
      target.peer.send('text', said.slice(0, cut), false);
      target.peer.send('continuation', said.slice(cut));
    }
    target.peer.text('{"end":1}');
    await client.hears(/end/);
    expect([...new Set(client.said)]).toEqual([`text ${shown}`, 'text {"end":1}']);
  });

  it('are masked by detectors where members are not', async () => {
    const client = await open('/feed');
    target.peer.text('mail ann@example.com');
    await client.hears(/^text mail \*\*\*$/);
  });

  it.each<[what: string, say: (peer: RawWebSocketTarget['peer']) => void, told: RegExp, target: RegExp]>([
    [
      'is binary',
      (peer) => peer.send('binary', 'ann@example.com'),
      /^close 1011 values are masked here/,
      /^close 1003/,
    ],
    ['is no UTF-8', (peer) => peer.send('text', Buffer.from([0xff])), /^close 1011/, /^close 1007/],
    [
      'is too long',
      (peer) => peer.send('text', Buffer.alloc(1_100_000, 'a')),
      /^close 1011/,
      /^close 100[79]/,
    ],
    ['is compressed', (peer) => peer.raw(Buffer.from([0xc1, 1, 0x61])), /^close 1011/, /^close 1002/],
    ['is masked', (peer) => peer.raw(Buffer.from([0x81, 0x80, 0, 0, 0, 0])), /^close 1011/, /^close 1002/],
  ])('are not shown where one %s', async (_, say, told, toTarget) => {
    const client = await open('/customers');
    const { peer } = target;
    say(peer);
    await client.hears(told);
    await peer.hears(toTarget);
    await eventually('both are closed', () => client.closed && peer.closed);
    expect(client.said.join()).not.toContain('ann@');
  });

  it('are decided one by one where rules look at them', async () => {
    const client = await open('/rpc');
    client.text('{"op":"subscribe","to":1}');
    await target.peer.hears(/subscribe/);
    client.send('text', '{"op":"or', false);
    client.send('continuation', 'der"}');
    await client.hears(/^close 1008 .* denied by rule "no-orders"/);
    await target.peer.hears(/^close 1001/);
    expect(target.peer.said.join()).not.toContain('order');
  });

  it.each<[what: string, say: (client: RawWebSocket) => void, told: RegExp]>([
    ['binary', (client) => client.send('binary', '{"op":"order"}'), /^close 1003/],
    ['no JSON', (client) => client.text('op=order'), /^close 1008/],
    ['a name twice', (client) => client.text('{"op":"x","op":"order"}'), /^close 1008/],
    ['too long', (client) => client.text(`{"a":"${'x'.repeat(1_048_576)}"}`), /^close 1009/],
    ['not masked', (client) => client.raw(Buffer.from([0x81, 1, 0x61])), /^close 1002/],
  ])('that rules look at and nobody can read go nowhere: %s', async (_, say, told) => {
    const client = await open('/rpc');
    say(client);
    await client.hears(told);
    expect(target.peer.said.filter((one) => !one.startsWith('close'))).toEqual([]);
  });
});

describe('its end', () => {
  it('is told with its code, and answered', async () => {
    const client = await open('/feed');
    const { peer } = target;
    client.close(4001, 'enough');
    await peer.hears(/^close 4001 enough$/);
    peer.close(4001);
    await client.hears(/^close 4001$/);
    await eventually('both are closed', () => client.closed && peer.closed);
    const other = await open('/feed');
    target.peer.close(1000, 'to ann@example.com');
    await other.hears(/^close 1000 to \*\*\*$/);
  });

  it('comes to the other side where one leaves without a word', async () => {
    const client = await open('/feed');
    client.socket.destroy();
    await target.peer.hears(/^close 1001/);
    const other = await open('/feed');
    target.peer.socket.destroy();
    await other.hears(/^close 1011 the target left/);
  });

  it('comes when policy permits it no more, at once', async () => {
    const client = await open('/feed');
    const kept = await open('/customers');
    running.write('policies/test.cedar', CLOSED);
    await running.gateway.reload(running.load());
    try {
      await client.hears(/^close 1008 policy does not permit it any more: rule "closed"/);
      expect(kept.closed).toBe(false);
    } finally {
      running.write('policies/test.cedar', POLICY);
      await running.gateway.reload(running.load());
    }
  });

  it('comes when nobody has said anything for too long', async () => {
    const quiet = await LocalEnd.open(caller, 'quiet');
    const client = await open('/feed', { at: quiet });
    await client.hears(/^close 1008 /);
    quiet.close();
  });

  it('comes with the session, and all is on record', async () => {
    const end = await LocalEnd.open(caller, 'api');
    const client = await open('/customers', { at: end });
    client.text('{"email":"ann@example.com","say":1}');
    await target.peer.hears(/ann@example/);
    target.peer.text('{"email":"bob@example.com","say":2}');
    await client.hears(/say/);
    const { id } = running.gateway.sessions.list()[0]!.ref;
    const killed = new HoopError('ERR_SESSION_ENDED', 'an operator ended it');
    running.gateway.sessions.endWhere(({ ref }) => ref.id === id, killed);
    await client.hears(/^close 1008 an operator ended it$/);
    await target.peer.hears(/^close 1001/);
    end.close();
    const store = openRecordingStore(`${running.dir}/recordings`, systemClock);
    const items: unknown[] = [];
    for await (const item of (await store.read(id)) ?? [])
      items.push('bytes' in item ? { ...item, bytes: item.bytes.toString() } : item);
    expect(items).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'head', head: expect.objectContaining({ start: '101' }) }),
        expect.objectContaining({ kind: 'input', bytes: '{"email":"***","say":1}' }),
        expect.objectContaining({ kind: 'output', bytes: '{"email":"***","say":2}' }),
      ]),
    );
  });
});
