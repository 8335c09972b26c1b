import type { HTTP_REFUSALS } from '../../../../src/protocols/http/refusals.ts';
import { curl } from '../programs.ts';
import type { Kind, Situation } from './kind.ts';

type HttpRule = keyof typeof HTTP_REFUSALS;

const ORDERS = /\{"id":41\}/;
const JSON_TYPE = ['-H', 'Content-Type: application/json'];
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const SOCKET = ['--http1.1', '-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket'];

/** `/orders` is read in the end. */
const read = (refused: readonly string[], more: Partial<Situation> = {}): Situation => ({
  by: curl,
  refused,
  other: ['/orders'],
  shows: ORDERS,
  ...more,
});

/** Something is ordered in the end, and was not before. */
const write = (refused: readonly string[], other: readonly string[], heard: string): Situation => ({
  by: curl,
  refused,
  other,
  leaves: { before: '', after: heard },
});

const pay = (body: string, ...more: string[]) => [
  '-X',
  'POST',
  ...JSON_TYPE,
  ...more,
  '--data-binary',
  body,
  '/payments',
];
const PAID = pay('{"amount":5}');
const MCP = ['-H', 'Accept: application/json, text/event-stream', ...JSON_TYPE];
const call = (body: object | string, ...more: string[]) => [
  ...MCP,
  ...more,
  '-d',
  typeof body === 'string' ? body : JSON.stringify(body),
  '/mcp',
];
const PING = call({ jsonrpc: '2.0', id: 1, method: 'ping' });
const asked = (refused: readonly string[]): Situation => ({
  by: curl,
  refused,
  other: PING,
  shows: /"result":\{\}/,
});

/** Of each rule by which a request is refused, or its answer. */
export const HTTP_KINDS: Readonly<Record<HttpRule, Kind>> = {
  'http-version': { never: 'curl speaks 1.0 and later, all of which are carried' },
  method: read(['-X', 'get', '/orders']),
  'request-target': read(['--request-target', 'https://elsewhere.example/orders', '/orders']),
  'target-too-long': read([`/orders?${'a'.repeat(20_000)}=1`]),
  'percent-encoding': read(['/orders?name=%zz']),
  'path-ambiguous': read(['--path-as-is', '/refunds/../orders']),
  'query-ambiguous': read(['/orders?a=1;b=2']),
  'header-malformed': read(['-H', `X-${'x'.repeat(300)}: c`, '/orders']),
  'header-repeated': write(
    ['-X', 'POST', '-H', 'Content-Type: text/plain', ...JSON_TYPE, '-d', '{}', '/orders'],
    ['-X', 'POST', ...JSON_TYPE, '-d', '{}', '/orders'],
    'POST /orders',
  ),
  'headers-too-large': read(['-H', `X-Long: ${'x'.repeat(60_000)}`, '/orders']),
  'connection-options': read(['--http1.1', '-H', 'Connection: close, Accept', '/orders']),
  framing: write(
    ['--http1.0', '-X', 'POST', '-H', 'Transfer-Encoding: chunked', '-d', '{}', '/orders'],
    ['-X', 'POST', '-d', '{}', '/orders'],
    'POST /orders',
  ),
  'transfer-coding': write(
    ['--http1.1', '-X', 'POST', '-H', 'Transfer-Encoding: gzip, chunked', '-d', '{}', '/orders'],
    ['-X', 'POST', '-d', '{}', '/orders'],
    'POST /orders',
  ),
  'body-not-expected': read(['-X', 'GET', '-d', 'x', '/orders']),
  expectation: write(
    ['-X', 'POST', '-H', 'Expect: the-best', '-d', '{}', '/orders'],
    ['-X', 'POST', '-d', '{}', '/orders'],
    'POST /orders',
  ),
  upgrade: read(['--http1.1', '-H', 'Connection: Upgrade', '-H', 'Upgrade: tls/1.0', '/orders']),
  'websocket-handshake': read([
    ...SOCKET,
    '-H',
    'Sec-WebSocket-Version: 13',
    '-H',
    'Sec-WebSocket-Key: short',
    '/orders',
  ]),
  'websocket-version': read([
    ...SOCKET,
    '-H',
    'Sec-WebSocket-Version: 8',
    '-H',
    `Sec-WebSocket-Key: ${KEY}`,
    '/orders',
  ]),
  'content-type': write(
    ['-X', 'POST', '-H', 'Content-Type: json', '-d', '{}', '/orders'],
    ['-X', 'POST', ...JSON_TYPE, '-d', '{}', '/orders'],
    'POST /orders',
  ),
  'body-type': write(
    ['-X', 'POST', '-H', 'Content-Type: text/plain', '-d', 'amount 5', '/payments'],
    PAID,
    'POST /payments',
  ),
  'body-malformed': write(pay('{"amount":5,"amount":6}'), PAID, 'POST /payments'),
  'body-too-large': write(pay(`{"amount":${'['.repeat(5_000)}${']'.repeat(5_000)}}`), PAID, 'POST /payments'),
  'operation-not-described': {
    by: curl,
    at: 'described',
    refused: ['/orders/42/secret'],
    other: ['/orders'],
    about: 'an operation that the API describes',
    shows: ORDERS,
  },
  'parameter-not-described': {
    by: curl,
    at: 'described',
    refused: ['/orders?drop=all'],
    other: ['/orders'],
    shows: ORDERS,
  },
  'content-type-not-described': {
    by: curl,
    at: 'described',
    refused: ['-X', 'POST', '-H', 'Content-Type: text/plain', '-d', 'one', '/orders'],
    other: ['-X', 'POST', ...JSON_TYPE, '-d', '{}', '/orders'],
    leaves: { before: '', after: 'POST /orders' },
  },
  'answer-type': read(['-H', 'Accept: application/pdf', '/customers/1.pdf'], {
    other: ['/customers/1'],
    shows: /"email":"\*\*\*"/,
  }),
  'answer-coding': { by: curl, refused: ['/customers/1.compressed'], other: ['/customers/1'] },
  'answer-partial': read(['/customers/1.part'], { other: ['/customers/1'], shows: /"email":"\*\*\*"/ }),
  'rpc-message': asked(call({ jsonrpc: '1.0', id: 1, method: 'ping' })),
  'rpc-name': asked(call({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'lооkup' } })),
  'rpc-headers': asked(call({ jsonrpc: '2.0', id: 1, method: 'ping' }, '-H', 'Mcp-Method: tools/list')),
  'rpc-version': asked(
    call({ jsonrpc: '2.0', id: 1, method: 'ping' }, '-H', 'MCP-Protocol-Version: 2030-01-01'),
  ),
  'rpc-session': { file: 'test/clients/agent/away.test.ts', test: 'rpc-session' },
  'rpc-answer': asked(call({ jsonrpc: '2.0', id: 1, result: {} })),
  'rpc-not-described': {
    ...asked(call({ jsonrpc: '2.0', id: 1, method: 'Tools/Call', params: { name: 'delete' } })),
    about: 'a method that the protocol has',
  },
  'not-http': read(['-X', 'GET ME', '/orders']),
  'upgrade-not-carried': read(
    [...SOCKET, '-H', 'Sec-WebSocket-Version: 13', '-H', `Sec-WebSocket-Key: ${KEY}`, '/orders'],
    {
      about: 'ordinary requests',
    },
  ),
};
