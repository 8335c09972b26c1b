import { describe, expect, it } from 'vitest';
import { approvableRequest } from '../../../src/protocols/http/relay/approvable.ts';

const QUESTION = { pairs: [], context: {}, text: 'POST /payments' };

async function shown(body: Buffer, headers: readonly (readonly [string, string])[] = []) {
  const request = {
    method: 'POST',
    path: '/payments',
    query: '',
    headers,
    body: { length: body.length },
  };
  const held = { request, body: { whole: async () => body }, masked: () => [], reply: {}, signal: {} };
  const approvable = approvableRequest(QUESTION, held as never);
  const exact = await approvable.exact();
  return { exact, original: Object.entries(approvable.original ?? {}) };
}

it('is the same request each time that a client is called, whatever tells one call from another', async () => {
  const asked = (...headers: [string, string][]) => shown(Buffer.from('{}'), headers);
  const first = await asked(['accept', 'application/json'], ['kubectl-session', '1'], ['traceparent', 'a']);
  const second = await asked(['accept', 'application/json'], ['kubectl-session', '2'], ['traceparent', 'b']);
  expect(second).toEqual(first);
  expect((await asked(['accept', 'text/plain'])).exact).not.toBe(first.exact);
});

describe('whoever decides about a request', () => {
  it('is shown its body', async () => {
    expect((await shown(Buffer.from('{"amount":5}'))).original.at(-1)).toEqual(['body', '{"amount":5}']);
    expect((await shown(Buffer.from([255, 0]))).original.at(-1)).toEqual(['body in base64', '/wA=']);
  });

  it('is told before it that it is not the whole, and it covers the whole', async () => {
    const [small, large] = ['5', '9'].map((amount) =>
      Buffer.from(`{"note":"${'x'.repeat(65_536)}","amount":${amount}}`),
    );
    const [one, other] = [await shown(small!), await shown(large!)];
    const [, [cut, how] = [], [name, body] = []] = one!.original;
    expect(cut).toBe('only a part of the body is shown');
    expect(how).toMatch(/^the first 65536 of 65\d{3} octets; SHA-256 of all [0-9a-f]{64}$/);
    expect([name, body]).toEqual(['body', small!.toString().slice(0, 65_536)]);
    expect(one!.exact).not.toBe(other!.exact);
    expect(one!.original).not.toEqual(other!.original);
  });
});
