import { describe, expect, it } from 'vitest';
import { Known } from '../../../src/protocols/http/relay/known.ts';
import {
  Questions,
  questionOf,
  refusedQuestion,
  understoodBy,
} from '../../../src/protocols/http/relay/question.ts';
import { canonicalRequest } from '../../../src/protocols/http/request/canonical.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';

const resource = { type: 'Resource', id: 'api', attrs: { protocol: 'http' } };
const FACTS = { operation: undefined, fields: [], bodyWhole: true };
const clean = (text: string) => text.replaceAll('ann@example.com', '***');

function read(target: string, method = 'GET', ...fields: string[]) {
  const head = { method, target, httpVersion: '1.1', rawHeaders: ['host', 'localhost', ...fields] };
  const request = canonicalRequest(head, { credentialHeaders: [] });
  if (isRefused(request)) throw new Error(request.reason);
  return request;
}

const ask = (target: string, method = 'GET') => questionOf(resource, read(target, method), FACTS, clean);

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

describe('the questions of one connection', () => {
  it('are the same object where the same is asked, and never where anything differs that rules may look at', () => {
    const questions = new Questions(resource, clean);
    const first = questions.of(understoodBy(read('/orders?page=1'), FACTS));
    expect(questions.of(understoodBy(read('/orders?page=1', 'GET', 'x-request-id', '2'), FACTS))).toBe(first);
    expect({ ...first, nearby: undefined }).toEqual({ ...ask('/orders?page=1'), nearby: undefined });
    const operation = { id: 'list', tags: [] };
    const others = [
      questions.of(understoodBy(read('/orders?page=2'), FACTS)),
      questions.of(understoodBy(read('/orders'), FACTS)),
      questions.of(understoodBy(read('/orders?page=1', 'HEAD'), FACTS)),
      questions.of(understoodBy(read('/orders?page=1', 'POST', 'content-type', 'text/plain'), FACTS)),
      questions.of(understoodBy(read('/orders?page=1', 'POST'), FACTS)),
      questions.of(understoodBy(read('/orders?page=1'), { ...FACTS, bodyWhole: false })),
      questions.of(understoodBy(read('/orders?page=1'), { ...FACTS, operation })),
      questions.of(understoodBy(read('/orders?page=1'), { ...FACTS, fields: ['$.a=1'] })),
    ];
    expect(new Set([first, ...others]).size).toBe(9);
    expect(others[7]!.context).toMatchObject({ fields: ['$.a=1'] });
  });

  it('are few, and short', () => {
    const known = new Known<object>(2);
    const made = (text: string) => known.of(text, () => ({}));
    const [a, b] = [made('a'), made('b')];
    expect([made('a'), made('b')]).toEqual([a, b]);
    made('c');
    expect(made('b')).toBe(b);
    expect(made('a')).not.toBe(a);
    expect(made('x'.repeat(513))).not.toBe(made('x'.repeat(513)));
  });
});
