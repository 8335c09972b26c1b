/** Memory in which large answers wait for their clients is used again: none may ever be given octets of another's. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { connect as connect2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LocalEnd } from '../../support/http/local-end.ts';
import { RunningGateway } from '../../support/running-gateway.ts';
import { timePasses } from '../../support/waiting.ts';

const POLICY =
  '@id("use") permit (principal, action in [Action::"connect", Action::"http", Action::"reveal"], resource);';
const BLOCKS = 96;
const BLOCK_BYTES = 64 * 1024;

/** Every block says whose it is, and which. */
function block(path: string, number: number): Buffer {
  const line = `${path} ${number} `;
  return Buffer.alloc(BLOCK_BYTES, line);
}

function hashOf(path: string): string {
  const hash = createHash('sha256');
  for (let number = 0; number < BLOCKS; number++) hash.update(block(path, number));
  return hash.digest('hex');
}

let upstream: Server;
let running: RunningGateway;
let local: LocalEnd;

beforeAll(async () => {
  upstream = createServer(async ({ url = '' }, res) => {
    if (url.startsWith('/length/')) res.setHeader('content-length', BLOCKS * BLOCK_BYTES);
    for (let number = 0; number < BLOCKS && !res.destroyed; number++)
      await new Promise((resolve) => res.write(block(url, number), resolve));
    res.end();
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  running = await RunningGateway.start({
    policy: POLICY,
    resources: `\n  api: { protocol: http, target: { url: 'http://127.0.0.1:${(upstream.address() as AddressInfo).port}' }, credentials: {} }`,
    adapter: null,
  });
  local = await LocalEnd.open(await running.person(['developers']), 'api');
});

afterAll(async () => {
  local?.close();
  await running?.remove();
  upstream?.close();
  upstream?.closeAllConnections();
});

/** Reads in bursts, as a client that is busy with something else. @returns The hash of all. */
async function read(body: Readable, slow: boolean): Promise<string> {
  const hash = createHash('sha256');
  let pieces = 0;
  for await (const chunk of body) {
    hash.update(chunk as Buffer);
    if (slow && ++pieces % 16 === 0) await timePasses(2, 'a client that reads in bursts');
  }
  return hash.digest('hex');
}

/** By HTTP/1.1, over a connection of its own. @param blocks The client leaves after as many. */
async function get(path: string, slow: boolean, blocks?: number): Promise<string> {
  const headers = { authorization: local.authorization };
  const call = request({ port: local.port, host: '127.0.0.1', path, agent: false, headers }).end();
  const [body] = (await once(call, 'response')) as [Readable];
  if (blocks === undefined) return read(body, slow);
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    if (bytes >= blocks * BLOCK_BYTES) break;
  }
  return 'left';
}

it('no client is given what is of another, however slowly some read and whoever leaves', async () => {
  const session = connect2(`http://127.0.0.1:${local.port}`);
  const get2 = (path: string, slow: boolean) =>
    read(session.request({ ':path': path, authorization: local.authorization }), slow);
  const asked = [
    ...['/length/1', '/length/2', '/chunked/3'].map((path) => [path, get(path, false)] as const),
    ...['/length/4', '/length/5', '/chunked/6'].map((path) => [path, get(path, true)] as const),
    ...['/length/7', '/chunked/8'].map((path) => [path, get2(path, false)] as const),
    ...['/length/9', '/chunked/10'].map((path) => [path, get2(path, true)] as const),
  ];
  const left = ['/length/11', '/length/12', '/length/13'].map((path, at) => get(path, false, 5 + 20 * at));
  expect(await Promise.all(left)).toEqual(['left', 'left', 'left']);
  for (const [path, hash] of asked) expect([path, await hash]).toEqual([path, hashOf(path)]);
  session.close();
});
