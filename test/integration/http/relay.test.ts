import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestOptions, request, type Server } from 'node:http';
import { connect as connect2 } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalEnd } from '../../support/http/local-end.ts';
import { type Caller, RunningGateway } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"http", Action::"reveal"], resource);
@id("no") forbid (principal, action in Action::"http", resource is Endpoint) when { resource.path like "/no/*" };
@id("ask-first") @approval("boss") forbid (principal, action == Action::"http.put", resource)
unless { context.approvals.contains("boss") };
`;

interface Got {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly trailers: IncomingMessage['trailers'];
  readonly text: string;
}

/** What the target was asked last. */
let asked: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
let upstream: Server;
let running: RunningGateway;
let caller: Caller;
let local: LocalEnd;
/** The connection over which the target was asked for what it answers early. */
let early: Socket | undefined;

beforeAll(async () => {
  upstream = createServer((req, res) => {
    const { url = '' } = req;
    const { method = '', headers } = req;
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => asked.push({ method, url, headers, body: Buffer.concat(chunks).toString() }));
    if (url === '/early-kept') early = req.socket;
    if (url === '/early') return void res.writeHead(413).end('too much');
    if (url === '/early-kept')
      return void req.socket.write('HTTP/1.1 413 Too Much\r\nContent-Length: 8\r\n\r\ntoo much');
    if (url === '/cut')
      return void res.writeHead(200, { 'content-length': 100 }).write('half', () => res.destroy());
    if (url === '/reset') return void req.socket.resetAndDestroy();
    if (url === '/away')
      return void res
        .writeHead(302, {
          location: 'https://evil.example/',
          'hoop-withheld': 'nothing',
          link: '<//evil.example>',
        })
        .end();
    if (url === '/empty') return void res.writeHead(204).end();
    if (url === '/same') return void res.writeHead(304, { etag: '"1"' }).end();
    if (url === '/hints') res.writeEarlyHints({ link: '</style.css>; rel=preload' });
    if (url === '/trailers') {
      res.writeHead(200, { trailer: 'x-sum' });
      res.write('body');
      res.addTrailers({ 'x-sum': '42' });
      return void res.end();
    }
    if (url === '/twice') {
      const twice = ['etag: 1', 'etag: 2', 'age: 3', 'age: 3'].map((line) => `${line}\r\n`).join('');
      const head = `HTTP/1.1 103 Early Hints\r\n${twice}\r\nHTTP/1.1 200 OK\r\n${twice}transfer-encoding: chunked\r\n\r\n`;
      return void req.socket.end(`${head}4\r\nbody\r\n0\r\n${twice}\r\n`);
    }
    req.on('end', () => res.end(`${method} ${url} ${Buffer.concat(chunks).length}`));
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  running = await RunningGateway.start({
    policy: POLICY,
    resources: `\n  api: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {} }`,
    adapter: null,
    more: 'approvals: { wait: 1s }',
  });
  caller = await running.person(['developers'], { agent: 'copilot' });
  local = await LocalEnd.open(caller, 'api');
});

beforeEach(() => {
  asked = [];
});

afterAll(async () => {
  local?.close();
  await running?.remove();
  upstream?.close();
  upstream?.closeAllConnections();
});

/** One request with the tunnel's secret, unless its headers have another. */
function send(method: string, path: string, more: RequestOptions & { body?: string } = {}): Promise<Got> {
  const { body, headers, ...rest } = more;
  return new Promise((resolve, reject) => {
    const call = request(
      {
        port: local.port,
        host: '127.0.0.1',
        method,
        path,
        agent: false,
        headers: { authorization: local.authorization, ...headers },
        ...rest,
      },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: res.statusCode!, headers: res.headers, trailers: res.trailers, text });
        });
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

/** Octets as they are, and all that comes until the connection ends. */
function raw(octets: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(local.port, '127.0.0.1', () => socket.write(octets));
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => undefined).on('close', () => resolve(text));
  });
}

const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`;

