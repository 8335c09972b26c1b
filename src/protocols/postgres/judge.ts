import { type HoopError, isHoopError, toHoopError } from '../../core/errors.ts';
import type { Refusal, Verdict } from '../../enforcement/operation.ts';
import { denialFor } from './denial.ts';
import { type Planned, refused, type StatementPlanner } from './planner.ts';
import type { SessionState } from './state.ts';

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

  /** Plans the SQL of a message; one that cannot be read gives a plan that is refused. */
  async read(decode: () => string): Promise<{ planned: Planned; statement: string | undefined }> {
    let statement: string | undefined;
    try {
      statement = decode();
      const planned = this.#planner.planned(statement) ?? (await this.#planner.plan(statement));
      return { planned, statement };
    } catch (error) {
      if (!isHoopError(error)) throw error;
      return { planned: refused('‹statement that cannot be read›', asRefusal(error)), statement };
    }
  }

  /** Whether policy allows it now; not on record. */
  allows(planned: Planned): boolean {
    const { session, enforcer } = this.#state.context;
    return enforcer.evaluate(session.principal, planned.pairs, planned.context).effect === 'allow';
  }

  /**
   * @returns The verdict, on record; a denial where audit or recording cannot be written.
   * @throws {HoopError} `ERR_REVOKED`, `ERR_LOGIN_EXPIRED`: end the session.
   */
  async decide(planned: Planned, original: Original): Promise<Verdict> {
    const { session, enforcer, recorder } = this.#state.context;
    try {
      const refusal = recorder.failed === undefined ? planned.refusal : NOT_RECORDED;
      const verdict = await enforcer.decide({
        session,
        pairs: planned.pairs,
        context: planned.context,
        text: planned.text,
        original,
        ...(refusal === undefined ? {} : { refusal }),
      });
      recorder.request(planned.text, verdict.operation);
      return verdict;
    } catch (error) {
      const known = toHoopError(error);
      if (known.code !== 'ERR_AUDIT_UNAVAILABLE') throw known;
      return { effect: 'deny', operation: '', denial: denialFor(known) };
    }
  }
}

/** A recording that broke off is not taken up again: the next session has one of its own. */
const NOT_RECORDED: Refusal = {
  code: 'ERR_RECORDING_UNAVAILABLE',
  rule: 'recording-unavailable',
  reason: "this session's recording cannot be written any more",
  hint: 'connect again; if that is refused too, ask the operator of the gateway whether its disk is full',
};

function asRefusal(error: HoopError): Refusal {
  return {
    code: error.code,
    rule: 'unreadable-statement',
    reason: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}
