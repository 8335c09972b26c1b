import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DiscoveryIssuer } from '../../src/api/contract.ts';
import { ContractGateway } from '../support/contract-gateway.ts';
import { startIssuer, type TestIssuer } from '../support/identity/oidc-issuer.ts';
import { type Certificates, makeCertificates } from '../support/postgres/certificates.ts';
import { hoopctl, RunningHoopctl } from '../support/run-hoopctl.ts';

const SCOPE = 'openid offline_access groups';

let directory: string;
let certificates: Certificates;
let provider: TestIssuer;
let gateway: ContractGateway;
let env: Record<string, string>;
let stops: (() => Promise<unknown>)[] = [];
const started: RunningHoopctl[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hoopctl-login-'));
  [certificates, provider] = await Promise.all([makeCertificates(directory), startIssuer()]);
});
afterAll(async () => {
  await provider.stop();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  env = { HOOPCTL_CONFIG_DIR: await mkdtemp(join(directory, 'config-')) };
});
afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
});

async function gatewayFor(...issuers: DiscoveryIssuer[]): Promise<void> {
  gateway = await ContractGateway.start({ certificates, issuers });
  stops.push(() => gateway.stop());
}

function real(): DiscoveryIssuer {
  return { issuer: provider.issuer, clientId: provider.clientId, scope: SCOPE };
}

function login(...args: string[]): RunningHoopctl {
  const running = new RunningHoopctl(
    ['login', '--gateway', gateway.origin, '--ca', certificates.caFile, ...args],
    env,
  );
  started.push(running);
  return running;
}

async function userCode(running: RunningHoopctl): Promise<string> {
  return (await running.until(/"userCode":"([^"]+)"/))[1]!;
}

/** Names of files below the settings: what a login left behind. */
async function left(): Promise<string[]> {
  const root = env['HOOPCTL_CONFIG_DIR']!;
  const all = await readdir(root, { recursive: true, withFileTypes: true });
  return all.filter((one) => one.isFile()).map((one) => relative(root, join(one.parentPath, one.name)));
}

describe('the device login', () => {
  test('shows for whom and for what, waits, and then works until the logout', async () => {
    await gatewayFor(real());
    const running = login('--agent', 'shop-copilot', '--model', 'opus', '--model-version', '4.1');
    const [, code] = await running.until(/code {2}(\S+)/, 'stderr');
    expect(running.stderr).toContain(
      `log in to ${gateway.origin} for the agent shop-copilot, model opus 4.1`,
    );
    expect(running.stderr).toContain(`open  ${provider.issuer}/`);
    expect(running.stdout).toBe('');
    await provider.approve(code!, 'alice');
    const done = await running.finished;
    expect(done).toMatchObject({ exitCode: 0 });
    expect(done.stdout).toContain(`logged in to ${gateway.origin} as shop-copilot for alice@example.com`);
    const { form } = gateway.exchanges[0]!;
    expect(Object.fromEntries(form)).toMatchObject({
      agent: 'shop-copilot',
      model: 'opus',
      model_version: '4.1',
    });

    const me = await hoopctl(['whoami', '--json'], env);
    expect(me).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(me.stdout)).toMatchObject({ schemaVersion: 1, name: 'shop-copilot' });
    expect(gateway.exchanges[1]!.form.get('agent')).toBe('shop-copilot');
    expect(gateway.exchanges[1]!.thumbprint).not.toBe(gateway.exchanges[0]!.thumbprint);

    for (const name of await left()) {
      const text = await readFile(join(env['HOOPCTL_CONFIG_DIR']!, name), 'latin1');
      expect(text).not.toMatch(/eyJ|refresh/);
    }
    const out = await hoopctl(['logout'], env);
    expect(out).toMatchObject({ exitCode: 0, stderr: '' });
    expect(gateway.requests).toContain('POST /v1/logout');
    expect((await hoopctl(['whoami'], env)).exitCode).toBe(67);
    expect(await left()).toEqual(expect.not.arrayContaining([expect.stringContaining('.sealed')]));
  });

  test('goes to the provider that the gateway has now, whichever it was before, and to no other by name', async () => {
    await gatewayFor(real());
    const first = login('--json');
    await provider.approve(await userCode(first), 'alice');
    expect(await first.finished).toMatchObject({ exitCode: 0 });
    const issuer = 'http://127.0.0.1:9';
    await gatewayFor({ issuer, clientId: 'x', scope: 'openid' });
    // Nobody answers there: it was asked.
    expect((await login().finished).stderr).toContain(`the identity provider ${issuer} cannot be reached`);
    const named = await login('--issuer', provider.issuer).finished;
    expect(named.exitCode).toBe(64);
    expect(named.stderr).toContain(`hint: it knows, by --issuer: ${issuer}`);
  });

  test('speaks JSON to programs', async () => {
    await gatewayFor(real());
    const running = login('--json', '--profile', 'ci');
    await provider.approve(await userCode(running), 'alice');
    const { stdout, stderr, exitCode } = await running.finished;
    const [first, second] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({
      schemaVersion: 1,
      kind: 'device-code',
      verificationUri: expect.stringMatching(/^http/),
    });
    expect(Date.parse(String(first!['expiresAt']))).toBeGreaterThan(Date.now());
    expect(second).toMatchObject({ schemaVersion: 1, kind: 'logged-in', profile: 'ci', secretStore: 'file' });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const listed = await hoopctl(['profile', 'list', '--json'], env);
    expect(JSON.parse(listed.stdout)).toEqual({
      schemaVersion: 1,
      name: 'ci',
      gateway: gateway.origin,
      secretStore: 'file',
    });
    const { stdout: table } = await hoopctl(['profile', 'list'], env);
    expect(table).toMatch(/^NAME +GATEWAY +AGENT +LOGIN\nci +https:/);
  });

  test('denied in the browser: 67, nothing stored', async () => {
    await gatewayFor(real());
    const running = login('--json');
    await provider.deny(await userCode(running));
    const { exitCode, stderr } = await running.finished;
    expect(exitCode).toBe(67);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'ERR_LOGIN_DENIED' } });
    expect(await left()).toEqual([]);
  });

  test('Ctrl-C: 130 at once, no word, nothing stored', async () => {
    await gatewayFor(real());
    const running = login('--json');
    await userCode(running);
    const at = Date.now();
    running.child.kill('SIGINT');
    expect(await running.finished).toMatchObject({ exitCode: 130, stderr: '' });
    // The next question to the provider is five seconds away.
    expect(Date.now() - at).toBeLessThan(4500);
    expect(await left()).toEqual([]);
  });

  test('that the gateway does not take for this agent: 77, nothing stored', async () => {
    await gatewayFor(real());
    gateway.refuseExchange = 'ERR_AGENT_UNKNOWN';
    const running = login('--json', '--agent', 'not-mine');
    await provider.approve(await userCode(running), 'alice');
    expect((await running.finished).exitCode).toBe(77);
    expect(await left()).toEqual([]);
  });
});

