import type { ExchangeHead, ExchangeSide } from '../../api/replay.ts';
import type { Clock } from '../../core/clock.ts';
import { toHoopError } from '../../core/errors.ts';
import { surestRun } from '../../core/ids/runs.ts';
import { after, type Later, rescued } from '../../core/later.ts';
import { errorDenial } from '../../enforcement/denial.ts';
import type { Enforcer, Operation, Refusal, SessionRef, Verdict } from '../../enforcement/operation.ts';
import type { GeneralRule } from '../../enforcement/refusals.ts';
import type { CredentialCheck, Principal } from '../../identity/principal.ts';
import type { PseudonymKey, Pseudonyms } from '../../masking/pseudonyms.ts';
import type { Decision, Pair, PolicyObject, PolicyValue, Reach, Reveal } from '../../policy/model.ts';
import type { StreamRecorder } from '../../recording/recorder.ts';
import { type OpenOperation, OperationLedger } from './operations.ts';
import { Standing } from './standing.ts';

/** One thing that a client asks of the target: an `Operation` without its session, which the guard knows. */
export type Question = Omit<Operation, 'session'>;

/** The answer of one who may not: nothing goes to the target, and the client is told `denial`. */
export type Denied = Extract<Verdict, { effect: 'deny' }> & Recorded;

/** What frames of the recording belong to. */
interface Recorded {
  /** The operation's number in the recording; 0: it is not in there. */
  readonly number: number;
}

/** What a session counts, over all its streams. */
export interface Tally {
  operations: number;
  denied: number;
}

export interface GuardParts {
  readonly session: SessionRef;
  readonly enforcer: Enforcer;
  readonly credentials: CredentialCheck;
  readonly pseudonyms: PseudonymKey;
  readonly recorder: StreamRecorder;
  /** Of one more stream of the session: a channel of this one. */
  readonly nextRecorder: () => StreamRecorder;
  readonly clock: Clock;
  /** Counted up with every question and every denial. */
  readonly tally: Tally;
}

/**
 * All that an adapter knows of policy, audit and recording: made by the gateway for each stream. What an adapter asks here
 * is judged, on record and counted; what it shows is recorded before the client is given it.
 */
export class Guard {
  readonly #parts: GuardParts;
  readonly #session: SessionRef;
  readonly #enforcer: Enforcer;
  readonly #recorder: StreamRecorder;
  readonly #tally: Tally;
  readonly #ledger: OperationLedger;
  readonly #standing: Standing;

  constructor(parts: GuardParts, ledger?: OperationLedger) {
    const { session, enforcer, credentials, recorder, clock, tally } = parts;
    this.#parts = parts;
    this.#session = session;
    this.#enforcer = enforcer;
    this.#recorder = recorder;
    this.#tally = tally;
    this.#ledger = ledger ?? new OperationLedger(session, enforcer, clock);
    this.#standing = new Standing(credentials, session.principal);
  }

  /** As of the last renewal. */
  get principal(): Principal {
    return this.#parts.credentials.current(this.#session.principal);
  }

