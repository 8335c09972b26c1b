import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CanonicalRequest,
  canonicalRequest,
  type RawHead,
} from '../../../src/protocols/http/request/canonical.ts';
import { maskedRequest } from '../../../src/protocols/http/request/masked-request.ts';
import {
  isRefused,
  REQUEST_REFUSALS,
  type RequestRule,
} from '../../../src/protocols/http/request/refusals.ts';

const RULES = { credentialHeaders: ['x-shop-key'], credentialParameter: 'key' };
/** RFC 6455 §1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
type Lines = readonly (readonly [string, string])[];

function head(method: string, lines: Lines, more: Partial<RawHead> = {}): RawHead {
  const rawHeaders = [['Host', 'localhost:1'] as const, ...lines].flat();
  return { method, target: '/a', httpVersion: '1.1', rawHeaders, ...more };
}

function understood(method: string, lines: Lines, more: Partial<RawHead> = {}): CanonicalRequest {
  const read = canonicalRequest(head(method, lines, more), RULES);
  if (isRefused(read)) throw new Error(`${read.rule}: ${read.reason}`);
  return read;
}

/** The rule that refuses. */
function rule(method: string, lines: Lines, more: Partial<RawHead> = {}): string {
  const read = canonicalRequest(head(method, lines, more), RULES);
  return isRefused(read) ? read.rule : 'understood';
}

/** Names of the headers that go on. */
const names = (lines: Lines) => understood('GET', lines).headers.map(([name]) => name);

describe('methods and versions', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'])('%s', (method) =>
    expect(understood(method, []).method).toBe(method),
  );

  it.each([
    'get',
    'Get',
    'TRACE',
    'CONNECT',
    'PROPFIND',
    'QUERY',
    'PRI',
    'GET ',
    '',
    '__proto__',
    'M-SEARCH',
  ])('refuses %j', (method) => expect(rule(method, [])).toBe('method'));

  it.each(['0.9', '1.2', '2', '3.0', '', '1.10'])('refuses HTTP/%s', (httpVersion) =>
    expect(rule('GET', [], { httpVersion })).toBe('http-version'),
  );

  it('needs a Host where the version has one', () => {
    expect(rule('GET', [], { rawHeaders: [] })).toBe('header-malformed');
    expect(rule('GET', [], { rawHeaders: [], httpVersion: '1.0' })).toBe('understood');
  });
});

