/** What others feel of an attack on what all sessions share. */
import { rssKiB } from '../bench/processes.ts';
import { timePasses } from '../support/waiting.ts';
import { must, send } from './attack.ts';
import type { World } from './world.ts';

/** What another session may wait while others attack: a bound that a busy machine keeps, not a figure. */
const PATIENCE_MS = 5_000;
const MEMORY_KIB = 1024 * 1024;

/** Asks another session again and again until the attack is over. */
export async function meanwhile<T>(world: World, attack: Promise<T>): Promise<T> {
  const other = await world.through();
  let over = false;
  const done = attack.finally(() => {
    over = true;
  });
  // Each is asked what nobody has asked before, so that it is parsed.
  for (let n = 0; !over || n < 3; n++) {
    const before = performance.now();
    const lines = await send(other, `SELECT ${n} + ${Math.floor(Math.random() * 1e9)}`);
    const took = performance.now() - before;
    must(lines.includes('CommandComplete SELECT 1'), `another session was not served: ${lines.join(' / ')}`);
    must(took < PATIENCE_MS, `another session waited ${Math.round(took)} ms`);
    must(rssKiB(world.stack.hoopd.child.pid ?? 0) < MEMORY_KIB, 'hoopd holds more than 1 GiB');
    await timePasses(50, 'another session works at a human pace');
  }
  return done;
}
