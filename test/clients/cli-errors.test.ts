import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ContractGateway } from '../support/contract-gateway.ts';
import { type Certificates, makeCertificates } from '../support/postgres/certificates.ts';
import { type Finished, hoopctl } from '../support/run-hoopctl.ts';

const TOKEN = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJjaSJ9.c2ln';

let directory: string;
let certificates: Certificates;
let gateway: ContractGateway;
let stops: (() => Promise<unknown>)[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hoopctl-errors-'));
  certificates = await makeCertificates(directory, ['DNS:localhost', 'DNS:gateway.test']);
});
afterAll(() => rm(directory, { recursive: true, force: true }));
beforeEach(async () => {
  gateway = await ContractGateway.start({ certificates });
  stops = [() => gateway.stop()];
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
});

function whoami(env: Record<string, string>, ...args: string[]): Promise<Finished> {
  const config = { HOOPCTL_CONFIG_DIR: join(directory, 'config'), HOOPCTL_TOKEN: TOKEN };
  return hoopctl(['whoami', ...args], { ...config, HOOPCTL_GATEWAY: gateway.origin, ...env });
}

async function listen<T extends Server | HttpServer>(server: T): Promise<{ server: T; port: number }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => new Promise((resolve) => server.close(resolve)));
  return { server, port: (server.address() as AddressInfo).port };
}

function expectFailure({ stdout, stderr, exitCode }: Finished, code: number, text: string | RegExp): void {
  expect(stderr).toEqual(
    typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text),
  );
  expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
  expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
  expect(stderr).not.toContain(TOKEN);
  expect(stderr).not.toMatch(/\n\s+at /);
}

