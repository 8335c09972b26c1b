/** H13, H15, H16, H20: what a masked route answers. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { answer, chunked, head } from '../../../support/http/messages.ts';
import { headerOf, statusOf } from '../../../support/http/raw-http.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import { everyCut, get, leaksNothing, servesOn } from '../attack.ts';
import { type HttpAttack, type HttpGroup, MASKED, SSN } from '../world.ts';

const USER = '/api/v1/users/1';
const BODY = JSON.stringify({ id: 1, name: 'Ann', ssn: SSN });

const as = (type: string, body: string | Buffer = BODY, ...lines: readonly string[]) =>
  answer('200 OK', [...(type === '' ? [] : [`Content-Type: ${type}`]), ...lines], body);
const encoded = (coding: string, body: Buffer) => as('application/json', body, `Content-Encoding: ${coding}`);

const CODINGS: Readonly<Record<string, Buffer>> = {
  gzip: encoded('gzip', gzipSync(BODY)),
  'gzip in capitals': encoded('GZIP', gzipSync(BODY)),
  'x-gzip': encoded('x-gzip', gzipSync(BODY)),
  deflate: encoded('deflate', deflateSync(BODY)),
  'deflate without its head': encoded('deflate', deflateRawSync(BODY)),
  br: encoded('br', brotliCompressSync(BODY)),
  zstd: encoded('zstd', zstdCompressSync(BODY)),
  'gzip twice': encoded('gzip, gzip', gzipSync(gzipSync(BODY))),
  'gzip and br': encoded('gzip, br', brotliCompressSync(gzipSync(BODY))),
  'gzip and br in two lines': as(
    'application/json',
    brotliCompressSync(gzipSync(BODY)),
    'Content-Encoding: gzip',
    'Content-Encoding: br',
  ),
  'gzip that is not told': as('application/json', gzipSync(BODY)),
  'gzip that is none': encoded('gzip', Buffer.from(BODY)),
  'a coding that nobody knows': encoded('x-secret', Buffer.from(BODY)),
  'two members of gzip': encoded('gzip', Buffer.concat([gzipSync('{"a":1,'), gzipSync(BODY.slice(1))])),
  'something behind gzip': encoded('gzip', Buffer.concat([gzipSync('{}'), Buffer.from(BODY)])),
};

export const H13: HttpGroup = {
  id: 'H13',
  policy: MASKED,
  attacks: [
    ...Object.entries(CODINGS).map(([what, octets]) => leaksNothing(`the coding: ${what}`, USER, [[octets]])),
    leaksNothing('gzip, cut at every place', USER, everyCut(CODINGS['gzip']!)),
    {
      case: 'only codings that can be undone are asked for, and no part of a body',
      run: async (world) => {
        const client = await world.through();
        client.send(
          get(
            USER,
            world.authorization,
            'Accept-Encoding: gzip, x-secret, *',
            'Range: bytes=0-5',
            'If-None-Match: "a"',
          ),
        );
        await client.answered();
        const [heard] = world.upstream.heard;
        const values = (name: string) =>
          heard?.headers.filter((one) => one[0].toLowerCase() === name).map((one) => one[1]) ?? [];
        must(
          values('accept-encoding').every((one) => !/x-secret|\*/.test(one)),
          `asked for ${values('accept-encoding')}`,
        );
        must(
          [...values('range'), ...values('if-none-match')].length === 0,
          'a part or a validator was asked for',
        );
      },
    },
    bomb('a body that grows a thousandfold', gzipSync(Buffer.alloc(200 * 1024 * 1024))),
    bomb('one that grows twice', gzipSync(gzipSync(Buffer.alloc(200 * 1024 * 1024))), 'gzip, gzip'),
  ],
};

/** The gateway goes on, and holds no more than a little of it. */
function bomb(what: string, octets: Buffer, coding = 'gzip'): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      world.upstream.answer = () => [encoded(coding, octets), 'end'];
      const client = await world.through();
      const before = process.memoryUsage.rss();
      client.send(get(USER, world.authorization, 'Connection: close'));
      await client.answered(1, 60_000);
      const rise = process.memoryUsage.rss() - before;
      must(rise < 150 * 1024 * 1024, `${rise} octets of it are held`);
      await servesOn(world);
    },
  };
}

const utf16 = (text: string) => Buffer.from(text, 'utf16le');

