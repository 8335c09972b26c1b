import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';
import { readTarget } from '../../../src/protocols/http/request/target/request-target.ts';

/** What is forwarded, or the rule that refuses. */
function read(raw: string): string {
  const target = readTarget(raw);
  return isRefused(target) ? target.rule : `${target.path}${target.query}`;
}

describe('a path or a query that is understood', () => {
  it.each([
    ['/', '/'],
    ['/?', '/?'],
    ['/a/b', '/a/b'],
    ['/a/', '/a/'],
    ['/a/b?x=1&y=2', '/a/b?x=1&y=2'],
    ["/a!$&'()*+,=:@b", "/a!$&'()*+,=:@b"],
    ['/%7Euser/%61%2D%5f%2e%41', '/~user/a-_.A'],
    ['/J%c3%bcrgen', '/J%C3%BCrgen'],
    ['/a%20b', '/a%20b'],
    ['/a%2bb', '/a%2Bb'],
    ['/a|b"<>^`{}[]', '/a%7Cb%22%3C%3E%5E%60%7B%7D%5B%5D'],
    ['/100%25', '/100%25'],
    ['/.well-known/..a/a../...', '/.well-known/..a/a../...'],
    ['/A/a', '/A/a'],
    ['/a?b?c=d/e', '/a?b?c=d/e'],
    ['/a?filter[name]=x', '/a?filter[name]=x'],
    ['/a?x=%2e%2E%2f&y=\\', '/a?x=..%2F&y=%5C'],
    ['/a?x=1+2&y=%2B', '/a?x=1+2&y=%2B'],
    ['/a?x=%253B&next=%2Fb%3Fc%3D%2520', '/a?x=%253B&next=%2Fb%3Fc%3D%2520'],
    ['/a?x=%0d%0A', '/a?x=%0D%0A'],
    ['/a?=x&&y', '/a?=x&&y'],
  ])('%s', (raw, forwarded) => expect(read(raw)).toBe(forwarded));

  it('is decoded for those who decide', () => {
    expect(readTarget('/J%C3%BCrgen/100%25/a+b/?x=1+2&x=%26y%3D3&&=z&w')).toEqual({
      path: '/J%C3%BCrgen/100%25/a+b/',
      segments: ['Jürgen', '100%', 'a+b'],
      query: '?x=1+2&x=%26y%3D3&&=z&w',
      parameters: [
        ['x', '1 2'],
        ['x', '&y=3'],
        ['', 'z'],
        ['w', ''],
      ],
    });
  });

  it('leaves away the parameter that a credential is shown in, however it is spelled', () => {
    expect(readTarget('/a?key=1&b=2&K%45y=3', 'key')).toMatchObject({
      query: '?b=2',
      parameters: [['b', '2']],
    });
    expect(readTarget('/a?key=1', 'key')).toMatchObject({ query: '', parameters: [] });
  });
});

/** Each hides a segment of its own behind a path that looks harmless. */
const HIDDEN: readonly (readonly [rule: string, readonly string[]])[] = [
  [
    'path-ambiguous',
    [
      ...[
        '/u/..%20/s',
        '/u/%20../s',
        '/u/.%20./s',
        '/u/.%20/s',
        '/u/..%C2%A0/s',
        '/u/.%E2%80%8B./s',
        '/u/%C2%AD../s',
      ],
      ...['/u/../s', '/u/..', '/..', '/.', '/u/./s', '/u/%2e%2e/s', '/u/%2E%2E/s', '/u/.%2e/s', '/u/%2e./s'],
      ...['/u/..%2fs', '/u/..%2Fs', '/u%2f..%2fs', '/u/..\\s', '/u/..%5cs', '/u\\s', '/u%5Cs'],
      ...[
        '/u/..;/s',
        '/u/..;x=y/s',
        '/u/%2e%2e;/s',
        '/u;a=1/s',
        '/u/..%3b/s',
        '/u%3Bx',
        ';'.padStart(3, '/a'),
      ],
      ...['/u/%252e%252e/s', '/u/%252fs', '/u/%25%32%65/s', '/u/%25252e', '/u/%25%75002e', '/u/%255c'],
      ...['//', '//s', '//api//s', '/u//s', '/u//', '//evil.example/s'],
      ...['/x%00/s', '/x%00', '/x%0d%0aX:y', '/x%09', '/x%7f', '/x%c2%85', '/x%1f'],
      // Fullwidth and other forms that become a delimiter when a server normalises.
      ...['/u/%EF%BC%8E%EF%BC%8E/s', '/u/.%EF%BC%8E/s', '/u/%E2%80%A5/s', '/u%EF%BC%8Fs', '/u/%E2%84%80'],
      ...['/u%EF%BC%BCs', '/u%CD%BEs', '/u%EF%BC%9Bs', '/u%EF%BC%852e'],
    ],
  ],
  [
    'percent-encoding',
    [
      ...['/%', '/%2', '/%zz', '/%%32%65', '/%u002e', '/a?x=%', '/a?%zz=1', '/a?x=%u0041'],
      // Overlong dots and slashes, a surrogate, a lone continuation, a cut sequence, Latin-1, beyond U+10FFFF.
      ...['/%c0%ae%c0%ae/s', '/%c0%af', '/%e0%80%ae', '/%f0%80%80%ae', '/%ed%a0%80', '/%80', '/%c3', '/%fc'],
      ...['/%f4%90%80%80', '/a?x=%c0%80', '/a?x=%ff'],
    ],
  ],
  [
    'request-target',
    [
      ...[
        '',
        '*',
        'a',
        '?x',
        'http://169.254.169.254/latest',
        'HTTP://a/',
        'evil:443',
        'evil.example',
        '\\\\evil\\s',
      ],
      ...[
        '/a b',
        '/a\tb',
        '/a\0',
        '/a\r\n',
        '/\u00e9',
        '/a#b',
        '/#',
        '/a?x#y',
        '/\ud83d\ude00',
        '/a?x=\u00e9',
        ' /a',
      ],
    ],
  ],
  ['query-ambiguous', ['/a?x=1;y=2', '/a?;', '/a?x=%00', '/a?%00']],
  [
    'target-too-long',
    [`/${'a'.repeat(8192)}`, `/${'a/'.repeat(257)}`, `/?${'&'.repeat(1000)}`, `/?x=${'%41'.repeat(2800)}`],
  ],
];

