/** Many workers of one login, told apart and ended one by one; and what each of them gave up. */
import { decodeJwt } from 'jose';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GatewayChoice } from '../../../src/client/gateway.ts';
import { type OpenGateway, openGateway } from '../../../src/client/gateway.ts';
import { Tunnel } from '../../../src/client/tunnel.ts';
import { type Stack, type Tunnel as StackTunnel, startStack } from '../../support/stack.ts';

const PROCESSES = 12;
const INSTANCES = 50;
const SQL = `
CREATE TABLE items (id int PRIMARY KEY, name text); INSERT INTO items VALUES (1, 'one');
CREATE SEQUENCE counter; CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1';
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO hoop;
`;

let stack: Stack;
const opened: OpenGateway[] = [];

beforeAll(async () => {
  stack = await startStack({
    sql: SQL,
    resources: (postgres) => `  pg-two:
    protocol: postgres
    target: { host: ${postgres.host}, port: ${postgres.port}, database: shop, tls: verify-full, caFile: ${postgres.caFile} }
    credentials: { user: hoop, password: { file: ./pg.password } }`,
  });
});
afterAll(async () => {
  for (const gateway of opened) gateway.close();
  await stack?.stop();
});

async function instance(token: string, choice: GatewayChoice = {}): Promise<OpenGateway> {
  const gateway = await openGateway(
    { ca: stack.caFile, ...choice },
    { ...stack.env(), HOOPCTL_TOKEN: token },
  );
  opened.push(gateway);
  return gateway;
}

interface Worker {
  readonly client: pg.Client;
  /** Resolves with the moment of the end, `performance.now()`. */
  readonly ended: Promise<number>;
  over: boolean;
}

async function worker(config: pg.ClientConfig): Promise<Worker> {
  const client = new pg.Client(config);
  const made: { -readonly [K in keyof Worker]: Worker[K] } = {
    client,
    over: false,
    ended: Promise.resolve(0),
  };
  client.on('error', () => undefined);
  made.ended = new Promise((resolve) =>
    client.once('end', () => {
      made.over = true;
      resolve(performance.now());
    }),
  );
  await client.connect();
  return made;
}

/** node-postgres over a stream of the client library. */
async function streamed(gateway: OpenGateway, resource = 'pg'): Promise<Worker> {
  const socket = await new Tunnel(gateway.client, gateway.credential, gateway.key, { resource }).open();
  // The library hands its streams out paused.
  const connect = () => setImmediate(() => socket.emit('connect') && socket.resume());
  const stream = Object.assign(socket, { connect }).once('end', () => socket.end());
  return worker({ stream: () => stream, user: 'hoop', database: 'shop', ssl: false });
}

/** The session's first statement names its worker. */
const introduce = ({ client }: Worker, name: string) => client.query(`SELECT '${name}' AS worker`);

