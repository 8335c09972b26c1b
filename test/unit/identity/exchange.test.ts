import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TOKEN_EXCHANGE_GRANT, TOKEN_TYPES, type TokenRequest } from '../../../src/api/contract.ts';
import { AgentRegistry } from '../../../src/identity/agents.ts';
import { Authenticator } from '../../../src/identity/authenticate.ts';
import { TokenExchange } from '../../../src/identity/exchange.ts';
import { instanceId } from '../../../src/identity/ids.ts';
import { InstanceRegistry } from '../../../src/identity/instances.ts';
import type { IssuerConfig } from '../../../src/identity/issuers/config.ts';
import { IssuerRegistry } from '../../../src/identity/issuers/issuer.ts';
import { NonceSource } from '../../../src/identity/nonces.ts';
import { generateSigningKey, loadSigningKey, type SigningKey } from '../../../src/identity/signing-key.ts';
import { parseTokenRequest } from '../../../src/identity/token-request.ts';
import { GatewayTokens } from '../../../src/identity/tokens.ts';
import { UsedTokens } from '../../../src/identity/used-tokens.ts';
import { type JwksIssuer, startJwksIssuer } from '../../support/identity/jwks-issuer.ts';
import { makeProofKey, type ProofKey } from '../../support/identity/proof-key.ts';
import { HandClock, MemoryStore, refused, START, subject } from './support.ts';

const GATEWAY = 'https://hoop.example.com';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const AGENTS = {
  copilot: { delegators: { groups: ['developers'] }, groups: ['ai-agents'] },
  other: { delegators: { groups: ['developers'] } },
};

let idp: JwksIssuer;
let keys: [ProofKey, ProofKey];
let signingKey: SigningKey;
let clock: HandClock;
let store: MemoryStore;
beforeAll(async () => {
  idp = await startJwksIssuer();
  keys = [await makeProofKey(), await makeProofKey()];
  signingKey = await loadSigningKey(generateSigningKey());
});
beforeEach(() => {
  clock = new HandClock();
  store = new MemoryStore();
});
afterAll(() => idp.stop());

/** A gateway's identity room, as a start of hoopd puts it together. */
function gateway(overrides: Partial<IssuerConfig> = {}, agents: Record<string, object> = AGENTS) {
  const ciMatch = { match: { issuer: idp.issuer, claims: { repository: 'org/shop' } }, groups: ['ci'] };
  const config: IssuerConfig = {
    issuer: idp.issuer,
    audience: 'hoop',
    clientId: 'hoopctl',
    claims: { groups: 'groups', model: 'agent_model' },
    ...overrides,
  };
  const issuers = new IssuerRegistry([config], { clock });
  const tokens = new GatewayTokens({ key: signingKey, gateway: GATEWAY, clock });
  const instances = new InstanceRegistry({ clock, store });
  const registry = new AgentRegistry({ 'ci-migrate': ciMatch, ...agents });
  const exchange = new TokenExchange({ issuers, agents: registry, tokens, instances, clock });
  const nonces = new NonceSource(clock.now());
  return {
    tokens,
    instances,
    exchange,
    authenticator: new Authenticator({ tokens, instances, clock }),
    nonces,
  };
}

const idToken = (claims: Record<string, unknown> = {}) =>
  idp.mint(
    { sub: 'u1', aud: 'hoopctl', groups: ['developers'], auth_time: START / 1000, ...claims },
    { now: clock.now() },
  );

const ciToken = (claims: Record<string, unknown> = {}) =>
  idp.mint({ sub: 'repo:org/shop', repository: 'org/shop', run_id: '7', ...claims }, { now: clock.now() });

type Extra = Partial<Pick<TokenRequest, 'agent' | 'model' | 'model_version' | 'ttl' | 'run'>>;

const ask = (type: keyof typeof TOKEN_TYPES, token: string, extra: Extra = {}): TokenRequest => ({
  grant_type: TOKEN_EXCHANGE_GRANT,
  subject_token: token,
  subject_token_type: TOKEN_TYPES[type],
  ...extra,
});

