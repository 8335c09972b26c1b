import { chmodSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PATHS } from '../../src/api/contract.ts';
import { createLog } from '../../src/gateway/log.ts';
import { type PostgresServer, startPostgres } from '../support/postgres/server.ts';
import { type Caller, RunningGateway } from '../support/running-gateway.ts';
import { eventually } from '../support/waiting.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql", Action::"reveal"], resource);
@id("auditors") permit (principal in Group::"auditors", action == Action::"audit.search", resource);
`;
const SETUP = `
  CREATE ROLE app; CREATE TABLE customers (id int); INSERT INTO customers VALUES (1); GRANT ALL ON customers TO app;
`;
/** A small Vault: makes a role for each login, writes down what it is asked, and drops the role again. */
const ISSUER = `#!/bin/sh
read -r asked
dir=$(dirname "$0")
echo "$asked" >> "$dir/asked"
sql() { PGPASSWORD=$ISSUER_PASSWORD psql -qX -h 127.0.0.1 -p "$ISSUER_PORT" -U admin -d shop >&2; }
of() { printf '%s' "$asked" | sed -n "s/.*\\"$1\\":\\"\\([^\\"]*\\)\\".*/\\1/p"; }
case "$1" in
  issue)
    [ -e "$dir/hang" ] && sleep 300
    [ -e "$dir/fail" ] && { echo '{"password":"s3cret-in-vain"}'; echo 'denied: s3cret-in-vain' >&2; exit 2; }
    user=v_$$
    password=s3cret-$(date +%N)
    echo "CREATE ROLE $user LOGIN PASSWORD '$password' IN ROLE app" | sql || exit 1
    printf '{"user":"%s","password":"%s","lease":{"id":"of-%s","expiresIn":%s}}\\n' $user $password $user $2 ;;
  renew) printf '{"lease":{"expiresIn":%s}}\\n' $2 ;;
  revoke)
    rm "$dir/refuse" 2>/dev/null && exit 1
    echo "DROP ROLE $(of user)" | sql ;;
