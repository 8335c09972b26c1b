import { expect, test } from 'vitest';
import { planOf } from './fixture.ts';

/** A masked column on its way through a subquery, beside as many others, each looked for in all that is in reach. */
function carried(names: number, sources: number): string {
  const beside = Array.from(
    { length: sources },
    (_one, at) => `(select id as k${at}, title from plain) p${at}`,
  );
  const list = Array.from({ length: names }, (_one, at) => `k${at % sources}`);
  return `select s.ssn, coalesce(${list.join(', ')}) from (select * from customers) s, ${beside.join(', ')}`;
}

test('what is too much to follow is judged by names', () => {
  expect(planOf(carried(100, 50)).refusal).toBeUndefined();
  expect(planOf(carried(10_000, 50)).refusal).toBeDefined();
});

test('so are joins of what has too many columns', () => {
  const joined = (joins: number) =>
    `select * from (select * from customers) s ${Array.from(
      { length: joins },
      (_one, at) => `join (select id, title as t${at} from plain) p${at} using (id)`,
    ).join(' ')}`;
  expect(planOf(joined(20)).refusal).toBeUndefined();
  expect(planOf(joined(1_000)).refusal).toBeDefined();
});
