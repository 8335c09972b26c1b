/** undici as it is: pools, streams, pipelining. Prints what it was answered. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Pool } from 'undici';

const { API_URL = '', API_TOKEN } = process.env;
const base = new URL(API_URL);
const { origin } = base;
const prefix = base.pathname.replace(/\/$/, '');
const headers = API_TOKEN === undefined ? {} : { authorization: `Bearer ${API_TOKEN}` };
const pool = new Pool(origin, { connections: 8, pipelining: 4 });

async function said(
  method: 'GET' | 'HEAD' | 'POST' | 'PUT',
  path: string,
  body?: Readable | string,
  more = {},
) {
  const all = { ...headers, ...more };
  const answer = await pool.request({ method, path: prefix + path, headers: all, body: body ?? null });
  const octets = Buffer.from(await answer.body.arrayBuffer());
  const text = octets.length < 1000 ? octets.toString() : createHash('sha256').update(octets).digest('hex');
  return `${answer.statusCode} ${answer.headers['content-type']} ${text}`;
}

const lines = [
  await said('GET', '/api/a?b=c'),
  await said('HEAD', '/large.bin'),
  await said('GET', '/large.bin'),
  await said('GET', '/large.bin', undefined, { range: 'bytes=10-19' }),
  await said('POST', '/api/text', 'é'),
  await said('PUT', '/api/stream', Readable.from(Array.from({ length: 99 }, () => Buffer.alloc(9_999, 'x')))),
  await said('GET', '/missing'),
];
const many = await Promise.all(
  Array.from({ length: 300 }, (_, nth) => said('POST', `/api/many/${nth}`, 'x'.repeat(nth * 100))),
);
process.stdout.write(`${[...lines, ...many].join('\n')}\n`);
await pool.close();
