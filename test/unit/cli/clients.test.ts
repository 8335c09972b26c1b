import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { ConnectFacts, ResourceItem } from '../../../src/api/contract.ts';
import type { ClientWishes } from '../../../src/cli/connect/clients/half.ts';
import { CLIENTS } from '../../../src/cli/connect/clients/index.ts';
import { childEnvironment, tunnelVariables } from '../../../src/cli/connect/environment.ts';
import { type OpenEnd, type PreparedEnd, prepareEnds, withHalves } from '../../../src/cli/connect/prepare.ts';
import { readyText, readyValue } from '../../../src/cli/connect/ready.ts';
import { TunnelFiles } from '../../../src/cli/connect/tunnel-files.ts';
import type { Address } from '../../../src/client/listener.ts';
import { ECHO_CLIENTS } from '../../support/echo-clients.ts';

const KNOWN = [...CLIENTS, ECHO_CLIENTS];
const esc = String.fromCharCode(27);
const files = new TunnelFiles();
afterEach(() => files.dispose());

function resource(name: string, connect: ConnectFacts = { protocol: 'postgres' }): ResourceItem {
  return { name, protocol: connect.protocol, connect, access: 'allow', masks: false };
}

const onPort = (port: number): Address => ({ kind: 'port', host: '127.0.0.1', port });

/** Ends at ports 1, 2, …; or one at the address. */
async function prepared(
  resources: ResourceItem[],
  address?: Address,
  wishes: Partial<ClientWishes> = {},
  caFile?: string,
): Promise<readonly PreparedEnd[]> {
  const known = await withHalves(resources, KNOWN);
  const secret = address?.kind === 'socket' ? undefined : 'pw';
  const opened = known.map(
    ({ resource, half }, index): OpenEnd => ({
      half,
      end: { resource, place: undefined, address: address ?? onPort(index + 1), secret, caFile },
    }),
  );
  return prepareEnds(opened, files, { bearer: false, env: {}, ...wishes });
}

const facts = (end: PreparedEnd, alone = true) => ({ ...end, alone, deadline: 'T' });

test('a protocol that this hoopctl does not know: what to do', async () => {
  await expect(withHalves([resource('k8s', { protocol: 'constructor' })], KNOWN)).rejects.toMatchObject({
    code: 'ERR_UNSUPPORTED',
    message: 'this hoopctl does not know the protocol of k8s: constructor',
    hint: expect.stringContaining('upgrade hoopctl'),
  });
});

describe('PostgreSQL', () => {
  test('addresses keep names with odd letters as names', async () => {
    const connect = { protocol: 'postgres', user: 'a@b:c', database: 'x/y?sslmode=x' };
    const [end] = await prepared([resource('pg', connect)]);
    const url = new URL(end!.setup.url(end!.end));
    expect(decodeURIComponent(url.username)).toBe('a@b:c');
    expect(decodeURIComponent(url.pathname)).toBe('/x/y?sslmode=x');
    expect([...url.searchParams]).toEqual([['sslmode', 'disable']]);
  });

  test('a socket needs no password; names that the gateway does not give are made up', async () => {
    const socket: Address = { kind: 'socket', directory: '/run/a b', port: 6, path: '/run/a b/.s.PGSQL.6' };
    const [end] = await prepared([resource('pg')], socket);
    expect(end!.setup.url(end!.end)).toBe('postgresql://hoop@/pg?host=%2Frun%2Fa%20b&port=6&sslmode=disable');
    expect(readyValue(facts(end!))).toEqual({
      kind: 'listening',
      resource: 'pg',
      protocol: 'postgres',
      host: '/run/a b',
      port: 6,
      socket: '/run/a b/.s.PGSQL.6',
      user: 'hoop',
      database: 'pg',
      url: end!.setup.url(end!.end),
      deadline: 'T',
    });
  });

  test('D1: the child inherits what does not lead astray', async () => {
    const env = childEnvironment(
      { PATH: '/bin', PGSERVICE: 'x', PGPASSFILE: 'y', PGOPTIONS: '-c a=b', ECHO_ELSEWHERE: 'z' },
      await prepared([resource('pg')]),
    );
    expect(env).toMatchObject({ PATH: '/bin', PGOPTIONS: '-c a=b', ECHO_ELSEWHERE: 'z', PGPORT: '1' });
    expect(Object.keys(env)).not.toContain('PGSERVICE');
    expect(Object.keys(env)).not.toContain('PGPASSFILE');
  });

  test('several resources: the first one’s variables, and the address of each by name', async () => {
    const found = tunnelVariables(await prepared([resource('pg-prod'), resource('9.audit_x')]));
    expect(found).toMatchObject({ PGPORT: '1', DATABASE_URL: found['PG_PROD_URL'] });
    const urls = Object.keys(found).filter((name) => name.endsWith('_URL'));
    expect(urls.sort()).toEqual(['DATABASE_URL', 'PG_PROD_URL', '_9_AUDIT_X_URL']);
    const both = async (...names: string[]) =>
      tunnelVariables(await prepared(names.map((name) => resource(name))));
    await expect(both('pg-a', 'pg.a')).rejects.toThrow('PG_A_URL');
    await expect(both('pg', 'database')).rejects.toThrow('DATABASE_URL');
    expect((await both('database', 'pg'))['DATABASE_URL']).toContain(':1/');
  });

  test('what is printed to be pasted is quoted and cannot move the cursor', async () => {
    const connect = { protocol: 'postgres', user: `$(reboot)${esc}[2J` };
    const [end] = await prepared([resource(`pg${esc}[2J`, connect)]);
    const text = readyText(facts(end!));
    expect(text).toContain("PGUSER='$(reboot)\\x1b[2J'");
    expect(text).not.toContain(esc);
    expect(readyText(facts(end!, false))).toMatch(/^ {2}PGHOST=127\.0\.0\.1 .* psql$/m);
  });
});

