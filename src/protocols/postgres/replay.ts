import type { ReplayFrame, ReplayShown } from '../../api/replay.ts';
import { isHoopError } from '../../core/errors.ts';
import type { RecordedItem } from '../../recording/items.ts';
import type { Frame } from '../../wire/postgres/frame.ts';
import { Framer } from '../../wire/postgres/framer.ts';
import { CommandComplete } from '../../wire/postgres/query.ts';
import { ErrorResponse, NoticeResponse, reportText } from '../../wire/postgres/report.ts';
import { type Column, DataRow, RowDescription } from '../../wire/postgres/rows.ts';
import { BACKEND } from '../../wire/postgres/types.ts';
import { type Responses, replayed } from '../stream/replay.ts';

/**
 * Turns a recorded PostgreSQL session into what a person watches: requests, tables, errors.
 *
 * The recording holds what the client received, so masked values are masked here too. Binary values are shown as
 * `\x…`. Bytes that are no messages end the replay with an incomplete end: the rest is not guessed.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function replayFrames(items: AsyncIterable<RecordedItem>): AsyncIterable<ReplayFrame> {
  return replayed(items, () => new Answers());
}

/** Follows the answers, as a client would, to know what the rows' columns are. */
class Answers implements Responses {
  readonly #framer = new Framer('backend');
  #columns: readonly Column[] = [];
  whole = true;

  show(bytes: Buffer): ReplayShown[] {
    const shown: ReplayShown[] = [];
    if (!this.whole) return shown;
    try {
      this.#framer.push(bytes);
      for (let frame = this.#framer.next(); frame !== undefined; frame = this.#framer.next()) {
        const one = this.#message(frame);
        if (one !== undefined) shown.push(one);
      }
    } catch (error) {
      if (!isHoopError(error)) throw error;
      this.whole = false;
      shown.push({ kind: 'note', text: `the rest of the recording cannot be read: ${error.message}` });
    }
    return shown;
  }

  #message(frame: Frame): ReplayShown | undefined {
    switch (frame.type) {
      case BACKEND.RowDescription:
        this.#columns = RowDescription.decode(frame.body).columns;
        return { kind: 'columns', names: this.#columns.map((column) => column.name.toString('utf8')) };
      case BACKEND.DataRow:
        return {
          kind: 'row',
          values: DataRow.decode(frame.body).values.map((value, i) => this.#text(value, i)),
        };
      case BACKEND.CommandComplete:
        return { kind: 'complete', tag: CommandComplete.decode(frame.body).tag };
      case BACKEND.CopyData:
        return { kind: 'data', bytes: frame.body.length };
      case BACKEND.NoticeResponse:
        return { kind: 'notice', message: reportText(NoticeResponse.decode(frame.body), 'M') ?? '' };
      case BACKEND.ErrorResponse:
        return errorFrame(ErrorResponse.decode(frame.body));
      default:
        return undefined;
    }
  }

  #text(value: Buffer | null, column: number): string | null {
    if (value === null) return null;
    return this.#columns[column]?.format === 1 ? `\\x${value.toString('hex')}` : value.toString('utf8');
  }
}

function errorFrame(error: ErrorResponse): ReplayShown {
  const hint = reportText(error, 'H');
  return {
    kind: 'error',
    status: reportText(error, 'C') ?? 'XX000',
    message: reportText(error, 'M') ?? '',
    ...(hint === undefined ? {} : { hint }),
  };
}
