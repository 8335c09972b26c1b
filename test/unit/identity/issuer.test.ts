import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IssuerConfig, trustedIssuer } from '../../../src/identity/issuers/config.ts';
import { IssuerRegistry, type IssuerRegistryOptions } from '../../../src/identity/issuers/issuer.ts';
import { type JwksIssuer, type MintOptions, startJwksIssuer } from '../../support/identity/jwks-issuer.ts';
import { HandClock, refused, START } from './support.ts';

let idp: JwksIssuer;
beforeAll(async () => {
  idp = await startJwksIssuer();
});
afterAll(() => idp.stop());

function config(overrides: Partial<IssuerConfig> = {}): IssuerConfig {
  return {
    issuer: idp.issuer,
    audience: 'hoop',
    clientId: 'hoopctl',
    claims: { groups: 'groups', model: 'agent_model', modelVersion: 'agent_model_version' },
    ...overrides,
  };
}

function registry(overrides: Partial<IssuerConfig> = {}, options: Partial<IssuerRegistryOptions> = {}) {
  const clock = new HandClock();
  return { clock, issuers: new IssuerRegistry([config(overrides)], { clock, ...options }) };
}

const SECONDS = START / 1000;

function mint(claims: Record<string, unknown> = {}, options: MintOptions = {}) {
  return idp.mint(claims, { now: START, ...options });
}

