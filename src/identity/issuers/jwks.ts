import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
} from 'jose';
import type { Clock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { type Fetch, type FetchLimits, fetchJson } from './fetch-json.ts';

/** When keys are fetched, all in ms. */
export interface KeyTimes {
  /** Older keys are fetched again before use. */
  readonly maxAgeMs: number;
  /** Keys that could not be fetched again go on serving this long. */
  readonly maxStaleMs: number;
  /** Least time between two fetches, however many unknown key ids arrive. */
  readonly cooldownMs: number;
  /** The same after a fetch that failed. */
  readonly retryMs: number;
  readonly timeoutMs: number;
}

export const KEY_TIMES: KeyTimes = {
  maxAgeMs: 10 * 60_000,
  maxStaleMs: 24 * 3_600_000,
  cooldownMs: 30_000,
  retryMs: 5_000,
  timeoutMs: 5_000,
};

/** Discovery document and key set, octets each: the largest seen in the wild is about 30 KB. */
const MAX_DOCUMENT_BYTES = 256 * 1024;
const MAX_KEYS = 100;

export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Where the keys are; by discovery if undefined. */
  readonly jwksUrl?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch: Fetch;
  readonly times: KeyTimes;
}

type KeySet = ReturnType<typeof createLocalJWKSet>;

/**
 * One issuer's public keys, found by discovery and kept. jose's remote set is not used because it refuses every
 * token once its cache is old and the issuer is down; here kept keys go on working for `maxStaleMs`.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  #keys: KeySet | undefined;
  #loadedAt = 0;
  #nextFetchAt = 0;
  #jwksUri: URL | undefined;
  #fetching: Promise<boolean> | undefined;
  #deviceGrant: boolean | undefined;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /**
   * Says whether the issuer's discovery document names an endpoint for the device grant. Fetches it if it is not known
   * yet, within the same bounds as keys.
   *
   * @param waitMs How long to wait for it.
   * @returns Undefined if it is not known (yet). Never rejects.
   * @see https://www.rfc-editor.org/rfc/rfc8628#section-4
   */
  async hasDeviceGrant(waitMs: number): Promise<boolean | undefined> {
    if (this.#deviceGrant !== undefined || this.#options.jwksUrl !== undefined) return this.#deviceGrant;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    await Promise.race([this.#refresh(), promise]);
    clearTimeout(timer);
    return this.#deviceGrant;
  }

  /**
   * Finds the key that a token names; fetches the issuer's keys if they are old or have no such key, at most once
   * per cooldown and once at a time.
   *
   * @param header The token's protected header: `alg`, and `kid` if it has one.
   * @param token The token's parts, as jose hands them over.
   * @returns The one public key that fits.
   * @throws {HoopError} `ERR_ISSUER_UNREACHABLE` there are no keys, or none younger than `maxStaleMs`, and they cannot
   *   be fetched.
   * @throws {JOSEError} No key fits, several do, or it is not a usable public key.
   * @see https://www.rfc-editor.org/rfc/rfc7517#section-5
   */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const keys = await this.#current();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.#refresh())) throw error;
      return await (await this.#current())(header, token);
    }
  }

  async #current(): Promise<KeySet> {
    const { clock, times, issuer } = this.#options;
    const age = () => clock.now() - this.#loadedAt;
    if (this.#keys === undefined || age() >= times.maxAgeMs) await this.#refresh();
    if (this.#keys === undefined || age() >= times.maxStaleMs) {
      throw new HoopError('ERR_ISSUER_UNREACHABLE', undefined, {
        detail: `no keys of ${issuer}`,
        hint: 'try again in half a minute, when it is asked again; if it lasts, the operator finds the reason in the log of hoopd',
      });
    }
    return this.#keys;
  }

  /** True if keys were fetched just now. */
  #refresh(): Promise<boolean> {
    if (this.#fetching !== undefined) return this.#fetching;
    const { clock, times, log, issuer } = this.#options;
    if (clock.now() < this.#nextFetchAt) return Promise.resolve(false);
    this.#nextFetchAt = clock.now() + times.cooldownMs;
    this.#fetching = this.#fetch()
      .then(() => true)
      .catch((error: unknown) => {
        this.#nextFetchAt = clock.now() + times.retryMs;
        this.#jwksUri = undefined;
        log.warn('keys of the issuer cannot be fetched', { issuer, reason: reasonOf(error) });
        return false;
      })
      .finally(() => {
        this.#fetching = undefined;
      });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { fetch, times, clock } = this.#options;
    const limits = { timeoutMs: times.timeoutMs, maxBytes: MAX_DOCUMENT_BYTES };
    this.#jwksUri ??= await this.#discover(limits);
    const document = await fetchJson(this.#jwksUri, limits, fetch);
    if (!isKeySet(document)) throw new Error('the key set has not the shape of RFC 7517 or too many keys');
    this.#keys = createLocalJWKSet(document);
    this.#loadedAt = clock.now();
  }

  async #discover(limits: FetchLimits): Promise<URL> {
    const { issuer, jwksUrl, fetch } = this.#options;
    if (jwksUrl !== undefined) return new URL(jwksUrl);
    const document = await fetchJson(discoveryUrl(issuer), limits, fetch);
    const found = jwksUriOf(document, issuer);
    this.#deviceGrant =
      typeof (document as Record<string, unknown>)['device_authorization_endpoint'] === 'string';
    return found;
  }
}

function isKeySet(document: unknown): document is { keys: Record<string, unknown>[] } {
  if (typeof document !== 'object' || document === null || !('keys' in document)) return false;
  return Array.isArray(document.keys) && document.keys.length <= MAX_KEYS;
}

/** `fetch failed` says nothing: the reason is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** Whatever ends in a slash gets no second one (OpenID Connect Discovery §4.1). */
function discoveryUrl(issuer: string): URL {
  return new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
}

function jwksUriOf(document: unknown, issuer: string): URL {
  const { issuer: stated, jwks_uri: uri } = (document ?? {}) as { issuer?: unknown; jwks_uri?: unknown };
  if (stated !== issuer)
    throw new Error('the discovery document names another issuer, or spells it otherwise');
  const url = typeof uri === 'string' ? URL.parse(uri) : null;
  if (url === null) throw new Error('the discovery document has no jwks_uri');
  if (url.protocol !== 'https:' && !(isLoopbackHttp(url) && isLoopbackHttp(new URL(issuer)))) {
    throw new Error('the jwks_uri is not https');
  }
  return url;
}

/**
 * Says whether an address is plain http on this machine: the one place where http is accepted.
 *
 * Pure.
 *
 * @param url Any URL.
 * @returns True for `http://localhost`, `http://127.x.x.x` and `http://[::1]`. Never throws.
 * @see https://www.rfc-editor.org/rfc/rfc8252#section-8.3
 */
export function isLoopbackHttp(url: URL): boolean {
  if (url.protocol !== 'http:') return false;
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}
