import { describe, expect, it } from 'vitest';
import { Heads } from '../../../src/protocols/http/relay/heads.ts';
import type { RawHead } from '../../../src/protocols/http/request/canonical.ts';
import { isRefused } from '../../../src/protocols/http/request/refusals.ts';
import { bearerProof } from '../../../src/wire/http/local-check.ts';

const SECRET = 'the-secret-of-the-tunnel';
const heads = () =>
  new Heads({ credentialHeaders: [] }, bearerProof(SECRET), (text) => text.replace('111', '***'));

function headOf(more: Partial<RawHead> = {}, fields: readonly string[] = []): RawHead {
  const rawHeaders = ['Host', 'localhost', 'Authorization', `Bearer ${SECRET}`, ...fields];
  return { method: 'GET', target: '/orders', httpVersion: '1.1', rawHeaders, ...more };
}

describe('a head', () => {
  it('that comes again is the same object, and recorded as the same', () => {
    const known = heads();
    const { request, foreign } = known.read(headOf({}, ['x-id', 'a 111']));
    expect(known.read(headOf({}, ['x-id', 'a 111'])).request).toBe(request);
    if (isRefused(request)) throw new Error(request.rule);
    expect(foreign).toBeUndefined();
    const recorded = known.recorded(request);
    expect(recorded).toEqual({ start: 'GET /orders', fields: [['x-id', 'a ***']] });
    expect(known.recorded(request)).toBe(recorded);
  });

  it.each<[string, RawHead]>([
    ['method', headOf({ method: 'DELETE' })],
    ['target', headOf({ target: '/orders/7' })],
    ['version', headOf({ httpVersion: '1.0' })],
    ['end', headOf({ ended: true })],
    ['protocol', headOf({ httpVersion: '2.0', ended: true, connects: 'connect-udp' })],
    ['field', headOf({}, ['x-id', '1'])],
    ['secret', headOf({ rawHeaders: ['Host', 'localhost', 'Authorization', 'Bearer another'] })],
    ['host', headOf({ rawHeaders: ['Host', 'elsewhere', 'Authorization', `Bearer ${SECRET}`] })],
    [
      'split of the same characters',
      headOf({ rawHeaders: ['Hos', 'tlocalhost', 'Authorization', `Bearer ${SECRET}`] }),
    ],
  ])('with another %s is read anew, before and behind the one that is known', (_what, other) => {
    const known = heads();
    const usual = known.read(headOf());
    const alone = heads().read(other);
    expect(known.read(other)).toEqual(alone);
    expect(known.read(other)).not.toBe(usual);
    expect(known.read(headOf())).toEqual(usual);
  });

  it('of a stream that would be another protocol is read anew where it is another', () => {
    const known = heads();
    const connects = (protocol?: string) =>
      headOf({ httpVersion: '2.0', ended: true, ...(protocol !== undefined && { connects: protocol }) }, [
        'sec-websocket-version',
        '13',
      ]);
    const asked = [undefined, 'websocket', 'connect-udp', 'websocket', undefined].map((protocol) => {
      const { request } = known.read(connects(protocol));
      return isRefused(request) ? request.rule : request.upgrade?.protocol;
    });
    expect(asked).toEqual([undefined, 'websocket', 'upgrade', 'websocket', undefined]);
  });

  it('that is long is not kept', () => {
    const known = heads();
    const long = () => headOf({}, ['x-long', 'y'.repeat(4096)]);
    expect(known.read(long()).request).not.toBe(known.read(long()).request);
    expect(known.read(long())).toEqual(known.read(long()));
  });
});
