import type { JWTPayload } from 'jose';
import { HoopError } from '../core/errors.ts';
import { own } from './issuers/claims.ts';
import type { TrustedIssuer } from './issuers/config.ts';

const NOT_ADMITTED = 'sign in with the account of your organisation, or ask the operator to list you';

/**
 * Says whether a person is one of ours, and which groups the operator's directory gives them.
 *
 * For identity providers that everybody has an account at, or that have no claim for groups. An address counts only if
 * the issuer says that it is verified. Where a directory stands alone before a provider open to all, it is also the
 * list of who may come in.
 *
 * Pure.
 *
 * @param payload Verified claims of an ID token.
 * @param config `hostedDomains` and `directory`; without both, everybody is admitted and has no groups by it.
 * @returns Groups, in the directory's order.
 * @throws {HoopError} `ERR_TOKEN_INVALID` of no domain or of another one, not listed, or without a verified address.
 * @see https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload
 */
export function directoryGroups(payload: JWTPayload, config: TrustedIssuer): readonly string[] {
  const { hostedDomains, directory, habits } = config;
  const refused = (message: string, hint = NOT_ADMITTED) =>
    new HoopError('ERR_TOKEN_INVALID', message, { hint });
  if (hostedDomains !== undefined) {
    const domain = own(payload, 'hd');
    const known = typeof domain === 'string' && hostedDomains.includes(domain.toLowerCase());
    if (!known) throw refused('people of this domain are not admitted here');
  }
  if (directory === undefined) return [];
  const email = own(payload, 'email');
  if (typeof email !== 'string' || own(payload, 'email_verified') !== true) {
    throw refused(
      'the token has no verified e-mail address to look up groups by',
      'have it ask for the scope email',
    );
  }
  const groups = directory.get(email.toLowerCase());
  if (groups === undefined && habits.openToAll && hostedDomains === undefined) {
    throw refused('this person is not in the directory');
  }
  return groups ?? [];
}