describe('a person’s ID token', () => {
  it('becomes a token for the person, or for an agent they may use', async () => {
    const { exchange, tokens } = gateway();
    const [key] = keys;
    const response = await exchange.exchange(
      ask('idToken', idToken(), { agent: 'copilot', model: 'opus', model_version: '5' }),
      key.thumbprint,
    );
    expect(response).toMatchObject({
      token_type: 'DPoP',
      expires_in: 300,
      issued_token_type: TOKEN_TYPES.accessToken,
      instance: instanceId(key.thumbprint),
      deadline: new Date(START + 24 * HOUR).toISOString(),
    });
    const principal = await tokens.verifyAccessToken(response.access_token, key.thumbprint);
    expect(principal).toMatchObject({
      kind: 'agent',
      name: 'copilot',
      groups: ['ai-agents'],
      person: { subject: 'u1', groups: ['developers'] },
      attested: {},
      declared: { model: 'opus', modelVersion: '5' },
      signedInAt: START,
    });
    expect(decodeJwt(response.access_token)['act']).toEqual({ sub: 'copilot' });
    const own = await exchange.exchange(ask('idToken', idToken()), keys[1].thumbprint);
    expect((await tokens.verifyAccessToken(own.access_token, keys[1].thumbprint)).kind).toBe('person');
    expect(own.login).toBe(response.login);
    expect(own.instance).not.toBe(response.instance);
  });

  it('gives no agent of the caller’s own choice', async () => {
    const { exchange, instances } = gateway();
    for (const agent of ['root', 'ci-migrate', 'Copilot', '__proto__']) {
      const request = ask('idToken', idToken(), { agent });
      await refused(() => exchange.exchange(request, keys[0].thumbprint), 'ERR_AGENT_UNKNOWN');
    }
    expect(instances.list()).toEqual([]);
  });

  it('renews the same instance with the same key, and takes a lost group away', async () => {
    const { exchange } = gateway();
    const first = await exchange.exchange(
      ask('idToken', idToken(), { agent: 'copilot' }),
      keys[0].thumbprint,
    );
    clock.advance(4 * MINUTE);
    const second = await exchange.exchangeFor(
      ask('idToken', idToken(), { agent: 'copilot' }),
      keys[0].thumbprint,
    );
    expect(second.renewed).toBe(true);
    expect(second.response).toMatchObject({
      instance: first.instance,
      login: first.login,
      deadline: first.deadline,
    });
    clock.advance(4 * MINUTE);
    const lost = ask('idToken', idToken({ groups: ['sales'] }), { agent: 'copilot' });
    await refused(() => exchange.exchange(lost, keys[0].thumbprint), 'ERR_AGENT_UNKNOWN');
  });

  it('keeps the run that it named first, whatever it names later; its token says it', async () => {
    const { exchange, tokens } = gateway();
    const runOf = async (run: string | undefined, key = keys[0]) => {
      const extra = run === undefined ? {} : { run };
      const { access_token } = await exchange.exchange(ask('idToken', idToken(), extra), key.thumbprint);
      return (await tokens.verifyAccessToken(access_token, key.thumbprint)).run;
    };
    expect(await runOf('nightly')).toBe('nightly');
    expect(await runOf('another')).toBe('nightly');
    expect(await runOf(undefined)).toBe('nightly');
    expect(await runOf(undefined, keys[1])).toBeUndefined();
    expect(await runOf('late', keys[1])).toBeUndefined();
    expect(() => parseTokenRequest({ ...ask('idToken', 'x'), run: 'a b' })).toThrow(
      'run is missing or malformed',
    );
  });

  it.each<[string, Record<string, unknown>, Extra]>([
    ['another person', { sub: 'u2' }, { agent: 'copilot' }],
    ['another agent', {}, { agent: 'other' }],
    ['the person themselves', {}, {}],
  ])('cannot hand a known key to %s', async (_name, claims, extra) => {
    const { exchange } = gateway();
    await exchange.exchange(ask('idToken', idToken(), { agent: 'copilot' }), keys[0].thumbprint);
    const request = ask('idToken', idToken(claims), extra);
    await refused(() => exchange.exchange(request, keys[0].thumbprint), 'ERR_TOKEN_INVALID');
  });

  it('without auth_time never makes an old sign-in look fresh', async () => {
    const { exchange, tokens } = gateway();
    const first = await exchange.exchange(
      ask('idToken', idToken({ auth_time: undefined })),
      keys[0].thumbprint,
    );
    clock.advance(4 * MINUTE);
    const later = await exchange.exchange(
      ask('idToken', idToken({ auth_time: undefined })),
      keys[0].thumbprint,
    );
    const principal = await tokens.verifyAccessToken(later.access_token, keys[0].thumbprint);
    expect(principal.signedInAt).toBe(START);
    expect(later).toMatchObject({ login: first.login, deadline: first.deadline });
  });

  it('of a sign-in longer ago than a session may last is refused', async () => {
    const { exchange } = gateway({ maxSessionMs: 8 * HOUR });
    const auth_time = START / 1000 - 8 * 3600;
    const text = await refused(
      () => exchange.exchange(ask('idToken', idToken({ auth_time })), keys[0].thumbprint),
      'ERR_LOGIN_EXPIRED',
    );
    expect(text).toContain('hoopctl login');
  });
});

