import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOKEN_EXCHANGE_GRANT, TOKEN_TYPES, type TokenRequest } from '../../../src/api/contract.ts';
import type { HoopError } from '../../../src/core/errors.ts';
import { AgentRegistry } from '../../../src/identity/agents.ts';
import { type AttenuationWords, narrowed, readAttenuation } from '../../../src/identity/attenuation.ts';
import { TokenExchange } from '../../../src/identity/exchange.ts';
import { InstanceRegistry } from '../../../src/identity/instances.ts';
import { IssuerRegistry } from '../../../src/identity/issuers/issuer.ts';
import type { Attenuation } from '../../../src/identity/principal.ts';
import { generateSigningKey, loadSigningKey } from '../../../src/identity/signing-key.ts';
import { parseTokenRequest } from '../../../src/identity/token-request.ts';
import { GatewayTokens } from '../../../src/identity/tokens.ts';
import { type JwksIssuer, startJwksIssuer } from '../../support/identity/jwks-issuer.ts';
import { vocabulary } from '../policy/support.ts';
import { HandClock, MemoryStore, principal, refused } from './support.ts';

const WORDS: AttenuationWords = {
  verbsOf: (word) => vocabulary.verbsOf(word),
  isResource: (_, name) => ['pg-a', 'pg-b'].includes(name),
  nearest: (_, word) => (word === 'pg-aa' ? 'pg-a' : undefined),
};
const read = (only: string, renewal = false) =>
  readAttenuation({ only, readOnly: false }, principal(), WORDS, renewal);

describe('what --only says', () => {
  it.each([
    ['pg-a', { readOnly: false, resources: ['pg-a'] }],
    ['sql.read', { readOnly: false, actions: ['sql.select', 'sql.show'] }],
    [
      'pg-b, sql.update,pg-a,sql.update',
      { readOnly: false, actions: ['sql.update'], resources: ['pg-a', 'pg-b'] },
    ],
    ['connect', { readOnly: false, actions: ['connect'] }],
  ])('%s', (only, expected) => {
    expect(read(only)).toEqual(expected);
  });

  it.each([
    ['pg-c', /"pg-c", which is neither/],
    ['sql.selekt', /neither an action nor a resource/],
    ['', /no name/],
    ['pg-a,,pg-b', /no name/],
    ['pg-a;drop', /no name/],
    ['Pg-a', /no name/],
    ['__proto__', /no name/],
    ['constructor', /neither/],
    [Array.from({ length: 65 }, () => 'pg-a').join(), /more than 64/],
  ])('%j is refused', async (only, text) => {
    expect(await refused(() => read(only), 'ERR_USAGE')).toMatch(text);
  });

  it('a word that is near one is told which', () => {
    const hint = (only: string) => {
      try {
        return read(only);
      } catch (error) {
        return (error as HoopError).hint;
      }
    };
    expect(hint('pg-aa')).toBe('did you mean pg-a?');
    expect(hint('nothing')).toMatch(/^name resources/);
  });

  it('at a renewal a resource that is gone permits nothing and ends nothing', () => {
    expect(read('pg-gone', true)).toEqual({ readOnly: false, resources: ['pg-gone'] });
  });

  it('nothing said, nothing given up', () => {
    expect(readAttenuation({ readOnly: false }, principal(), WORDS, false)).toBeUndefined();
    expect(readAttenuation({ readOnly: true }, principal(), WORDS, false)).toEqual({ readOnly: true });
  });
});

describe('two of them', () => {
  const list = fc.option(
    fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd')).map((words) => words.sort()),
    { nil: undefined },
  );
  const attenuation = fc.option(
    fc.record({ readOnly: fc.boolean(), actions: list, resources: list }).map(
      ({ readOnly, actions, resources }): Attenuation => ({
        readOnly,
        ...(actions === undefined ? {} : { actions }),
        ...(resources === undefined ? {} : { resources }),
      }),
    ),
    { nil: undefined },
  );
  const permits = (one: Attenuation | undefined, action: string, resource: string, writes: boolean) =>
    one === undefined ||
    (!(one.readOnly && writes) &&
      (one.actions?.includes(action) ?? true) &&
      (one.resources?.includes(resource) ?? true));

  it('permit exactly what both permit: never wider, in any order', () => {
    const word = fc.constantFrom('a', 'b', 'c', 'd');
    fc.assert(
      fc.property(attenuation, attenuation, word, word, fc.boolean(), (a, b, action, resource, writes) => {
        const both = permits(a, action, resource, writes) && permits(b, action, resource, writes);
        expect(permits(narrowed(a, b), action, resource, writes)).toBe(both);
        expect(permits(narrowed(b, a), action, resource, writes)).toBe(both);
        expect(narrowed(narrowed(a, b), b)).toEqual(narrowed(a, b));
      }),
    );
  });
});

