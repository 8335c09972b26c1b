import { expect, test } from 'vitest';
import { readFilter } from '../../../../src/cli/ui/state/filter.ts';
import { barsOf, countsOver } from '../../../../src/cli/ui/view/bars.ts';
import { wrapped } from '../../../../src/cli/ui/view/line.ts';
import { NOW } from '../../../support/ui/state.ts';

const OPERATIONS = { type: 'operation.decided' };

test.each([
  ['', OPERATIONS],
  ['  drop   table ', { ...OPERATIONS, q: 'drop table*' }],
  ['orders.', { ...OPERATIONS, q: 'orders.' }],
  ['decision:d', { ...OPERATIONS, decision: 'deny' }],
  ['outcome:failure agent:bot x', { ...OPERATIONS, outcome: 'failure', agent: 'bot', q: 'x*' }],
  ['decision:', OPERATIONS],
  ['type:approval.*', { type: 'approval.*' }],
  ['type:any', {}],
  ['since:1h', { ...OPERATIONS, since: '2026-11-30T11:00:00.000Z' }],
  ['http://x', { ...OPERATIONS, q: 'http://x*' }],
  ['cursor:x limit:9', { ...OPERATIONS, q: 'cursor:x limit:9*' }],
])('the filter %j asks %j', (text, query) => {
  expect(readFilter(text, NOW)).toEqual({ query });
});

test.each([
  ['decision:perhaps', /allow, deny, hold/],
  ['since:soon', /takes 1h/],
])('the filter %j is a mistake that is told', (text, said) => {
  expect(readFilter(text, NOW).mistake).toMatch(said);
});

test('bars count moments into equal parts, and one is never nothing', () => {
  expect(countsOver([0, 1, 50, 99, 100, -1, 101], 0, 100, 4)).toEqual([2, 0, 1, 2]);
  expect(countsOver([5, 5], 5, 5, 3)).toEqual([2, 0, 0]);
  expect(countsOver([1], 0, 1, 0)).toEqual([]);
  expect(barsOf([0, 1, 50, 100], 100)).toBe(' ▁▄█');
});

test.each([
  ['one two three', 8, ['one two', 'three']],
  ['abcdefghij', 4, ['abcd', 'efgh', 'ij']],
  ['数据库', 4, ['数据', '库']],
  ['', 5, ['']],
  ['数', 1, ['数']],
  ['ab', 0, ['a', 'b']],
  ['ab', -3, ['a', 'b']],
])('%j in %i columns', (text, width, lines) => {
  expect(wrapped(text, width)).toEqual(lines);
});
