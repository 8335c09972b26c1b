import type { Frame } from '../../../wire/postgres/frame.ts';
import { ErrorResponse } from '../../../wire/postgres/report.ts';
import { DataRow } from '../../../wire/postgres/rows.ts';
import { BACKEND } from '../../../wire/postgres/types.ts';
import { isFatal, statusOf } from '../shown/reports.ts';
import type { OwnQuestion } from './pipeline.ts';
import type { SessionState } from './state.ts';

/** A statement and a portal. */
const OBJECTS_ASKED_WITH = 2;

/**
 * Takes what answers a question of our own.
 *
 * @returns False for what is the client's to know, whenever it comes.
 */
export function takeOwnAnswer(state: SessionState, asked: OwnQuestion, frame: Frame): boolean {
  switch (frame.type) {
    case BACKEND.ParseComplete:
    case BACKEND.BindComplete:
      return true;
    case BACKEND.CommandComplete:
      asked.complete = true;
      return true;
    case BACKEND.DataRow:
      asked.row(DataRow.decode(frame.body).values.map(asText));
      return true;
    case BACKEND.CloseComplete:
      asked.closed++;
      if (!asked.synced && asked.closed === OBJECTS_ASKED_WITH) state.pipeline.shift();
      return true;
    case BACKEND.ErrorResponse:
      // Within a batch it is the client's: its messages are skipped as well.
      asked.failed = asked.synced && !isFatal(ErrorResponse.decode(frame.body));
      return asked.failed;
    case BACKEND.ReadyForQuery:
      return asked.synced && settled(state, asked, frame);
    default:
      return false;
  }
}

function settled(state: SessionState, asked: OwnQuestion, frame: Frame): true {
  state.pipeline.shift();
  // The client was told nothing, so it is not its turn.
  state.cycleEnded(statusOf(frame));
  if (state.status === 'I' && !asked.failed) asked.rested();
  return true;
}

function asText(value: Buffer | null): string | null {
  return value?.toString('utf8') ?? null;
}