describe('ttl', () => {
  it('shortens the deadline for good, and never lengthens it', async () => {
    const { exchange, instances } = gateway();
    const renew = (extra: Extra) => exchange.exchange(ask('idToken', idToken(), extra), keys[0].thumbprint);
    const deadline = new Date(START + 10 * MINUTE).toISOString();
    expect((await renew({ ttl: '600' })).deadline).toBe(deadline);
    expect((await renew({})).deadline).toBe(deadline);
    expect((await renew({ ttl: '999999999' })).deadline).toBe(deadline);
    clock.advance(8 * MINUTE);
    expect(await renew({})).toMatchObject({ deadline, expires_in: 120 });
    clock.advance(2 * MINUTE);
    expect(instances.list()).toEqual([]);
  });
});

describe('a CI job’s token', () => {
  it('becomes the agent that matches, with its provenance attested', async () => {
    const { exchange, tokens } = gateway();
    const { access_token } = await exchange.exchange(
      ask('jwt', ciToken({ agent_model: 'm' }), { model: 'claimed' }),
      keys[0].thumbprint,
    );
    const principal = await tokens.verifyAccessToken(access_token, keys[0].thumbprint);
    expect(principal).toMatchObject({
      kind: 'agent',
      name: 'ci-migrate',
      groups: ['ci'],
      attested: { repository: 'org/shop', runId: '7', model: 'm' },
      declared: { model: 'claimed' },
    });
    expect(principal.person).toBeUndefined();
    expect(decodeJwt(access_token)['act']).toBeUndefined();
  });

  it('of a fork is nobody', async () => {
    const { exchange } = gateway();
    const request = ask('jwt', ciToken({ repository: 'mallory/shop' }), { agent: 'ci-migrate' });
    await refused(() => exchange.exchange(request, keys[0].thumbprint), 'ERR_AGENT_UNKNOWN');
  });

  it('serves several processes of the job, but a single-use one only its first key', async () => {
    const token = ciToken({ jti: 'j1' });
    const shared = gateway();
    for (const key of keys) await shared.exchange.exchange(ask('jwt', token), key.thumbprint);
    const single = gateway({ singleUse: true });
    await single.exchange.exchange(ask('jwt', token), keys[0].thumbprint);
    await single.exchange.exchange(ask('jwt', token), keys[0].thumbprint);
    await refused(() => single.exchange.exchange(ask('jwt', token), keys[1].thumbprint), 'ERR_TOKEN_INVALID');
    await refused(
      () => single.exchange.exchange(ask('jwt', ciToken()), keys[0].thumbprint),
      'ERR_TOKEN_INVALID',
    );
  });

  it('is not confused with an ID token in either direction', async () => {
    const { exchange } = gateway();
    await refused(
      () => exchange.exchange(ask('idToken', ciToken()), keys[0].thumbprint),
      'ERR_TOKEN_INVALID',
    );
    await refused(() => exchange.exchange(ask('jwt', idToken()), keys[0].thumbprint), 'ERR_TOKEN_INVALID');
  });
});

describe('single use', () => {
  it('remembers as many as it may, forgets the expired, and refuses the rest', async () => {
    const used = new UsedTokens(2);
    const token = (tokenId: string) => subject({ type: 'jwt', tokenId });
    used.use(token('a'), 't', START);
    used.use(token('b'), 't', START);
    await refused(() => used.use(token('c'), 't', START), 'ERR_LIMIT');
    used.use(token('a'), 't', START);
    used.use(token('c'), 't', START + 361_000);
  });
});

