import type { Duplex } from 'node:stream';

/** How long a side may take to close its connection once it was told, ms. */
const PARTING_MS = 2_000;

/** Resolves when what was sent has left, or will not. */
export function drained(stream: Duplex): Promise<void> {
  if (!stream.writableNeedDrain || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const go = () => {
      stream.off('drain', go).off('close', go);
      resolve();
    };
    stream.on('drain', go).on('close', go);
  });
}

/**
 * Ends a connection behind what was sent. Whoever reads what still comes drops it. Resolves when it is closed.
 *
 * @param withinMs Who has not read all until then loses the rest.
 */
export function part(stream: Duplex, withinMs = PARTING_MS): Promise<void> {
  if (stream.closed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => stream.destroy(), withinMs);
    stream.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    if (stream.writable) stream.end();
    else stream.destroy();
  });
}
