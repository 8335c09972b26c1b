/**
 * A process that appends as fast as it can and prints each operation once its event is acknowledged, until it is
 * killed. Arguments: directory, durability, seal key, path of the signing key, name of the run.
 */
import { writeSync } from 'node:fs';
import type { EventInput } from '../../src/audit/event.ts';
import { loadSigningKey, parseSealKey } from '../../src/audit/keys.ts';
import { openAuditLog } from '../../src/audit/log.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';

const [dir = '', durability = '', sealKey = '', signingKey = '', run = ''] = process.argv.slice(2);
const log = await openAuditLog({
  dir,
  instance: 'gw',
  durability: durability === 'strict' ? 'strict' : 'process',
  sealKey: parseSealKey(sealKey),
  signingKey: loadSigningKey(signingKey),
  clock: systemClock,
  log: silentLog,
  segmentBytes: 256 * 1024,
  checkpointEvents: 100,
});

async function client(number: number): Promise<never> {
  for (let i = 0; ; i++) {
    const operation = `op_${run}_${number}_${i}`;
    const text = 'select '.padEnd((i * 37) % 2000, 'x');
    const event: EventInput = {
      type: 'operation.decided',
      operation,
      text,
      decision: 'allow',
      original: { statement: text },
    };
    await log.append(event);
    // Synchronous: once the pipe has it, the parent reads it, whatever happens to this process.
    writeSync(1, `${operation}\n`);
    log.appendSoon({ type: 'operation.closed', operation, outcome: 'success' });
    // Nothing else gives the other clients, or the timers, their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

await Promise.all(Array.from({ length: 8 }, (_, number) => client(number)));
