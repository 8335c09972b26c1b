/** H5, H6, H25: where a request ends. */

import { head } from '../../../support/http/messages.ts';
import { statusOf } from '../../../support/http/raw-http.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import { get, type Octets, refused, servesOn } from '../attack.ts';
import { reached } from '../readings.ts';
import type { HttpAttack, HttpGroup } from '../world.ts';

const HIDDEN = 'GET /api/v1/secrets HTTP/1.1\r\nHost: localhost\r\n\r\n';

const post = (auth: string, ...lines: readonly string[]) =>
  head('POST /api/v1/orders HTTP/1.1', 'Host: localhost', auth, ...lines);

/** Headers that two servers read in two ways. The hidden request stands where one of them takes the body to have ended. */
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'both lengths': ['Content-Length: LENGTH', 'Transfer-Encoding: chunked'],
  'both lengths, the other way round': ['Transfer-Encoding: chunked', 'Content-Length: LENGTH'],
  'a coding beside chunked': ['Transfer-Encoding: chunked, identity', 'Content-Length: LENGTH'],
  'chunked twice': ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
  'a coding that is nearly chunked': ['Transfer-Encoding: xchunked', 'Content-Length: LENGTH'],
  'chunked behind a space': ['Transfer-Encoding : chunked', 'Content-Length: LENGTH'],
  'chunked behind a tab': ['Transfer-Encoding:\x0bchunked', 'Content-Length: LENGTH'],
  'chunked on the next line': ['Transfer-Encoding:', ' chunked', 'Content-Length: LENGTH'],
  'chunked in a folded line': ['X-A: b', ' Transfer-Encoding: chunked', 'Transfer-Encoding : chunked'],
  'chunked behind a bare LF': ['X-A: b\nTransfer-Encoding: chunked', 'Content-Length: LENGTH'],
  'chunked behind a bare CR': ['X-A: b\rTransfer-Encoding: chunked', 'Transfer-Encoding : chunked'],
  'chunked in quotes': ['Transfer-Encoding: "chunked"', 'Content-Length: LENGTH'],
  'chunked with a parameter': ['Transfer-Encoding: chunked;x=y', 'Content-Length: LENGTH'],
  'two lengths': ['Content-Length: LENGTH', 'Content-Length: 5'],
  'two lengths in one line': ['Content-Length: 5, LENGTH'],
  'a length with a sign': ['Content-Length: +5'],
  'a length with a letter': ['Content-Length: 5x'],
  'a length in hexadecimal': ['Content-Length: 0x5'],
  'a length on the next line': ['Content-Length:', ' 5'],
  'a length behind a space': ['Content-Length : 5'],
  'a negative length': ['Content-Length: -5'],
  'chunked in capitals beside a length': ['Transfer-Encoding: CHUNKED', 'Content-Length: LENGTH'],
  'chunked behind another coding': ['Transfer-Encoding: gzip, chunked', 'Content-Length: LENGTH'],
  'chunked twice in one line': ['Transfer-Encoding: chunked, chunked', 'Content-Length: LENGTH'],
  'chunked behind a comma': ['Transfer-Encoding: ,chunked', 'Content-Length: LENGTH'],
  'chunked before a comma': ['Transfer-Encoding: chunked,', 'Content-Length: LENGTH'],
  'an empty coding and a length': ['Transfer-Encoding:', 'Content-Length: LENGTH', 'Content-Length: 5'],
  'chunked behind a form feed': ['Transfer-Encoding:\x0cchunked', 'Content-Length: LENGTH'],
  'chunked behind a space of Unicode': ['Transfer-Encoding: \xa0chunked', 'Content-Length: LENGTH'],
  'chunked with a mark that is not seen': ['Transfer-Encoding: chunked\x00', 'Content-Length: LENGTH'],
  'chunked by an underscore': ['Transfer_Encoding: chunked', 'Content-Length: LENGTH', 'Content-Length: 5'],
  'chunked behind a line of spaces': ['X-A: b', ' ', 'Transfer-Encoding : chunked', 'Content-Length: LENGTH'],
  'chunked that Connection takes away': [
    'Connection: Transfer-Encoding',
    'Transfer-Encoding: chunked',
    'Content-Length: LENGTH',
  ],
  'a length that Connection takes away': ['Connection: Content-Length', 'Content-Length: 5'],
  'two lengths that are the same': [
    'Content-Length: LENGTH',
    'Content-Length: LENGTH',
    'Transfer-Encoding: x, chunked',
  ],
  'a length with a point': ['Content-Length: 5.0'],
  'a length with a power': ['Content-Length: 5e0'],
  'a length with zeros before it': ['Content-Length: 0000005'],
  'a length with an underscore': ['Content-Length: 0_5'],
  'a length in other digits': ['Content-Length: \xd9\xa5'],
  'a length with a space in it': ['Content-Length: 5 5'],
  'a length behind NUL': ['Content-Length: 5\x00'],
  'a length in quotes': ['Content-Length: "5"'],
  'an empty length': ['Content-Length:'],
  'a length and nothing': ['Content-Length: 5,'],
};

