import type { Clock } from '../core/clock.ts';
import { HoopError } from '../core/errors.ts';
import { type ProofFreshness, verifyProof } from './dpop.ts';
import type { InstanceRegistry } from './instances.ts';
import type { Principal } from './principal.ts';
import type { GatewayTokens } from './tokens.ts';

/** What a request brings with it, and what it must be bound to. */
export type Credentials = ProofFreshness & {
  /** The `Authorization` header as it came; undefined if missing. */
  readonly authorization: string | undefined;
  /** The `DPoP` header as it came; undefined if missing. */
  readonly proof: string | undefined;
  readonly method: string;
  /** The gateway's public URL and the request's path. */
  readonly url: string;
};

export interface AuthenticatorOptions {
  readonly tokens: GatewayTokens;
  readonly instances: InstanceRegistry;
  readonly clock: Clock;
}

/** The one door: from a request's headers to a principal that may act now. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /**
   * Verifies proof, token, their bond, and that the credential is neither expired nor revoked.
   *
   * @param credentials Headers, and `requireNonce` for an API call or `exporter` for a tunnel stream.
   * @returns On whose authority the request is made.
   * @throws {HoopError} `ERR_NOT_LOGGED_IN` no token, or not by `Authorization: DPoP`; `ERR_PROOF_INVALID`;
   *   `ERR_PROOF_NONCE` (a `ProofNonceError`); `ERR_TOKEN_INVALID`; `ERR_LOGIN_EXPIRED`; `ERR_REVOKED`; `ERR_LIMIT`.
   * @see https://www.rfc-editor.org/rfc/rfc9449#section-7
   */
  async authenticate(credentials: Credentials): Promise<Principal> {
    const { tokens, instances, clock } = this.#options;
    const accessToken = tokenOf(credentials.authorization);
    const proof = await verifyProof({ ...credentials, accessToken, now: clock.now() });
    const { principal, expiresAt } = await tokens.verify(accessToken, proof.thumbprint, 0);
    const admitted = instances.admit(principal, expiresAt);
    instances.assertLive(admitted);
    return admitted;
  }
}

function tokenOf(authorization: string | undefined): string {
  const token = /^DPoP +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) {
    throw new HoopError('ERR_NOT_LOGGED_IN', undefined, {
      hint: 'send the token as "Authorization: DPoP …"',
    });
  }
  return token;
}
