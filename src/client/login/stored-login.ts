/**
 * A person's login between commands: kept in the secret store, refreshed at the identity provider.
 */
import { join } from 'node:path';
import type { DiscoveryIssuer } from '../../api/contract.ts';
import { TOKEN_TYPES } from '../../api/contract.ts';
import type { Clock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import type { SubjectToken } from '../gateway-client.ts';
import { withLock } from '../store/process-lock.ts';
import { SECRET_SERVICE, type SecretStore } from '../store/secret-store.ts';
import type { SubjectSource } from './credential.ts';
import { discoverIssuer, explainIssuerFailure, type Fetch } from './issuer-client.ts';
import { expiryOf } from './jwt-expiry.ts';

export interface StoredLogin {
  readonly version: 1;
  readonly client: DiscoveryIssuer;
  readonly idToken: string;
  /** The provider may give none: the login then ends with the ID token, running tunnels with the gateway's limit. */
  readonly refreshToken?: string;
  /** When the ID token came, ms since the epoch. */
  readonly obtainedAt: number;
  /** When it ends, ms since the epoch. */
  readonly expiresAt: number;
}

/**
 * An ID token older than this is refreshed before it is used, expired or not: what has changed at the provider (a
 * group removed, a person disabled) must show within five minutes, and the gateway is next asked three minutes later.
 */
const MAX_AGE_MS = 100_000;
/** With less left it would not survive the exchange. */
const MIN_LEFT_MS = 30_000;

export interface StoredLoginOptions {
  readonly store: SecretStore;
  readonly account: string;
  /** For messages. */
  readonly profile: string;
  /** hoopctl's configuration directory: the lock lies there. */
  readonly directory: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

/** @throws {HoopError} `ERR_NOT_LOGGED_IN` damaged. @returns `undefined` if nothing is stored. */
export async function readLogin(store: SecretStore, account: string): Promise<StoredLogin | undefined> {
  const text = await store.getPassword(SECRET_SERVICE, account);
  if (text === null) return undefined;
  try {
    const value = JSON.parse(text) as StoredLogin;
    if (value.version === 1 && typeof value.idToken === 'string') return value;
  } catch {
    // Said below.
  }
  throw new HoopError('ERR_NOT_LOGGED_IN', 'the stored login cannot be read', { hint: 'run: hoopctl login' });
}

export async function writeLogin(store: SecretStore, account: string, login: StoredLogin): Promise<void> {
  await store.setPassword(SECRET_SERVICE, account, JSON.stringify(login));
}

export class StoredLoginSource implements SubjectSource {
  readonly name: string;
  readonly #options: StoredLoginOptions;

  constructor(options: StoredLoginOptions) {
    this.#options = options;
    this.name = `the login of profile "${options.profile}"`;
  }

  async get(signal?: AbortSignal, maxAgeMs = MAX_AGE_MS): Promise<SubjectToken> {
    const login = await this.#read();
    return subject(this.#isFresh(login, maxAgeMs) ? login : await this.#refresh(login, maxAgeMs, signal));
  }

  async #read(): Promise<StoredLogin> {
    const login = await readLogin(this.#options.store, this.#options.account);
    if (login !== undefined) return login;
    throw new HoopError('ERR_NOT_LOGGED_IN', `profile "${this.#options.profile}" is not logged in`, {
      hint: 'run: hoopctl login',
    });
  }

  #isFresh(login: StoredLogin, maxAgeMs: number): boolean {
    const now = this.#options.clock.now();
    return (
      login.expiresAt - now > MIN_LEFT_MS && now - login.obtainedAt < maxAgeMs && login.obtainedAt <= now
    );
  }

  /** Still good as far as its own words go: used where it cannot be refreshed. */
  #isUsable(login: StoredLogin): boolean {
    return login.expiresAt - this.#options.clock.now() > MIN_LEFT_MS;
  }

  async #refresh(login: StoredLogin, maxAgeMs: number, signal?: AbortSignal): Promise<StoredLogin> {
    if (login.refreshToken === undefined) return this.#orExpired(login);
    try {
      return await withLock(
        join(this.#options.directory, 'refresh.lock'),
        () => this.#refreshLocked(maxAgeMs, signal),
        {
          ...(signal ? { signal } : {}),
        },
      );
    } catch (error) {
      const known = explainIssuerFailure(error, login.client.issuer);
      const unreachable =
        known instanceof Error && 'code' in known && known.code === 'ERR_ISSUER_UNREACHABLE';
      if (unreachable && this.#isUsable(login)) return login;
      throw known;
    }
  }

  /** While we waited, another process may have refreshed: its result is ours. */
  async #refreshLocked(maxAgeMs: number, signal?: AbortSignal): Promise<StoredLogin> {
    const current = await this.#read();
    if (this.#isFresh(current, maxAgeMs) || current.refreshToken === undefined) return current;
    const { refreshTokenGrant } = await import('openid-client');
    const configuration = await discoverIssuer(current.client, this.#options.fetch);
    signal?.throwIfAborted();
    const answer = await refreshTokenGrant(configuration, current.refreshToken, {
      scope: current.client.scope,
    });
    const next = nextLogin(current, answer.id_token, answer.refresh_token, this.#options.clock.now());
    await writeLogin(this.#options.store, this.#options.account, next);
    if (answer.id_token === undefined && !this.#isUsable(next)) throw noIdToken(current.client);
    return this.#orExpired(next);
  }

  #orExpired(login: StoredLogin): StoredLogin {
    if (this.#isUsable(login)) return login;
    throw new HoopError('ERR_LOGIN_EXPIRED', undefined, { hint: 'run: hoopctl login' });
  }
}

function noIdToken({ issuer }: DiscoveryIssuer): HoopError {
  const text = `the identity provider ${issuer} refreshes without a new ID token, and the last one has expired`;
  return new HoopError('ERR_NO_ID_TOKEN', text, {
    hint: 'run: hoopctl login; for longer logins have its operator give ID tokens at the refresh (scope openid)',
  });
}

/** A provider need not send a new ID token or a new refresh token: what it leaves out stays. */
function nextLogin(
  before: StoredLogin,
  idToken: string | undefined,
  refreshToken: string | undefined,
  nowMs: number,
): StoredLogin {
  const kept = refreshToken ?? before.refreshToken;
  const renewed = kept === undefined ? before : { ...before, refreshToken: kept };
  return idToken === undefined
    ? renewed
    : { ...renewed, idToken, obtainedAt: nowMs, expiresAt: expiryOf(idToken) };
}

function subject(login: StoredLogin): SubjectToken {
  return { token: login.idToken, type: TOKEN_TYPES.idToken };
}
