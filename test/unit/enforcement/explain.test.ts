import { describe, expect, it } from 'vitest';
import { refusalLine } from '../../../src/core/refusal-line.ts';
import { explanationOf } from '../../../src/enforcement/explain.ts';
import { judge } from '../../../src/enforcement/judge.ts';
import type { Operation } from '../../../src/enforcement/operation.ts';
import type { Pair } from '../../../src/policy/model.ts';
import { agent, column, engineOf, table, vocabulary } from '../policy/support.ts';

const rules = {
  engine: engineOf(`
    @id("read") permit (principal, action == Action::"sql.select", resource);
    @id("change") @rows("5") permit (principal, action == Action::"sql.update", resource);
    @id("drop") permit (principal, action == Action::"sql.drop", resource);
    @id("ask") @approval("dba") forbid (principal, action == Action::"sql.drop", resource) unless { context.approvals.contains("dba") };
    @id("shown") permit (principal, action == Action::"reveal", resource) unless { resource.tags.contains("unknown") };
    @id("pii") forbid (principal, action == Action::"reveal", resource) when { resource.tags.contains("pii") };
    @id("secrets") @reason("nobody needs them") forbid (principal, action == Action::"reveal", resource) when { resource.tags.contains("secret") };
    @id("never") @reason("kept") @hint("archive it") forbid (principal, action == Action::"sql.truncate", resource);`),
  vocabulary,
};
const principal = agent('bot', ['ai-agents']);
const pair = (action: string, name = 't', more: Partial<Pair> = {}): Pair => ({
  action,
  object: table(name),
  ...more,
});

function explain(pairs: readonly Pair[], more: Partial<Operation> = {}) {
  const operation = { pairs, context: {}, text: '', ...more } as Operation;
  return explanationOf(rules, principal, operation, judge(rules, principal, pairs, {}));
}

describe('an explanation', () => {
  it.each([
    ['an allow', [pair('sql.select')], { effect: 'allow', rules: [{ id: 'read' }] }],
    ['an allow within a bound', [pair('sql.update', 't', { counted: true })], { effect: 'allow', rows: 5 }],
    [
      'a hold',
      [pair('sql.select'), pair('sql.drop')],
      { effect: 'hold', approvals: ['dba'], told: { rule: 'ask' } },
    ],
    [
      'a denial before a hold',
      [pair('sql.drop'), pair('sql.truncate')],
      { effect: 'deny', told: { rule: 'never', hint: 'archive it' } },
    ],
    [
      'what no rule permits',
      [pair('sql.delete')],
      { effect: 'deny', told: { rule: 'default-deny' }, rules: [] },
    ],
    ['nothing at all', [], { effect: 'deny', told: { rule: 'nothing-to-decide' }, pairs: [] }],
  ])('of %s', (_what, pairs, expected) => {
    expect(explain(pairs)).toMatchObject(expected);
  });

  it.each([
    ['what would run', [pair('sql.select')], ['t']],
    ['what waits for people', [pair('sql.drop')], ['t']],
    [
      'nothing that is denied, which would be a way to find out what is there',
      [pair('sql.truncate')],
      undefined,
    ],
  ])('tells what the target lacks of %s', (_what, pairs, expected) => {
    const approvable = { exact: () => '', lacks: ['t'] };
    expect(explain(pairs, { approvable }).lacks).toEqual(expected);
  });

  it('judges each pair by itself, whatever becomes of all', () => {
    const { pairs, told } = explain([pair('sql.select'), pair('sql.truncate'), pair('sql.drop')]);
    expect(pairs.map(({ effect, rules: by }) => [effect, ...by])).toEqual([
      ['allow', 'read'],
      ['deny', 'never'],
      ['hold', 'ask'],
    ]);
    expect(told).toMatchObject({ rule: 'never', reason: 'kept' });
  });

  it('is bounded, says how much is left out, and shows no id that is not to be read', () => {
    const many = Array.from({ length: 1000 }, (_one, at) => pair('sql.select', `${'n'.repeat(1000)}${at}`));
    const secret = pair('sql.select', 'secret');
    const hidden = { ...secret, object: { ...secret.object, shownId: 'pg/***' } };
    const names = Array.from({ length: 1000 }, (_one, at) => `${at}${'c'.repeat(1000)}`);
    const masked = names.map((name) => ({ name, objects: [column(name, ['pii'])] }));
    const from = names.map((name) => `pg/${name}`);
    const columns = names.map((name) => ({ name, from }));
    const told = explain([hidden, ...many], { approvable: { exact: () => '', masked, columns } });
    expect(told.columns?.length).toBeGreaterThan(1);
    expect([told.pairs.length, told.more, told.masked?.length]).toEqual([64, 937, 64]);
    expect(told.pairs[0]?.object).toBe('pg/***');
    expect(
      refusalLine({ rule: 'r', reason: '', hint: '', next: 'report', explanation: told }).length,
    ).toBeLessThan(64 * 1024);
  });

  it('tells by what the target does something of itself', () => {
    const { pairs, told } = explain([
      pair('sql.select'),
      pair('sql.truncate', 'u', { through: 'a foreign key to public.t' }),
    ]);
    expect(pairs.map(({ through }) => through)).toEqual([undefined, 'a foreign key to public.t']);
    expect(told?.message).toBe(
      'sql.truncate on pg/public.u (by a foreign key to public.t) is denied by rule "never"',
    );
  });

  it('tells by which rules what is masked is', () => {
    const masked = [
      { name: 'of two', objects: [column('a', ['pii', 'secret'])] },
      { name: 'of one, found', objects: [column('b', []), column('c', ['secret'])] },
      { name: 'of none that shows it', objects: [column('d', ['unknown'])] },
      { name: 'for the sake of what is seen in it', objects: [column('e', [])] },
    ];
    const told = explain([pair('sql.select')], { approvable: { exact: () => '', masked } });
    expect(told.masked).toEqual(masked.map(({ name }) => name));
    expect(told.maskedBy).toEqual({
      'of two': ['pii', 'secrets'],
      'of one, found': ['secrets'],
      'of none that shows it': [],
    });
    expect(told.rules).toContainEqual({ id: 'secrets', reason: 'nobody needs them' });
  });

  it('is one line, whatever names hold', () => {
    const explanation = explain([pair('sql.select', 'a\n\u2028\u202e\u001b[2J')]);
    const json = refusalLine({ rule: 'r', reason: '', hint: '', next: 'report', explanation });
    expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(json)).toMatchObject({ explanation });
  });
});

it('tells of what was done too often only where it would run', () => {
  const approvable = { exact: () => '', spent: 'asked too often' };
  expect(explain([pair('sql.select')], { approvable }).spent).toBe('asked too often');
  expect(explain([pair('sql.truncate')], { approvable }).spent).toBeUndefined();
  expect(explain([pair('sql.drop')], { approvable }).spent).toBeUndefined();
});
