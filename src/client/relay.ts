import type { Duplex } from 'node:stream';

/** How long a side may take to write what it still holds once the other is gone, ms. */
const FLUSH_MS = 5_000;

/**
 * Joins two byte streams: both directions, with backpressure; an end on one side is passed on while the other side may
 * still speak.
 *
 * If the remote side breaks, the local one still gets what had arrived, then an end. If the local side breaks, the
 * remote one is dropped at once, so that the target stops working for nobody. Takes both streams over.
 *
 * @returns Resolves when both are closed, with the error that broke the relay if one did. Never rejects.
 */
export function relay(local: Duplex, remote: Duplex): Promise<Error | undefined> {
  let failure: Error | undefined;
  const note = (error: Error) => {
    failure ??= error;
  };
  local.on('error', note).once('close', () => (local.readableEnded ? finish(remote) : remote.destroy()));
  remote.on('error', note).once('close', () => finish(local));
  local.pipe(remote);
  remote.pipe(local);
  return Promise.all([closed(local), closed(remote)]).then(() => failure);
}

/** Ends a stream whose partner is gone: nobody reads what it still says, and it gets its time to write, no more. */
function finish(stream: Duplex): void {
  if (stream.destroyed) return;
  const timer = setTimeout(() => stream.destroy(), FLUSH_MS).unref();
  stream.once('close', () => clearTimeout(timer));
  stream.unpipe();
  stream.resume();
  stream.end();
}

function closed(stream: Duplex): Promise<void> {
  return stream.closed ? Promise.resolve() : new Promise((resolve) => stream.once('close', () => resolve()));
}
