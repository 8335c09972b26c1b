import { type HoopError, isHoopError, toHoopError } from '../../../core/errors.ts';
import { after, type Later, rescued } from '../../../core/later.ts';
import type { Refusal, Verdict } from '../../../enforcement/operation.ts';
import { denialFor } from '../denial.ts';
import { HINTS } from '../hints.ts';
import type { SessionState } from '../relay/state.ts';
import { type Planned, refused, type StatementPlanner } from './planner.ts';
import { writesMaskBack } from './write-back.ts';

/** What was really asked: sealed in the audit. */
export interface Original {
  readonly statement?: string;
  readonly parameters?: readonly (string | null)[];
}

/** Brings what a client sends before the enforcer, and on record. */
export class Judge {
  readonly #state: SessionState;
  readonly #planner: StatementPlanner;

  constructor(state: SessionState, planner: StatementPlanner) {
    this.#state = state;
    this.#planner = planner;
  }

  /**
   * Plans the SQL of a message; one that cannot be read gives a plan that is refused.
   *
   * @param types Asked when the text is decoded: OIDs of its parameters' types.
   */
  read(
    decode: () => string,
    types: () => readonly number[] = () => [],
  ): Later<{ planned: Planned; statement: string | undefined }> {
    let statement: string | undefined;
    const plan = () => {
      const text = decode();
      statement = text;
      const given = types();
      return this.#planner.planned(text, given) ?? this.#planner.plan(text, given);
    };
    const unreadable = (error: unknown) => {
      if (!isHoopError(error)) throw error;
      return refused('‹statement that cannot be read›', asRefusal(error));
    };
    return after(rescued(plan, unreadable), (planned) => ({ planned, statement }));
  }

  /** Whether policy allows it now; not on record. */
  allows(planned: Planned): boolean {
    const { session, enforcer } = this.#state.context;
    return enforcer.evaluate(session.principal, planned.pairs, planned.context).effect === 'allow';
  }

  /**
   * @returns The verdict, on record; a denial where audit or recording cannot be written.
   * @throws {HoopError} `ERR_REVOKED`, `ERR_LOGIN_EXPIRED`, at once or later: end the session.
   */
  decide(planned: Planned, original: Original): Later<Verdict> {
    const { session, enforcer, recorder } = this.#state.context;
    const { pairs, context, text } = planned;
    const refusal =
      recorder.failed === undefined ? (planned.refusal ?? writesMaskBack(planned, original)) : NOT_RECORDED;
    const question = { session, pairs, context, text, original };
    const ask = () =>
      after(enforcer.decide(refusal === undefined ? question : { ...question, refusal }), (verdict) => {
        recorder.request(text, verdict.operation);
        return verdict;
      });
    return rescued(ask, notOnRecord);
  }

  /**
   * While the decision was made the server failed the batch, and would skip this message, or the session ended: nobody
   * sends it.
   */
  skipped(verdict: Verdict): boolean {
    if (!this.#state.pipeline.skipping && !this.#state.ended) return false;
    if (verdict.effect === 'allow') this.#state.operations.opened(verdict.operation).close('unknown');
    return true;
  }
}

function notOnRecord(error: unknown): Verdict {
  const known = toHoopError(error);
  if (known.code !== 'ERR_AUDIT_UNAVAILABLE') throw known;
  return { effect: 'deny', operation: '', denial: denialFor(known) };
}

/** A recording that broke off is not taken up again: the next session has one of its own. */
const NOT_RECORDED: Refusal = {
  code: 'ERR_RECORDING_UNAVAILABLE',
  rule: 'recording-unavailable',
  reason: "this session's recording cannot be written any more",
  hint: HINTS.connectAgain,
};

function asRefusal(error: HoopError): Refusal {
  return {
    code: error.code,
    rule: 'unreadable-statement',
    reason: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}
