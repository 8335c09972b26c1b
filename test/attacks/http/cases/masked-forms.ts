/** H13, H15: in what codings and types a masked route answers. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { answer } from '../../../support/http/messages.ts';
import { must } from '../../attack.ts';
import { everyCut, get, leaksNothing, servesOn } from '../attack.ts';
import { type HttpAttack, type HttpGroup, MASKED, SSN } from '../world.ts';

/** Members are masked there, and what detectors find. */
const USER = '/api/v1/users/1';
/** Only what detectors find is. */
const ORDER = '/api/v1/orders/1';
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
  'a coding and none': encoded('gzip, identity', gzipSync(BODY)),
  'none and a coding': encoded('identity, gzip', gzipSync(BODY)),
  'an empty coding': encoded('', gzipSync(BODY)),
  'a coding between commas': encoded(',gzip,', gzipSync(BODY)),
  'a coding with a parameter': encoded('gzip;q=1', gzipSync(BODY)),
  'a coding in quotes': encoded('"gzip"', gzipSync(BODY)),
  'another coding than is told': encoded('br', gzipSync(BODY)),
  'gzip for deflate': encoded('deflate', gzipSync(BODY)),
  'LZW of old': encoded('compress', Buffer.from(BODY)),
  'a coding with a dictionary': encoded('dcb', brotliCompressSync(BODY)),
  'a coding that is encrypted': encoded('aes128gcm', Buffer.from(BODY)),
  'zstd in two frames': encoded(
    'zstd',
    Buffer.concat([zstdCompressSync('{"a":1,'), zstdCompressSync(BODY.slice(1))]),
  ),
  'four codings': encoded('gzip, gzip, gzip, gzip', gzipSync(gzipSync(gzipSync(gzipSync(BODY))))),
  'three codings': encoded('gzip, br, deflate', deflateSync(brotliCompressSync(gzipSync(BODY)))),
  'gzip with a name that says it': encoded('gzip', named(gzipSync('{}'), SSN)),
  'a coding told by two lines, one of them none': as(
    'application/json',
    gzipSync(BODY),
    'Content-Encoding: identity',
    'Content-Encoding: gzip',
  ),
  'gzip told as a transfer': as('application/json', gzipSync(BODY), 'Transfer-Encoding: gzip'),
  'two members of gzip': encoded('gzip', Buffer.concat([gzipSync('{"a":1,'), gzipSync(BODY.slice(1))])),
  'something behind gzip': encoded('gzip', Buffer.concat([gzipSync('{}'), Buffer.from(BODY)])),
};

/** The same file under a name, which stands in its head: RFC 1952 §2.3. */
function named(octets: Buffer, name: string): Buffer {
  const first = Buffer.from(octets.subarray(0, 10));
  first[3] = 8;
  return Buffer.concat([first, Buffer.from(`${name}\0`), octets.subarray(10)]);
}

