import type { Turns } from '../../../core/turns.ts';
import { ParameterStatus } from '../../../wire/postgres/connection.ts';
import { type Frame, Pieces } from '../../../wire/postgres/frame.ts';
import { Framer } from '../../../wire/postgres/framer.ts';
import { ErrorResponse, reportText } from '../../../wire/postgres/report.ts';
import { BACKEND } from '../../../wire/postgres/types.ts';
import { planAt } from '../reading/planner.ts';
import {
  isFatal,
  mayTell,
  reported,
  shownError,
  shownNotice,
  shownNotification,
  statusOf,
} from '../shown/reports.ts';
import { type RowPlan, type RowRewriter, rowPlan } from '../shown/rows.ts';
import { takeOwnAnswer } from './own-answer.ts';
import { denialOf, type Expected, runningOf, sentExtended, unexpected } from './pipeline.ts';
import { rowsWritten } from './row-bounds.ts';
import { ShownRows } from './shown-rows.ts';
import type { SessionState } from './state.ts';

/** Handled at once, whatever others have to do: most answers are no larger. */
const AT_ONCE_BYTES = 16 * 1024;
/** Rows that are looked at in one go. */
const LOOKED_AT_BYTES = 32 * 1024;

type Query = Extract<Expected, { kind: 'query' }>;

/**
 * The way back: takes what the target sends, matches each message with what was asked, masks it, and gives what the
 * client may see. There is no path around it: a message that nothing asked for ends the session.
 */
export class ResponsePump {
  readonly #state: SessionState;
  readonly #framer = new Framer('backend');
  readonly #out = new Pieces();
  readonly #rows: ShownRows;
  readonly #turns: Turns;
  #more = false;
  /** The target said FATAL: it closes next, and the client has been told why. */
  targetEnded = false;

  /** @param rows Its memory may be shared: it is used within `handle` and until the next one only. */
  constructor(state: SessionState, rows: RowRewriter, turns: Turns) {
    this.#state = state;
    this.#rows = new ShownRows(state, rows, this.#out);
    this.#turns = turns;
  }

  /** Some of what was added is not handled yet: call `handle` again when it is this session's turn. */
  get more(): boolean {
    return this.#more;
  }

  /** Octets added and not given out yet. */
  get buffered(): number {
    return this.#framer.buffered;
  }

  /** @param chunk Bytes from the target, which `handle` gives out views of. */
  add(chunk: Buffer): void {
    this.#framer.push(chunk);
  }

  /** The memory of what was added and is not handled yet may be used again. */
  keep(): void {
    this.#framer.keep();
  }

  /** Nothing is added any more: lets go of what was not handled. */
  dispose(): void {
    this.#framer.dispose();
  }

  /**
   * Handles what was added: all of it, or what fits into this turn of the event loop.
   *
   * @returns What to send on, in order; it must be sent or copied before more is handled, and before the chunk changes.
   * @throws {HoopError} `ERR_PROTOCOL`, `ERR_MESSAGE_LENGTH`, `ERR_MESSAGE_TYPE`: the target broke the
   *   protocol, or sent what must not be shown. End the session.
   */
  handle(): Buffer[] {
    this.#rows.reset();
    this.#more = this.#handleSome();
    this.#state.progressed();
    return this.#out.take();
  }

  /** @returns Whether it stopped before the end, since others want their turn. */
  #handleSome(): boolean {
    for (let done = 0; ; ) {
      const run = this.#framer.nextRun(this.#rows.inRuns, this.#rows.looked ? LOOKED_AT_BYTES : undefined);
      if (run !== undefined) {
        this.#rows.run(run);
        done += run.end - run.start;
      }
      const frame = this.#framer.next();
      if (frame === undefined) return false;
      this.#handleFrame(frame);
      done += frame.end - frame.start;
      if (done > AT_ONCE_BYTES && this.#turns.spent) return true;
    }
  }

