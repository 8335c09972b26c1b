/**
 * A real OpenID provider in this process: device grant, refresh tokens, group claims. The person at the
 * browser is played by `approve` and `deny`, which walk the provider's own pages over HTTP.
 */
import { createPrivateKey, generateKeyPairSync, type JsonWebKey, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import type { ClientMetadata, Configuration, JWKS } from 'oidc-provider';

interface TestUser {
  readonly email?: string;
  readonly groups?: readonly string[];
  /** More claims for the ID token and userinfo. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface IssuerOptions {
  /** Beside the built-in public client `hoopctl`. */
  readonly clients?: readonly ClientMetadata[];
  /** By login name; a login that is not here cannot sign in. Default: alice (developers), bob (no group). */
  readonly users?: Readonly<Record<string, TestUser>>;
  /** Lifetime of ID and access tokens, seconds, default 300. */
  readonly tokenTtlSeconds?: number;
}

export interface TestIssuer {
  /** `http://127.0.0.1:PORT`. */
  readonly issuer: string;
  /** `hoopctl`: public, device grant and refresh. */
  readonly clientId: string;
  /** Signs in as `login` and approves the device code, like a person in a browser would. */
  approve(userCode: string, login: string): Promise<void>;
  /** Enters the code and presses "cancel". */
  deny(userCode: string): Promise<void>;
  /** A token signed with the provider's own key; defaults: `iss`, `iat` now, `exp` in 5 minutes, `sub` ci. */
  mintJwt(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
  /** Changes what the provider says of a user from the next token on; `undefined` disables the user. */
  setUser(login: string, user: TestUser | undefined): void;
  stop(): Promise<void>;
}

const DEFAULT_USERS: Readonly<Record<string, TestUser>> = {
  alice: { email: 'alice@example.com', groups: ['developers'] },
  bob: { email: 'bob@example.com', groups: [] },
};

const PUBLIC_CLIENT: ClientMetadata = {
  client_id: 'hoopctl',
  client_name: 'hoopctl',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
  response_types: [],
  redirect_uris: [],
  require_auth_time: true,
};

const KEY_ID = 'test-issuer-1';

/**
 * Starts the provider on a free loopback port.
 *
 * @returns The running issuer; call `stop()` when done.
 */
export async function startIssuer(options: IssuerOptions = {}): Promise<TestIssuer> {
  const { Provider } = await import('oidc-provider');
  const users = new Map(Object.entries(options.users ?? DEFAULT_USERS));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'ES256', use: 'sig' };

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, configuration(users, jwk, options));
  provider.use(async (context, next) => {
    await next();
    // It names no interval, and without one a device asks every five seconds only (RFC 8628, 3.2).
    if (context.oidc?.route === 'device_authorization' && context.status === 200)
      Object.assign(context.body as object, { interval: 0.5 });
  });
  // The provider warns on stderr about its development pages; they are what we want here.
  server.on('request', provider.callback());

  return {
    issuer,
    clientId: 'hoopctl',
    approve: (userCode, login) => approve(issuer, userCode, login),
    deny: (userCode) => deny(issuer, userCode),
    mintJwt: (claims, header) => mint(jwk, issuer, claims ?? {}, header ?? {}),
    setUser: (login, user) => {
      if (user === undefined) users.delete(login);
      else users.set(login, user);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function configuration(users: Map<string, TestUser>, jwk: JsonWebKey, options: IssuerOptions): Configuration {
  const ttl = options.tokenTtlSeconds ?? 300;
  return {
    clients: [PUBLIC_CLIENT, ...(options.clients ?? [])],
    jwks: { keys: [jwk] } as JWKS,
    cookies: { keys: [randomBytes(16).toString('hex')] },
    features: {
      deviceFlow: { enabled: true },
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      // Access tokens are JWTs only for a resource that was named (RFC 8707).
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: '',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: ttl,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    scopes: ['openid', 'offline_access', 'email', 'profile', 'groups'],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    // Claims go into the ID token itself: hoopd sees nothing else of the person.
    conformIdTokenClaims: false,
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    ttl: {
      IdToken: ttl,
      AccessToken: ttl,
      DeviceCode: 300,
      Interaction: 300,
      Session: 3600,
      Grant: 3600,
      RefreshToken: 3600,
    },
    findAccount: (_ctx, login) => {
      const user = users.get(login);
      if (user === undefined) return undefined;
      return {
        accountId: login,
        claims: () => ({
          sub: login,
          ...(user.email === undefined ? {} : { email: user.email, email_verified: true }),
          groups: [...(user.groups ?? [])],
          ...user.claims,
        }),
      };
    },
  };
}

function mint(
  jwk: JsonWebKey & { alg: string },
  issuer: string,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>>,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ iss: issuer, sub: 'ci', iat: now, exp: now + 300, ...claims })
    .setProtectedHeader({ alg: jwk.alg, kid: KEY_ID, typ: 'JWT', ...header })
    .sign(createPrivateKey({ key: jwk, format: 'jwk' }));
}

/** Just enough of a browser: cookies, forms, redirects followed by hand. */
class Browser {
  readonly #cookies = new Map<string, string>();
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  async open(path: string, form?: Readonly<Record<string, string>>): Promise<{ url: string; html: string }> {
    let url = new URL(path, this.#origin).href;
    let body = form === undefined ? undefined : new URLSearchParams(form).toString();
    for (let hops = 0; hops < 10; hops++) {
      const response = await this.#request(url, body);
      const location = response.headers.get('location');
      if (location === null) {
        const html = await response.text();
        if (response.status >= 400 && !html.includes('<form')) {
          throw new Error(`test issuer answered ${response.status} at ${url}: ${html.slice(0, 300)}`);
        }
        return { url, html };
      }
      await response.arrayBuffer();
      url = new URL(location, url).href;
      body = undefined;
    }
    throw new Error('too many redirects at the test issuer');
  }

  async #request(url: string, body: string | undefined): Promise<Response> {
    const headers: Record<string, string> = {
      cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    };
    if (body !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded';
    const response = await fetch(url, {
      redirect: 'manual',
      headers,
      ...(body === undefined ? {} : { method: 'POST', body }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const at = pair.indexOf('=');
      this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }
}

function field(html: string, name: string): string {
  const value = new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1];
  if (value === undefined)
    throw new Error(`the test issuer's page has no field ${name}: ${html.slice(0, 500)}`);
  return value;
}

function formAction(html: string): string {
  const action = /<form[^>]*action="([^"]+)"/.exec(html)?.[1];
  if (action === undefined) throw new Error(`the test issuer's page has no form: ${html.slice(0, 500)}`);
  return action;
}

/** Opens the verification page and enters the code: the provider now asks "is this you?". */
async function enterCode(browser: Browser, userCode: string): Promise<string> {
  const entry = await browser.open('/device');
  const confirm = await browser.open('/device', { xsrf: field(entry.html, 'xsrf'), user_code: userCode });
  return field(confirm.html, 'xsrf');
}

async function approve(issuer: string, userCode: string, login: string): Promise<void> {
  const browser = new Browser(issuer);
  const xsrf = await enterCode(browser, userCode);
  let page = await browser.open('/device', { xsrf, user_code: userCode, confirm: 'yes' });
  for (let steps = 0; steps < 4 && page.html.includes('name="prompt"'); steps++) {
    const prompt = field(page.html, 'prompt');
    const answer = prompt === 'login' ? { prompt, login, password: 'any' } : { prompt };
    page = await browser.open(formAction(page.html), answer);
  }
  if (!/success/i.test(page.html))
    throw new Error(`the test issuer did not finish: ${page.html.slice(0, 500)}`);
}

async function deny(issuer: string, userCode: string): Promise<void> {
  const browser = new Browser(issuer);
  const xsrf = await enterCode(browser, userCode);
  await browser.open('/device', { xsrf, user_code: userCode, abort: 'yes' });
}
