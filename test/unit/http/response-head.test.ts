import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownReference } from '../../../src/protocols/http/request/response/own-reference.ts';
import { shownHead, shownTrailers } from '../../../src/protocols/http/request/response/response-head.ts';

const ROOT = { origin: 'https://api.internal:8443', base: '' };
const BELOW = { origin: 'https://api.internal:8443', base: '/v1' };
const LOCAL = 'http://127.0.0.1:8081';

const shown = (raw: readonly string[], masked = false) => shownHead(raw, ROOT, masked);
const one = (name: string, value: string, place = ROOT) => shownHead([name, value], place, false);

describe('a reference of the target', () => {
  it.each([
    ['/orders/5', '/orders/5'],
    ['/orders/5?a=//b#c', '/orders/5?a=//b#c'],
    ['orders/5', 'orders/5'],
    ['../orders', '../orders'],
    ['?page=2', '?page=2'],
    ['#part', '#part'],
    ['https://api.internal:8443/orders?x=1#y', '/orders?x=1#y'],
    ['HTTPS://API.internal:8443', '/'],
    ['//api.internal:8443/a', '/a'],
  ])('%s becomes %s', (reference, expected) => expect(ownReference(reference, ROOT)).toBe(expected));

  it.each([
    ['/v1/orders', '/orders'],
    ['/v1', '/'],
    ['/v1?x', '/?x'],
    ['https://api.internal:8443/v1/orders', '/orders'],
    ['orders', 'orders'],
  ])('below a base path, %s becomes %s', (reference, expected) =>
    expect(ownReference(reference, BELOW)).toBe(expected),
  );

  it.each([
    ...['http://169.254.169.254/', 'https://evil.example/', '//evil.example/a', 'http://api.internal:8443/a'],
    ...[
      'https://api.internal/a',
      'https://api.internal:8443@evil.example/',
      'https://u:p@api.internal:8443/',
    ],
    ...[
      '/\\evil.example',
      '\\\\evil.example',
      '/\t/evil.example',
      'https:\\\\evil.example',
      'javascript:alert(1)',
    ],
    ...['data:text/html,x', 'https://api.internal:8443//evil.example/', 'https://[', ' /a', '/é', 'ftp://a/'],
  ])('%j leads nowhere', (reference) => expect(ownReference(reference, ROOT)).toBeUndefined());

  it.each(['/v2/orders', '/v1x', '/', '/v1//evil.example', 'https://api.internal:8443/other'])(
    '%s leads nowhere from below a base path',
    (reference) => expect(ownReference(reference, BELOW)).toBeUndefined(),
  );

  it('leads to no other host, whoever resolves it', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      ':',
      '@',
      'https:',
      'api.internal:8443',
      'e.example',
      '/v1',
      '?',
      '\t',
      'x',
    );
    const reference = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(reference, fc.constantFrom(ROOT, BELOW), (text, place) => {
        const own = ownReference(text, place);
        if (own !== undefined) expect(new URL(own, `${LOCAL}/a/b`).origin).toBe(LOCAL);
      }),
      { numRuns: 3_000, interruptAfterTimeLimit: 1_000 },
    );
  });
});

