/** What is spoken to a target over TLS, and what goes through by each version: real servers of Node's. */
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import { noCredential } from '../../../src/protocols/http/credentials/configured.ts';
import type { HttpTarget } from '../../../src/protocols/http/target/http-target.ts';
import {
  httpTarget,
  type TargetOptions,
  type TargetVersion,
} from '../../../src/protocols/http/target/node-target.ts';
import { requestOf, TARGET_USUAL, whole } from '../../support/http/target.ts';
import { makeCertificates } from '../../support/postgres/certificates.ts';
import { eventually } from '../../support/waiting.ts';

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

const LARGE = randomBytes(5_000_003);

let certificates: Awaited<ReturnType<typeof makeLocalCertificates>>;
let connections: number;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  certificates = await makeLocalCertificates(['127.0.0.1'], Date.now());
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Says what it was asked, and by which version. */
async function tell(request: Request, response: Response): Promise<void> {
  const body = await buffer(request);
  const sum = createHash('sha256').update(body).digest('hex');
  const { httpVersion, method, headers } = request;
  const told = { version: httpVersion, method, te: headers.te, length: body.length, sum };
  response.setHeader('content-type', 'application/json');
  (response as ServerResponse).end(JSON.stringify(told));
}

type Serve = (request: Request, response: Response) => unknown;

/** A server that takes what ALPN is offered it. */
function both(serve: Serve = tell, more: object = {}): Server {
  const { cert, key } = certificates.server;
  return createSecureServer({ cert, key, allowHTTP1: true, ...more }, (request, response) =>
    serve(request, response),
  );
}

