/** Clients of HTTP/2 that flood or are wrong, frame by frame: memory is bounded, the connection ends, and others go on meanwhile. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2, type Http2Server } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalEnd } from '../../support/http/local-end.ts';
import { block, FLAG, FRAME, frame, RawHttp2Client, setting, words } from '../../support/http/raw-http2.ts';
import { RunningGateway } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';

const MIB = 1024 * 1024;
/** What this process may hold more, with client, hoopd and target in it. */
const RISE_BYTES = 200 * MIB;
/** Of one answer; of as many as one connection may have at once, all of them would be 512 MiB. */
const LARGE_BYTES = 4 * MIB;
const STREAMS = 128;
const [NO_ERROR, PROTOCOL, INTERNAL, FLOW, CLOSED, SIZE, CANCEL, CALM] = [0, 1, 2, 3, 5, 6, 8, 11];
const SETTING = { tableBytes: 1, windowBytes: 4 } as const;
const POLICY = `@id("all") permit (principal, action in [Action::"connect", Action::"http", Action::"reveal"], resource);`;

let upstream: Server;
let spoken: Http2Server;
let running: RunningGateway;
let local: LocalEnd;
let two: LocalEnd;
/** Requests that the target heard. */
let heard = 0;

beforeAll(async () => {
  const large = Buffer.alloc(LARGE_BYTES, 'x');
  upstream = createServer((req, res) => {
    heard++;
    if (req.url === '/large') return void res.end(large);
    req.resume().on('end', () => res.end('ok'));
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  spoken = createHttp2().on('stream', (stream, headers) => {
    if (headers[':path'] === '/alone') {
      stream.respond({ ':status': 200, 'grpc-status': '9' }, { endStream: true });
      return;
    }
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' })).end();
  });
  spoken.listen(0, '127.0.0.1');
  await once(spoken, 'listening');
  const { port: spokenPort } = spoken.address() as AddressInfo;
  running = await RunningGateway.start({
    policy: POLICY,
    resources: `\n  api: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {} }
  two: { protocol: http, target: { url: 'http://127.0.0.1:${spokenPort}', version: http/2 }, credentials: {} }`,
    adapter: null,
  });
  const caller = await running.person(['developers']);
  local = await LocalEnd.open(caller, 'api');
  two = await LocalEnd.open(caller, 'two');
});

afterAll(async () => {
  local?.close();
  two?.close();
  await running?.remove();
  upstream?.close();
  upstream?.closeAllConnections();
  spoken?.close();
});

type Fields = readonly (readonly [string, string])[];

function fields(method: string, path: string, more: Fields = []): Buffer {
  return block(
    ...([
      [':method', method],
      [':scheme', 'http'],
      [':authority', 'localhost'],
      [':path', path],
      ['authorization', local.authorization],
    ] as const),
    ...more,
  );
}

const odd = (nth: number) => 2 * nth + 1;
const whole = (stream: number, octets: Uint8Array) =>
  frame(FRAME.headers, FLAG.endStream | FLAG.endHeaders, stream, octets);
const get = (stream: number, path = '/', more: Fields = []) => whole(stream, fields('GET', path, more));
const post = (stream: number, more: Fields = []) =>
  frame(FRAME.headers, FLAG.endHeaders, stream, fields('POST', '/', more));
const reset = (stream: number) => frame(FRAME.rstStream, 0, stream, words(CANCEL));
const window = (stream: number, octets: number) => frame(FRAME.windowUpdate, 0, stream, words(octets));
const data = (stream: number, octets: Uint8Array) => frame(FRAME.data, 0, stream, octets);
const priority = (stream: number, on: number) =>
  frame(FRAME.priority, 0, stream, Buffer.concat([words(on), Buffer.from([1])]));
const none = () => Buffer.alloc(0);

interface Flood {
  readonly what: string;
  /** Sent before. */
  readonly first?: () => Uint8Array;
  /** @param nth From 0. */
  readonly each: (nth: number) => Uint8Array;
  /** By one of which the connection ends; undefined: it may go on, since it costs others no more than requests do. */
  readonly ends?: readonly number[];
  readonly times?: number;
}

/** How often each is sent, unless the connection ends before. */
const TIMES = 30_000;
const AT_ONCE = 200;

const FLOODS: readonly Flood[] = [
  { what: 'pings', each: () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)) },
  { what: 'settings', each: () => frame(FRAME.settings, 0, 0, setting(SETTING.windowBytes, 65_535)) },
  { what: 'settings with nothing in them', each: () => frame(FRAME.settings, 0, 0) },
  {
    what: 'tables of fields that grow and shrink',
    each: (nth) => frame(FRAME.settings, 0, 0, setting(SETTING.tableBytes, nth % 2 === 0 ? 0 : 4096)),
  },
  {
    what: 'windows that open and close amid an answer',
    first: () => get(1, '/large'),
    each: (nth) => frame(FRAME.settings, 0, 0, setting(SETTING.windowBytes, nth % 2 === 0 ? 0 : 65_535)),
  },
  { what: 'acknowledged settings', each: () => frame(FRAME.settings, FLAG.ack, 0), ends: [PROTOCOL] },
  {
    what: 'answers to no ping',
    each: () => frame(FRAME.ping, FLAG.ack, 0, Buffer.alloc(8)),
    ends: [INTERNAL],
  },
  {
    what: 'requests that are taken back',
    each: (nth) => Buffer.concat([get(odd(nth)), reset(odd(nth))]),
    ends: [CALM, INTERNAL],
  },
  {
    what: 'bodies that are taken back',
    each: (nth) => Buffer.concat([post(odd(nth)), reset(odd(nth))]),
    ends: [CALM, INTERNAL],
  },
  {
    what: 'requests that have to be reset: a window opened by nothing',
    each: (nth) => Buffer.concat([get(odd(nth)), window(odd(nth), 0)]),
    ends: [PROTOCOL],
  },
  {
    what: 'requests that have to be reset: a window beyond all bounds',
    each: (nth) => Buffer.concat([get(odd(nth)), window(odd(nth), 2 ** 31 - 1)]),
    ends: [FLOW, CLOSED],
  },
  {
    what: 'requests that have to be reset: a body behind the end',
    each: (nth) => Buffer.concat([get(odd(nth)), data(odd(nth), Buffer.from('x'))]),
    ends: [CLOSED],
  },
  {
    what: 'requests that have to be reset: a name in capitals',
    each: (nth) => get(odd(nth), '/', [['Upper', 'x']]),
    ends: [CALM, PROTOCOL, INTERNAL],
  },
  {
    what: 'requests that have to be reset: a body of another length',
    each: (nth) =>
      Buffer.concat([post(odd(nth), [['content-length', '1']]), data(odd(nth), Buffer.from('xyz'))]),
    ends: [CALM, PROTOCOL, INTERNAL],
  },
  {
    what: 'requests that show no secret',
    each: (nth) =>
      whole(
        odd(nth),
        block([':method', 'GET'], [':scheme', 'http'], [':authority', 'localhost'], [':path', '/']),
      ),
    ends: [PROTOCOL, CALM, INTERNAL],
  },
  { what: 'more requests than are taken at once', each: (nth) => get(odd(nth)), ends: [PROTOCOL, INTERNAL] },
  { what: 'bodies that never end', each: (nth) => post(odd(nth)), ends: [PROTOCOL, INTERNAL] },
  { what: 'data with nothing in it', first: () => post(1), each: () => data(1, none()), ends: [INTERNAL] },
  { what: 'data of an octet', first: () => post(1), each: () => data(1, Buffer.from('x')) },
  {
    what: 'continuations with nothing in them',
    first: () => frame(FRAME.headers, 0, 1, fields('GET', '/')),
    each: () => frame(FRAME.continuation, 0, 1),
    ends: [PROTOCOL, INTERNAL, CALM],
  },
  {
    what: 'a head without end',
    first: () => frame(FRAME.headers, 0, 1, fields('GET', '/')),
    each: () => frame(FRAME.continuation, 0, 1, block(['x-a', 'b'.repeat(1000)])),
    ends: [PROTOCOL, INTERNAL, CALM],
  },
  {
    what: 'heads with nothing in them',
    each: (nth) => whole(odd(nth), none()),
    ends: [PROTOCOL, INTERNAL, CALM],
  },
  {
    what: 'fields without a name',
    each: (nth) =>
      get(
        odd(nth),
        '/',
        Array.from({ length: 100 }, () => ['', ''] as const),
      ),
    ends: [PROTOCOL, INTERNAL, CALM],
  },
  {
    what: 'a field that stands a thousand times for one of 4 KB',
    // Into the table, and then by its number there: RFC 7541 §6.1, §6.2.1.
    first: () =>
      whole(
        1,
        Buffer.concat([fields('GET', '/'), Buffer.from([0x40]), block(['x', 'y'.repeat(3_900)]).subarray(1)]),
      ),
    each: (nth) => whole(odd(nth + 1), Buffer.concat([fields('GET', '/'), Buffer.alloc(1_000, 0xbe)])),
    times: 2_000,
  },
  { what: 'windows that open by an octet', each: () => window(0, 1) },
  { what: 'windows that open by nothing', each: () => window(0, 0), ends: [PROTOCOL] },
  { what: 'windows beyond all bounds', each: () => window(0, 2 ** 31 - 1), ends: [FLOW] },
  { what: 'priorities', each: (nth) => priority(odd(nth), odd(nth + 1)), ends: [CALM] },
  {
    what: 'frames of a type that nobody knows',
    each: () => frame(0x77, 0, 0, Buffer.alloc(100)),
    ends: [CALM],
  },
  { what: 'resets of what was never asked', each: (nth) => reset(odd(nth)), ends: [PROTOCOL] },
  { what: 'resets of what is over', first: () => get(1), each: () => reset(1), ends: [INTERNAL, CALM] },
  { what: 'farewells', each: () => frame(FRAME.goaway, 0, 0, words(0, 0)), ends: [NO_ERROR, INTERNAL] },
  {
    what: 'trailers again and again',
    first: () => post(1),
    each: () => frame(FRAME.headers, FLAG.endHeaders, 1, block(['x-a', 'b'])),
    ends: [CALM, PROTOCOL],
  },
  {
    what: 'frames larger than is agreed',
    first: () => post(1),
    each: () => data(1, Buffer.alloc(20_000)),
    ends: [SIZE],
  },
  {
    what: 'pushes',
    each: () => frame(FRAME.pushPromise, FLAG.endHeaders, 1, Buffer.concat([words(2), fields('GET', '/')])),
    ends: [PROTOCOL],
  },
];

