import type { SideConnection, TextRow } from '../target/side-connection.ts';

/** Runs a string of statements; gives the rows of each. */
type Ask = (sql: string) => Promise<TextRow[][]>;
type Task<T> = (ask: Ask, serverVersion: number) => Promise<T>;

/** Whoever must wait longer for an answer is better refused, ms. */
const ANSWER_MS = 10_000;
/** A connection that nobody needs is left after so long, ms. */
const IDLE_MS = 30_000;

/** A connection over which roles are made or dropped, opened when there is something to do. One task at a time. */
export class Administration {
  readonly #connect: () => Promise<SideConnection>;
  #connection: SideConnection | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;

  constructor(connect: () => Promise<SideConnection>) {
    this.#connect = connect;
  }

  /**
   * @param task Done once more over a new connection where it fails over one that was idle, which may have been lost without
   *   a word: it must bear to have been done before.
   * @throws What `task` throws; `ERR_TARGET_…` there is no connection to be had.
   */
  do<T>(task: Task<T>): Promise<T> {
    const turn = this.#last.then(() => this.#do(task));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #do<T>(task: Task<T>): Promise<T> {
    clearTimeout(this.#idle);
    try {
      const before = this.#connection;
      if (before?.usable !== true) return await this.#overNew(task);
      return await over(before, task).catch((error: unknown) => {
        if (before.usable) throw error;
        return this.#overNew(task);
      });
    } finally {
      this.#idle = setTimeout(() => this.close(), IDLE_MS).unref();
    }
  }

  async #overNew<T>(task: Task<T>): Promise<T> {
    this.#connection = await this.#connect();
    return over(this.#connection, task);
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#connection?.close();
    this.#connection = undefined;
  }
}

async function over<T>(connection: SideConnection, task: Task<T>): Promise<T> {
  return task((sql) => connection.query(sql, ANSWER_MS), connection.serverVersion);
}
