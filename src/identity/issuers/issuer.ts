import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import type { DiscoveryIssuer, DiscoveryMachine } from '../../api/contract.ts';
import type { Clock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { type Log, silentLog } from '../../core/log.ts';
import {
  CLOCK_TOLERANCE_S,
  checkAuthorizedParty,
  type SubjectTokenType,
  subjectOf,
  type VerifiedSubject,
} from '../subject.ts';
import { type IssuerConfig, type TrustedIssuer, trustedIssuer } from './config.ts';
import { issuerFetch } from './fetch.ts';
import type { Fetch } from './fetch-json.ts';
import { fromJose } from './jose-errors.ts';
import { IssuerKeys, KEY_TIMES, type KeyTimes } from './jwks.ts';

/** Largest token looked at, octets: more than any header may carry. */
export const MAX_TOKEN_BYTES = 16 * 1024;

/** How long a caller waits to learn whether an issuer has a device grant, ms. */
const DISCOVERY_WAIT_MS = 2_000;

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
    const { clock, log = silentLog } = options;
    const times = { ...KEY_TIMES, ...options.times };
    this.#clock = clock;
    for (const config of configs.map(trustedIssuer)) {
      const { issuer, jwksUrl } = config;
      if (this.#entries.has(issuer)) throw new HoopError('ERR_CONFIG', `issuer ${issuer} stands twice`);
      const fetch = options.fetch ?? issuerFetch(config);
      const keys = new IssuerKeys({ issuer, jwksUrl, clock, log, fetch, times });
      this.#entries.set(issuer, { config, keys });
    }
    if (options.previous !== undefined) this.adoptKeys(options.previous);
  }

  /**
   * Takes over the keys that another registry has fetched, where they still come from the same place, so that a reload
   * needs no reachable issuer.
   *
   * @param previous The registry that this one replaces.
   * @see https://www.rfc-editor.org/rfc/rfc7517#section-5
   */
  adoptKeys(previous: IssuerRegistry): void {
    for (const [issuer, { config }] of this.#entries) {
      const known = previous.#entries.get(issuer);
      if (known === undefined) continue;
      const { ca, jwksUrl, tokenFile } = known.config;
      if (ca !== config.ca || jwksUrl !== config.jwksUrl || tokenFile !== config.tokenFile) continue;
      this.#entries.set(issuer, { config, keys: known.keys });
    }
  }

  /** The configuration of an issuer, or undefined if it is not trusted. Compared exactly. */
  find(issuer: string): TrustedIssuer | undefined {
    return this.#entries.get(issuer)?.config;
  }

  /**
   * What hoopctl needs for the device grant: the issuers that have a client, in the configuration's order, without those
   * that are known to have no device grant. May fetch discovery documents that are not known yet, for two seconds at
   * most; an issuer that is silent is named.
   *
   * @returns One entry per issuer. Never rejects.
   * @see https://www.rfc-editor.org/rfc/rfc8628#section-4
   */
  async discovery(): Promise<readonly DiscoveryIssuer[]> {
    const found = [...this.#entries.values()].map(async ({ config, keys }): Promise<DiscoveryIssuer[]> => {
      const { issuer, clientId, clientSecret, scope } = config;
      if (clientId === undefined || (await keys.hasDeviceGrant(DISCOVERY_WAIT_MS)) === false) return [];
      return [{ issuer, clientId, scope, ...(clientSecret === undefined ? {} : { clientSecret }) }];
    });
    return (await Promise.all(found)).flat();
  }

  /** Those at which people sign in to the gateway's own pages, in the configuration's order. */
  forPages(): readonly TrustedIssuer[] {
    return [...this.#entries.values()].map(({ config }) => config).filter(({ web }) => web !== undefined);
  }

  /**
   * What hoopctl needs to ask for a machine's token: with which audience, and how.
   *
   * @returns One entry per issuer, in the configuration's order. Fetches nothing.
   * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.4
   */
  machines(): readonly DiscoveryMachine[] {
    return [...this.#entries.values()].map(({ config }) => {
      const { issuer, audience, preset = 'oidc', habits, machineScope } = config;
      const { clientCredentials: own } = habits;
      if (own === undefined) return { issuer, audience, preset };
      const scope = machineScope ?? own.scope?.(audience);
      return {
        issuer,
        audience,
        preset,
        clientCredentials: {
          ...(scope === undefined ? {} : { scope }),
          ...(own.namesAudience === undefined ? {} : { namesAudience: true }),
          ...(own.assertionAudience === undefined ? {} : { assertionAudience: own.assertionAudience }),
        },
      };
    });
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
    const audience = type === 'id_token' ? clientsOf(config) : [config.audience];
    if (audience.length === 0) throw invalid('ID tokens of this issuer are not accepted: it has no clientId');
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
      return subjectOf(payload, config, type, this.#clock.now());
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
    if (entry === undefined)
      throw invalid('the token comes from an issuer that is not trusted here', OTHER_ISSUER);
    const kind = typeof typ === 'string' ? typ.toLowerCase() : typ;
    if (!TYPES[type].some((allowed) => allowed === kind))
      throw invalid('the token was made for another purpose');
    return entry;
  }
}

/** Whose ID tokens are taken: hoopctl's, and those of the gateway's own pages. */
function clientsOf({ clientId, web }: TrustedIssuer): string[] {
  return [clientId, web?.clientId].filter((one) => one !== undefined);
}

const OTHER_ISSUER =
  "take a token of an issuer that the gateway's operator has listed, or ask for yours to be";

function invalid(message: string, hint?: string): HoopError {
  return new HoopError('ERR_TOKEN_INVALID', message, hint === undefined ? {} : { hint });
}