describe('headers that go on', () => {
  it('keep their order and their values; their names are in lower case', () => {
    const lines: Lines = [
      ['Accept', 'a/b'],
      ['X-Two', ' 1 '],
      ['x-two', '\t2'],
      ['User-Agent', 'curl/8'],
      ['Traceparent', '00-1'],
      ['X-Empty', ''],
      ['X-Name', 'J\u00c3\u00bcrgen'],
    ];
    expect(understood('GET', lines).headers).toEqual([
      ['accept', 'a/b'],
      ['x-two', '1'],
      ['x-two', '2'],
      ['user-agent', 'curl/8'],
      ['traceparent', '00-1'],
      ['x-empty', ''],
      ['x-name', 'J\u00c3\u00bcrgen'],
    ]);
  });

  it.each([
    ...['Host', 'Connection', 'Keep-Alive', 'Proxy-Connection', 'TE', 'Trailer', 'Upgrade', 'HTTP2-Settings'],
    ...[
      'Authorization',
      'Proxy-Authorization',
      'Cookie',
      'X-Api-Key',
      'X-API-KEY',
      'X-Shop-Key',
      'Api-Key',
      'DPoP',
    ],
    ...[
      'Forwarded',
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'X-Forwarded-Anything',
      'X-Real-IP',
    ],
    ...[
      'X-Original-URL',
      'X-Rewrite-URL',
      'X-HTTP-Method-Override',
      'X-HTTP-Method',
      'X-Method-Override',
      'Via',
    ],
    ...[
      'X_Forwarded_User',
      'Impersonate_User',
      'Impersonate-User',
      'Impersonate-Extra-Scopes',
      'X-Remote-User',
    ],
    ...[
      'X.Forwarded.For',
      'X-A_B',
      "X'y",
      'Proxy',
      'Client-Cert',
      'X-Middleware-Subrequest',
      'Origin',
      'Early-Data',
    ],
    ...['X-Shopify-Access-Token', 'X-RapidAPI-Key', 'DD-API-KEY', 'X-Serverless-Authorization', 'X-Token'],
    ...['X-User-Id', 'Remote-Email', 'X-Pomerium-Jwt-Assertion', 'X-Consumer-Username', 'X-ARR-ClientCert'],
  ])('%s does not', (name) => {
    const lines: Lines = name === 'Host' ? [] : [[name, name === 'Connection' ? 'close' : 'x']];
    expect(names([...lines, ['Accept', '*/*']])).toEqual(['accept']);
  });

  it.each([
    'X-User-Agent',
    'Idempotency-Key',
    'X-Page-Token',
    'X-CSRF-Token',
    'X-Request-Id',
    'X-Amz-Target',
  ])('%s does: it is no credential and nobody', (name) =>
    expect(names([[name, 'x']])).toEqual([name.toLowerCase()]),
  );

  it('lose what Connection names as its own, and may not lose what matters', () => {
    expect(
      names([
        ['Connection', 'keep-alive, X-Hop'],
        ['X-Hop', '1'],
        ['X-Stays', '1'],
      ]),
    ).toEqual(['x-stays']);
    for (const name of [
      'Content-Type',
      'host',
      'Authorization',
      'accept',
      'Cookie',
      'X-Forwarded-For',
      'x_y',
      'foo',
    ])
      expect(rule('GET', [['Connection', `close, ${name}`]])).toBe('connection-options');
    expect(
      rule('GET', [
        ['Connection', 'close'],
        ['connection', 'Content-Length'],
      ]),
    ).toBe('connection-options');
    expect(rule('GET', [['Connection', 'Keep-Alive, TE, Trailer, close, Proxy-Connection']])).toBe(
      'understood',
    );
  });

  it('are refused where they are malformed', () => {
    for (const name of ['', 'a b', 'a:b', ':path', 'a\r\nb', 'é', 'a\0', 'a,b', 'x'.repeat(257)])
      expect(rule('GET', [[name, 'x']]), JSON.stringify(name)).toBe('header-malformed');
    for (const value of ['a\r\nb: c', 'a\nb', 'a\rb', '\0', '\x7f', '\x01', 'Ā', '😀'])
      expect(rule('GET', [['x-a', value]]), JSON.stringify(value)).toBe('header-malformed');
    for (const name of [
      'content-type',
      'connection',
      'transfer-encoding',
      'content-length',
      'expect',
      'upgrade',
    ])
      expect(rule('POST', [[name, 'chunked\xa0']])).toBe('header-malformed');
  });

  it('stand alone where they must, whatever they say', () => {
    for (const name of [
      'Host',
      'content-type',
      'Authorization',
      'If-Range',
      'Range',
      'Expect',
      'Content-Encoding',
    ])
      expect(
        rule('GET', [
          [name, 'x'],
          ['x-y', '1'],
          [name.toUpperCase(), 'x'],
        ]),
      ).toBe('header-repeated');
  });

  it('are bounded in number and length', () => {
    const many = (count: number): Lines =>
      Array.from({ length: count }, (_, at) => [`x-${at}`, '1'] as const);
    expect(rule('GET', many(127))).toBe('understood');
    expect(rule('GET', many(128))).toBe('headers-too-large');
    expect(rule('GET', [['x', 'a'.repeat(8192)]])).toBe('understood');
    expect(rule('GET', [['x', 'a'.repeat(8193)]])).toBe('headers-too-large');
    expect(
      rule(
        'GET',
        Array.from({ length: 9 }, () => ['x', 'a'.repeat(8000)] as const),
      ),
    ).toBe('headers-too-large');
  });

  it('name one media type', () => {
    const type = (value: string) => understood('POST', [['content-type', value]]).contentType;
    expect(type('Application/JSON; Charset=utf-8')).toBe('application/json');
    expect(type('application/vnd.api+json;')).toBe('application/vnd.api+json');
    expect(understood('POST', []).contentType).toBe('');
    for (const value of ['', 'json', 'a/b, c/d', 'a/b c/d', '/b', 'a/', 'a b/c', 'text/plain\t\ttext/html'])
      expect(rule('POST', [['content-type', value]]), value).toBe('content-type');
  });
});

