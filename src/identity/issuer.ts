import { decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import type { DiscoveryIssuer } from '../api/contract.ts';
import type { Clock } from '../core/clock.ts';
import { HoopError } from '../core/errors.ts';
import { type Log, silentLog } from '../core/log.ts';
import { attestedOf, groupsOf, isPlain, nameOf, own } from './claims.ts';
import type { Fetch } from './fetch-json.ts';
import { derivedId } from './ids.ts';
import { type IssuerConfig, type TrustedIssuer, trustedIssuer } from './issuer-config.ts';
import { fromJose } from './jose-errors.ts';
import { IssuerKeys, KEY_TIMES, type KeyTimes } from './jwks.ts';

/** Clocks may differ by this much, seconds, both ways. */
export const CLOCK_TOLERANCE_S = 60;
/** Largest token looked at, octets: more than any header may carry. */
export const MAX_TOKEN_BYTES = 16 * 1024;

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

export interface IssuerRegistryOptions {
  readonly clock: Clock;
  readonly log?: Log;
  readonly fetch?: Fetch;
  readonly times?: Partial<KeyTimes>;
  /** The registry that a reload replaces: keys already fetched are taken over, so that it needs no reachable issuer. */
  readonly previous?: IssuerRegistry;
}

interface Entry {
  readonly config: TrustedIssuer;
  readonly keys: IssuerKeys;
}

/** `typ` values that an ID token or a workload token may have; anything else is a token made for another purpose. */
const TYPES: Readonly<Record<SubjectTokenType, readonly (string | undefined)[]>> = {
  id_token: [undefined, 'jwt'],
  jwt: [undefined, 'jwt', 'at+jwt', 'application/at+jwt'],
};

/** The identity providers that hoopd relies on, and the one place where their tokens are believed. */
export class IssuerRegistry {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;

  /**
   * Checks the configuration; fetches nothing.
   *
   * @param configs One per issuer.
   * @param options Clock, log, the registry before a reload; `fetch` and `times` for tests.
   * @throws {HoopError} `ERR_CONFIG` as `trustedIssuer`, or an issuer stands twice.
   * @see https://openid.net/specs/openid-connect-core-1_0.html#IssuerIdentifier
   */
  constructor(configs: readonly IssuerConfig[], options: IssuerRegistryOptions) {
    const { clock, log = silentLog, fetch = globalThis.fetch } = options;
    const times = { ...KEY_TIMES, ...options.times };
    this.#clock = clock;
    for (const config of configs.map(trustedIssuer)) {
      const { issuer } = config;
      if (this.#entries.has(issuer)) throw new HoopError('ERR_CONFIG', `issuer ${issuer} stands twice`);
      const known = options.previous === undefined ? undefined : options.previous.#entries.get(issuer)?.keys;
      this.#entries.set(issuer, {
        config,
        keys: known ?? new IssuerKeys({ issuer, clock, log, fetch, times }),
      });
    }
  }

  /** The configuration of an issuer, or undefined if it is not trusted. Compared exactly. */
  find(issuer: string): TrustedIssuer | undefined {
    return this.#entries.get(issuer)?.config;
  }

  /** What hoopctl needs for the device grant: the issuers that have a client, in the configuration's order. */
  discovery(): readonly DiscoveryIssuer[] {
    const found: DiscoveryIssuer[] = [];
    for (const { config } of this.#entries.values()) {
      const { issuer, clientId, clientSecret, scope } = config;
      if (clientId === undefined) continue;
      found.push({ issuer, clientId, scope, ...(clientSecret === undefined ? {} : { clientSecret }) });
    }
    return found;
  }

  /**
   * Verifies a token of a trusted issuer: issuer (exactly, before anything is fetched), signature by an allowed
   * algorithm, audience, `typ`, `exp`, `iat`, `nbf`, with 60 s of tolerance for clocks.
   *
   * May fetch the issuer's keys, within the bounds of `IssuerKeys`.
   *
   * @param token Compact JWT, at most 16 KiB.
   * @param type `id_token`: `aud` must be the client id, and `azp` too where there is one or several audiences.
   *   `jwt`: `aud` must hold the configured audience.
   * @returns Who it speaks of.
   * @throws {HoopError} `ERR_TOKEN_INVALID` any check fails; `ERR_LOGIN_EXPIRED` it has expired;
   *   `ERR_ISSUER_UNREACHABLE` the issuer's keys are not known and cannot be fetched.
   * @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
   * @see https://www.rfc-editor.org/rfc/rfc9068#section-4
   */
  async verifySubjectToken(token: string, type: SubjectTokenType): Promise<VerifiedSubject> {
    const { config, keys } = this.#entryOf(token, type);
    const audience = type === 'id_token' ? config.clientId : config.audience;
    if (audience === undefined)
      throw invalid('ID tokens of this issuer are not accepted: it has no clientId');
    try {
      const { payload } = await jwtVerify(token, (header, input) => keys.find(header, input), {
        issuer: config.issuer,
        audience,
        algorithms: config.algorithms,
        requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(this.#clock.now()),
      });
      if (type === 'id_token') checkAuthorizedParty(payload, audience);
      return this.#subject(payload, config, type);
    } catch (error) {
      throw fromJose(error, 'ERR_TOKEN_INVALID', 'ERR_LOGIN_EXPIRED');
    }
  }

  /** Reads the unverified token only as far as is needed to know whose keys to ask for. */
  #entryOf(token: string, type: SubjectTokenType): Entry {
    if (token.length > MAX_TOKEN_BYTES) throw invalid('the token is longer than 16 KiB');
    let issuer: unknown;
    let typ: unknown;
    try {
      issuer = decodeJwt(token).iss;
      typ = decodeProtectedHeader(token).typ;
    } catch {
      throw invalid('the token is not a signed JWT');
    }
    const entry = typeof issuer === 'string' ? this.#entries.get(issuer) : undefined;
    if (entry === undefined) throw invalid('the token comes from an issuer that is not trusted here');
    const kind = typeof typ === 'string' ? typ.toLowerCase() : typ;
    if (!TYPES[type].some((allowed) => allowed === kind))
      throw invalid('the token was made for another purpose');
    return entry;
  }

  #subject(payload: JWTPayload, config: TrustedIssuer, type: SubjectTokenType): VerifiedSubject {
    const { sub, exp, iat, jti } = payload;
    if (!isPlain(sub)) throw invalid('the subject of the token cannot be read');
    const authTime = authTimeOf(payload);
    const signedInAt = (authTime ?? Number(iat)) * 1000;
    const latest = this.#clock.now() + CLOCK_TOLERANCE_S * 1000;
    if (Number(iat) * 1000 > latest || signedInAt > latest) throw invalid('the token comes from the future');
    return {
      type,
      issuer: config.issuer,
      subject: sub,
      claims: payload,
      name: nameOf(payload, config.claims['name']),
      groups: groupsOf(payload, config.claims['groups']),
      attested: attestedOf(payload, config.claims, type === 'jwt'),
      signedInAt,
      signInKnown: authTime !== undefined,
      login: loginOf(payload, config.issuer, sub),
      tokenExpiresAt: Number(exp) * 1000,
      tokenId: jti,
    };
  }
}

