import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { WallClock, WallTime } from './wall-clock.ts';

/** Where on a clock a rule may begin to say something else: each hour is one with each minute, and beside them whole minutes of the day. */
export interface Turns {
  readonly hours: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
  readonly ofDay: ReadonlySet<number>;
}

/** A time to come, and how it is told: `09:00 on 2026-12-02 (Europe/Berlin)`. */
export interface Moment {
  readonly time: WallTime;
  readonly said: string;
}

const COMPARING = new Set(['==', '!=', '<', '<=', '>', '>=', 'contains', 'containsAny', 'containsAll']);
const MINUTE_MS = 60_000;
/** Offsets of all time zones are whole ones of these. */
const QUARTER_MS = 15 * MINUTE_MS;
const AHEAD_MS = 14 * 24 * 60 * MINUTE_MS;

/** What the conditions of rules compare hours and minutes with; days begin and end in any case. Pure. */
export function turnsOf(rules: readonly Pick<PolicyJson, 'conditions'>[]): Turns {
  const found: Compared[] = rules.flatMap(({ conditions }) => [...comparedIn(conditions)]);
  const hours = new Set([0]);
  const minutes = new Set([0]);
  const ofDay = new Set<number>();
  const everyHour = found.every(({ facts }) => !facts.has('hour')) && found.length > 0;
  if (everyHour) for (let hour = 1; hour < 24; hour++) hours.add(hour);
  // What holds until a number, or for it alone, ends at the next.
  for (const { facts, numbers } of found)
    for (const number of numbers)
      for (const turn of [number, number + 1]) {
        if (facts.size > 1) ofDay.add(turn);
        else if (facts.has('hour')) hours.add(turn);
        else minutes.add(turn);
      }
  return { hours, minutes, ofDay };
}

/**
 * The turns of the next two weeks, in order. Pure but for the clock.
 *
 * @param from Since the epoch; what comes after that minute.
 */
export function* momentsAfter(
  from: number,
  { hours, minutes, ofDay }: Turns,
  clock: WallClock,
): Generator<Moment> {
  const now = clock.at(from);
  for (let quarter = from - (from % QUARTER_MS); quarter < from + AHEAD_MS; quarter += QUARTER_MS) {
    const { hour, minute: first } = clock.at(quarter);
    for (let minute = first; minute < first + 15; minute++) {
      const ms = quarter + (minute - first) * MINUTE_MS;
      const turns = (hours.has(hour) && minutes.has(minute)) || ofDay.has(hour * 60 + minute);
      if (!turns || ms <= from) continue;
      const time = clock.at(ms);
      yield { time, said: said(time, now, clock.zone) };
    }
  }
}

function said({ hour, minute, date }: WallTime, now: WallTime, zone: string): string {
  const clock = (time: Pick<WallTime, 'hour' | 'minute'>) =>
    `${String(time.hour).padStart(2, '0')}:${String(time.minute).padStart(2, '0')}`;
  const day = date === now.date ? '' : ` on ${date}`;
  return `${clock({ hour, minute })}${day} (${zone}, where it is ${clock(now)} now)`;
}

interface Compared {
  /** Of `hour` and `minute`. */
  readonly facts: ReadonlySet<string>;
  readonly numbers: readonly number[];
}

function* comparedIn(node: unknown): Generator<Compared> {
  if (typeof node !== 'object' || node === null) return;
  for (const [op, operands] of Object.entries(node)) {
    const one = COMPARING.has(op) ? { facts: new Set<string>(), numbers: [] as number[] } : undefined;
    if (one !== undefined) gather(operands, one);
    if (one !== undefined && one.facts.size > 0) yield one;
    else yield* comparedIn(operands);
  }
}

function gather(node: unknown, into: { readonly facts: Set<string>; readonly numbers: number[] }): void {
  if (typeof node !== 'object' || node === null) return;
  if ('Value' in node && typeof node.Value === 'number') into.numbers.push(node.Value);
  if ('attr' in node && (node.attr === 'hour' || node.attr === 'minute')) into.facts.add(node.attr);
  for (const part of Object.values(node)) gather(part, into);
}
