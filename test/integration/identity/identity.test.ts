/**
 * Identity from end to end, with a certified OpenID provider, a real device grant by openid-client, real TLS
 * connections and a real database file.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  TOKEN_EXCHANGE_GRANT,
  TOKEN_TYPES,
  type TokenRequest,
} from '../../../src/api/contract.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { isHoopError } from '../../../src/core/errors.ts';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import { AgentRegistry } from '../../../src/identity/agents.ts';
import { Authenticator } from '../../../src/identity/authenticate.ts';
import { verifyProof } from '../../../src/identity/dpop.ts';
import { TokenExchange } from '../../../src/identity/exchange.ts';
import { InstanceRegistry } from '../../../src/identity/instances.ts';
import { IssuerRegistry } from '../../../src/identity/issuers/issuer.ts';
import { NonceSource } from '../../../src/identity/nonces.ts';
import { generateSigningKey, loadSigningKey } from '../../../src/identity/signing-key.ts';
import { GatewayTokens } from '../../../src/identity/tokens.ts';
import { SqliteRevocationStore } from '../../../src/storage/revocations.ts';
import { startIssuer, type TestIssuer } from '../../support/identity/oidc-issuer.ts';
import { makeProofKey, type ProofKey } from '../../support/identity/proof-key.ts';
import { timePasses } from '../../support/waiting.ts';

const GATEWAY = 'https://hoop.example.com';
const TOKEN_URL = `${GATEWAY}/v1/token`;
const ALICE = { email: 'alice@example.com', groups: ['developers'] };

let idp: TestIssuer;
let dir: string;
let database: DatabaseSync;
const signingJwk = generateSigningKey();

beforeAll(async () => {
  idp = await startIssuer();
});
beforeEach(() => {
  idp.setUser('alice', ALICE);
  database?.close();
  if (dir !== undefined) rmSync(dir, { recursive: true });
  dir = mkdtempSync(join(tmpdir(), 'hoop-identity-'));
  database = new DatabaseSync(join(dir, 'state.db'));
});
afterAll(async () => {
  database.close();
  rmSync(dir, { recursive: true });
  await idp.stop();
});

/** One start of hoopd, as far as identity goes. */
async function startRoom() {
  const clock = systemClock;
  const issuers = new IssuerRegistry(
    [{ issuer: idp.issuer, audience: 'hoop', clientId: idp.clientId, claims: { groups: 'groups' } }],
    { clock },
  );
  const agents = new AgentRegistry({
    'shop-copilot': { delegators: { groups: ['developers'] }, groups: ['ai-agents'] },
    'ci-migrate': { match: { issuer: idp.issuer, claims: { repository: 'org/shop' } }, groups: ['ci'] },
  });
  const tokens = new GatewayTokens({ key: await loadSigningKey(signingJwk), gateway: GATEWAY, clock });
  const instances = new InstanceRegistry({ clock, store: new SqliteRevocationStore(database) });
  const nonces = new NonceSource(clock.now());
  const exchange = new TokenExchange({ issuers, agents, tokens, instances, clock });
  const authenticator = new Authenticator({ tokens, instances, clock });
  return { nonces, instances, authenticator, exchange };
}

type Room = Awaited<ReturnType<typeof startRoom>>;

/** `POST /v1/token` without the HTTP around it: proof first, then the exchange. */
async function requestToken(
  room: Room,
  key: ProofKey,
  fields: Partial<TokenRequest> & { subject_token: string },
) {
  const proof = await key.proof({ url: TOKEN_URL, nonce: room.nonces.current(Date.now()) });
  const { thumbprint } = await verifyProof({
    proof,
    method: 'POST',
    url: TOKEN_URL,
    accessToken: undefined,
    now: Date.now(),
    requireNonce: room.nonces,
  });
  const request = { grant_type: TOKEN_EXCHANGE_GRANT, subject_token_type: TOKEN_TYPES.idToken, ...fields };
  return room.exchange.exchange(request as TokenRequest, thumbprint);
}