const TYPES: Readonly<Record<string, Buffer>> = {
  'JSON in UTF-16': as('application/json; charset=utf-16', utf16(BODY)),
  'JSON in UTF-16 that is not told': as('application/json', utf16(BODY)),
  'JSON as text': as('text/plain'),
  'JSON lines': as('application/x-ndjson', `${BODY}\n${BODY}\n`),
  'a JSON of some vendor': as('application/vnd.api+json'),
  'JSON with padding': as('application/javascript', `callback(${BODY});`),
  XML: as('application/xml', `<user><ssn>${SSN}</ssn></user>`),
  CSV: as('text/csv', `id,ssn\r\n1,${SSN}\r\n`),
  protobuf: as('application/x-protobuf', Buffer.from(`\n\x0b${SSN}`)),
  msgpack: as(
    'application/msgpack',
    Buffer.concat([Buffer.from([0x81, 0xa3]), Buffer.from('ssn'), Buffer.from([0xab]), Buffer.from(SSN)]),
  ),
  CBOR: as(
    'application/cbor',
    Buffer.concat([Buffer.from([0xa1, 0x63]), Buffer.from('ssn'), Buffer.from([0x6b]), Buffer.from(SSN)]),
  ),
  'parts of a form': as(
    'multipart/form-data; boundary=x',
    `--x\r\nContent-Disposition: form-data; name="ssn"\r\n\r\n${SSN}\r\n--x--\r\n`,
  ),
  'octets of no kind': as('application/octet-stream'),
  'no type': as(''),
  'an empty type': as(' '),
  'a type that is none': as('json'),
  'two types': as('application/json', BODY, 'Content-Type: text/plain'),
  HTML: as('text/html', `<p>${SSN}</p>`),
  'a form': as('application/x-www-form-urlencoded', `id=1&ssn=${SSN}`),
  'a type of ours behind a comma': as('application/pdf, application/json'),
};

export const H15: HttpGroup = {
  id: 'H15',
  policy: MASKED,
  attacks: Object.entries(TYPES).map(([what, octets]) => leaksNothing(what, USER, [[octets]])),
};

const body = (text: string) => as('application/json', text);
const deep = (depth: number) => `${'{"a":'.repeat(depth)}${BODY}${'}'.repeat(depth)}`;

const DOCUMENTS: Readonly<Record<string, Buffer>> = {
  'a name twice': body(`{"ssn":"1","ssn":"${SSN}"}`),
  'a name twice, the first': body(`{"ssn":"${SSN}","ssn":"1"}`),
  'a name with an escape': body(`{"\\u0073sn":"${SSN}"}`),
  'a value with escapes': body(
    `{"ssn":"${[...SSN].map((char) => `\\u00${char.charCodeAt(0).toString(16)}`).join('')}","x":"${SSN}"}`,
  ),
  'a name in capitals': body(`{"SSN":"${SSN}"}`),
  'a value as a name': body(`{"${SSN}":1}`),
  'deep within': body(deep(40)),
  'deeper than is read': body(deep(20_000)),
  'in a list of lists': body(`[[[${BODY}]]]`),
  'in the place of a value': body(`{"ssn":{"number":"${SSN}"}}`),
  'in a list': body(`{"ssn":["${SSN}"]}`),
  'something behind the value': body(`{}${BODY}`),
  'two values': body(`${BODY}\n${BODY}`),
  'a byte order mark': body(`\ufeff${BODY}`),
  'single quotes': body(`{'ssn':'${SSN}'}`),
  'a comment': body(`{/* ${SSN} */"a":1}`),
  'a value that has no end': body(`{"ssn":"${SSN}`),
  'an object that has no end': body(BODY.slice(0, -1)),
  'octets that are no UTF-8': as(
    'application/json',
    Buffer.concat([Buffer.from('{"a":"\xff', 'latin1'), Buffer.from(`","ssn":"${SSN}"}`)]),
  ),
  'JSON within a string': body(JSON.stringify({ text: BODY })),
  'in a text': body(JSON.stringify({ note: `her number is ${SSN}.` })),
};

const STATUSES = [
  '201 Created',
  '400 Bad Request',
  '404 Not Found',
  '422 Unprocessable',
  '500 Oops',
  `200 ${SSN}`,
];