const BODIES: readonly (readonly [method: string, version: string, Lines, expected: unknown])[] = [
  ['GET', '1.1', [], 'none'],
  ['GET', '1.1', [['Content-Length', '0']], 'none'],
  ['POST', '1.1', [], 'none'],
  ['POST', '1.1', [['Content-Length', '0']], { length: 0 }],
  ['POST', '1.1', [['Content-Length', '5']], { length: 5 }],
  ['POST', '1.1', [['Content-Length', '999999999999999']], { length: 999_999_999_999_999 }],
  ['PUT', '1.1', [['Transfer-Encoding', 'Chunked ']], 'chunked'],
  ['POST', '2.0', [], 'chunked'],
  ['POST', '2.0', [['Content-Length', '5']], { length: 5 }],
  ['GET', '1.1', [['Content-Length', '5']], 'body-not-expected'],
  ['HEAD', '1.1', [['Transfer-Encoding', 'chunked']], 'body-not-expected'],
  ['DELETE', '1.1', [], 'none'],
  ['DELETE', '1.1', [['Content-Length', '0']], 'none'],
  ['DELETE', '1.1', [['Content-Length', '5']], { length: 5 }],
  ['DELETE', '1.1', [['Transfer-Encoding', 'chunked']], 'chunked'],
  ['DELETE', '2.0', [], 'chunked'],
  ['OPTIONS', '1.1', [['Content-Length', '5']], 'body-not-expected'],
  ['GET', '2.0', [], 'body-not-expected'],
  [
    'POST',
    '1.1',
    [
      ['Content-Length', '5'],
      ['Transfer-Encoding', 'chunked'],
    ],
    'framing',
  ],
  [
    'POST',
    '1.1',
    [
      ['Content-Length', '0'],
      ['Transfer-Encoding', 'chunked'],
    ],
    'framing',
  ],
  ['POST', '1.0', [['Transfer-Encoding', 'chunked']], 'framing'],
  ['POST', '2.0', [['Transfer-Encoding', 'chunked']], 'framing'],
  ...['+5', '-1', '5, 5', '05', '0x5', '5.0', '5 5', '', '1e3', '５', '1'.repeat(16)].map(
    (length) =>
      [
        'POST',
        '1.1',
        [['Content-Length', length] as const],
        length === '５' ? 'header-malformed' : 'framing',
      ] as const,
  ),
  ...[
    'identity',
    'chunked, identity',
    'identity, chunked',
    'gzip, chunked',
    'chunked, chunked',
    'xchunked',
    '',
  ].map((coding) => ['POST', '1.1', [['Transfer-Encoding', coding] as const], 'transfer-coding'] as const),
  ...(['Content-Length', 'Transfer-Encoding'] as const).map(
    (name) => ['POST', '1.1', [[name, '5'] as const, [name, '5'] as const], 'header-repeated'] as const,
  ),
];

describe('where the body ends', () => {
  it.each(BODIES)('%s HTTP/%s %j: %j', (method, httpVersion, lines, expected) => {
    const read = canonicalRequest(head(method, lines, { httpVersion }), RULES);
    expect(isRefused(read) ? read.rule : read.body).toEqual(expected);
  });

  it('is where the stream ended', () => {
    expect(understood('GET', [], { httpVersion: '2.0', ended: true }).body).toBe('none');
    expect(understood('POST', [], { httpVersion: '2.0', ended: true }).body).toBe('none');
    expect(rule('POST', [['content-length', '5']], { httpVersion: '2.0', ended: true })).toBe('framing');
  });
});

