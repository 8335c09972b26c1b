import { HoopError } from '../core/errors.ts';
import { isLoopbackHttp } from './jwks.ts';

/** One trusted issuer, as `hoopd.yaml` describes it. */
export interface IssuerConfig {
  /** Exactly as the provider spells it. https, or http on loopback. */
  readonly issuer: string;
  /** `aud` of a machine's JWT; never compared with an ID token. */
  readonly audience: string;
  /** Public client of the device grant, `aud` of its ID tokens. Without one, ID tokens of this issuer are refused. */
  readonly clientId?: string | undefined;
  /** Handed on to hoopctl where the provider wants one of a public client; not used here. */
  readonly clientSecret?: string | undefined;
  /** What hoopctl asks for. Default `openid profile email`. */
  readonly scope?: string | undefined;
  /** Our attribute → the issuer's claim: `groups`, `name`, `model`, `modelVersion`, and any others, attested as they are. */
  readonly claims: Readonly<Record<string, string | undefined>>;
  /**
   * How long a sign-in may last, ms, at most 30 days; with it set, hoopd renews its own token where the issuer cannot.
   * Unset: 24 hours, and renewal by a fresh token of the issuer only.
   */
  readonly maxSessionMs?: number | undefined;
  /** Allow-list out of `ALGORITHMS`. Default: all of them but the SHA-384 and SHA-512 variants. */
  readonly algorithms?: readonly string[] | undefined;
  /** Binds each machine token's `jti` to the first key that comes with it. Default false: a job may start many processes. */
  readonly singleUse?: boolean | undefined;
}

/** Every algorithm an issuer may be allowed: asymmetric signatures only. */
export const ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
  'Ed25519',
] as const;
type Algorithm = (typeof ALGORITHMS)[number];

const DEFAULT_ALGORITHMS: readonly Algorithm[] = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'];

/** A sign-in ends after this where the configuration says nothing, ms. */
const DEFAULT_SESSION_MS = 24 * 3_600_000;
/** The longest sign-in that may be configured, ms. */
export const MAX_SESSION_MS = 30 * DEFAULT_SESSION_MS;

/** A checked issuer, with every default filled in. */
export interface TrustedIssuer extends IssuerConfig {
  readonly algorithms: Algorithm[];
  readonly scope: string;
  /** Longest time from sign-in to the end of everything, ms. */
  readonly sessionMs: number;
}

/**
 * Checks one issuer's configuration and fills in its defaults.
 *
 * Pure.
 *
 * @param config As configured.
 * @returns The same, complete.
 * @throws {HoopError} `ERR_CONFIG` the issuer is not https (http only on loopback) or has a query, fragment or user;
 *   the audience is empty; an algorithm is unknown, symmetric or `none`; `maxSessionMs` is not 1 … 30 days.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IssuerIdentifier
 */
export function trustedIssuer(config: IssuerConfig): TrustedIssuer {
  const url = URL.parse(config.issuer);
  const wrong = (what: string) =>
    new HoopError('ERR_CONFIG', `issuer ${JSON.stringify(config.issuer)}: ${what}`);
  if (url === null) throw wrong('is not a URL');
  if (url.protocol !== 'https:' && !isLoopbackHttp(url)) throw wrong('must be https (http only on loopback)');
  if (/[?#\s]/.test(config.issuer) || url.username !== '' || url.password !== '') {
    throw wrong('must have no query, fragment or user');
  }
  if (config.audience === '' || config.clientId === '')
    throw wrong('audience and clientId must not be empty');
  const algorithms = (config.algorithms ?? DEFAULT_ALGORITHMS).map((name) => {
    const known = ALGORITHMS.find((algorithm) => algorithm === name);
    if (known === undefined)
      throw wrong(`algorithm ${JSON.stringify(name)} is not one of ${ALGORITHMS.join(' ')}`);
    return known;
  });
  if (algorithms.length === 0) throw wrong('no algorithm is allowed');
  const sessionMs = config.maxSessionMs ?? DEFAULT_SESSION_MS;
  if (!(sessionMs > 0 && sessionMs <= MAX_SESSION_MS)) throw wrong('maxSession must be at most 30 days');
  return { ...config, algorithms, scope: config.scope ?? 'openid profile email', sessionMs };
}
