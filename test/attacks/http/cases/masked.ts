/** H16, H20: what a masked route answers. */
import { answer, chunked, head } from '../../../support/http/messages.ts';
import { headerOf, statusOf } from '../../../support/http/raw-http.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import { everyCut, get, leaksNothing } from '../attack.ts';
import { type HttpGroup, MASKED, SSN } from '../world.ts';

/** Members are masked there, and what detectors find. */
const USER = '/api/v1/users/1';
/** Only what detectors find is. */
const ORDER = '/api/v1/orders/1';
const BODY = JSON.stringify({ id: 1, name: 'Ann', ssn: SSN });

const as = (type: string, body: string | Buffer = BODY, ...lines: readonly string[]) =>
  answer('200 OK', [...(type === '' ? [] : [`Content-Type: ${type}`]), ...lines], body);

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
  'a name in letters that are folded': body(`{"\u017fsn":"${SSN}"}`),
  'a name in wide letters': body(`{"ｓｓｎ":"${SSN}"}`),
  'a name behind a blank': body(`{" ssn":"${SSN}","ssn ":"${SSN}"}`),
  'a name as the path of another': body(`{"a.ssn":"${SSN}","$..ssn":"${SSN}"}`),
  'a name that is a prototype': body(`{"__proto__":{"ssn":"${SSN}"},"constructor":{"ssn":"${SSN}"}}`),
  'a value behind another type': body(`{"ssn":null,"ssn":"${SSN}"}`),
  'a value in a list of lists': body(`{"ssn":[["${SSN}"],[{"x":["${SSN}"]}]]}`),
  'a value with blanks around everything': body(` { "ssn" : \n\t"${SSN}" \r} `),
  'a value with slashes that are escaped': body(`{"ssn":"\\/${SSN}\\/"}`),
  'a value behind the end of a line that no JSON has': body(`{"a":"x\u2028","ssn":"${SSN}"}`),
  'a value behind NUL': body(`{"a":"\\u0000${SSN}"}`),
  'a value behind a control': body(`{"a":"\x01","ssn":"${SSN}"}`),
  'a value behind half of a pair': body(`{"a":"\\ud800","ssn":"${SSN}"}`),
  'a value behind a number that is none': body(`{"a":01,"ssn":"${SSN}"}`),
  'a value behind a word that is none': body(`{"a":NaN,"ssn":"${SSN}"}`),
  'a value behind a long name': body(`{"${'n'.repeat(70_000)}":1,"ssn":"${SSN}"}`),
  'a value behind a long string': body(`{"a":"${'x'.repeat(2 << 20)}","ssn":"${SSN}"}`),
  'a long string that ends with it': body(`{"a":"${'x'.repeat(1 << 19)} ${SSN}"}`),
  'a comma too many': body(`{"ssn":"${SSN}",}`),
  'a comma too few': body(`{"a":1 "ssn":"${SSN}"}`),
  'a list that is closed by the other': body(`["${SSN}"}`),
  'a string alone': body(`"${SSN}"`),
  'a padding before JSON': body(`)]}',\n${BODY}`),
  'a padding that loops': body(`for(;;);${BODY}`),
  'a function around JSON': body(`callback(${BODY})`),
  'a text before JSON': body(`ok ${BODY}`),
  'HTML in the place of JSON': body(`<html>${SSN}</html>`),
  'two values in one line': body(`${BODY} ${BODY}`),
  'JSON within a string within a string': body(JSON.stringify({ text: JSON.stringify({ text: BODY }) })),
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
    leaksNothing('the end of a line, in each way and in two', USER, [
      ...['\n', '\r', '\r\n'].map((end) => [events(`data: {"id":1,${end}data: "ssn":"${SSN}"}${end}${end}`)]),
      [events(`data: {"id":1,\r`, `\ndata: "ssn":"${SSN}"}\r`, `\n\r`, `\n`)],
    ]),
    leaksNothing('an octet at a time, in chunks', USER, [[events(...`data: ${BODY}\n\n`)]]),
    leaksNothing('a byte order mark', USER, [
      [events(`\ufeffdata: ${BODY}\n\n`)],
      [events(`data: \ufeff${BODY}\n\n`)],
    ]),
    leaksNothing('a field of another kind', USER, [
      [events(`data : ${BODY}\n\n`)],
      [events(`DATA: ${BODY}\n\n`)],
      [events(`data\ndata: ${BODY}\n\n`)],
      [events(`retry: ${SSN}\ndata: {}\n\n`)],
      [events(`data: [DONE]\ndata: ${SSN}\n\n`)],
      [events(`data: [DONE] ${SSN}\n\n`)],
      [events(`data: "${SSN}"\n\n`)],
      [events(`data: her number is ${SSN}\n\n`)],
    ]),
    leaksNothing('where only detectors look', ORDER, [
      [events(`data: ${BODY}\n\n`)],
      [events(`data: her number is ${SSN}\n\n`)],
      [events(`data: {"text":\ndata: "her number is ${SSN}"}\n\n`)],
      [events(`: ${SSN}\n\n`)],
      [events(`id: ${SSN}\ndata: x\n\n`)],
      [events(`data: ${SSN}`)],
    ]),
    leaksNothing('where only detectors look, cut at every place', ORDER, [
      ...everyCut(as('text/event-stream', `data: ${BODY}\n\n`)),
      ...everyCut(as('text/event-stream', `data: it is ${SSN}\n\n`)),
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