describe('the head of an answer', () => {
  it('goes on as it is', () => {
    expect(
      shown([
        'Content-Type',
        'a/b',
        'ETag',
        '"x"',
        'X_Y',
        '1',
        'content-length',
        '5',
        'X-A',
        '1',
        'X-A',
        '2',
      ]),
    ).toEqual({
      headers: [
        ['content-type', 'a/b'],
        ['etag', '"x"'],
        ['x_y', '1'],
        ['content-length', '5'],
        ['x-a', '1'],
        ['x-a', '2'],
      ],
      withheld: [],
    });
  });

  it.each([
    ...[
      'Connection',
      'Keep-Alive',
      'Transfer-Encoding',
      'Upgrade',
      'Proxy-Authenticate',
      'Set-Cookie',
      'Alt-Svc',
    ],
    ...[
      'Strict-Transport-Security',
      'Public-Key-Pins',
      'Clear-Site-Data',
      'WWW-Authenticate',
      'NEL',
      'Report-To',
    ],
    ...['Hoop-Withheld', 'X-Accel-Redirect', 'X-Sendfile', 'URI', 'Authentication-Info'],
  ])('without %s', (name) => expect(one(name, 'x')).toEqual({ headers: [], withheld: [] }));

  it('without what Connection names, but for what the body is', () => {
    expect(
      shown(['Connection', 'X-Hop, content-type,close', 'X-Hop', '1', 'Content-Type', 'a/b'])?.headers,
    ).toEqual([['content-type', 'a/b']]);
  });

  it('is none where it is malformed', () => {
    for (const [name, value] of [
      ['a b', 'x'],
      ['', 'x'],
      ['x', 'a\r\nb: c'],
      ['x', '\0'],
      ['x', 'Ā'],
    ] as const)
      expect(one(name, value)).toBeUndefined();
    expect(shown(['content-type', 'a/b', 'Content-Type', 'c/d'])).toBeUndefined();
    expect(shown(Array.from({ length: 514 }, () => 'x'))).toBeUndefined();
  });

  it('sends nobody elsewhere', () => {
    expect(one('Location', 'http://169.254.169.254/')).toEqual({ headers: [], withheld: ['location'] });
    expect(one('Location', 'https://api.internal:8443/v1/a', BELOW)?.headers).toEqual([['location', '/a']]);
    expect(one('Content-Location', '//evil.example/a')?.withheld).toEqual(['content-location']);
  });

  it.each([
    ['5', '5'],
    ['5; url=/a', '5; url=/a'],
    ['0;URL="https://api.internal:8443/a"', '0; url=/a'],
    ['0; url=https://evil.example/', undefined],
    ['0, url=//evil.example', undefined],
    ['0 //evil.example', undefined],
    ['url=//evil.example', undefined],
  ])('Refresh: %s', (value, expected) => expect(one('Refresh', value)?.headers[0]?.[1]).toBe(expected));

  it.each([
    [
      '<https://api.internal:8443/a?page=2>; rel="next", <https://evil.example/>; rel=preload,</b,c>; title="x, y"',
      '</a?page=2>; rel="next", </b,c>; title="x, y"',
    ],
    ['<https://evil.example/>; rel=preconnect', undefined],
    ['</a>; rel=next; anchor="https://evil.example/"', undefined],
    ['</a', undefined],
    ['nonsense', undefined],
    ['</a>; rel="ne\\"xt"', undefined],
  ])('Link: %s', (value, expected) => expect(one('Link', value)?.headers[0]?.[1]).toBe(expected));

  it('has nothing that is true of a body which was masked', () => {
    const lost = [
      'Content-Length',
      'ETag',
      'Content-MD5',
      'Digest',
      'Repr-Digest',
      'Content-Digest',
      'Accept-Ranges',
    ];
    const hashes = [
      'X-Amz-Checksum-SHA256',
      'x-goog-hash',
      'x-ms-content-crc64',
      'X-File-Md5',
      'Last-Modified',
    ];
    const raw = [...lost, ...hashes, 'Content-Encoding', 'Content-Range', 'Signature'].flatMap((name) => [
      name,
      'x',
    ]);
    expect(shown([...raw, 'Content-Type', 'a/b', 'X-Hashtag', '1'], true)?.headers).toEqual([
      ['content-type', 'a/b'],
      ['x-hashtag', '1'],
    ]);
    expect(shown(raw)?.headers).toHaveLength(raw.length / 2);
  });
});

describe('trailers of an answer', () => {
  it('go on where they say nothing of the message that was read', () => {
    const raw = [
      'Server-Timing',
      'a',
      'Content-Type',
      'a/b',
      'Location',
      '/a',
      'Set-Cookie',
      'x',
      'Content-Digest',
      'y',
    ];
    expect(shownTrailers(raw, false)).toEqual([
      ['server-timing', 'a'],
      ['content-digest', 'y'],
    ]);
    expect(shownTrailers(raw, true)).toEqual([['server-timing', 'a']]);
    expect(shownTrailers(['a b', 'x'], false)).toBeUndefined();
  });
});
