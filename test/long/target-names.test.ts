import { spawn } from 'node:child_process';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LogFields, silentLog } from '../../src/core/log.ts';
import { freePort, type PostgresServer, startPostgres } from '../support/postgres/server.ts';
import { type Caller, RunningGateway } from '../support/running-gateway.ts';
import { eventually } from '../support/waiting.ts';

const RULES = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql", Action::"reveal"], resource);
@id("hr") forbid (principal, action in Action::"sql.read", resource in Table::"pg/public.salareis");
@id("notes") forbid (principal, action == Action::"reveal", resource == Column::"pg/public.customers.note");
`;
const SETUP = `
  CREATE ROLE app;
  CREATE ROLE hoop LOGIN CREATEROLE PASSWORD 'first'; GRANT app TO hoop WITH ADMIN OPTION;
  CREATE TABLE customers (id int PRIMARY KEY, email text, note text);
  CREATE TABLE salaries (id int PRIMARY KEY);
  GRANT SELECT ON customers, salaries TO app;
`;
const ROLES = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'hoop\\_copilot\\_%'";

let postgres: PostgresServer;
let running: RunningGateway;
let agent: Caller;
const warnings: LogFields[] = [];
const log = {
  ...silentLog,
  warn: (message: string, fields: LogFields = {}) => {
    if (message.startsWith('a name')) warnings.push(fields);
  },
};

const resource = (port: number, column: string, name = 'pg') => `
  ${name}:
    protocol: postgres
    target: { host: 127.0.0.1, port: ${port}, database: shop, tls: disable }
    credentials: { user: hoop, password: { file: password }, role: app }
    classification: { columns: { ${column}: [pii.email] } }`;

beforeAll(async () => {
  postgres = await startPostgres({
    database: 'shop',
    hba: ['host all all 127.0.0.1/32 scram-sha-256'],
    sql: SETUP,
  });
  running = await RunningGateway.start({
    adapter: null,
    policy: RULES,
    files: { password: 'first\n' },
    resources: resource(postgres.port, 'public.custmers.email'),
    deps: { log },
  });
  agent = await running.person(['developers'], { agent: 'copilot' });
});

afterAll(async () => {
  await running?.remove();
  await postgres?.stop();
});

async function open(): Promise<pg.Client> {
  const tunnel = await agent.tunnel('pg');
  const stream = Object.assign(tunnel.socket, { connect: () => setImmediate(() => stream.emit('connect')) });
  const client = new pg.Client({ stream: () => stream, user: 'anybody', database: 'shop', ssl: false });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** What has been warned of since the last time. */
async function warned(count: number): Promise<string[]> {
  await eventually(
    'it is warned of',
    () => warnings.length,
    (length) => length >= count,
  );
  return warnings.splice(0).map(({ resource: of, at }) => `${of}: ${at}`);
}

const HOOPD = `import(${JSON.stringify(new URL('../../src/gateway/main.ts', import.meta.url).href)})
  .then(({ run }) => run(['node', 'hoopd', ...process.argv.slice(1)]))`;

async function check(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['-e', HOOPD, '--', 'check', ...args], { cwd: running.dir });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (said.out += chunk));
  child.stderr.on('data', (chunk) => (said.err += chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, ...said };
}

const AT = 'resources.pg.classification.columns.public.custmers.email';
const CUSTMERS = `${AT}: the database has no public.custmers: this masks nothing; did you mean public.customers?`;
const SALAREIS =
  'rule "hr" names Table::"pg/public.salareis", which the database does not have: the rule does not apply to it; did you mean public.salaries?';
const NOTE =
  'rule "notes" names Column::"pg/public.customers.note", which is not classified: the rule hides nothing there; classify it in resources.pg.classification';

describe('names that mean nothing at their target', () => {
  it('are warned of when a session first finds out, once; and again when another is named', async () => {
    const client = await open();
    await client.query('SELECT 1');
    const told = await warned(3);
    expect(told).toEqual([
      expect.stringMatching(/^pg: hoopd\.yaml:\d+:\d+: /),
      expect.stringMatching(/^pg: policies\/test\.cedar:3:1: /),
      expect.stringMatching(/^pg: policies\/test\.cedar:4:1: /),
    ]);
    for (const [index, text] of [CUSTMERS, SALAREIS, NOTE].entries()) expect(told[index]).toContain(text);
    running.write('policies/test.cedar', RULES.replace('salareis', 'salarys'));
    expect(await running.gateway.reload(running.load())).toBe(true);
    expect(await warned(1)).toEqual([expect.stringContaining('names Table::"pg/public.salarys"')]);
    running.write('policies/test.cedar', RULES);
    await client.end();
  });

  it('a table that is renamed behind its classification is warned of', async () => {
    running.write('hoopd.yaml', running.config().replace('custmers', 'customers'));
    expect(await running.gateway.reload(running.load())).toBe(true);
    const client = await open();
    await client.query('SELECT 1');
    await postgres.psql('ALTER TABLE customers RENAME TO clients');
    const asked = async () => {
      await client.query('SELECT 1');
      return warnings.map(({ at }) => String(at));
    };
    const missing = 'the database has no public.customers: this masks nothing';
    await eventually('it is warned of', asked, (told) => told.some((text) => text.includes(missing)));
    await postgres.psql('ALTER TABLE clients RENAME TO customers');
    await client.end();
    running.write('hoopd.yaml', running.config());
  });
});

describe('hoopd check --targets', () => {
  it('exits 78 with each of them, in text and as JSON; what sessions have at the target stays', async () => {
    const client = await open();
    await eventually(
      'the role of a session',
      () => postgres.psql(ROLES),
      (count) => count === '1',
    );
    const text = await check('--targets');
    expect([text.code, text.out]).toEqual([78, '']);
    expect(text.err.split('\n')).toEqual([
      'asking the target of pg',
      expect.stringContaining(CUSTMERS),
      expect.stringContaining(SALAREIS),
      expect.stringContaining(NOTE),
      '',
    ]);
    const json = await check('--targets', '--json');
    expect([json.code, json.err]).toEqual([78, '']);
    expect(JSON.parse(json.out)).toMatchObject({
      schemaVersion: 1,
      ok: false,
      mistakes: [{ path: AT }, { line: 3 }, { line: 4 }],
      targets: [{ resource: 'pg', compared: true }],
    });
    expect(await postgres.psql(ROLES)).toBe('1');
    expect((await client.query('SELECT 1')).rowCount).toBe(1);
    await client.end();
    expect((await check()).code).toBe(0);
  });

  it('exits 0 where every name is there; a target that does not answer is named, with why: 69', async () => {
    running.write('policies/test.cedar', RULES.split('\n').slice(0, 2).join('\n'));
    const good = running.config().replace('custmers', 'customers');
    running.write('good.yaml', good);
    const right = await check('--targets', '-c', 'good.yaml');
    expect([right.code, right.out]).toEqual([
      0,
      expect.stringMatching(
        /^good\.yaml is valid but for the warning above; policies \w+; the target has every name asked for there: pg\n$/,
      ),
    ]);
    const away = resource(await freePort(), 'public.customers.email', 'away');
    running.write('away.yaml', good.replace('resources:', `resources:${away}`));
    const failed = await check('--targets', '-c', 'away.yaml');
    expect([failed.code, failed.out]).toEqual([69, '']);
    expect(failed.err).toMatch(
      /^asking the target of away\nasking the target of pg\n(?:warning: .+\n)+away: .*ECONNREFUSED/,
    );
    expect(JSON.parse((await check('--targets', '--json', '-c', 'away.yaml')).out)).toMatchObject({
      ok: false,
      mistakes: [],
      targets: [
        { resource: 'away', compared: false, code: 'ERR_TARGET_UNREACHABLE', problem: expect.any(String) },
        { resource: 'pg', compared: true },
      ],
    });
  });

  it('needs the secrets, and names what refuses them', async () => {
    expect((await check('--targets', '--without-secrets')).code).toBe(64);
    running.write('wrong', 'wrong\n');
    running.write(
      'wrong.yaml',
      running.config().replace('password: { file: password }', 'password: { file: wrong }'),
    );
    const { code, err } = await check('--targets', '-c', join(running.dir, 'wrong.yaml'));
    expect(code).toBe(69);
    expect(err).toMatch(
      /^asking the target of pg\n(?:warning: .+\n)+pg: the target refused the gateway's credential/,
    );
    expect(err).toMatch(/; check what credentials of this resource names: the user/);
    expect(err).not.toMatch(/first|the way there/);
  });
});
