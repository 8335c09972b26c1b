/** H18, H19, H21, H28: to other places and other protocols. */
import { connect as connectHttp2 } from 'node:http2';
import { answer, head } from '../../../support/http/messages.ts';
import { headerOf, statusOf } from '../../../support/http/raw-http.ts';
import { must } from '../../attack.ts';
import { answers, get, malformed, servesOn } from '../attack.ts';
import type { HttpAttack, HttpGroup } from '../world.ts';

const ORDER = '/api/v1/orders/1';
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const WEBSOCKET = ['Connection: Upgrade', 'Upgrade: websocket', KEY, 'Sec-WebSocket-Version: 13'];

/** The target would take up whatever it is asked for. */
function noTunnel(
  what: string,
  lines: readonly string[],
  status: readonly number[],
  method = 'GET',
): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      world.upstream.answer = () => [
        Buffer.from(head('HTTP/1.1 101 Switching Protocols', 'Connection: upgrade', 'Upgrade: x')),
      ];
      const client = await world.through();
      client.send(`${head(`${method} ${ORDER} HTTP/1.1`, 'Host: localhost', world.authorization, ...lines)}`);
      const [got] = await client.answered();
      client.send(get('/api/v1/secrets', world.authorization));
      const code = got === undefined ? 0 : statusOf(got);
      must(status.includes(code), `answered with ${code}`);
      must(!world.upstream.octets.includes('secrets'), 'what followed went on unseen');
      must(!/^upgrade:/im.test(world.upstream.octets.toString('latin1')), 'the upgrade went on');
      await servesOn(world);
    },
  };
}

export const H18: HttpGroup = {
  id: 'H18',
  attacks: [
    noTunnel('a WebSocket that no rule permits', WEBSOCKET, [403, 501]),
    noTunnel(
      'a WebSocket with an extension',
      [...WEBSOCKET, 'Sec-WebSocket-Extensions: permessage-deflate'],
      [403, 501],
    ),
  ],
};

export const H19: HttpGroup = {
  id: 'H19',
  attacks: [
    noTunnel('SPDY/3.1', ['Connection: Upgrade', 'Upgrade: SPDY/3.1'], [501]),
    noTunnel(
      'SPDY/3.1 by POST',
      ['Connection: Upgrade', 'Upgrade: SPDY/3.1', 'Content-Length: 0'],
      [501],
      'POST',
    ),
    noTunnel('several at once', ['Connection: Upgrade', 'Upgrade: foo, websocket', KEY], [501]),
    noTunnel('a WebSocket by POST', WEBSOCKET, [501], 'POST'),
    {
      case: 'HTTP/2 is not taken up, and the request is answered as it is',
      run: async (world) => {
        const client = await world.through();
        client.send(
          get(
            ORDER,
            world.authorization,
            'Connection: Upgrade, HTTP2-Settings',
            'Upgrade: h2c',
            'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
          ),
        );
        const [got] = await client.answered();
        must(got !== undefined && statusOf(got) === 200, `answered with ${got?.start}`);
        must(
          !/upgrade|http2-settings/i.test(world.upstream.octets.toString('latin1')),
          'the upgrade went on',
        );
      },
    },
    {
      case: 'HTTP/2 by prior knowledge is judged request by request',
      run: async (world) => {
        const { port, authorization } = world;
        const session = connectHttp2(`http://localhost:${port}`);
        const auth = authorization.slice('Authorization: '.length);
        const ask = (path: string, more: Record<string, string> = {}) =>
          new Promise<number>((resolve, reject) => {
            const stream = session.request({ ':path': path, authorization: auth, ...more });
            stream.on('response', (headers) => resolve(Number(headers[':status']))).on('error', reject);
            stream.resume().end();
          });
        try {
          const statuses = await Promise.all([
            ask(ORDER),
            ask('/api/v1/secrets'),
            ask('/api/v1/users/../secrets'),
            ask(ORDER, { host: 'evil.example' }),
          ]);
          must(
            statuses.join() === '200,403,400,400' || statuses.join() === '200,403,400,403',
            `answered with ${statuses}`,
          );
          must(world.upstream.heard.map(({ target }) => target).join() === ORDER, 'the target heard more');
        } finally {
          session.destroy();
        }
      },
    },
    malformed('a preface of HTTP/2 that is none', () => 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', {
      status: [400, 405, 505, 0],
    }),
  ],
};

/** Each is a way to send a client to ELSEWHERE. */
const REDIRECTS = [
  ...[
    'http://ELSEWHERE/',
    '//ELSEWHERE/',
    '/\\ELSEWHERE/',
    'HTTP:\\\\ELSEWHERE/',
    'https://HOST@ELSEWHERE/',
  ].flatMap((to) =>
    ['301', '302', '303', '307', '308']
      .slice(0, to.startsWith('http:') ? 5 : 1)
      .map((code) => [`${code} Found`, `Location: ${to}`] as const),
  ),
  ['200 OK', 'Refresh: 0; url=http://ELSEWHERE/'] as const,
  ['200 OK', 'Link: <http://ELSEWHERE/>; rel=preconnect'] as const,
  ['201 Created', 'Content-Location: //ELSEWHERE/'] as const,
  ['200 OK', 'Alt-Svc: h2="ELSEWHERE"; ma=86400'] as const,
  ['302 Found', 'Location: http://HOST//ELSEWHERE/'] as const,
];

