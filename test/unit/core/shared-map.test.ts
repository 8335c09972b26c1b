import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SharedMap } from '../../../src/core/shared-map.ts';

const KEYS = fc.oneof(fc.integer({ min: 0, max: 600 }).map(String), fc.string({ maxLength: 3 }));
const CHANGE = fc.tuple(KEYS, fc.option(fc.integer()));

describe('a map that shares what has not changed', () => {
  test('says what a map of the same changes says, and the ones before it still do', () => {
    fc.assert(
      fc.property(fc.array(fc.array(CHANGE, { maxLength: 40 }), { maxLength: 10 }), (batches) => {
        let shared = SharedMap.empty<string, number>();
        const plain = new Map<string, number>();
        const before: (readonly [SharedMap<string, number>, Map<string, number>])[] = [];
        for (const batch of batches) {
          before.push([shared, new Map(plain)]);
          shared = shared.with((draft) => {
            for (const [key, value] of batch) {
              if (value === null) draft.delete(key);
              else draft.set(key, value);
              expect(draft.get(key)).toBe(value ?? undefined);
            }
          });
          for (const [key, value] of batch) value === null ? plain.delete(key) : plain.set(key, value);
        }
        for (const [map, expected] of [...before, [shared, plain] as const]) {
          expect(new Map(map)).toEqual(expected);
          expect(map.size).toBe(expected.size);
          expect([...map.keys()].every((key) => map.has(key) && map.get(key) === expected.get(key))).toBe(
            true,
          );
          expect([...map.values()].sort()).toEqual([...expected.values()].sort());
        }
      }),
    );
  });

  test('without a change it is the same, and numbers are keys too', () => {
    const map = SharedMap.empty<number, string>().with((draft) => draft.set(16_385, 'a'));
    expect(map.with((draft) => draft.delete(4))).toBe(map);
    expect(map.get(16_385)).toBe('a');
    expect(map.get(16_641)).toBeUndefined();
    const seen: unknown[] = [];
    map.forEach((value, key) => void seen.push([key, value]));
    expect(seen).toEqual([[16_385, 'a']]);
  });
});
