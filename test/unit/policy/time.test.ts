import { describe, expect, it } from 'vitest';
import { CedarEngine } from '../../../src/policy/engine.ts';
import { loadPolicies } from '../../../src/policy/load.ts';
import { isTimeZone, WallClock } from '../../../src/policy/wall-clock.ts';
import { agent, policySet, resource, table, vocabulary } from './support.ts';

const bot = agent('bot', ['ai-agents']);
const at = (zone: string, time: string) => new WallClock(zone, { now: () => Date.parse(time) }).now();

describe('the time of rules', () => {
  it.each([
    ['UTC', '2026-11-30T07:05:59Z', { hour: 7, minute: 5, weekday: 1, date: '2026-11-30' }],
    ['UTC', '2026-12-06T00:00:00Z', { hour: 0, minute: 0, weekday: 7, date: '2026-12-06' }],
    ['Europe/Berlin', '2026-11-29T23:30:00Z', { hour: 0, minute: 30, weekday: 1, date: '2026-11-30' }],
    // The clocks go forward at one, and back at one.
    ['Europe/Berlin', '2026-03-29T00:59:00Z', { hour: 1, minute: 59, weekday: 7, date: '2026-03-29' }],
    ['Europe/Berlin', '2026-03-29T01:00:00Z', { hour: 3, minute: 0, weekday: 7, date: '2026-03-29' }],
    ['Europe/Berlin', '2026-10-25T01:00:00Z', { hour: 2, minute: 0, weekday: 7, date: '2026-10-25' }],
    ['Asia/Kathmandu', '2026-11-30T18:15:00Z', { hour: 0, minute: 0, weekday: 2, date: '2026-12-01' }],
  ])('%s %s', (zone, time, expected) => {
    expect(at(zone, time)).toEqual(expected);
  });

  it('zones are those of IANA', () => {
    expect(['UTC', 'Europe/Berlin', 'Mars/Olympus', ''].map(isTimeZone)).toEqual([true, true, false, false]);
  });
});

describe('a rule that asks for the time', () => {
  const WINDOW = `
    @id("read") permit (principal, action == Action::"sql.select", resource);
    @id("office-hours") permit (principal, action in [Action::"sql.update", Action::"connect"], resource)
    when { context.time.weekday <= 5 && context.time.hour >= 9 && context.time.hour < 17 }
    unless { ["2026-12-01"].contains(context.time.date) };`;
  let now = 0;
  const engine = new CedarEngine(policySet(WINDOW), new WallClock('Europe/Berlin', { now: () => now }));
  const decided = (action: string, time: string) => {
    now = Date.parse(time);
    const object = action === 'connect' ? resource : table('orders');
    return engine.decide({ principal: bot, action, object, context: {} }).effect;
  };

  it.each([
    ['2026-11-30T08:00:00Z', 'allow'],
    ['2026-11-30T07:59:59Z', 'deny'],
    ['2026-11-30T16:00:00Z', 'deny'],
    ['2026-11-29T10:00:00Z', 'deny'],
    ['2026-12-01T10:00:00Z', 'deny'],
    ['2026-12-02T10:00:00Z', 'allow'],
  ])('at %s: %s, also of what was asked before at another time', (time, effect) => {
    for (const action of ['sql.update', 'connect']) {
      expect(decided(action, '2026-11-30T10:00:00Z')).toBe('allow');
      expect(decided(action, time)).toBe(effect);
      expect(decided('sql.select', time)).toBe('allow');
    }
  });

  it('makes what was answered a question again with each minute; other rules do not', () => {
    now = Date.parse('2026-11-30T10:00:00Z');
    const first = engine.phase();
    now += 59_000;
    expect(engine.phase()).toBe(first);
    now += 1_000;
    expect(engine.phase()).not.toBe(first);
    expect(new CedarEngine(policySet('@id("a") permit (principal, action, resource);')).phase()).toBe('');
  });

  it('is asked of what was then, where the request says when that was', () => {
    now = Date.parse('2026-11-29T10:00:00Z');
    const time = new WallClock('Europe/Berlin', { now: () => Date.parse('2026-11-30T10:00:00Z') }).now();
    const asked = { principal: bot, action: 'sql.update', object: table('orders'), context: { time } };
    expect(engine.decide(asked).effect).toBe('allow');
  });

  it('does not go on values that are shown: they are the same at any time', () => {
    const text =
      '@id("r") permit (principal, action == Action::"reveal", resource) when { context.time.hour > 8 };';
    expect(loadPolicies(vocabulary, [{ name: 'a.cedar', text }]).ok).toBe(false);
  });
});

describe('@limit on requests', () => {
  const load = (limit: string) =>
    loadPolicies(vocabulary, [
      {
        name: 'a.cedar',
        text: `@id("l") @limit("${limit}") permit (principal, action in Action::"http.read", resource);`,
      },
    ]);

  it('is of octets and time: there are no rows to count', () => {
    expect(load('bytes=1MiB time=5s').ok).toBe(true);
    expect(load('rows=5 bytes=1MiB')).toMatchObject({
      ok: false,
      faults: [
        {
          message: 'what this permit allows has no rows that @limit could count',
          cure: 'limit bytes and time',
        },
      ],
    });
  });
});