function unsigned(header: object, payload: object, signature = ''): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(payload)}.${signature}`;
}

describe('a machine token', () => {
  it('is believed with everything it says', async () => {
    const { issuers } = registry();
    const token = mint({
      sub: 'repo:org/shop:ref:refs/heads/main',
      repository: 'org/shop',
      run_id: '77',
      agent_model: 'sonnet',
      agent_model_version: 4.5,
      jti: 'j1',
    });
    const subject = await issuers.verifySubjectToken(token, 'jwt');
    expect(subject).toMatchObject({
      type: 'jwt',
      issuer: idp.issuer,
      subject: 'repo:org/shop:ref:refs/heads/main',
      name: 'repo:org/shop:ref:refs/heads/main',
      attested: { repository: 'org/shop', runId: '77', model: 'sonnet', modelVersion: '4.5' },
      signedInAt: START,
      signInKnown: false,
      tokenExpiresAt: START + 300_000,
      tokenId: 'j1',
    });
  });

  it.each<[string, Record<string, unknown>, MintOptions]>([
    ['another audience', { aud: 'other' }, {}],
    ['the client id as audience', { aud: 'hoopctl' }, {}],
    ['an audience that only begins like ours', { aud: 'hoop.evil' }, {}],
    ['no audience', { aud: undefined }, {}],
    ['no exp', { exp: undefined }, {}],
    ['no iat', { iat: undefined }, {}],
    ['no sub', { sub: undefined }, {}],
    ['an empty sub', { sub: '' }, {}],
    ['a sub that plays with the terminal', { sub: 'a\u001b[2Jb' }, {}],
    ['a sub with a direction override', { sub: 'a\u202eb' }, {}],
    ['nbf in the future', { nbf: SECONDS + 61 }, {}],
    ['iat in the future', { iat: SECONDS + 61 }, {}],
    ['iat in the future after a sign-in in the past', { iat: SECONDS + 61, auth_time: SECONDS - 5 }, {}],
    ['auth_time in the future', { auth_time: SECONDS + 61 }, {}],
    ['auth_time of another type', { auth_time: '1' }, {}],
    ['exp of another type', { exp: '9999999999' }, {}],
    ['a proof instead of a token', {}, { header: { typ: 'dpop+jwt' } }],
    ['a logout token', {}, { header: { typ: 'logout+jwt' } }],
    ['a critical extension', {}, { header: { crit: ['x'], x: 1 } }],
    ['an unknown key id', {}, { header: { kid: 'nobody' } }],
    [
      'a foreign key under a known id',
      {},
      { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey },
    ],
    ['groups that are no list', { groups: { a: 1 } }, {}],
    ['groups with a number among them', { groups: ['a', 1] }, {}],
    ['groups left out because they are many', { _claim_names: { groups: 'src1' } }, {}],
    ['501 groups', { groups: Array.from({ length: 501 }, (_, i) => `g${i}`) }, {}],
    ['a model that is an object', { agent_model: {} }, {}],
  ])('is refused with %s', async (_name, claims, options) => {
    const { issuers } = registry();
    const token = mint(claims, options);
    await refused(() => issuers.verifySubjectToken(token, 'jwt'), 'ERR_TOKEN_INVALID');
  });

  it('is refused when expired, with the code that says so', async () => {
    const { issuers } = registry();
    const token = mint({ exp: SECONDS - 61 });
    await refused(() => issuers.verifySubjectToken(token, 'jwt'), 'ERR_LOGIN_EXPIRED');
  });

  it.each([
    ['exp', { exp: SECONDS - 59 }],
    ['nbf', { nbf: SECONDS + 59 }],
    ['iat', { iat: SECONDS + 59 }],
  ])('is accepted with %s 59 seconds off', async (_name, claims) => {
    const { issuers } = registry();
    const subject = await issuers.verifySubjectToken(mint(claims), 'jwt');
    expect(subject.subject).toBe('ci');
  });

  it('may be an RFC 9068 access token, which an ID token may not', async () => {
    const { issuers } = registry();
    const options = { header: { typ: 'at+jwt' } };
    await expect(issuers.verifySubjectToken(mint({}, options), 'jwt')).resolves.toBeDefined();
    const token = mint({ aud: 'hoopctl' }, options);
    const text = await refused(() => issuers.verifySubjectToken(token, 'id_token'), 'ERR_TOKEN_INVALID');
    expect(text).toContain('another purpose');
  });
});

describe('signatures', () => {
  const payload = { sub: 'ci', aud: 'hoop', iat: SECONDS, exp: SECONDS + 300 };

  it.each(['none', 'None', 'NONE', 'nOnE', ''])('of algorithm "%s" are refused', async (alg) => {
    const { issuers } = registry();
    const token = unsigned({ alg, typ: 'JWT', kid: 'key-1' }, { iss: idp.issuer, ...payload });
    await refused(() => issuers.verifySubjectToken(token, 'jwt'), 'ERR_TOKEN_INVALID');
    await refused(() => issuers.verifySubjectToken(token.slice(0, -1), 'jwt'), 'ERR_TOKEN_INVALID');
  });

  it('made with HMAC over the public key are refused', async () => {
    const { issuers } = registry();
    const keys = (await (await fetch(`${idp.issuer}/jwks`)).json()) as { keys: [Record<string, string>] };
    const pem = createPublicKey({ key: keys.keys[0], format: 'jwk' }).export({ format: 'pem', type: 'spki' });
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      const body = unsigned({ alg, typ: 'JWT', kid: 'key-1' }, { iss: idp.issuer, ...payload }).slice(0, -1);
      const mac = createHmac(`sha${alg.slice(2)}`, pem)
        .update(body)
        .digest('base64url');
      await refused(() => issuers.verifySubjectToken(`${body}.${mac}`, 'jwt'), 'ERR_TOKEN_INVALID');
    }
  });

  it('by an algorithm outside the allow-list are refused', async () => {
    const { issuers } = registry({ algorithms: ['RS256'] });
    const token = mint();
    const text = await refused(() => issuers.verifySubjectToken(token, 'jwt'), 'ERR_TOKEN_INVALID');
    expect(text).toContain('algorithm');
  });

  it('carried along with their own key are refused', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { issuers } = registry();
    const jwk = publicKey.export({ format: 'jwk' });
    const token = mint(
      {},
      { key: privateKey, header: { jwk, jku: 'http://127.0.0.1:1/jwks', kid: 'key-1' } },
    );
    await refused(() => issuers.verifySubjectToken(token, 'jwt'), 'ERR_TOKEN_INVALID');
  });
});

describe('the issuer', () => {
  it.each([
    ['with more behind it', (issuer: string) => `${issuer}.evil`],
    ['with a slash', (issuer: string) => `${issuer}/`],
    ['in capitals', (issuer: string) => issuer.toUpperCase()],
    ['with a user in front', (issuer: string) => issuer.replace('://', '://x@')],
    ['of one character less', (issuer: string) => issuer.slice(0, -1)],
    ['as a list', (issuer: string) => [issuer]],
    ['missing', () => undefined],
  ])('%s is another one, and nothing is fetched', async (_name, change) => {
    const { issuers } = registry();
    const before = idp.requests();
    const token = mint({ iss: change(idp.issuer) });
    const text = await refused(() => issuers.verifySubjectToken(token, 'jwt'), 'ERR_TOKEN_INVALID');
    expect(text).toContain('not trusted');
    expect(idp.requests()).toBe(before);
  });

  it.each(['', 'x', 'a.b.c', '..', 'e30.e30.', 'e30.bnVsbA.', `${'a'.repeat(20_000)}.b.c`])(
    'is not looked for in rubbish (%#)',
    async (token) => {
      const { issuers } = registry();
      await refused(() => issuers.verifySubjectToken(token, 'jwt'), 'ERR_TOKEN_INVALID');
    },
  );
});

describe('an ID token', () => {
  const verify = (claims: Record<string, unknown>) => async () => {
    const { issuers } = registry();
    return issuers.verifySubjectToken(mint({ aud: 'hoopctl', ...claims }), 'id_token');
  };

  it('names a person: verified e-mail, else preferred name, else subject', async () => {
    const name = async (claims: Record<string, unknown>) => (await verify({ sub: 'u1', ...claims })()).name;
    expect(await name({ email: 'a@b.c', email_verified: true, preferred_username: 'al' })).toBe('a@b.c');
    expect(await name({ email: 'a@b.c', email_verified: false, preferred_username: 'al' })).toBe('al');
    expect(await name({ email: 'a@b.c', email_verified: 'true' })).toBe('u1');
    expect(await name({ email: 'a@b.c' })).toBe('u1');
    expect(await name({ preferred_username: 'al\nice' })).toBe('u1');
  });

  it('takes the sign-in from auth_time, and keeps one login through refreshes', async () => {
    const first = await verify({ sub: 'u1', auth_time: SECONDS - 1000 })();
    const later = await verify({ sub: 'u1', auth_time: SECONDS - 1000, iat: SECONDS + 30 })();
    const other = await verify({ sub: 'u1', auth_time: SECONDS - 999 })();
    expect(first.signedInAt).toBe(START - 1_000_000);
    expect(first.signInKnown).toBe(true);
    expect(later.login).toBe(first.login);
    expect(other.login).not.toBe(first.login);
  });

  it('gives groups as a list or as one text', async () => {
    expect((await verify({ groups: ['a', 'b'] })()).groups).toEqual(['a', 'b']);
    expect((await verify({ groups: 'a' })()).groups).toEqual(['a']);
    expect((await verify({})()).groups).toEqual([]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['for the API audience', { aud: 'hoop' }],
    ['for another client', { aud: 'other' }],
    ['authorised for another client', { azp: 'other' }],
    ['for several audiences without azp', { aud: ['hoopctl', 'other'] }],
    ['for several audiences with a foreign azp', { aud: ['hoopctl', 'other'], azp: 'other' }],
  ])('is refused %s', async (_name, claims) => {
    await refused(verify(claims), 'ERR_TOKEN_INVALID');
  });

  it('is accepted for several audiences when issued to our client', async () => {
    await expect(verify({ aud: ['hoopctl', 'other'], azp: 'hoopctl' })()).resolves.toBeDefined();
  });

  it('is refused where no client is configured', async () => {
    const { issuers } = registry({ clientId: undefined });
    const token = mint({ aud: 'hoopctl' });
    await refused(() => issuers.verifySubjectToken(token, 'id_token'), 'ERR_TOKEN_INVALID');
  });
});

describe('the configuration', () => {
  it.each<[string, Partial<IssuerConfig>]>([
    ['plain http', { issuer: 'http://login.example.com' }],
    ['http on a name that looks like loopback', { issuer: 'http://127.0.0.1.evil.example' }],
    ['a query', { issuer: 'https://login.example.com?x' }],
    ['a user', { issuer: 'https://u:p@login.example.com' }],
    ['no URL', { issuer: 'login.example.com' }],
    ['no audience', { audience: '' }],
    ['algorithm none', { algorithms: ['none'] }],
    ['algorithm HS256', { algorithms: ['ES256', 'HS256'] }],
    ['no algorithm', { algorithms: [] }],
    ['a session of 31 days', { maxSessionMs: 31 * 86_400_000 }],
    ['a session of no time', { maxSessionMs: 0 }],
  ])('with %s is refused', async (_name, overrides) => {
    await refused(() => trustedIssuer(config(overrides)), 'ERR_CONFIG');
  });

  it('names each issuer once', async () => {
    await refused(() => new IssuerRegistry([config(), config()], { clock: new HandClock() }), 'ERR_CONFIG');
  });

  it('tells hoopctl about issuers that have a client and a device grant, and about those that are silent', async () => {
    const ci = config({ issuer: 'https://ci.example.com', clientId: undefined });
    const silent = config({ issuer: 'http://127.0.0.1:1' });
    const all = [config({ clientSecret: 's' }), ci, silent];
    const issuers = new IssuerRegistry(all, { clock: new HandClock() });
    const said = { clientId: 'hoopctl', scope: 'openid profile email' };
    expect(await issuers.discovery()).toEqual([{ issuer: silent.issuer, ...said }]);
    const grant = { device_authorization_endpoint: `${idp.issuer}/device` };
    const body = JSON.stringify({ issuer: idp.issuer, jwks_uri: `${idp.issuer}/jwks`, ...grant });
    idp.answer('discovery', { status: 200, body });
    const anew = new IssuerRegistry(all, { clock: new HandClock() });
    const offered = await anew.discovery();
    idp.answer('discovery', undefined);
    expect(offered).toEqual([
      { issuer: idp.issuer, clientSecret: 's', ...said },
      { issuer: silent.issuer, ...said },
    ]);
  });

  it('tells hoopctl which audience machines need, and how they ask for it', () => {
    const clock = new HandClock();
    const entra = 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0';
    const github = 'https://token.actions.githubusercontent.com';
    const configs: IssuerConfig[] = [
      config({ issuer: github, preset: 'github-actions', clientId: undefined }),
      config({ issuer: entra, preset: 'entra', audience: 'api://hoop' }),
      config({ machineScope: 'hoop' }),
    ];
    expect(new IssuerRegistry(configs, { clock }).machines()).toEqual([
      { issuer: github, audience: 'hoop', preset: 'github-actions' },
      {
        issuer: entra,
        audience: 'api://hoop',
        preset: 'entra',
        clientCredentials: { scope: 'api://hoop/.default', assertionAudience: 'token-endpoint' },
      },
      {
        issuer: idp.issuer,
        audience: 'hoop',
        preset: 'oidc',
        clientCredentials: { scope: 'hoop', namesAudience: true },
      },
    ]);
  });
});
