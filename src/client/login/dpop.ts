/**
 * Proof of possession: each process of hoopctl has a key of its own, which never leaves its memory; but one that asks for
 * an approval ahead leaves its key to the process that will use it.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { CryptoKey, JWK } from 'jose';
import { EXPORTER_CLAIM } from '../../api/contract.ts';
import type { Clock } from '../../core/clock.ts';

export interface ProofRequest {
  readonly method: string;
  /** Query and fragment are left out of the proof. */
  readonly url: URL;
  /** The access token that the proof goes with; its hash is signed. Absent at the token endpoint. */
  readonly accessToken?: string;
  readonly nonce?: string;
  /** Exporter value of the TLS connection that the request goes over: binds the proof to it. */
  readonly exporter?: Buffer;
}

export class InstanceKey {
  readonly #privateKey: CryptoKey;
  readonly #jwk: JWK;
  readonly #clock: Clock;

  private constructor(privateKey: CryptoKey, jwk: JWK, clock: Clock) {
    this.#privateKey = privateKey;
    this.#jwk = jwk;
    this.#clock = clock;
  }

  /** Makes a new ES256 key that cannot be exported. */
  static async create(clock: Clock): Promise<InstanceKey> {
    const { exportJWK, generateKeyPair } = await import('jose');
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: false });
    const { kty, crv, x, y } = await exportJWK(publicKey);
    return new InstanceKey(privateKey, { kty, crv, x, y } as JWK, clock);
  }

  /** A private key that can be kept: for an instance that goes on in another process. */
  static async newPrivateJwk(): Promise<JWK> {
    const { exportJWK, generateKeyPair } = await import('jose');
    return exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey);
  }

  /** @param jwk As `newPrivateJwk` made it. */
  static async from(jwk: JWK, clock: Clock): Promise<InstanceKey> {
    const { importJWK } = await import('jose');
    const { kty, crv, x, y } = jwk;
    const privateKey = (await importJWK(jwk, 'ES256', { extractable: false })) as CryptoKey;
    return new InstanceKey(privateKey, { kty, crv, x, y } as JWK, clock);
  }

  /**
   * Signs one proof, good for one request.
   *
   * @returns A compact JWS for the `DPoP` field. Never throws for well-formed requests.
   * @see RFC 9449 §4.2; RFC 9266 for the exporter value
   */
  async proof(request: ProofRequest): Promise<string> {
    const { SignJWT } = await import('jose');
    const claims: Record<string, string> = {
      jti: randomUUID(),
      htm: request.method,
      htu: `${request.url.origin}${request.url.pathname}`,
    };
    if (request.accessToken !== undefined) claims['ath'] = sha256(request.accessToken);
    if (request.nonce !== undefined) claims['nonce'] = request.nonce;
    if (request.exporter !== undefined) claims[EXPORTER_CLAIM] = request.exporter.toString('base64url');
    return new SignJWT(claims)
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: this.#jwk })
      .setIssuedAt(Math.floor(this.#clock.now() / 1000))
      .sign(this.#privateKey);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'ascii').digest('base64url');
}
