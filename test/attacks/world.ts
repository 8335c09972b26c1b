/** What an attack is tried in: a real PostgreSQL, hoopd before it, and both ways to reach it. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { locatePostgres } from '../../src/demo/postgres-home.ts';
import { type RawClient, type RawLogin, rawConnect, rawLogin } from '../support/postgres/raw-client.ts';
import { type Stack, type StackOptions, startStack, type Tunnel } from '../support/stack.ts';
import { StandingAdmin } from './standing-admin.ts';

/** Debian's 15, and 18 as npm brings it. */
export type Major = 15 | 18;
export const MAJORS: readonly Major[] = [15, 18];

export class World {
  readonly major: Major;
  readonly stack: Stack;
  readonly tunnel: Tunnel;
  readonly #home: string;
  readonly #admin: StandingAdmin;
  readonly #clients = new Set<RawClient>();
  readonly #tunnels = new Map<string, Promise<Tunnel>>();

  constructor(major: Major, stack: Stack, tunnel: Tunnel, home: string) {
    this.major = major;
    this.stack = stack;
    this.tunnel = tunnel;
    this.#home = home;
    this.#admin = new StandingAdmin(stack.postgres);
  }

  /** Runs SQL as the administrator, past the gateway; gives unaligned output. */
  admin(sql: string): Promise<string> {
    return this.stack.postgres.psql(sql);
  }

  /** As `admin`, over a connection that stays open. */
  look(sql: string): Promise<string> {
    return this.#admin.run(sql);
  }

  /** A client of the tunnel. */
  async through(options: RawLogin = {}): Promise<RawClient> {
    return this.#keep(await rawLogin(this.tunnel, options));
  }

  /** The same client without a gateway: the role and the database that hoopd itself uses. */
  async direct(options: RawLogin = {}): Promise<RawClient> {
    return this.#keep(await rawLogin(this.target, options));
  }

  /** A connection that has said nothing yet: to the tunnel, or to what else is named. */
  async dial(at: Pick<Tunnel, 'host' | 'port'> = this.tunnel): Promise<RawClient> {
    return this.#keep(await rawConnect(at));
  }

  /** A client of another tunnel. */
  async at(tunnel: Tunnel, options: RawLogin = {}): Promise<RawClient> {
    return this.#keep(await rawLogin(tunnel, options));
  }

  /** A tunnel to another resource, or the same one as somebody else; it stays open for the cases that follow. */
  also(resource: string, env: Readonly<Record<string, string>> = {}): Promise<Tunnel> {
    const key = `${resource} ${env['HOOPCTL_TOKEN'] ?? ''}`;
    const open = this.#tunnels.get(key) ?? this.stack.tunnelTo(resource, [], env);
    this.#tunnels.set(key, open);
    return open;
  }

  /** As a tunnel: where the server is, and what hoopd itself logs in with. */
  get target(): Tunnel {
    const { host, port, database } = this.stack.postgres;
    const password = readFileSync(join(this.stack.directory, 'pg.password'), 'utf8');
    return { ...this.tunnel, host, port, database, user: 'hoop', password };
  }

  /** Decisions on record whose event holds the marker, as they stand in the gateway's files at this moment. */
  decisions(marker: string): string[] {
    const root = join(this.stack.directory, 'state', 'audit');
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    const lines = files.flatMap((one) => readFileSync(join(one.parentPath, one.name), 'utf8').split('\n'));
    const escaped = JSON.stringify(marker).slice(1, -1);
    return lines.filter((line) => line.includes('operation.decided') && line.includes(escaped));
  }

  #keep(client: RawClient): RawClient {
    this.#clients.add(client);
    return client;
  }

  /** Closes every client that the last case has opened. */
  closeClients(): void {
    for (const client of this.#clients) client.close();
    this.#clients.clear();
  }

  async stop(): Promise<void> {
    this.closeClients();
    await this.#admin.close();
    const others = await Promise.allSettled(this.#tunnels.values());
    await Promise.all(others.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)));
    await this.tunnel.close();
    await this.stack.stop();
    rmSync(this.#home, { recursive: true, force: true });
  }
}

/** The server takes connections without TLS, so that a bare client can be its own positive control. */
export async function startWorld(major: Major, scenario: StackOptions): Promise<World> {
  const home = mkdtempSync(join(tmpdir(), 'hoop-attacks-'));
  chmodSync(home, 0o755);
  const bin = major === 18 ? dirname((await locatePostgres(home)).postgres) : undefined;
  const stack = await startStack({
    ...scenario,
    targetTls: 'disable',
    ...(bin === undefined ? {} : { bin }),
  });
  try {
    return new World(major, stack, await stack.tunnel(), home);
  } catch (error) {
    // What runs would keep this process from its end.
    await stack.stop();
    throw error;
  }
}
