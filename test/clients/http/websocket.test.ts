/** Clients of WebSockets and of events as they are: what each gets through the tunnel is what it gets from the target itself. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { type Stack, startStack } from '../../support/stack.ts';

const run = promisify(execFile);

let directory: string;
let upstream: Server;
let origin: string;
let stack: Stack;
/** Extensions that were agreed on with the target, for each socket. */
let extensions: string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'websocket-clients-'));
  upstream = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const from = Number(request.headers['last-event-id'] ?? 0);
    for (const id of [1, 2, 3])
      response.write(`id: ${from + id}\nevent: order\ndata: {"n":${from + id}}\ndata: é\n\n`);
    response.end(': bye\n\n');
  });
  const sockets = new WebSocketServer({ server: upstream, perMessageDeflate: true });
  sockets.on('connection', (socket) => {
    extensions.push(socket.extensions);
    socket.on('message', (data, binary) => {
      const text = binary ? '' : String(data);
      if (text === 'please close') socket.close(4002, 'as you wish');
      else socket.send(data as Buffer, { binary });
      if (text === 'please ping') socket.ping('are you there', undefined, () => undefined);
    });
    socket.on('pong', (data) => socket.send(`pong ${data}`));
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  stack = await startStack({
    resources: () => `  api:
    protocol: http
    target: { url: '${origin}', upgrades: [websocket] }
    credentials: {}`,
  });
  for (const [name, text] of Object.entries({
    'ws.mjs': WS,
    'built-in.mjs': BUILT_IN,
    'events.mjs': EVENTS,
    'client.py': PYTHON,
  }))
    writeFileSync(join(directory, name), text);
});

afterAll(async () => {
  await stack?.stop();
  upstream?.closeAllConnections();
  upstream?.close();
  rmSync(directory, { recursive: true, force: true });
});

const AT = `
const { API_URL, API_TOKEN } = process.env;
const headers = API_TOKEN ? { authorization: 'Bearer ' + API_TOKEN } : {};
`;

const WS = `
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { WebSocket } from '${import.meta.resolve('ws')}';
const socket = new WebSocket(process.env.API_URL.replace('http', 'ws') + '/feed?a=b', ['echo.v2', 'echo']);
const said = [];
socket.on('message', (data, binary) => said.push([binary, data.length, createHash('sha256').update(data).digest('hex')].join(' ')));
socket.on('pong', (data) => said.push('pong ' + data));
await once(socket, 'open');
console.log('protocol', socket.protocol);
for (const size of [0, 1, 125, 126, 65535, 65536, 3_000_000]) {
  socket.send('x'.repeat(size));
  socket.send(Buffer.alloc(size, 7));
}
socket.send('Grüße, 😀');
socket.send('in ', { fin: false });
socket.send('three ', { fin: false });
socket.send('parts', { fin: true });
socket.ping('there?');
socket.send('please ping');
while (said.length < 19) await once(socket, 'message');
console.log(said.filter((one) => !one.startsWith('pong')).join('\\n'));
console.log(said.filter((one) => one.startsWith('pong')).join('\\n'));
socket.send('please close');
const [code, reason] = await once(socket, 'close');
console.log(code, String(reason));
`;

const BUILT_IN = `${AT}
const socket = new WebSocket(API_URL.replace('http', 'ws') + '/feed', { protocols: ['echo'], headers });
socket.binaryType = 'arraybuffer';
const next = () => new Promise((resolve, reject) => {
  socket.addEventListener('message', ({ data }) => resolve(data), { once: true });
  socket.addEventListener('error', reject, { once: true });
});
await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
console.log(socket.protocol);
for (const one of ['é', '{"a":1}', 'x'.repeat(200000)]) { socket.send(one); console.log((await next()).slice(0, 50)); }
socket.send(new Uint8Array([0, 255, 1]));
console.log(new Uint8Array(await next()));
const closed = new Promise((resolve) => { socket.onclose = resolve; });
socket.close(3001, 'done');
const { code, reason, wasClean } = await closed;
console.log(code, reason, wasClean);
`;

const EVENTS = `${AT}
import { EventSource } from '${import.meta.resolve('eventsource')}';
const source = new EventSource(API_URL + '/events', {
  fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
});
// It comes again behind the last event that it had; meanwhile nothing else keeps the process.
const alive = setInterval(() => undefined, 1000);
await new Promise((resolve) => source.addEventListener('order', ({ data, lastEventId }) => {
  console.log(lastEventId, JSON.stringify(data));
  if (lastEventId === '6') resolve();
}));
source.close();
clearInterval(alive);
`;

const PYTHON = `
import asyncio, hashlib, os, websockets
async def main():
    url = os.environ['API_URL'].replace('http', 'ws', 1) + '/feed'
    async with websockets.connect(url, subprotocols=['echo.v2', 'echo'], max_size=None) as socket:
        print(socket.subprotocol)
        for one in ('é', b'\\x00\\xff', 'x' * 300000, b'y' * 300000):
            await socket.send(one)
            got = await socket.recv()
            print(type(got).__name__, len(got), got == one)
        await socket.send(part for part in ['in ', 'parts'])
        print(await socket.recv())
        await (await socket.ping(b'there'))
        await socket.send('please close')
        try: await socket.recv()
        except websockets.ConnectionClosed as closed: print(closed.rcvd.code, closed.rcvd.reason)
asyncio.run(main())
`;

const node = (file: string) => () => `'${process.execPath}' '${join(directory, file)}'`;

it.each<[string, readonly string[], () => string]>([
  ['ws', [], node('ws.mjs')],
  ["Node's own", ['--bearer'], node('built-in.mjs')],
  ["Python's websockets", [], () => `/usr/bin/python3 '${join(directory, 'client.py')}'`],
  ['an EventSource', ['--bearer'], node('events.mjs')],
])('%s', async (_name, flags, script) => {
  const direct = await run('sh', ['-c', script()], { env: { ...process.env, API_URL: origin } });
  extensions = [];
  const through = await stack.hoopctl(['connect', ...flags, 'api', '--', 'sh', '-c', script()]);
  const { stdout, stderr, exitCode } = through;
  expect({ stdout, exitCode }, stderr).toEqual({ stdout: direct.stdout, exitCode: 0 });
  expect(direct.stdout.length).toBeGreaterThan(20);
  expect(extensions.join('')).toBe('');
});