describe('a request', () => {
  it('goes to the target as it is, without what the client proves itself with', async () => {
    const got = await send('POST', '/orders?page=2', {
      body: '{"n":1}',
      headers: { 'content-type': 'application/json', cookie: 'a=b', 'x-mine': '1' },
    });
    expect(got).toMatchObject({ status: 200, text: 'POST /orders?page=2 7' });
    expect(asked).toEqual([
      expect.objectContaining({ method: 'POST', url: '/orders?page=2', body: '{"n":1}' }),
    ]);
    expect(asked[0]!.headers).toMatchObject({ 'x-mine': '1', 'content-length': '7' });
    expect(asked[0]!.headers).not.toHaveProperty('authorization');
    expect(asked[0]!.headers).not.toHaveProperty('cookie');
  });

  it.each([
    ['no secret', { authorization: '' }, 401],
    ['a wrong one', { authorization: 'Basic aG9vcDp3cm9uZw==' }, 401],
    ['another host', { host: 'evil.example' }, 403],
    ["a page's origin", { origin: 'https://evil.example' }, 403],
  ])('with %s is answered before anything is asked', async (_, headers, status) => {
    const got = await send('GET', '/x', { headers });
    expect(got.status).toBe(status);
    expect(got.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(got.text)).toMatchObject({ status, code: 'ERR_LOCAL_AUTH' });
    expect(asked).toEqual([]);
  });

  it('may carry the secret as a bearer token', async () => {
    const headers = { authorization: `Bearer ${local.secret}` };
    expect(await send('GET', '/x', { headers })).toMatchObject({ status: 200 });
  });

  it('that is denied says so as a problem, and the connection goes on', async () => {
    const auth = `Authorization: ${local.authorization}`;
    const denied = lines('POST /no/way HTTP/1.1', 'Host: localhost', auth, 'Content-Length: 3').concat('abc');
    const next = lines('GET /yes HTTP/1.1', 'Host: localhost', auth, 'Connection: close');
    const text = await raw(denied + next);
    const [first, second] = text.split(/(?=HTTP\/1\.1 200)/);
    expect(first).toContain('HTTP/1.1 403');
    const problem = JSON.parse(first!.slice(first!.indexOf('\r\n\r\n')));
    expect(problem).toMatchObject({
      status: 403,
      code: 'ERR_DENIED',
      rule: 'no',
      retryable: false,
      operation: expect.stringMatching(/^op_/),
    });
    expect(second).toContain('GET /yes 0');
    expect(asked.map(({ url }) => url)).toEqual(['/yes']);
  });

  it('that waits for 100 is told no without it, and yes with it', async () => {
    const head = (path: string) =>
      lines(
        `POST ${path} HTTP/1.1`,
        'Host: localhost',
        `Authorization: ${local.authorization}`,
        'Content-Length: 5',
        'Expect: 100-continue',
        'Connection: close',
      );
    const denied = await raw(head('/no/way'));
    expect(denied).toMatch(/^HTTP\/1\.1 403/);
    const socket = connect(local.port, '127.0.0.1', () => socket.write(head('/yes')));
    let text = '';
    socket.on('data', (chunk) => {
      if (text === '') socket.write('12345');
      text += String(chunk);
    });
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/);
    expect(text).toContain('POST /yes 5');
  });

  it('is judged in its turn, where several are sent ahead', async () => {
    const one = (path: string, ...more: string[]) =>
      lines(`GET ${path} HTTP/1.1`, 'Host: localhost', `Authorization: ${local.authorization}`, ...more);
    const text = await raw(one('/1') + one('/no/2') + one('/3') + one('/4', 'Connection: close'));
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual([
      '200',
      '403',
      '200',
      '200',
    ]);
    expect(asked.map(({ url }) => url)).toEqual(['/1', '/3', '/4']);
  });

  it('that is held is shown whole to those who decide: fields and body, and of a long one the hash', async () => {
    const json = { 'content-type': 'application/json', prefer: 'respond-async' };
    const askedFor = () => running.gateway.approvals.list().filter(({ state }) => state === 'pending');
    await send('PUT', '/pay?to=7', { body: '{"amount":5}', headers: json });
    expect(askedFor()[0]?.original).toMatchObject({
      request: 'PUT /pay?to=7',
      fields: expect.stringContaining('content-type: application/json'),
      body: '{"amount":5}',
    });
    expect(JSON.stringify(askedFor()[0])).not.toContain(local.secret);
    await send('PUT', '/pay', { body: 'x'.repeat(70_000), headers: { prefer: 'respond-async' } });
    const { body, 'only a part of the body is shown': cut } = askedFor()[0]?.original ?? {};
    expect([body?.length, cut]).toEqual([
      65_536,
      expect.stringMatching(/^the first 65536 of 70000 octets; SHA-256 of all [0-9a-f]{64}$/),
    ]);
    await send('PUT', '/raw', {
      body: Buffer.from([0xff, 0]) as never,
      headers: { prefer: 'respond-async' },
    });
    expect(askedFor()[0]?.original).toMatchObject({ 'body in base64': '/wA=' });
  });

  it('that is held gives a ticket at once where its client prefers so', async () => {
    const got = await send('PUT', '/x', { body: 'x', headers: { prefer: 'respond-async' } });
    expect(got.status).toBe(202);
    expect(got.headers).toMatchObject({ 'retry-after': '15', location: expect.stringMatching(/apr_/) });
    const said = { status: 202, retryable: true, approval: expect.stringMatching(/^apr_/) };
    expect(JSON.parse(got.text)).toMatchObject(said);
    expect(asked).toEqual([]);
  });

  it('that would upgrade the connection is refused, and nothing follows', async () => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
    };
    const got = await send('GET', '/socket', { headers });
    expect(got).toMatchObject({ status: 501 });
    expect(JSON.parse(got.text)).toMatchObject({ rule: 'upgrade-not-carried' });
    expect(asked).toEqual([]);
  });
});

