/**
 * Machines with a client of their own at the identity provider: the client credentials grant, asked anew at each
 * renewal.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type * as oidc from 'openid-client';
import { type DiscoveryClientCredentials, type DiscoveryMachine, TOKEN_TYPES } from '../../api/contract.ts';
import { HoopError } from '../../core/errors.ts';
import type { SubjectSource } from './credential.ts';
import { discoverIssuer, explainIssuerFailure, type Fetch } from './issuer-client.ts';

const MAX_FILE_BYTES = 64 * 1024;

export interface ClientCredentialsOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly fetch: Fetch;
  /** What the gateway says of machines; asked once. */
  readonly machines: () => Promise<readonly DiscoveryMachine[]>;
}

type Machine = DiscoveryMachine & { readonly clientCredentials: DiscoveryClientCredentials };

/**
 * Makes the source of a machine's access tokens. Reads nothing yet.
 *
 * `HOOPCTL_CLIENT_ID` with `HOOPCTL_CLIENT_SECRET`, `HOOPCTL_CLIENT_SECRET_FILE` or `HOOPCTL_CLIENT_KEY_FILE`; the
 * files are read at each renewal.
 *
 * @returns A source whose `get` throws `ERR_CONFIG` what is set does not fit together or to the gateway;
 *   `ERR_NOT_LOGGED_IN` the provider refuses the client; `ERR_ISSUER_UNREACHABLE`.
 * @see RFC 6749 §4.4; OpenID Connect Core 1.0 §9
 */
export function clientCredentialsSource(clientId: string, options: ClientCredentialsOptions): SubjectSource {
  let chosen: Promise<Machine> | undefined;
  const machine = () => {
    chosen ??= options.machines().then((all) => chooseMachine(all, options.env['HOOPCTL_ISSUER']));
    chosen.catch(() => {
      chosen = undefined;
    });
    return chosen;
  };
  return {
    name: 'HOOPCTL_CLIENT_ID',
    async get(signal) {
      const which = await machine();
      signal?.throwIfAborted();
      return { token: await requestToken(clientId, which, options), type: TOKEN_TYPES.jwt };
    },
  };
}

function chooseMachine(all: readonly DiscoveryMachine[], wanted: string | undefined): Machine {
  const able = all.filter((item): item is Machine => item.clientCredentials !== undefined);
  const [first] = able;
  const names = able.map(({ issuer }) => issuer).join(', ');
  if (first === undefined)
    throw new HoopError('ERR_CONFIG', 'this gateway knows no issuer with clients for machines');
  if (wanted) {
    const found = able.find(({ issuer }) => issuer === wanted);
    if (found !== undefined) return found;
    const hint = `it knows: ${names}`;
    throw new HoopError('ERR_CONFIG', `this gateway has no clients for machines at ${wanted}`, { hint });
  }
  if (able.length === 1) return first;
  throw new HoopError('ERR_CONFIG', 'this gateway knows several issuers with clients for machines', {
    hint: `set HOOPCTL_ISSUER to one of: ${names}`,
  });
}

async function requestToken(
  clientId: string,
  machine: Machine,
  { env, fetch }: ClientCredentialsOptions,
): Promise<string> {
  const { issuer } = machine;
  const scope = machine.clientCredentials.scope ?? '';
  const found = await discoverIssuer({ issuer, clientId, scope }, fetch);
  const library = await import('openid-client');
  const authentication = await authenticationOf(env, machine, found.serverMetadata(), library);
  const configuration = new library.Configuration(
    found.serverMetadata(),
    clientId,
    undefined,
    authentication,
  );
  configuration[library.customFetch] = fetch;
  if (issuer.startsWith('http:')) library.allowInsecureRequests(configuration);
  try {
    const answer = await library.clientCredentialsGrant(configuration, parametersOf(machine));
    if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(answer.access_token)) return answer.access_token;
  } catch (error) {
    throw explainRefusal(error, issuer, clientId);
  }
  throw new HoopError('ERR_CONFIG', `the identity provider ${issuer} gave an access token that is no JWT`, {
    hint: `have it give JWT access tokens for the audience ${machine.audience}`,
  });
}

function parametersOf({ audience, clientCredentials }: Machine): Record<string, string> {
  const { scope, namesAudience } = clientCredentials;
  const isUri = URL.canParse(audience);
  return {
    ...(scope === undefined ? {} : { scope }),
    ...(namesAudience ? { audience, ...(isUri ? { resource: audience } : {}) } : {}),
  };
}