async function whoami(room: Room, key: ProofKey, accessToken: string) {
  const url = `${GATEWAY}/v1/whoami`;
  const nonce = room.nonces.current(Date.now());
  const proof = await key.proof({ method: 'GET', url, accessToken, nonce });
  const authorization = `DPoP ${accessToken}`;
  return room.authenticator.authenticate({
    authorization,
    proof,
    method: 'GET',
    url,
    requireNonce: room.nonces,
  });
}

const relyingParty = () =>
  client.discovery(new URL(idp.issuer), idp.clientId, undefined, client.None(), {
    execute: [client.allowInsecureRequests],
  });

async function deviceLogin(login: string) {
  const config = await relyingParty();
  const device = await client.initiateDeviceAuthorization(config, {
    scope: 'openid email groups offline_access',
  });
  await idp.approve(device.user_code, login);
  const tokens = await client.pollDeviceAuthorizationGrant(config, { ...device, interval: 0.05 });
  return { config, idToken: tokens.id_token ?? '', refreshToken: tokens.refresh_token ?? '' };
}

async function refusedWith(action: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    if (!isHoopError(error)) throw error;
    return error.code;
  }
}

describe('a device login', () => {
  it('ends in a token of ours that serves its own key only', async () => {
    const room = await startRoom();
    const key = await makeProofKey();
    const { idToken } = await deviceLogin('alice');
    const { access_token, deadline } = await requestToken(room, key, {
      subject_token: idToken,
      agent: 'shop-copilot',
    });
    const principal = await whoami(room, key, access_token);
    expect(principal).toMatchObject({
      kind: 'agent',
      name: 'shop-copilot',
      groups: ['ai-agents'],
      person: { issuer: idp.issuer, subject: 'alice', name: 'alice@example.com', groups: ['developers'] },
    });
    expect(principal.signedInAt).toBe(Number(decodeJwt(idToken)['auth_time']) * 1000);
    expect(Date.parse(deadline)).toBe(principal.signedInAt + 24 * 3_600_000);
    const thief = await makeProofKey();
    expect(await refusedWith(() => whoami(room, thief, access_token))).toBe('ERR_TOKEN_INVALID');
  });

  it('of somebody outside the group does not become the agent', async () => {
    const room = await startRoom();
    const { idToken } = await deviceLogin('bob');
    const key = await makeProofKey();
    const request = { subject_token: idToken, agent: 'shop-copilot' };
    expect(await refusedWith(() => requestToken(room, key, request))).toBe('ERR_GROUPS_MISSING');
    const own = await requestToken(room, key, { subject_token: idToken });
    expect(await whoami(room, key, own.access_token)).toMatchObject({
      kind: 'person',
      name: 'bob@example.com',
    });
  });

  it('that the person denies gives nothing to exchange', async () => {
    const config = await relyingParty();
    const device = await client.initiateDeviceAuthorization(config, { scope: 'openid' });
    await idp.deny(device.user_code);
    const poll = client.pollDeviceAuthorizationGrant(config, { ...device, interval: 0.05 });
    await expect(poll).rejects.toMatchObject({ error: 'access_denied' });
  });
});

describe('a renewal', () => {
  it('by refreshing keeps instance, login and sign-in, and follows the groups at the provider', async () => {
    const room = await startRoom();
    const key = await makeProofKey();
    const { config, idToken, refreshToken } = await deviceLogin('alice');
    const first = await requestToken(room, key, { subject_token: idToken, agent: 'shop-copilot' });
    const refreshed = await client.refreshTokenGrant(config, refreshToken);
    const renewed = await requestToken(room, key, {
      subject_token: refreshed.id_token ?? '',
      agent: 'shop-copilot',
    });
    const { instance, login, deadline } = first;
    expect(renewed).toMatchObject({ instance, login, deadline });
    idp.setUser('alice', { ...ALICE, groups: [] });
    const demoted = await client.refreshTokenGrant(config, refreshed.refresh_token ?? '');
    const request = { subject_token: demoted.id_token ?? '', agent: 'shop-copilot' };
    expect(await refusedWith(() => requestToken(room, key, request))).toBe('ERR_GROUPS_MISSING');
    idp.setUser('alice', undefined);
    await expect(client.refreshTokenGrant(config, demoted.refresh_token ?? '')).rejects.toThrow();
  });

  it('after a revocation and a restart stays refused for that login; a new sign-in is welcome', async () => {
    const room = await startRoom();
    const key = await makeProofKey();
    const { config, idToken, refreshToken } = await deviceLogin('alice');
    const { access_token, login } = await requestToken(room, key, { subject_token: idToken });
    const principal = await whoami(room, key, access_token);
    const ended = new Promise((resolve) => room.instances.onEnd(principal, resolve));
    expect(room.instances.revoke({ login })).toBe(1);
    expect(await ended).toBe('ERR_REVOKED');
    const refreshed = await client.refreshTokenGrant(config, refreshToken);
    database.close();
    database = new DatabaseSync(join(dir, 'state.db'));
    const restarted = await startRoom();
    expect(await refusedWith(() => whoami(restarted, key, access_token))).toBe('ERR_REVOKED');
    const other = await makeProofKey();
    const again = { subject_token: refreshed.id_token ?? '' };
    expect(await refusedWith(() => requestToken(restarted, other, again))).toBe('ERR_REVOKED');
    // Sign-ins are told apart by auth_time, which counts in seconds.
    await timePasses(1_100, 'a sign-in of a later second');
    const fresh = await deviceLogin('alice');
    await expect(requestToken(restarted, other, { subject_token: fresh.idToken })).resolves.toBeDefined();
  });
});

