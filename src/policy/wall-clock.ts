import type { Clock } from '../core/clock.ts';

/** A moment as people write it down, in one time zone. A type, not an interface: it is handed to Cedar as a record. */
export type WallTime = {
  /** 0 … 23. */
  readonly hour: number;
  /** 0 … 59. */
  readonly minute: number;
  /** 1 is Monday, 7 is Sunday (ISO 8601). */
  readonly weekday: number;
  /** `2026-11-30`. */
  readonly date: string;
};

const MINUTE_MS = 60_000;
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** Tells the time of rules, to the minute. Remembers the last one that it was asked for. */
export class WallClock {
  /** As IANA names it. */
  readonly zone: string;
  readonly #clock: Clock;
  readonly #format: Intl.DateTimeFormat;
  #last: { readonly minute: number; readonly time: WallTime } | undefined;

  /** @param zone As IANA names it: `Europe/Berlin`. @throws {RangeError} There is none of this name. */
  constructor(zone: string, clock: Clock) {
    this.zone = zone;
    this.#clock = clock;
    this.#format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
      ...{ hour: '2-digit', minute: '2-digit', weekday: 'short' },
    });
  }

  now(): WallTime {
    return this.at(this.nowMs());
  }

  /** Since the epoch. */
  nowMs(): number {
    return this.#clock.now();
  }

  /** @param ms Since the epoch. */
  at(ms: number): WallTime {
    const minute = Math.floor(ms / MINUTE_MS);
    if (this.#last?.minute !== minute) this.#last = { minute, time: this.#read(ms) };
    return this.#last.time;
  }

  #read(ms: number): WallTime {
    const parts = new Map(this.#format.formatToParts(ms).map(({ type, value }) => [type, value]));
    const [year, month, day] = [parts.get('year'), parts.get('month'), parts.get('day')];
    return {
      hour: Number(parts.get('hour')),
      minute: Number(parts.get('minute')),
      weekday: WEEKDAYS.indexOf(parts.get('weekday') ?? '') + 1,
      date: `${year}-${month}-${day}`,
    };
  }
}

/** Whether IANA has a zone of this name. Pure. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