/** Until all of it is sent, or nobody takes it any more. */
async function send(
  { connection }: RawHttp2Client,
  { first = none, each, times = TIMES }: Flood,
): Promise<void> {
  const { socket } = connection;
  connection.send(first());
  for (let nth = 0; nth < times && socket.writable; nth += AT_ONCE) {
    const taken = socket.write(Buffer.concat(Array.from({ length: AT_ONCE }, (_, at) => each(nth + at))));
    if (!taken) await drained(socket);
  }
}

/** Resolves when more is taken, or nothing is any more. */
function drained(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const over = () => {
    socket.off('drain', over).off('close', over);
    resolve();
  };
  socket.on('drain', over).on('close', over);
  return promise;
}

async function beside(): Promise<string> {
  const session = connectHttp2(`http://127.0.0.1:${local.port}`);
  const stream = session.request({ ':path': '/beside', authorization: local.authorization });
  const body = await text(stream);
  session.close();
  return body;
}

describe('a client that sends', () => {
  it.each(FLOODS)('$what', async (flood) => {
    const before = process.memoryUsage.rss();
    const client = await RawHttp2Client.open(local.port);
    const flooded = send(client, flood);
    expect(await beside()).toBe('ok');
    await flooded;
    if (flood.ends !== undefined) await eventually('it is ended', () => client.closed);
    for (const { code } of client.connection.goaways) expect(flood.ends ?? [INTERNAL]).toContain(code);
    expect(await beside()).toBe('ok');
    expect(process.memoryUsage.rss() - before).toBeLessThan(RISE_BYTES);
    client.close();
  });

  it('much that it never takes: its target waits, and it is given the rest once it does', async () => {
    const before = process.memoryUsage.rss();
    const client = await RawHttp2Client.open(local.port, setting(SETTING.windowBytes, 0));
    heard = 0;
    const streams = Array.from({ length: STREAMS }, (_, nth) => odd(nth));
    client.connection.send(...streams.map((stream) => get(stream, '/large')));
    await eventually(
      'all are asked',
      () => heard,
      (asked) => asked === STREAMS,
    );
    expect(await beside()).toBe('ok');
    expect(client.bodies.size).toBe(0);
    expect(process.memoryUsage.rss() - before).toBeLessThan(RISE_BYTES);
    const some = streams.slice(0, 8);
    client.connection.send(
      window(0, some.length * LARGE_BYTES),
      ...some.map((stream) => window(stream, LARGE_BYTES)),
    );
    await eventually('what it takes', () =>
      some.every((stream) => client.bodies.get(stream) === LARGE_BYTES),
    );
    client.close();
  });
});