function smuggled(lines: readonly string[]): Octets {
  return (auth) => {
    const body = `5\r\nhello\r\n0\r\n\r\n${HIDDEN}`;
    return `${post(auth, ...lines.map((line) => line.replace('LENGTH', String(body.length))))}${body}`;
  };
}

/** Chunks that two servers read in two ways. */
const CHUNKS: Readonly<Record<string, string>> = {
  'a line that ends in LF': `5\nhello\r\n0\r\n\r\n`,
  'a chunk that ends in LF': `5\r\nhello\n0\r\n\r\n`,
  'LF in an extension': `5;a\nhello\r\n0\r\n\r\n`,
  'a size with a sign': `+5\r\nhello\r\n0\r\n\r\n`,
  'a size with a prefix': `0x5\r\nhello\r\n0\r\n\r\n`,
  'a size beyond 64 bits': `10000000000000005\r\nhello\r\n0\r\n\r\n`,
  'a size with a space before it': ` 5\r\nhello\r\n0\r\n\r\n`,
  'no size': `\r\nhello\r\n0\r\n\r\n`,
  'a negative size': `-5\r\nhello\r\n0\r\n\r\n`,
  'a chunk that is longer than it says': `5\r\nhelloGET /api/v1/secrets HTTP/1.1\r\n0\r\n\r\n`,
  'an extension that opens a quote': `5;a="\r\nhello\r\n0\r\n\r\n`,
  'a size in other letters': `5g\r\nhello\r\n0\r\n\r\n`,
  'a size with a point': `5.\r\nhello\r\n0\r\n\r\n`,
  'a size with an underscore': `0_5\r\nhello\r\n0\r\n\r\n`,
  'a size with a space behind it': `5 \r\nhello\r\n0\r\n\r\n`,
  'a size with a tab behind it': `5\t\r\nhello\r\n0\r\n\r\n`,
  'a size of many zeros': `${'0'.repeat(400)}5\r\nhello\r\n0\r\n\r\n`,
  'a size behind NUL': `\x005\r\nhello\r\n0\r\n\r\n`,
  'a line that ends in CR': `5\rhello\r\n0\r\n\r\n`,
  'a line that ends in CR CR LF': `5\r\r\nhello\r\n0\r\n\r\n`,
  'a chunk that ends in CR': `5\r\nhello\r0\r\n\r\n`,
  'a chunk that does not end': `5\r\nhello0\r\n\r\n`,
  'a chunk that ends in two octets of anything': `5\r\nhelloXX0\r\n\r\n`,
  'an end that ends in LF': `5\r\nhello\r\n0\n\r\n`,
  'an end that ends in LF LF': `5\r\nhello\r\n0\r\n\n`,
  'an end that is written twice': `5\r\nhello\r\n00\r\n0\r\n\r\n`,
  'CR in an extension': `5;a\rb\r\nhello\r\n0\r\n\r\n`,
  'an extension of 64 KiB': `5;${'a'.repeat(65_536)}\r\nhello\r\n0\r\n\r\n`,
  'a trailer that is folded': `5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n`,
  'a trailer behind a space': `5\r\nhello\r\n0\r\n X: a\r\n\r\n`,
  'a trailer in LF': `5\r\nhello\r\n0\r\nX: a\n\r\n`,
  'trailers of 100 KiB': `5\r\nhello\r\n0\r\n${'X: a\r\n'.repeat(17_000)}\r\n`,
  'a trailer that frames': `5\r\nhello\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\n`,
};