async function authenticationOf(
  env: NodeJS.ProcessEnv,
  machine: Machine,
  server: oidc.ServerMetadata,
  library: typeof oidc,
): Promise<oidc.ClientAuth> {
  const { HOOPCTL_CLIENT_SECRET, HOOPCTL_CLIENT_SECRET_FILE, HOOPCTL_CLIENT_KEY_FILE } = env;
  const ways = [HOOPCTL_CLIENT_SECRET, HOOPCTL_CLIENT_SECRET_FILE, HOOPCTL_CLIENT_KEY_FILE].filter(Boolean);
  if (ways.length !== 1) {
    throw new HoopError('ERR_CONFIG', `HOOPCTL_CLIENT_ID stands with ${ways.length} ways to prove it`, {
      hint: 'set one of HOOPCTL_CLIENT_SECRET, HOOPCTL_CLIENT_SECRET_FILE, HOOPCTL_CLIENT_KEY_FILE',
    });
  }
  if (HOOPCTL_CLIENT_KEY_FILE) {
    const key = await readKey(HOOPCTL_CLIENT_KEY_FILE);
    const toEndpoint = machine.clientCredentials.assertionAudience === 'token-endpoint';
    const audience = toEndpoint ? server.token_endpoint : undefined;
    return library.PrivateKeyJwt(key, {
      [library.modifyAssertion]: (_header, payload) => {
        if (audience !== undefined) payload['aud'] = audience;
      },
    });
  }
  const secret =
    HOOPCTL_CLIENT_SECRET ?? (await readText('HOOPCTL_CLIENT_SECRET_FILE', HOOPCTL_CLIENT_SECRET_FILE!));
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  // Not every provider decodes what RFC 6749 §2.3.1 has the client encode in the header: the form is safe.
  const form = methods.includes('client_secret_post');
  return form ? library.ClientSecretPost(secret) : library.ClientSecretBasic(secret);
}

async function readText(name: string, path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new HoopError('ERR_CONFIG', `${name} cannot be read: ${path} (${error.code})`);
  });
  if (text.length > 0 && text.length <= MAX_FILE_BYTES) return text.replace(/\r?\n$/, '');
  throw new HoopError('ERR_CONFIG', `${name} is empty or larger than 64 KiB: ${path}`);
}

/** PKCS #8 PEM, or a JWK with its `kid`. What cannot be read is never repeated. */
async function readKey(path: string): Promise<oidc.PrivateKey> {
  const text = await readText('HOOPCTL_CLIENT_KEY_FILE', path);
  try {
    const jwk = text.trimStart().startsWith('{') ? (JSON.parse(text) as { kid?: unknown }) : undefined;
    const key = jwk === undefined ? createPrivateKey(text) : createPrivateKey({ key: jwk, format: 'jwk' });
    const cryptoKey = key.toCryptoKey(algorithmOf(key), false, ['sign']);
    return typeof jwk?.kid === 'string' ? { key: cryptoKey, kid: jwk.kid } : { key: cryptoKey };
  } catch {
    throw new HoopError(
      'ERR_CONFIG',
      `HOOPCTL_CLIENT_KEY_FILE holds no private key that can be used: ${path}`,
      {
        hint: 'it must be PKCS #8 PEM or a JWK: RSA, P-256 or Ed25519, without a password',
      },
    );
  }
}

function algorithmOf(key: KeyObject): Parameters<KeyObject['toCryptoKey']>[0] {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  if (key.asymmetricKeyType === 'ed25519') return { name: 'Ed25519' };
  return { name: 'ECDSA', namedCurve: 'P-256' };
}

/** @see RFC 6749 §5.2 */
function explainRefusal(error: unknown, issuer: string, clientId: string): unknown {
  const code = error instanceof Error && 'error' in error ? String(error.error).slice(0, 64) : undefined;
  const answer = error instanceof Error ? error.cause : undefined;
  const status = answer instanceof Response ? answer.status : 0;
  const refused = code ?? (status === 401 || status === 403 ? `HTTP ${status}` : undefined);
  if (refused === undefined) return explainIssuerFailure(error, issuer);
  const what = `the identity provider ${issuer} refused the client ${clientId} (${refused})`;
  const hint = 'compare client id, secret or key, scope and audience with its registration';
  return new HoopError('ERR_NOT_LOGGED_IN', what, { hint, cause: error });
}