export const H21: HttpGroup = {
  id: 'H21',
  attacks: [
    ...REDIRECTS.map(
      ([status, line]): HttpAttack => ({
        case: `${status}, ${line}`,
        run: async (world) => {
          const place = `127.0.0.1:${world.elsewhere.port}`;
          const sent = line.replace('ELSEWHERE', place).replace('HOST', world.host);
          world.upstream.answer = () => [answer(status, [sent, 'Content-Type: application/json'], '{}')];
          const client = await world.through();
          client.send(get(ORDER, world.authorization));
          const [got] = await client.answered();
          must(
            got !== undefined && String(statusOf(got)) === status.slice(0, 3),
            `answered with ${got?.start}`,
          );
          must(
            !client.received.includes(place),
            `the client is sent elsewhere: ${client.received.toString('latin1')}`,
          );
          must(world.elsewhere.connections === 0, 'the gateway went elsewhere');
        },
      }),
    ),
    {
      case: 'to the target itself, by the tunnel',
      run: async (world) => {
        world.upstream.answer = () => [
          answer('302 Found', [`Location: http://${world.host}/api/v1/orders/2?x=1`]),
        ];
        const client = await world.through();
        client.send(get(ORDER, world.authorization));
        const [got] = await client.answered();
        must(
          got !== undefined && headerOf(got, 'location') === '/api/v1/orders/2?x=1',
          `sent to ${got && headerOf(got, 'location')}`,
        );
        must(world.upstream.heard.length === 1, 'the gateway followed it');
      },
    },
  ],
};

export const H28: HttpGroup = {
  id: 'H28',
  attacks: [
    ...[
      'evil.test:8081',
      'localhost.evil.test',
      '127.0.0.1.nip.io',
      '127.0.0.1@evil.test',
      '0.0.0.0',
      '[::ffff:127.0.0.1]',
      '',
      ...[
        'localhost.',
        'localhost.localdomain',
        'xlocalhost',
        'localhost@evil.test',
        'localhost:80:80',
        'localhost:x',
      ],
      ...[
        'localhost, evil.test',
        'localhost evil.test',
        'localhost/evil.test',
        'localhost#',
        'localhost\\.evil.test',
      ],
      ...['127.1', '2130706433', '0x7f000001', '017700000001', '127.0.0.1.', '[::]', '[::1].evil.test'],
      ...[
        '169.254.169.254',
        '10.0.0.1',
        '0',
        '*',
        'http://localhost',
        'l\xf6calhost',
        'LOCALHOST.evil.test',
        '\tevil.test',
      ],
    ].map((host) =>
      malformed(
        `a page under the name ${host}`,
        (auth) => head(`GET ${ORDER} HTTP/1.1`, `Host: ${host}`, auth),
        { status: [400, 403] },
      ),
    ),
    ...[
      'http://evil.test',
      'https://localhost.evil.test',
      'null',
      'http://127.0.0.1.nip.io:80',
      'chrome-extension://x',
      'http://localhost.',
      'http://localhost@evil.test',
      'http://evil.test#localhost',
      'http://evil.test/localhost',
      'http://localhost, http://evil.test',
      'http://localhost http://evil.test',
      'http://127.0.0.1.evil.test',
      'http://[::1].evil.test',
      'http://169.254.169.254',
      'http://10.0.0.1',
      'file://',
      'about:blank',
      'data:',
      'NULL',
      'localhost',
      '//localhost',
      '',
    ].map((origin) =>
      malformed(`a page of ${origin}`, (auth) => get(ORDER, auth, `Origin: ${origin}`), { status: [403] }),
    ),
    ...[
      '',
      'Authorization: Basic eDp5',
      'Authorization: Basic !',
      'Authorization: Bearer',
      'Authorization: Negotiate x',
      'Authorization: Basic',
      'Authorization: Basic aG9vcDo=',
      'Authorization: Basic aG9vcA==',
      'Authorization: Bearer null',
      'Authorization: Bearer undefined',
      'Authorization: Digest username="hoop"',
      'Authorization:',
      'Proxy-Authorization: Bearer x',
      'Cookie: token=x',
      'X-Api-Key: x',
    ].map((line) =>
      answers(
        `who does not know the tunnel's secret: ${line}`,
        () => head(`GET ${ORDER} HTTP/1.1`, 'Host: localhost', ...(line === '' ? [] : [line])),
        (got, world) => {
          must(got !== undefined && statusOf(got) === 401, `answered with ${got?.start}`);
          must(world.upstream.connections === 0, 'the target heard of it');
        },
      ),
    ),
  ],
};
