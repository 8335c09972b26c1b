import type { DatabaseSync } from 'node:sqlite';

/** One request for approval as it is kept. */
export interface ApprovalRow {
  /** Sorts by time. */
  readonly id: string;
  /** It may still be decided or used: found at a start, and among those that a question is compared with. */
  readonly open: boolean;
  /** JSON, of the approval room. */
  readonly document: string;
}

/** How many settled ones are kept for people to look at; the audit has all. */
const SETTLED_KEPT = 10_000;

/**
 * Requests for approval in SQLite.
 *
 * What is put within one turn of the event loop is written in one transaction: five hundred at once cost one wait for the
 * disk. A put is durable when its promise resolves, as far as the handle's `synchronous` goes.
 */
export class SqliteApprovalStore {
  readonly #database: DatabaseSync;
  readonly #put: ReturnType<DatabaseSync['prepare']>;
  #waiting: { readonly row: ApprovalRow; readonly done: PromiseWithResolvers<void> }[] = [];
  #sinceSweep = 0;

  /**
   * Creates the table if it is not there. Keeps the handle; the caller closes it.
   *
   * @param database An open database.
   * @throws {Error} The database cannot be written.
   */
  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(`CREATE TABLE IF NOT EXISTS approval (
      id TEXT PRIMARY KEY,
      open INTEGER NOT NULL,
      document TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`);
    this.#put = database.prepare(
      'INSERT INTO approval (id, open, document) VALUES (?, ?, ?) ' +
        'ON CONFLICT (id) DO UPDATE SET open = excluded.open, document = excluded.document',
    );
  }

  /** Those that are open, and the newest of the others; oldest first. */
  load(): readonly string[] {
    const rows = this.#database
      .prepare(
        'SELECT document FROM approval WHERE open = 1 OR id IN ' +
          '(SELECT id FROM approval WHERE open = 0 ORDER BY id DESC LIMIT ?) ORDER BY id',
      )
      .all(SETTLED_KEPT) as unknown as { readonly document: string }[];
    return rows.map(({ document }) => document);
  }

  /** Keeps one, in place of what was kept under its id. Rejects if it cannot be written: then it is not kept. */
  put(row: ApprovalRow): Promise<void> {
    const done = Promise.withResolvers<void>();
    if (this.#waiting.push({ row, done }) === 1) setImmediate(() => this.#write());
    return done.promise;
  }

  #write(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      this.#inTransaction(() => {
        for (const { row } of waiting) this.#put.run(row.id, row.open ? 1 : 0, row.document);
        this.#sweep(waiting.length);
      });
      for (const { done } of waiting) done.resolve();
    } catch (error) {
      for (const { done } of waiting) done.reject(error);
    }
  }

  #inTransaction(run: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      run();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #sweep(written: number): void {
    this.#sinceSweep += written;
    if (this.#sinceSweep < 1000) return;
    this.#sinceSweep = 0;
    this.#database
      .prepare(
        'DELETE FROM approval WHERE open = 0 AND id NOT IN (SELECT id FROM approval WHERE open = 0 ORDER BY id DESC LIMIT ?)',
      )
      .run(SETTLED_KEPT);
  }
}
