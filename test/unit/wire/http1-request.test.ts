/** Requests of HTTP/1.1 as they are read, in whatever pieces they come, and beside Node's own server. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedMessage } from '../../../src/wire/http/http1/head.ts';
import { type RequestHead, RequestReader } from '../../../src/wire/http/http1/request-reader.ts';

interface Read {
  /** Each with its body, and whether all of it came. */
  readonly requests: { head: RequestHead; body: string; ended: boolean }[];
  /** What was not read. */
  rest: string;
  amid: boolean;
}

/** Reads all that may be read: one request after the other. */
function read(pieces: readonly Buffer[], maxHeadBytes = 4096): Read {
  const reader = new RequestReader(maxHeadBytes);
  const out: Read = { requests: [], rest: '', amid: false };
  const sink = {
    head: (head: RequestHead) => void out.requests.push({ head, body: '', ended: false }),
    body: (data: Buffer) => {
      out.requests.at(-1)!.body += data.toString('latin1');
    },
    end: () => {
      out.requests.at(-1)!.ended = true;
    },
  };
  for (const piece of pieces) {
    let at = 0;
    for (;;) {
      at = reader.push(piece, at, sink);
      const last = out.requests.at(-1);
      if (!reader.over || last === undefined || !last.ended || !last.head.kept) break;
      reader.next();
      if (at === piece.length) break;
    }
    out.rest += piece.subarray(at).toString('latin1');
  }
  out.amid = reader.amid;
  return out;
}