/** Whatever the client is told, no reading of what the target got has the hidden request. */
function hidesNothing(what: string, octets: Octets): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      const client = await world.through();
      const parts = octets(world.authorization, world);
      await client.sendApart(...(typeof parts === 'string' ? [parts] : parts));
      client.end();
      const answers = await client.answered();
      const how = world.upstream.heard
        .map((one) => reached(one, world.host))
        .find((one) => one !== undefined);
      must(how === undefined, `${how}: ${world.upstream.octets.toString('latin1')}`);
      must(
        !world.upstream.octets.includes('/api/v1/secrets HTTP/1.1\r\nHost: localhost'),
        'the hidden request went on',
      );
      const served = answers.filter((one) => one.body.includes('"path":"/api/v1/secrets"'));
      must(served.length === 0, 'the hidden request was answered');
      await servesOn(world);
    },
  };
}

const CLOSED = { status: [400, 501, 0] };

export const H5: HttpGroup = {
  id: 'H5',
  attacks: [
    ...Object.entries(HEADERS).map(([what, lines]) => refused(what, smuggled(lines), CLOSED)),
    refused(
      'HTTP/1.0 in chunks',
      (auth) =>
        `${head('POST /api/v1/orders HTTP/1.0', 'Host: localhost', auth, 'Transfer-Encoding: chunked')}0\r\n\r\n${HIDDEN}`,
      CLOSED,
    ),
    ...Object.entries(CHUNKS).map(([what, chunks]) =>
      hidesNothing(what, (auth) => `${post(auth, 'Transfer-Encoding: chunked')}${chunks}${HIDDEN}`),
    ),
    {
      case: 'both lengths, cut at every place',
      run: async (world) => {
        const whole = smuggled(HEADERS['both lengths']!)(world.authorization, world) as string;
        for (let at = 1; at < whole.length; at += 7) {
          const client = await world.through();
          await client.sendApart(whole.slice(0, at), whole.slice(at));
          await client.answered();
          must(world.upstream.octets.length === 0, `cut at ${at}, the target was sent something`);
          client.close();
        }
        await servesOn(world);
      },
    },
  ],
};

export const H6: HttpGroup = {
  id: 'H6',
  attacks: [
    'GET /admin\n\n',
    'GET /admin\r\n\r\n',
    'GET /api/v1/secrets\nHost: localhost\n\nbody',
    'GET /admin HTTP/0.9\r\n\r\n',
    'GET /admin HTTP/1.2\r\nHost: localhost\r\n\r\n',
    'GET /admin HTTP/9.9\r\nHost: localhost\r\n\r\n',
    'GET /admin HTTP/1\r\nHost: localhost\r\n\r\n',
    'GET /admin ICE/1.0\r\nHost: localhost\r\n\r\n',
    '\x00GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'GET  /admin\r\n\r\n',
    'GET\t/admin\tHTTP/1.1\r\nHost: localhost\r\n\r\n',
    'GET /admin  HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'GET  /admin HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'GET /admin HTTP/1.1 \r\nHost: localhost\r\n\r\n',
    ' GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'GET /admin http/1.1\r\nHost: localhost\r\n\r\n',
    'GET /admin HTTP/1.1\nHost: localhost\n\n',
    'GET /admin HTTP/1.10\r\nHost: localhost\r\n\r\n',
    'GET /admin HTTP/01.1\r\nHost: localhost\r\n\r\n',
    'GET /admin HTTP/ 1.1\r\nHost: localhost\r\n\r\n',
    'GET /admin HTTP/1,1\r\nHost: localhost\r\n\r\n',
    'GET /admin HTTP/2.0\r\nHost: localhost\r\n\r\n',
    'GET /admin HTTP/3.0\r\nHost: localhost\r\n\r\n',
    'GET /admin RTSP/1.0\r\n\r\n',
    'GET /admin HTTPS/1.1\r\nHost: localhost\r\n\r\n',
    'GET /admin HTTP/1.1\r\r\nHost: localhost\r\n\r\n',
    '\n\n\nGET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n',
  ].map((octets) =>
    refused(`no version of HTTP: ${JSON.stringify(octets)}`, () => octets, {
      status: [400, 401, 403, 505, 0],
    }),
  ),
};

