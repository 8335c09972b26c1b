import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { Secret } from '../../../src/core/secret.ts';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import {
  basicCredential,
  bearerCredential,
  headerCredential,
  noCredential,
  queryCredential,
} from '../../../src/protocols/http/credentials/configured.ts';
import type { HttpCredential } from '../../../src/protocols/http/credentials/credential.ts';
import { oauthCredential } from '../../../src/protocols/http/credentials/oauth.ts';
import { sigV4Credential } from '../../../src/protocols/http/credentials/sigv4.ts';
import { askForToken, type TokenEndpoint } from '../../../src/protocols/http/credentials/token-endpoint.ts';
import { canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { httpTarget } from '../../../src/protocols/http/target/node-target.ts';
import { TARGET_USUAL } from '../../support/http/target.ts';
import { startIssuer, type TestIssuer } from '../../support/identity/oidc-issuer.ts';

const SECRET = 'a-secret:with%odd&parts=+';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headersDistinct'];
  readonly body: string;
}

let upstream: Server;
let seen: Seen[];
let status: number;
let origin: string;

beforeAll(async () => {
  upstream = createServer(async (request, response) => {
    const { method = '', url = '', headersDistinct: headers } = request;
    seen.push({ method, url, headers, body: await text(request) });
    response.writeHead(status).end('ok');
  });
  origin = await listening(upstream);
});
beforeEach(() => {
  seen = [];
  status = 200;
});
afterAll(() => upstream.close());

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Sends one request as a client wrote it, with a credential; gives what the target was sent. */
async function sent(
  credential: HttpCredential,
  target = '/a',
  fields: readonly string[] = [],
  body?: string,
) {
  const place = { origin, base: '/v1' };
  const http = httpTarget({ ...TARGET_USUAL, place, ca: undefined, credential });
  try {
    const answer = await http.request(
      ...asked(credential, target, fields, body),
      new AbortController().signal,
    );
    await text(answer.body);
    return seen.at(-1)!;
  } finally {
    await http.close();
  }
}

function asked(credential: HttpCredential, target: string, fields: readonly string[], body?: string) {
  const framing = body === undefined ? [] : ['Content-Length', String(Buffer.byteLength(body))];
  const rawHeaders = ['Host', '127.0.0.1', ...fields, ...framing];
  const method = body === undefined ? 'GET' : 'POST';
  const request = canonicalRequest({ method, target, httpVersion: '1.1', rawHeaders }, credential.rules);
  if (!('path' in request)) throw new Error(JSON.stringify(request));
  return [request, body === undefined ? undefined : Readable.from([Buffer.from(body)])] as const;
}

const secret = () => new Secret(SECRET);

describe('a target is shown', () => {
  const clients = ['Authorization', 'Bearer of-the-client', 'Cookie', 'a=b', 'X-Api-Key', 'mine'];

  it.each([
    ['a bearer token', bearerCredential(secret), { authorization: [`Bearer ${SECRET}`] }],
    ['a password', basicCredential('hoop', secret), { authorization: [`Basic ${btoa(`hoop:${SECRET}`)}`] }],
    ['a header', headerCredential('X-Api-Key', secret), { 'x-api-key': [SECRET] }],
  ])('%s, and nothing of the client’s own', async (_, credential, headers) => {
    const got = await sent(credential, '/a?b=c', clients);
    expect(got).toMatchObject({ url: '/v1/a?b=c', headers });
    expect(JSON.stringify(got)).not.toMatch(/of-the-client|mine|"cookie"/);
    expect(credential.secrets()).toContain(SECRET);
  });

  it.each([
    ['/a', '/v1/a?key=a-secret%3Awith%25odd%26parts%3D%2B'],
    ['/a?b=c', '/v1/a?b=c&key=a-secret%3Awith%25odd%26parts%3D%2B'],
  ])('a parameter behind those of %s', async (target, url) => {
    expect((await sent(queryCredential('key', secret), target)).url).toBe(url);
  });

  it('no parameter of the client under that name', async () => {
    for (const target of ['/a?key=mine', '/a?b=c&key=', '/a?%6bey=mine&b=c'])
      expect((await sent(queryCredential('key', secret), target)).url).toMatch(
        /^\/v1\/a\?(b=c&)?key=a-secret[^&]*[^&=]*(%3D%2B)$/,
      );
  });

  it('nothing where it asks for nothing', async () => {
    expect((await sent(noCredential, '/a', clients)).headers).not.toHaveProperty('authorization');
  });

  it('what stands in the configuration now', async () => {
    let value = 'first-token';
    const credential = bearerCredential(() => new Secret(value));
    expect((await sent(credential)).headers['authorization']).toEqual(['Bearer first-token']);
    value = 'second-token';
    expect((await sent(credential)).headers['authorization']).toEqual(['Bearer second-token']);
  });
});