describe('our own token as the subject', () => {
  const session = { maxSessionMs: 8 * HOUR };
  const first = (exchange: TokenExchange) =>
    exchange.exchange(ask('jwt', ciToken({ agent_model: 'm' }), { model: 'd' }), keys[0].thumbprint);

  it('is renewed with everything it says, until the session is over', async () => {
    const { exchange, tokens, instances } = gateway(session);
    let response = await first(exchange);
    const before = await tokens.verifyAccessToken(response.access_token, keys[0].thumbprint);
    const { deadline } = response;
    for (let minutes = 0; minutes + 4 < 8 * 60; minutes += 4) {
      clock.advance(4 * MINUTE);
      response = await exchange.exchange(ask('accessToken', response.access_token), keys[0].thumbprint);
    }
    expect(await tokens.verifyAccessToken(response.access_token, keys[0].thumbprint)).toEqual(before);
    expect(response).toMatchObject({ deadline, expires_in: 240 });
    clock.advance(4 * MINUTE);
    const late = ask('accessToken', response.access_token);
    await refused(() => exchange.exchange(late, keys[0].thumbprint), 'ERR_LOGIN_EXPIRED');
    expect(instances.list()).toEqual([]);
  });

  it('may be a minute late, not more', async () => {
    const { exchange } = gateway(session);
    const { access_token } = await first(exchange);
    clock.advance(5 * MINUTE + 59_000);
    await exchange.exchange(ask('accessToken', access_token), keys[0].thumbprint);
    clock.advance(2_000);
    const late = ask('accessToken', access_token);
    await refused(() => exchange.exchange(late, keys[0].thumbprint), 'ERR_LOGIN_EXPIRED');
  });

  it('is refused where no session length is configured', async () => {
    const { exchange } = gateway();
    const { access_token } = await first(exchange);
    const request = ask('accessToken', access_token);
    await refused(() => exchange.exchange(request, keys[0].thumbprint), 'ERR_LOGIN_EXPIRED');
  });

  it('is refused with another key, for another agent, or when revoked', async () => {
    const { exchange, instances } = gateway(session);
    const { access_token, login } = await first(exchange);
    const request = ask('accessToken', access_token);
    await refused(() => exchange.exchange(request, keys[1].thumbprint), 'ERR_TOKEN_INVALID');
    const other = ask('accessToken', access_token, { agent: 'copilot' });
    await refused(() => exchange.exchange(other, keys[0].thumbprint), 'ERR_AGENT_UNKNOWN');
    instances.revoke({ login });
    await refused(() => exchange.exchange(request, keys[0].thumbprint), 'ERR_REVOKED');
    await refused(() => gateway(session).exchange.exchange(request, keys[0].thumbprint), 'ERR_REVOKED');
  });

  it('is refused once the agent or the issuer is gone from the configuration', async () => {
    const { access_token } = await first(gateway(session).exchange);
    const request = ask('accessToken', access_token);
    const moved = { 'ci-migrate': { delegators: { groups: ['developers'] } } };
    const without = gateway(session, moved).exchange;
    await refused(() => without.exchange(request, keys[0].thumbprint), 'ERR_AGENT_UNKNOWN');
    const elsewhere = gateway({ ...session, issuer: 'https://other.example.com' }).exchange;
    await refused(() => elsewhere.exchange(request, keys[0].thumbprint), 'ERR_TOKEN_INVALID');
  });

  it('of a delegate needs the delegation to be there still', async () => {
    const { exchange } = gateway(session);
    const { access_token } = await exchange.exchange(
      ask('idToken', idToken(), { agent: 'copilot' }),
      keys[0].thumbprint,
    );
    const request = ask('accessToken', access_token);
    await expect(exchange.exchange(request, keys[0].thumbprint)).resolves.toBeDefined();
    const without = gateway(session, { copilot: { delegators: { groups: ['sales'] } } }).exchange;
    await refused(() => without.exchange(request, keys[0].thumbprint), 'ERR_AGENT_UNKNOWN');
  });

  it('is not taken for an issuer’s token', async () => {
    const { exchange } = gateway(session);
    const { access_token } = await first(exchange);
    for (const type of ['jwt', 'idToken'] as const) {
      await refused(
        () => exchange.exchange(ask(type, access_token), keys[0].thumbprint),
        'ERR_TOKEN_INVALID',
      );
    }
  });
});

