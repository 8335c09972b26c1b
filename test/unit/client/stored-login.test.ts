import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { issuerFetch } from '../../../src/client/login/issuer-client.ts';
import { readLogin, StoredLoginSource, writeLogin } from '../../../src/client/login/stored-login.ts';
import { Network } from '../../../src/client/network/network.ts';
import { FileSecretStore } from '../../../src/client/store/file-secret-store.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const ACCOUNT = 'default@https://gw.test';

let directory: string;
let server: Server;
let issuer: string;
/** What the provider's token endpoint does next, and the refresh tokens it was shown. */
let respond: (refreshToken: string | null) => { status: number; body: object };
let shown: (string | null)[];
let now: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hoopctl-login-'));
  shown = [];
  now = NOW;
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const json = (status: number, value: object) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    if (request.url?.includes('/.well-known/'))
      return json(200, { issuer, token_endpoint: `${issuer}/token` });
    const refreshToken = new URLSearchParams(body).get('refresh_token');
    shown.push(refreshToken);
    const { status, body: value } = respond(refreshToken);
    json(status, value);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

/** An ID token as the provider would sign it; nobody here checks the signature. */
function idToken(name: string, expiresAt: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const seconds = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer,
    aud: 'hoopctl',
    sub: 'alice',
    name,
    iat: seconds,
    exp: Math.floor(expiresAt / 1000),
  };
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`;
}

async function setUp(login: { obtainedAt: number; expiresAt: number; refreshToken?: string }) {
  const store = new FileSecretStore(directory);
  const client = { issuer, clientId: 'hoopctl', scope: 'openid offline_access' };
  await writeLogin(store, ACCOUNT, {
    version: 1,
    client,
    idToken: idToken('stored', login.expiresAt),
    ...login,
  });
  const network = new Network({ ca: undefined, source: 'test' }, {});
  const make = () =>
    new StoredLoginSource({
      store,
      account: ACCOUNT,
      profile: 'default',
      directory,
      fetch: issuerFetch(network),
      clock: { now: () => now },
    });
  return { store, make, source: make() };
}

const fresh = (refreshToken: string) => ({
  status: 200,
  body: {
    access_token: 'at',
    token_type: 'bearer',
    refresh_token: refreshToken,
    id_token: idToken(refreshToken, Date.now() + 3_600_000),
  },
});

function nameIn(token: string): string {
  return (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { name: string }).name;
}

describe('the ID token', () => {
  test('is used as it is while young, and refreshed once older than was asked for though it has not expired', async () => {
    const { source, store } = await setUp({
      obtainedAt: NOW,
      expiresAt: NOW + 3_600_000,
      refreshToken: 'r1',
    });
    respond = () => fresh('r2');
    now = NOW + 90_000;
    expect(nameIn((await source.get()).token)).toBe('stored');
    expect(nameIn((await source.get(undefined, 91_000)).token)).toBe('stored');
    expect(shown).toEqual([]);
    now = NOW + 101_000;
    expect(nameIn((await source.get()).token)).toBe('r2');
    expect(shown).toEqual(['r1']);
    expect(await readLogin(store, ACCOUNT)).toMatchObject({ refreshToken: 'r2', obtainedAt: now });
  });

  test('is refreshed by one of many at once: a rotated refresh token is shown only once', async () => {
    const { make } = await setUp({ obtainedAt: NOW - 300_000, expiresAt: NOW, refreshToken: 'r1' });
    respond = (token) => (token === 'r1' ? fresh('r2') : { status: 400, body: { error: 'invalid_grant' } });
    const tokens = await Promise.all(Array.from({ length: 6 }, () => make().get()));
    expect(tokens.map(({ token }) => nameIn(token))).toEqual(Array(6).fill('r2'));
    expect(shown).toEqual(['r1']);
  });

  test('goes on unrefreshed while the provider is down, as long as it is good', async () => {
    const { source } = await setUp({
      obtainedAt: NOW - 300_000,
      expiresAt: NOW + 60_000,
      refreshToken: 'r1',
    });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(nameIn((await source.get()).token)).toBe('stored');
    now = NOW + 60_000;
    await expect(source.get()).rejects.toMatchObject({ code: 'ERR_ISSUER_UNREACHABLE' });
  });

  test('is worth nothing once the provider has refused to refresh it', async () => {
    const { source } = await setUp({
      obtainedAt: NOW - 300_000,
      expiresAt: NOW + 3_600_000,
      refreshToken: 'r1',
    });
    respond = () => ({ status: 400, body: { error: 'invalid_grant', error_description: 'user disabled' } });
    await expect(source.get()).rejects.toMatchObject({
      code: 'ERR_LOGIN_EXPIRED',
      hint: 'run: hoopctl login',
    });
  });

  test('without a refresh token lives until it ends', async () => {
    const { source } = await setUp({ obtainedAt: NOW - 300_000, expiresAt: NOW + 60_000 });
    expect(nameIn((await source.get()).token)).toBe('stored');
    now = NOW + 31_000;
    await expect(source.get()).rejects.toMatchObject({ code: 'ERR_LOGIN_EXPIRED' });
    expect(shown).toEqual([]);
  });

  test('stays if the provider sends none with the refreshed tokens, but the new refresh token is kept', async () => {
    const { source, store } = await setUp({
      obtainedAt: NOW - 300_000,
      expiresAt: NOW + 3_600_000,
      refreshToken: 'r1',
    });
    respond = () => ({
      status: 200,
      body: { access_token: 'at', token_type: 'bearer', refresh_token: 'r2' },
    });
    expect(nameIn((await source.get()).token)).toBe('stored');
    expect(await readLogin(store, ACCOUNT)).toMatchObject({ refreshToken: 'r2' });
  });

  test('that has ended where the provider sends none: not an expired login, and the cure is its operator’s', async () => {
    const { source } = await setUp({ obtainedAt: NOW - 300_000, expiresAt: NOW, refreshToken: 'r1' });
    respond = () => ({ status: 200, body: { access_token: 'at', token_type: 'bearer' } });
    await expect(source.get()).rejects.toMatchObject({
      code: 'ERR_NO_ID_TOKEN',
      message: expect.stringContaining('refreshes without a new ID token'),
      hint: expect.stringContaining('scope openid'),
    });
  });
});

test('nothing stored: not logged in', async () => {
  const { make, store } = await setUp({ obtainedAt: NOW, expiresAt: NOW });
  await store.deletePassword('hoopctl', ACCOUNT);
  await expect(make().get()).rejects.toMatchObject({ code: 'ERR_NOT_LOGGED_IN' });
});
