import { expect, test } from 'vitest';
import { type ColumnAction, type MaskCause, rowPlan } from '../../../src/protocols/postgres/shown/rows.ts';
import { Withheld } from '../../../src/protocols/postgres/shown/withheld.ts';
import { NoticeResponse } from '../../../src/wire/postgres/report.ts';

const masked: ColumnAction = { kind: 'mask', mask: 'redact', shape: 'text' };
const shown: ColumnAction = { kind: 'show' };

function fieldsOf(message: Buffer | undefined) {
  const { fields } = NoticeResponse.decode(message?.subarray(5) ?? Buffer.from([0]));
  return Object.fromEntries(fields.map(([code, text]) => [code, text.toString()]));
}

function noticeOf(causes: readonly (MaskCause | undefined)[], maskedValues: number, nullValues: number) {
  const withheld = new Withheld();
  withheld.add(maskedValues, nullValues);
  const actions = causes.map((cause) => (cause === undefined ? shown : masked));
  return fieldsOf(withheld.told(rowPlan(actions, causes)));
}

test('stars by policy speak for themselves, and so does an empty result', () => {
  expect(noticeOf(['policy', undefined], 7, 0)).toEqual({});
  expect(noticeOf(['untraced'], 0, 0)).toEqual({});
});

test('NULL in place of values is told, with how many and why', () => {
  expect(noticeOf([undefined, 'policy', 'policy'], 4, 2)).toEqual({
    S: 'NOTICE',
    V: 'NOTICE',
    C: '01H01',
    M: '4 values of 2 columns are masked, 2 of them as NULL',
    D: 'Columns 2, 3: masked for you by policy.',
  });
});

test('what is masked for its uncertain source is told, stars or not', () => {
  expect(noticeOf(['untraced', 'unknown', 'policy'], 3, 0)).toMatchObject({
    M: '3 values of 3 columns are masked',
    D: [
      'Column 3: masked for you by policy.',
      'Column 1: cannot be traced to columns that are not masked for you.',
      'Column 2: of a relation that this statement was not judged by.',
    ].join(' '),
  });
});

test('a portal is told of once, a statement each time it ends', () => {
  const withheld = new Withheld();
  const plan = rowPlan([masked], ['policy']);
  const told = (portal?: object) => {
    withheld.add(1, 1);
    return withheld.told(plan, portal) !== undefined;
  };
  const portal = {};
  expect([told(portal), told(portal), told(), told(), told({})]).toEqual([true, false, true, true, true]);
  expect(withheld.told(plan)).toBeUndefined();
});
