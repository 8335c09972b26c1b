import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { IssuerRegistry } from '../../../src/identity/issuers/issuer.ts';
import type { KeyTimes } from '../../../src/identity/issuers/jwks.ts';
import { type JwksIssuer, startJwksIssuer } from '../../support/identity/jwks-issuer.ts';
import { codeOf, HandClock, refused } from './support.ts';

let idp: JwksIssuer;
let clock: HandClock;
beforeAll(async () => {
  idp = await startJwksIssuer('/realm');
});
beforeEach(() => {
  clock = new HandClock();
  idp.answer('discovery', undefined);
  idp.answer('jwks', undefined);
});
afterAll(() => idp.stop());

function registry(times: Partial<KeyTimes> = {}) {
  const config = { issuer: idp.issuer, audience: 'hoop', claims: {} };
  return new IssuerRegistry([config], { clock, times });
}

const mint = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
  idp.mint(claims, { now: clock.now(), header });

async function fetchesDuring(action: () => Promise<unknown>): Promise<number> {
  const before = idp.keyFetches();
  await action();
  return idp.keyFetches() - before;
}

describe('keys of an issuer', () => {
  it('are fetched once for many tokens at once', async () => {
    const issuers = registry();
    const fetches = await fetchesDuring(() =>
      Promise.all(Array.from({ length: 50 }, () => issuers.verifySubjectToken(mint(), 'jwt'))),
    );
    expect(fetches).toBe(1);
  });

  it('are not fetched for a storm of unknown key ids', async () => {
    const issuers = registry();
    await issuers.verifySubjectToken(mint(), 'jwt');
    const storm = () =>
      Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          refused(
            () => issuers.verifySubjectToken(mint({}, { kid: `kid-${i}` }), 'jwt'),
            'ERR_TOKEN_INVALID',
          ),
        ),
      );
    expect(await fetchesDuring(storm)).toBe(0);
    clock.advance(30_001);
    expect(await fetchesDuring(storm)).toBe(1);
    expect(await fetchesDuring(storm)).toBe(0);
  });

  it('follow a rotation after the cooldown; the old key dies with it', async () => {
    const issuers = registry();
    const old = mint();
    await issuers.verifySubjectToken(old, 'jwt');
    await idp.rotate();
    await refused(() => issuers.verifySubjectToken(mint(), 'jwt'), 'ERR_TOKEN_INVALID');
    clock.advance(30_001);
    await expect(issuers.verifySubjectToken(mint(), 'jwt')).resolves.toBeDefined();
    await refused(() => issuers.verifySubjectToken(old, 'jwt'), 'ERR_TOKEN_INVALID');
  });

  it('that were withdrawn stop working when the cache is ten minutes old', async () => {
    const issuers = registry();
    const claims = { exp: clock.now() / 1000 + 3600 };
    const old = mint(claims);
    await issuers.verifySubjectToken(old, 'jwt');
    await idp.rotate();
    clock.advance(9 * 60_000);
    await expect(issuers.verifySubjectToken(old, 'jwt')).resolves.toBeDefined();
    clock.advance(60_000);
    await refused(() => issuers.verifySubjectToken(old, 'jwt'), 'ERR_TOKEN_INVALID');
  });

  it('go on working while the issuer is down, for a day', async () => {
    const issuers = registry();
    await issuers.verifySubjectToken(mint(), 'jwt');
    idp.answer('jwks', { status: 503, body: 'down' });
    idp.answer('discovery', { status: 503, body: 'down' });
    clock.advance(23 * 3_600_000);
    await expect(issuers.verifySubjectToken(mint(), 'jwt')).resolves.toBeDefined();
    clock.advance(3_600_000);
    await refused(() => issuers.verifySubjectToken(mint(), 'jwt'), 'ERR_ISSUER_UNREACHABLE');
    idp.answer('jwks', undefined);
    idp.answer('discovery', undefined);
    clock.advance(5_000);
    await expect(issuers.verifySubjectToken(mint(), 'jwt')).resolves.toBeDefined();
  });

  it('survive a reload of the configuration while the issuer is down', async () => {
    const before = registry();
    await before.verifySubjectToken(mint(), 'jwt');
    idp.answer('jwks', { status: 503, body: 'down' });
    const config = { issuer: idp.issuer, audience: 'other', claims: {} };
    const after = new IssuerRegistry([config], { clock, previous: before });
    await expect(after.verifySubjectToken(mint({ aud: 'other' }), 'jwt')).resolves.toBeDefined();
    await refused(() => after.verifySubjectToken(mint(), 'jwt'), 'ERR_TOKEN_INVALID');
  });

  it('are asked for again five seconds after a failure, not before', async () => {
    const issuers = registry();
    idp.answer('jwks', { status: 500, body: '' });
    const ask = () => codeOf(() => issuers.verifySubjectToken(mint(), 'jwt'));
    const fetches = await fetchesDuring(async () => {
      for (let i = 0; i < 20; i++) expect(await ask()).toBe('ERR_ISSUER_UNREACHABLE');
    });
    expect(fetches).toBe(1);
    idp.answer('jwks', undefined);
    clock.advance(5_000);
    expect(await ask()).toBeUndefined();
  });
});

