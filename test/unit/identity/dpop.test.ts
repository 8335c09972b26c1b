import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ProofCheck, verifyProof } from '../../../src/identity/dpop.ts';
import { NonceSource, ProofNonceError } from '../../../src/identity/nonces.ts';
import { makeProofKey, type ProofKey, type ProofOptions } from '../../support/identity/proof-key.ts';
import { refused, START } from './support.ts';

const URL_ = 'https://hoop.example.com/v1/whoami';
let key: ProofKey;
beforeAll(async () => {
  key = await makeProofKey();
});

interface Overrides {
  readonly proof?: string | undefined;
  readonly method?: string;
  readonly url?: string;
  readonly accessToken?: string | undefined;
  readonly now?: number;
}

function check(nonces: NonceSource, proof: string | undefined, overrides: Overrides = {}): ProofCheck {
  return {
    proof,
    method: 'GET',
    url: URL_,
    accessToken: 'token',
    now: START,
    requireNonce: nonces,
    ...overrides,
  };
}

function proofFor(nonces: NonceSource, options: ProofOptions = {}, signer: ProofKey = key): Promise<string> {
  const nonce = nonces.current(START);
  return signer.proof({ method: 'GET', url: URL_, accessToken: 'token', now: START, nonce, ...options });
}

/** What hoopd says to a proof with these oddities. */
async function refusal(options: ProofOptions, overrides: Overrides = {}): Promise<string> {
  const nonces = new NonceSource(START);
  const proof = await proofFor(nonces, options);
  return refused(() => verifyProof(check(nonces, proof, overrides)), 'ERR_PROOF_INVALID');
}

