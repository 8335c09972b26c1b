/** Answers of HTTP/1.1 as they are read, in whatever pieces they come. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnswerHead, AnswerReader } from '../../../src/wire/http/http1/answer-reader.ts';
import { MalformedMessage } from '../../../src/wire/http/http1/head.ts';

interface Read {
  readonly heads: unknown[];
  body: string;
  trailers: readonly string[] | undefined;
  /** What stands behind the answer. */
  rest: string;
  ended: boolean;
}

/** @param ends The connection ends behind the pieces. */
function read(pieces: readonly Buffer[], { method = 'GET', upgrade = false, ends = false } = {}): Read {
  const reader = new AnswerReader();
  reader.expect({ method, upgrade });
  const out: Read = { heads: [], body: '', trailers: undefined, rest: '', ended: false };
  const sink = {
    informed: (status: number, fields: readonly string[]) => void out.heads.push([status, ...fields]),
    head: ({ status, fields, keptMs }: AnswerHead) => void out.heads.push([status, keptMs, ...fields]),
    body: (data: Buffer) => {
      out.body += data.toString('latin1');
    },
    end: (trailers: readonly string[]) => {
      out.trailers = trailers;
    },
  };
  for (const piece of pieces) out.rest += piece.subarray(reader.push(piece, sink)).toString('latin1');
  if (ends) out.ended = reader.end(sink);
  return out;
}

const KEPT = Number.POSITIVE_INFINITY;
const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`;

const ANSWERS: readonly (readonly [string, string, object, Partial<Read>])[] = [
  [
    'a body of a length',
    `${lines('HTTP/1.1 200 OK', 'Content-Length: 5', 'X-A:  b c\t')}hello`,
    {},
    { heads: [[200, KEPT, 'Content-Length', '5', 'X-A', 'b c']], body: 'hello', trailers: [] },
  ],
  [
    'what is behind it is left',
    `${lines('HTTP/1.1 200 OK', 'content-length: 2')}okHTTP/1.1 200 OK`,
    {},
    { body: 'ok', trailers: [], rest: 'HTTP/1.1 200 OK' },
  ],
  [
    'chunks, an extension and trailers',
    `${lines('HTTP/1.1 200 OK', 'transfer-encoding: Chunked')}3;a="b"\r\nabc\r\n0A\r\n0123456789\r\n0\r\nx-sum: 1\r\n\r\nrest`,
    {},
    { body: 'abc0123456789', trailers: ['x-sum', '1'], rest: 'rest' },
  ],
  [
    'as many chunks as there are, each with an extension',
    `${lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked')}${'1;sig=0123456789abcdef\r\na\r\n'.repeat(300)}0\r\n\r\n`,
    {},
    { body: 'a'.repeat(300), trailers: [] },
  ],
  [
    'chunks without trailers',
    `${lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked')}1\r\na\r\n000\r\n\r\n`,
    {},
    { body: 'a', trailers: [] },
  ],
  [
    'a body until the connection ends',
    `${lines('HTTP/1.1 200 ', 'connection: keep-alive')}all of it`,
    { ends: true },
    { heads: [[200, 0, 'connection', 'keep-alive']], body: 'all of it', trailers: [], ended: true },
  ],
  [
    'no body: HEAD',
    lines('HTTP/1.1 200 OK', 'content-length: 9'),
    { method: 'HEAD' },
    { body: '', trailers: [], heads: [[200, KEPT, 'content-length', '9']] },
  ],
  ['no body: 204', lines('HTTP/1.1 204 No Content'), {}, { body: '', trailers: [], heads: [[204, KEPT]] }],
  [
    'no body: 304',
    lines('HTTP/1.1 304 X', 'content-length: 3'),
    {},
    { trailers: [], heads: [[304, KEPT, 'content-length', '3']] },
  ],
  ['an empty body', lines('HTTP/1.1 200', 'content-length: 0'), {}, { trailers: [], body: '' }],
  [
    'heads before it',
    `${lines('HTTP/1.1 103 Early Hints', 'link: </a>')}${lines('HTTP/1.1 100 Continue')}${lines('HTTP/1.1 200 OK', 'content-length: 0')}`,
    {},
    { heads: [[103, 'link', '</a>'], [100], [200, KEPT, 'content-length', '0']], trailers: [] },
  ],
  [
    'an upgrade',
    `${lines('HTTP/1.1 101 Switching', 'upgrade: x')}\x00\x01`,
    { upgrade: true },
    { heads: [[101, 0, 'upgrade', 'x']], trailers: [], rest: '\x00\x01' },
  ],
  [
    'HTTP/1.0 is closed',
    lines('HTTP/1.0 200 OK', 'content-length: 0'),
    {},
    { heads: [[200, 0, 'content-length', '0']] },
  ],
  [
    'HTTP/1.0 that says that it is kept',
    lines('HTTP/1.0 200 OK', 'content-length: 0', 'connection: Keep-Alive', 'keep-alive: max=3, timeout=3'),
    {},
    {
      heads: [
        [200, 2000, 'content-length', '0', 'connection', 'Keep-Alive', 'keep-alive', 'max=3, timeout=3'],
      ],
    },
  ],
  [
    'one that says that it is closed',
    lines('HTTP/1.1 200 OK', 'content-length: 0', 'connection: x-a , CLOSE'),
    {},
    { heads: [[200, 0, 'content-length', '0', 'connection', 'x-a , CLOSE']] },
  ],
  [
    'a name that only looks like framing',
    `${lines('HTTP/1.1 200 OK', 'content-length: 1', 'x-content-length: 9')}a`,
    {},
    { body: 'a', trailers: [] },
  ],
];