describe(`${PROCESSES} processes of one job`, () => {
  let tunnels: StackTunnel[];
  let workers: Worker[];
  let env: { HOOPCTL_TOKEN: string };

  beforeAll(async () => {
    env = { HOOPCTL_TOKEN: stack.env()['HOOPCTL_TOKEN']! };
    tunnels = [];
    // A few at a time: two cores start no twelve processes within the time a test waits for one.
    for (let i = 0; i < PROCESSES; i += 3) {
      const some = [i, i + 1, i + 2].map((n) => stack.tunnel(['--reason', `task ${n}`], env));
      tunnels.push(...(await Promise.all(some)));
    }
    workers = await Promise.all(
      tunnels.map(({ host, port, user, password, database }) =>
        worker({ host, port, user, password, database }),
      ),
    );
    for (const [i, one] of workers.entries()) await introduce(one, `worker-${i}`);
  });
  afterAll(async () => {
    await Promise.all(workers.filter((one) => !one.over).map(({ client }) => client.end()));
    await Promise.all(tunnels.map((tunnel) => tunnel.close()));
  });

  test('are so many instances of one login, each found in the audit by its own id', async () => {
    const { stdout } = await stack.hoopctl(['session', 'list', '--live', '--json'], env);
    const sessions = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; instance: string });
    expect(new Set(sessions.map((one) => one.instance)).size).toBe(PROCESSES);
    const searcher = await instance(env.HOOPCTL_TOKEN);
    const logins = new Set<string>();
    const names = new Set<string>();
    for (const { instance: id } of sessions) {
      const asked = await searcher.api.auditEvents({ instance: id, type: 'operation.decided' });
      const events = asked.events.filter((event) => event['text'] !== 'connect');
      expect(events).toHaveLength(1);
      names.add(/worker-\d+/.exec(String(events[0]!['text']))![0]);
      logins.add((events[0]!['actor'] as { login: string }).login);
    }
    expect(names.size).toBe(PROCESSES);
    expect(logins.size).toBe(1);
    const one = await stack.hoopctl(['audit', 'search', '--instance', sessions[0]!.instance, '--json'], env);
    expect(
      one.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).type),
    ).toEqual(['operation.decided', 'session.started', 'operation.decided', 'login.exchanged']);
  });

  test('end one by one, by session or by instance, within a second; the others go on', async () => {
    const killer = await instance(env.HOOPCTL_TOKEN);
    const live = (await killer.api.sessions()).sessions.filter((one) => one.endedAt === undefined);
    const sessionOf = new Map<string, (typeof live)[number]>();
    for (const session of live) {
      const { events } = await killer.api.auditEvents({ session: session.id, type: 'operation.decided' });
      sessionOf.set(/worker-\d+/.exec(String(events[0]!['text']))![0], session);
    }
    const times: number[] = [];
    for (const i of [0, 3, 7]) {
      const { id, instance: whole } = sessionOf.get(`worker-${i}`)!;
      const before = performance.now();
      const { sessions } =
        i === 3 ? await killer.api.revoke({ instance: whole }) : await killer.api.killSession(id);
      expect(sessions).toBe(1);
      times.push((await workers[i]!.ended) - before);
    }
    expect(Math.max(...times)).toBeLessThan(1000);
    for (const [i, one] of workers.entries()) {
      if ([0, 3, 7].includes(i)) continue;
      expect((await one.client.query('SELECT count(*)::int AS n FROM items')).rows).toEqual([{ n: 1 }]);
    }
    // A killed session may be opened again, a revoked instance may not.
    const { host, user, database } = tunnels[0]!;
    const again = (i: number) => {
      const { port, password } = tunnels[i]!;
      return worker({ host, port, user, password, database });
    };
    await (await again(0)).client.end();
    await expect(again(3)).rejects.toMatchObject({ code: '57P01' });
    expect((await tunnels[3]!.running.finished).exitCode).toBe(67);
  });

  test('another agent cannot end them, nor learn that they are there', async () => {
    const [session] = (await (await instance(env.HOOPCTL_TOKEN)).api.sessions()).sessions.filter(
      (one) => !one.endedAt,
    );
    const other = await instance(stack.issuer.mint({ sub: 'job', repository: 'org/other' }));
    const foreign = other.api.revoke({ instance: session!.instance });
    await expect(foreign).rejects.toMatchObject({ code: 'ERR_NO_ACCESS' });
    const unknown = other.api.revoke({ instance: 'ins_00000000000000000000000000' });
    await expect(unknown).rejects.toMatchObject({ message: 'no such instance, or no access to it' });
    const wrong = await stack.hoopctl(['session', 'kill', session!.id, '--instance', session!.instance], env);
    expect(wrong.exitCode).toBe(64);
  });
});

test(`${INSTANCES} instances in one process: each its own, ended one by one`, async () => {
  const token = stack.env()['HOOPCTL_TOKEN']!;
  const gateways = await Promise.all(Array.from({ length: INSTANCES }, () => instance(token)));
  const workers = await Promise.all(gateways.map((gateway) => streamed(gateway)));
  await Promise.all(workers.map((one, i) => introduce(one, `many-${i}`)));
  expect(new Set(gateways.map(({ credential }) => credential.facts.instance)).size).toBe(INSTANCES);
  const killer = await instance(token);
  const times: number[] = [];
  for (const [i, { credential }] of gateways.entries()) {
    const { events } = await killer.api.auditEvents({
      instance: credential.facts.instance,
      type: 'operation.decided',
    });
    expect(events.map((event) => event['text'])).toEqual([`SELECT 'many-${i}' AS worker`, 'connect']);
  }
  for (const [i, { credential }] of gateways.entries()) {
    const before = performance.now();
    await killer.api.revoke({ instance: credential.facts.instance });
    times.push((await workers[i]!.ended) - before);
    const rest = workers.slice(i + 1);
    expect(rest.every((one) => !one.over)).toBe(true);
    await rest.at(-1)?.client.query('SELECT 1');
  }
  times.sort((a, b) => a - b);
  process.stderr.write(
    `${INSTANCES} kills: median ${times[INSTANCES / 2]?.toFixed(0)} ms, worst ${times.at(-1)?.toFixed(0)} ms\n`,
  );
  expect(times.at(-1)).toBeLessThan(1000);
});

