import pg from 'pg';
import type { PostgresServer } from '../support/postgres/server.ts';

/** Statements that leave something behind in their session, or that want no transaction around them. */
const OF_SESSION = /(^|;)\s*(SET|RESET|PREPARE|DECLARE|LISTEN|BEGIN|LOCK)\b|\bTEMP\b/i;
const NO_TRANSACTION = '25001';

/** The administrator over one connection that stays: a case looks at the world a dozen times, and psql takes longer than all else. */
export class StandingAdmin {
  readonly #server: PostgresServer;
  #client: Promise<pg.Client> | undefined;

  constructor(server: PostgresServer) {
    this.#server = server;
  }

  /** As `PostgresServer.psql`: unaligned, without headers. */
  async run(sql: string): Promise<string> {
    if (OF_SESSION.test(sql)) return this.#server.psql(sql);
    const client = await this.#connected();
    try {
      const results = (await client.query({ text: sql, rowMode: 'array' })) as unknown;
      const all = (Array.isArray(results) ? results : [results]) as pg.QueryArrayResult[];
      return all.flatMap(({ rows }) => rows.map((row) => row.map((one) => one ?? '').join('|'))).join('\n');
    } catch (error) {
      if ((error as { code?: string }).code === NO_TRANSACTION) return this.#server.psql(sql);
      throw error;
    }
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.end();
  }

  #connected(): Promise<pg.Client> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  async #connect(): Promise<pg.Client> {
    const { host, port, database, admin } = this.#server;
    // Values as the server writes them.
    const types = { getTypeParser: () => (value: unknown) => value };
    const client = new pg.Client({ host, port, database, ...admin, types });
    const gone = () => {
      this.#client = undefined;
    };
    client.on('error', gone).on('end', gone);
    await client.connect();
    return client;
  }
}
