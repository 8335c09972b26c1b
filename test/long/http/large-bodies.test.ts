import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import {
  connect as connectHttp2,
  createServer as createHttp2,
  type Http2Server,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalEnd } from '../../support/http/local-end.ts';
import { RunningGateway } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `@id("all") permit (principal, action in [Action::"connect", Action::"http", Action::"reveal"], resource);`;
const MIB = 1024 * 1024;
const SIZE = 1024 * MIB;
/**
 * What hoopd, both clients and the target may hold more, together: buffers of a few sockets, and what of them V8 has not
 * collected yet, which on a busy machine was 178 MiB. A body that is held would be the whole of it.
 */
const RISE_BYTES = SIZE / 4;

let upstream: Server;
let spoken: Http2Server;
let running: RunningGateway;
let local: LocalEnd;
let two: LocalEnd;
/** Requests that the target has seen broken off. */
let aborted = 0;

beforeAll(async () => {
  const piece = Buffer.alloc(64 * 1024, 'x');
  upstream = createServer((req, res) => {
    if (req.url === '/up') {
      let octets = 0;
      req.on('data', (chunk: Buffer) => (octets += chunk.length));
      req.on('end', () => res.end(String(octets)));
      return;
    }
    if (req.url === '/small') return void res.end('small');
    let left = SIZE;
    res.writeHead(200, { 'content-length': SIZE });
    res.on('close', () => {
      if (!res.writableFinished) aborted++;
    });
    const more = () => {
      while (left > 0) {
        left -= piece.length;
        if (!res.write(piece)) return void res.once('drain', more);
      }
      res.end();
    };
    more();
  });
  spoken = createHttp2().on('stream', (stream, headers) => void answerHttp2(stream, headers[':path'], piece));
  spoken.listen(0, '127.0.0.1');
  await once(spoken, 'listening');
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  const { port: spokenPort } = spoken.address() as AddressInfo;
  running = await RunningGateway.start({
    policy: POLICY,
    resources: `\n  api: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {} }
  two: { protocol: http, target: { url: 'http://127.0.0.1:${spokenPort}', version: http/2 }, credentials: {} }`,
    adapter: null,
  });
  const caller = await running.person(['developers'], { agent: 'copilot' });
  local = await LocalEnd.open(caller, 'api');
  two = await LocalEnd.open(caller, 'two');
});

afterAll(async () => {
  local?.close();
  two?.close();
  spoken?.close();
  await running?.remove();
  upstream?.close();
  upstream?.closeAllConnections();
});

/** As the target of HTTP/1.1. */
async function answerHttp2(
  stream: ServerHttp2Stream,
  path: string | undefined,
  piece: Buffer,
): Promise<void> {
  stream.on('error', () => undefined);
  if (path === '/up') {
    const octets = await lengthOf(stream);
    stream.respond({ ':status': 200 });
    return void stream.end(String(octets));
  }
  stream.respond({ ':status': 200, 'content-length': SIZE });
  for (let left = SIZE; left > 0; left -= piece.length) if (!stream.write(piece)) await once(stream, 'drain');
  stream.end();
}

function ask(path: string, method = 'GET', length?: number) {
  const headers = {
    authorization: local.authorization,
    ...(length === undefined ? {} : { 'content-length': length }),
  };
  const call = request({ port: local.port, host: '127.0.0.1', agent: false, method, path, headers });
  const answer = new Promise<IncomingMessage>((resolve, reject) =>
    call.on('response', resolve).on('error', reject),
  );
  return { call, answer };
}

async function lengthOf(answer: Readable): Promise<number> {
  let octets = 0;
  for await (const chunk of answer) octets += (chunk as Buffer).length;
  return octets;
}

/** The most that the process held more while something ran. */
async function riseOf<T>(run: () => Promise<T>): Promise<{ readonly value: T; readonly rise: number }> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
  const value = await run();
  clearInterval(timer);
  return { value, rise: most - before };
}

describe('a body of 1 GiB', () => {
  it('comes down whole, in memory that does not grow with it', async () => {
    const { value, rise } = await riseOf(async () => {
      const { call, answer } = ask('/down');
      call.end();
      return lengthOf(await answer);
    });
    expect(value).toBe(SIZE);
    expect(rise).toBeLessThan(RISE_BYTES);
  });

  it('goes up whole, in memory that does not grow with it', async () => {
    const piece = Buffer.alloc(64 * 1024, 'y');
    const { value, rise } = await riseOf(async () => {
      const { call, answer } = ask('/up', 'POST', SIZE);
      for (let left = SIZE; left > 0; left -= piece.length) if (!call.write(piece)) await once(call, 'drain');
      call.end();
      const chunks: Buffer[] = [];
      for await (const chunk of await answer) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    });
    expect(value).toBe(String(SIZE));
    expect(rise).toBeLessThan(RISE_BYTES);
  });

  it('waits for a client that does not read, and others go on', async () => {
    const { call, answer } = ask('/down');
    call.end();
    const slow = await answer;
    slow.pause();
    const { rise } = await riseOf(async () => {
      for (let at = 0; at < 50; at++) {
        const small = ask('/small');
        small.call.end();
        expect(await lengthOf(await small.answer)).toBe(5);
      }
    });
    expect(rise).toBeLessThan(RISE_BYTES);
    const before = aborted;
    slow.destroy();
    await eventually('the target is told', () => aborted > before);
  });
});

describe('a body of 1 GiB by HTTP/2, to a target of HTTP/2', () => {
  it('comes down whole, in memory that does not grow with it', async () => {
    const session = connectHttp2(`http://127.0.0.1:${two.port}`);
    const { value, rise } = await riseOf(() =>
      lengthOf(session.request({ ':path': '/down', authorization: two.authorization })),
    );
    session.close();
    expect(value).toBe(SIZE);
    expect(rise).toBeLessThan(RISE_BYTES);
  });

  it('goes up whole, in memory that does not grow with it', async () => {
    const piece = Buffer.alloc(64 * 1024, 'y');
    const session = connectHttp2(`http://127.0.0.1:${two.port}`);
    const { value, rise } = await riseOf(async () => {
      const call = session.request({ ':path': '/up', ':method': 'POST', authorization: two.authorization });
      for (let left = SIZE; left > 0; left -= piece.length) if (!call.write(piece)) await once(call, 'drain');
      call.end();
      return String(await buffer(call));
    });
    session.close();
    expect(value).toBe(String(SIZE));
    expect(rise).toBeLessThan(RISE_BYTES);
  });
});
