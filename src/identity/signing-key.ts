import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { HoopError } from '../core/errors.ts';

/** A private key to be kept by the gateway: JSON, to be stored owner-only or encrypted. */
export type PrivateJwk = JsonWebKey & { readonly kty: 'OKP' | 'EC' };

/** The gateway's own signing key, ready for use. */
export interface SigningKey {
  readonly algorithm: 'EdDSA' | 'ES256';
  /** RFC 7638 thumbprint. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * Makes a new Ed25519 key.
 *
 * @returns The private JWK. Whoever has it can make tokens: keep it like a password. Never throws.
 * @see https://www.rfc-editor.org/rfc/rfc8037
 */
export function generateSigningKey(): PrivateJwk {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as PrivateJwk;
}

/**
 * Reads a kept signing key: Ed25519, or P-256.
 *
 * @param jwk What `generateSigningKey` gave, or another private JWK of these kinds.
 * @returns The key.
 * @throws {HoopError} `ERR_CONFIG` not a private key, or of another kind. The text holds nothing of the key.
 * @see https://www.rfc-editor.org/rfc/rfc7517
 */
export async function loadSigningKey(jwk: PrivateJwk): Promise<SigningKey> {
  const algorithm = jwk.crv === 'Ed25519' ? 'EdDSA' : jwk.crv === 'P-256' ? 'ES256' : undefined;
  if (algorithm === undefined) throw new HoopError('ERR_CONFIG', 'the signing key must be Ed25519 or P-256');
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new HoopError('ERR_CONFIG', 'the signing key cannot be read');
  }
  const publicKey = createPublicKey(privateKey);
  const keyId = await calculateJwkThumbprint(publicKey, 'sha256');
  return { algorithm, keyId, privateKey, publicKey };
}
