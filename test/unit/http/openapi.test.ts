import { describe, expect, it } from 'vitest';
import { canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { OpenApi } from '../../../src/protocols/http/request/openapi/openapi.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';

const SHOP = `
openapi: 3.1.0
info: {title: shop, version: "1"}
servers: [{url: "https://api.example.com/{stage}", variables: {stage: {default: v1}}}, {url: /beta/}]
components:
  parameters:
    page: {name: page, in: query, schema: {$ref: "#/components/schemas/Count"}}
  schemas:
    Count: {type: integer}
  requestBodies:
    Order: {content: {application/json; charset=utf-8: {}, application/x-www-form-urlencoded: {}}}
  securitySchemes:
    key: {type: apiKey, in: query, name: api_key}
paths:
  /orders:
    parameters: [{$ref: "#/components/parameters/page"}]
    get:
      operationId: listOrders
      tags: [orders]
      parameters:
        - {name: status, in: query, schema: {type: array}}
        - {name: filter, in: query, style: deepObject, schema: {type: object}}
        - {name: range, in: query, schema: {type: object, properties: {from: {}, to: {}}}}
        - {name: X-Page, in: header}
    post: {operationId: createOrder, requestBody: {$ref: "#/components/requestBodies/Order"}}
  /orders/{id}:
    get: {operationId: getOrder}
    delete: {}
  /orders/mine:
    get: {operationId: getMine}
  /orders/{id}/files/{name}.csv: {get: {operationId: getCsv}}
  /orders/{id}/files/{name}-{part}.csv: {get: {operationId: getPart}}
  /uploads/{id}: {$ref: "#/x-items/upload"}
  /{kind}/mine/{id}: {get: {operationId: anyMine}}
  /orders/{id}/x: {get: {operationId: xOf}}
  /caf%C3%A9: {get: {operationId: cafe}}
  /: {get: {operationId: root}}
  x-internal: nothing
x-items:
  upload: {put: {operationId: upload, requestBody: {content: {"image/*": {}}}}, trace: {}}
`;

function api(text = SHOP): OpenApi {
  const read = OpenApi.read(text);
  if ('mistake' in read) throw new Error(JSON.stringify(read.mistake));
  return read.api;
}

const shop = api();

interface Sent {
  readonly of?: OpenApi;
  readonly base?: readonly string[];
  readonly type?: string;
  readonly length?: number;
}

/** The operation, or the rule that refuses. */
function found(request: string, sent: Sent = {}): string {
  const { of = shop, base = ['v1'], type = '', length = type === '' ? 0 : 5 } = sent;
  const [method = '', target = ''] = request.split(' ');
  const rawHeaders = ['host', 'localhost', ...(type === '' ? [] : ['content-type', type])];
  if (length > 0) rawHeaders.push('content-length', String(length));
  const canonical = canonicalRequest(
    { method, target, httpVersion: '1.1', rawHeaders },
    { credentialHeaders: [] },
  );
  if (isRefused(canonical)) return canonical.rule;
  const operation = of.operationOf(canonical, base);
  return isRefused(operation) ? operation.rule : operation.operation.id;
}

describe('the operation of a request', () => {
  it.each([
    ['GET /orders', 'listOrders'],
    ['HEAD /orders', 'listOrders'],
    ['GET /orders/', 'listOrders'],
    ['GET /orders/5', 'getOrder'],
    ['GET /orders/mine', 'getMine'],
    ['GET /orders/%6Dine', 'getMine'],
    ['DELETE /orders/5', 'DELETE /orders/{id}'],
    ['DELETE /orders/mine', 'DELETE /orders/{id}'],
    ['GET /orders/5/files/a.csv', 'getCsv'],
    ['GET /caf%c3%a9', 'cafe'],
    ['GET /', 'root'],
    ['GET /orders?page=1&status=a&status=b&filter[x]=1&filter[y][z]=2&from=1&to=2', 'listOrders'],
    ['GET /orders?api_key=x', 'listOrders'],
  ])('%s is %s', (request, operation) => expect(found(request)).toBe(operation));

  it.each([
    [
      'operation-not-described',
      ['PUT /orders', 'GET /order', 'GET /Orders', 'GET /orders/5/6', 'GET /orders/5/files/.csv'],
    ],
    [
      'operation-not-described',
      ['GET /x-internal', 'OPTIONS /orders', 'POST /orders/5', 'GET /orders/5/files/a.CSV'],
    ],
    // Two templates of the same weight stand for it, and a server may take either.
    ['operation-not-described', ['GET /orders/5/files/a-b.csv', 'GET /orders/mine/x']],
    [
      'parameter-not-described',
      ['GET /orders?x=1', 'GET /orders?page=1&page=2', 'GET /orders/5?page=1', 'GET /orders?=1'],
    ],
    [
      'parameter-not-described',
      ['GET /orders?filter=1', 'GET /orders?filter[a]=1&filter[a]=2', 'GET /orders?Page=1'],
    ],
    [
      'parameter-not-described',
      ['GET /orders?range=1', 'GET /orders?X-Page=1', 'GET /orders?_method=DELETE'],
    ],
  ])('%s: %j', (rule, requests) => {
    for (const request of requests) expect(found(request), request).toBe(rule);
  });

  it('has a body of a type that is described', () => {
    expect(found('POST /orders', { type: 'application/json' })).toBe('createOrder');
    expect(found('POST /orders', { type: 'Application/x-www-form-urlencoded' })).toBe('createOrder');
    expect(found('POST /orders')).toBe('createOrder');
    expect(found('POST /orders', { type: 'text/plain' })).toBe('content-type-not-described');
    expect(found('POST /orders', { length: 5 })).toBe('content-type-not-described');
    expect(found('PUT /uploads/1', { type: 'image/png' })).toBe('upload');
    expect(found('PUT /uploads/1', { type: 'imagex/png' })).toBe('content-type-not-described');
  });

  it('lies below the path of one of the servers, as the target has it', () => {
    expect(found('GET /orders', { base: [] })).toBe('operation-not-described');
    expect(found('GET /v1/orders', { base: [] })).toBe('listOrders');
    expect(found('GET /beta/orders', { base: [] })).toBe('listOrders');
    expect(
      found('GET /orders', { of: api('{"openapi":"3.0.3","paths":{"/orders":{"get":{}}}}'), base: [] }),
    ).toBe('GET /orders');
  });
});

describe('an OpenAPI file', () => {
  it('names its operations', () => {
    const listed = shop.operations.map(({ id, tags }) => [id, ...tags].join(' '));
    expect(listed).toContain('listOrders orders');
    expect(listed).toHaveLength(12);
  });

  const paths = (text: string) => `openapi: 3.0.0\npaths:\n${text}`;
  it.each([
    ['', 1, '', 'is no mapping'],
    ['a: [', 1, '', 'is not valid YAML'],
    ['openapi: 3.1.0\nopenapi: 3.1.0\n', 2, 'openapi', 'is there twice: the first time in line 1'],
    ['{"openapi": ', undefined, '', 'is not JSON'],
    ['swagger: "2.0"', 1, 'swagger', 'is version 2'],
    ['openapi: 4.0.0', 1, 'openapi', 'is no version'],
    ['openapi: 3.1.0', undefined, 'paths', 'is no mapping'],
    [paths('  orders: {}'), 3, 'paths.orders', 'is no path'],
    [paths('  /a/{b: {}'), 3, 'paths./a/{b', 'is no path'],
    [paths('  /a: 5'), 3, 'paths./a', 'is no mapping'],
    [paths('  /a/{b}: {}\n  /a/{c}/: {}'), 4, 'paths./a/{c}/', 'stands for the same paths as /a/{b}'],
    [paths('  /a: {$ref: "other.yaml#/a"}'), 3, 'paths./a', 'outside of the file'],
    [paths('  /a: {$ref: "https://evil.example/a"}'), 3, 'paths./a', 'outside of the file'],
    [paths('  /a: {$ref: "#/b"}'), 3, 'paths./a', 'refers to #/b, which is not there'],
    [paths('  /a: {$ref: "#/paths/~1a"}'), 3, 'paths./a', 'refers to itself'],
    [paths('  /a: {$ref: "#/__proto__"}'), 3, 'paths./a', 'which is not there'],
    [
      paths('  /a: {get: {operationId: x}}\n  /b: {get: {operationId: x}}'),
      4,
      'paths./b.get.operationId',
      'is there twice',
    ],
    [paths('  /a: {get: {operationId: 5}}'), 3, 'paths./a.get.operationId', 'is no name'],
    [paths('  /a: {get: {parameters: {}}}'), 3, 'paths./a.get.parameters', 'is no list'],
    [paths('  /a: {get: {parameters: [{in: query}]}}'), 3, 'paths./a.get.parameters.0', 'has no name'],
    [paths('  /a: {post: {requestBody: {}}}'), 3, 'paths./a.post.requestBody', 'has no content'],
    [`${paths('  /a: {}')}\nservers: [{url: "http://["}]`, 4, 'servers.0.url', 'is no URL'],
    [`x: ${'y'.repeat(9 * 1024 * 1024)}`, undefined, '', 'is longer than 8 MiB'],
    [
      `a: &a [1, 1]\n${'b: [*a, *a, *a, *a]\n'.replace('b', 'b')}${Array.from({ length: 9 }, (_, at) => `c${at}: &c${at} [${at === 0 ? '*a, *a, *a, *a, *a, *a, *a, *a' : `*c${at - 1}, `.repeat(8)}]\n`).join('')}`,
      undefined,
      '',
      'too many aliases',
    ],
  ])('is told what is wrong: %.60j', (text, line, at, problem) => {
    const read = OpenApi.read(text);
    if (!('mistake' in read)) throw new Error('it was read');
    expect(read.mistake).toMatchObject({ line, at, problem: expect.stringContaining(problem) });
    expect(read.mistake.cure).not.toBe('');
  });
});
