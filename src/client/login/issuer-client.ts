/**
 * openid-client on our own network: same proxy, authorities and deadlines as everything else.
 */
import type { Agent } from 'node:http';
import type * as oidc from 'openid-client';
import type { DiscoveryIssuer } from '../../api/contract.ts';
import { HoopError, isHoopError } from '../../core/errors.ts';
import { codeOf, isAbort } from '../network/errors.ts';
import { OriginAgent, readBody, send } from '../network/http.ts';
import { assertIssuerUrl, type Network } from '../network/network.ts';
import { isLoopback } from '../network/proxy.ts';

const MAX_ANSWER_BYTES = 1024 * 1024;
const TIMEOUT_MS = 10_000;

/** What openid-client calls; `Response` is Node's own. */
export type Fetch = (url: string, options: oidc.CustomFetchOptions) => Promise<Response>;

/** A `fetch` over our connections: no redirects, bounded answers, one connection per request. */
export function issuerFetch(network: Network): Fetch {
  return async (address, options) => {
    const url = new URL(address);
    const agent: Agent = new OriginAgent(url, (to, signal) => network.connectIssuer(to, signal), {
      keepAlive: false,
    });
    const body = options.body == null ? undefined : String(options.body);
    const answer = await send(agent, {
      method: options.method,
      url,
      headers: options.headers,
      timeoutMs: TIMEOUT_MS,
      ...(body === undefined ? {} : { body }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const text = await readBody(answer, MAX_ANSWER_BYTES);
    const headers = new Headers();
    for (const [name, value] of Object.entries(answer.headers)) {
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
    }
    const status = answer.statusCode ?? 500;
    return new Response([204, 205, 304].includes(status) ? null : text, { status, headers });
  };
}

/**
 * Reads the provider's configuration.
 *
 * @throws {HoopError} `ERR_ISSUER_UNREACHABLE` no answer, or one that is no OpenID configuration; `ERR_CONFIG` an
 *   issuer without https that is not on loopback.
 */
export async function discoverIssuer(client: DiscoveryIssuer, fetch: Fetch): Promise<oidc.Configuration> {
  const server = assertIssuerUrl(client.issuer, isLoopback);
  const library = await import('openid-client');
  const secret = client.clientSecret;
  try {
    const authentication = secret === undefined ? library.None() : undefined;
    return await library.discovery(server, client.clientId, secret, authentication, {
      [library.customFetch]: fetch,
      timeout: TIMEOUT_MS / 1000,
      // Deprecated as a warning to readers; `assertIssuerUrl` lets plain http pass on loopback alone.
      execute: server.protocol === 'http:' ? [library.allowInsecureRequests] : [],
    });
  } catch (error) {
    throw explainIssuerFailure(error, client.issuer);
  }
}

/** Turns what openid-client or the network throws at us into an error of ours; aborts by the caller pass through. */
export function explainIssuerFailure(error: unknown, issuer: string): unknown {
  if (isAbort(error) || (isHoopError(error) && error.code !== 'ERR_GATEWAY_UNREACHABLE')) return error;
  const where = `the identity provider ${issuer}`;
  const oauth = error instanceof Error && 'error' in error ? String(error.error) : undefined;
  if (oauth !== undefined) return explainOauthError(oauth, where, error);
  const code = codeOf(error);
  if (['OAUTH_RESPONSE_IS_NOT_JSON', 'OAUTH_PARSE_ERROR', 'OAUTH_RESPONSE_IS_NOT_CONFORM'].includes(code)) {
    return new HoopError('ERR_ISSUER_UNREACHABLE', `${where} does not answer as an OpenID provider does`, {
      hint: "check the issuer in the gateway's configuration; behind a captive portal, open a browser first",
      cause: error,
    });
  }
  if (code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED') {
    return new HoopError('ERR_TOKEN_INVALID', `a token of ${where} is not valid at this machine's time`, {
      hint: "set this machine's clock right",
      cause: error,
    });
  }
  if (code.startsWith('OAUTH_') && code !== 'OAUTH_TIMEOUT') {
    const why = error instanceof Error ? error.message : code;
    return new HoopError('ERR_ISSUER_UNREACHABLE', `${where} gave an answer that cannot be used: ${why}`, {
      cause: error,
    });
  }
  const why = code === '' || code === 'OAUTH_TIMEOUT' ? 'no answer' : code;
  return new HoopError('ERR_ISSUER_UNREACHABLE', `${where} cannot be reached (${why})`, {
    hint: "the gateway's configuration names it (issuers): check that name there, and this machine's network",
    cause: error,
  });
}

/** @see RFC 6749 §5.2; RFC 8628 §3.5 */
function explainOauthError(code: string, where: string, cause: unknown): HoopError {
  const again = 'run: hoopctl login';
  if (code === 'access_denied')
    return new HoopError('ERR_LOGIN_DENIED', 'the login was denied in the browser', { cause });
  if (code === 'expired_token') {
    return new HoopError('ERR_LOGIN_EXPIRED', 'the code ran out before anybody entered it', {
      hint: again,
      cause,
    });
  }
  if (code === 'invalid_grant') return new HoopError('ERR_LOGIN_EXPIRED', undefined, { hint: again, cause });
  return new HoopError('ERR_LOGIN_DENIED', `${where} refused (${code.slice(0, 64)})`, { cause });
}
