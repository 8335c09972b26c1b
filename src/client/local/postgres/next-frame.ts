import type { Inlet } from '../../../core/bytes/inlet.ts';
import type { Frame } from '../../../wire/postgres/frame.ts';
import type { Framer } from '../../../wire/postgres/framer.ts';

/** The next message of a stream; undefined: it has ended. @throws {HoopError} What the framer throws. */
export async function nextFrame(inlet: Inlet, framer: Framer): Promise<Frame | undefined> {
  for (;;) {
    const frame = framer.next();
    if (frame !== undefined) return frame;
    const chunk = await inlet.next();
    if (chunk === undefined) return undefined;
    framer.push(chunk);
  }
}
