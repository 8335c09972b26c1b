import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attributesOf, locateGateway } from '../../../src/client/gateway.ts';
import { machineSource } from '../../../src/client/login/subject-sources.ts';
import { Network } from '../../../src/client/network/network.ts';
import { proxyFor } from '../../../src/client/network/proxy.ts';
import { notAGateway, problemToError, wantedNonce } from '../../../src/client/problem.ts';
import { ensurePrivateDir } from '../../../src/client/store/private-files.ts';
import {
  checkProfileName,
  parseGatewayUrl,
  readProfiles,
  saveProfile,
} from '../../../src/client/store/profiles.ts';
import { scramVerifier } from '../../../src/wire/scram/verifier.ts';

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'hoopctl-settings-')), 'config');
});
afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }));

describe('profiles', () => {
  test.each(['/proc/none/hoopctl', '/dev/null/hoopctl'])(
    'in a home that takes none, %s: told so, at once',
    async (at) => {
      await expect(ensurePrivateDir(at)).rejects.toMatchObject({
        code: 'ERR_CONFIG',
        message: expect.stringContaining('cannot be made (E'),
        hint: expect.stringContaining('HOOPCTL_CONFIG_DIR'),
      });
    },
  );

  test.each(['/proc/none/hoopctl', '/dev/null/hoopctl'])(
    'are none in a home that is none: %s',
    async (at) => {
      expect((await readProfiles(at)).size).toBe(0);
    },
  );

  test('are kept apart, owner-only, and read back', async () => {
    await saveProfile(directory, {
      name: 'a.b',
      gateway: 'https://one.test',
      agent: 'bot',
      secretStore: 'file',
    });
    await saveProfile(directory, { name: 'two', gateway: 'https://two.test:7443', ca: 'PEM' });
    await saveProfile(directory, { name: 'two', gateway: 'https://two.test:7444' });
    const all = await readProfiles(directory);
    expect([...all.values()]).toEqual([
      { name: 'a.b', gateway: 'https://one.test', agent: 'bot', secretStore: 'file' },
      { name: 'two', gateway: 'https://two.test:7444' },
    ]);
    expect((await stat(join(directory, 'profiles.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });

  test('that others could have written are not believed', async () => {
    await saveProfile(directory, { name: 'x', gateway: 'https://one.test' });
    await chmod(join(directory, 'profiles.json'), 0o666);
    await expect(readProfiles(directory)).rejects.toMatchObject({ code: 'ERR_CONFIG' });
  });

  test('that are no longer JSON say so', async () => {
    await saveProfile(directory, { name: 'x', gateway: 'https://one.test' });
    await writeFile(join(directory, 'profiles.json'), '{');
    await expect(readProfiles(directory)).rejects.toThrow('is not JSON');
  });

  test.each(['', '../x', 'a/b', '-x', 'a b', 'x'.repeat(65), '__proto__'])('refuse the name %j', (name) => {
    expect(() => checkProfileName(name)).toThrow('profile name');
  });
});

test.each([
  ['hoop.test', 'https://hoop.test'],
  ['hoop.test:7443', 'https://hoop.test:7443'],
  ['https://HOOP.test/', 'https://hoop.test'],
])('the gateway %s is %s', (text, origin) => expect(parseGatewayUrl(text)).toBe(origin));

test.each([
  'http://hoop.test',
  'https://u:p@hoop.test',
  'https://hoop.test/x',
  'https://hoop.test?x',
  'ftp://x',
  '',
  ':',
])('the gateway %j is refused', (text) => expect(() => parseGatewayUrl(text)).toThrow(/gateway/));

describe('the choice of the gateway', () => {
  beforeEach(() =>
    saveProfile(directory, {
      name: 'default',
      gateway: 'https://one.test',
      agent: 'bot',
      secretStore: 'file',
    }),
  );

  test('flag, then environment, then profile', async () => {
    const env = { HOOPCTL_CONFIG_DIR: directory };
    const origin = async (choice: object, more: object = {}) =>
      (await locateGateway(choice, { ...env, ...more })).origin;
    expect(await origin({})).toBe('https://one.test');
    expect(await origin({}, { HOOPCTL_GATEWAY: 'two.test' })).toBe('https://two.test');
    expect(await origin({ gateway: 'three.test' }, { HOOPCTL_GATEWAY: 'two.test' })).toBe(
      'https://three.test',
    );
  });

  test('another gateway gets nothing of the profile', async () => {
    const found = await locateGateway({ gateway: 'two.test' }, { HOOPCTL_CONFIG_DIR: directory });
    expect(found.profile).toBeUndefined();
  });

  test('none known: says what to do', async () => {
    await expect(
      locateGateway({ profile: 'other' }, { HOOPCTL_CONFIG_DIR: directory }),
    ).rejects.toMatchObject({
      code: 'ERR_USAGE',
      hint: 'known are default; or run: hoopctl login --gateway https://…, or set HOOPCTL_GATEWAY',
    });
  });

  test('a person acts without the agent of the profile', () => {
    const profile = {
      name: 'default',
      gateway: 'https://one.test',
      agent: 'bot',
      model: 'm',
      modelVersion: '1',
    };
    expect(attributesOf({}, profile)).toEqual({ agent: 'bot', model: 'm', modelVersion: '1' });
    expect(attributesOf({ model: 'n' }, profile)).toEqual({ agent: 'bot', model: 'n' });
    expect(attributesOf({ asPerson: true, agent: 'bot' }, profile)).toEqual({});
  });
});

describe('proxies', () => {
  const url = new URL('https://hoop.example.com:7443');
  test.each([
    [{}, undefined],
    [{ HTTPS_PROXY: 'http://proxy:3128' }, 'proxy:3128'],
    [{ https_proxy: 'proxy:3128' }, 'proxy:3128'],
    [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'example.com' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '.example.com' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'ample.com, other' }, 'proxy:3128'],
    [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'hoop.example.com:443' }, 'proxy:3128'],
    [{ HTTPS_PROXY: 'http://proxy:3128', no_proxy: 'hoop.example.com:7443' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '*' }, undefined],
  ])('%j', (env, host) => expect(proxyFor(url, env)?.host).toBe(host));

  test.each(['https://localhost:1', 'https://127.0.0.1:1', 'https://[::1]:1'])('never for %s', (text) => {
    expect(proxyFor(new URL(text), { HTTPS_PROXY: 'http://proxy:3128' })).toBeUndefined();
  });

  test('another kind is refused', () => {
    expect(() => proxyFor(url, { HTTPS_PROXY: 'socks5://proxy' })).toThrow('HTTPS_PROXY');
  });
});

describe('refusals', () => {
  const json = 'application/problem+json';
  const now = Date.parse('2026-01-01T00:10:00Z');
  const error = (body: object, status = 403, date?: string) =>
    problemToError({ status, contentType: json, body: JSON.stringify(body), date }, 'https://gw', now);

  test('keep code, text and hint of the gateway', () => {
    expect(error({ code: 'ERR_DENIED', title: 't', detail: 'not you', hint: 'ask' })).toMatchObject({
      code: 'ERR_DENIED',
      message: 'not you',
      hint: 'ask',
      exitCode: 77,
    });
    expect(error({ code: 'ERR_LOGIN_EXPIRED' }, 401).hint).toBe('run: hoopctl login');
  });

  test('name a wrong clock', () => {
    const ahead = error({ code: 'ERR_PROOF_INVALID' }, 401, 'Thu, 01 Jan 2026 00:00:00 GMT');
    expect(ahead.hint).toBe("this machine's clock is 600 s ahead of the gateway's: set it right");
    expect(error({ code: 'ERR_PROOF_INVALID', hint: 'x' }, 401, 'Thu, 01 Jan 2026 00:09:30 GMT').hint).toBe(
      'x',
    );
  });

  test.each([
    ['a page', { status: 200, contentType: 'text/html', body: '<html>', date: undefined }],
    ['an unknown code', { status: 404, contentType: json, body: '{"code":"toString"}', date: undefined }],
    ['broken JSON', { status: 400, contentType: json, body: '{', date: undefined }],
  ])('%s is no hoop gateway', (_, refusal) => {
    expect(problemToError(refusal, 'https://gw', now)).toMatchObject({ code: 'ERR_GATEWAY_UNREACHABLE' });
    expect(notAGateway('https://gw', '', 200).message).toContain('not a hoop gateway');
  });

  test('ask for a nonce in our words and in those of OAuth, only with one', () => {
    expect(wantedNonce(401, 'n', '{"code":"ERR_PROOF_NONCE"}')).toBe('n');
    expect(wantedNonce(400, 'n', '{"error":"use_dpop_nonce"}')).toBe('n');
    expect(wantedNonce(401, undefined, '{"code":"ERR_PROOF_NONCE"}')).toBeUndefined();
    expect(wantedNonce(403, 'n', '{"code":"ERR_PROOF_NONCE"}')).toBeUndefined();
    expect(wantedNonce(401, 'n', '{"code":"ERR_REVOKED"}')).toBeUndefined();
  });
});

test('the SCRAM verifier of the example in RFC 7677 has the notation of PostgreSQL', async () => {
  // Password, salt and iterations of the example in RFC 7677 §3.
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  expect(await scramVerifier('pencil', salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});

describe('tokens of machines', () => {
  const network = new Network({ ca: undefined, source: 'test' }, {});
  const JWT = 'aaa.bbb.ccc';
  const from = (env: NodeJS.ProcessEnv) =>
    machineSource({ env, origin: 'https://gw', network, machines: async () => [] });

  test('the variable goes before the file, and both before a login', async () => {
    const file = join(directory, '..', 'token');
    await writeFile(file, `${JWT}\n`);
    const both = { HOOPCTL_TOKEN: JWT, HOOPCTL_TOKEN_FILE: file };
    expect(from(both)?.name).toBe('HOOPCTL_TOKEN');
    const source = from({ HOOPCTL_TOKEN_FILE: file })!;
    expect((await source.get()).token).toBe(JWT);
    await writeFile(file, 'new.new.new');
    expect((await source.get()).token).toBe('new.new.new');
    expect(from({})).toBeUndefined();
  });

  test('GitHub is asked with the audience that the gateway names, at each renewal anew', async () => {
    const asked: string[] = [];
    const runner = createServer((request, response) => {
      asked.push(`${request.headers.authorization} ${request.url}`);
      response.end(JSON.stringify({ value: `t${asked.length}.b.c` }));
    });
    await new Promise<void>((resolve) => runner.listen(0, '127.0.0.1', resolve));
    const { port } = runner.address() as AddressInfo;
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-the-runner',
    };
    const named = { issuer: 'https://token.actions.githubusercontent.com', preset: 'github-actions' };
    const other = { issuer: 'https://gitlab.test', audience: 'else', preset: 'gitlab' };
    const machines = async () => [other, { ...named, audience: 'hoop' }];
    const source = machineSource({ env, origin: 'https://gw', network, machines })!;
    expect([(await source.get()).token, (await source.get()).token]).toEqual(['t1.b.c', 't2.b.c']);
    const request = 'Bearer of-the-runner /token?api-version=2.0&audience=hoop';
    expect(asked).toEqual([request, request]);
    const audienceBy = async (presets: readonly string[]) => {
      const all = presets.map((preset, n) => ({
        ...other,
        preset,
        audience: `of-${preset}`,
        issuer: `${n}`,
      }));
      await machineSource({ env, origin: 'https://gw', network, machines: async () => all })!.get();
      return new URL(asked.at(-1)!.split(' ').at(-1)!, 'http://x').searchParams.get('audience');
    };
    // GitHub Enterprise may be configured without its preset.
    expect(await audienceBy(['oidc'])).toBe('of-oidc');
    expect(await audienceBy(['oidc', 'gitlab'])).toBe('https://gw');
    runner.close();
    await expect(source.get()).rejects.toMatchObject({
      code: 'ERR_ISSUER_UNREACHABLE',
      hint: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port} did not answer as it should \\(ECONN`)),
    });
  });

  test.each([
    ['nothing', '', 'ERR_NOT_LOGGED_IN'],
    ['words', 'not a token', 'ERR_NOT_LOGGED_IN'],
    ['two parts', 'a.b', 'ERR_NOT_LOGGED_IN'],
    ['more than a request may hold', `${'a'.repeat(70_000)}.b.c`, 'ERR_TOKEN_TOO_LARGE'],
    ['a second line', 'a.b.c\r\nX: y', 'ERR_NOT_LOGGED_IN'],
  ])('%s is not sent', async (_, text, code) => {
    const file = join(directory, '..', 'token');
    await writeFile(file, text);
    const source = from({ HOOPCTL_TOKEN_FILE: file })!;
    await expect(source.get()).rejects.toMatchObject({ code });
  });
});