describe('an issuer that misbehaves is unreachable', () => {
  const huge = JSON.stringify({ keys: [], padding: 'x'.repeat(300_000) });
  it.each<[string, 'discovery' | 'jwks', Parameters<JwksIssuer['answer']>[1]]>([
    ['discovery redirects', 'discovery', { status: 302, headers: { location: './elsewhere' }, body: '' }],
    ['keys redirect', 'jwks', { status: 307, headers: { location: './elsewhere-jwks' }, body: '' }],
    ['HTML', 'discovery', { status: 200, body: '<html>Sign in</html>' }],
    ['null', 'discovery', { status: 200, body: 'null' }],
    ['a list', 'jwks', { status: 200, body: '[]' }],
    ['no keys', 'jwks', { status: 200, body: '{}' }],
    ['101 keys', 'jwks', { status: 200, body: JSON.stringify({ keys: Array(101).fill({ kty: 'EC' }) }) }],
    ['300 KB', 'jwks', { status: 200, body: huge }],
    ['silence', 'jwks', 'hang'],
    ['keys by ftp', 'discovery', { status: 200, body: '{"jwks_uri":"ftp://127.0.0.1/"}' }],
  ])('%s', async (_name, path, answer) => {
    const issuers = registry({ timeoutMs: 200 });
    idp.answer(path, answer);
    await refused(() => issuers.verifySubjectToken(mint(), 'jwt'), 'ERR_ISSUER_UNREACHABLE');
  });

  it('that speaks for another issuer, though its keys are the right ones', async () => {
    const document = { issuer: `${idp.issuer}/`, jwks_uri: `${idp.issuer}/jwks` };
    idp.answer('discovery', { status: 200, body: JSON.stringify(document) });
    await refused(() => registry().verifySubjectToken(mint(), 'jwt'), 'ERR_ISSUER_UNREACHABLE');
  });

  it.each([
    ['another host by plain http', 'http://169.254.169.254/latest/meta-data', undefined],
    ['loopback, though the issuer is elsewhere', 'http://127.0.0.1:8500/v1/kv', 'https://login.example.com'],
    ['a file', 'file:///etc/passwd', undefined],
  ])('with keys at %s is not asked for them', async (_name, uri, elsewhere) => {
    const issuer = elsewhere ?? idp.issuer;
    const asked: string[] = [];
    const fetch = async (url: URL) => {
      asked.push(url.href);
      return Response.json({ issuer, jwks_uri: uri });
    };
    const issuers = new IssuerRegistry([{ issuer, audience: 'hoop', claims: {} }], { clock, fetch });
    const token = mint({ iss: issuer });
    await refused(() => issuers.verifySubjectToken(token, 'jwt'), 'ERR_ISSUER_UNREACHABLE');
    expect(asked).toEqual([`${issuer}/.well-known/openid-configuration`]);
  });

  it('symmetric keys in the set are never used', async () => {
    idp.answer('jwks', {
      status: 200,
      body: JSON.stringify({ keys: [{ kty: 'oct', kid: 'key-1', k: 'c2VjcmV0' }] }),
    });
    await refused(
      () => registry().verifySubjectToken(mint({}, { kid: 'key-1' }), 'jwt'),
      'ERR_TOKEN_INVALID',
    );
  });

  it('nobody listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await new Promise((resolve) => server.close(resolve));
    const issuers = new IssuerRegistry([{ issuer, audience: 'hoop', claims: {} }], { clock });
    const token = idp.mint({ iss: issuer }, { now: clock.now() });
    await refused(() => issuers.verifySubjectToken(token, 'jwt'), 'ERR_ISSUER_UNREACHABLE');
  });
});
