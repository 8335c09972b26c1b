import { HoopError } from '../../core/errors.ts';
import { ALGORITHMS, type Algorithm } from './algorithms.ts';
import { isLoopbackHttp } from './jwks.ts';
import { type Preset, type PresetName, presetOf } from './presets.ts';

/** One trusted issuer, as `hoopd.yaml` describes it. */
export interface IssuerConfig {
  /** The vendor, whose habits fill in what is not configured. Default `oidc`. */
  readonly preset?: PresetName | undefined;
  /** Exactly as the provider spells it. https, or http on loopback. */
  readonly issuer: string;
  /** `aud` of a machine's JWT; never compared with an ID token, and never the client id. */
  readonly audience: string;
  /** Public client of the device grant, `aud` of its ID tokens. Without one, ID tokens of this issuer are refused. */
  readonly clientId?: string | undefined;
  /** Handed on to hoopctl where the provider wants one of a public client; not used here. */
  readonly clientSecret?: string | undefined;
  /** The client of the gateway's own pages: authorization code with PKCE, its secret never leaves hoopd. */
  readonly web?: { readonly clientId: string; readonly clientSecret?: string | undefined } | undefined;
  /** What hoopctl asks for. Default: the preset's. */
  readonly scope?: string | undefined;
  /** What a machine with a client of its own asks for. Default: the preset's, which may be nothing. */
  readonly machineScope?: string | undefined;
  /**
   * Our attribute → the issuer's claim: `groups`, `name`, `model`, `modelVersion`, and any others, attested as they are.
   * A claim inside another is named by a JSON Pointer (`/realm_access/roles`). They go before the preset's.
   */
  readonly claims: Readonly<Record<string, string | undefined>>;
  /**
   * How long a sign-in may last, ms, at most 30 days; with it set, hoopd renews its own token where the issuer cannot.
   * Unset: 24 hours, and renewal by a fresh token of the issuer only.
   */
  readonly maxSessionMs?: number | undefined;
  /** Allow-list out of `ALGORITHMS`. Default: the preset's. */
  readonly algorithms?: readonly string[] | undefined;
  /** Binds each machine token's `jti` to the first key that comes with it. Default false: a job may start many processes. */
  readonly singleUse?: boolean | undefined;
  /** People must come from one of these domains by the claim `hd`. */
  readonly hostedDomains?: readonly string[] | undefined;
  /** Verified e-mail address in lower case → groups, beside those of the token. */
  readonly directory?: ReadonlyMap<string, readonly string[]> | undefined;
  /** PEM of the only authorities to trust for the issuer's own addresses. */
  readonly ca?: string | undefined;
  /** Where the keys are, instead of by discovery. */
  readonly jwksUrl?: string | undefined;
  /** A file with the bearer token that the issuer wants before it shows its keys; read at each fetch. */
  readonly tokenFile?: string | undefined;
}

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
  readonly habits: Preset;
}

/** Something in an issuer's configuration that does not hold together. */
export interface IssuerMistake {
  readonly key: keyof IssuerConfig;
  readonly problem: string;
  readonly cure: string;
}

/**
 * Finds what is wrong with one issuer beyond the shape of its values: with its address, and with its preset.
 *
 * Pure. Never throws.
 *
 * @param config As configured.
 * @returns Every mistake; `[]` if there is none.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IssuerIdentifier
 */
export function issuerMistakes(config: IssuerConfig): IssuerMistake[] {
  const found: IssuerMistake[] = [];
  const say = (key: keyof IssuerConfig, problem: string, cure: string) => found.push({ key, problem, cure });
  const { issuer, audience, clientId } = config;
  const name = config.preset ?? 'oidc';
  const habits = presetOf(name);
  const address = addressProblem(issuer);
  const form = habits.issuer;
  if (address !== undefined) say('issuer', address, 'write it exactly as the provider spells it');
  else if (form !== undefined && !form.pattern.test(issuer)) {
    say('issuer', `is no issuer of ${name}`, `write ${form.words}; or leave the preset away`);
  }
  if (audience === '') say('audience', 'must not be empty', 'write the audience of machines’ tokens');
  if (clientId === '') say('clientId', 'must not be empty', 'write the client that hoopctl uses');
  if (config.web?.clientId === audience && audience !== '') {
    const problem = "has the audience as its clientId: a machine's token could pass as a person's";
    say('web', problem, 'give machines an audience of their own');
  }
  if (clientId !== undefined && clientId === audience) {
    const problem = "is the clientId: a machine's token could pass as a person's, and the reverse";
    say('audience', problem, 'give machines an audience of their own');
  }
  if (clientId !== undefined && !habits.people) {
    const cure = 'remove it: here whoever runs a job chooses the audience of its token';
    say('clientId', `people cannot sign in at ${name}`, cure);
  }
  const narrowed = config.hostedDomains !== undefined || config.directory !== undefined;
  if (habits.openToAll && clientId !== undefined && !narrowed) {
    const cure = 'write hostedDomains: [example.com], or a directory of those who may';
    say('clientId', `anybody with an account at ${name} could sign in`, cure);
  }
  return found;
}

function addressProblem(issuer: string): string | undefined {
  const url = URL.parse(issuer);
  if (url === null) return 'is not a URL';
  if (url.protocol !== 'https:' && !isLoopbackHttp(url)) return 'must be https (http only on loopback)';
  const more = /[?#\s]/.test(issuer) || url.username !== '' || url.password !== '';
  return more ? 'must have no query, fragment or user' : undefined;
}

/**
 * Checks one issuer's configuration and fills in its preset's and our defaults.
 *
 * Pure.
 *
 * @param config As configured.
 * @returns The same, complete.
 * @throws {HoopError} `ERR_CONFIG` as `issuerMistakes`; an algorithm is unknown, symmetric or `none`; `maxSessionMs` is
 *   not 1 … 30 days.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IssuerIdentifier
 */
export function trustedIssuer(config: IssuerConfig): TrustedIssuer {
  const wrong = (what: string) =>
    new HoopError('ERR_CONFIG', `issuer ${JSON.stringify(config.issuer)}: ${what}`);
  const [mistake] = issuerMistakes(config);
  if (mistake !== undefined) throw wrong(`${mistake.key} ${mistake.problem}; ${mistake.cure}`);
  const habits = presetOf(config.preset);
  const algorithms = (config.algorithms ?? habits.algorithms).map((name) => {
    const known = ALGORITHMS.find((algorithm) => algorithm === name);
    if (known === undefined)
      throw wrong(`algorithm ${JSON.stringify(name)} is not one of ${ALGORITHMS.join(' ')}`);
    return known;
  });
  if (algorithms.length === 0) throw wrong('no algorithm is allowed');
  const sessionMs = config.maxSessionMs ?? DEFAULT_SESSION_MS;
  if (!(sessionMs > 0 && sessionMs <= MAX_SESSION_MS)) throw wrong('maxSession must be at most 30 days');
  const claims = { ...habits.claims, ...config.claims };
  const scope = config.scope ?? habits.scope(config.issuer);
  return { ...config, algorithms, scope, sessionMs, claims, habits };
}
