/** H4, H8 … H12: what is said beside the path. */

import { head } from '../../../support/http/messages.ts';
import { statusOf } from '../../../support/http/raw-http.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import { answers, denied, get, harmless, malformed, refused } from '../attack.ts';
import type { HttpGroup, HttpWorld } from '../world.ts';

const ORDER = '/api/v1/orders/1';

/** The one request that the target heard has its own host, the gateway's credential, and none of these words. */
function cleaned(...words: readonly string[]): (world: HttpWorld) => void {
  return (world) => {
    const { heard, octets } = world.upstream;
    must(heard.length === 1, `the target heard ${heard.length} requests`);
    const values = (name: string) =>
      heard[0]!.headers.filter((one) => one[0].toLowerCase() === name).map((one) => one[1]);
    must(values('host').join('|') === world.host, `the host is ${values('host').join('|')}`);
    must(
      values('authorization').join('|') === `Bearer ${world.secret}`,
      'the credential is not the gateway’s own alone',
    );
    const found = words.find((word) => octets.includes(word));
    must(found === undefined, `the target was sent ${found}`);
  };
}

export const H4: HttpGroup = {
  id: 'H4',
  attacks: [
    refused('two hosts', (auth) => get(ORDER, auth, 'Host: evil.example'), { status: [400, 403] }),
    malformed('two hosts that are the same', (auth) => get(ORDER, auth, 'host: localhost')),
    refused('another host', (auth) => head(`GET ${ORDER} HTTP/1.1`, 'Host: evil.example', auth), {
      status: [403],
    }),
    ...[
      'X-Original-URL: /admin',
      'X-Rewrite-URL: /api/v1/secrets',
      'X-Forwarded-Host: evil.example',
      'Forwarded: host=evil.example',
      'X-Host: evil.example',
      'X_Forwarded-Host: evil.example',
      'X-Forwarded-Server: evil.example',
      'X-Forwarded-Uri: /admin',
      'X-HTTP-Host-Override: evil.example',
      'X-Original-Uri: /admin',
      'X-Override-URL: /admin',
      'X-Real-Host: evil.example',
      'X-Original-Host: evil.example',
      'X-Envoy-Original-Path: /admin',
      'X-Waws-Unencoded-Url: /admin',
    ].map((line) =>
      harmless(line, (auth) => get(ORDER, auth, line), cleaned('evil.example', '/admin', 'secrets')),
    ),
    malformed('Connection takes a header away', (auth) =>
      get(ORDER, auth, 'Connection: close, Authorization'),
    ),
    malformed('Connection takes away what the body is', (auth) =>
      get(ORDER, auth, 'Connection: Content-Type'),
    ),
    harmless(
      'Connection names its own',
      (auth) => get(ORDER, auth, 'Connection: X-Hop', 'X-Hop: 1', 'X-Original-URL: /admin'),
      cleaned('X-Hop', 'x-hop'),
    ),
  ],
};

const OWN = 'planted-7f3a91';
const KEPT = 'kept-91c0de';

export const H8: HttpGroup = {
  id: 'H8',
  attacks: [
    ...[
      'Cookie: session',
      'X-Api-Key: k',
      'Proxy-Authorization: Bearer t',
      'Api-Key: k',
      'X-Auth-Token: t',
      'X_Api_Key: k',
      'DPoP: p',
      'cookie2: k',
      'Authentication: Bearer t',
      'X-Authorization: Bearer t',
      'X-Serverless-Authorization: Bearer t',
      'X-Amz-Security-Token: t',
      'X-Goog-Api-Key: k',
      'X-Goog-IAM-Authorization-Token: t',
      'X-Vault-Token: t',
      'X-Consul-Token: t',
      'X-Nomad-Token: t',
      'X-Access-Token: t',
      'Access-Token: t',
      'X-Token: t',
      'X-Api-Token: t',
      'X-Auth-Key: k',
      'X-Session-Token: t',
      'X-Session-Id: s',
      'X-JWT-Assertion: t',
      'Private-Token: t',
      'Job-Token: t',
      'Deploy-Token: t',
      'DD-API-KEY: k',
      'DD-APPLICATION-KEY: k',
      'X-Functions-Key: k',
      'X-Shopify-Access-Token: t',
      'X-RapidAPI-Key: k',
      'X-ApiKey: k',
      'X-Secret-Key: k',
    ].map((line) =>
      harmless(
        `a client's own ${line.split(':')[0]}`,
        (auth) => get(ORDER, auth, `${line}=${OWN}`, 'X-Original-URL: /admin'),
        cleaned(OWN),
      ),
    ),
    malformed('two credentials', (auth) => get(ORDER, auth, `authorization: Bearer ${OWN}`), {
      status: [400, 401],
    }),
    {
      case: 'no credential is kept as it was shown',
      run: async (world) => {
        const lines = ['Cookie', 'X-Api-Key', 'Proxy-Authorization'].map((name) => `${name}: ${KEPT}-secret`);
        const client = await world.through();
        client.send(get(ORDER, world.authorization, ...lines, `X-Seen: ${KEPT}-plain`));
        const [answer] = await client.answered();
        must(answer !== undefined && statusOf(answer) === 200, `answered with ${answer?.start}`);
        const kept = () => world.kept();
        await eventually('the request is recorded', async () => (await kept()).includes(`${KEPT}-plain`));
        const secrets = [`${KEPT}-secret`, world.authorization.split(' ').at(-1)!];
        for (const secret of secrets) must(!(await kept()).includes(secret), 'a credential was kept');
      },
    },
    answers(
      'a credential of its own in the place of the tunnel’s',
      () => get(ORDER, `Authorization: Bearer ${OWN}`),
      (answer, world) => {
        must(answer !== undefined && statusOf(answer) === 401, `answered with ${answer?.start}`);
        must(world.upstream.octets.length === 0, 'the target was sent something');
      },
    ),
  ],
};

