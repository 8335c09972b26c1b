import { describe, expect, it } from 'vitest';
import { HoopError } from '../../../src/core/errors.ts';
import { pairOf } from '../../../src/protocols/http/entities.ts';
import { ApiRules } from '../../../src/protocols/http/relay/api-rules.ts';
import { questionOf } from '../../../src/protocols/http/relay/question.ts';
import { type CanonicalRequest, canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { OpenApi } from '../../../src/protocols/http/request/openapi/openapi.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';

const API = { type: 'Resource', id: 'api', attrs: {} };
const PAYMENTS = `
openapi: 3.1.0
paths:
  /v1/payments:
    get: {operationId: listPayments, tags: [money]}
    post: {operationId: pay, requestBody: {content: {application/json: {}}}}
`;

function request(method: string, target: string, type = '', body = ''): CanonicalRequest {
  const framing = type === '' ? [] : ['content-type', type, 'content-length', String(body.length)];
  const rawHeaders = ['host', 'localhost', ...framing];
  const read = canonicalRequest(
    { method, target, httpVersion: '1.1', rawHeaders },
    { credentialHeaders: [] },
  );
  if (isRefused(read)) throw new Error(read.reason);
  return read;
}

const openApi = OpenApi.read(PAYMENTS);
const described = 'api' in openApi ? openApi.api : undefined;
const never = () => Promise.reject(new Error('the body is not looked at'));

describe('what rules may ask of a request', () => {
  const chosen = new ApiRules(undefined, '', {
    'POST /payments': ['$.amount'],
    '/payments/**': ['$..role'],
  });

  it('is at hand where its body is not looked at', () => {
    expect(chosen.facts(request('GET', '/payments'), never)).toEqual({ fields: [], bodyWhole: true });
    const other = request('POST', '/other', 'image/png', 'x');
    expect(chosen.facts(other, never)).toEqual({ fields: [], bodyWhole: false });
  });

  it('is what the chosen members of the body say, of all routes that fit', async () => {
    const body = '{"amount": 5.0, "role": "admin"}';
    const facts = await chosen.facts(request('POST', '/Payments/', 'application/json', body), async () =>
      Buffer.from(body),
    );
    expect(facts).toEqual({ fields: ['$.amount=5', '$..role=admin'], bodyWhole: true });
  });

  it.each([
    ['text/plain', 'x', 'body-type'],
    ['application/json', '{', 'body-malformed'],
    ['application/json', '{"amount":1,"amount":2}', 'body-malformed'],
  ])('is refused of %s: %s', async (type, body, rule) => {
    const facts = await chosen.facts(request('POST', '/payments', type, body), async () => Buffer.from(body));
    expect(facts).toMatchObject({ rule });
  });

  it('is refused where the body is longer than is read, and fails as its reading does', async () => {
    const sent = request('POST', '/payments', 'application/json', 'x');
    const fails = (code: 'ERR_TOO_LARGE' | 'ERR_LIMIT') => async () => Promise.reject(new HoopError(code));
    expect(await chosen.facts(sent, fails('ERR_TOO_LARGE'))).toMatchObject({ rule: 'body-too-large' });
    await expect(chosen.facts(sent, fails('ERR_LIMIT'))).rejects.toMatchObject({ code: 'ERR_LIMIT' });
  });

  it('is the operation that the API describes below the base path of its target', async () => {
    const rules = new ApiRules(described, '/v1', {});
    const list = await rules.facts(request('GET', '/payments'), never);
    expect(list).toMatchObject({ operation: { id: 'listPayments', tags: ['money'] } });
    expect(await rules.facts(request('GET', '/v1/payments'), never)).toMatchObject({
      rule: 'operation-not-described',
    });
    const text = request('POST', '/payments', 'text/plain', 'x');
    expect(await rules.facts(text, never)).toMatchObject({ rule: 'content-type-not-described' });
  });
});

describe('the question of a request', () => {
  it('is of an endpoint within its operation', () => {
    const operation = { id: 'pay', tags: ['money'] };
    const sent = request('POST', '/payments', 'application/json', '{}');
    const { pairs, context } = questionOf(
      API,
      sent,
      { operation, fields: ['$.a=1'], bodyWhole: true },
      (text) => text,
    );
    expect(pairs[0]?.object.parent).toEqual({
      type: 'Operation',
      id: 'api/pay',
      attrs: { name: 'pay', tags: ['money'] },
      parent: API,
    });
    expect(context).toMatchObject({ fields: ['$.a=1'], bodyWhole: true });
    expect(pairOf(API, sent).object.parent).toBe(API);
  });
});
