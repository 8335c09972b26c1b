/** WebSockets over streams of HTTP/2: RFC 8441. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HoopError } from '../../../src/core/errors.ts';
import { LocalEnd } from '../../support/http/local-end.ts';
import { answer, head } from '../../support/http/messages.ts';
import { RawPeer, RawWebSocketTarget, switching } from '../../support/http/raw-websocket.ts';
import { type Caller, RunningGateway } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"http"], resource);
@id("see") permit (principal, action == Action::"reveal", resource) unless { resource.tags.contains("pii.email") };
@id("no") forbid (principal, action == Action::"http.connect", resource is Endpoint) when { resource.path == "/no" };
@id("no-orders") forbid (principal, action == Action::"http.connect", resource)
when { context.fields.contains("$.op=order") };
`;
const CLOSED = `${POLICY}
@id("closed") forbid (principal, action == Action::"http.connect", resource is Endpoint) when { resource.path == "/feed" };
`;

let target: RawWebSocketTarget;
let running: RunningGateway;
let caller: Caller;
let local: LocalEnd;
let session: ClientHttp2Session;

beforeAll(async () => {
  target = await RawWebSocketTarget.start();
  running = await RunningGateway.start({
    policy: POLICY,
    resources: `
  api:
    protocol: http
    target: { url: 'http://127.0.0.1:${target.port}', upgrades: [websocket] }
    credentials: {}
    api: { fields: { 'GET /rpc': [$.op] } }
    classification: { fields: { 'GET /customers': { '$.email': [pii.email] } } }
  plain:
    protocol: http
    target: { url: 'http://127.0.0.1:${target.port}' }
    credentials: {}`,
    adapter: null,
  });
  caller = await running.person(['developers']);
  local = await LocalEnd.open(caller, 'api');
});

beforeEach(async () => {
  target.clear();
  session = await speaking(local);
});

afterEach(() => session.destroy());

afterAll(async () => {
  local?.close();
  await running?.remove();
  await target?.stop();
});

async function speaking(at: LocalEnd): Promise<ClientHttp2Session> {
  const made = connect(`http://localhost:${at.port}`);
  made.on('error', () => undefined);
  await once(made, 'remoteSettings');
  return made;
}

type Headers = Readonly<Record<string, string>>;

interface Opened {
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader;
  readonly stream: ClientHttp2Stream;
  readonly peer: RawPeer;
  /** What is answered in place of a WebSocket, once all of it has come. */
  text(): Promise<string>;
}

async function open(path: string, more: Headers = {}, at = session): Promise<Opened> {
  const stream = at.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': path,
      authorization: local.authorization,
      'sec-websocket-version': '13',
      ...more,
    },
    { endStream: false },
  );
  stream.on('error', () => undefined);
  const peer = new RawPeer(stream, 'client');
  let headers: Opened['headers'] | undefined;
  let text = '';
  stream.once('response', (got) => {
    headers = got;
  });
  stream.on('data', (chunk: Buffer) => {
    if (headers?.[':status'] === 200) peer.take(chunk);
    else text += String(chunk);
  });
  await eventually('it is answered', () => headers !== undefined);
  const whole = async () => {
    await eventually('the answer has ended', () => stream.readableEnded);
    return text;
  };
  return { headers: headers!, stream, peer, text: whole };
}

