import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { HoopError } from '../core/errors.ts';

/**
 * A port of 127.0.0.1 that was free a moment ago, below the range that outgoing connections take theirs from.
 *
 * @throws {HoopError} `ERR_CONFIG` fifty tries found none.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
  throw new HoopError('ERR_CONFIG', 'no free port between 20000 and 31999');
}

/** Whether 127.0.0.1 could be listened on at this port right now. Never throws. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
