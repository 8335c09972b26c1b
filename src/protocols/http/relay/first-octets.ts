import type { Duplex } from 'node:stream';

/** What a client begins to speak. */
export type Spoken = 'http/1' | 'http/2' | 'tls';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const TLS_HANDSHAKE = 0x16;

/**
 * Waits for so many octets that it is certain what is spoken, and leaves them to be read.
 *
 * @returns Undefined: the client left before.
 * @see RFC 9113 §3.4
 */
export async function spokenOver(stream: Duplex): Promise<Spoken | undefined> {
  let seen: Buffer = Buffer.alloc(0);
  for (;;) {
    const chunk = (await nextOf(stream)) as Buffer | null;
    if (chunk === null) return seen.length === 0 ? undefined : left(stream, seen, 'http/1');
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const spoken = spokenIn(seen);
    if (spoken !== undefined) return left(stream, seen, spoken);
  }
}

/** Pure. @returns Undefined while it is not certain. */
export function spokenIn(octets: Buffer): Spoken | undefined {
  if (octets[0] === TLS_HANDSHAKE) return 'tls';
  const begun = octets.toString('latin1', 0, PREFACE.length);
  if (begun === PREFACE) return 'http/2';
  return PREFACE.startsWith(begun) ? undefined : 'http/1';
}

function left(stream: Duplex, octets: Buffer, spoken: Spoken): Spoken {
  if (!stream.destroyed && !stream.readableEnded) stream.unshift(octets);
  return spoken;
}

function nextOf(stream: Duplex): Promise<unknown> {
  return new Promise((resolve) => {
    const settle = (chunk: unknown) => {
      stream.off('readable', look).off('end', end).off('close', end);
      resolve(chunk);
    };
    const look = () => {
      const chunk: unknown = stream.read();
      if (chunk !== null) settle(chunk);
    };
    const end = () => settle(null);
    stream.on('readable', look).on('end', end).on('close', end);
    if (stream.destroyed || stream.readableEnded) end();
    else look();
  });
}