describe('an answer without a body', () => {
  it.each([
    ['/alone', 'head', '9'],
    ['/behind', 'trailers', '0'],
  ])(
    '%s ends with its %s, as it does at the target: to gRPC that is where the status stands',
    async (path, where, status) => {
      const session = connectHttp2(`http://127.0.0.1:${two.port}`);
      const stream = session.request({ ':path': path, ':method': 'POST', authorization: two.authorization });
      const said: string[] = [];
      stream.on('response', (headers, flags) => {
        if ((flags & FLAG.endStream) !== 0) said.push(`head ${headers['grpc-status']}`);
      });
      stream.on('trailers', (headers) => said.push(`trailers ${headers['grpc-status']}`));
      await text(stream.end());
      session.close();
      expect(said).toEqual([`${where} ${status}`]);
    },
  );
});

describe('a WebSocket by HTTP/2', () => {
  it('is not offered, and asked for all the same is no request', async () => {
    const client = await RawHttp2Client.open(local.port);
    heard = 0;
    const asked = block(
      [':method', 'CONNECT'],
      [':protocol', 'websocket'],
      [':scheme', 'http'],
      [':authority', 'localhost'],
      [':path', '/feed'],
      ['authorization', local.authorization],
      ['sec-websocket-version', '13'],
    );
    client.connection.send(frame(FRAME.headers, FLAG.endHeaders, 1, asked));
    await eventually('it is refused', () => client.connection.resets.get(1) === PROTOCOL);
    client.connection.send(get(3));
    await eventually('others go on', () => client.bodies.has(3));
    expect(heard).toBe(1);
    client.close();
  });

  it('nor is any other tunnel', async () => {
    const session = connectHttp2(`http://127.0.0.1:${local.port}`);
    heard = 0;
    const stream = session.request({
      ':method': 'CONNECT',
      ':authority': 'localhost:80',
      authorization: local.authorization,
    });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(405);
    expect(await text(stream.end())).toContain('"rule":"method"');
    expect(heard).toBe(0);
    session.close();
  });
});
