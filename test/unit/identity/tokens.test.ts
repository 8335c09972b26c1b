import { createHmac, generateKeyPairSync } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  generateSigningKey,
  loadSigningKey,
  type PrivateJwk,
  type SigningKey,
} from '../../../src/identity/signing-key.ts';
import { GatewayTokens } from '../../../src/identity/tokens.ts';
import { HandClock, principal, refused, START } from './support.ts';

const GATEWAY = 'https://hoop.example.com:7443';
let clock: HandClock;
let jwk: PrivateJwk;
let key: SigningKey;
let tokens: GatewayTokens;
beforeEach(async () => {
  clock = new HandClock();
  jwk = generateSigningKey();
  key = await loadSigningKey(jwk);
  tokens = new GatewayTokens({ key, gateway: GATEWAY, clock });
});

describe('our token', () => {
  it('brings the whole principal back', async () => {
    const { token, expiresAt } = await tokens.issue(principal());
    expect(expiresAt).toBe(START + 300_000);
    expect(await tokens.verifyAccessToken(token, 'thumb-1')).toEqual(principal());
    const { person: _, ...alone } = principal({ name: 'ci-migrate' });
    const machine = await tokens.issue(alone);
    expect(await tokens.verifyAccessToken(machine.token, 'thumb-1')).toEqual(alone);
  });

  it('says what the standards say', async () => {
    const { token } = await tokens.issue(principal());
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: key.keyId });
    expect(decodeJwt(token)).toMatchObject({
      iss: GATEWAY,
      aud: GATEWAY,
      sub: 'https://login.example.com u1',
      act: { sub: 'shop-copilot' },
      cnf: { jkt: 'thumb-1' },
      iat: START / 1000,
      exp: START / 1000 + 300,
    });
    const own = await tokens.issue(principal({ kind: 'person' }));
    expect(decodeJwt(own.token)['act']).toBeUndefined();
  });

  it('survives a restart with the same key, and not with another', async () => {
    const { token } = await tokens.issue(principal());
    const same = new GatewayTokens({
      key: await loadSigningKey(structuredClone(jwk)),
      gateway: GATEWAY,
      clock,
    });
    await expect(same.verifyAccessToken(token, 'thumb-1')).resolves.toEqual(principal());
    const other = new GatewayTokens({
      key: await loadSigningKey(generateSigningKey()),
      gateway: GATEWAY,
      clock,
    });
    await refused(() => other.verifyAccessToken(token, 'thumb-1'), 'ERR_TOKEN_INVALID');
  });

  it('is worth nothing without its key, cached or not', async () => {
    const { token } = await tokens.issue(principal());
    await refused(() => tokens.verifyAccessToken(token, 'thumb-2'), 'ERR_TOKEN_INVALID');
    await tokens.verifyAccessToken(token, 'thumb-1');
    await refused(() => tokens.verifyAccessToken(token, 'thumb-2'), 'ERR_TOKEN_INVALID');
    await refused(() => tokens.verifyAccessToken(token, ''), 'ERR_TOKEN_INVALID');
  });

  it('ends after five minutes, cached or not', async () => {
    const { token } = await tokens.issue(principal());
    await tokens.verifyAccessToken(token, 'thumb-1');
    clock.advance(299_999);
    await tokens.verifyAccessToken(token, 'thumb-1');
    clock.advance(1);
    await refused(() => tokens.verifyAccessToken(token, 'thumb-1'), 'ERR_LOGIN_EXPIRED');
    await refused(() => tokens.verifyAccessToken(token, 'thumb-1'), 'ERR_LOGIN_EXPIRED');
  });

  it('ends at the deadline if that is sooner', async () => {
    const { expiresAt } = await tokens.issue(principal({ deadline: START + 10_500 }));
    expect(expiresAt).toBe(START + 10_000);
    await refused(() => tokens.issue(principal({ deadline: START })), 'ERR_LOGIN_EXPIRED');
  });

  it('is not made so long that no request could carry it', async () => {
    const groups = Array.from({ length: 400 }, (_, i) => `a-group-with-a-long-name-${i}`);
    await refused(() => tokens.issue(principal({ groups })), 'ERR_TOKEN_TOO_LARGE');
  });

  it.each<[string, (token: string) => Promise<string> | string]>([
    [
      'a changed payload',
      (token) => token.replace(/\.(.)/, (_, first: string) => `.${first === 'e' ? 'f' : 'e'}`),
    ],
    ['a cut signature', (token) => token.slice(0, -2)],
    ['no signature', (token) => token.replace(/[^.]*$/, '')],
    ['20 KiB', (token) => token + 'a'.repeat(20_000)],
    ['nothing', () => ''],
    [
      'algorithm none',
      (token) =>
        `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${token.split('.')[1]}.`,
    ],
    ['HMAC over the public key', (token) => hmac(token)],
    ['type JWT', () => signed({}, { typ: 'JWT' })],
    ['another issuer', () => signed({ iss: 'https://evil.example' })],
    ['another gateway as audience', () => signed({ aud: 'https://hoop2.example.com' })],
    ['no audience', () => signed({ aud: undefined })],
    ['no end', () => signed({ exp: undefined })],
    ['no key bound', () => signed({ cnf: undefined })],
    ['an empty key bound', () => signed({ cnf: { jkt: '' } })],
    ['no principal', () => signed({ hoop: undefined })],
    ['half a principal', () => signed({ hoop: { kind: 'agent', name: 'x' } })],
  ])('is refused with %s', async (_name, change) => {
    const { token } = await tokens.issue(principal());
    const changed = await change(token);
    await refused(() => tokens.verifyAccessToken(changed, 'thumb-1'), 'ERR_TOKEN_INVALID');
  });

  function hmac(token: string): string {
    const body = `${Buffer.from('{"alg":"HS256","typ":"at+jwt"}').toString('base64url')}.${token.split('.')[1]}`;
    const pem = key.publicKey.export({ format: 'pem', type: 'spki' });
    return `${body}.${createHmac('sha256', pem).update(body).digest('base64url')}`;
  }

  /** Signed by the gateway's very key, but not what the gateway says. */
  function signed(claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
    const { keyThumbprint: jkt, ...hoop } = principal();
    const now = START / 1000;
    const all = {
      iss: GATEWAY,
      aud: GATEWAY,
      sub: 's',
      iat: now,
      exp: now + 300,
      cnf: { jkt },
      hoop,
      ...claims,
    };
    return new SignJWT(all)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', ...header })
      .sign(key.privateKey);
  }
});

describe('the signing key', () => {
  it('may be P-256', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    const es256 = new GatewayTokens({ key: await loadSigningKey(ec as PrivateJwk), gateway: GATEWAY, clock });
    const { token } = await es256.issue(principal());
    expect(decodeProtectedHeader(token).alg).toBe('ES256');
    await expect(es256.verifyAccessToken(token, 'thumb-1')).resolves.toEqual(principal());
  });

  it.each<[string, object]>([
    ['a public key', { ...generateSigningKey(), d: undefined }],
    ['another curve', { kty: 'EC', crv: 'P-384', x: '', y: '', d: '' }],
    ['nothing', {}],
  ])('is not %s', async (_name, wrong) => {
    await refused(() => loadSigningKey(wrong as PrivateJwk), 'ERR_CONFIG');
  });
});
