import type { Duplex } from 'node:stream';
import { BatchedWriter } from '../core/bytes/batched-writer.ts';
import { readsDirectly } from '../core/bytes/direct-reads.ts';
import { SlabPool, SlabSizes } from '../core/bytes/slabs.ts';

/** How long a side may take to write what it still holds once the other is gone, ms. */
const FLUSH_MS = 5_000;

/** A TLS record holds so much: after a full one more is likely to follow in the same turn. */
const RECORD_BYTES = 16 * 1024;
/** Octets that are written without waiting for more. */
const BATCH_BYTES = 128 * 1024;
/** Octets that wait for the local side before the remote one is paused. */
const WAITING_BOUND_BYTES = 256 * 1024;
/** What small answers lie in until they have left. */
const SMALL = { bytes: 8 * 1024, kept: 128 };
const LARGE = { bytes: 2 * BATCH_BYTES, kept: 4 };

/** Memory for the relays of one process. */
export function relaySlabs(): SlabSizes {
  return new SlabSizes([SMALL, LARGE].map(({ bytes, kept }) => new SlabPool(bytes, kept)));
}

/**
 * Joins two byte streams: both directions, with backpressure; an end on one side is passed on while the other side may
 * still speak.
 *
 * If the remote side breaks, the local one still gets what had arrived, then an end. If the local side breaks, the
 * remote one is dropped at once, so that the target stops working for nobody. Takes both streams over.
 *
 * @returns Resolves when both are closed, with the error that broke the relay if one did. Never rejects.
 */
export function relay(local: Duplex, remote: Duplex, slabs = relaySlabs()): Promise<Error | undefined> {
  let failure: Error | undefined;
  const note = (error: Error) => {
    failure ??= error;
  };
  // It may have said its last word before it broke: a process that is killed ends, and then refuses the answers.
  const ended = () => local.readableEnded && local.errored === null;
  local.on('error', note).once('close', () => (ended() ? finish(remote) : remote.destroy()));
  const flush = answer(remote, local, slabs);
  remote.on('error', note).once('close', () => {
    flush();
    finish(local);
  });
  local.pipe(remote);
  return Promise.all([closed(local), closed(remote)]).then(() => failure);
}

/**
 * Brings what the remote side says, and its end, to the local one: TLS gives it record by record, and a write for each
 * would cost more than all the rest.
 *
 * @returns Gives all that waits to the local side at once.
 */
function answer(remote: Duplex, local: Duplex, slabs: SlabSizes): () => void {
  const goOn = () => {
    if (remote.isPaused() && writer.waitingBytes <= WAITING_BOUND_BYTES) remote.resume();
  };
  const writer = new BatchedWriter(local, slabs, { taken: goOn });
  const take = (bytes: Buffer) => {
    writer.add(bytes);
    if (bytes.length === RECORD_BYTES && writer.waitingBytes < BATCH_BYTES) writer.pushSoon();
    else writer.push();
    if (writer.waitingBytes > WAITING_BOUND_BYTES) remote.pause();
  };
  if (readsDirectly(remote)) remote.deliver(take);
  remote.on('data', take).once('end', () => {
    writer.flush();
    local.end();
  });
  remote.resume();
  return () => writer.flush();
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
