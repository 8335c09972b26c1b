import { expect, it } from 'vitest';
import { SlabPool, SlabSizes } from '../../../src/core/bytes/slabs.ts';

it('gives the smallest memory that is enough, again and again, and keeps no more than it may', () => {
  const slabs = new SlabSizes([new SlabPool(8, 1), new SlabPool(64, 1)]);
  expect([1, 8, 9, 64].map((size) => slabs.take(size).length)).toEqual([8, 8, 64, 64]);
  const [one, other] = [slabs.take(8), slabs.take(8)];
  slabs.give(one);
  slabs.give(other);
  expect(slabs.take(3)).toBe(one);
  expect(slabs.take(3)).not.toBe(other);
});

it('what is larger than any slab is memory of its own, and not kept', () => {
  const slabs = new SlabSizes([new SlabPool(8, 4)]);
  const large = slabs.take(100);
  expect(large.length).toBe(100);
  slabs.give(large);
  slabs.give(Buffer.alloc(0));
  expect(slabs.take(100)).not.toBe(large);
});