describe('what an instance gave up', () => {
  const psql = (options: readonly string[], ...commands: string[]) =>
    stack.hoopctl([
      'connect',
      'pg',
      ...options,
      '--',
      'psql',
      '-X',
      '-w',
      '-At',
      '-v',
      'VERBOSITY=verbose',
      ...commands.flatMap((sql) => ['-c', sql]),
    ]);

  test('read-only runs what reads', async () => {
    const { client } = await streamed(await instance(stack.env()['HOOPCTL_TOKEN']!, { readOnly: true }));
    const reads = [
      'SELECT id, lower(name), count(*) OVER () FROM items',
      'BEGIN READ ONLY; SELECT 1; COMMIT',
      'SHOW search_path',
      "SET application_name = 'x'",
      'EXPLAIN SELECT * FROM items',
      'PREPARE p AS SELECT 1; EXECUTE p',
      "SELECT pg_catalog.format_type(23, NULL), 'items'::regclass",
    ];
    for (const sql of reads) await client.query(sql);
    await client.end();
    expect(await psql(['--read-only'], 'COPY items TO STDOUT')).toMatchObject({
      exitCode: 0,
      stdout: '1\tone\n',
    });
  });

  test('read-only refuses everything that writes, each with the rule and what to do', async () => {
    const client = await streamed(await instance(stack.env()['HOOPCTL_TOKEN']!, { readOnly: true }));
    const writes = [
      "INSERT INTO items VALUES (2, 'two')",
      "UPDATE items SET name = 'x' WHERE id = 1",
      'DELETE FROM items WHERE id = 1',
      'WITH gone AS (DELETE FROM items RETURNING id) SELECT * FROM gone',
      'SELECT * INTO copy FROM items',
      'CREATE TABLE t (a int)',
      'TRUNCATE items',
      'SELECT * FROM items FOR UPDATE',
      'LOCK TABLE items',
      "SELECT nextval('counter')",
      'SELECT mine()',
      'SELECT pg_advisory_lock(1)',
      "COPY items TO PROGRAM 'cat'",
      'COPY items FROM STDIN',
      "DO 'BEGIN DELETE FROM items; END'",
      'LISTEN c',
      'VACUUM items',
      'EXPLAIN ANALYZE DELETE FROM items WHERE id = 1',
      'PREPARE w AS DELETE FROM items WHERE id = 1; EXECUTE w',
    ];
    for (const sql of writes) {
      const failed = await client.client.query(sql).catch((error: pg.DatabaseError) => error);
      expect(failed, sql).toMatchObject({
        code: '42501',
        hint: expect.stringContaining('"rule":"attenuated"'),
      });
    }
    expect((await client.client.query('SELECT * FROM items')).rows).toEqual([{ id: 1, name: 'one' }]);
    await client.client.end();
  });

  test('only: these actions, these resources, and a word nobody knows is an error', async () => {
    expect((await psql(['--only', 'pg,sql.select'], 'SELECT name FROM items')).stdout).toBe('one\n');
    const denied = await psql(['--only', 'pg,sql.read'], "INSERT INTO items VALUES (3, 'x')");
    expect(denied.stderr).toContain('42501');
    expect(denied.stderr).toContain('attenuated');
    expect(await psql(['--only', 'pg-two'], 'SELECT 1')).toMatchObject({ exitCode: 77, stdout: '' });
    const { stdout } = await stack.hoopctl(['resource', 'list', '--only', 'pg-two', '--json']);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).name),
    ).toEqual(['pg-two']);
    const typo = await psql(['--only', 'pg,sql.selekt'], 'SELECT 1');
    expect(typo).toMatchObject({ exitCode: 64, stdout: '' });
    expect(typo.stderr).toMatch(
      /"sql\.selekt", which is neither an action nor a resource.*\nhint: did you mean sql\.select\?/,
    );
  });

  test('is shown by whoami, session show and every event', async () => {
    const given = { readOnly: true, resources: ['pg'], actions: ['sql.read'] };
    const me = await stack.hoopctl(['whoami', '--read-only', '--only', 'pg,sql.read', '--json']);
    expect(JSON.parse(me.stdout).attenuation).toEqual(given);
    const shown = await stack.hoopctl(['whoami', '--read-only', '--only', 'pg,sql.read']);
    expect(shown.stdout).toMatch(/limited to +read-only, only pg, only sql\.read/);
    const gateway = await instance(stack.env()['HOOPCTL_TOKEN']!, { readOnly: true, only: 'pg,sql.read' });
    const one = await streamed(gateway);
    await introduce(one, 'limited');
    const full = await instance(stack.env()['HOOPCTL_TOKEN']!);
    const mine = async () =>
      (await full.api.sessions()).sessions.find(
        (item) => item.instance === gateway.credential.facts.instance,
      )!;
    expect((await mine()).attenuation).toEqual(given);
    await one.client.end();
    await expect.poll(async () => (await mine()).endedAt).toBeDefined();
    expect((await mine()).attenuation).toEqual(given);
    const text = await stack.hoopctl(['session', 'show', (await mine()).id]);
    expect(text.stdout).toMatch(/limited to +read-only, only pg, only sql\.read/);
    const { events } = await full.api.auditEvents({ instance: gateway.credential.facts.instance });
    expect(events.map((event) => (event['actor'] as { attenuation: unknown }).attenuation)).toEqual(
      events.map(() => given),
    );
    expect(events.map(({ type }) => type)).toContain('login.exchanged');
  });

  test('stays through renewals by token of either kind; whoever asks for less gets less', async () => {
    const token = stack.env()['HOOPCTL_TOKEN']!;
    const { client, key } = await instance(token, { readOnly: true });
    const jwt = { token, type: 'urn:ietf:params:oauth:token-type:jwt' };
    const own = (access: string) => ({
      token: access,
      type: 'urn:ietf:params:oauth:token-type:access_token',
    });
    const claim = (access: string) => (decodeJwt(access)['hoop'] as { attenuation?: unknown }).attenuation;
    const first = await client.exchange(jwt, {}, key);
    expect(claim(first.access_token)).toEqual({ readOnly: true });
    const second = await client.exchange(own(first.access_token), { only: 'pg' }, key);
    expect(claim(second.access_token)).toEqual({ readOnly: true, resources: ['pg'] });
    const third = await client.exchange(own(first.access_token), { only: 'pg-two' }, key);
    expect(claim(third.access_token)).toEqual({ readOnly: true, resources: [] });
  });

  test('one’s own sessions, recordings and login are no way around it', async () => {
    const token = stack.env()['HOOPCTL_TOKEN']!;
    const full = await instance(token);
    const wide = await streamed(full);
    await introduce(wide, 'wide');
    const id = (await full.api.sessions()).sessions.find(
      (one) => one.instance === full.credential.facts.instance,
    )!.id;
    const narrow = await instance(token, { only: 'pg-two' });
    const frames = async () => {
      for await (const _ of narrow.api.recording(id)) return;
    };
    await expect(frames()).rejects.toMatchObject({ code: 'ERR_DENIED' });
    await expect(narrow.api.auditEvents({})).rejects.toMatchObject({ code: 'ERR_DENIED' });
    await expect(narrow.api.killSession(id)).rejects.toMatchObject({ code: 'ERR_DENIED' });
    await expect(narrow.api.revoke({ instance: full.credential.facts.instance })).rejects.toMatchObject({
      code: 'ERR_DENIED',
    });
    expect((await narrow.api.sessions()).sessions.every((one) => one.resource === 'pg-two')).toBe(true);
    await narrow.api.revokeSelf();
    await expect(narrow.api.whoami()).rejects.toMatchObject({ code: 'ERR_REVOKED' });
    expect((await wide.client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await wide.client.end();
  });
});
