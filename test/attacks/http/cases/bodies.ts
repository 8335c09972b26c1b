/** H11, H16 and H23 for what a client sends: rules that look at a body. */
import { gzipSync } from 'node:zlib';
import { head } from '../../../support/http/messages.ts';
import { headerOf, statusOf } from '../../../support/http/raw-http.ts';
import { must } from '../../attack.ts';
import { answers, denied, malformed, type Octets, servesOn } from '../attack.ts';
import type { HttpGroup } from '../world.ts';

const JSON_TYPE = 'Content-Type: application/json';
const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded';

function refund(body: string | Buffer, ...lines: readonly string[]): Octets {
  const octets = Buffer.from(body);
  return (auth) => [
    head(
      'POST /api/v1/refunds HTTP/1.1',
      'Host: localhost',
      auth,
      `Content-Length: ${octets.length}`,
      ...lines,
    ),
    octets,
  ];
}

/** Each is a million to some server. */
const MILLIONS: Readonly<Record<string, string>> = {
  'as it is': '{"amount":1000000}',
  'as a power': '{"amount":1e6}',
  'with a fraction': '{"amount":1000000.00}',
  'with a power that is negative': '{"amount":100000000e-2}',
  'as a string': '{"amount":"1000000"}',
  'under a name in capitals': '{"AMOUNT":1000000}',
  'under a name with an escape': '{"\\u0061mount":1000000}',
  'in a list': '{"amount":[5,1000000]}',
  'in one of several refunds': '[{"amount":5},{"amount":1000000}]',
};

/** No two servers read them alike. */
const DOUBTFUL: Readonly<Record<string, string | Buffer>> = {
  'a name twice': '{"amount":5,"amount":1000000}',
  'a name twice, with an escape': '{"amount":5,"\\u0061mount":1000000}',
  'a name twice, in capitals': '{"amount":5,"Amount":1000000}',
  'something behind the value': '{"amount":5}{"amount":1000000}',
  'a byte order mark': '\ufeff{"amount":1000000}',
  'a comment': '{/* */"amount":1000000}',
  'single quotes': "{'amount':1000000}",
  'a comma at the end': '{"amount":1000000,}',
  'octets that are no UTF-8': Buffer.from('{"amount":5,"x":"\xc0\xae"}', 'latin1'),
  'half of a surrogate pair': '{"amount":5,"x":"\\ud800"}',
  'JSON in UTF-16': Buffer.from('{"amount":1000000}', 'utf16le'),
  nothing: ' ',
};

const UNREAD: Readonly<Record<string, Octets>> = {
  text: refund('{"amount":1000000}', 'Content-Type: text/plain'),
  'no type': refund('{"amount":1000000}'),
  'parts of a form': refund('--x\r\n\r\n--x--', 'Content-Type: multipart/form-data; boundary=x'),
  gzip: refund(gzipSync('{"amount":1000000}'), JSON_TYPE, 'Content-Encoding: gzip'),
  'another charset': refund('{"amount":1000000}', 'Content-Type: application/json; charset=utf-7'),
};

export const BODIES: HttpGroup = {
  id: 'H11',
  attacks: [
    ...Object.entries(MILLIONS).map(([what, body]) =>
      denied(`a million ${what}`, refund(body, JSON_TYPE), 'small'),
    ),
    denied('a method in JSON', refund('{"_method":"DELETE"}', JSON_TYPE), 'small'),
    denied('a method in a form', refund('x=1&_method=DELETE', FORM_TYPE), 'small'),
    denied('a method in a form, encoded', refund('_m%65thod=DELET%45', FORM_TYPE), 'small'),
    denied('a method in a form, again', refund('_method=POST&_method=DELETE', FORM_TYPE), 'small'),
    denied(
      'a million in chunks',
      (auth) =>
        `${head('POST /api/v1/refunds HTTP/1.1', 'Host: localhost', auth, JSON_TYPE, 'Transfer-Encoding: chunked')}9\r\n{"amount"\r\n9\r\n:1000000}\r\n0\r\n\r\n`,
      'small',
    ),
    ...Object.entries(DOUBTFUL).map(([what, body]) =>
      malformed(`in doubt: ${what}`, refund(body, JSON_TYPE)),
    ),
    malformed('a form with a semicolon', refund('amount=5;amount=1000000', FORM_TYPE)),
    malformed('deeper than is read', refund('['.repeat(10_000), JSON_TYPE), { status: [413] }),
    malformed('longer than is read', refund(`"${'x'.repeat(1 << 20)}"`, JSON_TYPE), { status: [413] }),
    ...Object.entries(UNREAD).map(([what, octets]) =>
      malformed(`not read: ${what}`, octets, { status: [415] }),
    ),
    {
      case: 'a million, cut at every place',
      run: async (world) => {
        const parts = refund('{"amount":1000000}', JSON_TYPE)(world.authorization, world);
        const whole = Buffer.concat([...parts].map((part) => Buffer.from(part)));
        for (let at = 1; at < whole.length; at++) {
          const client = await world.through();
          await client.sendApart(whole.subarray(0, at), whole.subarray(at));
          const [answer] = await client.answered();
          must(answer !== undefined && statusOf(answer) === 403, `cut at ${at}: ${answer?.start}`);
          must(world.upstream.octets.length === 0, `cut at ${at}, the target was sent something`);
          client.close();
        }
        await servesOn(world);
      },
    },
    answers(
      'what is permitted goes as it was sent',
      refund('{ "amount" : 5.0 }', JSON_TYPE),
      (answer, world) => {
        must(answer !== undefined && statusOf(answer) === 200, `answered with ${answer?.start}`);
        const [heard] = world.upstream.heard;
        must(heard?.body.toString() === '{ "amount" : 5.0 }', `the target was sent ${heard?.body}`);
        must(heard !== undefined && headerOf(heard, 'content-length') === '18', 'its length is another');
      },
    ),
  ],
};
