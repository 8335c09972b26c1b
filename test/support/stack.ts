/**
 * The whole walk for tests: a real PostgreSQL, hoopd as a process of its own, an issuer that signs job tokens, and
 * hoopctl as users start it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeLocalCertificates } from '../../src/gateway/init/certificates.ts';
import { type JwksIssuer, startJwksIssuer } from './identity/jwks-issuer.ts';
import { type IssuerOptions, startIssuer, type TestIssuer } from './identity/oidc-issuer.ts';
import { freePort, type PostgresServer, startPostgres } from './postgres/server.ts';
import { type Finished, hoopctl, RunningHoopctl } from './run-hoopctl.ts';
import { eventually } from './waiting.ts';

/** As `bin/hoopd.js` does, from source. */
const HOOPD = `import(${JSON.stringify(new URL('../../src/gateway/main.ts', import.meta.url).href)})
  .then(({ run }) => run(['node', 'hoopd', ...process.argv.slice(1)]))`;

/** Everything is allowed and nothing is masked. */
export const ALLOW_ALL = '@id("allow-all") permit (principal, action, resource);';

/** Agents read, change one row in a transaction, and see personal data masked; persons search and look. */
export const GUARDED = `
@id("use") permit (principal, action in [Action::"connect", Action::"sql.read", Action::"sql.transaction", Action::"sql.set"], resource);
@id("copy") permit (principal, action == Action::"sql.copy-out", resource);
@id("write") @rows("1") @reason("one row at a time") @hint("change a single row, or ask the owner of the table")
permit (principal, action in [Action::"sql.insert", Action::"sql.update", Action::"sql.delete"], resource);
@id("functions") permit (principal, action == Action::"sql.call", resource is Function) when { resource.class == "pure" || resource.class == "catalog" };
@id("show") permit (principal, action == Action::"reveal", resource);
@id("pii-is-masked") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.containsAny(["pii.email", "pii.national-id", "pii.card", "pii.phone"]) };
@id("look") permit (principal is Person, action in [Action::"audit.search", Action::"audit.export", Action::"recording.view", Action::"session.list", Action::"session.kill"], resource);
`;

/** The fixture of the attacks: one customer with a national id, orders, and functions that do harm. */
export const ATTACK_FIXTURE = `
CREATE TABLE customers (id int PRIMARY KEY, name text, email text, ssn text UNIQUE, note text CHECK (note <> 'bad'));
INSERT INTO customers VALUES (1, 'Ann', 'ann@example.com', '123-45-6789', 'likes tea'), (2, 'Bob', 'bob@example.com', '987-65-4320', 'x');
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, pan bigint, status text DEFAULT 'new');
INSERT INTO orders VALUES (1, 1, 4111111111111111, 'new'), (2, 2, 5500005555555559, 'new');
CREATE FUNCTION get_ssn(int) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM customers WHERE id = $1';
CREATE FUNCTION purge() RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM orders; END';
CREATE FUNCTION lower2(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
  'BEGIN RAISE NOTICE ''%'', (SELECT ssn FROM customers WHERE id = 1); RETURN lower($1); END';
CREATE VIEW v_cust AS SELECT id, ssn AS x FROM customers;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO hoop;
`;

export const ATTACK_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  'public.customers.ssn': ['pii.national-id'],
  'public.customers.email': ['pii.email'],
  'public.orders.pan': ['pii.card'],
};

/** In which hoopctl opens a tunnel, on a machine that others keep busy. */
const TUNNEL_MS = 60_000;

const PEOPLE = {
  ada: { email: 'ada@example.com', groups: ['developers'] },
  otto: { email: 'otto@example.com', groups: ['auditors'] },
};

