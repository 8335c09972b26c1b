import type * as oidc from 'openid-client';
import { HoopError, isHoopError } from '../../core/errors.ts';
import type { TrustedIssuer } from './config.ts';
import type { Fetch } from './fetch-json.ts';
import { isLoopbackHttp } from './jwks.ts';

/** For one answer of the provider, s. */
const TIMEOUT_S = 10;
/** Of one answer, octets. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** What must be remembered between the two halves of a sign-in, in the browser that began it and nowhere else. */
export interface SignInMemory {
  readonly issuer: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE's. */
  readonly verifier: string;
}

export interface CodeFlowOptions {
  readonly issuer: TrustedIssuer;
  readonly fetch: Fetch;
  /** Absolute; registered with the provider. */
  readonly redirectUri: string;
}

/**
 * Signs a person in with a browser: authorization code with PKCE, `state` and `nonce`, each for one sign-in.
 *
 * @see https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
 * @see https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1
 */
export class CodeFlow {
  readonly #options: CodeFlowOptions;
  #provider: Promise<oidc.Configuration> | undefined;

  constructor(options: CodeFlowOptions) {
    this.#options = options;
  }

  /**
   * Where the browser goes to sign in. Fetches the provider's configuration the first time.
   *
   * @param signedInWithinMs The provider asks for the password again where the last time is longer ago.
   * @param asks It asks who it is in any case (`prompt=login`, OIDC Core 3.1.2.1).
   * @throws {HoopError} `ERR_ISSUER_UNREACHABLE`.
   */
  async begin(
    signedInWithinMs: number,
    asks = false,
  ): Promise<{ readonly address: URL; readonly memory: SignInMemory }> {
    const library = await import('openid-client');
    const { issuer, redirectUri } = this.#options;
    const verifier = library.randomPKCECodeVerifier();
    const memory = {
      issuer: issuer.issuer,
      state: library.randomState(),
      nonce: library.randomNonce(),
      verifier,
    };
    const address = library.buildAuthorizationUrl(await this.#configuration(), {
      redirect_uri: redirectUri,
      scope: withoutRefresh(issuer.scope),
      state: memory.state,
      nonce: memory.nonce,
      code_challenge: await library.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      max_age: `${Math.floor(signedInWithinMs / 1000)}`,
      ...(asks ? { prompt: 'login' } : {}),
    });
    if (address.protocol !== 'https:' && !(isLoopbackHttp(address) && isLoopbackHttp(new URL(issuer.issuer))))
      throw new HoopError('ERR_ISSUER_UNREACHABLE', `the page of ${issuer.issuer} to sign in is not https`);
    return { address, memory };
  }

  /**
   * Exchanges the code that the browser brings back.
   *
   * @param query Of the address that the provider sent the browser to, with its `?`.
   * @param memory From the `begin` of the same browser.
   * @returns The ID token. Its signature is not verified yet: hand it to the token exchange.
   * @throws {HoopError} `ERR_LOGIN_DENIED` the person or the provider said no; `ERR_TOKEN_INVALID` the answer is not to
   *   this question, or does not say when the person signed in; `ERR_ISSUER_UNREACHABLE`.
   */
  async finish(query: string, memory: SignInMemory, signedInWithinMs: number): Promise<string> {
    const library = await import('openid-client');
    const address = new URL(this.#options.redirectUri);
    address.search = query;
    try {
      const answer = await library.authorizationCodeGrant(await this.#configuration(), address, {
        pkceCodeVerifier: memory.verifier,
        expectedState: memory.state,
        expectedNonce: memory.nonce,
        idTokenExpected: true,
        maxAge: Math.floor(signedInWithinMs / 1000),
      });
      if (answer.id_token === undefined) throw new HoopError('ERR_TOKEN_INVALID');
      return answer.id_token;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  async #configuration(): Promise<oidc.Configuration> {
    this.#provider ??= this.#discover();
    try {
      return await this.#provider;
    } catch (error) {
      this.#provider = undefined;
      throw this.#explained(error);
    }
  }

  async #discover(): Promise<oidc.Configuration> {
    const library = await import('openid-client');
    const { issuer, fetch } = this.#options;
    const { clientId, clientSecret } = issuer.web ?? {};
    if (clientId === undefined) throw new HoopError('ERR_CONFIG', 'the issuer has no client for browsers');
    const authentication = clientSecret === undefined ? library.None() : undefined;
    const server = new URL(issuer.issuer);
    return library.discovery(server, clientId, clientSecret, authentication, {
      [library.customFetch]: async (url, { body, ...init }) => {
        const sent = body === undefined || body === null ? {} : { body: bodyText(body) };
        return bounded(await fetch(new URL(url), { ...init, ...sent } as RequestInit));
      },
      timeout: TIMEOUT_S,
      // Deprecated as a warning to readers; the configuration lets plain http pass on loopback alone.
      execute: isLoopbackHttp(server) ? [library.allowInsecureRequests] : [],
    });
  }

  #explained(error: unknown): HoopError {
    if (isHoopError(error)) return error;
    const { issuer } = this.#options.issuer;
    const detail = error instanceof Error ? error.message : undefined;
    const cause = { cause: error, ...(detail === undefined ? {} : { detail }) };
    const { error: word, code = '' } = error as { readonly error?: unknown; readonly code?: string };
    if (typeof word === 'string')
      return new HoopError('ERR_LOGIN_DENIED', `${issuer} did not sign you in (${plain(word)})`, cause);
    if (detail?.includes('auth_time') === true)
      return new HoopError('ERR_TOKEN_INVALID', `${issuer} does not say when you signed in`, {
        hint: 'its operator has it put auth_time into ID tokens; until then decide with hoopctl approval',
        ...cause,
      });
    if (code.startsWith('OAUTH_') && code !== 'OAUTH_TIMEOUT')
      return new HoopError('ERR_TOKEN_INVALID', `what ${issuer} answered does not fit this sign-in`, {
        hint: 'begin again; if it lasts, the operator finds the reason in the log of hoopd',
        ...cause,
      });
    return new HoopError('ERR_ISSUER_UNREACHABLE', undefined, cause);
  }
}

/** A provider's word for an error, RFC 6749 §4.1.2.1: whatever else stands there is not repeated. */
function plain(word: string): string {
  return /^[a-z_]{1,40}$/.test(word) ? word : 'without a reason';
}

/** Nothing is refreshed: when the sign-in is too old, the browser is sent to the provider again. */
function withoutRefresh(scope: string): string {
  return scope
    .split(' ')
    .filter((one) => one !== 'offline_access')
    .join(' ');
}

/** The library reads whatever comes: no more comes than this. */
async function bounded(answer: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body ?? []) {
    length += chunk.byteLength;
    if (length > MAX_ANSWER_BYTES) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES} octets`);
    chunks.push(chunk);
  }
  const { status, headers } = answer;
  const empty = status === 204 || status === 205 || status === 304;
  return new Response(empty ? null : Buffer.concat(chunks), { status, headers });
}

function bodyText(body: unknown): string {
  return body instanceof URLSearchParams ? body.toString() : String(body);
}
