import { expect, it } from 'vitest';
import { BulkMemory } from '../../../src/core/bytes/bulk-memory.ts';
import { garbageCollector } from '../../../src/core/collector.ts';
import { eventually } from '../../support/waiting.ts';

const MIB = 1024 * 1024;

it('collects once for so many octets, however they are cut', () => {
  let collected = 0;
  const bulk = new BulkMemory(() => collected++);
  for (let i = 0; i < 24 * 16 - 1; i++) bulk.spent(MIB / 16);
  expect(collected).toBe(0);
  bulk.spent(MIB / 16);
  expect(collected).toBe(1);
  bulk.spent(23 * MIB);
  expect(collected).toBe(1);
  bulk.spent(100 * MIB);
  expect(collected).toBe(2);
});

it('gives back what was read into and is not held any more', async () => {
  const held = () => process.memoryUsage().arrayBuffers / MIB;
  // What earlier work of this process left behind would be given back meanwhile.
  await garbageCollector()({ type: 'major', execution: 'sync' });
  const before = held();
  // Below what V8 would collect by itself.
  for (let i = 0; i < 16 * 16; i++) new Uint8Array(MIB / 16);
  expect(held() - before).toBeGreaterThan(12);
  new BulkMemory().spent(24 * MIB);
  await eventually('the memory is given back', held, (now) => now - before < 4);
});