esac
`;
const ROLES = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'v\\_%'";

let postgres: PostgresServer;
let running: RunningGateway;
let agent: Caller;
let log = '';
const logged = (line: string) => {
  log += line;
};

const resource = (name: string, exec: string) => `
  ${name}:
    protocol: postgres
    target: { host: 127.0.0.1, port: ${postgres.port}, database: shop, tls: disable }
    credentials: { exec: { ${exec}, env: [ISSUER_PORT, ISSUER_PASSWORD] }, role: app }`;
const issuer = (seconds: number, what: readonly string[], dir = 'good') =>
  what.map((one) => `${one === 'issue' ? 'command' : one}: [${dir}/issuer, ${one}, '${seconds}']`).join(', ');

beforeAll(async () => {
  postgres = await startPostgres({
    database: 'shop',
    hba: ['host all all 127.0.0.1/32 scram-sha-256'],
    sql: SETUP,
  });
  process.env['ISSUER_PORT'] = String(postgres.port);
  process.env['ISSUER_PASSWORD'] = postgres.admin.password;
  running = await RunningGateway.start({
    adapter: null,
    policy: POLICY,
    deps: { log: createLog('debug', { write: logged }) },
    resources: [
      resource('pg', issuer(3600, ['issue', 'renew', 'revoke'])),
      resource('renewed', issuer(2, ['issue', 'renew', 'revoke'])),
      resource('ending', issuer(2, ['issue', 'revoke'])),
      resource('hanging', `${issuer(3600, ['issue'], 'bad')}, timeout: 4s`),
      resource('missing', 'command: [./nothing-there]'),
      resource('garbage', 'command: [echo, s3cret-garbage]'),
    ].join(''),
  });
  for (const dir of ['good', 'bad']) {
    mkdirSync(join(running.dir, dir));
    running.write(`${dir}/issuer`, ISSUER);
    chmodSync(join(running.dir, dir, 'issuer'), 0o700);
  }
  agent = await running.person(['developers'], { agent: 'copilot' });
});

afterAll(async () => {
  await running?.remove();
  delete process.env['ISSUER_PORT'];
  delete process.env['ISSUER_PASSWORD'];
  await postgres?.stop();
});

const clients: pg.Client[] = [];
afterEach(() => Promise.all(clients.splice(0).map((client) => client.end())));

interface Opened {
  readonly client: pg.Client;
  readonly session: string;
  /** The error that ended it. */
  readonly ended: Promise<pg.DatabaseError>;
}

async function open(name = 'pg'): Promise<Opened> {
  const tunnel = await agent.tunnel(name);
  const stream = Object.assign(tunnel.socket, { connect: () => setImmediate(() => stream.emit('connect')) });
  const client = new pg.Client({ stream: () => stream, user: 'anybody', database: 'shop', ssl: false });
  const ended = new Promise<pg.DatabaseError>((resolve) => {
    client.on('error', (error) => resolve(error as pg.DatabaseError));
  });
  clients.push(client);
  await client.connect();
  return { client, session: /hoop-session: (\S+)/.exec(tunnel.head)![1]!, ended };
}

const refusal = (name: string) =>
  open(name).then(
    () => undefined,
    (error: pg.DatabaseError) => error,
  );
const NO_CREDENTIAL = {
  code: '08004',
  message: 'no credential for the target could be had',
  hint: expect.stringContaining('ask the operator of the gateway'),
};

interface Asked {
  readonly action: string;
  readonly session?: string;
  readonly user?: string;
}

/** What the issuer was asked, as it wrote it down. */
const asked = (): Asked[] =>
  running
    .read('good/asked')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Asked);
const rolesThere = async () => (await postgres.psql(ROLES)).split('\n');
const me = async ({ client }: Opened) => {
  const { rows } = await client.query('SELECT session_user AS login, current_user AS role FROM customers');
  return rows[0] as { login: string; role: string };
};

describe('a login from a command', () => {
  it('is one session’s: made for it, told of it, revoked with it, and on record', async () => {
    const [one, other] = [await open(), await open()];
    const { login, role } = await me(one);
    expect(role).toBe('app');
    expect(login).toMatch(/^v_\d+$/);
    expect((await me(other)).login).not.toBe(login);
    const [issued] = asked().filter(({ session }) => session === one.session);
    expect(issued).toEqual({
      version: 1,
      action: 'issue',
      resource: 'pg',
      session: one.session,
      actor: { kind: 'agent', name: 'copilot', person: 'dana@example.com' },
      instance: agent.issued.instance,
      until: expect.stringMatching(/^20\d\d-.*Z$/),
    });
    await one.client.end();
    await eventually('its role is gone', rolesThere, (roles) => !roles.includes(login));
    const [, revoked] = asked().filter(({ session }) => session === one.session);
    expect(revoked).toMatchObject({ action: 'revoke', user: login, lease: { id: `of-${login}` } });
    const auditor = await running.person(['auditors'], { name: 'anne' });
    const leases = async () => {
      const { json } = await auditor.get(`${PATHS.auditEvents}?session=${one.session}`);
      return (json.events as { type: string }[]).filter(({ type }) => type.startsWith('lease.'));
    };
    const found = await eventually('both are on record', leases, (events) => events.length === 2);
    expect(found).toContainEqual(
      expect.objectContaining({ type: 'lease.begun', facts: expect.objectContaining({ login }) }),
    );
    expect(found).toContainEqual(expect.objectContaining({ type: 'lease.ended', outcome: 'success' }));
    expect((await me(other)).role).toBe('app');
  });

  it('is renewed while its session goes on; where it cannot be, the session ends with it, and says so', async () => {
    const [renewed, ending, busy] = await Promise.all([open('renewed'), open('ending'), open('ending')]);
    const slow = busy.client.query('SELECT 4711, pg_sleep(60)').catch((error: pg.DatabaseError) => error);
    const { login } = await me(renewed);
    expect(await ending.ended).toMatchObject({
      code: '57P01',
      severity: 'FATAL',
      message: "the session's credential at the target has ended",
      hint: expect.stringMatching(
        /"hint":"connect again: a new connection gets a new one","next":"reconnect"/,
      ),
    });
    expect(await slow).toMatchObject({ code: '57P01' });
    const left = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT 4711%'";
    await eventually(
      'it is cancelled',
      () => postgres.psql(left),
      (count) => count === '0',
    );
    const renewals = () =>
      asked().filter(({ action, session }) => action === 'renew' && session === renewed.session);
    await eventually('it was renewed', renewals, ({ length }) => length >= 2);
    expect(await me(renewed)).toEqual({ login, role: 'app' });
    expect((await me(await open('ending'))).role).toBe('app');
  });

  it('that is revoked in vain is revoked again', async () => {
    const one = await open();
    const { login } = await me(one);
    running.write('good/refuse', '');
    await one.client.end();
    await eventually('its role is gone', rolesThere, (roles) => !roles.includes(login));
    expect(asked().filter(({ action, user }) => action === 'revoke' && user === login)).toHaveLength(2);
    expect(log).toMatch(/"login":"v_\d+","tries":1,"detail":"the command exited with code 1"/);
  });

  it('is taken back from a client that did not wait for it', async () => {
    const before = asked().length;
    const { socket } = await agent.tunnel('pg');
    const stream = Object.assign(socket, { connect: () => setImmediate(() => stream.emit('connect')) });
    const client = new pg.Client({ stream: () => stream, user: 'anybody', database: 'shop', ssl: false });
    client.on('error', () => undefined);
    client.connect().catch(() => undefined);
    // Sessions of the cases before renew theirs meanwhile.
    const since = () => asked().slice(before);
    await eventually('it was asked for', () => since().find(({ action }) => action === 'issue'));
    socket.destroy();
    // Whether its lease was renewed before is a matter of how busy the machine is.
    const revoked = await eventually('it was revoked', () =>
      since().find(({ action }) => action === 'revoke'),
    );
    await eventually('its role is gone', rolesThere, (roles) => !roles.includes(String(revoked?.user)));
  });

  it('that does not come is an error for its own session, and holds up no other', async () => {
    const { client } = await open();
    running.write('bad/hang', '');
    let over = false;
    const hung = refusal('hanging').finally(() => {
      over = true;
    });
    await eventually(
      'it hangs',
      () => readdirSync(join(running.dir, 'bad')),
      (names) => names.includes('asked'),
    );
    expect((await client.query('SELECT * FROM customers')).rows).toEqual([{ id: 1 }]);
    expect(await me(await open())).toMatchObject({ role: 'app' });
    expect(over).toBe(false);
    expect(await hung).toMatchObject(NO_CREDENTIAL);
    expect(log).toContain('"detail":"the command was not done within 4000 ms"');
  });

  it.each([
    ['missing', 'the command could not be started (ENOENT)'],
    ['garbage', 'the command printed no JSON object'],
  ])('%s is refused at once, and the log says why', async (name, detail) => {
    expect(await refusal(name)).toMatchObject(NO_CREDENTIAL);
    expect(log).toContain(`"detail":"${detail}"`);
  });

  it('that is refused is told of in the words of the command, without what is secret', async () => {
    running.write('bad/fail', '');
    rmSync(join(running.dir, 'bad', 'hang'));
    expect(await refusal('hanging')).toMatchObject(NO_CREDENTIAL);
    expect(log).toContain('"detail":"the command exited with code 2: denied: ***"');
  });

  it('has its password in no log, file or process list', async () => {
    const one = await open();
    await me(one);
    expect(log).not.toContain('s3cret');
    const processes = globSync('/proc/[0-9]*/cmdline').map((file) => {
      try {
        return readFileSync(file, 'latin1');
      } catch {
        return '';
      }
    });
    expect(processes.join('\n')).not.toMatch(/s3cret-\d/);
    for (const file of readdirSync(running.dir, { recursive: true, withFileTypes: true }))
      if (file.isFile())
        expect(readFileSync(join(file.parentPath, file.name), 'latin1')).not.toMatch(/s3cret-\d/);
  });
});
