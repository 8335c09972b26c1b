import type { ReplayFrame } from '../../api/contract.ts';
import { isHoopError } from '../../core/errors.ts';
import type { RecordedItem } from '../../recording/reader.ts';
import type { Frame } from '../../wire/postgres/frame.ts';
import { Framer } from '../../wire/postgres/framer.ts';
import { CommandComplete } from '../../wire/postgres/query.ts';
import { ErrorResponse, NoticeResponse, reportText } from '../../wire/postgres/report.ts';
import { type Column, DataRow, RowDescription } from '../../wire/postgres/rows.ts';
import { BACKEND } from '../../wire/postgres/types.ts';

type Shown = ReplayFrame extends infer F
  ? F extends ReplayFrame
    ? Omit<F, 'schemaVersion' | 'atMs'>
    : never
  : never;

/**
 * Turns a recorded PostgreSQL session into what a person watches: requests, tables, errors.
 *
 * The recording holds what the client received, so masked values are masked here too. Binary values are shown as
 * `\x…`. Bytes that are no messages end the replay with an incomplete end: the rest is not guessed.
 *
 * @param items As `readRecording` gives them: header, frames, end.
 * @returns Frames in order of time; the last is an `end`.
 * @throws {HoopError} What `items` throws: `ERR_VERIFY` where the recording was changed.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export async function* replayFrames(items: AsyncIterable<RecordedItem>): AsyncGenerator<ReplayFrame> {
  const screen = new Screen();
  for await (const item of items) {
    if (item.kind === 'header') continue;
    const atMs = Math.round(item.atMicros / 1000);
    const at = (shown: Shown): ReplayFrame => ({ schemaVersion: 1, atMs, ...shown }) as ReplayFrame;
    if (item.kind === 'request') yield at({ kind: 'request', text: item.text, operation: item.operation });
    else if (item.kind === 'note') yield at({ kind: 'note', text: item.text });
    else if (item.kind === 'end')
      yield at({ kind: 'end', reason: item.reason, complete: item.complete && screen.whole });
    else for (const shown of screen.show(Buffer.from(item.bytes))) yield at(shown);
  }
}

/** Follows the answers, as a client would, to know what the rows' columns are. */
class Screen {
  readonly #framer = new Framer('backend');
  #columns: readonly Column[] = [];
  whole = true;

  show(bytes: Buffer): Shown[] {
    const shown: Shown[] = [];
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

  #message(frame: Frame): Shown | undefined {
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

function errorFrame(error: ErrorResponse): Shown {
  const hint = reportText(error, 'H');
  return {
    kind: 'error',
    sqlstate: reportText(error, 'C') ?? 'XX000',
    message: reportText(error, 'M') ?? '',
    ...(hint === undefined ? {} : { hint }),
  };
}
