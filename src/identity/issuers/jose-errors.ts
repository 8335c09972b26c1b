import { errors } from 'jose';
import { type ErrorCode, HoopError } from '../../core/errors.ts';

/**
 * Turns what jose throws into one of our errors. jose's own error is not kept as the cause: claim errors carry the
 * whole payload, and that must not reach a log.
 *
 * Pure.
 *
 * @param error Anything thrown by jose.
 * @param invalid Code for a token or proof that is wrong in any other way than being expired.
 * @param expired Code for one whose `exp` has passed.
 * @returns The error to throw; errors of ours are returned as they are. Never throws.
 * @see https://github.com/panva/jose/blob/main/docs/util/errors/README.md
 */
export function fromJose(error: unknown, invalid: ErrorCode, expired: ErrorCode): HoopError {
  if (error instanceof HoopError) return error;
  if (error instanceof errors.JWTExpired) {
    return new HoopError(expired, 'the token has expired', { detail: error.code });
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    const hint = CURES[error.claim];
    return new HoopError(invalid, claimText(error.claim, error.reason), {
      detail: error.message,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return new HoopError(invalid, 'no key of the issuer fits the token', { detail: error.code });
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new HoopError(invalid, 'the token is signed with an algorithm that is not allowed', {
      detail: error.code,
    });
  }
  if (error instanceof errors.JOSEError) return new HoopError(invalid, undefined, { detail: error.code });
  return new HoopError(invalid, undefined, { detail: error instanceof Error ? error.name : 'not an Error' });
}

/** Another token of the same kind would not be better. */
const CURES: Readonly<Record<string, string>> = {
  aud: "have the issuer make the token out to the audience that the gateway's operator has configured",
  nbf: "have the clocks of the token's issuer and of the gateway set right: a minute apart is forgiven",
};

function claimText(claim: string, reason: string): string {
  if (reason === 'missing') return `the token has no claim ${JSON.stringify(claim)}`;
  if (claim === 'aud') return 'the token is meant for another audience';
  if (claim === 'iss') return 'the token comes from another issuer';
  if (claim === 'nbf') return 'the token is not valid yet';
  return `the token's ${JSON.stringify(claim)} is not acceptable`;
}
