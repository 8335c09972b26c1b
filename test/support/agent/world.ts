/** What an agent that has only psql, curl and ssh reaches: a real PostgreSQL, an API of orders, a real OpenSSH server. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createRelay, type Server as Relay } from 'node:net';
import { freePort, type PostgresServer } from '../postgres/server.ts';
import { type Sshd, startSshd } from '../ssh/sshd.ts';
import {
  ATTACK_COLUMNS,
  ATTACK_FIXTURE,
  GUARDED,
  pgEnv,
  type Stack,
  startStack,
  type Tunnel,
} from '../stack.ts';

const POLICY = `${GUARDED}
@id("notes-are-kept") @reason("nobody deletes notes") @hint("archive it: set archived of the note")
forbid (principal, action == Action::"sql.delete", resource == Table::"pg/public.notes");
@id("notes") permit (principal, action in [Action::"sql.update", Action::"sql.delete"], resource == Table::"pg/public.notes");
@id("shapes") @approval("dba") @reason("shapes are reviewed") forbid (principal, action in Action::"sql.ddl", resource)
unless { context.approvals.contains("dba") };
@id("ddl") permit (principal, action in Action::"sql.ddl", resource);
@id("in-parts") @limit("rows=100") permit (principal, action == Action::"sql.select", resource == Table::"pg/public.days");
@id("approvers") permit (principal is Person in Group::"auditors", action == Action::"approval.grant", resource);
@id("api") permit (principal, action in [Action::"http.get", Action::"http.post", Action::"http.delete"], resource);
@id("refunds") @approval("finance") @reason("refunds are approved")
forbid (principal, action == Action::"http.post", resource is Endpoint) when { resource.path == "/refunds" }
unless { context.approvals.contains("finance") };
@id("orders-are-kept") @reason("orders are kept") @hint("cancel it in place of that: POST /orders/42/cancel")
forbid (principal, action == Action::"http.delete", resource);
@id("run") permit (principal, action in Action::"ssh", resource);
@id("no-shell") @reason("what runs is on record, command by command") @hint("give the command to ssh itself: uptime")
forbid (principal, action == Action::"ssh.shell", resource);
@id("the-shop-stays-up") @reason("agents look at services, and change none") @hint("look at its status")
forbid (principal, action == Action::"ssh.exec", resource) when { resource is Command && resource.program == "restart-shop" };
@id("ask") @approval("on-call") @reason("somebody should know") forbid (principal, action == Action::"ssh.exec", resource)
when { resource is Command && resource.program == "hostname" } unless { context.approvals.contains("on-call") };
`;

const FIXTURE = `${ATTACK_FIXTURE}
CREATE TABLE notes (id int PRIMARY KEY, body text, archived boolean DEFAULT false);
INSERT INTO notes (id, body) VALUES (1, 'old');
CREATE TABLE days (id int PRIMARY KEY);
INSERT INTO days SELECT generate_series(1, 250);
GRANT ALL ON notes, days TO hoop;
GRANT CREATE ON SCHEMA public TO hoop;
`;

export class ProgramsWorld {
  readonly stack: Stack;
  readonly sshd: Sshd;
  /** `METHOD PATH`, as the API heard it. */
  readonly heard: string[];
  readonly #upstream: Server;
  readonly #awayPort: number;
  #relay: Relay | undefined;

  private constructor(stack: Stack, sshd: Sshd, heard: string[], upstream: Server, awayPort: number) {
    this.stack = stack;
    this.sshd = sshd;
    this.heard = heard;
    this.#upstream = upstream;
    this.#awayPort = awayPort;
  }

  static async start(): Promise<ProgramsWorld> {
    const heard: string[] = [];
    const upstream = createServer((request, response) => void answer(request, response, heard));
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const { port } = upstream.address() as AddressInfo;
    const [sshd, awayPort] = await Promise.all([startSshd(), freePort()]);
    const stack = await startStack({
      policy: POLICY,
      sql: FIXTURE,
      columns: ATTACK_COLUMNS,
      yaml: 'approvals: { wait: 1s }',
      resources: (
        postgres,
      ) => `  api: { protocol: http, target: { url: 'http://127.0.0.1:${port}' }, credentials: {} }
  host:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ['${sshd.publicKey('host')}'] }
    credentials: { user: ${sshd.user}, key: { file: ${sshd.file('user')} } }
  pg-away:
    protocol: postgres
    target: { host: ${postgres.host}, port: ${awayPort}, database: shop, tls: verify-full, caFile: ${postgres.caFile} }
    credentials: { user: hoop, password: { file: ./pg.password } }`,
    });
    return new ProgramsWorld(stack, sshd, heard, upstream, awayPort);
  }

  /** From now on something answers for `pg-away`. */
  async comesBack(): Promise<void> {
    const { host, port }: PostgresServer = this.stack.postgres;
    this.#relay = createRelay((socket) => {
      const target = connect(port, host);
      for (const [one, other] of [
        [socket, target],
        [target, socket],
      ] as const)
        one.on('error', () => other.destroy()).pipe(other);
    }).listen(this.#awayPort, '127.0.0.1');
    await once(this.#relay, 'listening');
  }

  async stop(): Promise<void> {
    await this.stack.stop();
    await this.sshd.stop();
    this.#relay?.close();
    this.#upstream.closeAllConnections();
    this.#upstream.close();
  }
}

/** What a program finds its way by, and nothing else. */
export function wayIn(tunnel: Tunnel): Record<string, string> {
  const { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE } = pgEnv(tunnel) as Record<string, string>;
  const { config } = tunnel;
  return {
    ...(config === undefined ? { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE } : { SSH_CONFIG: config }),
  } as Record<string, string>;
}

async function answer(request: IncomingMessage, response: ServerResponse, heard: string[]): Promise<void> {
  const { method = '', url = '' } = request;
  for await (const _ of request);
  heard.push(`${method} ${url}`);
  const orders = [{ id: 41 }, { id: 42 }];
  const json = (value: unknown, status = 200) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  if (url === '/orders' && method === 'GET') return void json(orders);
  if (url === '/orders/42' && method === 'GET') return void json(orders[1]);
  json({ status: 'done' }, method === 'POST' ? 201 : 200);
}