describe('a protocol whose clients need a file', () => {
  const echo = (name: string) => resource(name, { protocol: 'echo' });

  test('has it to itself while the tunnel lasts', async () => {
    const [pg, one, two] = await prepared([resource('pg'), echo('one'), echo('two')]);
    const found = tunnelVariables([pg!, one!, two!]);
    expect(found).toMatchObject({
      PGPORT: '1',
      ONE_URL: 'echo://127.0.0.1:2',
      TWO_URL: 'echo://127.0.0.1:3',
    });
    const path = found['ECHO_CONFIG']!;
    expect(readyText(facts(one!))).toContain(`  echo-client --config ${path}\n`);
    expect(readyValue(facts(one!))).toMatchObject({ port: 2, config: path });
    expect(readyValue(facts(two!))).toMatchObject({ port: 3, config: expect.stringContaining('two.conf') });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    files.dispose();
    expect(existsSync(dirname(path))).toBe(false);
  });

  test('keeps its own inherited variables out, and no others', async () => {
    const env = childEnvironment({ ECHO_ELSEWHERE: 'z', PGSERVICE: 'x' }, await prepared([echo('e')]));
    expect(Object.keys(env).sort()).toEqual(['ECHO_CONFIG', 'E_URL', 'PGSERVICE']);
  });

  test.each(['../out', '/etc/x', '.hidden', '', 'a/b'])('no file is named %j', (name) => {
    expect(() => files.write(name, '')).toThrow(expect.objectContaining({ code: 'ERR_INTERNAL' }));
  });

  test('D1: leaves nothing where the process ends on the spot', () => {
    const module = new URL('../../../src/cli/connect/tunnel-files.ts', import.meta.url).href;
    const script = `const { TunnelFiles } = await import(${JSON.stringify(module)});
      const path = new TunnelFiles().write('a', 'secret');
      process.stdout.write(path + (await import('node:fs')).readFileSync(path), () => process.exit(130));`;
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    const [, path] = /^(.*)secret$/.exec(String(stdout)) ?? [];
    expect(status).toBe(130);
    expect(existsSync(dirname(path!))).toBe(false);
  });

  test('writes no file twice', () => {
    files.write('a', '1');
    expect(() => files.write('a', '2')).toThrow(expect.objectContaining({ code: 'ERR_CONFIG' }));
  });
});