describe('trust', () => {
  test('D4: an authority nobody knows: which ones were asked, and the cure', async () => {
    const failed = await whoami({});
    expectFailure(failed, 69, /certificate that is not vouched for by Node's built-in authorities/);
    expect(failed.stderr).toContain("hint: give the gateway's CA with --ca FILE");
  });

  test('D4: is not switched off by NODE_TLS_REJECT_UNAUTHORIZED', async () => {
    expect((await whoami({ NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' })).exitCode).toBe(69);
  });

  test('D4: comes from NODE_EXTRA_CA_CERTS or --ca, and --ca alone counts where it is given', async () => {
    const extra = { NODE_EXTRA_CA_CERTS: certificates.caFile };
    expect(await whoami(extra)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await whoami({}, '--ca', certificates.caFile)).toMatchObject({ exitCode: 0 });
    const other = await mkdtemp(join(directory, 'other-'));
    const { caFile } = await makeCertificates(other);
    expectFailure(await whoami(extra, '--ca', caFile), 69, `the CA file ${caFile}`);
  });

  test('D4: another name in the certificate', async () => {
    const env = { HOOPCTL_GATEWAY: `https://127.0.0.1:${gateway.port}` };
    expectFailure(await whoami(env, '--ca', certificates.caFile), 69, 'a certificate for another name');
  });

  test('a file that is no certificate', async () => {
    await writeFile(join(directory, 'not.pem'), 'hello');
    expectFailure(await whoami({}, '--ca', join(directory, 'not.pem')), 78, 'holds no PEM certificate');
    expectFailure(await whoami({}, '--ca', join(directory, 'gone.pem')), 78, 'cannot be read (ENOENT)');
  });
});

describe('the way', () => {
  test('D4: nobody there, no such name, not TLS, silence', async () => {
    const { port: closed } = await listen(createTcpServer());
    await stops.pop()!();
    expectFailure(
      await whoami({ HOOPCTL_GATEWAY: `https://localhost:${closed}` }),
      69,
      'nothing listens there',
    );
    expectFailure(
      await whoami({ HOOPCTL_GATEWAY: 'https://no-such-host.invalid' }),
      69,
      /does not resolve|no network/,
    );
    const { port: plain } = await listen(createHttpServer((_, response) => response.end('hello')));
    expectFailure(
      await whoami({ HOOPCTL_GATEWAY: `https://localhost:${plain}` }),
      69,
      'does not speak TLS 1.3',
    );
    const { port: silent } = await listen(createTcpServer((socket) => socket.resume()));
    const at = Date.now();
    expectFailure(
      await whoami({ HOOPCTL_GATEWAY: `https://localhost:${silent}` }),
      69,
      'no answer within 10 s',
    );
    expect(Date.now() - at).toBeLessThan(15_000);
  });

  test('D4: a web page instead of a gateway', async () => {
    gateway.answers.set('/v1/whoami', { type: 'text/html; charset=utf-8', body: '<html>' });
    const failed = await whoami({}, '--ca', certificates.caFile);
    expectFailure(failed, 69, `${gateway.origin} is not a hoop gateway (it answered 200, text/html)`);
  });

  test('D4: through a proxy that wants a password; refused without', async () => {
    const seen: string[] = [];
    const proxy = createHttpServer();
    proxy.on('connect', (request, socket, head) => {
      seen.push(request.url ?? '');
      if (request.headers['proxy-authorization'] !== `Basic ${Buffer.from('me:p w').toString('base64')}`) {
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
        return;
      }
      const through = connect(gateway.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        through.write(head);
        through.pipe(socket).pipe(through);
      });
      socket.on('error', () => through.destroy());
      through.on('error', () => socket.destroy());
    });
    const { port } = await listen(proxy);
    const HOOPCTL_GATEWAY = `https://gateway.test:${gateway.port}`;
    gateway.publicHost = `gateway.test:${gateway.port}`;
    const way = { HOOPCTL_GATEWAY, NODE_EXTRA_CA_CERTS: certificates.caFile };
    const good = await whoami({ ...way, HTTPS_PROXY: `http://me:p%20w@127.0.0.1:${port}` });
    expect(good).toMatchObject({ exitCode: 0, stderr: '' });
    expect(seen[0]).toBe(`gateway.test:${gateway.port}`);
    const bad = await whoami({ ...way, HTTPS_PROXY: `http://127.0.0.1:${port}` });
    expectFailure(bad, 69, /refused the way to gateway\.test:\d+ \(407\)/);
    const gone = await whoami({ ...way, HTTPS_PROXY: 'http://127.0.0.1:9' });
    expectFailure(gone, 69, 'the proxy 127.0.0.1:9 cannot be reached');
  });
});

describe('identity', () => {
  const trusted = ['--ca', '']; // filled below
  beforeEach(() => {
    trusted[1] = certificates.caFile;
  });

  test('D4: no login', async () => {
    const failed = await whoami({ HOOPCTL_TOKEN: '' }, ...trusted);
    expectFailure(failed, 67, `not logged in at ${gateway.origin}`);
    expect(failed.stderr).toContain('HOOPCTL_TOKEN');
  });

  test('D4: an expired one, in JSON', async () => {
    gateway.refuseExchange = 'ERR_LOGIN_EXPIRED';
    const { exitCode, stdout, stderr } = await whoami({}, ...trusted, '--json');
    expect({ exitCode, stdout }).toEqual({ exitCode: 67, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({
      schemaVersion: 1,
      error: {
        code: 'ERR_LOGIN_EXPIRED',
        message: 'the login has expired',
        hint: 'hint for ERR_LOGIN_EXPIRED',
      },
    });
  });

  test('D4: a wrong clock is named', async () => {
    gateway.clockOffsetMs = -600_000;
    gateway.refuseExchange = 'ERR_PROOF_INVALID';
    expectFailure(await whoami({}, ...trusted), 67, /clock is (599|600|601) s ahead of the gateway's/);
  });

  test('doctor finds all of it, in order', async () => {
    const run = (...args: string[]) =>
      hoopctl(['doctor', '--json', ...args], {
        HOOPCTL_CONFIG_DIR: join(directory, 'doctor'),
        HOOPCTL_GATEWAY: gateway.origin,
        HOOPCTL_TOKEN: TOKEN,
        DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
      });
    const states = ({ stdout }: Finished) =>
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { check: string; state: string })
        .map(({ check, state }) => `${check} ${state}`);
    const good = await run(...trusted);
    expect(good.exitCode).toBe(0);
    expect(states(good)).toEqual([
      'node ok',
      'settings ok',
      'gateway ok',
      'keychain ok',
      'tls ok',
      'discovery ok',
      'clock ok',
      'login ok',
    ]);
    const bad = await run();
    expect(bad.exitCode).toBe(69);
    expect(states(bad).slice(4)).toEqual([
      'tls failed',
      'discovery skipped',
      'clock skipped',
      'login failed',
    ]);
  });
});
