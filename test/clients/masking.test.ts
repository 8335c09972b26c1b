import { expect, test } from 'vitest';
import { chance } from '../masking/chance/run.ts';
import { shops } from '../masking/honest/corpus.ts';
import { countsOf, honest } from '../masking/honest/run.ts';

/** All of it, on two versions: `npm run masking`. */
const MAJOR = 15;

test('honest queries give what they give directly, or masks where they carry what is masked', async () => {
  const report = await honest(shops(), MAJOR);
  const counts = countsOf(report);
  expect(report.all.filter(({ verdict }) => verdict.kind === 'differs')).toEqual([]);
  expect(counts.same).toBeGreaterThanOrEqual(172);
  expect(counts.masked).toBe(40);
  expect(counts.unfit).toBe(0);
});

test.each([
  ['refuse', 5],
  ['mask', 6],
] as const)('no octet that a client is sent depends on what is masked (%s)', async (computed, seed) => {
  const { leaks, live, masked } = await chance({ major: MAJOR, cases: 200, seed, computed });
  expect(leaks.map(({ steps }) => steps)).toEqual([]);
  // Else there was nothing to be told.
  expect(live).toBeGreaterThan(60);
  expect(masked).toBeGreaterThan(20);
});