  #handleFrame(frame: Frame): void {
    const { head } = this.#state.pipeline;
    if (head?.kind === 'own' && takeOwnAnswer(this.#state, head, frame)) return;
    switch (frame.type) {
      case BACKEND.DataRow:
        return this.#rows.row(frame);
      case BACKEND.CommandComplete:
      case BACKEND.EmptyQueryResponse:
        return this.#statementDone(frame);
      case BACKEND.ReadyForQuery:
        return this.#ready(frame);
      case BACKEND.ParseComplete:
        return this.#confirmed(frame, 'parse');
      case BACKEND.BindComplete:
        return this.#confirmed(frame, 'bind');
      case BACKEND.CloseComplete:
        return this.#confirmed(frame, 'close');
      case BACKEND.RowDescription:
      case BACKEND.NoData:
        return this.#described(frame);
      case BACKEND.ParameterDescription:
        return this.#forwardIf(this.#state.pipeline.head?.kind === 'describe-statement', frame);
      case BACKEND.PortalSuspended:
        return this.#suspended(frame);
      case BACKEND.ErrorResponse:
        return this.#error(frame);
      default:
        return this.#rare(frame);
    }
  }

  #rare(frame: Frame): void {
    switch (frame.type) {
      case BACKEND.NoticeResponse:
      case BACKEND.NotificationResponse:
        return this.#told(frame);
      case BACKEND.ParameterStatus:
        return this.#parameterStatus(frame);
      case BACKEND.CopyInResponse:
        return this.#copyInStarted(frame);
      case BACKEND.CopyOutResponse:
        this.#rows.copyStarted();
        return this.#forwardIf(runningOf(this.#state.pipeline.head) !== undefined, frame);
      case BACKEND.CopyData:
        return this.#rows.copyData(frame);
      case BACKEND.FunctionCallResponse:
        return this.#called(frame);
      case BACKEND.CopyDone:
        return this.#rows.copyDone(frame);
      default:
        throw unexpected(frame.type);
    }
  }

