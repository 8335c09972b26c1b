import { expect, it } from 'vitest';
import { LentMemory } from '../../../src/protocols/http/target/http1/lent-memory.ts';

const read = (fill: string, bytes = 32 * 1024) => Buffer.alloc(bytes, fill);

it('what was given back is used again, whatever is read next', () => {
  const memory = new LentMemory(64 * 1024);
  const first = memory.copyOf(read('a'));
  memory.giveBack(first);
  const second = memory.copyOf(read('b', 64 * 1024));
  expect([second.buffer === first.buffer, second.equals(read('b', 64 * 1024))]).toEqual([true, true]);
});

it('what was not given back is not', () => {
  const memory = new LentMemory(64 * 1024);
  const first = memory.copyOf(read('a'));
  expect(memory.copyOf(read('b')).buffer).not.toBe(first.buffer);
  expect(first.equals(read('a'))).toBe(true);
});

it.each([
  [
    'twice',
    (memory: LentMemory, copy: Buffer) => {
      memory.giveBack(copy);
      memory.giveBack(copy);
    },
  ],
  [
    'and a piece of it before',
    (memory: LentMemory, copy: Buffer) => {
      memory.giveBack(copy.subarray(1));
      memory.giveBack(copy);
    },
  ],
  [
    'beside memory that is not lent',
    (memory: LentMemory, copy: Buffer) => {
      memory.giveBack(Buffer.alloc(64 * 1024));
      memory.giveBack(copy);
    },
  ],
])('what is given back %s is lent to one only', (_, give) => {
  const memory = new LentMemory(64 * 1024);
  const first = memory.copyOf(read('a'));
  give(memory, first);
  const [one, other] = [memory.copyOf(read('b')), memory.copyOf(read('c'))];
  expect(one.buffer).toBe(first.buffer);
  expect(other.buffer).not.toBe(first.buffer);
});

it.each([1, 4096, 16 * 1024 - 1, 64 * 1024 + 1])('%i octets are copied and no more', (bytes) => {
  const memory = new LentMemory(64 * 1024);
  const copy = memory.copyOf(read('a', bytes));
  memory.giveBack(copy);
  expect(memory.copyOf(read('b')).buffer).not.toBe(copy.buffer);
  expect(copy.equals(read('a', bytes))).toBe(true);
});