function invalid(message: string): HoopError {
  return new HoopError('ERR_TOKEN_INVALID', message);
}

function checkAuthorizedParty(payload: JWTPayload, clientId: string): void {
  const azp = own(payload, 'azp');
  const several = Array.isArray(payload.aud) && payload.aud.length > 1;
  if ((azp !== undefined || several) && azp !== clientId)
    throw invalid('the ID token was issued to another client');
}

function authTimeOf(payload: JWTPayload): number | undefined {
  const value = own(payload, 'auth_time');
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0)
    throw invalid('auth_time cannot be read');
  return value;
}

/**
 * One sign-in keeps its name through every refresh if the issuer says `auth_time` or `sid`, and one CI run if it has a
 * number. Where an issuer says none of these, each token counts as a sign-in of its own: such an issuer's people are
 * better revoked by person than by login.
 */
function loginOf(payload: JWTPayload, issuer: string, subject: string): string {
  const read = (claim: string): string => {
    const value = own(payload, claim);
    return typeof value === 'string' || typeof value === 'number' ? `${claim}=${value}` : '';
  };
  const run = ['run_id', 'run_attempt', 'pipeline_id', 'job_id'].map(read).filter((mark) => mark !== '');
  const mark = read('auth_time') || read('sid') || run.join(' ') || `${read('iat')} ${read('jti')}`;
  return derivedId('lgn', issuer, subject, mark);
}
