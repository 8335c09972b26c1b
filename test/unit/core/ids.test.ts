import { expect, it } from 'vitest';
import { IdSeries, newId } from '../../../src/core/ids/make.ts';

const FORM = /^op_[0-9A-HJKMNP-TV-Z]{26}$/;
const NOW = 1_800_000_000_000;

it('ids are distinct, well formed and sort by time', () => {
  const series = new IdSeries('op');
  for (const make of [(ms: number) => newId('op', ms), (ms: number) => series.next(ms)]) {
    const ids = Array.from({ length: 20_000 }, (_, i) => make(NOW + Math.floor(i / 100)));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => FORM.test(id))).toBe(true);
    const times = ids.map((id) => id.slice(0, 13));
    expect(times).toEqual([...times].sort());
  }
});

it('ids of one series sort in the order in which they were made, also within a millisecond', () => {
  const series = new IdSeries('op');
  const ids = Array.from({ length: 5000 }, (_, i) => series.next(NOW + Math.floor(i / 1000)));
  expect(ids).toEqual([...ids].sort());
});

it('a series begins anew with other random bits after a million, and two series never share them', () => {
  const series = new IdSeries('op');
  const random = (id: string) => id.slice(13, 25);
  const first = series.next(NOW);
  for (let i = 1; i < 2 ** 20; i++) series.next(NOW);
  const next = series.next(NOW);
  expect(random(next)).not.toBe(random(first));
  expect(FORM.test(next)).toBe(true);
  expect(random(new IdSeries('op').next(NOW))).not.toBe(random(next));
});

it('a clock that is set back gives ids of the earlier time', () => {
  const series = new IdSeries('op');
  const later = series.next(NOW + 5000);
  expect(series.next(NOW) < later).toBe(true);
});
