import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AHEAD_WORDS, PATHS, TUNNEL_HEADERS } from '../../../src/api/contract.ts';
import { isHoopError } from '../../../src/core/errors.ts';
import { checkLocalProof } from '../../../src/gateway/tunnel/local-proof.ts';
import { isTunnelRequest, parseTunnelRequest } from '../../../src/gateway/tunnel/request.ts';

function request(url: string, fields: Record<string, string[]> = {}, method = 'GET'): IncomingMessage {
  const headers = Object.fromEntries(
    Object.entries(fields).map(([name, values]) => [name, values.join(', ')]),
  );
  return { url, method, headers, headersDistinct: fields } as unknown as IncomingMessage;
}

const verifier = `scram-sha-256 SCRAM-SHA-256$4096:${'A'.repeat(22)}==$${'B'.repeat(43)}=:${'C'.repeat(43)}=`;

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
      parse({ [TUNNEL_HEADERS.reason]: ['fix%20%C3%BC'], [TUNNEL_HEADERS.localProof]: [verifier] }),
    ).toEqual({
      resource: 'pg-prod',
      id: undefined,
      asks: false,
      ahead: undefined,
      idempotencyKey: undefined,
      reason: 'fix ü',
      localProof: { kind: 'scram-sha-256', value: verifier.slice('scram-sha-256 '.length) },
    });
    expect(parse({})).toEqual({
      resource: 'pg-prod',
      id: undefined,
      asks: false,
      ahead: undefined,
      idempotencyKey: undefined,
      reason: undefined,
      localProof: undefined,
    });
    const id = 'A'.repeat(22);
    expect(parse({ [TUNNEL_HEADERS.tunnel]: [id] })).toMatchObject({ id });
  });

  it.each([
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['"ticket 4711, once more"', 'ticket 4711, once more'],
    ['8e03978e-40d5', '8e03978e-40d5'],
    [`"${'k'.repeat(255)}"`, 'k'.repeat(255)],
  ])('a key of the caller, as a string or a token: %s', (given, idempotencyKey) => {
    const fields = { [TUNNEL_HEADERS.approval]: [AHEAD_WORDS.asks], [TUNNEL_HEADERS.idempotency]: [given] };
    expect(parse(fields)).toMatchObject({ ahead: 'asks', idempotencyKey });
  });

  it.each(['', '""', '"a', 'a b', '"a\\"b"', '"\u00fc"', '"a";q=1', `"${'k'.repeat(256)}"`])(
    'a key that is none is refused: %s',
    (key) => {
      const fields = { [TUNNEL_HEADERS.approval]: ['ask'], [TUNNEL_HEADERS.idempotency]: [key] };
      expect(() => parse(fields)).toThrow('1 to 255 characters');
    },
  );

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
    ['a key where nothing is asked', { [TUNNEL_HEADERS.idempotency]: ['"k"'] }],
    ['a key twice', { [TUNNEL_HEADERS.approval]: ['ask'], [TUNNEL_HEADERS.idempotency]: ['"a"', '"a"'] }],
    ['a tunnel that is too short', { [TUNNEL_HEADERS.tunnel]: ['A'.repeat(21)] }],
    ['a tunnel twice', { [TUNNEL_HEADERS.tunnel]: ['A'.repeat(22), 'A'.repeat(22)] }],
    ['another mechanism', { [TUNNEL_HEADERS.localProof]: [verifier.replace('SHA-256', 'SHA-1')] }],
    ['a million iterations', { [TUNNEL_HEADERS.localProof]: [verifier.replace('4096', '1000000')] }],
    ['a password', { [TUNNEL_HEADERS.localProof]: ['hunter2'] }],
    ['a proof with two spaces', { [TUNNEL_HEADERS.localProof]: [verifier.replace(' ', '  ')] }],
    ['a key that is none', { [TUNNEL_HEADERS.localProof]: ['ssh-key AAAA'] }],
    ['a token in the clear', { [TUNNEL_HEADERS.localProof]: ['bearer-sha256 hunter2'] }],
    ['a value of another kind', { [TUNNEL_HEADERS.localProof]: [verifier.replace('scram', 'bearer')] }],
    ['the header of hoopctl 0.1', { 'hoop-local-verifier': [verifier] }],
  ])('%s is refused', (_, fields) => {
    expect(() => parse(fields)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });

  it('a proof of an unknown kind is told what is known', () => {
    expect(() => parse({ [TUNNEL_HEADERS.localProof]: ['password AAAA'] })).toThrow(
      expect.objectContaining({
        code: 'ERR_USAGE',
        hint: expect.stringContaining('scram-sha-256, bearer-sha256, ssh-key'),
      }),
    );
  });

  it('only the kind that the protocol takes is taken', () => {
    const proof = { kind: 'bearer-sha256', value: 'A'.repeat(43) } as const;
    expect(parse({ [TUNNEL_HEADERS.localProof]: [`bearer-sha256 ${proof.value}`] }).localProof).toEqual(
      proof,
    );
    expect(() => checkLocalProof(proof, 'scram-sha-256')).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining('scram-sha-256') }),
    );
    expect(() => checkLocalProof(proof, 'bearer-sha256')).not.toThrow();
    expect(() => checkLocalProof(undefined, 'scram-sha-256')).not.toThrow();
  });

  it('whatever comes, only our own errors come out', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'binary' }), fc.string(), (name, reason, local) => {
        try {
          const parsed = parse(
            { [TUNNEL_HEADERS.reason]: [reason], [TUNNEL_HEADERS.localProof]: [local] },
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