const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`;
const HOST = 'Host: a';
const octets = (text: string) => Buffer.from(text, 'latin1');
const single = (bytes: Buffer) => Array.from(bytes, (octet) => Buffer.of(octet));
const GET = lines('GET / HTTP/1.1', HOST);

const REQUESTS: readonly (readonly [string, string, Partial<RequestHead>, object])[] = [
  [
    'no body',
    lines('GET /a?b=c HTTP/1.1', HOST, 'X-A:  b c\t'),
    {
      method: 'GET',
      target: '/a?b=c',
      httpVersion: '1.1',
      rawHeaders: ['Host', 'a', 'X-A', 'b c'],
      kept: true,
      follows: 0,
    },
    { body: '', ended: true },
  ],
  [
    'a body of a length',
    `${lines('POST / HTTP/1.1', HOST, 'content-length: 5')}hello`,
    { follows: 5 },
    { body: 'hello', ended: true },
  ],
  [
    'chunks, an extension and trailers',
    `${lines('POST / HTTP/1.1', HOST, 'transfer-encoding: Chunked')}3;a="b"\r\nabc\r\n0A\r\n0123456789\r\n0\r\nx: 1\r\n\r\n`,
    { follows: 'chunked' },
    { body: 'abc0123456789', ended: true },
  ],
  [
    'octets outside of ASCII in its target',
    lines('GET /\xfc HTTP/1.1'),
    { target: '/\xfc' },
    { ended: true },
  ],
  ['an empty line before it', `\r\n${GET}`, { method: 'GET' }, { ended: true }],
  [
    'its last word',
    lines('GET / HTTP/1.1', HOST, 'Connection: x-a, CLOSE'),
    { kept: false },
    { ended: true },
  ],
  ['an old version', lines('GET / HTTP/1.0'), { httpVersion: '1.0', kept: false }, { ended: true }],
  [
    'an old version that goes on',
    lines('GET / HTTP/1.0', 'Connection: Keep-Alive'),
    { kept: true },
    { ended: true },
  ],
  [
    'HTTP/2 asked for, which nobody takes up',
    lines('GET / HTTP/1.1', HOST, 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: x'),
    { follows: 0, kept: true },
    { ended: true },
  ],
];

describe('a request', () => {
  it.each(REQUESTS)('with %s', (_what, text, head, rest) => {
    const bytes = octets(text + GET);
    const whole = read([bytes]);
    expect(whole.requests[0]).toMatchObject({ head, ...rest });
    const isKept = whole.requests[0]!.head.kept;
    expect([whole.requests.length, whole.rest]).toEqual(isKept ? [2, ''] : [1, GET]);
    for (let at = 1; at < bytes.length; at++)
      expect(read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
    expect(read(single(bytes))).toEqual(whole);
  });

  it.each<[string, string[], RequestHead['follows']]>([
    ['two lengths', ['content-length: 1', 'Content-Length: 1'], 'unclear'],
    ['a list of lengths', ['content-length: 1, 1'], 'unclear'],
    ['a length with a sign', ['content-length: +1'], 'unclear'],
    ['a length in hexadecimal', ['content-length: 0x1'], 'unclear'],
    ['a length that is too large', [`content-length: ${'9'.repeat(16)}`], 'unclear'],
    ['an empty length', ['content-length:'], 'unclear'],
    ['a length beside chunks', ['content-length: 1', 'transfer-encoding: chunked'], 'unclear'],
    ['two codings', ['transfer-encoding: chunked', 'transfer-encoding: chunked'], 'unclear'],
    ['another coding', ['transfer-encoding: gzip, chunked'], 'unclear'],
    ['a coding that is nearly chunked', ['transfer-encoding: chunked;q=1'], 'unclear'],
    ['another protocol', ['Connection: keep-alive, Upgrade', 'Upgrade: h2c, websocket'], 'switched'],
    ['a protocol without a name', ['Connection: upgrade', 'Upgrade: '], 'switched'],
  ])('with %s is told, and nothing behind its head is read', (_what, fields, follows) => {
    const bytes = octets(`${lines('POST / HTTP/1.1', HOST, ...fields)}1\r\na\r\n0\r\n\r\n${GET}`);
    const { requests, rest } = read([bytes]);
    expect(requests).toMatchObject([{ head: { follows, kept: false, unframed: follows === 'unclear' } }]);
    expect(rest).toBe(`1\r\na\r\n0\r\n\r\n${GET}`);
  });

  it.each([
    ['CONNECT', lines('CONNECT a:443 HTTP/1.1', HOST), 'switched'],
    ['chunks in HTTP/1.0', lines('POST / HTTP/1.0', 'transfer-encoding: chunked'), 'unclear'],
    ['another version', lines('GET / HTTP/2.0', HOST), 'unclear'],
  ])('of %s is told, and nothing behind its head is read', (_what, head, follows) => {
    expect(read([octets(head + GET)])).toMatchObject({ requests: [{ head: { follows } }], rest: GET });
  });

  it.each([
    ['no HTTP', lines('SSH-2.0-OpenSSH_9.9')],
    ['half of what HTTP/2 begins with', lines('PRI * HTTP/2.0')],
    ['no version', lines('GET /')],
    ['a version of many digits', lines('GET / HTTP/1.10', HOST)],
    ['a version in small letters', lines('GET / http/1.1', HOST)],
    ['two spaces', lines('GET  / HTTP/1.1', HOST)],
    ['a space in its target', lines('GET /a b HTTP/1.1', HOST)],
    ['a space at the end of its line', lines('GET / HTTP/1.1 ', HOST)],
    ['a space before its method', lines(' GET / HTTP/1.1', HOST)],
    ['a tab for a space', lines('GET\t/ HTTP/1.1', HOST)],
    ['NUL in its target', lines('GET /\x00 HTTP/1.1', HOST)],
    ['a method that is no token', lines('G(T / HTTP/1.1', HOST)],
    ['a method that does not end', lines(`${'G'.repeat(65)} / HTTP/1.1`, HOST)],
    ['two empty lines before it', `\r\n\r\n${GET}`],
    ['LF before it', `\n${GET}`],
    ['LF alone', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['LF alone behind a field', 'GET / HTTP/1.1\r\nHost: a\n\r\n'],
    ['CR alone', 'GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n'],
    ['a space before the colon', lines('GET / HTTP/1.1', 'Host : a')],
    ['a line that goes on', lines('GET / HTTP/1.1', HOST, 'x: a', ' b')],
    ['a first field that goes on', lines('GET / HTTP/1.1', ' Host: a')],
    ['a line without a colon', lines('GET / HTTP/1.1', HOST, 'chunked')],
    ['a name that is empty', lines('GET / HTTP/1.1', HOST, ': a')],
    ['NUL in a value', lines('GET / HTTP/1.1', HOST, 'x: a\x00b')],
    ['DEL in a value', lines('GET / HTTP/1.1', HOST, 'x: a\x7fb')],
    ['a head without end', `GET / HTTP/1.1\r\nx: ${'y'.repeat(5000)}`],
    ['a request line without end', `GET /${'y'.repeat(5000)}`],
    ['fields without end', `GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(1000)}`],
    ...['x', '', '-1', '0x1', ' 1', '1 ', '1'.repeat(14)].map((size): [string, string] => [
      `a chunk of the size ${JSON.stringify(size)}`,
      `${lines('POST / HTTP/1.1', HOST, 'transfer-encoding: chunked')}${size}\r\na\r\n0\r\n\r\n`,
    ]),
    ...['1\nab', '1\r\nab', '1\r\na\n0', '1;\x00\r\na', `1;${'x'.repeat(5000)}`, '0\r\nx\r\n\r\n'].map(
      (chunk): [string, string] => [
        `the chunk ${JSON.stringify(chunk.slice(0, 16))}`,
        `${lines('POST / HTTP/1.1', HOST, 'transfer-encoding: chunked')}${chunk}`,
      ],
    ),
  ])('with %s is malformed, in one piece or many', (_what, text) => {
    expect(() => read([octets(text)])).toThrow(MalformedMessage);
    expect(() => read(single(octets(text)))).toThrow(MalformedMessage);
    // Also where it comes behind another.
    expect(() => read([octets(GET + text)])).toThrow(MalformedMessage);
  });

  it('that comes again is the same object; what only looks so is another', () => {
    const twice = read([octets(GET + GET + lines('GET / HTTP/1.1', 'Host: b'))]);
    const [first, second, third] = twice.requests.map(({ head }) => head);
    expect(second).toBe(first);
    expect(third).toMatchObject({ rawHeaders: ['Host', 'b'] });
  });

  it('is amid until all of it has come', () => {
    const whole = octets(`${lines('POST / HTTP/1.1', HOST, 'content-length: 2')}ok`);
    expect([read([]).amid, read([whole]).amid]).toEqual([false, false]);
    for (let at = 1; at < whole.length; at++) expect(read([whole.subarray(0, at)]).amid).toBe(true);
  });
});

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
const value = fc.stringMatching(
  /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]{0,16}[\x21-\x7e\x80-\xff])?)?$/,
);
const field = fc
  .tuple(token, value)
  .filter(([name]) => !/^(?:content-length|transfer-encoding|connection|upgrade|expect)$/i.test(name));
const asked = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'),
  target: fc.stringMatching(/^\/[!$-;=?-Z_a-z~%]{0,24}$/),
  fields: fc.array(field, { maxLength: 6 }),
  body: fc.option(fc.string({ unit: 'binary-ascii', maxLength: 40 }), { nil: undefined }),
  chunk: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
});

type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;

function written({ method, target, fields, body, chunk }: Asked): string {
  const start = [`${method} ${target} HTTP/1.1`, HOST, ...fields.map(([name, text]) => `${name}: ${text}`)];
  if (body === undefined) return lines(...start);
  if (chunk === undefined) return lines(...start, `Content-Length: ${body.length}`) + body;
  const pieces = body.match(new RegExp(`[^]{1,${chunk}}`, 'g')) ?? [];
  const chunks = pieces.map((one) => `${one.length.toString(16)}\r\n${one}\r\n`).join('');
  return `${lines(...start, 'Transfer-Encoding: chunked')}${chunks}0\r\n\r\n`;
}

/** As Node's own server reads it. */
async function readByNode(bytes: Buffer): Promise<Read['requests'] | undefined> {
  const requests: Read['requests'] = [];
  let malformed = false;
  const server = createServer({ requireHostHeader: false }, (req, res) => {
    const { method = '', url: target = '', httpVersion, rawHeaders } = req;
    const one = {
      head: { method, target, httpVersion, rawHeaders } as unknown as RequestHead,
      body: '',
      ended: false,
    };
    requests.push(one);
    req.setEncoding('latin1').on('data', (text: string) => {
      one.body += text;
    });
    req.on('end', () => {
      one.ended = true;
      res.end();
    });
  }).on('clientError', (_error, socket) => {
    malformed = true;
    socket.destroy();
  });
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  server.emit('connection', stream);
  stream.push(bytes);
  stream.push(null);
  await once(stream, 'close');
  return malformed ? undefined : requests;
}

describe('any requests', () => {
  it('are read as they were written, and as by Node, however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 3 }), fc.nat(), async (all, cut) => {
        const bytes = octets(all.map(written).join(''));
        const whole = read([bytes]);
        expect(whole.requests.map(({ body, ended }) => [body, ended])).toEqual(
          all.map(({ body = '' }) => [body, true]),
        );
        const at = cut % (bytes.length + 1);
        expect(read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
        const told = whole.requests.map(({ head: { method, target, httpVersion, rawHeaders }, ...rest }) => ({
          head: { method, target, httpVersion, rawHeaders },
          ...rest,
        }));
        expect(told).toEqual(await readByNode(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it('noise is requests or malformed, however it is cut; Node reads what is read here alike', async () => {
    const words = [
      'GET / HTTP/1.1',
      '\r\n',
      '\n',
      ': ',
      'content-length',
      'transfer-encoding',
      'chunked',
      '1',
      '0',
      'a',
      ' ',
      '\x00',
    ];
    const noise = fc
      .array(fc.constantFrom(...words), { maxLength: 24 })
      .map((all) => octets(`GET / HTTP/1.1\r\n${all.join('')}`));
    const told = (pieces: readonly Buffer[]) => {
      try {
        return read(pieces);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessage);
        return 'malformed';
      }
    };
    await fc.assert(
      fc.asyncProperty(noise, fc.nat(), async (bytes, cut) => {
        const at = cut % (bytes.length + 1);
        const whole = told([bytes]);
        expect(told([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
        if (whole === 'malformed' || whole.amid || whole.requests.some(({ ended }) => !ended)) return;
        const node = await readByNode(bytes);
        expect(node?.map(({ body }) => body)).toEqual(whole.requests.map(({ body }) => body));
      }),
      { numRuns: 2000 },
    );
  });
});