describe('a request with token and proof', () => {
  const url = `${GATEWAY}/v1/whoami`;

  async function signedIn(room = gateway()) {
    const { access_token } = await room.exchange.exchange(ask('idToken', idToken()), keys[0].thumbprint);
    const call = async (key: ProofKey, proofOptions = {}, over = {}) => {
      const nonce = room.nonces.current(clock.now());
      const options = {
        method: 'GET',
        url,
        accessToken: access_token,
        nonce,
        now: clock.now(),
        ...proofOptions,
      };
      const proof = await key.proof(options);
      const authorization = `DPoP ${access_token}`;
      const credentials = { authorization, proof, method: 'GET', url, requireNonce: room.nonces, ...over };
      return room.authenticator.authenticate(credentials);
    };
    return { ...room, access_token, call };
  }

  it('is let in as who it is', async () => {
    const { call } = await signedIn();
    expect(await call(keys[0])).toMatchObject({ kind: 'person', subject: 'u1' });
  });

  it('is refused with a stolen token: another key’s proof, or none', async () => {
    const { call } = await signedIn();
    await refused(() => call(keys[1]), 'ERR_TOKEN_INVALID');
    await refused(() => call(keys[0], {}, { proof: undefined }), 'ERR_PROOF_INVALID');
    await refused(() => call(keys[1], { header: { jwk: keys[0].publicJwk } }), 'ERR_PROOF_INVALID');
  });

  it('is refused when its proof was recorded and comes again', async () => {
    const { call, nonces } = await signedIn();
    const claims = { jti: 'once' };
    await call(keys[0], { claims });
    await refused(() => call(keys[0], { claims }), 'ERR_PROOF_INVALID');
    await refused(() => call(keys[0], { nonce: 'x' }), 'ERR_PROOF_NONCE');
    expect(nonces.current(clock.now())).toHaveLength(43);
  });

  it.each([undefined, '', 'Bearer TOKEN', 'DPoP', 'DPoP a b', 'DPoP TOKEN, DPoP TOKEN'])(
    'is refused with authorization %j',
    async (header) => {
      const { call, access_token } = await signedIn();
      const authorization = header?.replaceAll('TOKEN', access_token);
      await refused(() => call(keys[0], {}, { authorization }), 'ERR_NOT_LOGGED_IN');
    },
  );

  it('is refused once expired or revoked', async () => {
    const expired = await signedIn();
    clock.advance(5 * MINUTE);
    await refused(() => expired.call(keys[0]), 'ERR_LOGIN_EXPIRED');
    const revoked = await signedIn(gateway());
    await revoked.call(keys[0]);
    expect(revoked.instances.revoke({ person: 'u1' })).toBe(1);
    await refused(() => revoked.call(keys[0]), 'ERR_REVOKED');
  });

  it('is let in after a restart with the same signing key, unless revoked', async () => {
    const before = await signedIn();
    const { instances, authenticator, nonces } = gateway();
    const over = { requireNonce: nonces };
    const proof = () =>
      keys[0].proof({
        method: 'GET',
        url,
        accessToken: before.access_token,
        nonce: nonces.current(START),
        now: START,
      });
    const again = async () =>
      authenticator.authenticate({
        authorization: `DPoP ${before.access_token}`,
        proof: await proof(),
        method: 'GET',
        url,
        ...over,
      });
    const principal = await again();
    instances.assertLive(principal);
    instances.revoke({ instance: principal.instance });
    await refused(again, 'ERR_REVOKED');
  });
});

describe('the form', () => {
  const form = {
    grant_type: TOKEN_EXCHANGE_GRANT,
    subject_token: 'x',
    subject_token_type: TOKEN_TYPES.idToken,
  };

  it('is read, and what is not ours is ignored', () => {
    expect(parseTokenRequest({ ...form, agent: 'a', ttl: '60', audience: 'x' })).toEqual({
      ...form,
      agent: 'a',
      ttl: '60',
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['grant_type', { grant_type: 'password' }],
    ['subject_token_type', { subject_token_type: 'urn:x' }],
    ['subject_token', { subject_token: '' }],
    ['subject_token', { subject_token: ['a', 'b'] }],
    ['agent', { agent: 'a\nb' }],
    ['agent', { agent: '' }],
    ['model', { model: 'm'.repeat(257) }],
    ['model_version', { model_version: '\u202e' }],
    ['ttl', { ttl: '0' }],
    ['ttl', { ttl: '-5' }],
    ['ttl', { ttl: '1e9' }],
    ['ttl', { ttl: '1.5' }],
  ])('with a bad %s is refused by that name', async (field, change) => {
    const text = await refused(() => parseTokenRequest({ ...form, ...change }), 'ERR_USAGE');
    expect(text).toContain(field);
  });

  it('with a token of more than 16 KiB says so, and what to do about groups', async () => {
    const large = { ...form, subject_token: 'x'.repeat(16_385) };
    const text = await refused(() => parseTokenRequest(large), 'ERR_TOKEN_TOO_LARGE');
    expect(text).toMatch(/too large.*groups.*only the groups that matter/);
  });
});
