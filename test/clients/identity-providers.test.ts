/**
 * Two unrelated identity providers, people and machines, through hoopctl and hoopd to a real PostgreSQL; then the log
 * of all of it, at the level debug, is searched for what must not be there.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Glewlwyd, startGlewlwyd } from '../support/identity/glewlwyd.ts';
import { RunningHoopctl } from '../support/run-hoopctl.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED, type Stack, startStack } from '../support/stack.ts';

const AUDIENCE = 'https://hoop.example.com';
const SECRET = randomBytes(16).toString('hex');
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const BASIC = {
  client_id: 'nightly-basic',
  client_secret: SECRET,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
} as const;
const BY_KEY = {
  client_id: 'nightly-key',
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'ES256',
  jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'job-1', use: 'sig', alg: 'ES256' }] },
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
} as const;

let stack: Stack;
let foreign: Glewlwyd;
/** What the runner of GitHub Actions is: it gives a job its token, and saw what for. */
let runner: Server;
const askedFor: (string | null)[] = [];
/** Everything that must not be in any log. */
const secrets = new Set<string>([SECRET]);

beforeAll(async () => {
  const clients = [BASIC, BY_KEY] as unknown as NonNullable<Parameters<typeof startStack>[0]>['clients'];
  [stack, foreign] = await Promise.all([
    startStack({
      policy: GUARDED,
      sql: ATTACK_FIXTURE,
      columns: ATTACK_COLUMNS,
      logLevel: 'debug',
      ...(clients === undefined ? {} : { clients }),
    }),
    startGlewlwyd(),
  ]);
  runner = createServer((request, response) => {
    const audience = new URL(request.url ?? '', 'http://runner').searchParams.get('audience');
    askedFor.push(audience);
    const allowed = request.headers.authorization === `Bearer ${SECRET}`;
    const value = stack.issuer.mint({ sub: 'repo:org/shop', repository: 'org/shop', aud: audience ?? '' });
    secrets.add(value);
    response.writeHead(allowed ? 200 : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ count: value.length, value }));
  });
  await new Promise<void>((resolve) => runner.listen(0, '127.0.0.1', resolve));
  const before = readFileSync(stack.configFile, 'utf8');
  writeFileSync(stack.configFile, withProviders(before));
  const from = stack.hoopd.log.length;
  stack.hoopd.child.kill('SIGHUP');
  await stack.hoopd.until(/reloaded|in force/i, from);
  expect(stack.hoopd.log.slice(from)).not.toContain('stays in force');
}, 60_000);

afterAll(async () => {
  runner?.close();
  await stack?.stop();
  await foreign?.stop();
}, 30_000);

function withProviders(yaml: string): string {
  const people = stack.people.issuer;
  return yaml
    .replace('audience: hoop\n', `audience: ${AUDIENCE}\n`)
    .replace('scope: openid profile email groups\n', 'scope: openid profile email groups offline_access\n')
    .replace(
      'agents:\n',
      `  - issuer: ${foreign.issuer}
    audience: hoop
    clientId: ${foreign.clientId}
    scope: openid
    machineScope: hoop
    claims: { groups: groups, name: name }
    maxSession: 1h
agents:
  nightly-foreign: { match: { issuer: '${foreign.issuer}', claims: { client_id: nightly } }, groups: [ai-agents] }
  nightly-basic: { match: { issuer: '${people}', claims: { client_id: nightly-basic } }, groups: [ai-agents] }
  nightly-key: { match: { issuer: '${people}', claims: { client_id: nightly-key } }, groups: [ai-agents] }
`,
    );
}

/** Without the job's token that the stack would give. */
function bare(name: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { HOOPCTL_TOKEN: _, ...env } = stack.env();
  return { ...env, HOOPCTL_TOKEN: '', HOOPCTL_CONFIG_DIR: join(stack.directory, `cli-${name}`), ...more };
}

const PSQL = ['psql', '-X', '-w', '-At', '-c', 'SELECT name, ssn FROM customers WHERE id = 1'];
const MASKED = /^Ann\|(?!123-45-6789)/;

async function login(env: Record<string, string>, issuer: string, approve: (code: string) => Promise<void>) {
  const args = ['login', '--gateway', stack.url, '--agent', 'copilot', '--issuer', issuer, '--json'];
  const running = new RunningHoopctl(args, env);
  const [, code = ''] = await running.until(/"userCode":"([^"]+)"/);
  secrets.add(code);
  await approve(code);
  return running.finished;
}

describe('a person logs in by device code', () => {
  test('and is asked to choose, where several providers offer it', async () => {
    const done = await stack.hoopctl(['login', '--gateway', stack.url], bare('choose'));
    expect(done.exitCode).toBe(64);
    expect(done.stderr).toContain('--issuer');
    for (const { issuer } of [stack.people, foreign]) expect(done.stderr).toContain(issuer);
    // It has a clientId but no device grant.
    expect(done.stderr).not.toContain(stack.issuer.issuer);
  });

  test.each([
    ['oidc-provider', () => stack.people.issuer, (code: string) => stack.people.approve(code, 'ada')],
    ['glewlwyd', () => foreign.issuer, (code: string) => foreign.approve(code)],
  ])(
    'at %s, and the agent works',
    async (name, issuer, approve) => {
      const env = bare(name);
      const { exitCode, stderr } = await login(env, issuer(), approve);
      expect(stderr).toBe('');
      expect(exitCode).toBe(0);
      const done = await stack.hoopctl(['connect', 'pg', '--', ...PSQL], env);
      expect(done.stderr).toBe('');
      expect(done.stdout).toMatch(MASKED);
      const me = JSON.parse((await stack.hoopctl(['whoami', '--json'], env)).stdout) as Record<
        string,
        unknown
      >;
      expect(me).toMatchObject({ kind: 'agent', name: 'copilot', issuer: issuer() });
    },
    30_000,
  );
});