describe('AWS is shown a signature', () => {
  const options = { region: 'eu-central-1', accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: secret };

  it.each([
    ['execute-api', '/orders', undefined],
    ['execute-api', '/orders/a%20b/%C3%BC?z=1&a=x%20y&a=2&empty=', undefined],
    ['execute-api', '/orders', '{"amount":5}'],
    ['s3', '/bucket/a%20b%2Bc.txt', 'content'],
  ])('of %s %s', async (service, target, body) => {
    const credential = sigV4Credential({ ...options, service });
    const fields = [
      'Content-Type',
      'application/json',
      'X-Amz-Target',
      'a.b',
      'X-Amz-Date',
      '20000101T000000Z',
    ];
    const got = await sent(credential, target, fields, body);
    expect(got.body).toBe(body ?? '');
    expect(got.headers['x-amz-date']).toHaveLength(1);
    expect(got.headers['x-amz-date']).not.toEqual(['20000101T000000Z']);
    expect(signatureIn(got)).toBe(signatureOf(got, service));
    expect(signatureOf({ ...got, url: `${got.url}x` }, service)).not.toBe(signatureIn(got));
  });

  it('of a body that it can hold, and of none that it cannot', async () => {
    const credential = sigV4Credential({ ...options, service: 'execute-api' });
    const large = 'x'.repeat(9 * 1024 * 1024);
    await expect(sent(credential, '/a', [], large)).rejects.toMatchObject({ code: 'ERR_TOO_LARGE' });
    expect(seen).toEqual([]);
  });
});

function signatureIn({ headers }: Seen): string | undefined {
  return /Signature=([0-9a-f]{64})$/.exec(headers['authorization']?.[0] ?? '')?.[1];
}

