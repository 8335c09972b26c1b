import { describe, expect, test } from 'vitest';
import { CancelRegistry } from '../../../src/protocols/postgres/cancel.ts';

function registered() {
  const registry = new CancelRegistry();
  const cancelled: string[] = [];
  const add = (instance: string, keyBytes = 4) =>
    registry.register(instance, async () => void cancelled.push(instance), keyBytes);
  return { registry, cancelled, add };
}

describe('cancel keys', () => {
  test('the right key of the right instance cancels', async () => {
    const { registry, cancelled, add } = registered();
    const { key } = add('ins_a');
    await registry.cancel('ins_a', key.pid, key.key, 0);
    expect(cancelled).toEqual(['ins_a']);
  });

  test.each([
    ["another instance's right key", 'ins_b', (key: Buffer) => key],
    ['a wrong key', 'ins_a', (key: Buffer) => Buffer.from(key.map((octet) => octet ^ 0xff))],
    ['a longer key', 'ins_a', (key: Buffer) => Buffer.concat([key, key])],
    ['an empty key', 'ins_a', () => Buffer.alloc(0)],
  ])('%s does nothing', async (_, instance, change) => {
    const { registry, cancelled, add } = registered();
    const { key } = add('ins_a');
    await registry.cancel(instance, key.pid, change(key.key), 0);
    expect(cancelled).toEqual([]);
  });

  test('a forgotten key does nothing', async () => {
    const { registry, cancelled, add } = registered();
    const { key, forget } = add('ins_a');
    forget();
    await registry.cancel('ins_a', key.pid, key.key, 0);
    expect(cancelled).toEqual([]);
  });

  test('after many wrong keys even the right one waits a minute: keys cannot be tried through', async () => {
    const { registry, cancelled, add } = registered();
    const { key } = add('ins_a');
    for (let i = 0; i < 100; i++) await registry.cancel('ins_a', 999_999, Buffer.alloc(4), 1000);
    await registry.cancel('ins_a', key.pid, key.key, 2000);
    expect(cancelled).toEqual([]);
    await registry.cancel('ins_a', key.pid, key.key, 61_001);
    expect(cancelled).toEqual(['ins_a']);
  });
});
