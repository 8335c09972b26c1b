import { HoopError } from '../../../core/errors.ts';
import type { Pair, PolicyObject } from '../../../policy/model.ts';
import type { Frame } from '../../../wire/postgres/frame.ts';
import type { Guard } from '../../stream/guard.ts';
import { CATALOG_UNAVAILABLE } from '../catalog/unavailable.ts';
import { Entities } from '../entities.ts';
import { HINTS } from '../hints.ts';
import type { PostgresRefusal } from '../refusals.ts';
import type { SessionMasks } from '../shown/masks.ts';
import { unreadPlan } from '../sql/meaning/plan.ts';
import { UNCERTAIN_NAME } from '../sql/meaning/uncertain-name.ts';
import { STALE_NAMES } from './analysed-names.ts';
import type { Planned } from './planner.ts';

const UNREAD_SESSION: PostgresRefusal = {
  code: 'ERR_DENIED',
  rule: 'unread-session',
  reason:
    'this session reads SQL in a way that the gateway does not follow, and what it may do has changed since',
  hint: HINTS.connectAnew,
};

/** What is asked of the guard. */
type Asked = Pick<Guard, 'allows' | 'policyVersion'>;

/** Not a matter of what is understood: policy and audit would name another object than the one that is read. */
const FIRM: ReadonlySet<string> = new Set([UNCERTAIN_NAME, STALE_NAMES, CATALOG_UNAVAILABLE]);

/**
 * Statements that the gateway cannot read, for a principal who loses nothing by it: nothing of the resource is masked for
 * it, and policy permits it all of `sql.do`, `sql.admin` and `sql.set-unsafe`, by which it could do the same in ways
 * that nobody reads. Then the server is the one who says what is wrong with a statement. For everybody else such a
 * statement is refused.
 *
 * A session of which the server reads SQL otherwise than our parser does (`standard_conforming_strings` off, another
 * encoding), or in which a text went through that our parser refuses, stays unread to its end: each of its statements
 * needs those rights.
 *
 * @see docs/security.md "Statements that nobody reads"
 */
export class UnreadStatements {
  /** Nothing that our parser says of this session's texts counts any more. */
  wholeSession = false;
  readonly #guard: Asked;
  readonly #masks: Pick<SessionMasks, 'active'>;
  readonly #pairs: readonly Pair[];
  /** What policy said last, and under which word: it is asked with each statement of a migration. */
  #permits: { readonly under: string; readonly permitted: boolean } | undefined;

  constructor(guard: Asked, masks: Pick<SessionMasks, 'active'>, resource: PolicyObject) {
    this.#guard = guard;
    this.#masks = masks;
    this.#pairs = [
      { action: 'sql.do', object: resource },
      { action: 'sql.admin', object: resource },
      { action: 'sql.set-unsafe', object: new Entities(resource).setting('all', false) },
    ];
  }

  /** @throws {HoopError} `ERR_SESSION_ENDED`: the server reads SQL otherwise from now on, and the principal may not. */
  readOtherwise(setting: string): void {
    if (!this.permitted)
      throw new HoopError('ERR_SESSION_ENDED', `the session was ended: ${setting} was changed`);
    this.wholeSession = true;
  }

  /** Whether policy, as it is now, lets the principal run what the gateway cannot read. */
  get permitted(): boolean {
    if (this.#masks.active) return false;
    const under = this.#guard.policyVersion();
    if (this.#permits?.under !== under)
      this.#permits = { under, permitted: this.#guard.allows(this.#pairs, {}) };
    return this.#permits.permitted;
  }

  /**
   * @param planned A plan as analysis made it, perhaps with a refusal.
   * @returns The same, unless it was refused for not being understood, or the session is unread, and the principal may
   *   run it nevertheless: then a plan that asks for the broad rights as well.
   */
  admit(planned: Planned): Planned {
    // What a session may make us hold is bounded whatever it may do, and what is masked is not known without a catalog.
    if (planned.refusal?.code === 'ERR_LIMIT') return planned;
    if (planned.refusal !== undefined && FIRM.has(planned.refusal.rule)) return planned;
    if (!this.wholeSession && planned.refusal === undefined) return planned;
    if (!this.permitted) return this.wholeSession ? { ...planned, refusal: UNREAD_SESSION } : planned;
    // Masks are off: whatever was refused was refused because it is not understood, or too large to be.
    if (this.wholeSession || planned.plans.length === 0) return this.#unread(planned);
    const { refusal: _, ...rest } = planned;
    return { ...rest, pairs: [...planned.pairs, ...this.#pairs] };
  }

  #unread(planned: Planned): Planned {
    const plan = { ...unreadPlan({ tag: '', kind: 'utility' }), pairs: this.#pairs };
    const text = planned.plans.length === 0 ? planned.text : '‹statement of a session that is not read›';
    return { plans: [plan], pairs: this.#pairs, context: {}, text, unread: true };
  }
}

/** By these SQL is read. They are pinned, but a pooler before the target may give back others: the server reports it. */
const READS_BY: ReadonlySet<string | undefined> = new Set([
  'standard_conforming_strings',
  'client_encoding',
  'names',
  'all',
]);

/**
 * Whether what follows may mean something else once it has run, because SQL is read otherwise or names stand for
 * something else: its answer is awaited before anything is judged.
 */
export function changesReading(planned: Planned): boolean {
  return (
    planned.unread === true ||
    planned.plans.some(({ ddl, setting }) => ddl || READS_BY.has(setting?.name)) ||
    planned.pairs.some(({ action }) => action === 'sql.set-unsafe' || action === 'sql.do')
  );
}

/** What cannot be read as text is kept for the audit octet by octet. */
export function unreadOriginal(planned: Planned, frame: Frame): { statement?: string } {
  return planned.unread === true ? { statement: frame.body.toString('latin1') } : {};
}
