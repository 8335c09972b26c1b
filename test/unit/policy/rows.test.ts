import { describe, expect, it } from 'vitest';
import { denialOf } from '../../../src/enforcement/denial.ts';
import { judge } from '../../../src/enforcement/judge.ts';
import type { Pair } from '../../../src/policy/model.ts';
import { delegated, engineOf, resource, table, vocabulary } from './support.ts';

const POLICIES = `
  @id("people") permit (principal in Group::"developers", action, resource);
  @id("agents") @rows("100") @reason("r") @hint("h") permit (principal in Group::"ai-agents", action, resource);
  @id("orders") @rows("10") permit (principal in Group::"ai-agents", action == Action::"sql.delete", resource)
    when { resource.name == "orders" };
  @id("broad") permit (principal in Group::"broad", action, resource);`;
const engine = engineOf(POLICIES);
const copilot = delegated(['ai-agents'], ['developers']);

const pair = (action: string, name = 'orders', counted = true): Pair => ({
  action,
  object: table(name),
  ...(counted ? { counted } : {}),
});
const ask = (pairs: readonly Pair[], who = copilot) => judge({ engine, vocabulary }, who, pairs, {});

describe('@rows', () => {
  it('bounds a change that the permit allows, and names the rule', () => {
    expect(ask([pair('sql.update')]).decision).toMatchObject({
      effect: 'allow',
      rows: { max: 100, rule: { id: 'agents', reason: 'r', hint: 'h' } },
    });
  });

  it('of several the smallest, and none is lifted by a permit without one', () => {
    expect(ask([pair('sql.delete')]).decision).toMatchObject({ rows: { max: 10, rule: { id: 'orders' } } });
    expect(ask([pair('sql.update'), pair('sql.delete')]).decision).toMatchObject({ rows: { max: 10 } });
    const both = delegated(['ai-agents', 'broad'], ['developers']);
    expect(ask([pair('sql.update')], both).decision).toMatchObject({ rows: { max: 100 } });
  });

  it('is nothing to who reads, and to who has a permit without one', () => {
    expect(ask([pair('sql.select', 'orders', false)]).decision).not.toHaveProperty('rows');
    expect(ask([pair('sql.delete')], delegated(['broad'], ['developers'])).decision).not.toHaveProperty(
      'rows',
    );
  });

  it.each(['sql.truncate', 'sql.update', 'sql.copy-in'])('denies %s where nobody counts', (action) => {
    const judgement = ask([pair('sql.update', 'stock'), pair(action, 'orders', false)]);
    expect(judgement).toMatchObject({ decision: { effect: 'deny' }, cause: 'rows-not-counted' });
    expect(denialOf(judgement)).toMatchObject({
      code: 'ERR_DENIED',
      rule: 'agents',
      message: `${action} on pg/public.orders is denied by rule "agents": its rows cannot be counted`,
    });
  });

  it('denies code that may change rows', () => {
    expect(ask([{ action: 'sql.do', object: resource }])).toMatchObject({ cause: 'rows-not-counted' });
    const call = (functionClass: string): Pair => ({
      action: 'sql.call',
      object: {
        type: 'Function',
        id: 'pg/public.f',
        attrs: { schema: 'public', name: 'f', class: functionClass, table: '', tags: [], detected: false },
      },
    });
    expect(ask([call('user')])).toMatchObject({ cause: 'rows-not-counted' });
    expect(ask([call('session')]).decision.effect).toBe('allow');
  });
});