export const H13: HttpGroup = {
  id: 'H13',
  policy: MASKED,
  attacks: [
    ...[USER, ORDER].flatMap((route) =>
      Object.entries(CODINGS).map(([what, octets]) =>
        leaksNothing(`the coding: ${what}, ${route}`, route, [[octets]]),
      ),
    ),
    ...['gzip', 'deflate', 'br', 'zstd'].map((coding) =>
      leaksNothing(`${coding}, cut at every place`, USER, everyCut(CODINGS[coding]!)),
    ),
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
  'JSON in letters of either case': as('Application/JSON'),
  'JSON with a parameter that has no end': as('application/json; charset="utf-8'),
  'JSON in two charsets': as('application/json; charset=utf-8; charset=utf-16', utf16(BODY)),
  'JSON in UTF-16, big end first': as('application/json; charset=utf-16be', utf16(BODY).swap16()),
  'JSON in UTF-7': as('application/json; charset=utf-7', BODY),
  'JSON in EBCDIC': as('application/json; charset=cp037', BODY),
  'JSON in an unknown charset': as('application/json; charset=x', BODY),
  'JSON of old': as('text/json'),
  'JSON that is none of it': as('application/x-json'),
  'JSON in records': as('application/json-seq', `\x1e${BODY}\n`),
  'JSON of hypertext': as('application/hal+json'),
  'a problem': as('application/problem+json'),
  'GeoJSON in records': as('application/geo+json-seq', `\x1e${BODY}\n`),
  'JSON lines that are cut by CR alone': as('application/jsonl', `${BODY}\r${BODY}\r`),
  'JSON lines of Concord': as('application/concatenated-json', BODY + BODY),
  'JSON of five': as('application/json5', `{ssn:'${SSN}'}`),
  'JSON of a manifest': as('application/manifest+json'),
  'an image that is a text': as('image/svg+xml', `<svg><text>${SSN}</text></svg>`),
  XHTML: as('application/xhtml+xml', `<p>${SSN}</p>`),
  'a mail': as('message/rfc822', `Subject: x\r\n\r\n${SSN}`),
  'HTTP in HTTP': as('message/http', `HTTP/1.1 200 OK\r\n\r\n${SSN}`),
  parts: as(
    'multipart/mixed; boundary=x',
    `--x\r\nContent-Type: application/json\r\n\r\n${BODY}\r\n--x--\r\n`,
  ),
  'parts that are replaced': as(
    'multipart/x-mixed-replace; boundary=x',
    `--x\r\nContent-Type: application/json\r\n\r\n${BODY}\r\n--x--\r\n`,
  ),
  'tab-separated values': as('text/tab-separated-values', `id\tssn\n1\t${SSN}\n`),
  'CSV without a head': as('text/csv; header=absent', `1,${SSN}\r\n`),
  'CSV in quotes': as('text/csv', `id,ssn\r\n1,"${SSN}"\r\n`),
  'CSV cut by semicolons': as('text/csv', `id;ssn\r\n1;${SSN}\r\n`),
  'CSV with a byte order mark': as('text/csv', `\ufeffssn,id\r\n${SSN},1\r\n`),
  'CSV with lines in a cell': as('text/csv', `"id\n",ssn\r\n"1\n2",${SSN}\r\n`),
  'CSV of another type': as('application/csv', `id,ssn\r\n1,${SSN}\r\n`),
  'a table of a spreadsheet': as('application/vnd.ms-excel', `id,ssn\r\n1,${SSN}\r\n`),
  YAML: as('application/yaml', `ssn: ${SSN}\n`),
  'YAML of text': as('text/yaml', `ssn: "${SSN}"\n`),
  TOML: as('application/toml', `ssn = "${SSN}"\n`),
  'a calendar': as('text/calendar', `BEGIN:VEVENT\r\nSUMMARY:${SSN}\r\nEND:VEVENT\r\n`),
  'a form with a plus and percent signs': as(
    'application/x-www-form-urlencoded',
    `a=1&s%73n=${SSN.replaceAll('-', '%2D')}&x=${SSN}`,
  ),
  gRPC: as('application/grpc', Buffer.from(`\0\0\0\0\x0d\n\x0b${SSN}`)),
  'gRPC for browsers': as(
    'application/grpc-web-text',
    Buffer.from(`\0\0\0\0\x0d\n\x0b${SSN}`).toString('base64'),
  ),
  Avro: as('application/avro', Buffer.from(`Obj\x01${SSN}`)),
  PDF: as('application/pdf', `%PDF-1.4 (${SSN})`),
  'a ZIP that is not packed': as('application/zip', `PK\x03\x04${SSN}`),
  'a type with a control': as('application/\x01json'),
  'a type with a space': as('application/json x'),
  'no type but that of another header': as('', BODY, 'X-Content-Type: application/json'),
  'a type in an old line': as('', BODY, 'Content-type : application/json'),
  'a type of ours behind a comma': as('application/pdf, application/json'),
};

export const H15: HttpGroup = {
  id: 'H15',
  policy: MASKED,
  attacks: [USER, ORDER].flatMap((route) =>
    Object.entries(TYPES).map(([what, octets]) => leaksNothing(`${what}, ${route}`, route, [[octets]])),
  ),
};
