import { describe, expect, test } from 'vitest';
import { CancelRegistry } from '../../../src/protocols/postgres/login/cancel.ts';

function registered() {
  const registry = new CancelRegistry();
  const cancelled: string[] = [];
  const add = (instance: string, { pid = 7, keyBytes = 4, name = instance } = {}) =>
    registry.register(instance, pid, async () => void cancelled.push(name), keyBytes);
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

  test('processes of several servers with one id: each key cancels its own, also when others are gone', async () => {
    const { registry, cancelled, add } = registered();
    const [first, second, third] = ['first', 'second', 'third'].map((name) => add('ins_a', { name }));
    const other = add('ins_b', { name: 'other' });
    const cancel = (one: typeof first) =>
      registry.cancel('ins_a', one?.key.pid ?? 0, one?.key.key ?? Buffer.alloc(0), 0);
    expect([first, second, third, other].map((one) => one?.key.pid)).toEqual([7, 7, 7, 7]);
    await cancel(second);
    first?.forget();
    await cancel(first);
    await cancel(third);
    await cancel(other);
    expect(cancelled).toEqual(['second', 'third']);
  });

  test('the key counts with its own process id only', async () => {
    const { registry, cancelled, add } = registered();
    const { key } = add('ins_a', { pid: 7 });
    add('ins_a', { pid: 8 });
    await registry.cancel('ins_a', 8, key.key, 0);
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
