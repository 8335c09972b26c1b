/** Clients of HTTP as they are: what each gets through the tunnel is what it gets from the target itself. */
import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Stack, startStack } from '../../support/stack.ts';

const run = promisify(execFile);
const LARGE = randomBytes(3_000_017);

let directory: string;
let upstream: Server;
let origin: string;
let stack: Stack;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'http-clients-'));
  writeFileSync(join(directory, 'large'), LARGE);
  writeFileSync(join(directory, 'half'), LARGE.subarray(0, 1_000_003));
  await repository();
  writeFileSync(join(directory, 'client.go'), GO);
  const build = ['build', '-o', join(directory, 'go-client'), join(directory, 'client.go')];
  await run('go', build, { env: { ...process.env, GOTOOLCHAIN: 'local' } });
  upstream = createServer((request, response) => void serve(request, response));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  stack = await startStack({
    resources: () => `  api:
    protocol: http
    target: { url: '${origin}' }
    credentials: {}`,
  });
});

afterAll(async () => {
  await stack?.stop();
  upstream?.close();
  upstream?.closeAllConnections();
  rmSync(directory, { recursive: true, force: true });
});

async function repository(): Promise<void> {
  const work = join(directory, 'work');
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-C', work, ...args]);
  await run('git', ['init', '-q', '-b', 'main', work]);
  writeFileSync(join(work, 'large'), LARGE.subarray(0, 200_000));
  await git('add', '.');
  await git('commit', '-qm', 'one');
  await run('git', ['clone', '-q', '--bare', work, join(directory, 'shop.git')]);
  await run('git', ['-C', join(directory, 'shop.git'), 'config', 'http.receivepack', 'true']);
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '' } = request;
  if (url.startsWith('/shop.git/')) return gitBackend(request, response);
  if (url === '/large') {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const range = { 'content-range': `bytes ${from}-${LARGE.length - 1}/${LARGE.length}` };
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': LARGE.length - from,
      ...(from > 0 ? range : {}),
    });
    return void response.end(LARGE.subarray(from));
  }
  if (url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const id of [1, 2, 3]) response.write(`id: ${id}\ndata: {"n":${id}}\n\n`);
    return void response.end();
  }
  if (url === '/missing')
    return void response.writeHead(404, { 'content-type': 'application/json' }).end('{"no":1}');
  const body = await buffer(request);
  const sum = createHash('sha256').update(body).digest('hex');
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({ method, url, type: request.headers['content-type'], length: body.length, sum }),
  );
}

/** Git's own server, by CGI (RFC 3875). */
async function gitBackend(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', 'http://x');
  const { headers } = request;
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: directory,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(backend.stdin);
  const answer = await buffer(backend.stdout);
  const end = answer.indexOf('\r\n\r\n');
  for (const line of answer.toString('latin1', 0, end).split('\r\n')) {
    const [, name = '', value = ''] = /^([^:]+): (.*)$/.exec(line) ?? [];
    if (name === 'Status') response.statusCode = Number(value.slice(0, 3));
    else response.setHeader(name, value);
  }
  response.end(answer.subarray(end + 4));
}

const FETCH = `
const authorization = process.env.API_TOKEN ? { authorization: 'Bearer ' + process.env.API_TOKEN } : {};
const url = process.env.API_URL;
const said = async (path, more = {}) => {
  const answer = await fetch(url + path, { ...more, headers: { ...authorization, ...more.headers } });
  console.log(answer.status, answer.headers.get('content-type'), (await answer.text()).slice(0, 400));
};
await said('/a?b=c');
await said('/post', { method: 'POST', body: new URLSearchParams({ a: 'b c' }) });
await said('/stream', { method: 'PUT', duplex: 'half', body: new Blob(['x'.repeat(99999)]).stream() });
await said('/events');
await said('/missing');
`;

const GO = `package main

import ("fmt"; "io"; "net/http"; "os"; "strings")

func said(method, path string, body io.Reader) {
	request, _ := http.NewRequest(method, os.Getenv("API_URL")+path, body)
	answer, err := http.DefaultClient.Do(request)
	if err != nil { fmt.Println(err); return }
	text, _ := io.ReadAll(answer.Body)
	fmt.Println(answer.Status, len(text), fmt.Sprintf("%.200s", text))
}

func main() {
	said("GET", "/a?b=c", nil)
	said("POST", "/p", strings.NewReader("body"))
	said("PUT", "/stream", io.MultiReader(strings.NewReader(strings.Repeat("x", 99999))))
	said("GET", "/events", nil)
	said("GET", "/missing", nil)
}
`;