export const H25: HttpGroup = {
  id: 'H25',
  attacks: [
    {
      case: 'a request right behind a denied one is judged by itself',
      run: async (world) => {
        const client = await world.through();
        const [denied, allowed] = [
          get('/api/v1/secrets', world.authorization),
          get('/api/v1/orders/7', world.authorization),
        ];
        client.send(`${denied}${allowed}${denied}`);
        const answers = await client.answered(3);
        must(answers.map(statusOf).join() === '403,200,403', `answered with ${answers.map(statusOf).join()}`);
        must(
          world.upstream.heard.map(({ target }) => target).join() === '/api/v1/orders/7',
          'the target heard more',
        );
      },
    },
    {
      case: 'the body of a denied request is no request',
      run: async (world) => {
        const client = await world.through();
        const body = get('/api/v1/orders/7', world.authorization);
        const request = head(
          'PUT /api/v1/secrets HTTP/1.1',
          'Host: localhost',
          world.authorization,
          `Content-Length: ${body.length}`,
        );
        client.send(`${request}${body}${get('/api/v1/orders/8', world.authorization)}`);
        client.end();
        const answers = await client.answered(2);
        must(statusOf(answers[0]!) === 403, `answered with ${answers[0]?.start}`);
        const heard = world.upstream.heard.map(({ target }) => target);
        must(!heard.includes('/api/v1/orders/7'), 'the body was taken for a request');
      },
    },
    {
      case: 'no 100 before the decision, and none where it is a denial',
      run: async (world) => {
        const client = await world.through();
        client.send(
          head(
            'PUT /api/v1/secrets HTTP/1.1',
            'Host: localhost',
            world.authorization,
            'Expect: 100-continue',
            'Content-Length: 5',
          ),
        );
        await client.answered();
        must(!client.received.includes('100 Continue'), 'the client was told to go on');
        must(statusOf(client.answers()[0]!) === 403, 'it was not denied');
        must(world.upstream.octets.length === 0, 'the target was sent something');
      },
    },
    {
      case: 'a 100 where it is permitted',
      run: async (world) => {
        const client = await world.through();
        client.send(
          head(
            'POST /api/v1/orders HTTP/1.1',
            'Host: localhost',
            world.authorization,
            'Expect: 100-continue',
            'Content-Length: 5',
          ),
        );
        const informed = () =>
          client.answers({ informing: true }).some(({ start }) => start.includes(' 100 '));
        await eventually('the client is told to go on', informed);
        client.send('hello');
        const [answer] = await client.answered();
        must(answer !== undefined && statusOf(answer) === 200, `answered with ${answer?.start}`);
        must(world.upstream.heard[0]?.body.toString() === 'hello', 'the target was sent another body');
      },
    },
    {
      case: 'an answer before the body is sent',
      run: async (world) => {
        const client = await world.through();
        client.send(`${post(world.authorization, 'Content-Length: 1000000')}${'a'.repeat(1000)}`);
        world.upstream.answer = () => [
          Buffer.from(head('HTTP/1.1 413 Too Large', 'Content-Length: 0', 'Connection: close')),
          'end',
        ];
        client.end();
        await client.answered();
        await servesOn(world);
      },
    },
  ],
};
