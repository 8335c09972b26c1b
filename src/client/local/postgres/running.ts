/**
 * Running one statement in PostgreSQL's protocol, over a stream of its own, with bounds on what comes back.
 */
import type { Duplex } from 'node:stream';
import { Inlet } from '../../../core/bytes/inlet.ts';
import { HoopError } from '../../../core/errors.ts';
import { decodeBackend } from '../../../wire/postgres/backend.ts';
import { Describe } from '../../../wire/postgres/extended.ts';
import { Framer } from '../../../wire/postgres/framer.ts';
import { encodeFrontend } from '../../../wire/postgres/frontend.ts';
import type { ErrorResponse } from '../../../wire/postgres/report.ts';
import type { Column } from '../../../wire/postgres/rows.ts';
import type { AheadQuestion } from '../protocol.ts';
import { nextFrame } from './next-frame.ts';
import { executed, introduction, prepared, type SessionNames } from './statement.ts';

export interface ResultBounds {
  /** Rows that are kept, 1 or more. */
  readonly rows: number;
  /** Octets of values that are kept. */
  readonly bytes: number;
}

/** What a statement gave, or why it gave nothing. */
export type StatementEnd =
  | { readonly kind: 'done'; readonly result: StatementResult }
  | { readonly kind: 'failed'; readonly error: ErrorResponse };

export interface StatementResult {
  /** Absent: it is none that has rows. */
  readonly columns: readonly Column[] | undefined;
  /** Values as text; null is NULL. */
  readonly rows: readonly (readonly (Buffer | null)[])[];
  /** There were more rows, and which bound left them out. */
  readonly cut: keyof ResultBounds | undefined;
  /** `INSERT 0 5`; absent where rows were left out by their number, and where there was no statement. */
  readonly tag: string | undefined;
  /** It opened a transaction, which ended with the stream: nothing of it is kept. */
  readonly rolledBack: boolean;
}

/** Octets of one message that are taken: a value that is larger ends the session. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/**
 * Runs one statement, prepared and with its values as text, and ends the session. Exactly one: the protocol prepares no more.
 *
 * What is beyond a bound is read and dropped, so that the statement ends as it would have: a change whose rows were too many
 * to show is made all the same.
 *
 * @param remote A fresh stream to the resource. Ended afterwards; who destroys it meanwhile ends the statement too.
 * @returns How it ended; a refusal of the gateway is an error like the server's own.
 * @throws {HoopError} `ERR_TARGET_LOST` the stream broke off; `ERR_UNSUPPORTED` it would copy; `ERR_MESSAGE_LENGTH` a message
 *   is too long.
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export async function runStatement(
  remote: Duplex,
  names: SessionNames,
  question: AheadQuestion,
  bounds: ResultBounds,
): Promise<StatementEnd> {
  const framer = new Framer('backend', { largeBytes: MAX_MESSAGE_BYTES });
  const answers = new Answers(new Inlet(remote), framer, bounds);
  remote.resume();
  try {
    remote.write(introduction(names));
    const refused = await answers.untilReady();
    if (refused.kind === 'failed') return refused;
    // One row more than is kept tells whether there are more.
    const describe = Describe.encode({ kind: 'P', target: '' });
    remote.write(Buffer.concat([prepared(question), describe, executed(bounds.rows + 1)]));
    return await answers.untilReady();
  } finally {
    remote.end(encodeFrontend({ name: 'Terminate' }));
    framer.dispose();
  }
}

class Answers {
  readonly #inlet: Inlet;
  readonly #framer: Framer;
  readonly #bounds: ResultBounds;
  #bytes = 0;

  constructor(inlet: Inlet, framer: Framer, bounds: ResultBounds) {
    this.#inlet = inlet;
    this.#framer = framer;
    this.#bounds = bounds;
  }

  /** Everything up to where the server waits for the next; of a session that ends instead, its last word. */
  async untilReady(): Promise<StatementEnd> {
    const rows: (readonly (Buffer | null)[])[] = [];
    let result: StatementResult = {
      columns: undefined,
      rows,
      cut: undefined,
      tag: undefined,
      rolledBack: false,
    };
    let error: ErrorResponse | undefined;
    for (;;) {
      const frame = await nextFrame(this.#inlet, this.#framer);
      if (frame === undefined && error !== undefined) return { kind: 'failed', error };
      if (frame === undefined) throw new HoopError('ERR_TARGET_LOST');
      const message = decodeBackend(frame.type, Buffer.from(frame.body));
      switch (message.name) {
        case 'RowDescription':
          result = { ...result, columns: message.columns };
          break;
        case 'DataRow':
          result = { ...result, cut: result.cut ?? this.#keep(rows, message.values) };
          break;
        case 'CommandComplete':
          result = { ...result, tag: message.tag };
          break;
        case 'CopyInResponse':
        case 'CopyOutResponse':
        case 'CopyBothResponse':
          throw new HoopError('ERR_UNSUPPORTED', 'COPY is not carried here', {
            hint: 'read by SELECT, write by INSERT',
          });
        case 'ErrorResponse':
          error ??= message;
          break;
        case 'ReadyForQuery':
          if (error !== undefined) return { kind: 'failed', error };
          return { kind: 'done', result: { ...result, rolledBack: message.status !== 'I' } };
      }
    }
  }

  /** @returns The bound that leaves the row out. */
  #keep(
    rows: (readonly (Buffer | null)[])[],
    values: readonly (Buffer | null)[],
  ): keyof ResultBounds | undefined {
    this.#bytes += values.reduce((sum, value) => sum + (value?.length ?? 0), 0);
    if (rows.length >= this.#bounds.rows) return 'rows';
    if (this.#bytes > this.#bounds.bytes) return 'bytes';
    rows.push(values);
    return undefined;
  }
}
