import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { query, rawLogin } from '../../../support/postgres/raw-client.ts';
import { freePort } from '../../../support/postgres/server.ts';
import { type Finished, hoopctl } from '../../../support/run-hoopctl.ts';
import { GUARDED, type Stack } from '../../../support/stack.ts';
import { type Attack, type AttackGroup, must } from '../../attack.ts';

interface Expected {
  readonly exit: number;
  /** Of `--json`. */
  readonly code: string;
  /** What is wrong. */
  readonly says: RegExp;
  /** What to do. */
  readonly cure: RegExp;
}

/** A command that fails, and must say in one line what is wrong and in one what to do, with code and exit code of its own. */
function told(
  what: string,
  expected: Expected,
  args: readonly string[],
  env: (stack: Stack) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>,
): Attack {
  return {
    case: what,
    majors: [15],
    run: async ({ stack }) => {
      const all = { ...stack.env(), ...(await env(stack)) };
      const plain = await hoopctl(args, all);
      const json = await hoopctl([...args, '--json'], all);
      for (const { exitCode, stdout } of [plain, json]) {
        must(exitCode === expected.exit, `exit ${exitCode}: ${plain.stderr}`);
        must(stdout === '', `on stdout: ${stdout}`);
      }
      judge(plain, json, expected);
    },
  };
}

function judge(plain: Finished, json: Finished, { code, says, cure }: Expected): void {
  const lines = plain.stderr.trimEnd().split('\n');
  must(lines.length <= 2, `${lines.length} lines: ${plain.stderr}`);
  must(says.test(lines[0] ?? ''), `it says: ${lines[0]}`);
  must(cure.test(plain.stderr), `no cure: ${plain.stderr}`);
  const { error } = JSON.parse(json.stderr) as { error: { code: string } };
  must(error.code === code, `code ${error.code}`);
}

const groups = (count: number, letters: number) =>
  Array.from({ length: count }, (_, i) => `${i}`.padStart(letters, 'group-'));
const WHOAMI = ['whoami'];
const soon = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

