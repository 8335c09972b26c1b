import { Judge } from '../judge.ts';
import type { Server } from '../servers.ts';
import type { Ran, Session } from '../session.ts';
import type { Tally } from '../tally.ts';
import type { Host } from './script.ts';

/**
 * Statements that change nothing in the catalog, and those that begin a transaction or set what no name depends on. What
 * functions change that they call is seen otherwise.
 */
const KEEPS_CATALOG =
  /^\s*(?:\(|select|insert|update|delete|merge|with|values|table|explain|fetch|copy|show|analyze|vacuum|begin)\b/i;

interface To {
  readonly database: string;
  /** The administrator unless told otherwise. */
  readonly user?: string;
  readonly options?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A client as psql is one: judges what it is to run, then runs it. */
export class Client implements Host {
  readonly environment: Readonly<Record<string, string>>;
  readonly #server: Server;
  readonly #tally: Tally;
  #to: To;
  #session: Session;
  #judge: Judge;

  private constructor(server: Server, tally: Tally, to: To, session: Session) {
    this.environment = to.environment ?? {};
    this.#server = server;
    this.#tally = tally;
    this.#to = to;
    this.#session = session;
    this.#judge = new Judge(session, server.major);
  }

  static async open(server: Server, tally: Tally, to: To): Promise<Client> {
    return new Client(server, tally, to, await server.open(to));
  }

  session(): Session {
    return this.#session;
  }

  async connect(database = '-', user = '-'): Promise<void> {
    const to = {
      ...this.#to,
      ...(database === '-' ? {} : { database }),
      ...(user === '-' ? {} : { user }),
    };
    const session = await this.#server.open(to);
    this.#session.close();
    [this.#to, this.#session] = [to, session];
    this.#judge = new Judge(session, this.#server.major);
  }

  async execute(sql: string, input: () => Buffer): Promise<Ran> {
    await this.describe(sql);
    const ran = await this.#session.run(sql, input);
    if (!KEEPS_CATALOG.test(sql) || /\binto\b/i.test(sql) || ran.error !== undefined) this.#judge.forget();
    return ran;
  }

  async describe(sql: string): Promise<void> {
    if (this.#session.status !== 'E') await this.#judge.judge(sql, this.#tally);
  }
}
