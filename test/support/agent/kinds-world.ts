/** A world in which each kind of refusal can be met: a real PostgreSQL, an API, a real OpenSSH server. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createPlain, type Server as Plain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresServer } from '../postgres/server.ts';
import { type Sshd, startSshd } from '../ssh/sshd.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED, type Stack, startStack, type Tunnel } from '../stack.ts';
import type { Effect } from './kinds/kind.ts';
import { Relay } from './relay.ts';
import { wayIn } from './world.ts';

export const POLICY = `${GUARDED}
@id("shapes") permit (principal, action in Action::"sql.ddl", resource);
@id("greet") permit (principal, action == Action::"sql.call", resource == Function::"pg/public.greet");
@id("broken") forbid (principal, action == Action::"sql.select", resource == Table::"pg/public.broken")
when { 9223372036854775807 + 1 > 0 };
@id("api") permit (principal, action in Action::"http", resource)
unless { context has fields && context.fields.contains("$.amount=0") };
@id("members-too") @mask("redact") forbid (principal, action == Action::"reveal", resource is Field) when { resource.tags.contains("pii.email") };
@id("looked-up") @mask("redact") @lookups("1/1h") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("looked-up") };
@id("asked") @approval("dba") forbid (principal, action == Action::"sql.insert", resource == Table::"pg/public.asked")
unless { context.approvals.contains("dba") };
@id("approvers") permit (principal is Person in Group::"auditors", action == Action::"approval.grant", resource);
@id("run") permit (principal, action in Action::"ssh", resource);
`;

const FIXTURE = `${ATTACK_FIXTURE}
CREATE ROLE other LOGIN PASSWORD 'first';
CREATE TABLE done (task text);
CREATE TABLE asked (task text);
GRANT INSERT ON done, asked TO hoop, other;
CREATE TABLE days (id int PRIMARY KEY);
INSERT INTO days SELECT generate_series(1, 250);
CREATE TABLE broken (id int);
CREATE TABLE contacts (name text, mail text);
INSERT INTO contacts VALUES ('Ann', 'a@example.com');
CREATE TABLE twice (id int);
INSERT INTO twice VALUES (1);
CREATE SCHEMA hoop;
CREATE TABLE hoop.twice (id int);
CREATE TABLE behind (id int);
CREATE TABLE ruled (id int);
CREATE RULE elsewhere AS ON INSERT TO ruled DO INSTEAD INSERT INTO behind VALUES (NEW.id);
CREATE FUNCTION greet(text) RETURNS text LANGUAGE plpgsql AS
  'BEGIN RETURN (SELECT ssn FROM customers WHERE name = $1); END';
GRANT ALL ON SCHEMA hoop TO hoop;
GRANT ALL ON days, broken, contacts, twice, hoop.twice, behind, ruled TO hoop;
GRANT CREATE ON SCHEMA public TO hoop;
`;

const OPENAPI = `
openapi: 3.1.0
servers: [{url: /}]
paths:
  /orders:
    get: {operationId: listOrders}
    post: {operationId: placeOrder, requestBody: {content: {application/json: {}}}}
`;

export class KindsWorld {
  readonly stack: Stack;
  /** `METHOD PATH` of what changes something, as the API heard it. */
  readonly heard: string[];
  readonly #sshd: Sshd;
  readonly #upstream: Server;
  readonly #plain: Plain;
  /** Before `pg-far`. */
  readonly relay: Relay;
  readonly directory: string;
  readonly #tunnels = new Map<string, Tunnel>();

  private constructor(parts: {
    readonly stack: Stack;
    readonly heard: string[];
    readonly sshd: Sshd;
    readonly upstream: Server;
    readonly plain: Plain;
    readonly relay: Relay;
    readonly directory: string;
  }) {
    this.stack = parts.stack;
    this.heard = parts.heard;
    this.#sshd = parts.sshd;
    this.#upstream = parts.upstream;
    this.#plain = parts.plain;
    this.relay = parts.relay;
    this.directory = parts.directory;
  }

  static async start(): Promise<KindsWorld> {
    const heard: string[] = [];
    const directory = mkdtempSync(join(tmpdir(), 'hoop-kinds-'));
    writeFileSync(join(directory, 'openapi.yaml'), OPENAPI);
    writeFileSync(join(directory, 'login.json'), '{"user":"other","password":"first"}');
    // A hundred in each message.
    const many = Array.from(
      { length: 12_000 },
      (_, at) => `PREPARE p${at} AS SELECT 1${at % 100 ? '\\;' : ';\n'}`,
    );
    writeFileSync(join(directory, 'many.sql'), many.join(''));
    const upstream = createServer((request, response) => void answer(request, response, heard));
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    // As a PostgreSQL without TLS answers whoever asks for it.
    const plain = createPlain((socket) => socket.on('error', () => {}).once('data', () => socket.write('N')));
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const relay = await Relay.start();
    const sshd = await startSshd();
    const host = (key: string) => `
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ['${key}'] }
    credentials: { user: ${sshd.user}, key: { file: ${sshd.file('user')} } }`;
    const http = `protocol: http, target: { url: 'http://127.0.0.1:${portOf(upstream)}' }, credentials: {}`;
    const classified = `classification: { fields: { 'GET /customers/*': { $.email: [pii.email] } } }`;
    const stack = await startStack({
      policy: POLICY,
      yaml: 'approvals: { wait: 1s }',
      sql: FIXTURE,
      columns: { ...ATTACK_COLUMNS, 'public.contacts.mail': ['looked-up'] },
      resources: (postgres) => `
  api: { ${http}, api: { fields: { POST /payments: [$.amount] }, mcp: [/mcp] }, ${classified} }
  described: { ${http}, api: { openapi: ${directory}/openapi.yaml } }
  host: ${host(sshd.publicKey('host'))}
  host-changed: ${host(sshd.publicKey('user'))}
  pg-latin: ${database(postgres, 'latin', `tls: verify-full, caFile: ${postgres.caFile}`)}
  pg-other-ca: ${database(postgres, 'shop', 'tls: verify-full, caFile: ca.pem')}
  pg-open: ${database(postgres, 'shop', `tls: verify-full, caFile: ${postgres.caFile}`)}
  pg-plain: ${database(postgres, 'shop', `tls: verify-full, caFile: ${postgres.caFile}`)}
    freeText: { show: plain }
  pg-far: ${database({ host: '127.0.0.1', port: relay.port }, 'shop', `tls: verify-full, caFile: ${postgres.caFile}`)}
  pg-other: ${database(postgres, 'shop', `tls: verify-full, caFile: ${postgres.caFile}`, `exec: { command: [cat, ${directory}/login.json] }`)}
  pg-no-tls: ${database({ host: '127.0.0.1', port: portOf(plain) }, 'shop', 'tls: verify-full')}`,
    });
    relay.leadsTo(stack.postgres);
    await stack.postgres.psql(
      "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
    );
    return new KindsWorld({ stack, heard, sshd, upstream, plain, relay, directory });
  }

  /** One for each resource, opened when it is first asked for. */
  async tunnel(resource: string): Promise<Tunnel> {
    const open = this.#tunnels.get(resource) ?? (await this.stack.tunnelTo(resource));
    this.#tunnels.set(resource, open);
    return open;
  }

  /** What a program is given: paths of an API become addresses, and `{port}` and `{dir}` what they are here. */
  words(args: readonly string[], tunnel: Tunnel): string[] {
    const said = args.map((word) =>
      word.replace('{port}', String(this.#sshd.port)).replace('{dir}', this.directory),
    );
    if (tunnel.token === undefined) return said;
    const at = `http://127.0.0.1:${tunnel.port}`;
    return ['-u', `hoop:${tunnel.token}`, ...said.map((word) => (word.startsWith('/') ? at + word : word))];
  }

  env(tunnel: Tunnel): Record<string, string> {
    return wayIn(tunnel);
  }

  /** What there is of an effect now. */
  async look({ sql }: Effect): Promise<string> {
    return sql === undefined ? this.heard.join('\n') : await this.stack.postgres.psql(sql);
  }

  async stop(): Promise<void> {
    for (const tunnel of this.#tunnels.values()) await tunnel.close();
    await this.stack.stop();
    await this.#sshd.stop();
    this.#upstream.closeAllConnections();
    this.#upstream.close();
    this.#plain.close();
    this.relay.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const database = (
  { host, port }: Pick<PostgresServer, 'host' | 'port'>,
  name: string,
  tls: string,
  login = 'user: hoop, password: { file: ./pg.password }',
) => `
    protocol: postgres
    target: { host: ${host}, port: ${port}, database: ${name}, ${tls} }
    credentials: { ${login} }`;

const portOf = (server: Plain): number => (server.address() as AddressInfo).port;

async function answer(request: IncomingMessage, response: ServerResponse, heard: string[]): Promise<void> {
  const { method = '', url = '' } = request;
  let body = '';
  for await (const chunk of request) body += String(chunk);
  if (method !== 'GET' && url !== '/mcp') heard.push(`${method} ${url}`);
  const say = (type: string, text: string, more: Readonly<Record<string, string>> = {}, status = 200) =>
    void response.writeHead(status, { 'content-type': type, ...more }).end(text);
  const customer = '{"id":1,"email":"ann@example.com"}';
  if (url === '/mcp' && body.includes('"initialize"'))
    return say(
      'application/json',
      `{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"orders","version":"1"}}}`,
      { 'mcp-session-id': 'session-1' },
    );
  if (url === '/mcp') return say('application/json', `{"jsonrpc":"2.0","id":1,"result":{}}`);
  if (url === '/customers/1.pdf') return say('application/pdf', '%PDF-1.4 ann@example.com');
  if (url === '/customers/1.compressed')
    return say('application/json', customer, { 'content-encoding': 'compress' });
  if (url === '/customers/1.part')
    return say('application/json', customer.slice(0, 10), { 'content-range': 'bytes 0-9/34' }, 206);
  if (url === '/customers/1') return say('application/json', customer);
  say('application/json', JSON.stringify([{ id: 41 }, { id: 42 }]));
}
