import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** How long the client may take to read the last words before the stream is cut. */
const LAST_WORDS_MS = 2000;
/** How long what a client asked for before its goodbye may go on. */
const GRACE_MS = 2000;
/** How long the target may take to read our goodbye. */
const PARTING_MS = 1000;

/** Calls `over` when the client, which says nothing more, has had its time for what it asked before; not if it leaves first. */
export function afterGrace(stream: Duplex, over: () => void): void {
  const timer = setTimeout(over, GRACE_MS);
  stream.once('close', () => clearTimeout(timer));
}

/** Ends a client's stream behind what was written to it, and resolves when it is closed. Never rejects. */
export async function lastWords(stream: Duplex): Promise<void> {
  if (stream.destroyed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, LAST_WORDS_MS);
    stream.once('close', resolve);
    stream.end(() => {
      clearTimeout(timer);
      resolve();
    });
  });
  stream.destroy();
}

/** Says goodbye to a target and leaves it, at the latest after a second. @param goodbye In its protocol. */
export function partFrom(socket: Socket, goodbye: Uint8Array): void {
  const timer = setTimeout(() => socket.destroy(), PARTING_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
  if (socket.writable) socket.end(goodbye);
  else socket.destroy();
}