  #forwardIf(expected: boolean, frame: Frame): void {
    if (!expected) throw unexpected(frame.type);
    this.#out.add(frame);
  }

  #send(bytes: Buffer): void {
    this.#out.add({ chunk: bytes, start: 0, end: bytes.length });
  }

  #confirmed(frame: Frame, kind: 'parse' | 'bind' | 'close'): void {
    const head = this.#state.pipeline.head;
    if (sentExtended(head)) return;
    if (head === undefined || head.kind !== kind) throw unexpected(frame.type);
    head.staged.commit();
    if (head.kind === 'parse' && head.ownEvent) head.operation.close('success');
    this.#state.pipeline.shift();
    this.#out.add(frame);
  }

  #described(frame: Frame): void {
    const head = this.#state.pipeline.head;
    const isRows = frame.type === BACKEND.RowDescription;
    if (head?.kind === 'query' && isRows && head.planned !== undefined) {
      head.rows = this.#rows.plan(frame, planAt(head.planned, head.completed));
      this.#out.add(frame);
    } else if (sentExtended(head)) return;
    else if (head?.kind === 'describe-statement') {
      this.#state.pipeline.shift();
      this.#out.add(frame);
    } else if (head?.kind === 'describe-portal') {
      head.portal.describing = false;
      head.portal.rows = isRows ? this.#rows.plan(frame, head.portal.plan) : NO_ROWS;
      this.#state.pipeline.shift();
      if (head.visible) this.#out.add(frame);
    } else throw unexpected(frame.type);
  }

  #statementDone(frame: Frame): void {
    const head = this.#state.pipeline.head;
    // Rows that were shown are counted; of others only this message tells.
    const rows = this.#rows.endCopy() ? undefined : rowsWritten(frame.body);
    this.#state.copyIn = false;
    this.#rows.tellWithheld(head);
    if (head?.kind === 'query' && !head.failed) {
      if (head.operation !== undefined && head.rows === undefined) head.operation.rows += rows ?? 0;
      this.#completeStatement(head);
      if (head.counted !== undefined) return this.#state.changedRows.settle(head, frame);
    } else if (head?.kind === 'execute') {
      if ([undefined, NO_ROWS].includes(head.portal.rows)) head.operation.rows += rows ?? 0;
      head.staged?.commit();
      this.#state.pipeline.shift();
      // Beyond its bound the way there makes the server undo it, and the client gets that error instead.
      if (!this.#state.changedRows.count(head.operation, rows)) return;
      // So does what went over a limit before it could be cancelled.
      if (head.operation.refused !== undefined) return;
      head.operation.close('success');
      this.#state.took(head.portal.plan, head.portal.planned);
    } else throw unexpected(frame.type);
    this.#out.add(frame);
  }

  #completeStatement(query: Query): void {
    query.staged[query.completed]?.commit();
    const plan = planAt(query.planned, query.completed);
    query.completed++;
    query.rows = undefined;
    if (plan !== undefined) this.#state.took(plan, query.planned, query.counted === undefined);
  }

  #called(frame: Frame): void {
    const head = this.#state.pipeline.head;
    if (head?.kind !== 'query' || !head.call || head.failed || head.operation === undefined)
      throw unexpected(frame.type);
    head.operation.rows++;
    head.operation.bytes += frame.end - frame.start;
    if (planAt(head.planned, 0)?.ddl === true) this.#state.schemaChanged('anything');
    this.#out.add(frame);
  }

  #suspended(frame: Frame): void {
    const head = this.#state.pipeline.head;
    if (head?.kind !== 'execute') throw unexpected(frame.type);
    head.operation.answered = true;
    this.#rows.tellWithheld(head);
    // Nothing was given or taken yet; a name that stayed unsettled would be waited for.
    head.staged?.discard();
    this.#state.pipeline.shift();
    if (!this.#state.changedRows.count(head.operation, undefined)) return;
    if (head.operation.refused === undefined) this.#out.add(frame);
  }

  #copyInStarted(frame: Frame): void {
    this.#forwardIf(runningOf(this.#state.pipeline.head) !== undefined, frame);
    this.#state.copyIn = true;
  }

  #ready(frame: Frame): void {
    const { head } = this.#state.pipeline;
    if (head?.kind !== 'query' && head?.kind !== 'sync') throw unexpected(frame.type);
    if (head.kind === 'query' && !head.failed) head.operation?.close('success');
    if (head.kind === 'query' && !head.failed && head.counted?.tag !== undefined)
      this.#send(head.counted.tag);
    this.#state.pipeline.shift();
    this.#state.ready(statusOf(frame));
    this.#out.add(frame);
  }

  #error(frame: Frame): void {
    const { pipeline } = this.#state;
    const error = ErrorResponse.decode(frame.body);
    const { head, said } = pipeline;
    const shown = shownError(error, denialOf(head), said, this.#state.masks);
    this.#rows.failed();
    this.#state.copyIn = false;
    pipeline.fail(reportText(error, 'C') ?? 'XX000');
    if (shown === undefined) this.#out.add(frame);
    else this.#send(shown);
    if (isFatal(error)) this.targetEnded = true;
  }

  /** A notice or a notification. */
  #told(frame: Frame): void {
    const { masks, pipeline } = this.#state;
    if (!masks.active) this.#out.add(frame);
    else if (frame.type === BACKEND.NotificationResponse) this.#send(shownNotification(frame));
    else this.#send(shownNotice(frame, pipeline.said, masks));
  }

  /** Settings that change how SQL is read would make the server read other statements than were judged. */
  #parameterStatus(frame: Frame): void {
    const { setting, unsafe } = reported(frame);
    const { parameter, value } = ParameterStatus.decode(frame.body);
    this.#state.reported(parameter, value);
    // PostgreSQL 18 says so, whoever has set it.
    if (setting === 'search_path') this.#state.path.mark();
    if (unsafe) this.#state.unread.readOtherwise(setting);
    const { masks, settingsTold, pipeline } = this.#state;
    if (!masks.active || mayTell(frame, pipeline.said, settingsTold)) this.#out.add(frame);
  }
}

/** Of a portal that has no rows. */
const NO_ROWS: RowPlan = { ...rowPlan([]), transparent: false };
