/** H1, H2, H3, H26: what is asked for. */

import { head } from '../../../support/http/messages.ts';
import { statusOf } from '../../../support/http/raw-http.ts';
import { must } from '../../attack.ts';
import { answers, denied, get, malformed, refused } from '../attack.ts';
import type { HttpGroup } from '../world.ts';

const U = '/api/v1/users';

/** Each is read as `/api/v1/secrets` by somebody. */
const HIDDEN: Readonly<Record<string, readonly string[]>> = {
  'dot segments': [
    `${U}/../secrets`,
    `${U}/./../secrets`,
    `${U}/1/../../secrets`,
    `/api/v1/./secrets`,
    `${U}/..//secrets`,
    `/../api/v1/secrets`,
    `${U}/x/../../secrets/.`,
    `${U}/1/../../secrets?x=${U}/1`,
    `/./admin`,
  ],
  'dot segments, encoded': [
    `${U}/%2e%2e/secrets`,
    `${U}/%2E%2E/secrets`,
    `${U}/.%2e/secrets`,
    `${U}/%2e./secrets`,
    `${U}/%2e%2E/secrets`,
    `/%2e/admin`,
    `${U}/1/%2e%2e/%2e%2e/secrets`,
  ],
  'slashes, encoded': [
    `${U}/..%2fsecrets`,
    `${U}/..%2Fsecrets`,
    `${U}%2f..%2fsecrets`,
    `${U}/1%2f..%2f..%2fsecrets`,
    `/api/v1%2fsecrets`,
    `%2fadmin`,
    `/%2fadmin`,
    `/api%2Fv1%2Fsecrets`,
    `${U}/%2e%2e%2fsecrets`,
  ],
  backslashes: [
    `${U}/..\\secrets`,
    `${U}/..%5csecrets`,
    `${U}\\..\\secrets`,
    `/api/v1\\secrets`,
    `/api/v1%5Csecrets`,
    `${U}/..%5c/secrets`,
    `\\admin`,
    `/\\admin`,
  ],
  'encoded twice': [
    `${U}/%252e%252e/secrets`,
    `${U}/..%252fsecrets`,
    `${U}/%25%32%65%25%32%65/secrets`,
    `${U}/%2525252e%2525252e/secrets`,
    `/api/v1%252fsecrets`,
    `${U}/..%255csecrets`,
    `${U}/%2%65%2e/secrets`,
    `${U}/%%32e%%32e/secrets`,
  ],
  'parameters of a segment': [
    `${U}/..;/secrets`,
    `${U}/..;a=b/secrets`,
    `/api/v1/secrets;x=y`,
    `${U}/%2e%2e;/secrets`,
    `/api/v1/secrets%3bx`,
    `/api;x/v1/secrets`,
    `/admin;/users/1`,
    `${U}/;/../secrets`,
    `${U}/..%3b/secrets`,
    `${U}/..%00;/secrets`,
  ],
  'NUL and controls': [
    `${U}/x%00/../../secrets`,
    `/api/v1/secrets%00/users/1`,
    `/api/v1/secrets%0a`,
    `${U}/.%09./secrets`,
    `/api/v1/secrets%0d%0a`,
    `/api/v1/sec%00rets`,
    `/api/v1/secrets%09`,
    `${U}/.%0a./secrets`,
    `${U}/%7f../secrets`,
    `${U}/..%20/secrets`,
    `${U}/%20../secrets`,
    `${U}/.%20./secrets`,
    `${U}/..%20%20/secrets`,
    `${U}/..%c2%a0/secrets`,
  ],
  'empty segments': [
    `/api//v1/secrets`,
    `//api/v1/secrets`,
    `/api/v1//secrets`,
    `${U}//../secrets`,
    `///admin`,
    `//admin`,
    `/api/v1/secrets//`,
    `${U}/..//..//v1/secrets`,
  ],
  'overlong and other Unicode': [
    ...[`${U}/%c0%ae%c0%ae/secrets`, `${U}/..%c0%afsecrets`, `${U}/%ef%bc%8e%ef%bc%8e/secrets`],
    ...[`${U}/..%ef%bc%8fsecrets`, `${U}/%u002e%u002e/secrets`, `${U}/\xc0\xae\xc0\xae/secrets`],
    ...[`${U}/%e0%80%ae%e0%80%ae/secrets`],
    ...[`${U}/%ef%bc%8e./secrets`, `${U}/..%ef%bc%bcsecrets`],
    ...[`${U}/%e2%80%a4%e2%80%a4/secrets`, `${U}/%e2%80%a5/secrets`],
  ],
};