describe('at the exchange', () => {
  let idp: JwksIssuer;
  beforeAll(async () => {
    idp = await startJwksIssuer();
  });
  afterAll(() => idp.stop());

  async function gateway() {
    const clock = new HandClock(Date.now());
    const config = {
      issuer: idp.issuer,
      audience: 'hoop',
      clientId: 'hoopctl',
      claims: {},
      maxSessionMs: 3_600_000,
    };
    const tokens = new GatewayTokens({
      key: await loadSigningKey(generateSigningKey()),
      gateway: 'https://hoop.example.com',
      clock,
    });
    const parts = {
      issuers: new IssuerRegistry([config], { clock }),
      agents: new AgentRegistry({
        ci: { match: { issuer: idp.issuer, claims: { repository: 'org/shop' } } },
      }),
      tokens,
      instances: new InstanceRegistry({ clock, store: new MemoryStore() }),
      clock,
    };
    const exchange = new TokenExchange({ ...parts, words: WORDS });
    const take = async (
      extra: Partial<TokenRequest>,
      token = idp.mint({ repository: 'org/shop' }),
      type = 'jwt' as 'jwt' | 'accessToken',
    ) => {
      const { response } = await exchange.exchangeFor(
        {
          grant_type: TOKEN_EXCHANGE_GRANT,
          subject_token: token,
          subject_token_type: TOKEN_TYPES[type],
          ...extra,
        },
        'thumb',
      );
      const verified = await tokens.verify(response.access_token, 'thumb', 0);
      return { token: response.access_token, ...verified };
    };
    return { ...parts, take };
  }

  it('is signed into the token, stays through renewals of either kind, and only shrinks', async () => {
    const { take, instances } = await gateway();
    const first = await take({ only: 'pg-a,sql.read,sql.update' });
    const given = { readOnly: false, actions: ['sql.select', 'sql.show', 'sql.update'], resources: ['pg-a'] };
    expect(first.principal.attenuation).toEqual(given);
    expect((await take({})).principal.attenuation).toEqual(given);
    expect((await take({}, first.token, 'accessToken')).principal.attenuation).toEqual(given);
    expect((await take({ only: 'pg-b,sql' })).principal.attenuation).toEqual({ ...given, resources: [] });
    const last = await take({ read_only: 'true', only: 'sql.select' });
    expect(last.principal.attenuation).toEqual({ readOnly: true, actions: ['sql.select'], resources: [] });
    // The first token is good for minutes yet, and worth no more than the last.
    expect(instances.admit(first.principal, first.expiresAt).attenuation).toEqual(last.principal.attenuation);
  });

  it('a token that would be wider than what stands is not put on the books', async () => {
    const { take, instances } = await gateway();
    const { principal: narrow, expiresAt } = await take({ read_only: 'true' });
    const { attenuation: _, ...wide } = narrow;
    await refused(() => instances.renew(wide, expiresAt), 'ERR_TOKEN_INVALID');
    expect(instances.find('thumb')?.attenuation).toEqual({ readOnly: true });
  });

  it('a name that the principal may not reach is as unknown as one that does not exist', async () => {
    const { take, instances } = await gateway();
    expect(await refused(() => take({ only: 'pg-c' }), 'ERR_USAGE')).toMatch(
      /neither an action nor a resource/,
    );
    expect(instances.list()).toEqual([]);
  });
});

it('the form takes both fields and nothing like them', async () => {
  const form = {
    grant_type: TOKEN_EXCHANGE_GRANT,
    subject_token: 'a.b.c',
    subject_token_type: TOKEN_TYPES.jwt,
  };
  expect(parseTokenRequest({ ...form, only: 'pg-a', read_only: 'true' })).toEqual({
    ...form,
    only: 'pg-a',
    read_only: 'true',
  });
  for (const more of [{ read_only: 'false' }, { read_only: '' }, { only: '' }, { only: 'x'.repeat(5000) }])
    await refused(() => parseTokenRequest({ ...form, ...more }), 'ERR_USAGE');
});