/**
 * What AWS would compute of what arrived, by its own description.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
function signatureOf({ method, url, headers, body }: Seen, service: string): string {
  const authorization = headers['authorization']?.[0] ?? '';
  const [path = '', query = ''] = url.split('?');
  const names = /SignedHeaders=([^,]*)/.exec(authorization)?.[1] ?? '';
  const date = headers['x-amz-date']?.[0] ?? '';
  const once = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const canonicalPath =
    service === 's3'
      ? path
          .split('/')
          .map((part) => once(decodeURIComponent(part)))
          .join('/')
      : path.split('/').map(once).join('/');
  const pairs =
    query === ''
      ? []
      : query.split('&').map((pair) => pair.split('=').map((part) => once(decodeURIComponent(part))));
  const canonicalQuery = pairs
    .map(([name, value = '']) => `${name}=${value}`)
    .sort()
    .join('&');
  const hash = (value: string) => createHash('sha256').update(value).digest('hex');
  const payload = headers['x-amz-content-sha256']?.[0] ?? hash(body);
  const lines = names
    .split(';')
    .map((name) => `${name}:${(headers[name] ?? []).join(',').trim()}\n`)
    .join('');
  const canonical = [method, canonicalPath, canonicalQuery, lines, names, payload].join('\n');
  const scope = `${date.slice(0, 8)}/eu-central-1/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, hash(canonical)].join('\n');
  const mac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value).digest();
  const key = [...scope.split('/')].reduce<string | Buffer>((so, part) => mac(so, part), `AWS4${SECRET}`);
  return mac(key, toSign).toString('hex');
}

describe('a token of the gateway’s own client', () => {
  let issuer: TestIssuer;
  let now = 0;
  const clock = { now: () => now };
  const endpoint = (more: Partial<TokenEndpoint> = {}): TokenEndpoint => ({
    tokenUrl: `${issuer.issuer}/token`,
    clientId: 'hoop',
    clientSecret: () => new Secret('client-secret'),
    auth: 'basic',
    ca: undefined,
    ...more,
  });

  beforeAll(async () => {
    const client = { redirect_uris: [], response_types: [], grant_types: ['client_credentials'] };
    issuer = await startIssuer({
      clients: [
        { ...client, client_id: 'hoop', client_secret: 'client-secret' },
        {
          ...client,
          client_id: 'poster',
          client_secret: SECRET,
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
    });
  });
  beforeEach(() => {
    now = Date.parse('2026-03-01T00:00:00Z');
  });
  afterAll(() => issuer.stop());

  it.each([
    ['in a header', {}],
    ['in the form', { clientId: 'poster', clientSecret: secret, auth: 'post' as const }],
  ])('is had of a real provider, the secret %s', async (_, more) => {
    const { token, lifeMs } = await askForToken(endpoint(more));
    expect(token.length).toBeGreaterThan(20);
    expect(lifeMs).toBeGreaterThan(60_000);
  });

  it.each<[string, () => Partial<TokenEndpoint>, string]>([
    ['a wrong secret', () => ({ clientSecret: () => new Secret('wrong') }), 'answered 401 (invalid_client)'],
    ['no provider', () => ({ tokenUrl: 'http://127.0.0.1:1/token' }), 'cannot be asked (ECONNREFUSED)'],
    [
      'the machine’s own',
      () => ({ tokenUrl: 'http://[::ffff:169.254.169.254]/t' }),
      'is at an address that is refused',
    ],
    ['a page', () => ({ tokenUrl: origin }), 'answered without a token'],
  ])('is not had with %s', async (_, more, detail) => {
    const failure = { code: 'ERR_TARGET_CREDENTIAL', detail: `the provider ${detail}` };
    await expect(askForToken(endpoint(more()))).rejects.toMatchObject(failure);
  });

  it('is had once for all who wait, used while it lives, renewed before it ends', async () => {
    let count = 0;
    const ask = async () => ({ token: `the-token-${++count}`, lifeMs: 100_000 });
    const credential = oauthCredential({ ask, clock, log: silentLog });
    const several = await Promise.all([sent(credential), sent(credential), sent(credential)]);
    expect(new Set(several.map(({ headers }) => headers['authorization']?.[0]))).toEqual(
      new Set(['Bearer the-token-1']),
    );
    now += 81_000;
    expect((await sent(credential)).headers['authorization']).toEqual(['Bearer the-token-1']);
    expect((await sent(credential)).headers['authorization']).toEqual(['Bearer the-token-2']);
    expect(credential.secrets()).toEqual(['the-token-2', 'the-token-1']);
    now += 200_000;
    expect((await sent(credential)).headers['authorization']).toEqual(['Bearer the-token-3']);
    expect(count).toBe(3);
  });

  it('that the target does not take is not used again, and nothing is sent twice', async () => {
    let count = 0;
    const ask = async () => ({ token: `the-token-${++count}`, lifeMs: 100_000 });
    const credential = oauthCredential({ ask, clock, log: silentLog });
    status = 401;
    await sent(credential, '/a', [], '{}');
    expect(seen).toHaveLength(1);
    status = 200;
    expect((await sent(credential)).headers['authorization']).toEqual(['Bearer the-token-2']);
  });

  it('is not asked for at each request of a target that takes none', async () => {
    let count = 0;
    const ask = async () => ({ token: `the-token-${++count}`, lifeMs: 100_000 });
    const credential = oauthCredential({ ask, clock, log: silentLog });
    status = 401;
    for (let tries = 0; tries < 5; tries++) await sent(credential);
    expect(count).toBe(2);
    now += 10_001;
    await sent(credential);
    await sent(credential);
    expect(count).toBe(3);
  });

  it('that cannot be had keeps requests from the target, and leaves the provider alone for a while', async () => {
    let count = 0;
    const fails = async (): Promise<never> => {
      count++;
      throw new Error('down');
    };
    const credential = oauthCredential({ ask: fails, clock, log: silentLog });
    for (let tries = 0; tries < 3; tries++)
      await expect(sent(credential)).rejects.toMatchObject({ code: 'ERR_TARGET_CREDENTIAL' });
    expect([count, seen]).toEqual([1, []]);
    now += 2_001;
    await expect(sent(credential)).rejects.toMatchObject({ code: 'ERR_TARGET_CREDENTIAL' });
    expect(count).toBe(2);
  });
});

describe('a certificate of the gateway’s own', () => {
  it('is shown to a target that asks for one, after the target’s own was verified', async () => {
    const { authority, server } = await makeLocalCertificates(['127.0.0.1'], Date.now());
    const other = await makeLocalCertificates(['127.0.0.1'], Date.now());
    const key = server.key;
    let shown: boolean[] = [];
    const strict = createTlsServer(
      { cert: server.cert, key, ca: authority, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        shown.push((request.socket as TLSSocket).getPeerX509Certificate() !== undefined);
        response.end('ok');
      },
    );
    const place = { origin: (await listening(strict)).replace('http:', 'https:'), base: '' };
    const credential = bearerCredential(secret);
    const ask = async (ca: string, cert?: string) => {
      shown = [];
      const certificate = cert === undefined ? {} : { certificate: () => ({ cert, key }) };
      const http = httpTarget({ ...TARGET_USUAL, place, ca, credential, ...certificate });
      const answer = await http
        .request(...asked(credential, '/a', []), new AbortController().signal)
        .finally(() => http.close());
      await text(answer.body).catch(() => '');
      return shown;
    };
    expect(await ask(authority, server.cert)).toEqual([true]);
    expect(await ask(authority)).toEqual([false]);
    await expect(ask(other.authority, server.cert)).rejects.toMatchObject({ code: 'ERR_TARGET_TLS' });
    expect(shown).toEqual([]);
    strict.close();
  });
});