export const H9: HttpGroup = {
  id: 'H9',
  attacks: [
    'X_Forwarded_User: root',
    'Impersonate_User: root',
    'Impersonate-User: root',
    'X.Remote.User: root',
    'X-Remote_User: root',
    'Remote-User: root',
    'REMOTE_USER: root',
    'X_Remote_User: root',
    'X-Forwarded-User: root',
    'X-Forwarded_User: root',
    'X-Forwarded-Preferred-Username: root',
    'X-Forwarded-Email: root',
    'X-User: root',
    'X-User-Id: root',
    'X-Username: root',
    'X-Auth-Request-User: root',
    'X-Authenticated-User: root',
    'X-WebAuth-User: root',
    'X-Goog-Authenticated-User-Email: root',
    'X-Consumer-Username: root',
    'X-Credential-Username: root',
    'X-SSL-Client-S-DN: CN=root',
    'SSL_CLIENT_S_DN: CN=root',
    'X-Client-Cert: root',
    'X-ARR-ClientCert: root',
    'X-Pomerium-Jwt-Assertion: root',
    'Cf-Access-Jwt-Assertion: root',
    'Tailscale-User-Login: root',
    'Impersonate-Extra-Scopes: root',
    'Impersonate_Group: root',
    'Impersonate.User: root',
  ].map((line) => harmless(line, (auth) => get(ORDER, auth, line), cleaned('root'))),
};

const NOT_HTTP = { status: [400, 413, 431, 0] };

export const H10: HttpGroup = {
  id: 'H10',
  attacks: [
    ...[
      ...['a\rb', 'a\0b', 'a\x01b', 'a\x7fb', 'a\nb', '\0', 'a\x0bb', 'a\x1fb', 'a\r', 'a\r\r'],
      ...['a\r\0\nX-B: c', 'a\n\rX-B: c'],
    ].map((value) =>
      malformed(
        `a value with ${JSON.stringify(value)}`,
        (auth) => get(ORDER, auth, `X-A: ${value}`),
        NOT_HTTP,
      ),
    ),
    ...[
      ...['X A: 1', 'X-A : 1', ': 1', 'X-A', 'X(A): 1', 'X-\xe9: 1', ' X-A: 1', '\tX-A: 1', 'X-A\t: 1'],
      ...[
        'X-A\0: 1',
        'X,A: 1',
        '"X": 1',
        'X/A: 1',
        'X@A: 1',
        '\x7f: 1',
        'X[]: 1',
        'X\rA: 1',
        ':method: DELETE',
      ],
    ].map((line) =>
      malformed(
        `a line that is no header: ${JSON.stringify(line)}`,
        (auth) => get(ORDER, auth, line),
        NOT_HTTP,
      ),
    ),
    malformed('a value of 9 KiB', (auth) => get(ORDER, auth, `X-A: ${'a'.repeat(9216)}`), NOT_HTTP),
    malformed('a name of 9 KiB', (auth) => get(ORDER, auth, `${'X'.repeat(9216)}: a`), NOT_HTTP),
    malformed(
      '129 headers',
      (auth) => get(ORDER, auth, ...Array.from({ length: 127 }, (_, at) => `X-${at}: 1`)),
      NOT_HTTP,
    ),
    malformed(
      '2,000 headers of one name',
      (auth) => get(ORDER, auth, ...Array(2000).fill('X-A: 1')),
      NOT_HTTP,
    ),
    malformed(
      '65 KiB of headers',
      (auth) => get(ORDER, auth, ...Array.from({ length: 9 }, (_, at) => `X-${at}: ${'a'.repeat(8000)}`)),
      NOT_HTTP,
    ),
    malformed('a path of 20 KiB', (auth) => get(`${ORDER}?${'a'.repeat(20_000)}`, auth), {
      status: [400, 414, 431, 0],
    }),
    malformed(
      '2,000 headers',
      (auth) => get(ORDER, auth, ...Array.from({ length: 2000 }, (_, at) => `X-${at}: 1`)),
      NOT_HTTP,
    ),
    malformed(
      'a head of 1 MiB',
      (auth) => get(ORDER, auth, ...Array.from({ length: 1000 }, (_, at) => `X-${at}: ${'a'.repeat(1024)}`)),
      NOT_HTTP,
    ),
    malformed('octets outside of ASCII where they are read', (auth) =>
      get(ORDER, auth, 'Content-Type: text/\xa0plain'),
    ),
  ],
};

