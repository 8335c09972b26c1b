import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Configuration, errors, JWKS, Provider } from 'oidc-provider';
import { HoopError, isHoopError } from '../core/errors.ts';
import { approveByBrowser } from './idp-browser.ts';
import {
  confirmCodePage,
  type DemoUser,
  donePage,
  enterCodePage,
  type Page,
  pickUserPage,
  problemPage,
  renderPage,
} from './idp-pages.ts';
import { IdpStore } from './idp-store.ts';

export interface DemoIdp {
  /** `http://127.0.0.1:PORT`; plain HTTP is allowed for loopback issuers only. */
  readonly issuer: string;
  readonly clientId: string;
  /** Of the gateway's own pages. */
  readonly pageClientId: string;
  readonly users: readonly DemoUser[];
  stop(): Promise<void>;
}

const DEMO_USERS: readonly DemoUser[] = [
  { login: 'ada', name: 'Ada Okonkwo', email: 'ada@shop.example', groups: ['developers'] },
  { login: 'grace', name: 'Grace Lindqvist', email: 'grace@shop.example', groups: ['developers', 'dba'] },
  { login: 'otto', name: 'Otto Berg', email: 'otto@shop.example', groups: ['auditors', 'security'] },
  { login: 'dana', name: 'Dana Ruiz', email: 'dana@shop.example', groups: ['dba', 'developers'] },
];

const CLIENT_ID = 'hoopctl';
const PAGE_CLIENT_ID = 'hoop-page';
const BODY_BYTES = 4_096;

/**
 * Starts a certified OpenID provider on loopback: device grant (RFC 8628), refresh tokens, `groups` and `auth_time` in
 * the ID token, and `POST /demo/approve` for machines without a browser.
 *
 * @param port 0 = any free one.
 * @param gateway Whose pages people sign in to, `https://HOST:PORT`.
 * @throws {HoopError} `ERR_CONFIG` oidc-provider is not installed, or the port is taken.
 */
