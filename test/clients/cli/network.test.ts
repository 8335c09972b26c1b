/** hoopctl and hoopd with a bad network between them: what ends, what goes on, and what the user is told. */
import { existsSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer as createTlsServer, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import { FlakyNetwork } from '../../support/flaky-network.ts';
import { query, type RawClient, rawLogin } from '../../support/postgres/raw-client.ts';
import { untilRunning } from '../../support/postgres/server.ts';
import type { Finished } from '../../support/run-hoopctl.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';
import { timePasses } from '../../support/waiting.ts';

const HOST = 'gateway.test';
let stack: Stack;
let network: FlakyNetwork;
let gatewayPort: number;
let way: Record<string, string>;

beforeAll(async () => {
  stack = await startStack({ host: HOST, yaml: 'tokens: { lifetime: 10s }' });
  gatewayPort = Number(new URL(stack.url).port);
  network = await FlakyNetwork.start(gatewayPort);
  way = { HTTPS_PROXY: network.proxy };
});
afterAll(async () => {
  await network?.stop();
  await stack?.stop();
});

const rows = (value: string | number) => [
  'RowDescription',
  `DataRow ${value}`,
  'CommandComplete SELECT 1',
  'ReadyForQuery I',
];

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1');
    probe.once('connect', () => resolve(probe.destroy() !== undefined));
    probe.once('error', () => resolve(false));
  });
}

describe('what the user is told', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    network.port = gatewayPort;
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  /** Somebody else's TLS server for the gateway's name, and the authority that vouches for it. */
  async function portal(): Promise<string> {
    const { authority, server } = await makeLocalCertificates([HOST], Date.now());
    const page: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome to the hotel</html>');
    };
    const https = createTlsServer({ cert: server.cert, key: server.key }, page);
    servers.push(https);
    await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
    network.port = (https.address() as AddressInfo).port;
    const caFile = join(stack.directory, 'portal.pem');
    writeFileSync(caFile, authority);
    return caFile;
  }

  async function whoami(env: Record<string, string>, ...args: string[]): Promise<Finished> {
    return stack.hoopctl(['whoami', ...args], { ...way, ...env });
  }

  const connected = (marker: string, env: Record<string, string>) =>
    stack.hoopctl(['connect', 'pg', '--', 'touch', marker], { ...way, ...env });

  /** One line of what is wrong and one of what to do; nothing on stdout. */
  function told({ stdout, stderr, exitCode }: Finished, code: number, problem: RegExp, cure: RegExp): void {
    expect({ exitCode, stdout }, stderr).toEqual({ exitCode: code, stdout: '' });
    const [first = '', second = '', ...more] = stderr.trimEnd().split('\n');
    expect(first).toMatch(problem);
    expect(second).toMatch(cure);
    expect(more).toEqual([]);
  }

  test('D4: all is well, through a proxy', async () => {
    expect(await whoami({})).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('D4: a proxy that opens TLS shows its own certificate: 69, and how to trust it if that is meant', async () => {
    await portal();
    told(
      await whoami({}),
      69,
      /certificate that is not vouched for by /,
      /hint: .*--ca FILE.*a proxy that opens TLS/,
    );
  });

  test('D4: a captive portal, trusted: 69, and what it answered', async () => {
    const ca = await portal();
    told(await whoami({ NODE_EXTRA_CA_CERTS: ca }), 69, /is not a hoop gateway .*text\/html/, /hint: /);
  });

  test('D4: nobody behind the proxy, no proxy, no gateway at that address: 69', async () => {
    network.port = 9;
    told(await whoami({}), 69, /refused the way to gateway\.test:\d+ \(502\)/, /hint: .*HTTPS_PROXY/);
    told(
      await whoami({ HTTPS_PROXY: 'http://127.0.0.1:9' }),
      69,
      /the proxy 127\.0\.0\.1:9 cannot be reached/,
      /hint: check HTTPS_PROXY/,
    );
    const wrong = { HOOPCTL_GATEWAY: stack.people.issuer.replace('http:', 'https:') };
    told(await whoami(wrong), 69, /does not speak TLS 1\.3/, /hint: check host and port/);
    const plain = await whoami({ HOOPCTL_GATEWAY: 'http://gateway.test' });
    expect(plain).toMatchObject({ exitCode: 64, stdout: '' });
    expect(plain.stderr).toBe(
      "hoopctl: the gateway's URL must be https: http://gateway.test\nhint: hoopd speaks TLS at every port: https://gateway.test\n",
    );
  });

  test('D4: a command is not started, nor a word said on stdout, whatever keeps the tunnel from opening', async () => {
    const marker = join(stack.directory, 'started');
    const slow = join(stack.directory, 'hours.cjs');
    writeFileSync(slow, 'const now = Date.now; Date.now = () => now() - 7_200_000;');
    const ended = stack.env({ exp: Math.floor(Date.now() / 1000) - 600 });
    const opened = await portal();
    const cases: readonly (readonly [number, RegExp, Record<string, string>])[] = [
      [69, /is not vouched for by/, {}],
      [69, /is not a hoop gateway/, { NODE_EXTRA_CA_CERTS: opened }],
      [
        69,
        /no-such-gateway\.invalid cannot be reached/,
        { HTTPS_PROXY: '', HOOPCTL_GATEWAY: 'https://no-such-gateway.invalid' },
      ],
      [69, /the proxy 127\.0\.0\.1:9 cannot be reached/, { HTTPS_PROXY: 'http://127.0.0.1:9' }],
      [78, /HTTPS_PROXY/, { HTTPS_PROXY: 'socks5://127.0.0.1:9' }],
      [64, /must be https/, { HOOPCTL_GATEWAY: 'http://gateway.test' }],
    ];
    for (const [code, problem, env] of cases) told(await connected(marker, env), code, problem, /hint: |^$/);
    network.port = gatewayPort;
    told(
      await connected(marker, { NODE_OPTIONS: `--require ${slow}` }),
      67,
      /proof was not made/,
      /clock is (7199|7200|7201) s behind/,
    );
    told(
      await connected(marker, { HOOPCTL_TOKEN: ended['HOOPCTL_TOKEN'] ?? '' }),
      67,
      /expired/,
      /HOOPCTL_TOKEN/,
    );
    expect(existsSync(marker)).toBe(false);
    expect((await connected(marker, {})).exitCode).toBe(0);
    expect(existsSync(marker)).toBe(true);
  }, 60_000);

  test.each([
    ['slow', -600_000, 'behind'],
    ['fast', 600_000, 'ahead of'],
  ])('D4: a clock that is ten minutes %s: 67, and by how much', async (_, offsetMs, side) => {
    const clock = join(stack.directory, `clock${offsetMs}.cjs`);
    writeFileSync(clock, `const now = Date.now; Date.now = () => now() + (${offsetMs});`);
    const failed = await whoami({ NODE_OPTIONS: `--require ${clock}` });
    told(
      failed,
      67,
      /proof was not made just now/,
      new RegExp(`hint: this machine's clock is (599|600|601) s ${side} the gateway's`),
    );
  });

  test('D4: a token that has ended: 67, and where to put a new one', async () => {
    const { HOOPCTL_TOKEN = '' } = stack.env({ exp: Math.floor(Date.now() / 1000) - 600 });
    told(await whoami({ HOOPCTL_TOKEN }), 67, /expired/, /hint: .*put a new token into HOOPCTL_TOKEN/);
  });
});