describe('an answer', () => {
  it.each([
    ['HEAD', '/x', 200, ''],
    ['GET', '/empty', 204, ''],
    ['GET', '/same', 304, ''],
  ])('to %s %s has no body', async (method, path, status, text) => {
    expect(await send(method, path)).toMatchObject({ status, text });
  });

  it('that leads elsewhere says what of it was left out, in no word of the target', async () => {
    const { status, headers } = await send('GET', '/away');
    expect([status, headers['location'], headers['link'], headers['hoop-withheld']]).toEqual([
      302,
      undefined,
      undefined,
      'location, link',
    ]);
  });

  it('has its trailers', async () => {
    expect(await send('GET', '/trailers')).toMatchObject({ text: 'body', trailers: { 'x-sum': '42' } });
  });

  it('has its hints before it', async () => {
    const text = await raw(
      lines(
        'GET /hints HTTP/1.1',
        'Host: localhost',
        `Authorization: ${local.authorization}`,
        'Connection: close',
      ),
    );
    expect(text).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/style\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200/,
    );
  });

  it('may come before the body has', async () => {
    const body = 'x'.repeat(10_000_000);
    await expect(send('POST', '/early', { body })).resolves.toMatchObject({ status: 413, text: 'too much' });
  });

  it('before all of the body has come leaves nothing open at the target', async () => {
    const head = lines(
      'POST /early-kept HTTP/1.1',
      'Host: localhost',
      `Authorization: ${local.authorization}`,
      'Content-Length: 10000000',
    );
    expect(await raw(`${head}${'x'.repeat(100_000)}`)).toMatch(/^HTTP\/1\.1 413 /);
    await eventually('the target is told that no more comes', () => early?.closed === true);
  });

  it('that breaks off breaks off', async () => {
    await expect(send('GET', '/cut')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('that does not come is a problem', async () => {
    const got = await send('GET', '/reset');
    expect(got.status).toBe(502);
    expect(JSON.parse(got.text)).toMatchObject({ code: 'ERR_TARGET_LOST' });
  });
});

describe('HTTP/2 with prior knowledge', () => {
  it('is spoken, many requests at once', async () => {
    const session = connect2(`http://127.0.0.1:${local.port}`);
    const one = async (path: string) => {
      const stream = session.request({ ':path': path, authorization: local.authorization });
      const [headers] = await once(stream, 'response');
      let text = '';
      for await (const chunk of stream) text += String(chunk);
      return [headers[':status'], text];
    };
    const paths = Array.from({ length: 40 }, (_, at) => `/h2/${at}`);
    expect(await Promise.all(paths.map(one))).toEqual(paths.map((path) => [200, `GET ${path} 0`]));
    expect((await one('/no/way'))[0]).toBe(403);
    const upload = session.request({ ':method': 'POST', ':path': '/up', authorization: local.authorization });
    upload.end('x'.repeat(200_000));
    let text = '';
    for await (const chunk of upload) text += String(chunk);
    expect(text).toBe('POST /up 200000');
    session.close();
  });

  it('carries what a target says twice, though it is said once: early, in the head and in trailers', async () => {
    const session = connect2(`http://127.0.0.1:${local.port}`);
    const stream = session.request({ ':path': '/twice', authorization: local.authorization });
    const said: string[] = [];
    const keep = (_headers: unknown, _flags: unknown, raw: unknown) => {
      const fields = raw as string[];
      said.push(fields.filter((name, at) => at % 2 === 0 && !name.startsWith(':')).join(' '));
    };
    stream.on('headers', keep).on('response', keep).on('trailers', keep);
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    session.close();
    expect(text).toBe('body');
    // Before the answer nothing is said of its body.
    expect(said).toEqual(['age age', 'etag etag age age', 'etag etag age age']);
  });
});
