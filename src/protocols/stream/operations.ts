import type { Clock } from '../../core/clock.ts';
import type { Denial, Enforcer, Outcome, SessionRef } from '../../enforcement/operation.ts';
import type { RowBound } from '../../policy/model.ts';

/** One operation that was allowed and whose outcome is not known yet. */
export class OpenOperation {
  readonly id: string;
  /** How many rows its transaction may change. */
  readonly bound: RowBound | undefined;
  /** It changed more: it must be undone, and the client is told this. */
  refused: Denial | undefined;
  rows = 0;
  bytes = 0;
  maskedValues = 0;
  /** A portal of it was suspended: if that is then dropped, it did what it was asked. */
  answered = false;
  readonly #startedAt: number;
  readonly #ledger: OperationLedger;

  constructor(id: string, bound: RowBound | undefined, startedAt: number, ledger: OperationLedger) {
    this.id = id;
    this.bound = bound;
    this.#startedAt = startedAt;
    this.#ledger = ledger;
  }

  get open(): boolean {
    return this.#ledger.has(this);
  }

  /** Records the outcome; the first call counts, later ones do nothing. */
  close(outcome: Outcome['outcome'], sqlstate?: string, reason?: string): void {
    this.#ledger.close(this, this.#startedAt, { outcome, sqlstate, reason });
  }
}

interface Ending {
  readonly outcome: Outcome['outcome'];
  readonly sqlstate: string | undefined;
  readonly reason: string | undefined;
}

/** A session's open operations: each allow is followed by exactly one outcome, whatever becomes of the session. */
export class OperationLedger {
  readonly #open = new Set<OpenOperation>();
  readonly #session: SessionRef;
  readonly #enforcer: Enforcer;
  readonly #clock: Clock;

  constructor(session: SessionRef, enforcer: Enforcer, clock: Clock) {
    this.#session = session;
    this.#enforcer = enforcer;
    this.#clock = clock;
  }

  opened(id: string, bound?: RowBound): OpenOperation {
    const operation = new OpenOperation(id, bound, this.#clock.now(), this);
    this.#open.add(operation);
    return operation;
  }

  has(operation: OpenOperation): boolean {
    return this.#open.has(operation);
  }

  close(operation: OpenOperation, startedAt: number, { outcome, sqlstate, reason }: Ending): void {
    if (!this.#open.delete(operation)) return;
    this.#enforcer.close(this.#session, operation.id, {
      outcome,
      ...(reason === undefined ? {} : { reason }),
      ...(sqlstate === undefined ? {} : { sqlstate }),
      rows: operation.rows,
      bytes: operation.bytes,
      maskedValues: operation.maskedValues,
      durationMs: this.#clock.now() - startedAt,
    });
  }

  /** The session is over: what has no outcome yet is unknown. */
  closeAll(): void {
    for (const operation of [...this.#open]) operation.close(operation.answered ? 'success' : 'unknown');
  }

  get busy(): boolean {
    return this.#open.size > 0;
  }
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
