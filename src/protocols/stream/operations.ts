import type { Clock } from '../../core/clock.ts';
import type { Denial, Enforcer, Outcome, SessionRef, Verdict } from '../../enforcement/operation.ts';
import type { AnswerLimits, RowBound } from '../../policy/model.ts';

type Allowed = Extract<Verdict, { effect: 'allow' }>;

/** One operation that was allowed and whose outcome is not known yet. */
export class OpenOperation {
  readonly effect = 'allow';
  readonly id: string;
  /** In the recording. */
  readonly number: number;
  /** As `Guard.policyVersion` when it was allowed. */
  readonly policyVersion: string;
  /** Under which approvals it was allowed, where people had to say yes. */
  readonly approvals: readonly string[] | undefined;
  /** How many rows its transaction may change; taken off by the adapter where it changes none. */
  bound: RowBound | undefined;
  /** What its answer may come to; taken off by the adapter where they are not about it. */
  limits: AnswerLimits | undefined;
  /** It went over its bound or a limit: it must be undone, and the client is told this. */
  refused: Denial | undefined;
  rows = 0;
  bytes = 0;
  maskedValues = 0;
  /** It was answered in part, and may go on: if it is dropped then, it did what it was asked. */
  answered = false;
  readonly #startedAt: number;
  readonly #ledger: OperationLedger;

  constructor(
    allowed: Allowed,
    standing: string,
    number: number,
    startedAt: number,
    ledger: OperationLedger,
  ) {
    this.id = allowed.operation;
    this.number = number;
    this.policyVersion = `${allowed.policyVersion}${standing}`;
    this.approvals = allowed.approvals;
    this.bound = allowed.rows;
    this.limits = allowed.limits;
    this.#startedAt = startedAt;
    this.#ledger = ledger;
  }

  get open(): boolean {
    return this.#ledger.has(this);
  }

  /**
   * Records the outcome; the first call counts, later ones do nothing.
   *
   * @param status The target's own word for how it failed, in its protocol's terms.
   * @param reason Why the gateway itself undid it.
   */
  close(outcome: Outcome['outcome'], status?: string, reason?: string): void {
    this.#ledger.close(this, this.#startedAt, { outcome, status, reason });
  }

  /** Nobody waits for what it still does: it did what it was asked, or nobody knows. */
  drop(): void {
    this.close(this.answered ? 'success' : 'unknown');
  }
}

interface Ending {
  readonly outcome: Outcome['outcome'];
  readonly status: string | undefined;
  readonly reason: string | undefined;
}

/** A stream's open operations: each allow is followed by exactly one outcome, whatever becomes of the stream. */
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

  opened(allowed: Allowed, standing: string, number: number): OpenOperation {
    const operation = new OpenOperation(allowed, standing, number, this.#clock.now(), this);
    this.#open.add(operation);
    return operation;
  }

  has(operation: OpenOperation): boolean {
    return this.#open.has(operation);
  }

  close(operation: OpenOperation, startedAt: number, { outcome, status, reason }: Ending): void {
    if (!this.#open.delete(operation)) return;
    this.#enforcer.close(this.#session, operation.id, {
      outcome,
      ...(reason === undefined ? {} : { reason }),
      ...(status === undefined ? {} : { status }),
      rows: operation.rows,
      bytes: operation.bytes,
      maskedValues: operation.maskedValues,
      durationMs: this.#clock.now() - startedAt,
    });
  }

  closeAll(): void {
    for (const operation of [...this.#open]) operation.drop();
  }

  get busy(): boolean {
    return this.#open.size > 0;
  }
}
