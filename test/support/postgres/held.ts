/**
 * A shop whose table `t` nobody writes to without a yes: hoopd in this process, PostgreSQL behind it, and the desk where
 * people decide.
 */
import type { TLSSocket } from 'node:tls';
import pg from 'pg';
import type { ApprovalDesk } from '../../../src/approval/desk.ts';
import type { Approval } from '../../../src/approval/model.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';
import type { Principal } from '../../../src/identity/principal.ts';
import { listChains } from '../../../src/storage/chain-files.ts';
import { person } from '../../unit/policy/support.ts';
import { chainBytes } from '../audit.ts';
import { type Caller, RunningGateway } from '../running-gateway.ts';
import { eventually } from '../waiting.ts';
import { RawClient, startupPacket } from './raw-client.ts';
import { type PostgresServer, startPostgres } from './server.ts';

const SQL = `
CREATE ROLE hoop LOGIN PASSWORD 'hunter2';
CREATE TABLE t (v text);
CREATE TABLE log (v text);
CREATE TABLE words (v text);
INSERT INTO words VALUES ('word');
CREATE TABLE people (email text, city text);
CREATE VIEW w AS SELECT v FROM words;
CREATE FUNCTION f(text) RETURNS text LANGUAGE sql AS $$ SELECT $1 $$;
CREATE FUNCTION put(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ($1); RETURN 1; END $$;
CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER kept BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION kept();
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop;
`;

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql", Action::"reveal"], resource);
@id("hide") forbid (principal == Agent::"other", action == Action::"reveal", resource) when { resource.tags.contains("people") };
@id("ask") @approval("dba") forbid (principal, action in [Action::"sql.insert", Action::"sql.update"],
  resource == Table::"it/public.t") unless { context.approvals.contains("dba") };
