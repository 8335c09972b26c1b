import { describe, expect, test } from 'vitest';
import type { Catalog, Relation, Together } from '../../../../src/protocols/postgres/catalog/model/model.ts';
import { comparedWith } from '../../../../src/protocols/postgres/sql/meaning/flow/compared-with.ts';

const NAMES = ['id', 'pay', 'cap', 'rest', 'note'];
const [PAY, CAP, REST, ANY] = [2, 3, 4, 0];
const relation = (oid: number, name: string): Relation => ({
  oid,
  schema: 'public',
  name,
  kind: 'table',
  rowSecurity: false,
  columns: new Map(
    NAMES.map((one, index) => [
      one,
      {
        attnum: index + 1,
        name: one,
        typeOid: 23,
        notNull: false,
        hasDefault: false,
        generated: one === 'rest',
        hasMissing: false,
      },
    ]),
  ),
});
const [PEOPLE, PARENT] = [relation(1, 'people'), relation(2, 'parent')];

/** `pay` is masked. */
function refused(
  together: Partial<Together> & Pick<Together, 'columns'>,
  written: readonly string[] | undefined,
  more: {
    readonly action?: 'insert' | 'update';
    readonly of?: Relation;
    readonly chosenBy?: readonly number[];
  } = {},
) {
  const { action = 'update', of = PEOPLE, chosenBy = [] } = more;
  const all = new Map([[of.oid, [{ excludes: false, ...together }]]]);
  const catalog = {
    relations: new Map([PEOPLE, PARENT].map((one) => [one.oid, one])),
    parents: new Map([[PEOPLE.oid, [PARENT.oid]]]),
    children: new Map([[PARENT.oid, [PEOPLE.oid]]]),
    together: all,
  } as unknown as Catalog;
  const given = { action, columns: written && new Set(written), chosenBy };
  return comparedWith(PEOPLE, given, catalog, (_, attribute) => attribute === PAY);
}

describe('what is written beside a masked column', () => {
  test.each([
    ['with which it is looked at', { columns: [PAY, CAP] }, ['cap']],
    ['among others', { columns: [PAY, CAP] }, ['note', 'cap']],
    ['in a row that is looked at as a whole', { columns: [ANY] }, ['note']],
    ['of which a generated one is made', { columns: [PAY, REST] }, ['note']],
    ['and nobody knows what', { columns: [PAY, CAP] }, undefined],
    [
      'or the masked one itself, kept apart from those of other rows',
      { columns: [PAY], excludes: true },
      ['pay'],
    ],
  ])('%s: refused', (_, together, written) => {
    expect(refused(together, written)).toMatchObject({ rule: 'masked-column-flow' });
  });

  test('is named, and so is what it would be compared with', () => {
    expect(refused({ columns: [PAY, CAP] }, ['cap'])).toMatchObject({
      reason: expect.stringMatching(/public\.people\.pay.* cap /),
      leaveOut: ['cap'],
    });
  });

  test.each([
    ['with another one', { columns: [PAY, CAP] }, ['note']],
    ['together with it', { columns: [PAY, CAP] }, ['pay', 'cap']],
    ['that alone is looked at', { columns: [CAP, 5] }, ['cap']],
    ['which is written itself', { columns: [PAY, CAP] }, ['pay']],
  ])('%s: as before', (_, together, written) => {
    expect(refused(together, written)).toBeUndefined();
  });

  test('in a new row it is its writer’s; but not where rows are kept apart', () => {
    expect(refused({ columns: [PAY, CAP] }, ['cap'], { action: 'insert' })).toBeUndefined();
    expect(refused({ columns: [PAY], excludes: true }, undefined, { action: 'insert' })).toBeDefined();
  });

  test('by what is said of the table that it inherits from, and of the view that it is written through', () => {
    expect(refused({ columns: [PAY, CAP] }, ['cap'], { of: PARENT })).toBeDefined();
    expect(refused({ columns: [CAP] }, ['cap'], { chosenBy: [PAY, CAP] })).toBeDefined();
    expect(refused({ columns: [CAP] }, ['note'], { chosenBy: [PAY, CAP] })).toBeUndefined();
  });
});
