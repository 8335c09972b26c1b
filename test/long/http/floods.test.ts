/** Clients that ask for a thousand things at once, or never end what they begin: bounded, told so, and others go on. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalEnd } from '../../support/http/local-end.ts';
import { head } from '../../support/http/messages.ts';
import { RawHttp, statusOf } from '../../support/http/raw-http.ts';
import { ASKS, type RawPeer, RawWebSocket, RawWebSocketTarget } from '../../support/http/raw-websocket.ts';
import { RunningHoopctl } from '../../support/run-hoopctl.ts';
import { RunningGateway } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `@id("all") permit (principal, action in [Action::"connect", Action::"http", Action::"reveal"], resource);`;
const MIB = 1024 * 1024;
const THOUSAND = 1000;
const RISE_BYTES = 400 * MIB;

let upstream: Server;
let running: RunningGateway;
let local: LocalEnd;
let feed: LocalEnd;
let sockets: RawWebSocketTarget;
/** Requests that the target has at once, now and at most. */
const open = { now: 0, most: 0 };

beforeAll(async () => {
  const piece = Buffer.alloc(64 * 1024, 'x');
  upstream = createServer((req, res) => {
    open.most = Math.max(open.most, ++open.now);
    res.on('close', () => open.now--);
    if (req.url === '/down') {
      let left = 1024 * MIB;
      const more = () => {
        while (left > 0) {
          left -= piece.length;
          if (!res.write(piece)) return void res.once('drain', more);
        }
        res.end();
      };
      res.writeHead(200, { 'content-length': left });
      return more();
    }
    let octets = 0;
    req.on('data', (chunk: Buffer) => (octets += chunk.length));
    req.on('end', () => setImmediate(() => res.end(`${req.url} ${octets}`)));
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  sockets = await RawWebSocketTarget.start();
  running = await RunningGateway.start({
    policy: POLICY,
    resources: `
  api: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {} }
  feed:
    protocol: http
    target: { url: 'http://127.0.0.1:${sockets.port}', upgrades: [websocket] }
    credentials: {}`,
    adapter: null,
  });
  const caller = await running.person(['developers'], { agent: 'copilot' });
  local = await LocalEnd.open(caller, 'api');
  feed = await LocalEnd.open(caller, 'feed');
});

afterAll(async () => {
  local?.close();
  feed?.close();
  await sockets?.stop();
  await running?.remove();
  upstream?.close();
  upstream?.closeAllConnections();
});

async function one(path: string): Promise<string> {
  const headers = { authorization: local.authorization };
  const call = request({ port: local.port, host: '127.0.0.1', agent: false, path, headers });
  call.end();
  const [answer] = await once(call, 'response');
  return `${answer.statusCode} ${await buffer(answer)}`;
}

/** A tunnel of a process of its own. */
async function connected() {
  const hoopctl = new RunningHoopctl(['connect', 'api', '--json'], {
    HOOPCTL_GATEWAY: running.gateway.url,
    HOOPCTL_CONFIG_DIR: join(running.dir, 'hoopctl'),
    HOOPCTL_TOKEN: running.issuer.mint({ sub: 'job', repository: 'org/shop' }),
    NODE_EXTRA_CA_CERTS: join(running.dir, 'ca.crt'),
  });
  const [line] = await hoopctl.until(/^\{.*"listening".*\}$/m);
  const { port, token } = JSON.parse(line) as { readonly port: number; readonly token: string };
  const stop = async () => {
    hoopctl.child.kill('SIGTERM');
    await hoopctl.finished;
  };
  return { hoopctl, port, token, stop };
}

describe('a thousand at once', () => {
  it('streams of one connection of HTTP/2 are all answered, so many at a time, and others go on', async () => {
    const before = process.memoryUsage.rss();
    const session = connectHttp2(`http://127.0.0.1:${local.port}`);
    open.most = 0;
    const ask = async (path: string) => {
      const stream = session.request({ ':path': path, authorization: local.authorization });
      const [headers] = await once(stream, 'response');
      return `${headers[':status']} ${await buffer(stream)}`;
    };
    const paths = Array.from({ length: THOUSAND }, (_, at) => `/many/${at}`);
    const all = Promise.all(paths.map(ask));
    expect(await one('/beside')).toBe('200 /beside 0');
    expect(await all).toEqual(paths.map((path) => `200 ${path} 0`));
    session.close();
    // Of one connection no more than it may have streams, and the one beside it.
    expect(open.most).toBeLessThanOrEqual(129);
    expect(process.memoryUsage.rss() - before).toBeLessThan(RISE_BYTES);
  });

  it('requests sent ahead on one connection wait for their turn, and others go on', async () => {
    const client = await RawHttp.connect(local.port);
    const auth = `Authorization: ${local.authorization}`;
    open.most = open.now;
    client.send(head('GET /ahead HTTP/1.1', 'Host: localhost', auth).repeat(THOUSAND));
    client.send(head('GET /last HTTP/1.1', 'Host: localhost', auth, 'Connection: close'));
    expect(await one('/beside')).toBe('200 /beside 0');
    await eventually('it is closed', () => client.closed, Boolean, { withinMs: 60_000 });
    const answered = client.answers();
    expect(answered.map(statusOf)).toEqual(Array.from({ length: THOUSAND + 1 }, () => 200));
    expect(String(answered.at(-1)!.body)).toBe('/last 0');
    // Its own one by one, and the one beside.
    expect(open.most).toBeLessThanOrEqual(2);
  });
});

describe('what never ends', () => {
  it('heads are given up on in time, on record, and others go on meanwhile', async () => {
    const clients = await Promise.all(Array.from({ length: 100 }, () => RawHttp.connect(local.port)));
    const auth = `Authorization: ${local.authorization}`;
    const drip = setInterval(() => {
      for (const client of clients) client.send('x: y\r\n');
    }, 1000);
    for (const client of clients) client.send(`GET /never HTTP/1.1\r\nHost: localhost\r\n${auth}\r\n`);
    expect(await one('/beside')).toBe('200 /beside 0');
    await eventually('all are closed', () => clients.every(({ closed }) => closed), Boolean, {
      withinMs: 60_000,
    });
    clearInterval(drip);
    expect(clients.every(({ received }) => received.includes('did not come in time'))).toBe(true);
    expect(await one('/beside')).toBe('200 /beside 0');
  });
});

describe('a WebSocket', () => {
  const FRAME = Buffer.alloc(256 * 1024, 'z');

  /** Says so much that somebody must wait, and gives how much that was: until nothing more is taken for a while. */
  async function saysUntilStuck(peer: RawPeer): Promise<number> {
    let octets = 0;
    const taken = () => {
      const before = octets;
      while (!peer.socket.writableNeedDrain && octets < 1024 * MIB) {
        peer.send('binary', FRAME);
        octets += FRAME.length;
      }
      return octets - before;
    };
    taken();
    const still: number[] = [];
    await eventually(
      'nothing more is taken',
      () => still.push(taken()) >= 10 && still.slice(-10).every((one) => one === 0),
      Boolean,
      {
        withinMs: 60_000,
        everyMs: 50,
      },
    );
    return octets;
  }

  it.each(['target', 'client'] as const)(
    'whose %s says more than is read waits, others go on, and all of it comes',
    async (from) => {
      const before = process.memoryUsage.rss();
      sockets.clear();
      const client = await RawWebSocket.open(feed.port, '/feed', [
        `Authorization: ${feed.authorization}`,
        ...ASKS,
      ]);
      const [says, reads] = from === 'target' ? [sockets.peer, client] : [client, sockets.peer];
      reads.socket.pause();
      const octets = await saysUntilStuck(says);
      expect(octets).toBeLessThan(64 * MIB);
      expect(process.memoryUsage.rss() - before).toBeLessThan(RISE_BYTES);
      expect(await one('/beside')).toBe('200 /beside 0');
      reads.socket.resume();
      await eventually(
        'all of it',
        () => reads.octets,
        (got) => got === octets,
        { withinMs: 60_000 },
      );
      client.socket.destroy();
    },
  );
});

describe('hoopctl', () => {
  it('that a thousand ask at once serves as many as may be, tells the others, and goes on', async () => {
    const { port, token, stop } = await connected();
    const ask = async (path: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const call = request({ port, host: '127.0.0.1', agent: false, path, headers });
      call.end();
      const [answer] = await once(call, 'response');
      await buffer(answer);
      return answer.statusCode as number;
    };
    const statuses = await Promise.all(Array.from({ length: THOUSAND }, (_, at) => ask(`/many/${at}`)));
    expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([]);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(100);
    await eventually(
      'there is room',
      () => ask('/beside'),
      (status) => status === 200,
    );
    await stop();
  });

  it('holds no more of 1 GiB than of little, down and up', async () => {
    const { hoopctl, port, token, stop } = await connected();
    const most = () => {
      const status = readFileSync(`/proc/${hoopctl.child.pid}/status`, 'utf8');
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
    };
    const ask = (path: string, method: string, length?: number) =>
      request({
        ...{ port, host: '127.0.0.1', agent: false, path, method },
        headers: {
          authorization: `Bearer ${token}`,
          ...(length === undefined ? {} : { 'content-length': length }),
        },
      });
    const small = ask('/small', 'GET');
    small.end();
    await buffer((await once(small, 'response'))[0]);
    const before = most();
    const down = ask('/down', 'GET');
    down.end();
    let octets = 0;
    for await (const chunk of (await once(down, 'response'))[0]) octets += (chunk as Buffer).length;
    expect(octets).toBe(1024 * MIB);
    const up = ask('/up', 'POST', 1024 * MIB);
    const answered = once(up, 'response');
    const piece = Buffer.alloc(256 * 1024, 'y');
    for (let left = 1024 * MIB; left > 0; left -= piece.length) if (!up.write(piece)) await once(up, 'drain');
    up.end();
    expect(String(await buffer((await answered)[0]))).toBe(`/up ${1024 * MIB}`);
    expect(most() - before).toBeLessThan(160 * MIB);
    await stop();
  });
});
