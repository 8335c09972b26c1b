import { HoopError } from '../../../core/errors.ts';
import type { Frame, Piece, Pieces, Run } from '../../../wire/postgres/frame.ts';
import { BACKEND, typeSet } from '../../../wire/postgres/types.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import type { Portal } from '../reading/portal.ts';
import { ALL_SHOWN, type RewrittenRow, type RowPlan, type RowRewriter } from '../shown/rows.ts';
import { Withheld } from '../shown/withheld.ts';
import { CopyOut } from './copy-out.ts';
import { type Expected, rowsOf, runningOf, unexpected } from './pipeline.ts';
import type { SessionState } from './state.ts';

const NONE = typeSet();
const DATA_ROWS = typeSet(BACKEND.DataRow);
const COPY_DATA = typeSet(BACKEND.CopyData);

/** Rows and COPY data on their way back: what of them is shown is counted, and what is not is told once. */
export class ShownRows {
  readonly #state: SessionState;
  readonly #rewriter: RowRewriter;
  readonly #out: Pieces;
  readonly #copyOut = new CopyOut();
  readonly #withheld = new Withheld();

  /**
   * @param rewriter Its memory may be shared: it is used until the next `reset` only.
   * @param out Where what is shown goes.
   */
  constructor(state: SessionState, rewriter: RowRewriter, out: Pieces) {
    this.#state = state;
    this.#rewriter = rewriter;
    this.#out = out;
  }

  /** What was given out before has been sent or copied. */
  reset(): void {
    this.#rewriter.reset();
  }

  /** Whether rows that come next are looked at, cell by cell. */
  get looked(): boolean {
    return rowsOf(this.#state.pipeline.head)?.transparent === false;
  }

  /** Types of messages that are taken in runs, given the answer that is due. */
  get inRuns(): Uint8Array {
    const { head } = this.#state.pipeline;
    // Of a limited answer each row is counted before it is shown.
    if (head?.kind === 'own' || runningOf(head)?.limits !== undefined) return NONE;
    const rows = rowsOf(this.#state.pipeline.head);
    if (rows !== undefined) return DATA_ROWS;
    if (this.#copyOut.transparent(this.#state.masks)) return COPY_DATA;
    return this.#state.masks.active ? NONE : DATA_ROWS;
  }

  run(run: Run): void {
    const operation = runningOf(this.#state.pipeline.head);
    if (operation === undefined) throw unexpected(run.chunk[run.start] ?? 0);
    this.#showRows(run, operation, run.count);
  }

  /** @returns Whether other octets are shown in their place, or none. */
  #showRows(rows: Piece, operation: OpenOperation, count: number): boolean {
    const plan = rowsOf(this.#state.pipeline.head);
    const seen = plan !== undefined && !plan.transparent;
    const rewritten = seen ? this.#rewriter.rewrite(rows, plan, this.#state.masks.detected) : undefined;
    const shown = this.#show(rows, operation, rewritten, count);
    return rewritten !== undefined || !shown;
  }

  row(frame: Frame): void {
    const operation = runningOf(this.#state.pipeline.head);
    if (operation === undefined) throw unexpected(frame.type);
    const plan = rowsOf(this.#state.pipeline.head);
    if (plan === undefined && this.#state.masks.active) {
      throw new HoopError('ERR_PROTOCOL', 'the target sent rows without saying what their columns are');
    }
    if (this.#showRows(frame, operation, 1)) frame.dispose();
  }

  /** Sends rows on, or what became of them. @returns False: nothing, for they go over a limit. */
  #show(
    original: Piece,
    operation: OpenOperation,
    rewritten: RewrittenRow | undefined,
    count: number,
  ): boolean {
    const piece = rewritten?.piece ?? original;
    const bytes = piece.end - piece.start;
    if (!this.#state.answers.take(operation, count, bytes)) return false;
    operation.rows += count;
    operation.bytes += bytes;
    if (rewritten !== undefined) {
      operation.maskedValues += rewritten.maskedValues;
      this.#withheld.add(rewritten.maskedValues, rewritten.nullValues);
    }
    this.#out.add(piece);
    return true;
  }

  copyData(frame: Frame): void {
    const operation = this.#copying(frame);
    this.#show(frame, operation, this.#copyOut.take(frame.body, this.#state.masks), 1);
  }

  copyDone(frame: Frame): void {
    const operation = this.#copying(frame);
    const rest = this.#copyOut.end();
    if (rest !== undefined) this.#show(rest.piece, operation, rest, 0);
    if (operation.refused === undefined) this.#out.add(frame);
  }

  #copying({ type }: Frame): OpenOperation {
    const operation = runningOf(this.#state.pipeline.head);
    if (operation === undefined || !this.#copyOut.running) throw unexpected(type);
    return operation;
  }

  copyStarted(): void {
    this.#copyOut.start(this.#state.pipeline.head, this.#state.masks);
  }

  /** The statement has ended. @returns Whether a COPY to the client was under way: its rows were counted as they came. */
  endCopy(): boolean {
    const { running } = this.#copyOut;
    this.#copyOut.end();
    return running;
  }

  /** The statement has failed. */
  failed(): void {
    this.#copyOut.end();
    this.#withheld.clear();
  }

  /** @param frame A RowDescription. @returns How its rows are shown. */
  plan(frame: Frame, plan: Portal['plan'] | undefined): RowPlan {
    if (plan === undefined) throw unexpected(frame.type);
    if (!this.#state.masks.active) return ALL_SHOWN;
    return this.#state.masks.described(frame.body, plan);
  }

  /** Before the message that ends a statement's rows. */
  tellWithheld(head: Expected | undefined): void {
    const portal = head?.kind === 'execute' ? head.portal : undefined;
    const notice = this.#withheld.told(rowsOf(this.#state.pipeline.head), portal);
    if (notice !== undefined) this.#out.add({ chunk: notice, start: 0, end: notice.length });
    const planned = head?.kind === 'query' ? head.planned : portal?.planned;
    const computed = this.#withheld.computed(planned?.writtenAnew?.columns, portal);
    if (computed !== undefined) this.#out.add({ chunk: computed, start: 0, end: computed.length });
  }
}
