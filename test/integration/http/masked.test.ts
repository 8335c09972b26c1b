import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalEnd } from '../../support/http/local-end.ts';
import { RunningGateway } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"http"], resource) unless { principal in Group::"analysts" };
@id("look") permit (principal in Group::"analysts", action in [Action::"connect", Action::"http.read"], resource);
@id("by-pseudonyms") @mask("pseudonym") forbid (principal, action == Action::"reveal", resource) when { resource.tags.contains("pii.people") };
@id("by-form") @mask("keep-format") forbid (principal, action == Action::"reveal", resource) when { resource.tags.contains("pii.form") };
@id("see") permit (principal, action == Action::"reveal", resource)
unless { resource.tags.contains("pii.email") || resource.tags.contains("pii.name") };
@id("see-all") permit (principal in Group::"dpo", action == Action::"reveal", resource);
`;
const CUSTOMER =
  '{"id": 7, "email":"ann@example.com", "note": "mail bob@example.nl" , "big":12345678901234567890.10}';
const SHOWN = '{"id": 7, "email":"***", "note": "mail ***" , "big":12345678901234567890.10}';
const SECRET = 'upstream-token-4711';

/** Streams of events that are open. */
const news: ServerResponse[] = [];

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

const json =
  (body: string | Buffer, more: Record<string, string> = {}, status = 200): Answer =>
  (_, res) =>
    void res.writeHead(status, { 'content-type': 'application/json', ...more }).end(body);

/** In chunks: its head does not tell whether there is a body either. */
const untyped =
  (status: number, body: string): Answer =>
  (_, res) => {
    res.writeHead(status).write('');
    res.end(body);
  };

const NOT_FOUND: Answer = (_, res) => void res.writeHead(404).end();

const ANSWERS: Readonly<Record<string, Answer>> = {
  '/customers/7': json(CUSTOMER, {
    etag: '"1"',
    'last-modified': 'Sun, 29 Nov 2026 00:00:00 GMT',
    'content-length': String(CUSTOMER.length),
    'x-customer': 'Ann Lee',
    'x-contact': 'ann@example.com',
    link: '</customers?after=ann%40example.com>; rel="next"',
  }),
  '/people': json(
    '[{"mail":"ann@example.com","no":7,"plate":"AB-12-cd"},{"mail":"ann\\u0040example.com"},{"mail":"bob@example.com","plate":null}]',
  ),
  '/customers/gzip': json(zlib.gzipSync(CUSTOMER), { 'content-encoding': 'GZIP' }),
  '/customers/both': json(zlib.brotliCompressSync(zlib.gzipSync(CUSTOMER)), {
    'content-encoding': 'gzip, br',
  }),
  '/customers/zstd': json(zlib.zstdCompressSync(CUSTOMER), { 'content-encoding': 'zstd' }),
  '/customers/odd': json(CUSTOMER, { 'content-encoding': 'compress' }),
  '/customers/utf-16': json(Buffer.from(CUSTOMER, 'utf16le'), {
    'content-type': 'application/json; charset=utf-16',
  }),
  '/customers/part': json(CUSTOMER.slice(0, 20), { 'content-range': `bytes 0-19/${CUSTOMER.length}` }, 206),
  '/customers/broken': json('{"id": 7, "email": "ann@example.com'),
  '/customers/untyped': untyped(200, JSON.stringify({ id: 7, email: 'ann\\u0040example.com' })),
  '/customers/untyped-text': untyped(200, 'ann@example.com'),
  '/customers/untyped-error': untyped(404, 'ann@example.com'),
  '/customers/untyped-nothing': untyped(202, ''),
  '/customers/garbage': json('<email>ann@example.com</email>'),
  '/customers/no-gzip': json(CUSTOMER, { 'content-encoding': 'gzip' }),
  '/customers/error': json(
    '{"detail":"no ann@example.com","email":"x"}',
    { 'content-type': 'application/problem+json' },
    404,
  ),
  '/customers/html': json('<p>no ann@example.com</p>', { 'content-type': 'text/html' }, 404),
  '/customers/none': (_, res) =>
    void res.writeHead(201, { 'content-length': '0', location: '/customers/ann@example.com' }).end(),
  '/trailers': (_, res) => {
    res.writeHead(200, { 'content-type': 'text/plain', trailer: 'x-contact' });
    res.write('by ann@exam');
    res.addTrailers({ 'x-contact': 'ann@example.com' });
    res.end('ple.com');
  },
  '/silence': (_, res) => {
    news.push(res);
    res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  },
  '/events': (_, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: {"to":"ann@example.com"}\n\ndata: {"to":"bo');
  },
  '/news': (_, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
    news.push(res);
  },
  '/watched': (_, res) => {
    res.writeHead(200, { 'content-type': 'application/x-ndjson' }).write('{"n":1}\n');
    news.push(res);
  },
  '/image': json(Buffer.from([0x89, 0x50]), { 'content-type': 'image/png' }),
  '/echo': (req, res) =>
    void res
      .writeHead(200, {
        'content-type': 'text/plain',
        'x-echo': String(req.headers.authorization),
        'content-encoding': 'gzip',
      })
      .end(zlib.gzipSync(`you sent ${req.headers.authorization} and ${req.headers['accept-encoding']}`)),
};

interface Got {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly trailers: IncomingMessage['trailers'];
  readonly text: string;
  readonly whole: boolean;
}

let upstream: Server;
let running: RunningGateway;
let local: LocalEnd;
let all: LocalEnd;

beforeAll(async () => {
  upstream = createServer((req, res) => (ANSWERS[req.url ?? ''] ?? NOT_FOUND)(req, res));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  process.env['MASKED_TEST_TOKEN'] = SECRET;
  const { port } = upstream.address() as AddressInfo;
  running = await RunningGateway.start({
    policy: POLICY,
    resources: `
  api:
    protocol: http
    target: { url: 'http://127.0.0.1:${port}' }
    credentials: { bearer: { env: MASKED_TEST_TOKEN } }
    classification:
      fields:
        'GET /customers/*': { '$.email': [pii.email] }
        'GET /people': { '$[*].mail': [pii.people], '$[*].no': [pii.people], '$[*].plate': [pii.form] }
      headers: { X-Customer: [pii.name] }`,
    adapter: null,
  });
  local = await LocalEnd.open(await running.person(['developers']), 'api');
  all = await LocalEnd.open(await running.person(['dpo']), 'api');
});

afterAll(async () => {
  local?.close();
  all?.close();
  await running?.remove();
  upstream?.close();
  upstream?.closeAllConnections();
});

function get(path: string, { at = local, method = 'GET', headers = {} } = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        port: at.port,
        host: '127.0.0.1',
        method,
        path,
        agent: false,
        headers: { authorization: at.authorization, ...headers },
      },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
        res.on('close', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: res.statusCode!,
            headers: res.headers,
            trailers: res.trailers,
            text,
            whole: res.complete,
          });
        });
      },
    );
    call.on('error', reject).end();
  });
}

describe('by pseudonyms', () => {
  it('equal members are equal for who sends no values, whatever their escapes; a number is null', async () => {
    const analyst = await LocalEnd.open(await running.person(['analysts']), 'api');
    const people = JSON.parse((await get('/people', { at: analyst })).text);
    analyst.close();
    expect(people[0].mail).toMatch(/^anon_[a-z0-9]{16}$/);
    expect(people[2].mail).toMatch(/^anon_[a-z0-9]{16}$/);
    expect(people).toEqual([
      { mail: people[0].mail, no: null, plate: 'XX-00-xx' },
      { mail: people[0].mail },
      { mail: people[2].mail, plate: null },
    ]);
    expect(people[2].mail).not.toBe(people[0].mail);
  });

  it('are not given to who may send values: they are hidden whole', async () => {
    const people = JSON.parse((await get('/people')).text);
    expect(people).toEqual([
      { mail: '***', no: null, plate: 'XX-00-xx' },
      { mail: '***' },
      { mail: '***', plate: null },
    ]);
  });
});

describe('an answer', () => {
  it('has its members masked, and no word of what it was', async () => {
    const { status, headers, text } = await get('/customers/7');
    expect([status, text]).toEqual([200, SHOWN]);
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-customer': '***',
      'x-contact': '***',
    });
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(JSON.stringify(headers)).not.toMatch(/etag|last-modified|content-length|example\.com/);
  });

  it('tells as little by HEAD', async () => {
    const { headers } = await get('/customers/7', { method: 'HEAD' });
    expect(JSON.stringify(headers)).not.toMatch(/etag|last-modified|content-length|example\.com/);
  });

  it.each(['gzip', 'both', 'zstd'])('is decoded: %s', async (coding) => {
    const { headers, text } = await get(`/customers/${coding}`);
    expect(text).toBe(SHOWN);
    expect(headers['content-encoding']).toBeUndefined();
  });

  it.each([
    ['odd', 'answer-coding'],
    ['utf-16', 'answer-type'],
    ['part', 'answer-partial'],
  ])('is not shown where it cannot be read: %s', async (path, rule) => {
    const { status, text } = await get(`/customers/${path}`);
    expect(status).toBe(502);
    expect(JSON.parse(text)).toMatchObject({ code: 'ERR_UNSUPPORTED', rule, retryable: false });
  });

  it('is cut where it is not what it says', async () => {
    const { text, whole } = await get('/customers/broken');
    expect([text, whole]).toEqual(['{"id": 7, "email": ', false]);
  });

  it('is an error where it is not what it says from its first octets', async () => {
    const { status, text } = await get('/customers/garbage');
    expect([status, JSON.parse(text).code]).toEqual([502, 'ERR_TARGET_LOST']);
    expect(await get('/customers/no-gzip')).toMatchObject({ status: 502 });
  });

  it('that is an error is masked as any other, and keeps its status where it is not shown', async () => {
    expect(await get('/customers/error')).toMatchObject({
      status: 404,
      text: '{"detail":"no ***","email":"***"}',
    });
    const { status, text } = await get('/customers/html');
    expect([status, JSON.parse(text).rule]).toEqual([404, 'answer-type']);
  });

  it('that names no type is JSON, or is not shown', async () => {
    expect(await get('/customers/untyped')).toMatchObject({ status: 200, text: '{"id":7,"email":"***"}' });
    expect(await get('/customers/untyped-nothing')).toMatchObject({ status: 202, text: '' });
    for (const [path, status] of [
      ['untyped-text', 502],
      ['untyped-error', 404],
    ] as const) {
      const answer = await get(`/customers/${path}`);
      expect(answer.status).toBe(status);
      expect(answer.text).not.toContain('ann@');
    }
  });

  it('without a body needs no type', async () => {
    expect(await get('/customers/none')).toMatchObject({ status: 201, text: '' });
  });

  it('has trailers that are masked too', async () => {
    expect(await get('/trailers')).toMatchObject({ text: 'by ***', trailers: { 'x-contact': '***' } });
  });

  it('of a type in which nothing can be masked is shown to whom nothing is masked', async () => {
    expect(await get('/image')).toMatchObject({ status: 502 });
    expect(await get('/image', { at: all })).toMatchObject({
      status: 200,
      headers: { 'content-type': 'image/png' },
    });
    expect(await get('/customers/7', { at: all })).toMatchObject({
      text: CUSTOMER,
      headers: { etag: '"1"' },
    });
  });

  it('is open before its first event', async () => {
    const headers = { authorization: local.authorization };
    const call = request({ port: local.port, host: '127.0.0.1', path: '/silence', headers });
    const [res] = (await once(call.end(), 'response')) as [IncomingMessage];
    expect(res.headers['content-type']).toBe('text/event-stream');
    res.destroy();
  });

  it('shows an event when it is whole', async () => {
    const call = request({
      port: local.port,
      host: '127.0.0.1',
      path: '/events',
      headers: { authorization: local.authorization },
    });
    const [res] = (await once(call.end(), 'response')) as [IncomingMessage];
    const [first] = await once(res, 'data');
    expect(String(first)).toBe('data: {"to":"***"}\n\n');
    res.destroy();
  });

  const KINDS = [
    ['/news', 'data: first\n\n', 'data: next\n\n'],
    ['/watched', '{"n":1}\n', '{"n":2}\n'],
  ] as const;

  it.each<[string, 'all' | 'local', string, boolean]>([
    [
      'is not permitted any more',
      'local',
      `${POLICY}@id("no") forbid (principal, action == Action::"http.get", resource);`,
      false,
    ],
    [
      'is masked otherwise',
      'all',
      POLICY.replace('@id("see-all")', '@id("other")').replace('"dpo"', '"others"'),
      false,
    ],
    [
      'is permitted as it was',
      'local',
      `${POLICY}@id("no") forbid (principal, action == Action::"http.put", resource);`,
      true,
    ],
  ])('that lasts ends where policy changes and it %s', async (_, who, policy, goesOn) => {
    for (const [path, first, next] of KINDS) {
      const { port, authorization } = who === 'all' ? all : local;
      const call = request({ port, host: '127.0.0.1', path, headers: { authorization } });
      const [res] = (await once(call.end(), 'response')) as [IncomingMessage];
      let shown = '';
      let over = false;
      res.on('data', (chunk) => {
        shown += String(chunk);
      });
      res
        .on('error', () => undefined)
        .on('close', () => {
          over = true;
        });
      await eventually(
        'the first is shown',
        () => shown,
        (text) => text !== '',
      );
      running.write('policies/test.cedar', policy);
      await running.gateway.reload(running.load());
      news.pop()!.end(next);
      await eventually('it is over', () => over);
      expect(shown).toBe(goesOn ? first + next : first);
      running.write('policies/test.cedar', POLICY);
      await running.gateway.reload(running.load());
    }
  });
});

it("never shows the gateway's own credential", async () => {
  const { headers, text } = await get('/echo', { at: all, headers: { 'accept-encoding': 'gzip' } });
  expect(headers['x-echo']).toBe(`Bearer ${'*'.repeat(SECRET.length)}`);
  expect(text).toBe(`you sent Bearer ${'*'.repeat(SECRET.length)} and gzip`);
  expect((await get('/echo')).text).toBe(
    `you sent Bearer ${'*'.repeat(SECRET.length)} and gzip, deflate, br, zstd`,
  );
});