const URLLIB = `
import os, urllib.request, urllib.error
token = os.environ.get('API_TOKEN')
def said(path, body=None):
    request = urllib.request.Request(os.environ['API_URL'] + path, body)
    if token: request.add_header('Authorization', 'Bearer ' + token)
    try: answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error: answer = error
    print(answer.status, answer.read().decode())
said('/a?b=c')
said('/form', b'a=b')
said('/missing')
`;

const REQUESTS = `
import os, requests
session, url = requests.Session(), os.environ['API_URL']
for answer in (session.get(url + '/a', params={'q': 'é &'}), session.post(url + '/j', json={'a': [1, 'é']}),
               session.put(url + '/up', data=(b'x' * 1000 for _ in range(9))), session.delete(url + '/d'),
               session.post(url + '/octets', data=bytes(range(256)))):
    print(answer.status_code, answer.text)
`;

const HERE = () => `cd '${directory}' &&`;

const CLIENTS: readonly [string, readonly string[], () => string][] = [
  ['curl', [], () => 'curl -sS -w "%{http_code} %{content_type}" "$API_URL/a?b=c&d=%20" "$API_URL/missing"'],
  [
    'curl that sends a form and JSON',
    [],
    () => `curl -sS -d a=b "$API_URL/f"; curl -sS --json '{"a":1}' "$API_URL/j"`,
  ],
  [
    'curl that uploads',
    [],
    () => `${HERE()} curl -sS -T large "$API_URL/up"; curl -sS -T - "$API_URL/up" < large`,
  ],
  [
    'curl that waits for 100',
    [],
    () => `${HERE()} curl -sS -H 'Expect: 100-continue' --data-binary @large "$API_URL/up"`,
  ],
  ['curl that downloads', [], () => 'curl -sS "$API_URL/large" | sha256sum'],
  [
    'curl that resumes',
    [],
    () => `${HERE()} cp half part && curl -sS -C - -o part "$API_URL/large" && sha256sum part`,
  ],
  ['curl that reads events', [], () => 'curl -sSN "$API_URL/events"'],
  ['fetch', ['--bearer'], () => `${HERE()} '${process.execPath}' fetch.mjs`],
  ["Go's net/http", [], () => `'${join(directory, 'go-client')}'`],
  ['urllib', ['--bearer'], () => `${HERE()} python3 urllib_client.py`],
  ['requests', [], () => `${HERE()} python3 requests_client.py`],
  [
    'git',
    [],
    () =>
      `${HERE()} rm -rf got && git clone -q "$API_URL/shop.git" got && cd got && git fsck 2>&1 && git rev-parse HEAD HEAD^{tree} && git push -q origin HEAD:refs/heads/other 2>&1 && git ls-remote origin | cut -f2`,
  ],
];

describe.each([[[]], [['--tls']]])('connect %j', (more: readonly string[]) => {
  it.each(CLIENTS)('%s', async (_name, flags, script) => {
    writeFileSync(join(directory, 'fetch.mjs'), FETCH);
    writeFileSync(join(directory, 'urllib_client.py'), URLLIB);
    writeFileSync(join(directory, 'requests_client.py'), REQUESTS);
    const direct = await run('sh', ['-c', script()], { env: { ...process.env, API_URL: origin } });
    const { stdout, stderr, exitCode } = await stack.hoopctl([
      'connect',
      ...flags,
      ...more,
      'api',
      '--',
      'sh',
      '-c',
      script(),
    ]);
    expect({ stdout, exitCode }, stderr).toEqual({ stdout: direct.stdout, exitCode: 0 });
    expect(direct.stdout.length).toBeGreaterThan(20);
  });
});

it('curl by HTTP/2, to a target of HTTP/1.1', async () => {
  const script = 'curl -sS --http2-prior-knowledge -w " %{http_version}" "$API_URL/two"';
  const { stdout } = await stack.hoopctl(['connect', 'api', '--', 'sh', '-c', script]);
  expect(stdout).toMatch(/"url":"\/two".* 2$/);
});

it.each([
  ['agreed on by ALPN', '', '2'],
  ['not wanted', '--http1.1', '1.1'],
  ['that names no protocol', '--no-alpn', '1.1'],
])('curl over TLS: HTTP/2 %s', async (_name, flag, version) => {
  const script = `curl -sS ${flag} -w " %{http_version}" "$API_URL/two"`;
  const { stdout, stderr } = await stack.hoopctl(['connect', '--tls', 'api', '--', 'sh', '-c', script]);
  expect(stdout, stderr).toMatch(/"url":"\/two"/);
  expect(stdout.endsWith(` ${version}`)).toBe(true);
});