describe('a tunnel', () => {
  let tunnel: Tunnel;
  let client: RawClient;
  afterEach(async () => {
    network.restore();
    client?.close();
    await tunnel?.close();
  });
  const open = async () => {
    tunnel = await stack.tunnel([], way);
    client = await rawLogin(tunnel);
    expect(await client.ask(query('select 1'))).toEqual(rows(1));
  };

  test('D5: a network that falls silent for a while: what was asked is answered when it is back', async () => {
    await open();
    network.silence();
    client.send(query('select 2'));
    const late = rawLogin(tunnel);
    await timePasses(6000, 'a network that is silent for a while');
    network.restore();
    expect((await client.untilReady()).length).toBe(4);
    const other = await late;
    expect(await other.ask(query('select 3'))).toEqual(rows(3));
    other.close();
  });

  test('D5: a network that loses its connections: each ends at once, its statement is cancelled, and the next one works', async () => {
    await open();
    const busy = await rawLogin(tunnel);
    busy.send(query('select pg_sleep(64)'));
    await untilRunning(stack.postgres, 'pg_sleep(64)');
    network.cut();
    expect(await busy.next()).toBeUndefined();
    const running =
      "select count(*) from pg_stat_activity where query like '%pg_sleep(64)' and state = 'active'";
    await expect.poll(() => stack.postgres.psql(running), { timeout: 5000, interval: 200 }).toBe('0');
    const again = await rawLogin(tunnel);
    expect(await again.ask(query('select 4'))).toEqual(rows(4));
    again.close();
  });

  test('D5: a network that stays silent: a connection that waits is ended, nobody hangs for ever', async () => {
    await open();
    network.silence();
    client.send(query('select 5'));
    expect(await client.next(110_000)).toBeUndefined();
    network.restore();
    const again = await rawLogin(tunnel);
    expect(await again.ask(query('select 6'))).toEqual(rows(6));
    again.close();
  }, 150_000);

  test('D5: a laptop that sleeps until its token has ended: connections go on, and new ones open', async () => {
    await open();
    const { child } = tunnel.running;
    child.kill('SIGSTOP');
    await timePasses(13_000, 'longer than the token is good for');
    child.kill('SIGCONT');
    expect(await client.ask(query('select 7'))).toEqual(rows(7));
    const again = await rawLogin(tunnel);
    expect(await again.ask(query('select 8'))).toEqual(rows(8));
    again.close();
  }, 40_000);

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('D5: %s: the client is told, and nothing is left at either end', async (signal, code) => {
    await open();
    const before = stack.hoopd.log.length;
    tunnel.running.child.kill(signal);
    expect((await tunnel.running.finished).exitCode).toBe(code);
    expect(await client.next()).toBeUndefined();
    expect(await listens(tunnel.port)).toBe(false);
    await stack.hoopd.until(/session ended/, before);
    await expect.poll(() => network.connections).toBe(0);
  });
});

test('D2: a gateway at an IPv6 address, and two tunnels opened at once', async () => {
  const six = await startStack({ listen: '::1' });
  try {
    const tunnels = await Promise.all([six.tunnel(), six.tunnel(['--port', '0'])]);
    expect(new Set(tunnels.map(({ port }) => port)).size).toBe(2);
    for (const tunnel of tunnels) {
      const client = await rawLogin(tunnel);
      expect(await client.ask(query('select 9'))).toEqual(rows(9));
      client.close();
      await tunnel.close();
    }
  } finally {
    await six.stop();
  }
});