export async function startIdp(port: number, gateway: string): Promise<DemoIdp> {
  const { Provider } = await import('oidc-provider').catch((cause: unknown) => {
    throw new HoopError('ERR_CONFIG', "the demo's identity provider is not installed (oidc-provider)", {
      hint: 'npm ci installs it with the optional dependencies; leave out --omit=optional',
      cause,
    });
  });
  const server = createServer();
  await listen(server, port);
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store = new IdpStore();
  const provider = new Provider(issuer, configuration(store, gateway));
  const pages = provider.callback();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    route(provider, issuer, request, response, pages).catch((error: unknown) =>
      answerProblem(response, error),
    );
  });
  const sweeper = setInterval(() => store.sweep(Date.now()), 60_000).unref();
  return {
    issuer,
    clientId: CLIENT_ID,
    pageClientId: PAGE_CLIENT_ID,
    users: DEMO_USERS,
    stop: async () => {
      clearInterval(sweeper);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function configuration(store: IdpStore, gateway: string): Configuration {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'demo-1', alg: 'ES256', use: 'sig' };
  return {
    adapter: (model: string) => store.adapter(model),
    jwks: { keys: [jwk] } as JWKS,
    cookies: { keys: [randomBytes(24).toString('base64url')] },
    clients: [
      {
        client_id: CLIENT_ID,
        client_name: 'hoopctl',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
        response_types: [],
        redirect_uris: [],
        require_auth_time: true,
        id_token_signed_response_alg: 'ES256',
      },
      {
        client_id: PAGE_CLIENT_ID,
        client_name: 'the approval page',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: [`${gateway}/approvals/signed-in`],
        require_auth_time: true,
        id_token_signed_response_alg: 'ES256',
      },
    ],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
    claims: {
      openid: ['sub', 'groups'],
      profile: ['name'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    conformIdTokenClaims: false, // hoopd reads the ID token and never asks userinfo
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    ttl: {
      AccessToken: 300,
      IdToken: 300,
      DeviceCode: 600,
      Interaction: 600,
      Session: 3600,
      Grant: 86_400,
      RefreshToken: 86_400,
    },
    findAccount: (_ctx, login) => account(login),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: grantAll,
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = renderPage(problemPage(out.error_description ?? out.error));
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (ctx, form, _out, error) => show(ctx, enterCodePage(form, codeProblem(error))),
        userCodeConfirmSource: (ctx, form, client, _device, code) =>
          show(ctx, confirmCodePage(form, client.clientName ?? client.clientId, code)),
        successSource: (ctx) => show(ctx, donePage()),
      },
    },
  };
}

function show(ctx: { type: string; body: unknown }, page: Page): void {
  ctx.type = 'html';
  ctx.body = renderPage(page);
}

/** The confirmation page already said what will be allowed: no second question, every scope that was asked for. */
const grantAll: NonNullable<Configuration['loadExistingGrant']> = async (ctx) => {
  const { client, session, provider, params } = ctx.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(String(params?.['scope'] ?? 'openid'));
  await grant.save();
  return grant;
};

function account(login: string) {
  const user = DEMO_USERS.find((one) => one.login === login);
  if (user === undefined) return undefined;
  const { name, email, groups } = user;
  return {
    accountId: login,
    claims: () => ({ sub: login, name, email, email_verified: true, groups: [...groups] }),
  };
}

function codeProblem(error: (Error & Partial<errors.OIDCProviderError>) | undefined): string | undefined {
  switch (error?.name) {
    case undefined:
      return undefined;
    case 'NoCodeError':
      return 'No code was entered.';
    case 'NotFoundError':
      return 'There is no such code. Check it and try again.';
    case 'ExpiredError':
      return 'That code has expired. Run hoopctl login again.';
    case 'AlreadyUsedError':
      return 'That code was used already. Run hoopctl login again.';
    case 'AbortedError':
      return 'Refused. hoopctl has been told.';
    default:
      return 'Something went wrong with that code. Run hoopctl login again.';
  }
}

async function route(
  provider: Provider,
  issuer: string,
  request: IncomingMessage,
  response: ServerResponse,
  pages: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', issuer);
  if (pathname === '/demo/approve') return approve(issuer, request, response);
  if (!pathname.startsWith('/interaction/')) {
    pages(request, response);
    return;
  }
  if (request.method !== 'POST') return answer(response, 200, pickUserPage(pathname, DEMO_USERS));
  const login = (await form(request)).get('login') ?? '';
  if (account(login) === undefined) throw new HoopError('ERR_USAGE', 'nobody here has that name');
  // A native client must be consented to at every sign-in (RFC 8252 §8.6): the confirmation page was that question.
  await provider.interactionFinished(request, response, { login: { accountId: login }, consent: {} });
}

/** `curl -d user_code=ABCD-EFGH -d login=ada`: refused to web pages, which always send an Origin with a POST. */
async function approve(issuer: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const foreign = request.headers.origin !== undefined || request.headers.host !== new URL(issuer).host;
  if (request.method !== 'POST' || foreign) {
    response.writeHead(403, { 'content-type': 'text/plain' }).end('only by POST, and not from a web page\n');
    return;
  }
  const fields = await form(request);
  const login = fields.get('login') ?? '';
  try {
    // A code is good once: a name that is mistyped must not use it up.
    if (account(login) === undefined)
      throw new HoopError(
        'ERR_LOGIN_DENIED',
        `nobody here is called "${login}": say ${DEMO_USERS.map((user) => user.login).join(', ')}`,
      );
    await approveByBrowser(issuer, fields.get('user_code') ?? '', login);
    response.writeHead(200, { 'content-type': 'text/plain' }).end('approved\n');
  } catch (error) {
    if (!isHoopError(error)) throw error;
    response.writeHead(400, { 'content-type': 'text/plain' }).end(`${error.message}\n`);
  }
}

async function form(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > BODY_BYTES) throw new HoopError('ERR_LIMIT', 'the form is too large');
  }
  return new URLSearchParams(text);
}

function answer(response: ServerResponse, status: number, page: Page): void {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'x-frame-options': 'DENY',
  };
  response.writeHead(status, headers).end(renderPage(page));
}

function answerProblem(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  answer(
    response,
    400,
    problemPage(isHoopError(error) ? error.message : 'The request could not be understood.'),
  );
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new HoopError('ERR_CONFIG', `port ${port} is taken`, { cause })));
    server.listen(port, '127.0.0.1', resolve);
  });
}
