import { Inlet } from '../../../core/bytes/inlet.ts';
import { HoopError } from '../../../core/errors.ts';
import { Framer } from '../../../wire/postgres/framer.ts';
import { CommandComplete, Query, ReadyForQuery } from '../../../wire/postgres/query.ts';
import { ErrorResponse, reportText } from '../../../wire/postgres/report.ts';
import { type Column, DataRow, RowDescription } from '../../../wire/postgres/rows.ts';
import { BACKEND } from '../../../wire/postgres/types.ts';
import type { Upstream } from './upstream.ts';

export type TextRow = readonly (string | null)[];

/** Rows of one statement held at most; wire/postgres/caps.ts bounds each. */
const MAX_ROWS = 1000;

/** What the server answered, up to ReadyForQuery. */
export interface Exchanged {
  /** For each statement its rows as text, null for NULL. */
  readonly results: TextRow[][];
  /** For each statement that completed what it did: `UPDATE 2`. */
  readonly tags: readonly string[];
  /** Of the last statement that has rows, where the server was asked to describe them. */
  readonly columns: readonly Column[];
  readonly failure?: ErrorResponse;
  /** Whether a transaction is open now: `I`, `T`, or `E` for one that failed. */
  readonly status: string;
}

/** hoopd's own connection to a target, for what it asks itself. One query at a time. */
export class SideConnection {
  readonly #upstream: Upstream;
  readonly #inlet: Inlet;
  readonly #framer = new Framer('backend');

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
    this.#inlet = new Inlet(upstream.socket);
    this.#inlet.unshift(upstream.rest);
    upstream.socket.on('error', () => undefined);
    upstream.socket.resume();
  }

  /** Calls back once, when the connection has ended, whoever ended it. */
  onClose(ended: () => void): void {
    const { socket } = this.#upstream;
    if (socket.closed) ended();
    else socket.once('close', ended);
  }

  get serverVersion(): number {
    return this.#upstream.serverVersion;
  }

  get usable(): boolean {
    return !this.#upstream.socket.destroyed && this.#upstream.socket.writable;
  }

  /**
   * @param sql Statements of ours, never a client's.
   * @param timeoutMs A connection that was lost without a word (a firewall that forgot it) must not be waited for.
   * @returns For each statement its rows as text, null for NULL.
   * @throws {HoopError} `ERR_TARGET_LOST` the connection ended or gave no answer in time, or the server refused a
   *   statement. The connection is not usable any more.
   */
  async query(sql: string, timeoutMs: number): Promise<TextRow[][]> {
    const { results, failure } = await this.exchange(Query.encode({ sql }), timeoutMs);
    if (failure === undefined) return results;
    const [code, message] = [reportText(failure, 'C') ?? '', reportText(failure, 'M') ?? ''];
    throw this.#lost(`${code}: ${message}`.slice(0, 500));
  }

  /**
   * @param messages Up to one that ReadyForQuery answers.
   * @param keep False: rows are not looked at.
   * @param maxBytes Of the whole answer, in octets. No more than that is read.
   * @throws {HoopError} `ERR_TARGET_LOST` the connection ended, gave no answer in time, or a larger one. It is not usable
   *   any more.
   */
  async exchange(
    messages: Buffer,
    timeoutMs: number,
    keep = true,
    maxBytes = Number.POSITIVE_INFINITY,
  ): Promise<Exchanged> {
    const late = setTimeout(() => this.close(), timeoutMs);
    try {
      this.#upstream.socket.write(messages);
      return await this.#answer(keep, maxBytes);
    } finally {
      clearTimeout(late);
    }
  }

  async #answer(keep: boolean, maxBytes: number): Promise<Exchanged> {
    const results: TextRow[][] = [];
    const tags: string[] = [];
    let rows: TextRow[] = [];
    let columns: readonly Column[] = [];
    let room = maxBytes;
    let failure: ErrorResponse | undefined;
    for (;;) {
      const frame = this.#framer.next();
      if (frame === undefined) {
        const chunk = await this.#more();
        room -= chunk.length;
        if (room < 0) throw this.#lost('the answer is too large');
        this.#framer.push(chunk);
      } else if (frame.type === BACKEND.RowDescription) {
        columns = RowDescription.decode(frame.body).columns;
      } else if (frame.type === BACKEND.DataRow) {
        if (!keep) continue;
        if (rows.length >= MAX_ROWS) throw this.#lost('the answer has too many rows');
        rows.push(DataRow.decode(frame.body).values.map((value) => value?.toString('utf8') ?? null));
      } else if (frame.type === BACKEND.CommandComplete) {
        results.push(rows);
        tags.push(CommandComplete.decode(frame.body).tag);
        rows = [];
      } else if (frame.type === BACKEND.PortalSuspended) {
        results.push(rows);
        rows = [];
      } else if (frame.type === BACKEND.ErrorResponse) {
        failure = ErrorResponse.decode(frame.body);
      } else if (frame.type === BACKEND.ReadyForQuery) {
        const { status } = ReadyForQuery.decode(frame.body);
        return { results, tags, columns, status, ...(failure === undefined ? {} : { failure }) };
      }
    }
  }

  async #more(): Promise<Buffer> {
    const chunk = await this.#inlet.next();
    if (chunk === undefined) throw this.#lost('the connection ended');
    return chunk;
  }

  #lost(detail: string): HoopError {
    this.close();
    return new HoopError('ERR_TARGET_LOST', 'the target could not be asked', { detail });
  }

  close(): void {
    this.#upstream.socket.destroy();
  }
}
