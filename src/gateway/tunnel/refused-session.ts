import { HoopError } from '../../core/errors.ts';
import type { Denial } from '../../enforcement/operation.ts';

export const LIST_HINT = 'see what you may reach: hoopctl resource list';

/** Rules of nobody: their name is not told to whoever asks. */
const UNSPOKEN = new Set(['default-deny', 'policy-error', 'too-many-pairs', 'nothing-to-decide']);

/** A session that does not begin although `connect` was asked for it. */
export class RefusedSession extends Error {
  readonly error: HoopError;
  /** Of the question. */
  readonly operation: string;
  /** The rule that decided; undefined where none did. */
  readonly rule: string | undefined;

  constructor(error: HoopError, operation: string, rule?: string) {
    super(error.message);
    this.error = error;
    this.operation = operation;
    this.rule = rule;
  }

  /**
   * A default deny and an unknown name give the same answer, so that names cannot be guessed; a rule that forbids
   * speaks for itself.
   */
  static by({ code, rule, reason, hint }: Denial, operation: string): RefusedSession {
    if (!UNSPOKEN.has(rule))
      return new RefusedSession(new HoopError(code, reason, { hint }), operation, rule);
    return new RefusedSession(new HoopError('ERR_NO_ACCESS', undefined, { hint: LIST_HINT }), operation);
  }
}
