import type { ApprovalTrial, TriedOut } from '../../api/approvals.ts';
import type { Approval } from '../../approval/model.ts';
import type { Actor, AuditLog, EventFields } from '../../audit/event.ts';
import type { Clock } from '../../core/clock.ts';
import { HoopError, toHoopError } from '../../core/errors.ts';
import type { Adapter, Viewer } from '../../protocols/adapter.ts';

export interface TrialsParts {
  readonly audit: AuditLog;
  readonly clock: Clock;
  /** Holds the resource's adapter while it tries; undefined where there is none any more. */
  readonly adapter: (resource: string) => { readonly adapter: Adapter; release(): void } | undefined;
}

/** At once, in the whole gateway: each holds locks at a target. */
const AT_ONCE = 4;
const PER_MINUTE = 6;
const MINUTE_MS = 60_000;

/** Where operations that wait for people are tried out: each try on record before it begins, and what came of it. */
export class ApprovalTrials {
  readonly #parts: TrialsParts;
  /** Resources at which one is under way. */
  readonly #busy = new Set<string>();
  /** When each request was tried within the last minute, oldest first. */
  readonly #tried = new Map<string, number[]>();

  constructor(parts: TrialsParts) {
    this.#parts = parts;
  }

  /**
   * @param actor Who tries it. Whether they may is the caller's to ask.
   * @param viewer What they may see.
   * @param signal Aborted when they do not wait for it any more.
   * @throws {HoopError} `ERR_NOT_TRIED` it cannot be tried so that nothing remains; `ERR_LIMIT`, `ERR_BUSY`;
   *   `ERR_AUDIT_UNAVAILABLE`; `ERR_TARGET_…`.
   */
  async run(actor: Actor, approval: Approval, viewer: Viewer, signal: AbortSignal): Promise<ApprovalTrial> {
    const { id, resource, trial, notTried } = approval;
    if (trial === undefined) throw cannotBeTried(notTried ?? 'how it would run was not kept');
    const held = this.#parts.adapter(resource);
    try {
      if (held?.adapter.tryOut === undefined) throw cannotBeTried('its resource is not there any more');
      this.#demandRoom(approval);
      this.#busy.add(resource);
      try {
        return await this.#recorded(actor, approval, () => held.adapter.tryOut!(trial, viewer, signal), id);
      } finally {
        this.#busy.delete(resource);
      }
    } finally {
      held?.release();
    }
  }

  #demandRoom({ id, resource }: Approval): void {
    const now = this.#parts.clock.now();
    for (const [tried, times] of this.#tried)
      if (now - (times.at(-1) ?? 0) >= MINUTE_MS) this.#tried.delete(tried);
    const times = (this.#tried.get(id) ?? []).filter((at) => now - at < MINUTE_MS);
    if (times.length >= PER_MINUTE)
      throw new HoopError('ERR_LIMIT', `one request is tried ${PER_MINUTE} times a minute at most`, {
        hint: 'wait a minute',
      });
    if (this.#busy.has(resource) || this.#busy.size >= AT_ONCE)
      throw new HoopError('ERR_BUSY', 'something else is tried out just now', {
        hint: 'try again in a few seconds',
      });
    this.#tried.set(id, [...times, now]);
  }

  async #recorded(
    actor: Actor,
    approval: Approval,
    run: () => Promise<TriedOut>,
    id: string,
  ): Promise<ApprovalTrial> {
    await this.#record(actor, approval, {});
    const startedAt = performance.now();
    const took = () => ({ durationMs: Math.round(performance.now() - startedAt) });
    try {
      const tried = await run();
      const { rows, fails } = tried;
      const outcome = fails === undefined ? 'success' : 'failure';
      const known = {
        ...(rows === undefined ? {} : { rows }),
        ...(fails === undefined ? {} : { status: fails.status }),
      };
      await this.#record(actor, approval, { outcome, ...known, ...took() }, shownFacts(tried));
      return { schemaVersion: 1, id, ...tried };
    } catch (error) {
      const { code, message } = toHoopError(error);
      if (code !== 'ERR_AUDIT_UNAVAILABLE')
        await this.#record(actor, approval, { outcome: 'failure', reason: `${code}: ${message}`, ...took() });
      throw error;
    }
  }

  async #record(
    actor: Actor,
    approval: Approval,
    fields: EventFields,
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { id, session, resource, protocol } = approval;
    const event = { type: 'approval.tried', actor, session, resource, protocol } as const;
    await this.#parts.audit.append({ ...event, ...fields, facts: { approval: id, ...more } });
  }
}

/** @param why Ends the sentence. */
function cannotBeTried(why: string): HoopError {
  return new HoopError('ERR_NOT_TRIED', `this cannot be tried out: ${why}`, { hint: 'decide by its text' });
}

/** Which rows whoever tried it has seen; they are not shown before that is on record. */
function shownFacts({ first }: TriedOut): Readonly<Record<string, string>> {
  return first === undefined ? {} : { shown: `${first.rows.length} rows of ${first.object}` };
}
