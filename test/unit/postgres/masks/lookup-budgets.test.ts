import { expect, it } from 'vitest';
import type { Principal } from '../../../../src/identity/principal.ts';
import { LookupBudgets } from '../../../../src/protocols/postgres/shown/lookups.ts';

const HOUR = 3_600_000;
const who = {
  kind: 'agent',
  name: 'a',
  person: { issuer: 'https://i', subject: 's' },
} as unknown as Principal;
const masks = { lookupsOf: () => ({ count: 2, ms: HOUR }), namesOf: () => ['people.email'] };
const plan = (questions: number) => [{ lookups: Array.from({ length: questions }, () => new Set(['1.1'])) }];

it('whoever only looks takes nothing, and is told what would be said', () => {
  let now = 0;
  const budgets = new LookupBudgets({ now: () => now });
  const look = (questions: number) => budgets.take(who, plan(questions), masks, 'looks')?.reason;
  for (let times = 0; times < 5; times++) expect(look(2)).toBeUndefined();
  expect(look(3)).toBe('of a masked column may be asked 2 times in 1h whether it equals something');
  expect(budgets.take(who, plan(1), masks)).toBeUndefined();
  expect(look(2)).toMatch(/^of a masked column/);
  expect(look(1)).toBeUndefined();
  expect(budgets.take(who, plan(1), masks)).toBeUndefined();
  expect(look(1)).toMatch(/^of a masked column/);
  now = HOUR + 1;
  expect(look(2)).toBeUndefined();
});