const attacks: Attack[] = [
  told(
    'two hundred groups in a token',
    { exit: 67, code: 'ERR_TOKEN_TOO_LARGE', says: /too large.*groups/, cure: /only the groups that matter/ },
    WHOAMI,
    (stack) => ({ HOOPCTL_TOKEN: job(stack, { groups: groups(200, 70) }) }),
  ),
  told(
    'a thousand groups in a token',
    { exit: 67, code: 'ERR_TOKEN_TOO_LARGE', says: /HOOPCTL_TOKEN is longer than 48 KiB/, cure: /hint: / },
    WHOAMI,
    (stack) => ({ HOOPCTL_TOKEN: job(stack, { groups: groups(1000, 50) }) }),
  ),
  told(
    'more groups than the gateway reads',
    {
      exit: 67,
      code: 'ERR_TOKEN_INVALID',
      says: /more than 500 groups/,
      cure: /only the groups that matter/,
    },
    WHOAMI,
    (stack) => ({ HOOPCTL_TOKEN: job(stack, { groups: groups(600, 9) }) }),
  ),
  told(
    'a person without groups, as an agent',
    { exit: 77, code: 'ERR_GROUPS_MISSING', says: /names no groups/, cure: /refreshes: run hoopctl login/ },
    [...WHOAMI, '--agent', 'copilot'],
    async (stack) => {
      stack.people.setUser('ada', { email: 'ada@example.com', groups: [] });
      return stack.person('ada');
    },
  ),
  told(
    'a person in other groups, as an agent',
    { exit: 77, code: 'ERR_AGENT_UNKNOWN', says: /may not act as that agent$/, cure: /ask the operator/ },
    [...WHOAMI, '--agent', 'copilot'],
    (stack) => stack.person('otto'),
  ),
  told(
    'a job that no agent is for',
    {
      exit: 77,
      code: 'ERR_AGENT_UNKNOWN',
      says: /no agent of the gateway has this identity$/,
      cure: /compare the claims/,
    },
    WHOAMI,
    (stack) => ({ HOOPCTL_TOKEN: job(stack, { repository: 'org/unknown' }) }),
  ),
  told(
    'a token for another audience',
    {
      exit: 67,
      code: 'ERR_TOKEN_INVALID',
      says: /audience/,
      cure: /its audience is elsewhere, and the gateway wants hoop/,
    },
    WHOAMI,
    (stack) => ({ HOOPCTL_TOKEN: job(stack, { aud: 'elsewhere' }) }),
  ),
  told(
    'a token that has expired',
    { exit: 67, code: 'ERR_LOGIN_EXPIRED', says: /expired/, cure: /put a new token into HOOPCTL_TOKEN/ },
    WHOAMI,
    (stack) => ({ HOOPCTL_TOKEN: job(stack, { iat: soon(-900), exp: soon(-600) }) }),
  ),
  told(
    'a token from the future',
    { exit: 67, code: 'ERR_TOKEN_INVALID', says: /future|not yet/, cure: /clocks/ },
    WHOAMI,
    (stack) => ({ HOOPCTL_TOKEN: job(stack, { iat: soon(900), exp: soon(1200) }) }),
  ),
  told(
    'a token of an issuer that nobody trusts',
    {
      exit: 67,
      code: 'ERR_TOKEN_INVALID',
      says: /issuer that is not trusted/,
      cure: /takes machines' tokens of http/,
    },
    WHOAMI,
    (stack) => ({ HOOPCTL_TOKEN: job(stack, { iss: 'https://elsewhere.example' }) }),
  ),
  told(
    'a token that is none',
    { exit: 67, code: 'ERR_NOT_LOGGED_IN', says: /HOOPCTL_TOKEN holds no JWT/, cure: /HOOPCTL_TOKEN/ },
    WHOAMI,
    () => ({ HOOPCTL_TOKEN: 'secret' }),
  ),
  told(
    'a token file that is not there',
    {
      exit: 67,
      code: 'ERR_NOT_LOGGED_IN',
      says: /HOOPCTL_TOKEN_FILE cannot be read: .*ENOENT/,
      cure: /nowhere/,
    },
    WHOAMI,
    () => ({ HOOPCTL_TOKEN: '', HOOPCTL_TOKEN_FILE: '/nowhere/token' }),
  ),
  told(
    'no login',
    { exit: 67, code: 'ERR_NOT_LOGGED_IN', says: /not logged in/, cure: /hoopctl login/ },
    WHOAMI,
    async () => ({ HOOPCTL_TOKEN: '', HOOPCTL_CONFIG_DIR: await mkdtemp(join(tmpdir(), 'hoop-empty-')) }),
  ),
  told(
    'a resource that is not there, or not mine',
    { exit: 77, code: 'ERR_NO_ACCESS', says: /no resource "nothing", or no access/, cure: /resource list/ },
    ['connect', 'nothing'],
    () => ({}),
  ),
  told(
    'a gateway where nobody listens',
    { exit: 69, code: 'ERR_GATEWAY_UNREACHABLE', says: /nothing listens there/, cure: /check the URL/ },
    WHOAMI,
    async () => ({ HOOPCTL_GATEWAY: `https://127.0.0.1:${await freePort()}` }),
  ),
  told(
    'a gateway whose authority nobody knows',
    { exit: 69, code: 'ERR_GATEWAY_TLS', says: /is not vouched for by/, cure: /--ca FILE/ },
    WHOAMI,
    () => ({ NODE_EXTRA_CA_CERTS: '' }),
  ),
  told(
    'a proxy where nobody listens',
    { exit: 69, code: 'ERR_GATEWAY_UNREACHABLE', says: /proxy/, cure: /PROXY/ },
    WHOAMI,
    async () => ({
      HOOPCTL_GATEWAY: 'https://gateway.example:7443',
      HTTPS_PROXY: `http://127.0.0.1:${await freePort()}`,
    }),
  ),
  told(
    'a configuration that cannot be read',
    { exit: 78, code: 'ERR_CONFIG', says: /profiles.json/, cure: /hint: / },
    ['whoami', '--profile', 'work'],
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'hoop-broken-'));
      await writeFile(join(directory, 'profiles.json'), '{ broken', { mode: 0o600 });
      return { HOOPCTL_CONFIG_DIR: directory };
    },
  ),
  {
    case: 'a port that is in use',
    majors: [15],
    run: async ({ stack }) => {
      const busy = createServer();
      await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
      const { port } = busy.address() as { port: number };
      const plain = await stack.hoopctl(['connect', 'pg', '--port', String(port)]);
      const json = await stack.hoopctl(['connect', 'pg', '--port', String(port), '--json']);
      busy.close();
      must(plain.exitCode === 64, `exit ${plain.exitCode}`);
      judge(plain, json, { exit: 64, code: 'ERR_USAGE', says: /port \d+ is in use/, cure: /--port 0/ });
    },
  },
  {
    case: 'a target that cannot be reached',
    majors: [15],
    run: async ({ stack }) => {
      const done = await stack.hoopctl(['connect', 'gone', '--', 'psql', '-XAtw', '-c', 'select 1']);
      must(/the target cannot be reached/.test(done.stderr), done.stderr);
      must(
        /ask the operator of the gateway: its log says why, for session ses_/.test(done.stderr),
        done.stderr,
      );
    },
  },
  {
    case: 'a credential that was revoked while the tunnel was open',
    majors: [15],
    run: async ({ stack }) => {
      const tunnel = await stack.tunnel([], stack.env({ sub: 'revoked' }));
      const client = await rawLogin(tunnel);
      const otto = await stack.person('otto');
      const { stdout } = await stack.hoopctl(['session', 'list', '--json'], otto);
      const [, instance = ''] = /"instance":"(ins_[^"]+)"/.exec(stdout) ?? [];
      await stack.hoopctl(['session', 'kill', '--instance', instance], otto);
      await client.until('ErrorResponse');
      await rawLogin(tunnel).catch(() => undefined);
      const { stderr, exitCode } = await tunnel.running.finished;
      must(exitCode === 67 && /revoked/.test(stderr), `exit ${exitCode}: ${stderr}`);
    },
  },
  {
    case: 'a tunnel that is told to end',
    majors: [15],
    run: async ({ stack }) => {
      for (const [signal, exit, says] of [
        ['SIGTERM', 143, /told to end \(SIGTERM\)/],
        ['SIGHUP', 129, /SIGHUP.*--keep/],
      ] as const) {
        const { running } = await stack.tunnel();
        running.child.kill(signal);
        const { stderr, exitCode } = await running.finished;
        must(exitCode === exit && says.test(stderr), `${exitCode}: ${stderr}`);
      }
    },
  },
  {
    case: 'a tunnel that is to be kept outlives its terminal',
    majors: [15],
    run: async ({ stack }) => {
      const tunnel = await stack.tunnel(['--keep']);
      tunnel.running.child.kill('SIGHUP');
      const client = await rawLogin(tunnel);
      must((await client.ask(query('SELECT 1'))).includes('DataRow 1'), 'no answer');
      client.close();
      await tunnel.close();
    },
  },
];

/** A job's token: what `claims` says beside what every job's says. */
function job({ issuer }: Stack, claims: Readonly<Record<string, unknown>>): string {
  return issuer.mint({ sub: 'job', repository: 'org/shop', ...claims });
}

/** Messages that mislead. */
export const RT14: readonly AttackGroup[] = [
  {
    id: 'RT14',
    scenario: {
      policy: GUARDED,
      resources: () => `
  gone:
    protocol: postgres
    target: { host: 127.0.0.1, port: 1, database: shop, tls: disable }
    credentials: { user: hoop, password: { file: ./pg.password } }`,
    },
    attacks,
  },
];