describe('expectations and upgrades', () => {
  it('a 100-continue is answered here', () => {
    expect(understood('POST', [['Expect', '100-Continue']]).headers).toEqual([]);
    expect(rule('POST', [['Expect', 'the unexpected']])).toBe('expectation');
  });

  it('a WebSocket is asked for by GET of HTTP/1.1', () => {
    const lines: Lines = [
      ['Connection', 'keep-alive, Upgrade'],
      ['Upgrade', 'WebSocket'],
      ['Sec-WebSocket-Key', KEY],
      ['Sec-WebSocket-Version', '13'],
      ['Sec-WebSocket-Extensions', 'permessage-deflate'],
      ['Sec-WebSocket-Protocol', 'Chat.v2, chat'],
      ['Sec-WebSocket-Protocol', 'base64url.bearer.authorization.k8s.io.c2VjcmV0'],
    ];
    const request = understood('GET', lines);
    expect(request.upgrade).toEqual({ protocol: 'websocket', key: KEY, subprotocols: ['Chat.v2', 'chat'] });
    expect(request.headers).toEqual([]);
    expect(rule('POST', lines)).toBe('upgrade');
    expect(rule('GET', lines, { httpVersion: '1.0' })).toBe('upgrade');
  });

  it.each<[what: string, rule: string, change: Readonly<Record<string, string>>]>([
    ['no version', 'websocket-version', { 'Sec-WebSocket-Version': '' }],
    ['an older one', 'websocket-version', { 'Sec-WebSocket-Version': '8' }],
    ['two', 'websocket-version', { 'Sec-WebSocket-Version': '13, 8' }],
    ['no key', 'websocket-handshake', { 'Sec-WebSocket-Key': '' }],
    ['a short key', 'websocket-handshake', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j' }],
    ['a long key', 'websocket-handshake', { 'Sec-WebSocket-Key': `${KEY.slice(0, -2)}AA==` }],
    ['a key that is no base64', 'websocket-handshake', { 'Sec-WebSocket-Key': KEY.replace('d', '!') }],
    ['a subprotocol that is no token', 'websocket-handshake', { 'Sec-WebSocket-Protocol': 'a b' }],
    ['a subprotocol twice', 'websocket-handshake', { 'Sec-WebSocket-Protocol': 'a, b, a' }],
    ['33 subprotocols', 'websocket-handshake', { 'Sec-WebSocket-Protocol': [...Array(33).keys()].join(',') }],
    ['a body', 'body-not-expected', { 'Content-Length': '5' }],
  ])('a WebSocket with %s is refused by %s', (_, expected, change) => {
    const usual = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': KEY,
      'Sec-WebSocket-Version': '13',
    };
    expect(rule('GET', Object.entries({ ...usual, ...change }))).toBe(expected);
  });

  it('a handshake that asks for nothing goes no further', () => {
    expect(
      names([
        ['Sec-WebSocket-Key', KEY],
        ['Sec-WebSocket-Extensions', 'x'],
        ['x-a', 'b'],
      ]),
    ).toEqual(['x-a']);
  });

  it.each(['SPDY/3.1', 'websocket, SPDY/3.1', 'h2c, websocket', 'TLS/1.3', 'foo'])('refuses %s', (to) =>
    expect(
      rule('GET', [
        ['Connection', 'upgrade'],
        ['Upgrade', to],
      ]),
    ).toBe('upgrade'),
  );

  it('HTTP/2 is not taken up, nor what Connection does not name', () => {
    const h2c: Lines = [
      ['Connection', 'Upgrade, HTTP2-Settings'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAMA'],
    ];
    expect(understood('GET', h2c)).toMatchObject({ upgrade: undefined, headers: [] });
    expect(understood('GET', [['Upgrade', 'websocket']])).toMatchObject({ upgrade: undefined, headers: [] });
  });
});

describe('a request whose answer is masked', () => {
  const lines: Lines = [
    ['Range', 'bytes=0-1'],
    ['If-Range', '"a"'],
    ['If-None-Match', '"a"'],
    ['If-Match', '"a"'],
    ['Accept-Encoding', 'x-lzma, gzip'],
    ['Accept', 'a/b'],
  ];

  it('asks for a whole body that can be decoded', () => {
    expect(maskedRequest(understood('GET', lines), ['gzip', 'br']).headers).toEqual([
      ['accept', 'a/b'],
      ['accept-encoding', 'gzip, br'],
    ]);
  });

  it('keeps the condition under which it writes', () => {
    expect(maskedRequest(understood('PUT', lines), []).headers).toEqual([
      ['if-match', '"a"'],
      ['accept', 'a/b'],
      ['accept-encoding', 'identity'],
    ]);
  });
});

const TIME = { numRuns: 2_000, interruptAfterTimeLimit: 1_500 };
const word = fc.oneof(
  fc.constantFrom(
    'connection',
    'content-length',
    'Transfer-Encoding',
    'x-a',
    'Host',
    'Cookie',
    'x_b',
    'Upgrade',
    'Sec-WebSocket-Key',
    'Sec-WebSocket-Version',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 12 }),
);
const saying = fc.oneof(
  fc.constantFrom('chunked', '5', 'close', 'x-a', 'upgrade', 'websocket', KEY, '13', 'a/b', ''),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const anyHead: fc.Arbitrary<RawHead> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  target: fc.constantFrom('/a', '/a/b?c=d'),
  httpVersion: fc.constantFrom('1.0', '1.1', '2.0'),
  rawHeaders: fc
    .array(fc.tuple(word, saying), { maxLength: 5 })
    .map((lines) => [['host', 'localhost'] as [string, string], ...lines].flat()),
});

