import type { Denial } from '../../../enforcement/operation.ts';
import type { RowBound } from '../../../policy/model.ts';
import type { Frame } from '../../../wire/postgres/frame.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import type { Planned } from '../reading/planner.ts';
import { type Expected, settle } from './pipeline.ts';

type QueryEntry = Extract<Expected, { kind: 'query' }>;

/**
 * The bound under which a statement runs; none where it is only prepared or explained. Pure.
 *
 * @param inner What runs is the statement that a PREPARE has named, as when the wire binds it.
 */
export function boundOf({ bound }: OpenOperation, planned: Planned, inner = false): RowBound | undefined {
  return !inner && planned.plans.every(({ changesNothing }) => changesNothing) ? undefined : bound;
}

/**
 * Rows that one transaction has changed under a bound, as the server has counted them. It is the sum that is bounded, or
 * many small changes would be one large one; and what a savepoint took back counts.
 */
export class ChangedRows {
  #sum = 0;

  /** The transaction is over. */
  reset(): void {
    this.#sum = 0;
  }

  /** A simple query is done and not committed yet: its client gets the CommandComplete once it is. */
  settle({ operation, counted }: Pick<QueryEntry, 'operation' | 'counted'>, complete: Frame): void {
    if (operation === undefined || counted === undefined) return;
    const within = this.count(operation, rowsWritten(complete.body)) && operation.refused === undefined;
    if (within) counted.tag = Buffer.from(complete.raw);
    settle(counted);
  }

  /**
   * Counts what a bounded operation says it has changed; beyond its bound the operation is over, and `refused`.
   *
   * @param rows Undefined: nobody knows how many, as where a portal is suspended: all of it is done, and only behind its
   *   last row the server says how much it was.
   * @returns Whether it is within its bound.
   */
  count(operation: OpenOperation, rows: number | undefined): boolean {
    const { bound } = operation;
    if (bound === undefined) return true;
    this.#sum += rows ?? 0;
    if (rows !== undefined && this.#sum <= bound.max) return true;
    if (rows !== undefined) operation.rows = rows;
    operation.refused = overBound(bound, rows === undefined ? undefined : this.#sum);
    operation.close('failure', '42501', 'refused: rows');
    return false;
  }
}

function overBound({ max, rule }: RowBound, rows: number | undefined): Denial {
  const what = rows === undefined ? 'the rows of this change are not known' : `${rows} rows were changed`;
  return {
    code: 'ERR_DENIED',
    message: `${what}, and rule ${JSON.stringify(rule.id)} allows ${max} in one transaction: nothing of it is kept`,
    rule: rule.id,
    reason: rule.reason ?? `one transaction may change ${max} rows`,
    hint: rule.hint ?? 'change fewer rows, or ask the operator of the gateway who may change more',
    next: 'less',
    most: max,
  };
}

const WRITTEN = /^(?:INSERT \d+|UPDATE|DELETE|MERGE|COPY) (\d{1,15})\0$/;

/**
 * Rows that a command says it has written: the number in its CommandComplete.
 *
 * @param body Of a CommandComplete.
 * @returns Undefined for a command that tells no such number. Pure.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html (CommandComplete)
 */
export function rowsWritten(body: Buffer): number | undefined {
  if (body.length > 64) return undefined;
  const [, rows] = WRITTEN.exec(body.toString('latin1')) ?? [];
  return rows === undefined ? undefined : Number(rows);
}