describe('an answer', () => {
  it.each(ANSWERS)('%s', (_what, text, options, expected) => {
    const bytes = Buffer.from(text, 'latin1');
    const whole = read([bytes], options);
    expect(whole).toMatchObject(expected);
    for (let at = 1; at < bytes.length; at++)
      expect(read([bytes.subarray(0, at), bytes.subarray(at)], options)).toEqual(whole);
    expect(
      read(
        Array.from(bytes, (octet) => Buffer.of(octet)),
        options,
      ),
    ).toEqual(whole);
  });

  it.each<[string, string]>([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['HTTP of another version', lines('HTTP/2.0 200 OK')],
    ['no status', lines('HTTP/1.1 2000 OK')],
    ['a status that is none', lines('HTTP/1.1 0200 OK')],
    ['a start line without its space', lines('HTTP/1.1 200OK')],
    ['a control character in the reason', lines('HTTP/1.1 200 O\x00K')],
    ['LF alone', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
    ['LF alone behind a field', 'HTTP/1.1 200 OK\r\ncontent-length: 0\n\r\n'],
    ['CR alone', 'HTTP/1.1 200 OK\r\nx: a\rcontent-length: 0\r\n\r\n'],
    ['a space before the colon', lines('HTTP/1.1 200 OK', 'content-length : 1')],
    ['a line that goes on', lines('HTTP/1.1 200 OK', 'x: a', ' b')],
    ['a line without a colon', lines('HTTP/1.1 200 OK', 'chunked')],
    ['a name that is empty', lines('HTTP/1.1 200 OK', ': a')],
    ['NUL in a value', lines('HTTP/1.1 200 OK', 'x: a\x00b')],
    ['two lengths', lines('HTTP/1.1 200 OK', 'content-length: 1', 'Content-Length: 1')],
    ['a list of lengths', lines('HTTP/1.1 200 OK', 'content-length: 1, 1')],
    ['a length with a sign', lines('HTTP/1.1 200 OK', 'content-length: +1')],
    ['a length that is too large', lines('HTTP/1.1 200 OK', `content-length: ${'9'.repeat(16)}`)],
    ['a length beside chunks', lines('HTTP/1.1 200 OK', 'content-length: 1', 'transfer-encoding: chunked')],
    ['two codings', lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked', 'transfer-encoding: chunked')],
    ['another coding', lines('HTTP/1.1 200 OK', 'transfer-encoding: gzip, chunked')],
    ['chunks in HTTP/1.0', lines('HTTP/1.0 200 OK', 'transfer-encoding: chunked')],
    ['lengths that no body has, to HEAD', lines('HTTP/1.1 304 X', 'content-length: 1', 'content-length: 2')],
    ['a change of protocol that nobody asked for', lines('HTTP/1.1 101 Switching', 'upgrade: x')],
    ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`],
    ['fields without end', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`],
    ...['x', '', '-1', '0x1', ' 1', '1 ', '1'.repeat(14)].map((size): [string, string] => [
      `a chunk of the size ${JSON.stringify(size)}`,
      `${lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked')}${size}\r\na\r\n0\r\n\r\n`,
    ]),
    ...['1\nab', '1\r\nab', '1\r\na\n0', '1;\x00\r\na', `1;${'x'.repeat(5000)}`, '0\r\nx\r\n\r\n'].map(
      (chunk): [string, string] => [
        `the chunk ${JSON.stringify(chunk.slice(0, 16))}`,
        `${lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked')}${chunk}`,
      ],
    ),
  ])('that has %s is malformed, in one piece or many', (_what, text) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(() => read([bytes])).toThrow(MalformedMessage);
    expect(() => read(Array.from(bytes, (octet) => Buffer.of(octet)))).toThrow(MalformedMessage);
  });

  it.each([
    ['before it', ''],
    ['amid its head', 'HTTP/1.1 200 OK\r\ncontent-'],
    ['amid its body', `${lines('HTTP/1.1 200 OK', 'content-length: 2')}o`],
    ['amid its chunks', `${lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked')}2\r\nok\r\n`],
  ])('is not whole where the connection ends %s', (_where, text) => {
    const { ended, trailers } = read([Buffer.from(text)], { ends: true });
    expect([ended, trailers]).toEqual([false, undefined]);
  });

  it('noise is an answer or malformed, however it is cut', () => {
    const words = [
      'HTTP/1.1 200 OK',
      '\r\n',
      '\n',
      ': ',
      'content-length',
      'transfer-encoding',
      'chunked',
      '1',
      '0',
      'a',
      '\x00',
    ];
    const noise = fc
      .array(fc.constantFrom(...words), { maxLength: 24 })
      .map((all) => Buffer.from(`HTTP/1.1 200 OK\r\n${all.join('')}`));
    const told = (pieces: readonly Buffer[]) => {
      try {
        return read(pieces);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessage);
        return 'malformed';
      }
    };
    fc.assert(
      fc.property(noise, fc.nat(), (bytes, cut) => {
        const at = cut % (bytes.length + 1);
        expect(told([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(told([bytes]));
      }),
      { numRuns: 2000 },
    );
  });
});