export const H11: HttpGroup = {
  id: 'H11',
  attacks: [
    ...[
      'X-HTTP-Method-Override: DELETE',
      'X-HTTP-Method: DELETE',
      'X-Method-Override: PUT',
      'X_HTTP_Method_Override: DELETE',
      'x-http-method-OVERRIDE: delete',
      'X-HTTP-Method_Override: DELETE',
      'X-Http-Methodoverride: DELETE',
      'HTTP-Method-Override: DELETE',
      'Method-Override: DELETE',
      'X-Method: DELETE',
      'X-Original-Method: DELETE',
      'X-Forwarded-Method: DELETE',
    ].map((line) => harmless(line, (auth) => get(ORDER, auth, line), cleaned('DELETE', 'delete', 'PUT'))),
    denied(
      '?_method=DELETE is a parameter, which a rule may look at',
      (auth) => get(`${ORDER}?_method=DELETE`, auth),
      'no-admins',
    ),
  ],
};

const HIDDEN = 'GET /api/v1/secrets HTTP/1.1\r\nHost: localhost\r\n\r\n';

export const H12: HttpGroup = {
  id: 'H12',
  attacks: [
    ...[
      'TRACE',
      'PROPFIND',
      'get',
      'Get',
      'CONNECT',
      'DEBUG',
      'TRACK',
      'M-SEARCH',
      'PURGE',
      'LINK',
      'COPY',
      'MOVE',
      'LOCK',
      'MKCOL',
      'REPORT',
      'QUERY',
      'SEARCH',
      'BREW',
      'DELETE\0',
      'GETS',
      'GET1',
      'delete',
      'XGET',
      'PRI',
      'SSTP_DUPLEX_POST',
      'A'.repeat(65),
      "GET'",
    ].map((method) =>
      refused(
        `the method ${method}`,
        (auth) => head(`${method} ${ORDER} HTTP/1.1`, 'Host: localhost', auth),
        { status: [400, 405] },
      ),
    ),
    ...['GET', 'HEAD', 'OPTIONS'].map((method) =>
      refused(
        `${method} with a body`,
        (auth) =>
          `${head(`${method} ${ORDER} HTTP/1.1`, 'Host: localhost', auth, `Content-Length: ${HIDDEN.length}`)}${HIDDEN}`,
      ),
    ),
    denied(
      'DELETE with a body that is a request, which is asked for as it is',
      (auth) =>
        `${head(`DELETE ${ORDER} HTTP/1.1`, 'Host: localhost', auth, `Content-Length: ${HIDDEN.length}`)}${HIDDEN}`,
      'default-deny',
    ),
    refused(
      'GET with a body in chunks that is a request',
      (auth) =>
        `${head(`GET ${ORDER} HTTP/1.1`, 'Host: localhost', auth, 'Transfer-Encoding: chunked')}${HIDDEN}`,
    ),
    denied(
      'a method that policy permits nobody',
      (auth) => head(`DELETE ${ORDER} HTTP/1.1`, 'Host: localhost', auth),
      'default-deny',
    ),
  ],
};
