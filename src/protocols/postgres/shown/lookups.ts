import { createHash } from 'node:crypto';
import type { Clock } from '../../../core/clock.ts';
import { durationText } from '../../../core/config/units.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import type { Principal } from '../../../identity/principal.ts';
import type { Lookups } from '../../../policy/model.ts';
import { HINTS } from '../hints.ts';
import { POSTGRES_REFUSALS } from '../refusals.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';
import type { SessionMasks } from './masks.ts';

/** Of whom questions are remembered. Beyond, nobody new may ask: what is forgotten could be asked again. */
const MAX_ASKERS = 10_000;
const RULE = 'lookups-spent';

/**
 * How often each has asked whether something that is hidden from them equals what they give, at one resource of this process.
 * Kept by who it is and not by session or instance: a new login asks nothing anew.
 */
export class LookupBudgets {
  readonly #clock: Clock;
  /** When each asked, oldest first, within the longest time that was ever looked at; by a digest of who it is. */
  readonly #asked = new Map<string, { times: number[]; ms: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes what a statement asks from what its principal may still ask.
   *
   * @param only `looks`: nothing is taken, whatever is left.
   * @returns Undefined where that was enough; else nothing is taken, and the statement must not run.
   */
  take(
    principal: Principal,
    plans: readonly Pick<StatementPlan, 'lookups'>[],
    masks: Pick<SessionMasks, 'lookupsOf' | 'namesOf'>,
    only?: 'looks',
  ): Denial | undefined {
    if (plans.every(({ lookups }) => lookups === undefined)) return undefined;
    const asked = plans.flatMap(({ lookups = [] }) => lookups);
    if (asked.length === 0) return undefined;
    const keys = new Set(asked.flatMap((one) => [...one]));
    const may = masks.lookupsOf(keys);
    if (may !== undefined && this.#take(keyOf(principal), asked.length, may, only)) return undefined;
    const reason =
      may === undefined
        ? 'policy allows no questions about a masked column any more'
        : `of a masked column may be asked ${may.count} times in ${durationText(may.ms)} whether it equals something`;
    return {
      code: 'ERR_DENIED',
      message: `refused: ${reason}`,
      rule: RULE,
      reason,
      hint: HINTS.leaveOutOrAlone,
      next: POSTGRES_REFUSALS[RULE].next,
      leaveOut: masks.namesOf(keys),
    };
  }

  #take(who: string, count: number, may: Lookups, only?: 'looks'): boolean {
    const now = this.#clock.now();
    const known = this.#asked.get(who) ?? { times: [], ms: may.ms };
    known.ms = Math.max(known.ms, may.ms);
    known.times = known.times.filter((at) => at > now - known.ms);
    if (known.times.filter((at) => at > now - may.ms).length + count > may.count) return false;
    if (only === 'looks') return true;
    if (!this.#asked.has(who) && this.#asked.size >= MAX_ASKERS && !this.#forgetOld(now)) return false;
    for (let left = count; left > 0; left--) known.times.push(now);
    this.#asked.set(who, known);
    return true;
  }

  /** @returns Whether there is room now. */
  #forgetOld(now: number): boolean {
    for (const [who, { times, ms }] of this.#asked)
      if ((times.at(-1) ?? 0) <= now - ms) this.#asked.delete(who);
    return this.#asked.size < MAX_ASKERS;
  }
}

/** One for all sessions and logins: of a person, of an agent by its name here, and of that for each person whom it acts for. */
function keyOf({ kind, name, person }: Principal): string {
  const agent = kind === 'agent' ? name : null;
  const who = [agent, person?.issuer ?? null, person?.subject ?? null];
  return createHash('sha256').update(JSON.stringify(who)).digest('base64');
}