async function at(
  server: Server,
  scheme: 'http' | 'https',
  more: Partial<TargetOptions> = {},
): Promise<HttpTarget> {
  connections = 0;
  const open = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    connections++;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const target = httpTarget({
    ...TARGET_USUAL,
    place: { origin, base: '' },
    ca: scheme === 'https' ? certificates.authority : undefined,
    credential: noCredential,
    ...more,
  });
  ends.push(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  ends.push(() => target.close());
  return target;
}

function ask(target: HttpTarget, method = 'GET', body?: Readable, length?: number | 'chunked') {
  return target.request(requestOf(method, '/', length), body, new AbortController().signal, () => undefined);
}

async function told(answer: Promise<{ readonly body: Readable }>): Promise<Record<string, unknown>> {
  return JSON.parse(String(await buffer((await answer).body))) as Record<string, unknown>;
}

describe('the version', () => {
  it.each<[string, () => Server, 'http' | 'https', TargetVersion | undefined, string]>([
    ['both are spoken', () => both(), 'https', undefined, '2.0'],
    ['both are spoken, and one is configured', () => both(), 'https', 'http/1.1', '1.1'],
    ['both are spoken, and the other is configured', () => both(), 'https', 'http/2', '2.0'],
    ['HTTP/2 alone is spoken', () => both(tell, { allowHTTP1: false }), 'https', undefined, '2.0'],
    ['ALPN is not known', () => createHttps(certificates.server, tell), 'https', undefined, '1.1'],
    ['there is no TLS', () => createHttp1(tell), 'http', undefined, '1.1'],
    ['there is no TLS, and HTTP/2 is known to be spoken', () => createHttp2(tell), 'http', 'http/2', '2.0'],
  ])('where %s', async (_where, server, scheme, version, spoken) => {
    const target = await at(server(), scheme, { version });
    for (let round = 0; round < 3; round++)
      expect(await told(ask(target))).toMatchObject({ version: spoken, method: 'GET' });
    // One that was made to find out is used.
    expect(connections).toBe(1);
  });

  it('a target that speaks HTTP/1.1 gets a connection for each request at once', async () => {
    const target = await at(createHttps(certificates.server, tell), 'https');
    const asked = Array.from({ length: 8 }, () =>
      told(ask(target, 'POST', Readable.from([Buffer.from('x')]), 1)),
    );
    expect(new Set((await Promise.all(asked)).map(({ version }) => version))).toEqual(new Set(['1.1']));
    expect(connections).toBeLessThanOrEqual(8);
  });

  it('is not HTTP/2 by force', async () => {
    const target = await at(createHttps(certificates.server, tell), 'https', { version: 'http/2' });
    await expect(ask(target)).rejects.toMatchObject({ code: expect.stringMatching(/UNREACHABLE|TLS/) });
  });

  it('is HTTP/1.1 from there on where the target says that it must be', async () => {
    const serve: Serve = (request, response) => {
      if (request.httpVersion === '1.1') return tell(request, response);
      const stream = (request as Http2ServerRequest).stream as ServerHttp2Stream;
      stream.on('error', () => undefined).once('data', () => stream.close(13));
    };
    const target = await at(both(serve), 'https');
    for (let round = 0; round < 2; round++)
      expect(await told(ask(target, 'POST', Readable.from([Buffer.from('body')]), 4))).toMatchObject({
        version: '1.1',
        length: 4,
      });
  });
});

describe('its certificate', () => {
  it.each([undefined, 'http/2', 'http/1.1'] as const)(
    'is checked before a word is said: %s',
    async (version) => {
      let asked = 0;
      const server = both(() => asked++);
      const target = await at(server, 'https', { version, ca: undefined });
      const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      try {
        await expect(ask(target)).rejects.toMatchObject({ code: 'ERR_TARGET_TLS' });
        const other = await makeLocalCertificates(['localhost'], Date.now());
        const named = await at(
          both(() => asked++, other.server),
          'https',
          { version, ca: other.authority },
        );
        await expect(ask(named)).rejects.toMatchObject({ code: 'ERR_TARGET_TLS' });
      } finally {
        if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
        else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
      }
      expect(asked).toBe(0);
    },
  );

  it.each(['http/2', 'http/1.1'] as const)(
    'is answered by the gateway’s own, as it is now: %s',
    async (version) => {
      const serve: Serve = (request, response) => {
        const { fingerprint256 } = ((request as IncomingMessage).socket as TLSSocket).getPeerCertificate();
        (response as ServerResponse).end(fingerprint256);
      };
      const directory = mkdtempSync(join(tmpdir(), 'certificates-'));
      ends.push(() => rmSync(directory, { recursive: true, force: true }));
      // Of authorities with different names: OpenSSL tries one of the same name for the other.
      const { authority, server: first } = await makeLocalCertificates(['gateway'], Date.now());
      const files = await makeCertificates(directory);
      const [caFile, cert, key] = [files.caFile, files.certFile, files.keyFile].map((file) =>
        readFileSync(file, 'utf8'),
      );
      const ca = [authority, caFile!];
      const all = [first, { cert: cert!, key: key! }];
      let own = first;
      const server = both(serve, { requestCert: true, rejectUnauthorized: false, ca });
      const target = await at(server, 'https', { version, certificate: () => own });
      for (const now of all) {
        own = now;
        expect(await whole(ask(target))).toBe(`200 ${new X509Certificate(own.cert).fingerprint256}`);
      }
    },
  );
});

describe('a session of TLS', () => {
  /** Whether each connection went on with the session of one before. */
  async function resumed(server: Server, more: Partial<TargetOptions> = {}) {
    const reused: boolean[] = [];
    server.on('secureConnection', (socket: TLSSocket) => reused.push(socket.isSessionReused()));
    const target = await at(server, 'https', { version: 'http/1.1', ...more });
    return { reused, target };
  }
  const own = (more = {}): Server => createHttps({ ...certificates.server, ...more }, closing);
  /** Each answer is the last of its connection. */
  function closing(request: Request, response: Response): void {
    response.setHeader('connection', 'close');
    void tell(request, response);
  }

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is gone on with by %s', async (version) => {
    const { reused, target } = await resumed(own({ minVersion: version, maxVersion: version }));
    for (let nth = 0; nth < 4; nth++) await told(ask(target));
    expect(reused).toEqual([false, true, true, true]);
  });

  it('is shared with no other resource', async () => {
    const server = own();
    const { reused, target } = await resumed(server);
    await told(ask(target));
    const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const ca = certificates.authority;
    const place = { origin, base: '' };
    const other = httpTarget({ ...TARGET_USUAL, place, ca, credential: noCredential, version: 'http/1.1' });
    ends.push(() => other.close());
    await told(ask(other));
    await told(ask(target));
    expect(reused).toEqual([false, false, true]);
  });

  it('is not gone on with under another certificate of the own', async () => {
    let shown = certificates.server;
    const { reused, target } = await resumed(own({ requestCert: true, rejectUnauthorized: false }), {
      certificate: () => shown,
    });
    await told(ask(target));
    await told(ask(target));
    shown = (await makeLocalCertificates(['127.0.0.1'], Date.now())).server;
    await told(ask(target));
    expect(reused).toEqual([false, true, false]);
  });

  it('is of a target that was known, and another in its place is not believed', async () => {
    const server = own();
    const { reused, target } = await resumed(server);
    await told(ask(target));
    const { cert, key } = (await makeLocalCertificates(['127.0.0.1'], Date.now())).server;
    (server as unknown as { setSecureContext(options: object): void }).setSecureContext({ cert, key });
    await expect(ask(target)).rejects.toMatchObject({ code: 'ERR_TARGET_TLS' });
    expect(reused).toEqual([false]);
  });
});

