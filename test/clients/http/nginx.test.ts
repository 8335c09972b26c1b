/** nginx as the target, by HTTP/1.1 and HTTP/2: what each client gets through the tunnel is what nginx answers it. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { generate } from 'openapi-typescript-codegen';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Nginx } from '../../support/http/nginx.ts';
import { type Stack, startStack } from '../../support/stack.ts';

const run = promisify(execFile);
const LARGE = randomBytes(3_000_017);
const OPENAPI = new URL('../../support/clients/orders.openapi.yaml', import.meta.url).pathname;
const TSUP = new URL('../../../node_modules/.bin/tsup', import.meta.url).pathname;
const UNDICI = new URL('../../support/clients/undici-client.ts', import.meta.url).pathname;
const SDK = new URL('../../support/clients/sdk-client.ts', import.meta.url).pathname;

let behind: Server;
let nginx: Nginx;
let stack: Stack;

beforeAll(async () => {
  behind = createServer(async (request, response) => {
    const { method, url = '', headers } = request;
    if (url === '/api/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const id of [1, 2, 3]) response.write(`id: ${id}\ndata: {"n":${id}}\n\n`);
      return void response.end();
    }
    const body = await buffer(request);
    // The boundary of a form is another each time.
    const form = headers['content-type']?.startsWith('multipart/') === true;
    const sum = createHash('sha256').update(body).digest('hex');
    response.writeHead(url.endsWith('/missing') ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ method, url, length: body.length, ...(form ? {} : { sum }) }));
  });
  behind.listen(0, '127.0.0.1');
  await once(behind, 'listening');
  nginx = await Nginx.start({
    files: {
      'large.bin': LARGE,
      'half.bin': LARGE.subarray(0, 1_000_003),
      'text.txt': Buffer.from('text '.repeat(9_999)),
    },
    behind: `http://127.0.0.1:${(behind.address() as AddressInfo).port}`,
    // So little that connections end amid the tests: by GOAWAY, and by Connection: close.
    more: 'keepalive_requests 40; http2_max_concurrent_streams 8;',
  });
  await sdk();
  const tls = `url: 'https://127.0.0.1:${nginx.tlsPort}', caFile: '${nginx.caFile}'`;
  stack = await startStack({
    resources: () =>
      [
        ['plain', `url: 'http://127.0.0.1:${nginx.plainPort}'`],
        ['agreed', tls],
        ['older', `${tls}, version: http/1.1`],
      ]
        .map(
          ([name, target]) =>
            `  ${name}:\n    protocol: http\n    target: { ${target} }\n    credentials: {}`,
        )
        .join('\n'),
  });
});

afterAll(async () => {
  await stack?.stop();
  await nginx?.stop();
  behind?.close();
  behind?.closeAllConnections();
});

/** Generated, and bundled, since its imports are not those of Node. */
async function sdk(): Promise<void> {
  const output = join(nginx.directory, 'sdk');
  await generate({ input: OPENAPI, output, httpClient: 'fetch', useOptions: true });
  const bundle = ['index.ts', '--format', 'esm', '--no-config', '--out-dir', 'dist'];
  await run(process.execPath, [TSUP, ...bundle], { cwd: output });
}

const NODE = `'${process.execPath}'`;
const CLIENTS: readonly [string, readonly string[], () => string][] = [
  ['curl that downloads', [], () => 'curl -sS "$API_URL/large.bin" | sha256sum'],
  [
    'curl that asks for the head',
    [],
    () => 'curl -sSI -w "%{http_code} %{size_header}" -o /dev/null "$API_URL/large.bin" | cut -c1-3',
  ],
  [
    'curl that resumes',
    [],
    () =>
      `cd '${nginx.directory}' && cp files/half.bin part && curl -sS -C - -o part "$API_URL/large.bin" && sha256sum part`,
  ],
  [
    'curl that asks for parts',
    [],
    () =>
      'curl -sS -r 5-9 "$API_URL/large.bin" | od -c; curl -sS -w " %{http_code}" -o /dev/null -r 9999999- "$API_URL/large.bin"',
  ],
  [
    'curl that has it already',
    [],
    () =>
      'tag=$(curl -sS -o /dev/null -w "%header{etag}" "$API_URL/text.txt"); curl -sS -w "%{http_code}" -H "If-None-Match: $tag" "$API_URL/text.txt"; curl -sS -w "%{http_code}" -o /dev/null -H "If-Match: \\"no\\"" "$API_URL/text.txt"',
  ],
  [
    'curl that takes gzip',
    [],
    () => 'curl -sS --compressed -w "%header{content-encoding}" "$API_URL/text.txt"',
  ],
  [
    'curl that uploads',
    [],
    () =>
      `cd '${nginx.directory}' && curl -sS -T files/large.bin "$API_URL/api/up"; curl -sS -T - "$API_URL/api/up" < files/large.bin`,
  ],
  [
    'curl that waits for 100',
    [],
    () =>
      `cd '${nginx.directory}' && curl -sS -H 'Expect: 100-continue' --data-binary @files/large.bin "$API_URL/api/up"`,
  ],
  ['curl that reads events', [], () => 'curl -sSN "$API_URL/api/events"'],
  ['curl that finds nothing', [], () => 'curl -sS -w "%{http_code} %{content_type}" "$API_URL/nothing"'],
  ['undici', ['--bearer'], () => `${NODE} '${UNDICI}'`],
  [
    'an SDK that was generated from OpenAPI',
    ['--bearer'],
    () => `SDK='${nginx.directory}/sdk/dist/index.mjs' ${NODE} '${SDK}'`,
  ],
];

describe.each([
  ['plain', 'HTTP/1.1'],
  ['agreed', 'HTTP/2.0'],
  ['older', 'HTTP/1.1'],
])('%s, by %s', (resource, protocol) => {
  it.each(CLIENTS)('%s', async (_name, flags, script) => {
    const direct = await run('sh', ['-c', script()], {
      env: { ...process.env, API_URL: `http://127.0.0.1:${nginx.plainPort}` },
    });
    const before = nginx.log.length;
    const named = resource.toUpperCase();
    const names = `export API_URL="$${named}_URL"; [ -z "$${named}_TOKEN" ] || export API_TOKEN="$${named}_TOKEN"`;
    const args = ['connect', ...flags, resource, '--', 'sh', '-c', `${names}; ${script()}`];
    const { stdout, stderr, exitCode } = await stack.hoopctl(args);
    expect({ stdout, exitCode }, stderr).toEqual({ stdout: direct.stdout, exitCode: 0 });
    expect(direct.stdout.length).toBeGreaterThan(2);
    // What was asked directly may be logged a moment after its answer.
    const port = resource === 'plain' ? nginx.plainPort : nginx.tlsPort;
    const lines = nginx.log.slice(before).filter((line) => line.endsWith(` ${port}`));
    const heard = lines.map((line) => line.split(' ')[0]);
    expect(new Set(heard)).toEqual(new Set([protocol]));
  });
});