describe('the handshake', () => {
  it('is a GET to the target by HTTP/1.1, and has nothing of one to the client', async () => {
    target.takes = (key) => switching(key, 'Sec-WebSocket-Protocol: chat', 'X-Mine: 1');
    const { headers } = await open('/chat?room=1', {
      'sec-websocket-protocol': 'mqtt, chat',
      'sec-websocket-extensions': 'permessage-deflate',
      origin: 'http://localhost',
      cookie: 'a=b',
    });
    expect(headers).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'chat', 'x-mine': '1' });
    expect(Object.keys(headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(?:connection|upgrade|sec-websocket-accept)$/)]),
    );
    const [asked] = target.requests;
    expect(asked!.start).toBe('GET /chat?room=1 HTTP/1.1');
    const said = String(Buffer.concat(target.octets));
    expect(said).toMatch(/^sec-websocket-protocol: mqtt, chat\r$/m);
    expect(said).not.toMatch(/extensions|^origin|^cookie|^authorization/im);
  });

  it.each<[string, string, Headers, number]>([
    ['that policy denies', '/no', {}, 403],
    ['to another protocol', '/x', { ':protocol': 'connect-udp' }, 501],
    ['of another version', '/x', { 'sec-websocket-version': '8' }, 426],
    ['without a version', '/x', { 'sec-websocket-version': '' }, 426],
    ['with a body that is announced', '/x', { 'content-length': '5' }, 400],
    ['that names a subprotocol twice', '/x', { 'sec-websocket-protocol': 'a, a' }, 400],
    ['to a path that has no one form', '/x/../no', {}, 400],
    ['for another host', '/x', { ':authority': 'evil.test' }, 403],
    ['from a page of another site', '/x', { origin: 'https://evil.test' }, 403],
    ['without the secret of the tunnel', '/x', { authorization: 'Bearer x' }, 401],
  ])('%s is refused, and what follows it goes nowhere', async (_what, path, more, status) => {
    const { headers, stream, peer, text } = await open(path, more);
    expect(headers[':status']).toBe(status);
    peer.text('hidden');
    expect(JSON.parse(await text())).toMatchObject({ status });
    stream.end();
    await eventually('the stream is closed', () => stream.closed);
    expect(target.octets).toEqual([]);
  });

  it('that the target does not take up has its answer, and what follows it goes nowhere', async () => {
    target.takes = () => answer('404 Not Found', ['Content-Type: text/plain'], 'nothing');
    const { headers, peer, text } = await open('/x');
    peer.text(head('GET /hidden HTTP/1.1', 'Host: x'));
    expect([headers[':status'], await text()]).toEqual([404, 'nothing']);
    await eventually('the target is left', () => target.open === 0);
    expect(String(Buffer.concat(target.octets))).not.toContain('hidden');
  });

  it('is offered where the resource has WebSockets, and nowhere else', async () => {
    expect(session.remoteSettings.enableConnectProtocol).toBe(true);
    const plain = await LocalEnd.open(caller, 'plain');
    const other = await speaking(plain);
    expect(other.remoteSettings.enableConnectProtocol).not.toBe(true);
    other.destroy();
    plain.close();
  });
});

describe('what is said', () => {
  it('goes both ways as it comes, with pings, and ends by a close', async () => {
    const { stream, peer } = await open('/feed');
    peer.text('hello');
    await target.peer.hears(/^text hello$/);
    target.peer.send('ping', 'x');
    await peer.hears(/^ping/);
    const long = 'x'.repeat(500_000);
    target.peer.text(long);
    await eventually('all of it came', () => peer.octets === long.length);
    peer.close(1000, 'bye');
    await target.peer.hears(/^close 1000 bye$/);
    target.peer.close(1000, 'bye');
    await peer.hears(/^close 1000/);
    stream.end();
    await eventually('both are closed', () => stream.closed && target.open === 0);
  });

  it('is masked on its way to the client, and decided on its way to the target', async () => {
    const shown = await open('/customers');
    target.peer.text('{"name":"Ann","email":"ann@example.com"}');
    await shown.peer.hears(/^text .*Ann/);
    expect(shown.peer.said.join()).not.toContain('ann@example.com');
    const rpc = await open('/rpc');
    rpc.peer.text('{"op":"look"}');
    await target.peer.hears(/look/);
    rpc.peer.text('{"op":"order"}');
    await rpc.peer.hears(/^close 1008/);
    await eventually('it is closed', () => rpc.stream.closed);
    expect(target.peer.said.join()).not.toContain('order');
    shown.peer.close(1000);
  });

  it('ends where policy does not permit it any more, and other streams go on', async () => {
    const feed = await open('/feed');
    const other = await open('/other');
    running.write('policies/test.cedar', CLOSED);
    await running.gateway.reload(running.load());
    try {
      await feed.peer.hears(/^close 1008/);
      await eventually('it is closed', () => feed.stream.closed);
      other.peer.text('still');
      await target.peer.hears(/still/);
    } finally {
      running.write('policies/test.cedar', POLICY);
      await running.gateway.reload(running.load());
    }
  });

  it('ends at the target where the client resets its stream, and at the client where the target is gone', async () => {
    const left = await open('/feed');
    left.stream.close(8);
    await eventually('the target is told', () => target.open === 0);
    const lost = await open('/feed');
    target.peer.socket.destroy();
    await eventually('the client is told', () => lost.stream.closed);
  });

  it('ends with its session, and both are told', async () => {
    const end = await LocalEnd.open(caller, 'api');
    const own = await speaking(end);
    const { peer } = await open('/feed', { authorization: end.authorization }, own);
    const { id } = running.gateway.sessions.list()[0]!.ref;
    const killed = new HoopError('ERR_SESSION_ENDED', 'an operator ended it');
    running.gateway.sessions.endWhere(({ ref }) => ref.id === id, killed);
    await peer.hears(/^close 1008 an operator ended it$/);
    await target.peer.hears(/^close 1001/);
    own.destroy();
    end.close();
  });
});
