import { HoopError } from '../../core/errors.ts';
import type { Verdict } from '../../enforcement/operation.ts';

export const LIST_HINT = 'see what you may reach: hoopctl resource list';

type Denied = Extract<Verdict, { effect: 'deny' }>;

/** A session that does not begin although `connect` was asked for it. */
export class RefusedSession extends Error {
  readonly error: HoopError;
  /** Of the question. */
  readonly operation: string;
  /** The rule that decided; undefined where none did. */
  readonly rule: string | undefined;

  /** The request that people decide, where it was asked for. */
  readonly approval: string | undefined;

  constructor(error: HoopError, operation: string, rule?: string, approval?: string) {
    super(error.message);
    this.error = error;
    this.operation = operation;
    this.rule = rule;
    this.approval = approval;
  }

  /**
   * A default deny and an unknown name give the same answer, so that names cannot be guessed; a rule that forbids
   * speaks for itself, in its author's words alone: without a reason hoopctl says that there is no access.
   */
  static by({ operation, denial, by: rule }: Denied): RefusedSession {
    if (rule === undefined)
      return new RefusedSession(new HoopError('ERR_NO_ACCESS', undefined, { hint: LIST_HINT }), operation);
    const held = denial.code === 'ERR_APPROVAL_REQUIRED';
    const hint = held || denial.passes === true ? denial.hint : (rule.hint ?? LIST_HINT);
    const error = new HoopError(denial.code, rule.reason, { hint });
    return new RefusedSession(error, operation, rule.id, denial.approval);
  }
}