export const H1: HttpGroup = {
  id: 'H1',
  attacks: [
    ...Object.entries(HIDDEN).flatMap(([what, targets]) =>
      targets.map((target) => refused(`${what}: ${target}`, (auth) => get(target, auth))),
    ),
    ...[
      '/api/v1/secrets',
      '/api/v1/secrets/',
      '/api/v1/users',
      '/admin',
      '/API/v1/users/1',
      '/',
      '/api/v1/users/',
      '/api/v1/secrets%20',
      '/api/v1/%20secrets',
      '/api/v1/secrets%c2%a0',
      '/api/v1/secrets.',
      '/api/v1/secrets%2e',
      '/api/v1/secrets%23',
      '/api/v1/secrets%3fx',
      '/api/v1/SECRETS',
      '/api/v1/%ef%bd%93ecrets',
      '/api/v1/%c5%bfecrets',
      '/api/v1/s%c4%b1crets',
      '/%ef%bd%81dmin',
      '/api/v1/usersx/1',
      '/xapi/v1/users/1',
    ].map((target) => denied(`nobody is permitted ${target}`, (auth) => get(target, auth), 'default-deny')),
    answers(
      'what is decided on is what goes',
      (auth) => get('/api/v1/users/%4a%c3%bc?x=%41%2f', auth),
      (answer, world) => {
        must(answer !== undefined && statusOf(answer) === 200, `answered with ${answer?.start}`);
        const heard = world.upstream.heard.map(({ target }) => target);
        must(heard.join() === '/api/v1/users/J%C3%BC?x=A%2F', `the target heard ${heard.join()}`);
      },
    ),
  ],
};

export const H2: HttpGroup = {
  id: 'H2',
  attacks: [
    '//api//v1/secrets',
    '//ELSEWHERE/api/v1/users/1',
    '/\\ELSEWHERE/api/v1/users/1',
    '///ELSEWHERE/',
    '//u:p@ELSEWHERE/',
    '//ELSEWHERE',
    '//ELSEWHERE/..;/',
    '/%2fELSEWHERE/',
    '/%5cELSEWHERE/',
    '\\\\ELSEWHERE\\',
    '//ELSEWHERE?/api/v1/users/1',
    '//ELSEWHERE#/api/v1/users/1',
    '/.//ELSEWHERE/',
    '//ELSEWHERE@localhost/api/v1/users/1',
    '//localhost@ELSEWHERE/api/v1/users/1',
    '/api/v1/users/1@ELSEWHERE:80//',
  ].map((target) =>
    malformed(`a path is no host: ${target}`, (auth, { elsewhere }) =>
      get(target.replace('ELSEWHERE', `127.0.0.1:${elsewhere.port}`), auth),
    ),
  ),
};