export const H16: HttpGroup = {
  id: 'H16',
  policy: MASKED,
  attacks: [
    ...Object.entries(DOCUMENTS).map(([what, octets]) => leaksNothing(what, USER, [[octets]])),
    leaksNothing('cut at every place', USER, everyCut(body(BODY))),
    leaksNothing('an octet at a time, in chunks', USER, [
      [chunked('200 OK', ['Content-Type: application/json'], ...[...BODY])],
    ]),
    leaksNothing(
      'whatever the status says',
      USER,
      STATUSES.map((status) => [answer(status, ['Content-Type: application/json'], BODY)]),
    ),
    leaksNothing('in headers', USER, [
      ...[`X-Number: ${SSN}`, `Location: /users?ssn=${SSN}`, `Set-Cookie: ssn=${SSN}`, `ETag: "${SSN}"`].map(
        (line) => [as('application/json', '{}', line)],
      ),
      [as('application/json', '{}', `Content-Disposition: attachment; filename="${SSN}.json"`)],
      [as('application/json', '{}', `Link: </users/${SSN}>; rel=self`)],
    ]),
    leaksNothing('in trailers', USER, [
      [
        Buffer.from(
          `${head('HTTP/1.1 200 OK', 'Content-Type: application/json', 'Transfer-Encoding: chunked', 'Trailer: X-Number')}2\r\n{}\r\n0\r\nX-Number: ${SSN}\r\n\r\n`,
        ),
      ],
    ]),
    leaksNothing('before the answer', USER, [
      [Buffer.from(head('HTTP/1.1 103 Early Hints', `Link: </users/${SSN}>; rel=preload`)), body('{}')],
      [Buffer.from(head('HTTP/1.1 102 Processing', `X-Number: ${SSN}`)), body('{}')],
    ]),
    leaksNothing(
      'as an answer to HEAD',
      USER,
      [
        [
          Buffer.from(
            head(
              'HTTP/1.1 200 OK',
              'Content-Type: application/json',
              `X-Number: ${SSN}`,
              'Content-Length: 5',
            ),
          ),
        ],
      ],
      { method: 'HEAD' },
    ),
    leaksNothing(
      'as a part that was not asked for',
      USER,
      [
        [
          answer(
            '206 Partial Content',
            ['Content-Type: application/json', 'Content-Range: bytes 10-50/100'],
            `sn":"${SSN}"}`,
          ),
        ],
        [
          answer(
            '206 Partial Content',
            ['Content-Type: multipart/byteranges; boundary=x'],
            `--x\r\n\r\n${BODY}\r\n--x--`,
          ),
        ],
      ],
      { lines: ['Range: bytes=10-50'] },
    ),
    {
      case: 'in what is kept',
      run: async (world) => {
        world.upstream.answer = () => [body(`{"ssn":"${SSN}","mark":"kept-5e11"}`)];
        const client = await world.through();
        client.send(get(USER, world.authorization));
        await client.answered();
        await eventually('the answer is recorded', async () => (await world.kept()).includes('kept-5e11'));
        must(!(await world.kept()).includes(SSN), 'it was kept');
      },
    },
    {
      case: 'digits of numbers are kept',
      run: async (world) => {
        const text = `{"big":12345678901234567890.10e+1,"ssn":"${SSN}","x":1.0}`;
        world.upstream.answer = () => [body(text)];
        const client = await world.through();
        client.send(get(USER, world.authorization));
        const [got] = await client.answered();
        const shown = got?.body.toString() ?? '';
        must(/"big":12345678901234567890\.10e\+1/.test(shown) && /"x":1\.0/.test(shown), `shown as ${shown}`);
        must(got !== undefined && statusOf(got) === 200 && !shown.includes(SSN), `shown as ${shown}`);
      },
    },
    {
      case: 'nothing is told of the body that was masked',
      run: async (world) => {
        world.upstream.answer = () => [
          as(
            'application/json',
            BODY,
            'ETag: "a"',
            'Digest: sha-256=x',
            'Content-MD5: y',
            'Accept-Ranges: bytes',
            'X-Amz-Checksum-Sha256: z',
          ),
        ];
        const client = await world.through();
        client.send(get(USER, world.authorization));
        const [got] = await client.answered();
        must(got !== undefined && statusOf(got) === 200, `answered with ${got?.start}`);
        const told = ['etag', 'digest', 'content-md5', 'accept-ranges', 'x-amz-checksum-sha256'].filter(
          (name) => headerOf(got, name) !== undefined,
        );
        must(told.length === 0, `told of the body: ${told}`);
      },
    },
  ],
};

const events = (...texts: readonly string[]) =>
  chunked('200 OK', ['Content-Type: text/event-stream'], ...texts);

export const H20: HttpGroup = {
  id: 'H20',
  policy: MASKED,
  attacks: [
    leaksNothing('an event', USER, [
      [events(`data: ${BODY}\n\n`)],
      [events(`event: user\r\nid: 1\r\ndata: ${BODY}\r\n\r\n`)],
      [events(`data:${BODY}\r\r`)],
    ]),
    leaksNothing(
      'an event, cut at every place',
      USER,
      everyCut(as('text/event-stream', `data: ${BODY}\n\n`)),
    ),
    leaksNothing('an event of two lines', USER, [[events(`data: {"id":1,\ndata: "ssn":"${SSN}"}\n\n`)]]),
    leaksNothing('beside the data', USER, [
      [events(`: ${SSN}\n\n`)],
      [events(`id: ${SSN}\ndata: {}\n\n`)],
      [events(`event: ${SSN}\ndata: {}\n\n`)],
      [events(`${SSN}: 1\n\n`)],
    ]),
    leaksNothing('an event that has no end', USER, [
      [events(`data: ${BODY}`)],
      [events(`data: ${'x'.repeat(1 << 20)}${BODY}`)],
    ]),
    {
      case: 'each event is shown when it comes',
      run: async (world) => {
        const begin = Buffer.from(
          head('HTTP/1.1 200 OK', 'Content-Type: text/event-stream', 'Connection: close'),
        );
        world.upstream.answer = () => [begin, Buffer.from(`data: {"n":1,"ssn":"${SSN}"}\n\n`)];
        const client = await world.through();
        client.send(get(USER, world.authorization));
        await eventually('the first event', () => client.received.includes('"n":1'), Boolean, {
          withinMs: 2_000,
        });
        must(!client.received.includes(SSN), 'it was shown');
      },
    },
  ],
};