describe('Kubernetes', () => {
  const cluster = (name: string) => resource(name, { protocol: 'kubernetes' });

  test('finds each cluster under the name of its resource, in a file that nobody else reads', async () => {
    const caFile = files.write('ca.pem', 'AUTHORITY');
    const ends = await prepared([cluster('k8s-prod'), cluster('k8s-test')], undefined, {}, caFile);
    const path = ends[0]!.setup.variables['KUBECONFIG']!;
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    expect(config).toMatchObject({
      'current-context': 'k8s-prod',
      contexts: [
        { name: 'k8s-prod' },
        { name: 'k8s-test', context: { cluster: 'k8s-test', user: 'k8s-test' } },
      ],
      users: [{ user: { token: 'pw' } }, { user: { token: 'pw' } }],
    });
    const { clusters } = config as { clusters: { cluster: Record<string, string> }[] };
    expect(clusters.map(({ cluster }) => cluster)).toEqual(
      [1, 2].map((port) => ({
        server: `https://127.0.0.1:${port}`,
        'certificate-authority-data': Buffer.from('AUTHORITY').toString('base64'),
      })),
    );
    expect(readyText(facts(ends[1]!, false))).toContain('--context k8s-test');
  });

  test('is reached by no socket: its clients know none', async () => {
    const caFile = files.write('ca.pem', 'AUTHORITY');
    const socket: Address = { kind: 'socket', directory: '/tmp', port: 443, path: '/tmp/x' };
    await expect(prepared([cluster('k8s-prod')], socket, {}, caFile)).rejects.toMatchObject({
      code: 'ERR_USAGE',
    });
  });
});

describe('HTTP', () => {
  const api = resource('api-prod', { protocol: 'http' });

  test('the secret stands in the URL, which a path can be put behind', async () => {
    const ends = await prepared([api], undefined, {
      env: { NO_PROXY: 'intern,localhost', http_proxy: 'http://p' },
    });
    expect(childEnvironment({ PATH: '/bin', NO_PROXY: 'intern' }, ends, 'BASE_URL')).toEqual({
      PATH: '/bin',
      API_PROD_URL: 'http://hoop:pw@127.0.0.1:1',
      BASE_URL: 'http://hoop:pw@127.0.0.1:1',
      NO_PROXY: 'intern,localhost,127.0.0.1',
      no_proxy: 'intern,localhost,127.0.0.1',
    });
    expect(readyText(facts(ends[0]!))).toContain('  curl http://hoop:pw@127.0.0.1:1/\n');
  });

  test('or apart from it', async () => {
    const ends = await prepared([api, resource('2nd', { protocol: 'http' })], undefined, { bearer: true });
    expect(tunnelVariables(ends)).toMatchObject({
      API_PROD_URL: 'http://127.0.0.1:1',
      API_PROD_TOKEN: 'pw',
      _2ND_URL: 'http://127.0.0.1:2',
      _2ND_TOKEN: 'pw',
    });
    expect(readyText(facts(ends[0]!))).toContain("-H 'Authorization: Bearer pw' http://127.0.0.1:1/");
    await expect(prepared([resource('pg')], undefined, { bearer: true })).rejects.toMatchObject({
      code: 'ERR_USAGE',
    });
  });

  test('a socket needs none', async () => {
    const socket: Address = { kind: 'socket', directory: '/run/h', port: 80, path: '/run/h/http.80.sock' };
    const [end] = await prepared([api], socket);
    expect(readyText(facts(end!))).toContain('curl --unix-socket /run/h/http.80.sock http://localhost/');
    expect(readyValue(facts(end!))).toMatchObject({ url: 'http://localhost', socket: '/run/h/http.80.sock' });
  });

  test('over TLS: the scheme, and what makes a client trust it', async () => {
    const [end] = await prepared([api], undefined, {}, '/tmp/a b/ca.pem');
    expect(tunnelVariables([end!])).toMatchObject({ API_PROD_URL: 'https://hoop:pw@127.0.0.1:1' });
    expect(readyText(facts(end!))).toContain(
      "  curl --cacert '/tmp/a b/ca.pem' https://hoop:pw@127.0.0.1:1/\n",
    );
    expect(readyValue(facts(end!))).toMatchObject({ caFile: '/tmp/a b/ca.pem' });
    const socket: Address = { kind: 'socket', directory: '/run/h', port: 80, path: '/run/h/http.80.sock' };
    const [owner] = await prepared([api], socket, {}, '/tmp/ca.pem');
    expect(readyText(facts(owner!))).toContain(
      'curl --cacert /tmp/ca.pem --unix-socket /run/h/http.80.sock https://localhost/',
    );
  });
});
