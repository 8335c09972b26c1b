/** What others feel of an attack on what all sessions share. */
import { rssKiB } from '../bench/processes.ts';
import type { RawClient } from '../support/postgres/raw-client.ts';
import { timePasses } from '../support/waiting.ts';
import { must, send } from './attack.ts';
import type { World } from './world.ts';

/** What another session may wait while others attack: a bound that a busy machine keeps, not a figure; floods last longer. */
const PATIENCE_MS = 10_000;
/** So many times longer than a session without a gateway waits at the same moment: what the server or the machine is slow for is no attack. */
const TIMES_ALONE = 3;
const MEMORY_KIB = 1024 * 1024;

/** Asks another session again and again until the attack is over. */
export async function meanwhile<T>(world: World, attack: Promise<T>): Promise<T> {
  const [other, alone] = await Promise.all([world.through(), world.direct()]);
  let over = false;
  const done = attack.finally(() => {
    over = true;
  });
  // Each is asked what nobody has asked before, so that it is parsed.
  for (let n = 0; !over || n < 3; n++) {
    const text = `SELECT ${n} + ${Math.floor(Math.random() * 1e9)}`;
    const [{ lines, took }, without] = await Promise.all([timed(other, text), timed(alone, text)]);
    must(lines.includes('CommandComplete SELECT 1'), `another session was not served: ${lines.join(' / ')}`);
    must(
      took < Math.max(PATIENCE_MS, TIMES_ALONE * without.took),
      `another session waited ${Math.round(took)} ms, and one without a gateway ${Math.round(without.took)} ms`,
    );
    must(rssKiB(world.stack.hoopd.child.pid ?? 0) < MEMORY_KIB, 'hoopd holds more than 1 GiB');
    await timePasses(50, 'another session works at a human pace');
  }
  return done;
}

async function timed(client: RawClient, text: string) {
  const before = performance.now();
  const lines = await send(client, text);
  return { lines, took: performance.now() - before };
}
