import { Inlet } from '../../../core/bytes/inlet.ts';
import { HoopError } from '../../../core/errors.ts';
import { Framer } from '../../../wire/postgres/framer.ts';
import { Query } from '../../../wire/postgres/query.ts';
import { ErrorResponse, reportText } from '../../../wire/postgres/report.ts';
import { DataRow } from '../../../wire/postgres/rows.ts';
import { BACKEND } from '../../../wire/postgres/types.ts';
import type { Upstream } from './upstream.ts';

export type TextRow = readonly (string | null)[];

/** Rows of one statement held at most; wire/postgres/caps.ts bounds each. */
const MAX_ROWS = 1000;

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
    const late = setTimeout(() => this.close(), timeoutMs);
    try {
      this.#upstream.socket.write(Query.encode({ sql }));
      return await this.#answer();
    } finally {
      clearTimeout(late);
    }
  }

  async #answer(): Promise<TextRow[][]> {
    const results: TextRow[][] = [];
    let rows: TextRow[] = [];
    let failure: string | undefined;
    for (;;) {
      const frame = this.#framer.next();
      if (frame === undefined) {
        this.#framer.push(await this.#more());
      } else if (frame.type === BACKEND.DataRow) {
        if (rows.length >= MAX_ROWS) throw this.#lost('the answer has too many rows');
        rows.push(DataRow.decode(frame.body).values.map((value) => value?.toString('utf8') ?? null));
      } else if (frame.type === BACKEND.CommandComplete) {
        results.push(rows);
        rows = [];
      } else if (frame.type === BACKEND.ErrorResponse) {
        const report = ErrorResponse.decode(frame.body);
        failure = `${reportText(report, 'C') ?? ''}: ${reportText(report, 'M') ?? ''}`.slice(0, 500);
      } else if (frame.type === BACKEND.ReadyForQuery) {
        if (failure !== undefined) throw this.#lost(failure);
        return results;
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