describe('a path or a query that could be read in two ways', () => {
  describe.each(HIDDEN)('%s', (rule, targets) => {
    it.each(targets)('%j', (target) => expect(read(target)).toBe(rule));
  });

  it('is at its bound still read', () => {
    for (const raw of [`/${'a'.repeat(8191)}`, `/${'a/'.repeat(255)}`, `/?${'&'.repeat(999)}`])
      expect(read(raw)).toBe(raw);
  });
});

/** Targets near to what attackers send: pieces that mean something, joined. */
const PIECES = [
  ...[
    '/',
    '/',
    '//',
    '.',
    '..',
    ';',
    '\\',
    '?',
    '&',
    '=',
    '#',
    '+',
    '%',
    '%2',
    ' ',
    'é',
    '"',
    '|',
    '[',
    "'",
    '%00',
  ],
  ...[
    '%2e',
    '%2E',
    '%2f',
    '%5C',
    '%25',
    '%252e',
    '%c0%ae',
    '%EF%BC%8E',
    '%c3%bc',
    '%41',
    '%7e',
    'a',
    'B',
    '1',
    ':@',
  ],
];
const anyTarget = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary-ascii', maxLength: 2 })), {
    maxLength: 14,
  })
  .map((pieces) => `/${pieces.join('')}`);
const TIME = { numRuns: 4_000, interruptAfterTimeLimit: 1_500 };

/** RFC 3986, appendix B. */
const URI_REFERENCE = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?/;

describe('what is forwarded', () => {
  const whole = (raw: string) => {
    const target = readTarget(raw);
    return isRefused(target) ? undefined : { ...target, text: `${target.path}${target.query}` };
  };

  it('is its own form', () => {
    fc.assert(
      fc.property(anyTarget, (raw) => {
        const once = whole(raw);
        if (once !== undefined) expect(whole(once.text)).toEqual(once);
      }),
      TIME,
    );
  });

  it('is the same path and the same parameters to the URL of WHATWG', () => {
    fc.assert(
      fc.property(anyTarget, (raw) => {
        const target = whole(raw);
        if (target === undefined) return;
        const url = new URL(`http://target.example${target.text}`);
        expect(url.host).toBe('target.example');
        expect(url.pathname).toBe(target.path);
        expect([...url.searchParams]).toEqual(target.parameters);
        // Joined as browsers join, too: no path is taken for a host.
        expect(new URL(target.text, 'http://target.example/base/').href).toBe(url.href);
      }),
      TIME,
    );
  });

  it('is the same segments to who decodes first and divides then, or the other way round, and to the grammar', () => {
    fc.assert(
      fc.property(anyTarget, (raw) => {
        const target = whole(raw);
        if (target === undefined) return;
        const { path, segments, text } = target;
        const filled = (divided: readonly string[]) => divided.filter((one) => one !== '');
        expect(filled(decodeURIComponent(path).split('/'))).toEqual(segments);
        expect(filled(path.split('/')).map(decodeURIComponent)).toEqual(segments);
        const [, scheme, authority, byGrammar] = URI_REFERENCE.exec(text) ?? [];
        expect([scheme, authority, byGrammar]).toEqual([undefined, undefined, path]);
      }),
      TIME,
    );
  });

  it('has nothing left in it that a server would resolve, strip or decode again', () => {
    fc.assert(
      fc.property(anyTarget, (raw) => {
        for (const segment of whole(raw)?.segments ?? []) {
          expect(segment).not.toMatch(/^\.{0,2}$|[/\\;\p{Cc}]|%[0-9a-f]{2}/iu);
        }
      }),
      TIME,
    );
  });

  it('is read, and often enough: the properties are about something', () => {
    const understood = fc.sample(anyTarget, 2_000).filter((raw) => whole(raw) !== undefined);
    expect(understood.length).toBeGreaterThan(100);
  });
});