describe('a CI job', () => {
  it('comes in with its platform’s token', async () => {
    const room = await startRoom();
    const key = await makeProofKey();
    const job = (claims: object) =>
      idp.mintJwt({ sub: 'repo:org/shop', aud: 'hoop', repository: 'org/shop', ...claims });
    const jwt = async (claims = {}) => ({
      subject_token: await job(claims),
      subject_token_type: TOKEN_TYPES.jwt,
    });
    const { access_token } = await requestToken(room, key, await jwt());
    expect(await whoami(room, key, access_token)).toMatchObject({
      name: 'ci-migrate',
      attested: { repository: 'org/shop' },
    });
    const fork = { repository: 'mallory/shop' };
    expect(await refusedWith(async () => requestToken(room, key, await jwt(fork)))).toBe('ERR_AGENT_UNKNOWN');
    const elsewhere = { aud: 'https://other.example.com' };
    expect(await refusedWith(async () => requestToken(room, key, await jwt(elsewhere)))).toBe(
      'ERR_TOKEN_INVALID',
    );
  });
});

describe('a tunnel stream', () => {
  it('is bound to its TLS connection: the same headers are worth nothing on another', async () => {
    const room = await startRoom();
    const key = await makeProofKey();
    const { idToken } = await deviceLogin('alice');
    const { access_token } = await requestToken(room, key, { subject_token: idToken });
    const [first, second] = await Promise.all([tlsPair(), tlsPair()]);
    const url = `${GATEWAY}/v1/tunnels/pg-prod`;
    const exporter = exporterOf(first.near);
    expect(exporterOf(first.far)).toEqual(exporter);
    const proof = await key.proof({ method: 'GET', url, accessToken: access_token, exporter });
    const open = (socket: TLSSocket) =>
      room.authenticator.authenticate({
        authorization: `DPoP ${access_token}`,
        proof,
        method: 'GET',
        url,
        exporter: exporterOf(socket),
      });
    expect((await open(first.far)).name).toBe('alice@example.com');
    expect(await refusedWith(() => open(second.far))).toBe('ERR_PROOF_INVALID');
    for (const pair of [first, second]) pair.close();
  });
});

const exporterOf = (socket: TLSSocket) =>
  socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0));

/** Both ends of one TLS 1.3 connection. */
async function tlsPair(): Promise<{ near: TLSSocket; far: TLSSocket; close(): void }> {
  const { authority, server: pair } = await makeLocalCertificates(['127.0.0.1'], Date.now());
  const server = createServer({ ...pair, minVersion: 'TLSv1.3' });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const accepted = new Promise<TLSSocket>((resolve) => server.once('secureConnection', resolve));
  const near = connect({ port, host: '127.0.0.1', ca: authority });
  await new Promise<void>((resolve, reject) => near.once('secureConnect', resolve).once('error', reject));
  const far = await accepted;
  return {
    near,
    far,
    close: () => {
      near.destroy();
      far.destroy();
      server.close();
    },
  };
}
