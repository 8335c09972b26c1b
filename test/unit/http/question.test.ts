import { describe, expect, it } from 'vitest';
import { questionOf, refusedQuestion } from '../../../src/protocols/http/relay/question.ts';
import { canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';

const resource = { type: 'Resource', id: 'api', attrs: { protocol: 'http' } };
const FACTS = { operation: undefined, fields: [], bodyWhole: true };
const clean = (text: string) => text.replaceAll('ann@example.com', '***');

function ask(target: string, method = 'GET') {
  const head = { method, target, httpVersion: '1.1', rawHeaders: ['host', 'localhost'] };
  const request = canonicalRequest(head, { credentialHeaders: [] });
  if (isRefused(request)) throw new Error(request.reason);
  return questionOf(resource, request, FACTS, clean);
}

describe('what a request asks', () => {
  it('is a verb for its method, on its path, with what rules may ask of both', () => {
    expect(ask('/orders/7/?page=2&tag=a&tag=b', 'DELETE')).toMatchObject({
      pairs: [
        {
          action: 'http.delete',
          object: {
            type: 'Endpoint',
            id: 'api/orders/7',
            attrs: { path: '/orders/7', segments: ['orders', '7'], depth: 2 },
            parent: resource,
          },
        },
      ],
      context: { query: ['page=2', 'tag=a', 'tag=b'], queryNames: ['page', 'tag'], repeated: ['tag'] },
    });
  });

  it('is told without values, and without what detectors find; the original is sealed', () => {
    const { text, original, pairs } = ask('/customers/ann@example.com?token=hunter2');
    expect(text).toBe('GET /customers/***?token=…');
    expect(original).toEqual({ request: 'GET /customers/ann@example.com?token=hunter2' });
    // Rules meet the path as it is.
    expect(pairs[0]!.object).toMatchObject({
      id: 'api/customers/ann@example.com',
      shownId: 'api/customers/***',
    });
    expect(ask('/orders').pairs[0]!.object).not.toHaveProperty('shownId');
  });

  it('is told even where detectors find too much', () => {
    const fails = () => {
      throw new Error('too much');
    };
    const head = { method: 'get', target: '/a//b?c', httpVersion: '1.1', rawHeaders: [] };
    const refusal = { code: 'ERR_SYNTAX', rule: 'path-ambiguous', reason: 'x' } as const;
    expect(refusedQuestion(head, refusal, fails)).toMatchObject({
      text: '‹method› ‹withheld›',
      pairs: [],
      refusal,
    });
    expect(refusedQuestion({ ...head, method: 'GET' }, refusal, clean)).toMatchObject({ text: 'GET /a//b' });
  });
});
