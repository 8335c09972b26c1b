/** The worked examples of docs/ci, as the platforms run them: no stored secret, provenance on every event, a page for the job. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { AuditEventItem } from '../../../src/api/contract.ts';
import { type JwksIssuer, startJwksIssuer } from '../../support/identity/jwks-issuer.ts';
import { HOOPCTL_MAIN } from '../../support/run-hoopctl.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED, type Stack, startStack } from '../../support/stack.ts';

const DOCS = new URL('../../../docs/ci/', import.meta.url);
// biome-ignore lint/suspicious/noExplicitAny: of many shapes, and the test fails where one is another.
const example = (name: string): any => parse(readFileSync(new URL(name, DOCS), 'utf8'));

/** What the examples call ./migrate.sh: it reads, changes, and asks for what it may not. */
const MIGRATE = `#!/bin/sh
psql -Xqwc 'SELECT id, email FROM customers'
psql -Xqwc "UPDATE orders SET status = 'paid' WHERE id = 1"
psql -Xqwc 'DELETE FROM orders'
psql -Xqwc 'DROP TABLE orders'
exit 3
`;

const GITHUB = {
  sub: 'repo:org/shop:ref:refs/heads/main',
  repository: 'org/shop',
  workflow: 'migrate',
  workflow_ref: 'org/shop/.github/workflows/migrate.yml@refs/heads/main',
  ref: 'refs/heads/main',
  sha: '0123456789abcdef0123456789abcdef01234567',
  run_id: '9876543210',
  run_attempt: '1',
  event_name: 'push',
};
const GITLAB = {
  sub: 'project_path:org/shop:ref_type:branch:ref:main',
  project_path: 'org/shop',
  ref: 'main',
  sha: 'fedcba9876543210fedcba9876543210fedcba98',
  pipeline_id: '4711',
  job_id: '4712',
  ci_config_ref_uri: 'gitlab.com/org/shop//.gitlab-ci.yml@refs/heads/main',
};
const POD = {
  sub: 'system:serviceaccount:jobs:importer',
  'kubernetes.io': {
    namespace: 'jobs',
    serviceaccount: { name: 'importer', uid: 'a1' },
    pod: { name: 'importer-x', uid: '6f7a' },
  },
};

let stack: Stack;
let cluster: JwksIssuer;
let runner: Server;
let directory: string;
let otto: Record<string, string>;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hoop-ci-'));
  const program = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    chmodSync(join(directory, name), 0o755);
  };
  mkdirSync(join(directory, 'bin'));
  program('bin/hoopctl', `#!/bin/sh\nexec ${process.execPath} ${HOOPCTL_MAIN} "$@"\n`);
  program('migrate.sh', MIGRATE);
  cluster = await startJwksIssuer();
  stack = await startStack({
    policy: GUARDED,
    sql: ATTACK_FIXTURE,
    columns: ATTACK_COLUMNS,
    resources: ({ host, port, caFile }) => `  pg-prod:
    protocol: postgres
    target: { host: ${host}, port: ${port}, database: shop, tls: verify-full, caFile: ${caFile} }
    credentials: { user: hoop, password: { file: ./pg.password } }
    classification: { columns: ${JSON.stringify(ATTACK_COLUMNS)} }`,
  });
  const { issuer } = stack.issuer;
  const before = readFileSync(stack.configFile, 'utf8');
  writeFileSync(
    stack.configFile,
    before.replace(
      'agents:\n',
      `  - { preset: kubernetes, issuer: '${cluster.issuer}', audience: hoop }
agents:
  gitlab: { match: { issuer: '${issuer}', claims: { project_path: org/shop } }, groups: [ai-agents] }
  importer: { match: { issuer: '${cluster.issuer}', claims: { /kubernetes.io/namespace: jobs, /kubernetes.io/serviceaccount/name: importer } }, groups: [ai-agents] }
`,
    ),
  );
  const from = stack.hoopd.log.length;
  stack.hoopd.child.kill('SIGHUP');
  await stack.hoopd.until(/reloaded|in force/i, from);
  runner = createServer((request, response) => {
    const allowed = request.headers.authorization === 'Bearer runner';
    response.writeHead(allowed ? 200 : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ value: stack.issuer.mint(GITHUB) }));
  }).listen(0, '127.0.0.1');
  await once(runner, 'listening');
  otto = await stack.person('otto');
});

