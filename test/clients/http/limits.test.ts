/** Limits on answers of HTTP (`@limit`), as curl sees them: what is cut short is an error to it, and what may be whole is whole. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PATHS } from '../../../src/api/contract.ts';
import { LocalEnd } from '../../support/http/local-end.ts';
import { RunningGateway } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';

const execute = promisify(execFile);

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal"], resource);
@id("audit") permit (principal in Group::"auditors", action == Action::"audit.search", resource);
@id("free") permit (principal, action in Action::"http", resource) when { resource.path like "/free/*" };
@id("in-portions") @limit("bytes=1KiB time=2s") @reason("answers are short here") @hint("ask for a page")
permit (principal, action in Action::"http", resource) unless { resource.path like "/free/*" };
`;

let upstream: Server;
let running: RunningGateway;
let local: LocalEnd;

const BODIES: Readonly<Record<string, (response: ServerResponse) => void>> = {
  small: (response) => response.end('x'.repeat(1024)),
  sized: (response) => response.writeHead(200, { 'content-length': 1025 }).end('x'.repeat(1025)),
  pieces: (response) => {
    response.write('x'.repeat(600));
    response.write('x'.repeat(300), () => setImmediate(() => response.end('x'.repeat(600))));
  },
  silent: () => undefined,
  slow: (response) => void response.write('begun '),
};

beforeAll(async () => {
  upstream = createServer((request, response) => {
    const name = request.url?.split('/').at(-1) ?? '';
    BODIES[name]?.(response);
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  running = await RunningGateway.start({
    policy: POLICY,
    adapter: null,
    resources: `\n  api: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {} }`,
  });
  local = await LocalEnd.open(await running.machine(), 'api');
});
afterAll(async () => {
  local?.close();
  await running?.remove();
  upstream?.closeAllConnections();
  upstream?.close();
});

interface Got {
  readonly code: number;
  readonly status: string;
  readonly body: string;
}

async function curl(path: string, ...more: string[]): Promise<Got> {
  const args = ['-s', '-w', '\n%{http_code}', '-m', '20', ...more, `${local.url}${path}`];
  const done: { stdout: string; code?: number } = await execute('curl', args).catch(
    (error: { stdout: string; code: number }) => error,
  );
  const { stdout, code = 0 } = done;
  const at = stdout.lastIndexOf('\n');
  return { code: Number(code), status: stdout.slice(at + 1), body: stdout.slice(0, at) };
}

/** How the last request for a path ended, as the audit has it. */
async function outcomeOf(path: string): Promise<unknown[]> {
  const auditor = await running.person(['auditors'], { name: 'ada' });
  const found = await eventually(
    'its outcome',
    async () =>
      (await auditor.get(`${PATHS.auditEvents}?type=operation.decided&q=${path}&limit=1`)).json.events[0],
    (event) => event?.outcome !== undefined,
  );
  return [found.decision, found.outcome, found.outcomeReason ?? found.reason, found.bytes];
}

test('within its limits an answer is whole, and without a limit any is', async () => {
  expect(await curl('/small')).toEqual({ code: 0, status: '200', body: 'x'.repeat(1024) });
  for (const name of ['sized', 'pieces']) {
    const { code, status, body } = await curl(`/free/${name}`);
    expect([code, status, body.length]).toEqual([0, '200', name === 'sized' ? 1025 : 1500]);
  }
});

test.each([[[]], [['--http2-prior-knowledge']]])(
  'what says that it is too long is refused before any of it is given: %j',
  async (more) => {
    const { code, status, body } = await curl('/sized', ...more);
    expect([code, status]).toEqual([0, '403']);
    expect(JSON.parse(body)).toMatchObject({
      rule: 'in-portions',
      reason: 'answers are short here',
      hint: 'ask for a page',
      detail: expect.stringContaining('has more than 1KiB'),
    });
    expect(await outcomeOf('sized')).toEqual(['allow', 'failure', 'refused: bytes shown', expect.anything()]);
  },
);

test.each([
  ['HTTP/1.1', [], 18],
  ['HTTP/2', ['--http2-prior-knowledge'], 92],
])('what turns out to be too long is cut, and curl knows it: %s', async (_, more, expected) => {
  const { code, status, body } = await curl('/pieces', ...more);
  expect(body.length).toBeLessThanOrEqual(1024);
  // An HTTP/2 stream may be reset before its head is read.
  expect([['200', '000'].includes(status), code]).toEqual([true, expected]);
  expect((await outcomeOf('pieces')).slice(0, 3)).toEqual(['allow', 'failure', 'refused: bytes shown']);
});

test('what has no length is refused by HTTP/1.0, where a part would pass for the whole', async () => {
  const { code, status, body } = await curl('/pieces', '--http1.0');
  expect([code, status]).toEqual([0, '403']);
  expect(JSON.parse(body)).toMatchObject({
    rule: 'in-portions',
    detail: expect.stringContaining('HTTP/1.0'),
  });
  expect((await outcomeOf('pieces')).slice(0, 3)).toEqual(['allow', 'failure', 'refused: not limited']);
  expect(await curl('/small', '--http1.0')).toMatchObject({ code: 0, status: '200' });
});

test('what takes too long is refused where nothing was given yet, and cut where something was', async () => {
  const [silent, slow] = await Promise.all([curl('/silent'), curl('/slow')]);
  expect([silent.code, silent.status]).toEqual([0, '403']);
  expect(JSON.parse(silent.body)).toMatchObject({
    rule: 'in-portions',
    detail: expect.stringContaining('took more than 2s'),
  });
  expect([slow.code, slow.status, slow.body]).toEqual([18, '200', 'begun ']);
  for (const name of ['silent', 'slow'])
    expect((await outcomeOf(name)).slice(0, 3)).toEqual(['allow', 'failure', 'refused: time']);
});
