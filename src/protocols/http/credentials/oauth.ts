import { noCredential } from './configured.ts';
import type { HttpCredential } from './credential.ts';
import { Renewed, type RenewedParts } from './renewed.ts';
import type { IssuedToken } from './token-endpoint.ts';

/**
 * Tokens of the gateway's own client.
 *
 * @see RFC 6749 §4.4
 */
export function oauthCredential(parts: RenewedParts<IssuedToken>): HttpCredential {
  const tokens = new Renewed(parts);
  return {
    ...noCredential,
    show: async () => ({ headers: [['authorization', `Bearer ${(await tokens.current()).token}`]] }),
    refused: () => tokens.forget(),
    secrets: () => tokens.shown.map(({ token }) => token),
  };
}
