import type {
  NotReplayableReason,
  PolicyReplayReport,
  ReplayDifference,
  ReplayVerdict,
} from '../../api/policy-replay.ts';
import type { Replayed } from '../../enforcement/replay.ts';
import type { RecordedDecision } from './event.ts';

/** Kinds of difference that are told apart; of more it is only said that there are. */
const MAX_KINDS = 10_000;
/** Of one kind. */
const MAX_EVENTS = 3;
/** Of one difference: rules, actions and objects; characters of text. */
const MAX_NAMES = 16;
const MAX_TEXT_CHARS = 500;

interface Kind {
  readonly first: Omit<ReplayDifference, 'count' | 'events'>;
  readonly events: string[];
  count: number;
}

/** Counts what other policies would have decided. Holds nothing whole: its memory is bounded. */
export class ReplayTally {
  #events = 0;
  #same = 0;
  #changed = 0;
  #refused = 0;
  #newest: string | undefined;
  #oldest: string | undefined;
  #untold = 0;
  readonly #verdicts = new Map<string, number>();
  readonly #rules = new Map<string, { decided: number; changed: number }>();
  readonly #missing = new Map<string, number>();
  readonly #kinds = new Map<string, Kind>();

  get events(): number {
    return this.#events;
  }

  /** When the last decision was made that was looked at; empty: none was. */
  get at(): string {
    return this.#oldest ?? '';
  }

  /** Was refused whatever policy said. */
  refused(at: string): void {
    this.#look(at);
    this.#refused++;
  }

  missing(at: string, reason: NotReplayableReason, what = ''): void {
    this.#look(at);
    add(this.#missing, `${reason} ${what}`);
  }

  /** @param decision What was decided; @param now What would be. */
  replayed(decision: RecordedDecision, now: Extract<Replayed, { effect: ReplayVerdict }>): void {
    this.#look(decision.at);
    const changed = decision.decision !== now.effect;
    add(this.#verdicts, `${decision.decision} ${now.effect}`);
    for (const { id } of now.rules) {
      const rule = this.#rules.get(id) ?? { decided: 0, changed: 0 };
      this.#rules.set(id, rule);
      rule.decided++;
      if (changed) rule.changed++;
    }
    if (!changed) this.#same++;
    else {
      this.#changed++;
      this.#differs(decision, now);
    }
  }

  /** @param limit Kinds of difference that are told. @param more Whether there are older ones. */
  report(policyVersion: string, limit: number, more: boolean): PolicyReplayReport {
    const sorted = [...this.#kinds.values()].sort((a, b) => b.count - a.count);
    const differences = sorted
      .slice(0, limit)
      .map(({ first, count, events }): ReplayDifference => ({ ...first, count, events }));
    const untold = sorted.length - differences.length + this.#untold;
    return {
      schemaVersion: 1,
      policyVersion,
      events: this.#events,
      ...(this.#newest === undefined ? {} : { newest: this.#newest }),
      ...(this.#oldest === undefined ? {} : { oldest: this.#oldest }),
      ...(more ? { more } : {}),
      same: this.#same,
      changed: this.#changed,
      refused: this.#refused,
      verdicts: descending(this.#verdicts).map(([key, count]) => {
        const [was, now] = key.split(' ') as [ReplayVerdict, ReplayVerdict];
        return { was, now, count };
      }),
      rules: [...this.#rules]
        .map(([rule, counts]) => ({ rule, ...counts }))
        .sort((a, b) => b.changed - a.changed || b.decided - a.decided),
      notReplayable: descending(this.#missing).map(([key, count]) => {
        const at = key.indexOf(' ');
        const reason = key.slice(0, at) as NotReplayableReason;
        const what = key.slice(at + 1);
        return { reason, ...(what === '' ? {} : { what }), count };
      }),
      differences,
      ...(untold === 0 ? {} : { moreDifferences: untold }),
    };
  }

  #look(at: string): void {
    this.#events++;
    this.#newest ??= at;
    this.#oldest = at;
  }

  #differs(
    { id, at, actor, resource, actions, objects, text, decision: was, rules }: RecordedDecision,
    now: Extract<Replayed, { effect: ReplayVerdict }>,
  ): void {
    const said = { was, now: now.effect, rulesWere: ids(rules), rules: ids(now.rules) };
    const asked = {
      actor: actor.name,
      ...(actor.person === undefined ? {} : { person: actor.person }),
      resource,
      actions: actions.slice(0, MAX_NAMES),
      objects: objects.slice(0, MAX_NAMES),
      text: text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS - 1)}…` : text,
    };
    const reason = now.reason === undefined ? {} : { reason: now.reason };
    const key = JSON.stringify([said, asked, reason]);
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      known.count++;
      if (known.events.length < MAX_EVENTS) known.events.push(id);
    } else if (this.#kinds.size < MAX_KINDS)
      this.#kinds.set(key, { first: { ...said, ...asked, ...reason, at }, count: 1, events: [id] });
    else this.#untold++;
  }
}

function ids(rules: readonly { readonly id: string }[]): string[] {
  return rules.slice(0, MAX_NAMES).map(({ id }) => id);
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function descending(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([, a], [, b]) => b - a);
}
