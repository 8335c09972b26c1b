import { generateKeyPairSync, sign } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type IssuerConfig, issuerMistakes } from '../../../src/identity/issuers/config.ts';
import { IssuerRegistry } from '../../../src/identity/issuers/issuer.ts';
import { PRESETS } from '../../../src/identity/issuers/presets.ts';
import type { SubjectTokenType, VerifiedSubject } from '../../../src/identity/subject.ts';
import { HandClock, refused, START } from './support.ts';

/** What a vendor's documentation says of its issuer and its tokens. Written from it, not recorded from a live one. */
interface Fixture {
  readonly source: readonly string[];
  readonly discovery: { readonly issuer: string; readonly jwks_uri: string };
  readonly config: Partial<IssuerConfig> & { readonly audience: string };
  readonly directory?: Readonly<Record<string, readonly string[]>>;
  readonly tokens: readonly FixtureToken[];
}

interface FixtureToken {
  readonly as: SubjectTokenType;
  readonly note?: string;
  readonly header: Readonly<Record<string, unknown>>;
  /** `iat`, `nbf` and `exp` are added; a negative `auth_time` counts from now. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly config?: Partial<IssuerConfig>;
  readonly expect?: Partial<VerifiedSubject>;
  readonly refused?: string;
}

const folder = new URL('../../fixtures/identity/', import.meta.url);
const fixtures = readdirSync(folder).map((file): [string, Fixture] => [
  file.replace('.json', ''),
  JSON.parse(readFileSync(new URL(file, folder), 'utf8')),
]);

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keySet = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256', use: 'sig' }] };

/** The vendor's two documents, at the vendor's own addresses and nowhere else. */
function serve({ discovery }: Fixture) {
  const well = `${discovery.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  return async (url: URL): Promise<Response> => {
    if (url.href === well) return Response.json(discovery);
    return url.href === discovery.jwks_uri ? Response.json(keySet) : new Response(null, { status: 404 });
  };
}

function mint({ header, claims }: FixtureToken): string {
  const now = START / 1000;
  const authTime = typeof claims['auth_time'] === 'number' ? { auth_time: now + claims['auth_time'] } : {};
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${part(header)}.${part({ iat: now, nbf: now, exp: now + 300, ...claims, ...authTime })}`;
  return `${body}.${sign('sha256', Buffer.from(body), privateKey).toString('base64url')}`;
}

function verify(fixture: Fixture, token: FixtureToken): Promise<VerifiedSubject> {
  const directory = fixture.directory && new Map(Object.entries(fixture.directory));
  const config = {
    issuer: fixture.discovery.issuer,
    claims: {},
    directory,
    ...fixture.config,
    ...token.config,
  };
  const issuers = new IssuerRegistry([config], { clock: new HandClock(), fetch: serve(fixture) });
  return issuers.verifySubjectToken(mint(token), token.as);
}

describe.each(fixtures)('%s as documented', (_name, fixture) => {
  it.each(fixture.tokens.map((token) => [token.note ?? token.as, token] as const))(
    '%s',
    async (_note, token) => {
      if (token.refused === undefined) expect(await verify(fixture, token)).toMatchObject(token.expect ?? {});
      else expect(await refused(() => verify(fixture, token), 'ERR_TOKEN_INVALID')).toContain(token.refused);
    },
  );

  it('names its sources', () => {
    expect(fixture.source.length).toBeGreaterThan(0);
    for (const address of fixture.source) expect(address).toMatch(/^https:\/\//);
  });
});

it('every preset has a fixture', () => {
  const covered = new Set(fixtures.map(([, { config }]) => config.preset));
  expect(PRESETS.filter((name) => !covered.has(name))).toEqual([]);
});

describe('an issuer that the preset does not know', () => {
  const tenant = '11111111-2222-3333-4444-555555555555';
  it.each<[IssuerConfig['preset'], string]>([
    ['okta', 'https://acme.okta.com/'],
    ['okta', 'https://acme.okta.com/oauth2/default/'],
    ['okta', 'https://acme.okta.com/oauth2/v1/keys'],
    ['entra', 'https://login.microsoftonline.com/common/v2.0'],
    ['entra', 'https://login.microsoftonline.com/organizations/v2.0'],
    ['entra', `https://login.microsoftonline.com/${tenant}`],
    ['entra', `https://login.microsoftonline.com/${tenant}/v2.0/`],
    ['entra', `https://sts.windows.net/${tenant}`],
    ['google', 'https://accounts.google.com/'],
    ['google', 'https://accounts.google.com.evil.example'],
    ['keycloak', 'https://sso.acme.example'],
    ['keycloak', 'https://sso.acme.example/realms/staff/'],
    ['github-actions', 'https://token.actions.githubusercontent.com.evil.example'],
    ['github-actions', 'https://github.com'],
  ])('%s: %s', (preset, issuer) => {
    const found = issuerMistakes({ preset, issuer, audience: 'hoop', claims: {} });
    expect(found.map(({ key }) => key)).toEqual(['issuer']);
    expect(found[0]?.cure).toContain('https://');
  });
});

describe('a configuration that would let in whom it should not', () => {
  const google = {
    preset: 'google',
    issuer: 'https://accounts.google.com',
    audience: 'hoop',
    claims: {},
  } as const;
  it.each<[string, IssuerConfig, string]>([
    ['everybody with a Google account', { ...google, clientId: 'c' }, 'clientId'],
    ['jobs as people', { ...google, clientId: 'hoop', hostedDomains: ['x.example'] }, 'audience'],
    [
      'workflows as people',
      {
        preset: 'github-actions',
        issuer: 'https://token.actions.githubusercontent.com',
        audience: 'hoop',
        clientId: 'c',
        claims: {},
      },
      'clientId',
    ],
  ])('%s', (_who, config, key) => {
    expect(issuerMistakes(config).map((mistake) => mistake.key)).toEqual([key]);
  });

  it('a directory alone is the list of who may come in', async () => {
    const [, fixture] = fixtures.find(([name]) => name === 'google')!;
    const [ada, bob] = fixture.tokens;
    const config = { hostedDomains: undefined };
    expect((await verify(fixture, { ...ada!, config })).groups).toEqual(['developers']);
    const text = await refused(() => verify(fixture, { ...bob!, config }), 'ERR_TOKEN_INVALID');
    expect(text).toContain('directory');
  });
});
