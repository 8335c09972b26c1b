import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PATHS, TUNNEL_HEADERS } from '../../../src/api/contract.ts';
import { isHoopError } from '../../../src/core/errors.ts';
import { isTunnelRequest, parseTunnelRequest } from '../../../src/gateway/tunnel/request.ts';

function request(url: string, fields: Record<string, string[]> = {}, method = 'GET'): IncomingMessage {
  const headers = Object.fromEntries(
    Object.entries(fields).map(([name, values]) => [name, values.join(', ')]),
  );
  return { url, method, headers, headersDistinct: fields } as unknown as IncomingMessage;
}

const verifier = `SCRAM-SHA-256$4096:${'A'.repeat(22)}==$${'B'.repeat(43)}=:${'C'.repeat(43)}=`;

describe('what counts as a tunnel', () => {
  it.each([
    ['GET', '/v1/tunnels/pg', 'hoop-tunnel/1', true],
    ['GET', '/v1/tunnels/pg', 'Hoop-Tunnel/1', true],
    ['POST', '/v1/tunnels/pg', 'hoop-tunnel/1', false],
    ['GET', '/v1/whoami', 'hoop-tunnel/1', false],
    ['GET', '/v1/tunnels/pg', 'websocket', false],
    ['GET', '/v1/tunnels/pg', 'h2c', false],
    ['GET', '/v1/tunnels', 'hoop-tunnel/1', false],
  ])('%s %s with %s', (method, url, upgrade, expected) => {
    expect(isTunnelRequest(request(url, { upgrade: [upgrade] }, method))).toBe(expected);
  });
});

describe('the opening request', () => {
  const parse = (fields: Record<string, string[]>, name = 'pg-prod') =>
    parseTunnelRequest(request(`${PATHS.tunnel}/${name}`, fields));

  it('is read', () => {
    expect(
      parse({ [TUNNEL_HEADERS.reason]: ['fix%20%C3%BC'], [TUNNEL_HEADERS.localVerifier]: [verifier] }),
    ).toEqual({ resource: 'pg-prod', reason: 'fix ü', localVerifier: verifier });
    expect(parse({})).toEqual({ resource: 'pg-prod', reason: undefined, localVerifier: undefined });
  });

  it('a query does not count', () => {
    expect(parse({}, 'pg-prod?x=1').resource).toBe('pg-prod');
  });

  it('a reason cannot move the cursor, colour a terminal or turn the direction of writing', () => {
    const reason = encodeURIComponent('a\u001b[31mb\r\nc\u202ed\u2028e');
    expect(parse({ [TUNNEL_HEADERS.reason]: [reason] }).reason).toBe('a [31mb  c d e');
  });

  it.each([
    ['a field twice', { [TUNNEL_HEADERS.reason]: ['a', 'b'] }],
    ['half a percent', { [TUNNEL_HEADERS.reason]: ['%'] }],
    ['no UTF-8', { [TUNNEL_HEADERS.reason]: ['%ff%fe'] }],
    ['too much', { [TUNNEL_HEADERS.reason]: ['%C3%BC'.repeat(513)] }],
    ['another mechanism', { [TUNNEL_HEADERS.localVerifier]: [verifier.replace('256', '1')] }],
    ['a million iterations', { [TUNNEL_HEADERS.localVerifier]: [verifier.replace('4096', '1000000')] }],
    ['a password', { [TUNNEL_HEADERS.localVerifier]: ['hunter2'] }],
  ])('%s is refused', (_, fields) => {
    expect(() => parse(fields)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });

  it('whatever comes, only our own errors come out', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'binary' }), fc.string(), (name, reason, local) => {
        try {
          const parsed = parse(
            { [TUNNEL_HEADERS.reason]: [reason], [TUNNEL_HEADERS.localVerifier]: [local] },
            name,
          );
          expect(parsed.resource).toMatch(/^[a-z0-9][a-z0-9._-]{0,62}$/);
        } catch (error) {
          expect(isHoopError(error)).toBe(true);
        }
      }),
    );
  });
});