describe('a proof for an API call', () => {
  it.each(['ES256', 'EdDSA'] as const)('by %s gives the thumbprint of its key', async (algorithm) => {
    const nonces = new NonceSource(START);
    const signer = await makeProofKey(algorithm);
    const proof = await proofFor(nonces, {}, signer);
    expect((await verifyProof(check(nonces, proof))).thumbprint).toBe(signer.thumbprint);
  });

  it.each<[string, ProofOptions, string]>([
    ['another method', { claims: { htm: 'POST' } }, 'another method'],
    ['the method in small letters', { claims: { htm: 'get' } }, 'another method'],
    ['another path', { url: 'https://hoop.example.com/v1/sessions' }, 'another address'],
    ['a path that climbs', { url: 'https://hoop.example.com/v1/whoami/..' }, 'another address'],
    ['another host', { url: 'https://hoop.example.com.evil.example/v1/whoami' }, 'another address'],
    ['another port', { url: 'https://hoop.example.com:8443/v1/whoami' }, 'another address'],
    ['plain http', { url: 'http://hoop.example.com/v1/whoami' }, 'another address'],
    ['a user in the address', { url: 'https://x@hoop.example.com/v1/whoami' }, 'another address'],
    ['no address', { claims: { htu: 'whoami' } }, 'another address'],
    ['a list of addresses', { claims: { htu: [URL_] } }, 'another address'],
    ['another token', { accessToken: 'other' }, 'another token'],
    ['no token', { accessToken: undefined }, 'another token'],
    ['the token itself instead of its hash', { claims: { ath: 'token' } }, 'another token'],
    ['61 seconds ago', { now: START - 61_000 }, 'not made just now'],
    ['in 61 seconds', { now: START + 61_000 }, 'not made just now'],
    ['iat of another type', { claims: { iat: '1' } }, 'iat'],
    ['no iat', { claims: { iat: undefined } }, 'iat'],
    ['no jti', { claims: { jti: undefined } }, 'jti'],
    ['an empty jti', { claims: { jti: '' } }, 'jti'],
    ['a jti of 257 characters', { claims: { jti: 'j'.repeat(257) } }, 'jti'],
    ['no htm', { claims: { htm: undefined } }, 'htm'],
    ['an exp that has passed', { claims: { exp: START / 1000 - 61 } }, 'expired'],
    ['type JWT', { header: { typ: 'JWT' } }, 'dpop+jwt'],
    ['no type', { header: { typ: undefined } }, 'dpop+jwt'],
    ['no key', { header: { jwk: undefined } }, 'names no key'],
    ['a key that is a text', { header: { jwk: 'x' } }, 'names no key'],
    ['9 KiB', { claims: { padding: 'x'.repeat(9_000) } }, '8 KiB'],
  ])('is refused for %s', async (_name, options, text) => {
    expect(await refusal(options)).toContain(text);
  });

  it('is told, where it is for another address, how this gateway names itself', async () => {
    const nonces = new NonceSource(START);
    const proof = await proofFor(nonces, { url: 'https://localhost/v1/whoami' });
    await expect(verifyProof(check(nonces, proof))).rejects.toMatchObject({
      hint: 'name this gateway as it names itself: https://hoop.example.com',
    });
  });

  it.each([
    ['a query and a fragment', `${URL_}?a=b#c`],
    ['the default port', 'https://hoop.example.com:443/v1/whoami'],
    ['capitals in the host', 'https://HOOP.example.com/v1/whoami'],
    ['dots in the path', 'https://hoop.example.com/x/../v1/whoami'],
  ])('is accepted with %s', async (_name, url) => {
    const nonces = new NonceSource(START);
    await expect(verifyProof(check(nonces, await proofFor(nonces, { url })))).resolves.toBeDefined();
  });

  it.each([-59_000, -60_000, 59_000, 60_000])('is accepted %i ms off', async (skew) => {
    const nonces = new NonceSource(START);
    const proof = await proofFor(nonces, { now: START + skew });
    await expect(verifyProof(check(nonces, proof))).resolves.toBeDefined();
  });

  it('must be there', async () => {
    for (const proof of [undefined, '', 'x', 'a.b.c', 'e30.e30.e30']) {
      await refused(() => verifyProof(check(new NonceSource(START), proof)), 'ERR_PROOF_INVALID');
    }
  });

  it('is refused when it gives away its private key', async () => {
    expect(await refusal({ header: { jwk: key.privateJwk } })).toContain('private key');
  });

  it('is refused under a key that did not sign it', async () => {
    const other = await makeProofKey();
    await refusal({ header: { jwk: other.publicJwk } });
  });

  it('is refused with an algorithm of none or HMAC over its own key', async () => {
    const nonces = new NonceSource(START);
    const [, payload] = (await proofFor(nonces)).split('.');
    for (const alg of ['none', 'HS256', 'RS256', 'ES384', 'PS256']) {
      const header = { alg, typ: 'dpop+jwt', jwk: key.publicJwk };
      const body = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}`;
      const mac = createHmac('sha256', JSON.stringify(key.publicJwk)).update(body).digest('base64url');
      for (const signature of ['', mac]) {
        await refused(() => verifyProof(check(nonces, `${body}.${signature}`)), 'ERR_PROOF_INVALID');
      }
    }
  });

  it('is refused with a symmetric or RSA key', async () => {
    await refusal({ header: { jwk: { kty: 'oct', k: 'c2VjcmV0' } } });
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
    await refusal({ header: { jwk: rsa } });
  });

  it('cannot be checked without anything that makes it fresh', async () => {
    const nonces = new NonceSource(START);
    const { requireNonce: _, ...unsafe } = check(nonces, await proofFor(nonces));
    await refused(() => verifyProof(unsafe as ProofCheck), 'ERR_INTERNAL');
  });
});

describe('the nonce', () => {
  const attempt = async (nonces: NonceSource, nonce: string | undefined, now: number) =>
    verifyProof(check(nonces, await proofFor(nonces, { nonce, now }), { now }));

  it('is demanded, and given with the refusal', async () => {
    const nonces = new NonceSource(START);
    for (const nonce of [undefined, '', randomBytes(32).toString('base64url')]) {
      const error = await attempt(nonces, nonce, START).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ProofNonceError);
      expect(error).toMatchObject({ code: 'ERR_PROOF_NONCE', httpStatus: 401 });
      const given = (error as ProofNonceError).nonce;
      await expect(attempt(nonces, given, START)).resolves.toBeDefined();
    }
  });

  it('of another type is refused', async () => {
    const nonces = new NonceSource(START);
    const proof = await proofFor(nonces, { claims: { nonce: { $ne: null } } });
    await refused(() => verifyProof(check(nonces, proof)), 'ERR_PROOF_NONCE');
  });

  it('lives for less than five minutes, and serves on while its successor is current', async () => {
    const nonces = new NonceSource(START);
    const first = nonces.current(START);
    expect(nonces.current(START + 119_999)).toBe(first);
    const second = nonces.current(START + 120_000);
    expect(second).not.toBe(first);
    await expect(attempt(nonces, first, START + 239_999)).resolves.toBeDefined();
    await refused(() => attempt(nonces, first, START + 240_000), 'ERR_PROOF_NONCE');
  });

  it('does not come back after a long silence', async () => {
    const nonces = new NonceSource(START);
    const first = nonces.current(START);
    await refused(() => attempt(nonces, first, START + 3_600_000), 'ERR_PROOF_NONCE');
  });
});

describe('a proof that comes again', () => {
  it('is refused as long as its nonce lives, and by its nonce after that', async () => {
    const nonces = new NonceSource(START);
    const proof = await proofFor(nonces, { now: START + 60_000 });
    await verifyProof(check(nonces, proof));
    for (const now of [START, START + 60_000, START + 119_999]) {
      const text = await refused(() => verifyProof(check(nonces, proof, { now })), 'ERR_PROOF_INVALID');
      expect(text).toContain('used before');
    }
    await refused(() => verifyProof(check(nonces, proof, { now: START + 240_000 })), 'ERR_PROOF_NONCE');
  });

  it('is told from another key’s proof with the same jti', async () => {
    const nonces = new NonceSource(START);
    const other = await makeProofKey();
    const claims = { jti: 'same' };
    await verifyProof(check(nonces, await proofFor(nonces, { claims })));
    await expect(
      verifyProof(check(nonces, await proofFor(nonces, { claims }, other))),
    ).resolves.toBeDefined();
    await refused(
      async () => verifyProof(check(nonces, await proofFor(nonces, { claims }))),
      'ERR_PROOF_INVALID',
    );
  });

  it('is refused even after a flood: the nonce retires early instead', async () => {
    const nonces = new NonceSource(START, 3);
    const first = nonces.current(START);
    const proof = await proofFor(nonces);
    await verifyProof(check(nonces, proof));
    for (let i = 0; i < 20; i++) nonces.use(nonces.current(START), `flood-${i}`, START);
    expect(nonces.current(START)).not.toBe(first);
    await refused(() => verifyProof(check(nonces, proof)), 'ERR_PROOF_NONCE');
  });

  it('with a bad signature does not use the good one up', async () => {
    const nonces = new NonceSource(START);
    const proof = await proofFor(nonces);
    const [header, payload] = proof.split('.');
    const forged = `${header}.${payload}.${randomBytes(64).toString('base64url')}`;
    await refused(() => verifyProof(check(nonces, forged)), 'ERR_PROOF_INVALID');
    await expect(verifyProof(check(nonces, proof))).resolves.toBeDefined();
  });
});

describe('a proof for a tunnel stream', () => {
  const exporter = randomBytes(32);
  const verify = async (options: ProofOptions, value: Uint8Array = exporter) => {
    const proof = await key.proof({
      method: 'GET',
      url: URL_,
      accessToken: 'token',
      now: START,
      exporter,
      ...options,
    });
    return verifyProof({
      proof,
      method: 'GET',
      url: URL_,
      accessToken: 'token',
      now: START,
      exporter: value,
    });
  };

  it('needs no nonce', async () => {
    expect((await verify({})).thumbprint).toBe(key.thumbprint);
  });

  it.each<[string, ProofOptions]>([
    ['from another TLS connection', { exporter: randomBytes(32) }],
    ['bound to none', { exporter: undefined }],
    ['bound to a beginning of the value', { exporter: exporter.subarray(0, 31) }],
    ['bound to a number', { claims: { hoop_exp: 1 } }],
  ])('is refused %s', async (_name, options) => {
    const text = await refused(() => verify(options), 'ERR_PROOF_INVALID');
    expect(text).toContain('another TLS connection');
  });

  it('is never compared with an empty value', async () => {
    await refused(() => verify({ exporter: Buffer.alloc(0) }, Buffer.alloc(0)), 'ERR_INTERNAL');
  });
});
