import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PATHS } from '../../../src/api/contract.ts';
import type { ReplayFrame } from '../../../src/api/replay.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';
import { type Caller, RunningGateway } from '../../support/running-gateway.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql", Action::"reveal"], resource);
@id("operators") permit (principal in Group::"operators", action == Action::"session.kill", resource);
@id("auditors") permit (principal in Group::"auditors", action == Action::"audit.search", resource);
`;
const FREEZE = '@id("freeze") @reason("frozen") forbid (principal, action in Action::"sql.write", resource);';

let postgres: PostgresServer;
let running: RunningGateway;
let agent: Caller;

beforeAll(async () => {
  postgres = await startPostgres({
    database: 'shop',
    sql: `CREATE ROLE hoop LOGIN PASSWORD 'first';
      CREATE TABLE orders (id int PRIMARY KEY, status text); INSERT INTO orders VALUES (1, 'new');
      GRANT SELECT, UPDATE ON orders TO hoop;`,
  });
  running = await RunningGateway.start({
    adapter: null,
    policy: POLICY,
    resources: `
  pg:
    protocol: postgres
    target: { host: 127.0.0.1, port: ${postgres.port}, database: shop, tls: disable }
    credentials: { user: hoop, password: { file: password } }
`,
  });
  copyFileSync(postgres.caFile, join(running.dir, 'ca.pem'));
  running.write('password', 'first\n');
  running.write('hoopd.yaml', running.config().replace('tls: disable', 'tls: verify-full, caFile: ca.pem'));
  if (!(await running.gateway.reload(running.load()))) throw new Error('the configuration is not valid');
  agent = await running.person(['developers'], { agent: 'copilot' });
});

afterAll(async () => {
  await running?.remove();
  await postgres?.stop();
});

/** node-postgres over a stream of our own. */
async function open(): Promise<{ client: pg.Client; session: string; ended: Promise<string> }> {
  const tunnel = await agent.tunnel('pg');
  expect(tunnel.status).toBe(101);
  const stream = Object.assign(tunnel.socket, { connect: () => setImmediate(() => stream.emit('connect')) });
  const client = new pg.Client({ stream: () => stream, user: 'hoop', database: 'shop', ssl: false });
  const ended = new Promise<string>((resolve) => {
    client.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
  });
  await client.connect();
  return { client, session: /hoop-session: (\S+)/.exec(tunnel.head)![1]!, ended };
}

describe('PostgreSQL behind hoopd', () => {
  it('a policy changed under an open connection holds from its next statement', async () => {
    const { client } = await open();
    await client.query("UPDATE orders SET status = 'sent' WHERE id = 1");
    running.write('policies/freeze.cedar', FREEZE);
    expect(await running.gateway.reload(running.load())).toBe(true);
    const refused = client.query("UPDATE orders SET status = 'lost' WHERE id = 1");
    await expect(refused).rejects.toMatchObject({ code: '42501' });
    const { rows } = await client.query('SELECT status FROM orders');
    expect(rows).toEqual([{ status: 'sent' }]);
    await client.end();
  });

  it('a rotated password is used by new connections, hoopd’s own included; old ones go on meanwhile', async () => {
    const { client: old } = await open();
    const works = async (client: pg.Client) =>
      expect((await client.query('SELECT id FROM orders')).rows).toEqual([{ id: 1 }]);
    await works(old);
    await postgres.psql("ALTER ROLE hoop PASSWORD 'second'");
    await expect(open()).rejects.toMatchObject({ code: '08004' });
    await works(old);
    running.write('password', 'second\n');
    expect(await running.gateway.reload(running.load())).toBe(true);
    await postgres.psql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hoopd catalog'",
    );
    const { client: fresh } = await open();
    for (const client of [old, fresh]) {
      await works(client);
      await client.end();
    }
  });

  it('octets that are no protocol end their own session only', async () => {
    const { client } = await open();
    const broken = await agent.tunnel('pg', { early: '\xff\xff\xff\xff nonsense' });
    await broken.until();
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });

  it('who ends a session of their own is not told of an operator', async () => {
    const { session, ended } = await open();
    expect((await agent.call('DELETE', `${PATHS.sessions}/${session}`)).status).toBe(200);
    expect(await ended).toBe('57P01');
    const auditor = await running.person(['auditors'], { name: 'arno' });
    const events = `${PATHS.auditEvents}?type=session.ended&session=${session}`;
    await expect
      .poll(async () => JSON.stringify((await auditor.get(events)).json.events))
      .toContain('the session was ended by its own user');
  });

  it('a killed session ends with 57P01, and what it did can be replayed', async () => {
    const operator = await running.person(['operators'], { name: 'olga' });
    const { client, session, ended } = await open();
    await client.query('SELECT id, status FROM orders');
    await operator.call('DELETE', `${PATHS.sessions}/${session}`);
    expect(await ended).toBe('57P01');
    await expect
      .poll(async () => (await agent.get(`${PATHS.sessions}/${session}`)).json.endedAt)
      .toBeDefined();
    const replay = await agent.get(`${PATHS.sessions}/${session}/recording`);
    const frames = replay.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ReplayFrame);
    expect(frames).toContainEqual(expect.objectContaining({ kind: 'row', values: ['1', 'sent'] }));
    expect(frames.at(-1)).toMatchObject({ kind: 'end', complete: true });
    const { operations } = (await agent.get(`${PATHS.sessions}/${session}`)).json;
    expect(operations).toBeGreaterThan(0);

    const events = `${PATHS.auditEvents}?type=session.ended&session=${session}`;
    const auditor = await running.person(['auditors'], { name: 'anne' });
    const facts = (await auditor.get(events)).json.events[0].facts;
    const name = readdirSync(join(running.dir, 'recordings'), { recursive: true })
      .map(String)
      .find((path) => path.endsWith(`${session}.hrec`));
    const path = join(running.dir, 'recordings', String(name));
    const octets = readFileSync(path);
    expect(octets.length).toBe(facts.recordingBytes);
    // The last segment's hash stands before its payload, which is the end's reason.
    expect(octets.includes(Buffer.from(facts.recordingSha256, 'hex'))).toBe(true);

    octets[12 + octets.readUInt32BE(8) + 100]! ^= 1;
    writeFileSync(path, octets);
    const broken = (await agent.get(`${PATHS.sessions}/${session}/recording`)).text.trim().split('\n');
    expect(broken.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ kind: 'broken', message: 'the recording is damaged or was changed' }),
    ]);
    writeFileSync(path, octets.fill('HOOPREC9', 0, 8));
    const refused = await agent.get(`${PATHS.sessions}/${session}/recording`);
    expect([refused.status, refused.json.code]).toEqual([409, 'ERR_VERIFY']);
    expect(refused.json.detail).toMatch(/^the recording is of format 9/);
  });

  it('a target that is away refuses in the protocol; when it is back, so is the resource', async () => {
    await postgres.shutDown();
    await expect(open()).rejects.toMatchObject({ code: expect.stringMatching(/^08/) });
    await postgres.restart();
    const { client } = await open();
    await client.end();
  });

  it('a drain ends connections with 57P01', async () => {
    const { ended } = await open();
    await running.stop(100);
    expect(await ended).toBe('57P01');
  });
});
