/** What hoopctl holds: a key, and the proofs it signs with it. */
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, type JWK, SignJWT } from 'jose';
import { EXPORTER_CLAIM } from '../../../src/api/contract.ts';

export interface ProofOptions {
  readonly method?: string;
  readonly url?: string;
  readonly nonce?: string | undefined;
  readonly accessToken?: string | undefined;
  readonly exporter?: Uint8Array | undefined;
  /** ms since the epoch. */
  readonly now?: number;
  /** Over everything else; undefined removes. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

export interface ProofKey {
  readonly thumbprint: string;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
  proof(options?: ProofOptions): Promise<string>;
}

export async function makeProofKey(algorithm: 'ES256' | 'EdDSA' = 'ES256'): Promise<ProofKey> {
  const { privateKey, publicKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519');
  const publicJwk = await exportJWK(publicKey);
  return {
    publicJwk,
    privateJwk: await exportJWK(privateKey),
    thumbprint: await calculateJwkThumbprint(publicJwk, 'sha256'),
    proof: (options = {}) => {
      const {
        method = 'POST',
        url = 'https://hoop.example.com/v1/token',
        nonce,
        accessToken,
        exporter,
      } = options;
      const claims = {
        jti: randomUUID(),
        htm: method,
        htu: url,
        iat: Math.floor((options.now ?? Date.now()) / 1000),
        nonce,
        ath:
          accessToken === undefined
            ? undefined
            : createHash('sha256').update(accessToken).digest('base64url'),
        [EXPORTER_CLAIM]: exporter === undefined ? undefined : Buffer.from(exporter).toString('base64url'),
        ...options.claims,
      };
      return new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, typ: 'dpop+jwt', jwk: publicJwk, ...options.header })
        .sign(privateKey);
    },
  };
}
