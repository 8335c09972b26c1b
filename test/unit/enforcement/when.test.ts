import { describe, expect, it } from 'vitest';
import { denialOf } from '../../../src/enforcement/denial.ts';
import { judge } from '../../../src/enforcement/judge.ts';
import type { Operation } from '../../../src/enforcement/operation.ts';
import { whenPermitted } from '../../../src/enforcement/when.ts';
import { CedarEngine } from '../../../src/policy/engine.ts';
import type { PolicyValue } from '../../../src/policy/model.ts';
import { WallClock } from '../../../src/policy/wall-clock.ts';
import { agent, delegated, policySet, table, vocabulary } from '../policy/support.ts';

const bot = agent('bot', ['bots']);
const ALL = '@id("all") permit (principal, action in Action::"sql", resource);';

/** What is told of an UPDATE at that time; undefined: nothing. */
function told(
  policies: string,
  time: string,
  { zone = 'Europe/Berlin', who = bot, context = {} as Record<string, PolicyValue>, name = 'orders' } = {},
): string | undefined {
  const engine = new CedarEngine(policySet(policies), new WallClock(zone, { now: () => Date.parse(time) }));
  const rules = { engine, vocabulary };
  const pairs = [{ action: 'sql.update', object: table(name), counted: true }];
  const judged = judge(rules, who, pairs, context);
  const from = whenPermitted(rules, who, { pairs, context } as unknown as Operation, judged);
  if (from !== undefined) expect(denialOf({ ...judged, from }).hint.startsWith(`${from}, or ask`)).toBe(true);
  return from;
}

const forbid = (condition: string, more = '') =>
  `${ALL} @id("window") ${more} forbid (principal, action == Action::"sql.update", resource) ${condition};`;
const OFFICE = forbid(
  'unless { context.time.weekday <= 5 && context.time.hour >= 9 && context.time.hour < 17 }',
);

describe('from when it is permitted', () => {
  it.each<[string, string, string, string]>([
    ['later today', OFFICE, '2026-12-01T07:30:00Z', '09:00 (Europe/Berlin, where it is 08:30 now)'],
    [
      'tomorrow',
      OFFICE,
      '2026-12-01T16:00:00Z',
      '09:00 on 2026-12-02 (Europe/Berlin, where it is 17:00 now)',
    ],
    [
      'after the weekend',
      OFFICE,
      '2026-12-04T20:00:00Z',
      '09:00 on 2026-12-07 (Europe/Berlin, where it is 21:00 now)',
    ],
    [
      'to the minute',
      forbid('unless { context.time.hour > 9 || (context.time.hour == 9 && context.time.minute >= 20) }'),
      '2026-12-01T07:30:00Z',
      '09:20 (Europe/Berlin, where it is 08:30 now)',
    ],
    [
      'each hour',
      forbid('when { context.time.minute < 50 }'),
      '2026-12-01T07:30:00Z',
      '08:50 (Europe/Berlin, where it is 08:30 now)',
    ],
    [
      'by minutes of the day',
      forbid('unless { context.time.hour * 60 + context.time.minute >= 570 }'),
      '2026-12-01T07:30:00Z',
      '09:30 (Europe/Berlin, where it is 08:30 now)',
    ],
    [
      'behind a freeze',
      forbid('when { ["2026-12-24", "2026-12-25"].contains(context.time.date) }'),
      '2026-12-24T10:00:00Z',
      '00:00 on 2026-12-26 (Europe/Berlin, where it is 11:00 now)',
    ],
    [
      'as the clock shows it when it goes forward',
      forbid('unless { context.time.hour >= 3 }'),
      '2026-03-29T00:30:00Z',
      '03:00 (Europe/Berlin, where it is 01:30 now)',
    ],
    [
      'by a permit alone',
      '@id("window") permit (principal, action in Action::"sql", resource) when { context.time.hour >= 12 };',
      '2026-12-01T07:30:00Z',
      '12:00 (Europe/Berlin, where it is 08:30 now)',
    ],
  ])('%s', (_, policies, now, expected) => {
    expect(told(policies, now)).toBe(`it is permitted from ${expected}`);
  });

  it('is said of what people must say yes to then', () => {
    const held = `${OFFICE} @id("asked") @approval("dba") forbid (principal, action == Action::"sql.update", resource)
      unless { context.approvals.contains("dba") };`;
    expect(told(held, '2026-12-01T07:30:00Z')).toBe(
      'it is permitted from 09:00 (Europe/Berlin, where it is 08:30 now), with an approval',
    );
  });

  it('is said to an agent that acts for a person when both may', () => {
    const both = `@id("a") permit (principal is Agent, action in Action::"sql", resource) when { context.time.hour >= 10 };
      @id("p") permit (principal is Person, action in Action::"sql", resource) when { context.time.hour >= 11 };`;
    expect(told(both, '2026-12-01T07:30:00Z', { who: delegated(['bots'], ['people']) })).toContain(
      'from 11:00',
    );
  });

  it.each<[string, string, Record<string, PolicyValue>]>([
    ['where its author says what to do', forbid('unless { context.time.hour >= 9 }', '@hint("ask Ada")'), {}],
    [
      'where another rule denies as well',
      `${OFFICE} @id("no") forbid (principal, action == Action::"sql.update", resource);`,
      {},
    ],
    ['where no rule permits it at any time', OFFICE.replace(ALL, ''), {}],
    [
      'where the permit that looks at the time is of something else',
      '@id("a") permit (principal, action in Action::"sql", resource is Table) when { resource.name == "other" && context.time.hour > 9 };',
      {},
    ],
    ['where it never turns', forbid('when { context.time.date like "2026*" }'), {}],
    [
      'where it is asked as of another time',
      OFFICE,
      { time: { hour: 8, minute: 0, weekday: 1, date: '2026-11-30' } },
    ],
  ])('is not said %s', (_, policies, context) => {
    expect(told(policies, '2026-12-01T07:30:00Z', { context })).toBeUndefined();
  });
});