/** A provider that does as it is told. */
async function playIssuer(
  token: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<DiscoveryIssuer> {
  const server: Server = createServer((request, response) => {
    const json = (value: object) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    if (request.url?.includes('/.well-known/')) {
      json({ issuer, token_endpoint: `${issuer}/token`, device_authorization_endpoint: `${issuer}/device` });
    } else if (request.url === '/device') {
      json({
        device_code: 'd',
        user_code: 'ABCD',
        verification_uri: `${issuer}/go`,
        expires_in: 9,
        interval: 0.1,
      });
    } else token(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { issuer, clientId: 'hoopctl', scope: 'openid' };
}

function oauthError(response: ServerResponse, error: string): void {
  response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}

describe('a provider', () => {
  test('that says slow_down is asked five seconds later', async () => {
    const polls: number[] = [];
    await gatewayFor(
      await playIssuer((_, response) => {
        polls.push(Date.now());
        oauthError(response, ['authorization_pending', 'slow_down'][polls.length - 1] ?? 'access_denied');
      }),
    );
    expect((await login('--json').finished).exitCode).toBe(67);
    expect(polls).toHaveLength(3);
    expect(polls[1]! - polls[0]!).toBeLessThan(4_500);
    expect(polls[2]! - polls[1]!).toBeGreaterThan(4_900);
  });

  test('that vanishes while we wait is asked again, and the loss is told once', async () => {
    let polls = 0;
    await gatewayFor(
      await playIssuer((request, response) => {
        if (++polls <= 2) request.socket.destroy();
        else oauthError(response, 'access_denied');
      }),
    );
    const { exitCode, stderr } = await login().finished;
    expect(exitCode).toBe(67);
    expect(stderr.match(/cannot be reached just now/g)).toHaveLength(1);
    expect(stderr).toContain('the login was denied in the browser');
  });

  test.each([
    ['expired_token', /code ran out/],
    ['access_denied', /denied in the browser/],
  ])('that answers %s', async (error, text) => {
    await gatewayFor(await playIssuer((_, response) => oauthError(response, error)));
    const { exitCode, stderr } = await login().finished;
    expect(exitCode).toBe(67);
    expect(stderr).toMatch(text);
  });

  test('whose code nobody enters: the wait ends with the code', async () => {
    await gatewayFor(await playIssuer((_, response) => oauthError(response, 'authorization_pending')));
    const { exitCode, stderr } = await login().finished;
    expect(exitCode).toBe(67);
    expect(stderr).toContain('the code ran out before anybody entered it');
  });

  test('that answers HTML, is not there, or has no https: clear words', async () => {
    const server = createServer((_, response) =>
      response.setHeader('content-type', 'text/html').end('<html>'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await gatewayFor({ issuer, clientId: 'x', scope: 'openid' });
    const html = await login().finished;
    expect(html).toMatchObject({ exitCode: 69, stdout: '' });
    expect(html.stderr).toContain(
      `the identity provider ${issuer} does not answer as an OpenID provider does`,
    );
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const gone = await login().finished;
    expect(gone).toMatchObject({ exitCode: 69 });
    expect(gone.stderr).toContain('cannot be reached (ECONNREFUSED)');
    await gatewayFor({ issuer: 'http://login.example.com', clientId: 'x', scope: 'openid' });
    expect(await login().finished).toMatchObject({ exitCode: 78 });
    await gatewayFor();
    expect(await login().finished).toMatchObject({ exitCode: 78 });
  });
});
