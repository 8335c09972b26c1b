import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PATHS } from '../../../src/api/contract.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';
import { type Caller, RunningGateway } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql", Action::"reveal"], resource);
@id("pii") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource in Resource::"pg" && resource.tags.contains("pii.email") };
@id("operators") permit (principal in Group::"operators", action == Action::"session.kill", resource);
@id("auditors") permit (principal in Group::"auditors", action == Action::"audit.search", resource);
`;
/** hoopd's own login makes roles and no more; what sessions may do is the role app's. */
const SETUP = `
  CREATE ROLE app; ALTER ROLE app SET search_path = own, public; ALTER ROLE app SET statement_timeout = '17s';
  CREATE ROLE hoop LOGIN CREATEROLE PASSWORD 'first'; GRANT app TO hoop WITH ADMIN OPTION;
  CREATE ROLE bystander; COMMENT ON ROLE bystander IS 'somebody else''s';
  CREATE ROLE hoop_like_ours; GRANT hoop_like_ours TO hoop; COMMENT ON ROLE hoop_like_ours IS 'not made by hoopd';
  CREATE SCHEMA own AUTHORIZATION app;
  CREATE TABLE own.customers (id int PRIMARY KEY, email text);
  INSERT INTO own.customers VALUES (1, 'ann@example.com');
  ALTER TABLE own.customers OWNER TO app;
`;
const SESSIONS_ROLES = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'hoop\\_copilot\\_%' ORDER BY 1";

let postgres: PostgresServer;
let running: RunningGateway;
let agent: Caller;

const resource = (role: string, name: string, rest = '') => `
  ${name}:
    protocol: postgres
    target: { host: 127.0.0.1, port: ${postgres.port}, database: shop, tls: disable }
    credentials: { user: hoop, password: { file: password }, role: ${role} }