export interface StackOptions {
  /** Cedar text; default `ALLOW_ALL`. */
  readonly policy?: string;
  /** Run by the administrator in the database `shop` before hoopd starts; the role `hoop` is there. */
  readonly sql?: string;
  readonly columns?: Readonly<Record<string, readonly string[]>>;
  /** Tags of members of documents, by column and path. */
  readonly fields?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** What becomes of queries that compute with masked columns; default `refuse`. */
  readonly computed?: 'refuse' | 'mask';
  readonly settings?: Readonly<Record<string, string>>;
  /** YAML lines to add at the top level. */
  readonly yaml?: string;
  /** More resources beside `pg`: YAML, each two spaces in. Relative paths are below the stack's directory. */
  readonly resources?: (postgres: PostgresServer) => string;
  /** YAML lines to add to the resource `pg`, e.g. `session: { max: 3s }`. */
  readonly resource?: string;
  /** Makes `hoop` a superuser: what pg_dump and pgbench want. */
  readonly superuser?: boolean;
  /** PostgreSQL's folder of binaries; default as `startPostgres`. */
  readonly bin?: string;
  /** The target has a pid namespace of its own, as in a container. */
  readonly ownPids?: boolean;
  /** Default `shop`. */
  readonly database?: string;
  /** Of the database; default UTF8. */
  readonly encoding?: string;
  /** The gateway's own credential is the one that made the cluster, instead of the role `hoop`. */
  readonly asAdmin?: boolean;
  /** The target's host and port, where a proxy stands between. */
  readonly target?: (postgres: PostgresServer) => { readonly host: string; readonly port: number };
  /** How hoopd reaches the target; default verify-full. With `disable` the server takes connections without TLS. */
  readonly targetTls?: 'verify-full' | 'disable';
  readonly durability?: 'process' | 'strict';
  /** Directory for recordings, e.g. on a small file system. */
  readonly recordings?: string;
  readonly state?: string;
  /** What hoopd listens on, an address; default 127.0.0.1. */
  readonly listen?: string;
  /** What clients call hoopd, if not by its address; its certificate is for it. */
  readonly host?: string;
  /** Of hoopd; default info. */
  readonly logLevel?: string;
  /** More clients of the provider that signs people in. */
  readonly clients?: IssuerOptions['clients'];
  /** People sign in to the approval page, by a client of that provider. */
  readonly page?: true;
}

export class Stack {
  readonly directory: string;
  readonly postgres: PostgresServer;
  /** Signs the tokens of jobs. */
  readonly issuer: JwksIssuer;
  /** Signs people in. */
  readonly people: TestIssuer;
  readonly url: string;
  readonly caFile: string;
  hoopd: Hoopd;

  constructor(
    parts: Pick<Stack, 'directory' | 'postgres' | 'issuer' | 'people' | 'url' | 'caFile' | 'hoopd'>,
  ) {
    this.directory = parts.directory;
    this.postgres = parts.postgres;
    this.issuer = parts.issuer;
    this.people = parts.people;
    this.url = parts.url;
    this.caFile = parts.caFile;
    this.hoopd = parts.hoopd;
  }

  get configFile(): string {
    return join(this.directory, 'hoopd.yaml');
  }

  /** What a job has in its environment. */
  env(claims: Readonly<Record<string, unknown>> = {}): Record<string, string> {
    return {
      HOOPCTL_GATEWAY: this.url,
      HOOPCTL_CONFIG_DIR: join(this.directory, 'hoopctl'),
      HOOPCTL_TOKEN: this.issuer.mint({ sub: 'job', repository: 'org/shop', ...claims }),
      NODE_EXTRA_CA_CERTS: this.caFile,
    };
  }

