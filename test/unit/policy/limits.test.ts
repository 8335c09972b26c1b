import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/enforcement/judge.ts';
import { loadPolicies } from '../../../src/policy/load.ts';
import { narrowest } from '../../../src/policy/model.ts';
import { agent, delegated, engineOf, table, vocabulary } from './support.ts';

const POLICIES = `
  @id("people") permit (principal in Group::"developers", action, resource);
  @id("agents") @limit("rows=100 time=30s") @reason("r") permit (principal in Group::"ai-agents", action, resource);
  @id("orders") @limit("rows=10 bytes=2MiB") permit (principal in Group::"ai-agents", action == Action::"sql.select", resource)
    when { resource.name == "orders" };`;
const engine = engineOf(POLICIES);
const bot = agent('bot', ['ai-agents']);

const limitsOf = (who: typeof bot, ...pairs: readonly [action: string, name: string][]) => {
  const asked = pairs.map(([action, name]) => ({ action, object: table(name) }));
  const { decision } = judge({ engine, vocabulary }, who, asked, {});
  if (decision.effect !== 'allow') throw new Error(decision.effect);
  const { rows, bytes, time } = decision.limits ?? {};
  return [rows?.max, rows?.rule.id, bytes?.max, time?.max];
};

describe('@limit', () => {
  it('limits what the permit allows, and names the rule of each kind', () => {
    expect(limitsOf(bot, ['sql.select', 'stock'])).toEqual([100, 'agents', undefined, 30_000]);
  });

  it('of several the smallest of each kind, over permits and over pairs; one without lifts none', () => {
    const both = [10, 'orders', 2 * 1024 ** 2, 30_000];
    expect(limitsOf(bot, ['sql.select', 'orders'])).toEqual(both);
    expect(limitsOf(bot, ['sql.select', 'stock'], ['sql.select', 'orders'])).toEqual(both);
    expect(limitsOf(delegated(['ai-agents'], ['developers']), ['sql.select', 'orders'])).toEqual(both);
  });

  it('is nothing to who has a permit without one, and to what has no answer', () => {
    expect(limitsOf(agent('dev', ['developers']), ['sql.select', 'orders'])).toEqual(
      Array(4).fill(undefined),
    );
    expect(limitsOf(bot, ['sql.lock', 'orders'])).toEqual(Array(4).fill(undefined));
  });

  it('of nothing there is none', () => {
    expect(narrowest([])).toBeUndefined();
    expect(narrowest([undefined, {}])).toBeUndefined();
  });

  const faultOf = (policy: string) => {
    const loaded = loadPolicies(vocabulary, [{ name: 'a.cedar', text: policy }]);
    return loaded.ok ? undefined : loaded.faults[0]?.message;
  };
  const permit = (limit: string, action = 'action') =>
    `@id("a") @limit("${limit}") permit (principal, ${action}, resource);`;

  it.each(['rows=1', 'bytes=1', 'bytes=1KiB', 'bytes=999999999GiB', 'time=500ms', 'time=24h rows=5 bytes=1'])(
    'may be %s',
    (limit) => expect(faultOf(permit(limit))).toBeUndefined(),
  );

  it.each([
    ...[
      '',
      ' ',
      'rows',
      'rows=',
      'rows=0',
      'rows=-1',
      'rows=1.5',
      'rows=1e3',
      'rows=1,time=1s',
      'rows=1  time=1s',
    ],
    ...[
      'rows=1 rows=2',
      'bytes=1kb',
      'bytes=0',
      'time=0s',
      'time=25h',
      'time=5',
      'columns=3',
      'toString=1',
      '__proto__=1',
    ],
  ])('is not %j', (limit) => expect(faultOf(permit(limit))).toMatch(/^@limit\(.*\) is not a limit$/));

  it('stands on a permit, of something that has an answer', () => {
    expect(faultOf('@id("a") @limit("rows=1") forbid (principal, action, resource);')).toBe(
      '@limit does nothing on a forbid',
    );
    expect(faultOf(permit('rows=1', 'action == Action::"connect"'))).toMatch(/^@limit limits answers/);
    expect(faultOf(permit('bytes=1KiB', 'action in Action::"ssh"'))).toMatch(/^@limit limits answers/);
    expect(faultOf(permit('rows=1', 'action in Action::"http"'))).toMatch(/no rows that @limit could count/);
    expect(faultOf(permit('rows=1', 'action in Action::"sql.read"'))).toBeUndefined();
  });
});
