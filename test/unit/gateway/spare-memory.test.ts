import { describe, expect, it } from 'vitest';
import { SpareMemory } from '../../../src/gateway/spare-memory.ts';

const MIB = 1024 * 1024;

/** A process of so much memory, of which a collection gives so much back. */
function processOf(rssMiB: number, givesMiB: number) {
  const state = { rss: rssMiB * MIB, gives: givesMiB * MIB, heap: 40 * MIB, cpu: 0, collected: 0 };
  const spare = new SpareMemory({
    cpuUs: () => state.cpu,
    rss: () => state.rss,
    heapUsed: () => state.heap,
    collect: () => {
      state.collected++;
      state.rss -= state.gives;
    },
  });
  /** Seconds in which so much of a core is used. */
  const pass = (seconds: number, share: number) => {
    for (let i = 0; i < seconds; i++) {
      state.cpu += share * 1e6;
      spare.look();
    }
  };
  return { state, pass };
}

describe('spare memory', () => {
  it('is given back once when a process rests that was busy', () => {
    const { state, pass } = processOf(300, 100);
    pass(30, 0.5);
    expect(state.collected).toBe(0);
    pass(20, 0);
    expect(state.collected).toBe(1);
    pass(600, 0);
    expect(state.collected).toBe(1);
  });

  it('is let be while little was done since', () => {
    const { state, pass } = processOf(300, 100);
    pass(600, 0.0001);
    expect(state.collected).toBe(0);
  });

  it('is given back under load where much is held', () => {
    const { state, pass } = processOf(800, 0);
    state.gives = 600 * MIB;
    pass(31, 1);
    expect(state.collected).toBe(1);
    expect(state.rss).toBe(200 * MIB);
    pass(60, 1);
    expect(state.collected).toBe(1);
  });

  it('waits where many objects are held: that would be a long pause', () => {
    const { state, pass } = processOf(800, 0);
    state.heap = 300 * MIB;
    pass(60, 1);
    expect(state.collected).toBe(0);
    state.heap = 40 * MIB;
    pass(31, 1);
    expect(state.collected).toBe(1);
  });

  it('is asked for ever more rarely where nothing comes back', () => {
    const { state, pass } = processOf(800, 0);
    pass(3600, 1);
    expect(state.collected).toBeGreaterThan(10);
    expect(state.collected).toBeLessThan(18);
  });
});