describe('whatever is sent', () => {
  it('is refused by a rule of the list, or its form is its own form', () => {
    let read = 0;
    fc.assert(
      fc.property(anyHead, (raw) => {
        const request = canonicalRequest(raw, RULES);
        if (isRefused(request)) {
          expect(REQUEST_REFUSALS[request.rule as RequestRule].status).toBeGreaterThanOrEqual(400);
          return;
        }
        read++;
        const again = canonicalRequest(asSent(request, raw), RULES);
        expect(again).toEqual(request);
      }),
      TIME,
    );
    expect(read).toBeGreaterThan(50);
  });
});

/** As the target is sent it: the gateway's own framing and host. */
function asSent({ method, path, query, headers, body, upgrade }: CanonicalRequest, raw: RawHead): RawHead {
  const framing = body === 'none' ? [] : framingOf(body, raw.httpVersion);
  const upgrading = upgrade === undefined ? [] : handshake(upgrade);
  const rawHeaders = ['host', 'target.example', ...headers.flat(), ...framing, ...upgrading];
  return {
    method,
    target: `${path}${query}`,
    httpVersion: raw.httpVersion,
    rawHeaders,
    ended: body === 'none' && raw.httpVersion === '2.0',
  };
}

function handshake({ protocol, key, subprotocols }: NonNullable<CanonicalRequest['upgrade']>): string[] {
  const offered = subprotocols.length === 0 ? [] : ['sec-websocket-protocol', subprotocols.join(', ')];
  return [
    ...['connection', 'upgrade', 'upgrade', protocol],
    ...['sec-websocket-key', key, 'sec-websocket-version', '13', ...offered],
  ];
}

function framingOf(body: { readonly length: number } | 'chunked', version: string): string[] {
  if (body !== 'chunked') return ['content-length', String(body.length)];
  return version === '2.0' ? [] : ['transfer-encoding', 'chunked'];
}
