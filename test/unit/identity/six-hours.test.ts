import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TOKEN_EXCHANGE_GRANT, TOKEN_TYPES, type TokenRequest } from '../../../src/api/contract.ts';
import { Credential, type SubjectSource } from '../../../src/client/login/credential.ts';
import { systemScheduler } from '../../../src/client/scheduler.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { HoopError } from '../../../src/core/errors.ts';
import { AgentRegistry } from '../../../src/identity/agents.ts';
import { TokenExchange } from '../../../src/identity/exchange.ts';
import { InstanceRegistry } from '../../../src/identity/instances.ts';
import type { IssuerConfig } from '../../../src/identity/issuers/config.ts';
import { IssuerRegistry } from '../../../src/identity/issuers/issuer.ts';
import { generateSigningKey, loadSigningKey } from '../../../src/identity/signing-key.ts';
import { GatewayTokens } from '../../../src/identity/tokens.ts';
import { MemoryStore, START } from './support.ts';

const ISSUER = 'https://token.actions.githubusercontent.com';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

beforeEach(() => {
  vi.useFakeTimers({
    now: START,
    toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
  });
});
afterEach(() => vi.useRealTimers());

/** The CI platform: tokens of five minutes, a new key every hour, and times in which nobody answers. */
class Platform {
  #keys = new Map<string, { privateKey: KeyObject; publicKey: KeyObject }>();
  isDown = false;
  asked = 0;

  #key(): [string, { privateKey: KeyObject; publicKey: KeyObject }] {
    const kid = `hour-${Math.floor((Date.now() - START) / HOUR)}`;
    const key = this.#keys.get(kid) ?? generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.#keys.set(kid, key);
    return [kid, key];
  }

  readonly fetch = async (url: URL): Promise<Response> => {
    if (this.isDown) throw new TypeError('fetch failed');
    if (url.pathname.endsWith('openid-configuration'))
      return Response.json({ issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` });
    const [kid, { publicKey }] = this.#key();
    return Response.json({
      keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }],
    });
  };

  readonly source: SubjectSource = {
    name: 'the GitHub Actions token',
    get: async () => {
      this.asked += 1;
      if (this.isDown) throw new HoopError('ERR_ISSUER_UNREACHABLE');
      const [kid, { privateKey }] = this.#key();
      const now = Math.floor(Date.now() / 1000);
      const claims = { sub: 'repo:org/shop', repository: 'org/shop', run_id: '7', jti: `t${this.asked}` };
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const times = { iat: now, nbf: now - 600, exp: now + 300 };
      const body = `${part({ alg: 'RS256', typ: 'JWT', kid })}.${part({ iss: ISSUER, aud: 'hoop', ...claims, ...times })}`;
      const signature = sign('sha256', Buffer.from(body), privateKey).toString('base64url');
      return { token: `${body}.${signature}`, type: TOKEN_TYPES.jwt };
    },
  };
}

/** One job with one open session, as the gateway sees it. */
async function startJob(overrides: Partial<IssuerConfig> = {}) {
  const platform = new Platform();
  const clock = systemClock;
  const config = {
    preset: 'github-actions',
    issuer: ISSUER,
    audience: 'hoop',
    claims: {},
    ...overrides,
  } as const;
  const instances = new InstanceRegistry({ clock, store: new MemoryStore() });
  const exchange = new TokenExchange({
    issuers: new IssuerRegistry([config], { clock, fetch: platform.fetch }),
    agents: new AgentRegistry({ ci: { match: { issuer: ISSUER, claims: { repository: 'org/shop' } } } }),
    tokens: new GatewayTokens({
      key: await loadSigningKey(generateSigningKey()),
      gateway: 'https://hoop.example.com',
      clock,
    }),
    instances,
    clock,
  });
  const ends: string[] = [];
  let inFlight = 0;
  const credential = new Credential({
    source: platform.source,
    scheduler: systemScheduler,
    exchange: ({ token, type }) => {
      const subject_token_type = type as TokenRequest['subject_token_type'];
      const request = { grant_type: TOKEN_EXCHANGE_GRANT, subject_token: token, subject_token_type } as const;
      inFlight += 1;
      return exchange.exchange(request, 'thumb-1').finally(() => {
        inFlight -= 1;
      });
    },
  });
  await credential.open();
  const principal = instances.find('thumb-1')!;
  instances.onEnd(principal, (code) => ends.push(code));
  const close = () => {
    credential.close();
    instances.close();
  };
  /** Lets time pass in steps of five seconds; it stands still while a token is exchanged, which takes real time. */
  const pass = async (ms: number) => {
    for (let done = 0; done < ms; done += 5_000) {
      vi.advanceTimersByTime(5_000);
      do await new Promise((resolve) => setImmediate(resolve));
      while (inFlight > 0);
    }
  };
  return { platform, instances, credential, principal, ends, pass, close };
}

it('D3: a job of six hours keeps its session through seventy renewals, five rotated keys and a provider that is down', async () => {
  const job = await startJob({ maxSessionMs: 8 * HOUR });
  await job.pass(2 * HOUR);
  job.platform.isDown = true;
  await job.pass(30 * MINUTE);
  job.platform.isDown = false;
  await job.pass(3.5 * HOUR);
  expect(Date.now() - START).toBe(6 * HOUR);
  expect(job.ends).toEqual([]);
  job.instances.assertLive(job.principal);
  const facts = { instance: job.principal.instance, login: job.principal.login };
  expect(job.credential.facts).toMatchObject({ ...facts, deadline: START + 8 * HOUR });
  expect(job.platform.asked).toBeGreaterThan(100);
  await expect(job.credential.token()).resolves.toMatch(/^eyJ/);
  // One absolute deadline: no renewal moves it. A later token of the platform is another sign-in, for other sessions.
  await job.pass(2 * HOUR + MINUTE);
  expect(job.ends).toEqual(['ERR_LOGIN_EXPIRED']);
  job.close();
}, 60_000);

it('without maxSession a provider that stays down ends it, when its token and the grace are over', async () => {
  const job = await startJob();
  await job.pass(20 * MINUTE);
  expect(job.ends).toEqual([]);
  job.platform.isDown = true;
  await job.pass(7 * MINUTE);
  expect(job.ends).toEqual(['ERR_LOGIN_EXPIRED']);
  job.close();
}, 30_000);
