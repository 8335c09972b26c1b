import type { JWTPayload } from 'jose';
import { HoopError } from '../core/errors.ts';
import { isPlain } from '../core/visible.ts';
import { derivedId } from './ids.ts';
import { attestedOf, claimAt, groupsOf, nameOf, own } from './issuers/claims.ts';
import type { TrustedIssuer } from './issuers/config.ts';
import { directoryGroups } from './people.ts';

/** Clocks may differ by this much, seconds, both ways. */
export const CLOCK_TOLERANCE_S = 60;

export type SubjectTokenType = 'id_token' | 'jwt';

/** Who a token of an issuer speaks of, after verification. */
export interface VerifiedSubject {
  /** `id_token`: a person signed in. `jwt`: a machine's token. */
  readonly type: SubjectTokenType;
  readonly issuer: string;
  readonly subject: string;
  /** All claims, for matching agents; never logged. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly name: string;
  readonly groups: readonly string[];
  readonly attested: Readonly<Record<string, string>>;
  /** `auth_time`, else `iat`; ms since the epoch. */
  readonly signedInAt: number;
  /** Whether `auth_time` said so; else a refreshed token looks like a new sign-in. */
  readonly signInKnown: boolean;
  /** The sign-in this token comes from, `lgn_…`: the same for every token of it, as far as the issuer lets us know. */
  readonly login: string;
  /** `exp`, ms since the epoch. */
  readonly tokenExpiresAt: number;
  /** `jti`, if it has one. */
  readonly tokenId: string | undefined;
}

/** No access token, but what Keycloak signs with the same header: its own claim `typ` tells them apart. */
const KEYCLOAK_TYPES: Readonly<Record<string, SubjectTokenType | undefined>> = {
  ID: 'id_token',
  Bearer: 'jwt',
  DPoP: 'jwt',
  Refresh: undefined,
  Offline: undefined,
  Logout: undefined,
};

/**
 * What only a job's or workload's token says. Their audience is chosen by whoever runs them, so one made out to
 * hoopctl's client would pass as the person who started it.
 */
const MACHINE_CLAIMS = [
  'project_path',
  'pipeline_id',
  'job_id',
  'job_workflow_ref',
  'run_id',
  'kubernetes.io',
];

/**
 * Reads of whom a verified token speaks.
 *
 * Pure.
 *
 * @param payload Claims, signature, issuer, audience and times already checked.
 * @param config The issuer's.
 * @param type As which kind it was handed in.
 * @param now ms since the epoch.
 * @returns The subject.
 * @throws {HoopError} `ERR_TOKEN_INVALID` it is of another kind, from the future, of a person who is not admitted, or has
 *   claims that cannot be read.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IDToken
 */
export function subjectOf(
  payload: JWTPayload,
  config: TrustedIssuer,
  type: SubjectTokenType,
  now: number,
): VerifiedSubject {
  const { sub, exp, iat, jti } = payload;
  const { claims, habits } = config;
  checkKind(payload, type);
  if (!isPlain(sub)) throw invalid('the subject of the token cannot be read');
  const authTime = authTimeOf(payload);
  const signedInAt = (authTime ?? Number(iat)) * 1000;
  const latest = now + CLOCK_TOLERANCE_S * 1000;
  if (Number(iat) * 1000 > latest || signedInAt > latest)
    throw invalid('the token comes from the future', CLOCKS);
  const listed = type === 'id_token' ? directoryGroups(payload, config) : [];
  return {
    type,
    issuer: config.issuer,
    subject: sub,
    claims: payload,
    name: nameOf(payload, claims['name'], habits.names),
    groups: [...new Set([...groupsOf(payload, claims['groups'], habits.groupsCure), ...listed])],
    attested: attestedOf(payload, claims, type === 'jwt' ? habits.provenance : {}),
    signedInAt,
    signInKnown: authTime !== undefined,
    login: loginOf(payload, config.issuer, sub),
    tokenExpiresAt: Number(exp) * 1000,
    tokenId: jti,
  };
}

const CLOCKS =
  "have the clocks of the token's issuer and of the gateway set right: a minute apart is forgiven";

function invalid(message: string, hint?: string): HoopError {
  return new HoopError('ERR_TOKEN_INVALID', message, hint === undefined ? {} : { hint });
}

function checkKind(payload: JWTPayload, type: SubjectTokenType): void {
  const typ = own(payload, 'typ');
  if (typeof typ === 'string' && Object.hasOwn(KEYCLOAK_TYPES, typ) && KEYCLOAK_TYPES[typ] !== type) {
    throw invalid('the token was made for another purpose');
  }
  if (type === 'id_token' && MACHINE_CLAIMS.some((claim) => Object.hasOwn(payload, claim))) {
    throw invalid(
      "a job's token is not a person's",
      'hand it in as HOOPCTL_TOKEN, made for the audience of jobs',
    );
  }
}

/**
 * Checks that an ID token was issued to our client.
 *
 * Pure.
 *
 * @param payload Verified claims.
 * @param clientIds Ours.
 * @throws {HoopError} `ERR_TOKEN_INVALID` `azp` names another, or is missing beside several audiences.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 */
export function checkAuthorizedParty(payload: JWTPayload, clientIds: readonly string[]): void {
  const azp = own(payload, 'azp');
  const several = Array.isArray(payload.aud) && payload.aud.length > 1;
  if ((azp !== undefined || several) && !clientIds.some((one) => one === azp))
    throw invalid('the ID token was issued to another client');
}

function authTimeOf(payload: JWTPayload): number | undefined {
  const value = own(payload, 'auth_time');
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0)
    throw invalid('auth_time cannot be read');
  return value;
}

/** What stays the same through every token of one run of a job, or of one pod. */
const RUN_CLAIMS = ['run_id', 'run_attempt', 'pipeline_id', 'job_id', '/kubernetes.io/pod/uid'];

/**
 * One sign-in keeps its name through every refresh if the issuer says `auth_time` or `sid`, and one CI run or pod if it
 * has a number. Where an issuer says none of these, each token counts as a sign-in of its own: such an issuer's people
 * are better revoked by person than by login.
 */
function loginOf(payload: JWTPayload, issuer: string, subject: string): string {
  const read = (claim: string): string => {
    const value = claimAt(payload, claim);
    return typeof value === 'string' || typeof value === 'number' ? `${claim}=${value}` : '';
  };
  const run = RUN_CLAIMS.map(read).filter((mark) => mark !== '');
  const mark = read('auth_time') || read('sid') || run.join(' ') || `${read('iat')} ${read('jti')}`;
  return derivedId('lgn', issuer, subject, mark);
}