${rest}`;
const MASKED = '    classification: { columns: { own.customers.email: [pii.email] } }\n';

beforeAll(async () => {
  postgres = await startPostgres({
    database: 'shop',
    settings: { log_statement: 'all' },
    hba: ['host all all 127.0.0.1/32 scram-sha-256'],
    sql: SETUP,
  });
  running = await RunningGateway.start({
    adapter: null,
    policy: POLICY,
    resources: [
      resource('app', 'pg', MASKED),
      resource('app', 'plain'),
      resource('nobody', 'missing'),
      resource('bystander', 'foreign'),
    ].join(''),
  });
  running.write('password', 'first\n');
  if (!(await running.gateway.reload(running.load()))) throw new Error('the configuration is not valid');
  agent = await running.person(['developers'], { agent: 'copilot' });
});

afterAll(async () => {
  await running?.remove();
  await postgres?.stop();
});

const clients: pg.Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
  await untilDropped();
});

async function open(name = 'pg'): Promise<{ client: pg.Client; session: string }> {
  const tunnel = await agent.tunnel(name);
  const stream = Object.assign(tunnel.socket, { connect: () => setImmediate(() => stream.emit('connect')) });
  const client = new pg.Client({ stream: () => stream, user: 'anybody', database: 'shop', ssl: false });
  client.on('error', () => undefined);
  clients.push(client);
  await client.connect();
  return { client, session: /hoop-session: (\S+)/.exec(tunnel.head)![1]! };
}

const rolesOfSessions = async () => (await postgres.psql(SESSIONS_ROLES)).split('\n').filter(Boolean);
const untilDropped = () =>
  eventually('no role of a session is left', rolesOfSessions, (roles) => roles.length === 0);

describe('a role for each session', () => {
  it('is there while the session runs, named for agent and instance, until its deadline, and no longer', async () => {
    const { client, session } = await open();
    const [role = '', ...others] = await rolesOfSessions();
    expect(others).toEqual([]);
    const instance = agent.issued.instance.replace('ins_', '').toLowerCase();
    expect(role).toMatch(new RegExp(`^hoop_copilot_${instance}_[0-9a-f]{8}$`));
    const facts = await postgres.psql(
      `SELECT rolcanlogin, rolconnlimit, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication,
        rolvaliduntil BETWEEN now() + '7h 50min' AND now() + '8h', shobj_description(oid, 'pg_authid')::json->>'session'
        FROM pg_roles WHERE rolname = '${role}'`,
    );
    expect(facts).toBe(`t|1|f|t|${session}`);
    const busy = await postgres.psql(`SELECT count(*) FROM pg_stat_activity WHERE usename = '${role}'`);
    expect(busy).toBe('1');
    await client.query('SELECT 4711');
    expect(readFileSync(postgres.logFile, 'utf8')).toMatch(new RegExp(`${role}@shop LOG: .*SELECT 4711`));
    await client.end();
    await untilDropped();
  });

  it('works as the configured role: its objects, its settings, its schema; what is made belongs to it', async () => {
    const { client } = await open();
    const { rows } = await client.query(
      "SELECT current_user AS me, current_setting('statement_timeout') AS t",
    );
    expect(rows).toEqual([{ me: 'app', t: '17s' }]);
    expect((await client.query('SELECT * FROM customers')).rows).toEqual([{ id: 1, email: '***' }]);
    await client.query('CREATE TABLE made (id int)');
    expect(await postgres.psql("SELECT schemaname, tableowner FROM pg_tables WHERE tablename = 'made'")).toBe(
      'own|app',
    );
    // Names would be looked up, and rights be had, as nobody has judged them.
    await expect(client.query('SET ROLE NONE')).rejects.toMatchObject({ code: '42501' });
    await client.end();
    await untilDropped();
  });

  it('keeps its role through what pools send when a connection is given back', async () => {
    const { client } = await open();
    for (const sql of ['RESET ALL', 'RESET ROLE', 'DISCARD ALL', 'RESET SESSION AUTHORIZATION']) {
      await client.query(sql);
      expect((await client.query('SELECT current_user AS me, * FROM customers')).rows, sql).toEqual([
        { me: 'app', id: 1, email: '***' },
      ]);
    }
  });

  it('leaves what it owns itself to the configured role', async () => {
    await postgres.psql('GRANT CREATE ON SCHEMA public TO public');
    const { client } = await open('plain');
    await client.query('BEGIN; SET LOCAL ROLE NONE; CREATE TABLE public.left_over (id int); COMMIT');
    const owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'left_over'";
    expect(await postgres.psql(owner)).toMatch(/^hoop_copilot_/);
    await client.end();
    await untilDropped();
    expect(await postgres.psql(owner)).toBe('app');
  });

  it('is dropped when an operator kills the session in the middle of a statement', async () => {
    const operator = await running.person(['operators'], { name: 'olga' });
    const { client, session } = await open();
    const slow = client.query('SELECT pg_sleep(30)').catch((error: { code?: string }) => error.code);
    await eventually(
      'it runs',
      () =>
        postgres.psql(
          "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)' AND usename LIKE 'hoop_c%'",
        ),
      (count) => count === '1',
    );
    await operator.call('DELETE', `${PATHS.sessions}/${session}`);
    expect(await slow).toBe('57P01');
    await untilDropped();
  });

  it('is one of its own for each of many sessions at once', async () => {
    const sessions = await Promise.all(Array.from({ length: 12 }, () => open()));
    expect(new Set(await rolesOfSessions()).size).toBe(12);
    await Promise.all(sessions.map(({ client }) => client.end()));
    await untilDropped();
  });

  it('is none where it cannot be made: the client is told so, and whom to ask', async () => {
    for (const name of ['missing', 'foreign']) {
      const error = await open(name).then(
        () => undefined,
        (failure: Error & { code: string; hint: string }) => failure,
      );
      expect(error).toMatchObject({
        code: '08004',
        message: 'no credential for the target could be had',
        hint: expect.stringContaining('ask the operator of the gateway'),
      });
    }
    expect(await rolesOfSessions()).toEqual([]);
  });

  it('has its beginning and its end on record, and its password nowhere', async () => {
    const { client, session } = await open();
    await client.end();
    await untilDropped();
    const auditor = await running.person(['auditors'], { name: 'anne' });
    const events = async () =>
      (await auditor.get(`${PATHS.auditEvents}?session=${session}`)).json.events as {
        type: string;
        outcome?: string;
        facts?: { login?: string };
      }[];
    const found = await eventually('it has ended', events, (all) =>
      all.some(({ type }) => type === 'lease.ended'),
    );
    const leases = found.filter(({ type }) => type.startsWith('lease.'));
    expect(new Set(leases.map(({ facts }) => facts?.login)).size).toBe(1);
    const actor = { kind: 'agent', name: 'copilot' };
    expect(leases.find(({ type }) => type === 'lease.ended')).toMatchObject({ outcome: 'success', actor });
    // Who has the target's log finds the session by the name that stands there.
    const byName = await auditor.get(`${PATHS.auditEvents}?q=${leases[0]?.facts?.login}`);
    expect(byName.json.events).toMatchObject([
      { type: 'lease.ended', session },
      { type: 'lease.begun', session },
    ]);
    const log = readFileSync(postgres.logFile, 'utf8');
    const verifiers = [...log.matchAll(/CREATE ROLE "?hoop_.*PASSWORD '([^']*)'/g)].map((match) => match[1]);
    expect(verifiers.length).toBeGreaterThan(0);
    for (const one of verifiers) expect(one).toMatch(/^SCRAM-SHA-256\$/);
    for (const file of readdirSync(running.dir, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const text = readFileSync(join(file.parentPath, file.name), 'latin1');
      expect(text.includes('SCRAM-SHA-256$')).toBe(false);
    }
  });
});

describe('what a crash leaves behind', () => {
  it('is no concern of another gateway at the same target', async () => {
    const { client } = await open();
    const mine = await rolesOfSessions();
    const options = { adapter: null, policy: POLICY, resources: resource('app', 'pg', MASKED) };
    const other = await RunningGateway.start(options);
    try {
      other.write('password', 'first\n');
      await other.stop();
      const asked = readFileSync(postgres.logFile, 'utf8').length;
      await other.restart();
      // It has looked for what is left behind; what it then finds to drop it would drop in the same breath.
      const looks = () => readFileSync(postgres.logFile, 'utf8').slice(asked).includes('pg_shdescription');
      await eventually('it has looked', looks);
      await other.stop();
    } finally {
      await other.remove();
    }
    expect(await rolesOfSessions()).toEqual(mine);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('is dropped at the next start of the same gateway; nobody else’s is', async () => {
    const { client } = await open();
    const [mine = ''] = await rolesOfSessions();
    const mark = JSON.parse(
      await postgres.psql(
        `SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '${mine}'`,
      ),
    );
    const left = (name: string, comment: object) => `CREATE ROLE ${name} LOGIN; GRANT ${name} TO CURRENT_USER;
      COMMENT ON ROLE ${name} IS '${JSON.stringify(comment)}';`;
    const [past, longPast] = [60_000, 2 * 3_600_000].map((ms) => new Date(Date.now() - ms).toISOString());
    await postgres.psql(
      left('hoop_a_of_an_earlier_start', { ...mark, boot: 'another' }) +
        left('hoop_b_of_another_gateway', { ...mark, gateway: 'another' }) +
        left('hoop_c_of_another_past', { ...mark, gateway: 'another', deadline: past }) +
        left('hoop_d_of_another_long_past', { ...mark, gateway: 'another', deadline: longPast }) +
        left('hoop_e_of_another_resource', { ...mark, boot: 'another', resource: 'other' }) +
        left('unnamed', { ...mark, boot: 'another' }),
      { user: 'hoop', password: 'first' },
    );
    running.write('hoopd.yaml', running.config().replace(MASKED, `${MASKED}    session: { max: 7h }\n`));
    // A resource that changed is served anew, by the same start: the session of before keeps its role.
    expect(await running.gateway.reload(running.load())).toBe(true);
    const others = async () =>
      (
        await postgres.psql(
          "SELECT rolname FROM pg_roles WHERE rolname LIKE 'hoop\\__\\_%' OR rolname IN ('unnamed', 'hoop_like_ours') ORDER BY 1",
        )
      ).split('\n');
    await eventually('what is left behind is gone', others, (names) => names.length === 5);
    expect(await others()).toEqual([
      'hoop_b_of_another_gateway',
      'hoop_c_of_another_past',
      'hoop_e_of_another_resource',
      'hoop_like_ours',
      'unnamed',
    ]);
    expect(await rolesOfSessions()).toEqual([mine]);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    await untilDropped();
  });
});