@id("ask-call") @approval("dba") forbid (principal, action == Action::"sql.call", resource)
when { resource.name == "put" } unless { context.approvals.contains("dba") };
@id("never") forbid (principal, action == Action::"sql.update", resource);
@id("operators") permit (principal in Group::"operators", action == Action::"session.kill", resource);
`;

const voter = (name: string): Principal => ({ ...person(name, ['dbas']), subject: name });
const ADA = voter('ada');
export const BOB = voter('bob');

/** One agent's session over node-postgres. */
export interface HeldSession {
  readonly id: string;
  readonly client: pg.Client;
  readonly socket: TLSSocket;
  /** What the client was told beside its answers: SQLSTATE and text. */
  readonly notices: readonly string[];
}

export class HeldShop {
  readonly server: PostgresServer;
  readonly running: RunningGateway;
  readonly agent: Caller;
  readonly #clock: { aheadMs: number };

  private constructor(parts: Pick<HeldShop, 'server' | 'running' | 'agent'>, clock: { aheadMs: number }) {
    this.server = parts.server;
    this.running = parts.running;
    this.agent = parts.agent;
    this.#clock = clock;
  }

  static async start(): Promise<HeldShop> {
    const hba = ['host all hoop 127.0.0.1/32 scram-sha-256'];
    const server = await startPostgres({ database: 'shop', sql: SQL, hba });
    const clock = { aheadMs: 0 };
    const running = await RunningGateway.start({
      policy: POLICY,
      adapter: null,
      more: 'approvals: { wait: 3s, life: 10s }',
      deps: { clock: { now: () => Date.now() + clock.aheadMs } },
      resources: `
  it: { protocol: postgres, target: { host: 127.0.0.1, port: ${server.port}, database: shop, tls: disable },
    credentials: { user: hoop, password: { file: password } },
    classification: { columns: { public.people.email: [people] } } }`,
    });
    const agent = await running.person(['developers'], { agent: 'copilot' });
    return new HeldShop({ server, running, agent }, clock);
  }

  async stop(): Promise<void> {
    await this.running.remove();
    await this.server.stop();
  }

  /** hoopd again, over the same state and on the same port, which tokens name. */
  async restart(): Promise<void> {
    const { running } = this;
    running.write('hoopd.yaml', running.config().replace('127.0.0.1:0', `127.0.0.1:${running.port}`));
    await running.stop();
    await running.restart();
  }

  get desk(): ApprovalDesk {
    return this.running.gateway.approvals;
  }

  /** Another login of the same person, as that agent. */
  another(agent = 'copilot'): Promise<Caller> {
    return this.running.person(['developers'], { agent });
  }

  /** hoopd's clock goes on; timers that run already do not know. */
  pass(ms: number): void {
    this.#clock.aheadMs += ms;
  }

  async open(caller = this.agent): Promise<HeldSession> {
    const { id, socket } = await this.#tunnel(caller);
    const stream = Object.assign(socket, { connect: () => setImmediate(() => socket.emit('connect')) });
    const client = new pg.Client({ stream: () => stream, user: 'hoop', database: 'shop', ssl: false });
    const notices: string[] = [];
    client.on('notice', ({ code, message }) => notices.push(`${code} ${message}`));
    client.on('error', () => undefined);
    await client.connect();
    return { id, client, socket, notices };
  }

  /** A session of bare messages. */
  async raw(): Promise<{ readonly id: string; readonly client: RawClient }> {
    const { id, socket } = await this.#tunnel(this.agent);
    const client = new RawClient(socket);
    client.send(startupPacket({ user: 'hoop', database: 'shop' }));
    await client.untilReady();
    return { id, client };
  }

  /** As a driver does: over a connection of its own, which the server answers with nothing. */
  async cancel({ client }: HeldSession): Promise<void> {
    const { processID, secretKey } = client as unknown as Record<'processID' | 'secretKey', number>;
    const message = Buffer.alloc(16);
    for (const [at, value] of [16, 80_877_102, processID, secretKey].entries())
      message.writeInt32BE(value, at * 4);
    const { socket } = await this.#tunnel(this.agent);
    socket.write(message);
  }

  async #tunnel(caller: Caller) {
    const { head, socket } = await caller.tunnel('it');
    const id = /hoop-session: (ses_\w+)/.exec(head)?.[1];
    if (id === undefined) throw new Error(`no session: ${head}`);
    return { id, socket };
  }

  /** What a session has asked people, oldest first. */
  requests(session: string): readonly Approval[] {
    return this.desk
      .list()
      .filter((one) => one.session === session)
      .reverse();
  }

  /** What a session asks people now. */
  async asked(session: string): Promise<Approval> {
    const pending = () => this.requests(session).find(({ state }) => state === 'pending');
    return (await eventually('a request for approval', pending))!;
  }

  approve(id: string, by = ADA): Promise<Approval> {
    return this.desk.approve(id, by, ['dba']);
  }

  /** Of a statement that is sent in a transaction, and so not waited for; the transaction is rolled back. */
  async ticket(session: HeldSession, ask: Ask): Promise<string> {
    const { client } = session;
    await client.query('BEGIN');
    const error: unknown = await ask(client).catch((refused: unknown) => refused);
    await client.query('ROLLBACK');
    const id = error instanceof pg.DatabaseError ? /apr_\w{26}/.exec(error.hint ?? '')?.[0] : undefined;
    if (id === undefined) throw new Error(`no ticket: ${JSON.stringify(error)}`);
    return id;
  }

  /** @returns How many rows it made. */
  async inTransaction({ client }: HeldSession, ask: Ask): Promise<number | null> {
    await client.query('BEGIN');
    const { rowCount } = await ask(client);
    await client.query('COMMIT');
    return rowCount;
  }

  /** How often a value stands in a table. */
  async count(value: string, table = 't'): Promise<number> {
    return Number(await this.server.psql(`SELECT count(*) FROM ${table} WHERE v = '${value}'`));
  }

  /** Audit events of one request, oldest first. */
  async events(approval: string): Promise<readonly AuditEvent[]> {
    const dir = `${this.running.dir}/state/audit`;
    const texts = await Promise.all(listChains(dir).map(({ fileId }) => chainBytes(dir, fileId)));
    const lines = Buffer.concat(texts)
      .toString()
      .split('\n')
      .filter((line) => line.includes(approval));
    return lines.flatMap((line) => (JSON.parse(line) as { event?: AuditEvent }).event ?? []);
  }
}

/** Sends one statement. */
export type Ask = (client: pg.Client) => Promise<pg.QueryResult>;