describe('a job comes in', () => {
  const connect = (env: Record<string, string>) => stack.hoopctl(['connect', 'pg', '--', ...PSQL], env);

  test('with a client secret at oidc-provider', async () => {
    const env = bare('basic', {
      HOOPCTL_CLIENT_ID: 'nightly-basic',
      HOOPCTL_CLIENT_SECRET: SECRET,
      HOOPCTL_ISSUER: stack.people.issuer,
    });
    const done = await connect(env);
    expect(done.stderr).toBe('');
    expect(done.stdout).toMatch(MASKED);
  }, 20_000);

  test.each(['pem', 'jwk'])(
    'with a private key (%s) at oidc-provider',
    async (form) => {
      const file = join(stack.directory, `job.${form}`);
      const jwk = JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'job-1' });
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      writeFileSync(file, form === 'pem' ? pem : jwk, { mode: 0o600 });
      const env = bare('key', {
        HOOPCTL_CLIENT_ID: 'nightly-key',
        HOOPCTL_CLIENT_KEY_FILE: file,
        HOOPCTL_ISSUER: stack.people.issuer,
      });
      const done = await connect(env);
      expect(done.stderr).toBe('');
      expect(done.stdout).toMatch(MASKED);
    },
    20_000,
  );

  test('with a client secret from a file at glewlwyd', async () => {
    const file = join(stack.directory, 'job.secret');
    writeFileSync(file, `${foreign.machine.secret}\n`, { mode: 0o600 });
    secrets.add(foreign.machine.secret);
    const env = bare('foreign', {
      HOOPCTL_CLIENT_ID: foreign.machine.id,
      HOOPCTL_CLIENT_SECRET_FILE: file,
      HOOPCTL_ISSUER: foreign.issuer,
    });
    const done = await connect(env);
    expect(done.stderr).toBe('');
    expect(done.stdout).toMatch(MASKED);
  }, 20_000);

  test('not with a wrong secret: 67, and it is not repeated', async () => {
    const env = bare('wrong', {
      HOOPCTL_CLIENT_ID: foreign.machine.id,
      HOOPCTL_CLIENT_SECRET: 'wrong-secret',
      HOOPCTL_ISSUER: foreign.issuer,
    });
    const done = await connect(env);
    expect(done.exitCode).toBe(67);
    expect(done.stderr).toContain(foreign.issuer);
    expect(done.stderr).not.toContain('wrong-secret');
  });

  test('not with two secrets, nor without naming one of several issuers: 78', async () => {
    const both = { HOOPCTL_CLIENT_SECRET: 'x', HOOPCTL_CLIENT_KEY_FILE: 'y', HOOPCTL_ISSUER: foreign.issuer };
    const two = await connect(bare('two', { HOOPCTL_CLIENT_ID: 'c', ...both }));
    expect([two.exitCode, two.stderr]).toEqual([78, expect.stringContaining('HOOPCTL_CLIENT_KEY_FILE')]);
    const none = await connect(bare('none', { HOOPCTL_CLIENT_ID: 'c', HOOPCTL_CLIENT_SECRET: 'x' }));
    expect([none.exitCode, none.stderr]).toEqual([78, expect.stringContaining('HOOPCTL_ISSUER')]);
  });

  test('with the token that its platform gives, asked for with our audience', async () => {
    const { port } = runner.address() as AddressInfo;
    const env = bare('actions', {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: SECRET,
    });
    const done = await connect(env);
    // No entry has the preset github-actions: the gateway's own address is asked for, and no issuer takes that.
    expect(done.exitCode).toBe(67);
    expect(askedFor).toEqual([stack.url]);
  });
});

describe('a provider that is down', () => {
  test('new logins fail with 69, jobs go on with the keys that are known', async () => {
    await foreign.stop();
    const args = ['login', '--gateway', stack.url, '--agent', 'copilot', '--issuer', foreign.issuer];
    const done = await stack.hoopctl(args, bare('down'));
    expect(done.exitCode).toBe(69);
    expect(done.stderr).toContain(foreign.issuer);
    const env = bare('down-job', {
      HOOPCTL_CLIENT_ID: 'nightly-basic',
      HOOPCTL_CLIENT_SECRET: SECRET,
      HOOPCTL_ISSUER: stack.people.issuer,
    });
    expect((await stack.hoopctl(['connect', 'pg', '--', ...PSQL], env)).stdout).toMatch(MASKED);
  }, 20_000);
});

describe('the log of all this, at the level debug', () => {
  test('holds no token, secret, code, proof, private key or masked value', async () => {
    const statement = "SELECT note FROM customers WHERE note = 'likes tea' AND 'tok-9f8e7d' <> ''";
    await stack.hoopctl(['connect', 'pg', '--', 'psql', '-X', '-w', '-At', '-c', statement]);
    const { log } = stack.hoopd;
    expect(log).toContain('"level":"info"');
    expect(log.length).toBeGreaterThan(500);
    // Every JWT and every proof begins with {" in base64url.
    expect(log).not.toMatch(/eyJ[\w-]{8,}/);
    expect(log).not.toContain('-----BEGIN');
    expect(log).not.toContain('"d":"');
    for (const secret of [...secrets, '123-45-6789', 'tok-9f8e7d'])
      expect(log.includes(secret), `a secret of ${secret.length} characters`).toBe(false);
    const password = readFileSync(join(stack.directory, 'pg.password'), 'utf8');
    const seal = readFileSync(join(stack.directory, 'seal.key'), 'utf8');
    expect([password, seal].filter((secret) => log.includes(secret))).toEqual([]);
  }, 20_000);
});