afterAll(async () => {
  runner?.close();
  await stack?.stop();
  await cluster?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** What a machine of the platform has, beside what it gives each job. */
function machine(job: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return {
    PATH: `${join(directory, 'bin')}:${process.env['PATH']}`,
    HOME: directory,
    NODE_EXTRA_CA_CERTS: stack.caFile,
    HOOPCTL_CONFIG_DIR: join(directory, 'hoopctl'),
    HOOPCTL_SECRET_STORE: 'file',
    ...job,
    HOOPCTL_GATEWAY: stack.url,
  };
}

function run(command: readonly string[], env: NodeJS.ProcessEnv): Promise<{ code: unknown; output: string }> {
  const [file, ...args] = command;
  return new Promise((resolve) =>
    execFile(file!, args, { cwd: directory, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    ),
  );
}

async function eventsOf(id: string): Promise<readonly AuditEventItem[]> {
  const { stdout } = await stack.hoopctl(['audit', 'search', '--run', id, '--json', '--limit', '1000'], otto);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEventItem);
}

/** Every event of the run has it, signed by the platform and not told by the job. */
async function expectAttested(id: string, attested: Readonly<Record<string, string>>): Promise<void> {
  const events = await eventsOf(id);
  const types = new Set(events.map(({ type }) => type));
  for (const type of ['login.exchanged', 'session.started', 'session.ended', 'operation.decided'])
    expect(types).toContain(type);
  for (const event of events) expect(event['actor'], event.type).toMatchObject({ attested });
}

function expectSummary(text: string): void {
  expect(text).toMatch(/^## What this run did through the gateway\n/);
  expect(text).toContain('| `pg-prod` | 4 | 1 | 2 | 0 | 1 | 0 | 1 | 2 | 1 | 2 |');
  expect(text).toContain("| `pg-prod` | `UPDATE orders SET status = '***' WHERE id = 1` | 1 | `success` |");
  expect(text).toMatch(/\| `pg-prod` \| `DELETE FROM orders` \| {2}\| `failure: /);
  expect(text).toMatch(/\| `pg-prod` \| `DROP TABLE orders` \|/);
  expect(text).toContain('2 values were masked in what was read.');
  expect(text).not.toContain('ann@example.com');
}

test('no example knows a secret', () => {
  for (const name of readdirSync(DOCS))
    expect(readFileSync(new URL(name, DOCS), 'utf8')).not.toMatch(/secrets\.|password|secretKeyRef/i);
});

test('GitHub Actions: the workflow uses the action as it is; the action runs the command and fills the job’s page', async () => {
  const workflow = example('github.yml');
  const action = example('action.yml');
  expect(workflow.permissions['id-token']).toBe('write');
  const step = workflow.jobs.migrate.steps.at(-1);
  const required = Object.entries<{ required?: boolean }>(action.inputs).filter(
    ([, { required }]) => required,
  );
  for (const [name] of required) expect(step.with).toHaveProperty(name);
  for (const name of Object.keys(step.with)) expect(action.inputs).toHaveProperty(name);

  const given = (name: string): string =>
    String(step.with[name] ?? action.inputs[name].default).replace(/\$\{\{ github\.sha \}\}/, GITHUB.sha);
  const { env, run: script, shell } = action.runs.steps.at(-1);
  const filled = Object.entries<string>(env).map(([name, text]) => [
    name,
    text.replace(/\$\{\{ inputs\.([a-z-]+) \}\}/, (_, input) => given(input)),
  ]);
  const page = join(directory, 'step-summary.md');
  const { port } = runner.address() as AddressInfo;
  const job = {
    ...Object.fromEntries(filled),
    ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner',
    GITHUB_STEP_SUMMARY: page,
  };
  const { code, output } = await run([shell, '-eo', 'pipefail', '-c', script], machine(job));
  expect(code, output).toBe(3);
  expect(script).not.toContain('${{');
  const { repository, workflow: name, sha, run_id } = GITHUB;
  await expectAttested(run_id, { repository, workflow: name, sha, runId: run_id });
  const text = readFileSync(page, 'utf8');
  expectSummary(text);
  for (const row of [
    '| repository | `org/shop` |',
    '| workflow | `migrate` |',
    `| sha | \`${sha}\` |`,
    '| runId | `9876543210` |',
  ])
    expect(text).toContain(row);
  const reasons = (await eventsOf(run_id)).map(({ reason }) => reason);
  expect(reasons).toContain(`migration ${sha}`);
  const later = await stack.hoopctl(['audit', 'summary', '--run', run_id], otto);
  expectSummary(later.stdout);
});

test('GitLab CI: the job’s script, with the token that GitLab puts into the variable that it names', async () => {
  const { migrate } = example('gitlab.yml');
  const [variable] = Object.keys(migrate.id_tokens);
  const job = { ...migrate.variables, [variable!]: stack.issuer.mint(GITLAB), CI_COMMIT_SHA: GITLAB.sha };
  const { code, output } = await run(
    ['bash', '-eo', 'pipefail', '-c', migrate.script.join('\n')],
    machine(job),
  );
  expect(code, output).toBe(3);
  await expectAttested('4711', {
    projectPath: 'org/shop',
    pipelineId: '4711',
    jobId: '4712',
    sha: GITLAB.sha,
  });
  expectSummary(readFileSync(join(directory, migrate.artifacts.paths[0]), 'utf8'));
});

test('a Kubernetes Job: the container’s command, with the token that the kubelet projects', async () => {
  const { spec } = example('kubernetes.yaml').spec.template;
  const [container] = spec.containers;
  const [{ serviceAccountToken }] = spec.volumes[0].projected.sources;
  const mounted = join(directory, 'mounted');
  mkdirSync(mounted);
  writeFileSync(join(mounted, serviceAccountToken.path), cluster.mint(POD), { mode: 0o600 });
  const env = Object.fromEntries(
    container.env.map(({ name, value }: Readonly<Record<'name' | 'value', string>>) => [
      name,
      value.replace(container.volumeMounts[0].mountPath, mounted),
    ]),
  );
  const said = join(directory, 'termination-log');
  const command = container.command.map((word: string) => (word === '/dev/termination-log' ? said : word));
  const { code, output } = await run(command, machine(env));
  expect(code, output).toBe(3);
  await expectAttested('6f7a', {
    namespace: 'jobs',
    serviceAccount: 'importer',
    pod: 'importer-x',
    podUid: '6f7a',
  });
  expectSummary(readFileSync(said, 'utf8'));
});