const FORMS: Readonly<Record<string, readonly string[]>> = {
  'absolute-form': [
    'GET http://ELSEWHERE/latest/meta-data HTTP/1.1',
    'GET https://ELSEWHERE/ HTTP/1.1',
    'POST HTTP://ELSEWHERE HTTP/1.1',
    'GET http:/ELSEWHERE/ HTTP/1.1',
    'GET http:ELSEWHERE HTTP/1.1',
    'GET http:\\\\ELSEWHERE\\ HTTP/1.1',
    'GET ftp://ELSEWHERE/ HTTP/1.1',
    'GET file:///etc/passwd HTTP/1.1',
    'GET gopher://ELSEWHERE/_x HTTP/1.1',
    'GET ws://ELSEWHERE/ HTTP/1.1',
    'GET http://localhost@ELSEWHERE/ HTTP/1.1',
    'GET http://ELSEWHERE#@localhost/ HTTP/1.1',
    'GET http://localhost/api/v1/users/1 HTTP/1.1',
    'GET javascript:x HTTP/1.1',
  ],
  'authority-form': [
    'CONNECT ELSEWHERE HTTP/1.1',
    'GET ELSEWHERE HTTP/1.1',
    'CONNECT /api/v1/users/1 HTTP/1.1',
    'CONNECT localhost:443 HTTP/1.1',
    'POST ELSEWHERE HTTP/1.1',
    'GET api/v1/users/1 HTTP/1.1',
    'GET ?x HTTP/1.1',
    'GET @ELSEWHERE/ HTTP/1.1',
    'GET :80/api/v1/users/1 HTTP/1.1',
  ],
  'asterisk-form': ['OPTIONS * HTTP/1.1', 'GET * HTTP/1.1', 'OPTIONS ** HTTP/1.1', 'OPTIONS *?x HTTP/1.1'],
};

export const H3: HttpGroup = {
  id: 'H3',
  attacks: Object.entries(FORMS).flatMap(([what, lines]) =>
    lines.map((line) =>
      malformed(
        `${what}: ${line}`,
        (auth, { elsewhere }) =>
          head(line.replace('ELSEWHERE', `127.0.0.1:${elsewhere.port}`), 'Host: localhost', auth),
        { status: [400, 405] },
      ),
    ),
  ),
};

const ORDERS = '/api/v1/orders/1';

export const H26: HttpGroup = {
  id: 'H26',
  attacks: [
    ...[
      'role=admin',
      'role=user&role=admin',
      'role=admin&role=user',
      'role=%61dmin',
      'r%6fle=admin',
      'x=1&&role=admin',
      '&role=admin',
      'role=admin&',
      'role=adm%69n',
      'role=%61%64%6d%69%6e',
      'role=user&x=1&role=admin&y=2',
      '?&role=admin',
    ].map((query) =>
      denied(`every value is looked at: ${query}`, (auth) => get(`${ORDERS}?${query}`, auth), 'no-admins'),
    ),
    ...[
      ...[
        'role=user;role=admin',
        'role=%00admin',
        'role=%c0%ae',
        'role=%',
        'role=%4',
        'role=%zz',
        'role=%u0061dmin',
      ],
      ...[
        'role%00=admin',
        'role=admin%00',
        'role=admin;',
        ';role=admin',
        'role=\xe1dmin',
        'role=%ed%a0%80',
        'role=admin#x',
      ],
    ].map((query) =>
      malformed(`a query that servers read in two ways: ${query}`, (auth) => get(`${ORDERS}?${query}`, auth)),
    ),
    answers(
      'an encoded ampersand is part of a value',
      (auth) => get(`${ORDERS}?x=%26role%3Dadmin`, auth),
      (answer, world) => {
        must(answer !== undefined && statusOf(answer) === 200, `answered with ${answer?.start}`);
        const heard = world.upstream.heard.map(({ target }) => target).join();
        must(heard === `${ORDERS}?x=%26role%3Dadmin`, `the target heard ${heard}`);
      },
    ),
    ...[
      ...[
        `${ORDERS};admin=1`,
        `/api/v1/orders;x/1`,
        `${ORDERS}%3badmin=1`,
        `${ORDERS}%3Badmin`,
        `/api;v=2/v1/orders/1`,
      ],
      ...[`${ORDERS};`, `/;x${ORDERS}`, `${ORDERS}%253badmin=1`],
    ].map((target) => malformed(`parameters of a segment: ${target}`, (auth) => get(target, auth))),
  ],
};