  /** A guard for one channel of the stream: recorded apart, and over with the stream at the latest. */
  channel(): Guard {
    return new Guard({ ...this.#parts, recorder: this.#parts.nextRecorder() }, this.#ledger);
  }

  /**
   * Decides whether one operation may go to the target. The decision is on record, in the audit and in the recording, when
   * the answer is there.
   *
   * @returns An operation that must be closed once its outcome is known, or a denial: policy's, the adapter's own
   *   (`question.refusal`), or that the audit or the recording cannot be written. At once where all of it is at hand.
   * @throws {HoopError} `ERR_REVOKED`, `ERR_LOGIN_EXPIRED`, at once or later: end the session.
   */
  ask(question: Question): Later<OpenOperation | Denied> {
    this.#tally.operations++;
    // Asked in the same breath as the decision: both see the same principal.
    const standing = this.#standing.word;
    const ask = () =>
      after(this.#enforcer.decide(this.#operation(question)), (verdict) =>
        this.#answer(question, verdict, standing),
      );
    return rescued(ask, notOnRecord);
  }

  #operation(question: Question): Operation {
    const operation = { ...question, session: this.#session };
    return this.#recorder.failed === undefined ? operation : { ...operation, refusal: NOT_RECORDED };
  }

  #answer({ text }: Question, verdict: Verdict, standing: string): OpenOperation | Denied {
    if (verdict.effect === 'deny' && verdict.told !== true) this.#tally.denied++;
    const number = this.#recorder.request(text, verdict.operation);
    if (verdict.effect === 'deny') return { ...verdict, number };
    return this.#ledger.opened(verdict, standing, number);
  }

  /**
   * Whether policy, as it is now, allows all pairs together; not on record. For what is not yet an operation: opening a
   * session, preparing a statement, listing. Never throws.
   */
  allows(pairs: readonly Pair[], context: Readonly<Record<string, PolicyValue>>): boolean {
    return this.weighs(pairs, context).effect === 'allow';
  }

  /** Whether policy, as it is now, denies any pair for good: what people may allow is not denied. Not on record; never throws. */
  denies(pairs: readonly Pair[], context: Readonly<Record<string, PolicyValue>>): boolean {
    return this.weighs(pairs, context).effect === 'deny';
  }

  /** What policy, as it is now, says of all pairs together, and by which rules. Not on record; never throws. */
  weighs(pairs: readonly Pair[], context: Readonly<Record<string, PolicyValue>>): Decision {
    return this.#enforcer.evaluate(this.#session.principal, pairs, context);
  }

  /** Whether a value of this kind is shown, or how it is masked; remembered. Never throws. */
  reveal(object: PolicyObject): Reveal {
    return this.#enforcer.reveal(this.#session, object);
  }

  /** As `Enforcer.mayEver`, of this session's principal. */
  mayEver(action: string, object: PolicyObject, reach: Reach): boolean {
    return this.#enforcer.mayEver(this.#session.principal, action, object, reach);
  }

  /**
   * Pseudonyms of values that may be compared with each other: the same for this principal at this resource, in its run, or in
   * this session where it is of none. Whoever may write such values, or has them shown on request, must not be given any.
   *
   * @param domain Which values: the same word, the same pseudonyms.
   */
  pseudonyms(domain: string): Pseudonyms {
    const { principal, resource, id } = this.#session;
    const { kind, name, issuer, subject, attested, run } = principal;
    const within = surestRun(attested, run) ?? `session=${id}`;
    return this.#parts.pseudonyms.of([kind, name, issuer, subject, within, resource.id], domain);
  }

  /**
   * A word for what decides: it changes with the policies, and when a renewal has changed what the principal is. What was
   * planned or masked under another is made anew.
   */
  policyVersion(): string {
    return `${this.#enforcer.policyVersion()}${this.#standing.word}`;
  }

  /** Records what the client is about to be given, masked as it is given. Call it before the bytes are written. */
  shown(bytes: Uint8Array): void {
    this.#recorder.response(bytes);
  }

  /** As `shown`, of an exchange: a head of either side, of the request without what is secret in it. */
  head(side: ExchangeSide, head: ExchangeHead, { number }: Recorded): void {
    this.#recorder.head(side, head, number);
  }

  /** As `shown`, of an exchange: a piece of either side's body. */
  body(side: ExchangeSide, bytes: Uint8Array, { number }: Recorded): void {
    this.#recorder.body(side, bytes, number);
  }

  /** As `shown`, of a connection that carries messages, of a terminal or a pipe: what the client said, without what is secret in it. */
  input(bytes: Uint8Array, { number }: Recorded): void {
    this.#recorder.input(bytes, number);
  }

  /** As `shown`, of a connection that carries messages, of a terminal or a pipe. */
  output(bytes: Uint8Array, { number }: Recorded): void {
    this.#recorder.output(bytes, number);
  }

  /** As `output`, of the second stream that a pipe may have. */
  stderr(bytes: Uint8Array, { number }: Recorded): void {
    this.#recorder.stderr(bytes, number);
  }

  /** The size of a terminal, cells. */
  resized(columns: number, rows: number, { number }: Recorded): void {
    this.#recorder.resize(columns, rows, number);
  }

  /** How what was asked for ended, in the protocol's words: `exit 1`. */
  ended(status: string, { number }: Recorded): void {
    this.#recorder.status(status, number);
  }

  /** A channel has ended before its stream. */
  closed(reason: string): void {
    this.#recorder.closed(reason);
  }

  /** A word of the gateway's own in the recording. */
  note(text: string, { number }: Recorded): void {
    this.#recorder.note(text, number);
  }

  /** Octets that were shown and wait for the disk. */
  get pendingBytes(): number {
    return this.#recorder.pendingBytes;
  }

  /** Resolves when far fewer octets wait for the disk, or the recording has failed. */
  drained(): Promise<void> {
    return this.#recorder.drained();
  }

  /** Whether the target may still be at work for this stream. */
  get busy(): boolean {
    return this.#ledger.busy;
  }

  /** The stream is over: operations without an outcome get theirs. Safe to call twice. */
  closeAll(): void {
    this.#ledger.closeAll();
  }
}

function notOnRecord(error: unknown): Denied {
  const known = toHoopError(error);
  if (known.code !== 'ERR_AUDIT_UNAVAILABLE') throw known;
  return { effect: 'deny', operation: '', number: 0, denial: errorDenial(known) };
}

/** A recording that broke off is not taken up again: the next session has one of its own. */
const NOT_RECORDED: Refusal<GeneralRule> = {
  code: 'ERR_RECORDING_UNAVAILABLE',
  rule: 'recording-unavailable',
  reason: "this session's recording cannot be written any more",
  hint: 'connect again; if that is refused too, ask the operator of the gateway whether its disk is full',
};