  /** As a person who has signed in by the device flow: ada (developers), otto (auditors). */
  async person(login: 'ada' | 'otto', args: readonly string[] = []): Promise<Record<string, string>> {
    const { HOOPCTL_TOKEN: _, ...env } = this.env();
    const mine = { ...env, HOOPCTL_TOKEN: '', HOOPCTL_CONFIG_DIR: join(this.directory, `hoopctl-${login}`) };
    const running = new RunningHoopctl(['login', '--gateway', this.url, '--json', ...args], mine);
    const [, code = ''] = await running.until(/"userCode":"([^"]+)"/);
    await this.people.approve(code, login);
    const { exitCode, stderr } = await running.finished;
    if (exitCode !== 0) throw new Error(`login failed: ${stderr}`);
    return mine;
  }

  hoopctl(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
    return hoopctl(args, { ...this.env(), ...env });
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningHoopctl {
    return new RunningHoopctl(args, { ...this.env(), ...env });
  }

  /** `hoopctl connect pg -- psql -c …` */
  psql(...commands: string[]): Promise<Finished> {
    const psql = [
      'psql',
      '-X',
      '-w',
      '-At',
      '-v',
      'VERBOSITY=verbose',
      ...commands.flatMap((sql) => ['-c', sql]),
    ];
    return this.hoopctl(['connect', 'pg', '--', ...psql]);
  }

  /** Opens a tunnel to `pg` and resolves with what is listened on. */
  tunnel(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Tunnel> {
    return this.tunnelTo('pg', args, env);
  }

  async tunnelTo(
    resource: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Tunnel> {
    const running = this.start(['connect', resource, '--json', ...args], env);
    const [line] = await running
      .until(/^\{.*"listening".*\}$/m, 'stdout', TUNNEL_MS)
      .catch(async (error: unknown) => {
        running.child.kill('SIGKILL');
        await running.finished;
        throw error;
      });
    const told = JSON.parse(line) as Omit<Tunnel, 'running' | 'close'>;
    const { host, port, user, password, database, token, config, kubeconfig } = told;
    const close = async () => {
      running.child.kill('SIGTERM');
      await running.finished;
    };
    return { running, host, port, user, password, database, token, config, kubeconfig, close };
  }

  /** Replaces the policies; hoopd takes them on SIGHUP. */
  async reload(policy: string): Promise<void> {
    writeFileSync(join(this.directory, 'policies', 'test.cedar'), policy);
    const before = this.hoopd.log.length;
    this.hoopd.child.kill('SIGHUP');
    await this.hoopd.until(/reload/i, before);
  }

  async restart(): Promise<void> {
    this.hoopd = await startHoopd(this.configFile);
  }

  async stop(): Promise<void> {
    await this.hoopd.stop();
    await this.issuer.stop();
    await this.people.stop();
    await this.postgres.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface Tunnel {
  readonly running: RunningHoopctl;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** What HTTP's clients show. */
  readonly token: string | undefined;
  /** A file for OpenSSH's clients. */
  readonly config: string | undefined;
  /** A file for a cluster's clients. */
  readonly kubeconfig: string | undefined;
  close(): Promise<void>;
}

/** What libpq's tools need to reach a tunnel, or a server, beside this process's own environment. */
export function pgEnv(
  at: Pick<Tunnel, 'host' | 'port' | 'user' | 'password' | 'database'>,
): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PGHOST: at.host,
    PGPORT: String(at.port),
    PGUSER: at.user,
    PGPASSWORD: at.password,
    PGDATABASE: at.database,
  };
}

/** hoopd from source, in a process of its own. */
export class Hoopd {
  readonly child: ChildProcess;
  log = '';
  readonly exited: Promise<number | null>;

  constructor(configFile: string, logLevel = 'info') {
    const args = ['serve', '--config', configFile, '--log-level', logLevel];
    this.child = spawn(process.execPath, ['-e', HOOPD, '--', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    }
    this.exited = new Promise((resolve) => this.child.once('exit', (code) => resolve(code)));
  }

  async until(pattern: RegExp, from = 0, timeoutMs = 60_000): Promise<void> {
    const missing = () => `no ${pattern} in hoopd's log:\n${this.log}`;
    const look = () => {
      const found = pattern.test(this.log.slice(from));
      if (!found && this.child.exitCode !== null) throw new Error(missing());
      return found;
    };
    await eventually(missing, look, Boolean, { withinMs: timeoutMs });
  }

  /** Drains it; after 15 s kills it. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    // Again, to hurry; not at once, or the kernel makes one of both.
    const hurry = setTimeout(() => this.child.kill('SIGTERM'), 200);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
    await this.exited;
    clearTimeout(hurry);
    clearTimeout(timer);
  }
}

async function startHoopd(configFile: string, logLevel?: string): Promise<Hoopd> {
  const hoopd = new Hoopd(configFile, logLevel);
  await hoopd.until(/"serving"/);
  return hoopd;
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'hoop-stack-'));
  const password = randomBytes(12).toString('hex');
  const port = await freePort();
  const { listen = '127.0.0.1' } = options;
  const address = listen.includes(':') ? `[${listen}]` : listen;
  const url = `https://${options.host ?? address}:${port}`;
  const role = `CREATE ROLE hoop LOGIN ${options.superuser ? 'SUPERUSER' : ''} PASSWORD '${password}';`;
  const [postgres, issuer, people] = await Promise.all([
    startPostgres({
      database: options.database ?? 'shop',
      ...(options.bin === undefined ? {} : { bin: options.bin }),
      ...(options.encoding === undefined ? {} : { encoding: options.encoding }),
      sql: `${role}\nGRANT CREATE ON SCHEMA public TO hoop;\n${options.sql ?? ''}`,
      ...(options.ownPids === undefined ? {} : { ownPids: options.ownPids }),
      ...(options.settings === undefined ? {} : { settings: options.settings }),
      ...(options.targetTls === 'disable' ? { hba: ['host all all 127.0.0.1/32 scram-sha-256'] } : {}),
    }),
    startJwksIssuer(),
    startIssuer({ users: PEOPLE, clients: [...(options.clients ?? []), pageClient(url)] }),
  ]);
  const caFile = await writeTls(directory, [listen, 'localhost', ...(options.host ? [options.host] : [])]);
  mkdirSync(join(directory, 'policies'));
  writeFileSync(join(directory, 'policies', 'test.cedar'), options.policy ?? ALLOW_ALL);
  writeFileSync(join(directory, 'seal.key'), randomBytes(32).toString('base64'), { mode: 0o600 });
  const secret = options.asAdmin ? postgres.admin.password : password;
  writeFileSync(join(directory, 'pg.password'), secret, { mode: 0o600 });
  const target = options.target?.(postgres) ?? { host: postgres.host, port: postgres.port };
  writeFileSync(
    join(directory, 'hoopd.yaml'),
    config({ listen: `${address}:${port}`, url, issuer, people, postgres, target, options }),
  );
  const hoopd = await startHoopd(join(directory, 'hoopd.yaml'), options.logLevel);
  return new Stack({ directory, postgres, issuer, people, url, caFile, hoopd });
}

const pageClient = (url: string) => ({
  client_id: 'hoop-page',
  token_endpoint_auth_method: 'none' as const,
  redirect_uris: [`${url}/approvals/signed-in`],
  grant_types: ['authorization_code'],
  response_types: ['code' as const],
  require_auth_time: true,
});

async function writeTls(directory: string, names: readonly string[]): Promise<string> {
  const { authority, server } = await makeLocalCertificates([...names], Date.now());
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, authority);
  writeFileSync(join(directory, 'tls.crt'), server.cert);
  writeFileSync(join(directory, 'tls.key'), server.key, { mode: 0o600 });
  return caFile;
}

interface ConfigParts {
  readonly listen: string;
  readonly url: string;
  readonly issuer: JwksIssuer;
  readonly people: TestIssuer;
  readonly postgres: PostgresServer;
  readonly target: { readonly host: string; readonly port: number };
  readonly options: StackOptions;
}

function targetTls(options: StackOptions, postgres: PostgresServer): string {
  return options.targetTls === 'disable' ? 'tls: disable' : `tls: verify-full, caFile: ${postgres.caFile}`;
}

function config({ listen, url, issuer, people, postgres, target, options }: ConfigParts): string {
  return `
listen: '${listen}'
publicUrl: ${url}
tls: { certFile: tls.crt, keyFile: tls.key }
state: sqlite:${options.state ?? './state'}
recordings: file:${options.recordings ?? './recordings'}
audit: { durability: ${options.durability ?? 'process'}, sealKey: { file: ./seal.key } }
issuers:
  - issuer: ${people.issuer}
    audience: hoop
    clientId: ${people.clientId}
    scope: openid profile email groups
    ${options.page === undefined ? '' : 'web: { clientId: hoop-page }'}
    claims: { groups: groups }
  - issuer: ${issuer.issuer}
    audience: hoop
    clientId: hoopctl
    claims: { groups: groups, model: agent_model, modelVersion: agent_model_version }
    maxSession: 1h
agents:
  ci: { match: { issuer: '${issuer.issuer}', claims: { repository: org/shop } }, groups: [ai-agents] }
  other: { match: { issuer: '${issuer.issuer}', claims: { repository: org/other } }, groups: [others] }
  copilot: { delegators: { groups: [developers] }, groups: [ai-agents] }
resources:
  pg:
    protocol: postgres
    target: { host: ${target.host}, port: ${target.port}, database: ${options.database ?? 'shop'}, ${targetTls(options, postgres)} }
    credentials: { user: ${options.asAdmin ? postgres.admin.user : 'hoop'}, password: { file: ./pg.password } }
    classification: { columns: ${JSON.stringify(options.columns ?? {})}, fields: ${JSON.stringify(options.fields ?? {})}, computed: ${options.computed ?? 'refuse'} }
    ${options.resource ?? ''}
${options.resources?.(postgres) ?? ''}
policies: ./policies
${options.yaml ?? ''}
`;
}