describe.each(['http/2', 'http/1.1'] as const)('by %s', (version) => {
  it('bodies go through, octet for octet, of any length and framing', async () => {
    const target = await at(both(), 'https', { version });
    const sum = createHash('sha256').update(LARGE).digest('hex');
    for (const length of [LARGE.length, 'chunked'] as const) {
      const pieces = [LARGE.subarray(0, 7), LARGE.subarray(7, 1_000_000), LARGE.subarray(1_000_000)];
      const answer = await told(ask(target, 'POST', Readable.from(pieces), length));
      expect(answer).toMatchObject({ length: LARGE.length, sum });
    }
    expect(await told(ask(target, 'POST', Readable.from([]), 0))).toMatchObject({
      length: 0,
      method: 'POST',
    });
  });

  it('answers go through, with early hints, every status, trailers, and no faster than they are read', async () => {
    let sent = 0;
    const serve: Serve = (_request, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      (response as ServerResponse).writeHead(418, { trailer: 'x-sum' });
      const more = () => {
        while (sent < 4_000) {
          sent++;
          if (!(response as ServerResponse).write(Buffer.alloc(16_384, sent)))
            return void response.once('drain', more);
        }
        response.addTrailers({ 'x-sum': 'abc' });
        response.end();
      };
      more();
    };
    const target = await at(both(serve), 'https', { version });
    const early: unknown[] = [];
    const answer = await target.request(
      requestOf('GET', '/'),
      undefined,
      new AbortController().signal,
      (status, raw) => early.push([status, ...raw.map((text) => text.toLowerCase())]),
    );
    expect([answer.status, early]).toEqual([418, [[103, 'link', '</a>; rel=preload']]]);
    const steady = async () => {
      const before = sent;
      await eventually('nothing more comes', () => new Promise((done) => setTimeout(() => done(true), 100)));
      return sent === before;
    };
    await eventually('it waits for its reader', steady);
    // 64 MiB in all; what lies between is windows, and buffers of sockets.
    expect(sent * 16_384).toBeLessThan(24_000_000);
    expect((await buffer(answer.body)).length).toBe(4_000 * 16_384);
    expect(answer.trailers()).toEqual(['x-sum', 'abc']);
  });

  it('both sides may talk at once, and an answer may come before the body has ended', async () => {
    const target = await at(
      both((request, response) => {
        (response as ServerResponse).writeHead(200);
        (request as IncomingMessage).pipe(response as ServerResponse);
      }),
      'https',
      { version },
    );
    const body = new PassThrough();
    const asked = ask(target, 'POST', body, 'chunked');
    body.write('0');
    const answer = await asked;
    const heard: string[] = [];
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      heard.push(String(chunk));
      if (heard.length < 20) body.write(String(heard.length));
      else body.end();
    }
    expect(heard.join('')).toBe(Array.from({ length: 20 }, (_, nth) => nth).join(''));
  });

  it('a target that answers without the body gets no more of it', async () => {
    const target = await at(
      both((_request, response) => void (response as ServerResponse).writeHead(413).end('no')),
      'https',
      {
        version,
      },
    );
    const body = new PassThrough();
    body.write('begun');
    expect(await whole(ask(target, 'POST', body, 'chunked'))).toBe('413 no');
    body.destroy();
  });
});
