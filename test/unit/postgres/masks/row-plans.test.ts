import { expect, it } from 'vitest';
import { RowPlans } from '../../../../src/protocols/postgres/shown/row-plans.ts';
import { rowPlan } from '../../../../src/protocols/postgres/shown/rows.ts';
import type { StatementPlan } from '../../../../src/protocols/postgres/sql/meaning/plan.ts';

const statement = () => ({}) as unknown as StatementPlan;
const make = () => rowPlan([{ kind: 'show' }]);
const described = (octets: string) => Buffer.from(octets);

it('one statement answered in the same columns is shown alike, without another look', () => {
  const [plans, one] = [new RowPlans(), statement()];
  const rows = plans.of(described('a'), one, make);
  expect(plans.of(described('a'), one, make)).toBe(rows);
});

it('keeps no memory of others: what it compares with is a copy', () => {
  const [plans, one, octets] = [new RowPlans(), statement(), described('a')];
  const rows = plans.of(octets, one, make);
  octets.write('b');
  expect(plans.of(octets, one, make)).not.toBe(rows);
});

it.each<[string, (plans: RowPlans, one: StatementPlan) => unknown]>([
  ['other columns', (plans, one) => plans.of(described('b'), one, make)],
  ['more columns', (plans, one) => plans.of(described('aa'), one, make)],
  ['another statement', (plans) => plans.of(described('a'), statement(), make)],
  [
    'other masks',
    (plans, one) => {
      plans.clear();
      return plans.of(described('a'), one, make);
    },
  ],
])('%s are looked at', (_what, ask) => {
  const [plans, one] = [new RowPlans(), statement()];
  const rows = plans.of(described('a'), one, make);
  expect(ask(plans, one)).not.toBe(rows);
});

it('remembers no more than some statements, and no long description', () => {
  const [plans, one] = [new RowPlans(), statement()];
  const rows = plans.of(described('a'), one, make);
  for (let i = 0; i < 64; i++) plans.of(described('a'), statement(), make);
  expect(plans.of(described('a'), one, make)).not.toBe(rows);
  const long = described('a'.repeat(2049));
  expect(plans.of(long, one, make)).not.toBe(plans.of(long, one, make));
});
