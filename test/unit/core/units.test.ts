import { expect, it } from 'vitest';
import { parseDuration } from '../../../src/core/config/shape.ts';
import { durationText, sizeText } from '../../../src/core/config/units.ts';

it.each([
  [1, '1ms'],
  [1500, '1500ms'],
  [2000, '2s'],
  [90_000, '90s'],
  [3_600_000, '1h'],
  [5_400_000, '90m'],
  [86_400_000, '1d'],
])('%d ms is %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
  expect(parseDuration(text)).toBe(ms);
});

it.each([
  [1, '1 octets'],
  [1000, '1000 octets'],
  [1024, '1KiB'],
  [10 * 1024 ** 2, '10MiB'],
  [1024 ** 3, '1GiB'],
])('%d octets are %s', (octets, text) => expect(sizeText(octets)).toBe(text));
