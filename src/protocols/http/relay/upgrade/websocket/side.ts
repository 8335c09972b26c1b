import { randomFillSync } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { type Close, closePayload } from '../../../../../wire/http/websocket/close.ts';
import { type FrameKind, FrameReader, frame } from '../../../../../wire/http/websocket/frames.ts';
import { Heartbeats } from '../../../../../wire/http/websocket/heartbeats.ts';
import { drained, part } from '../parting.ts';
import type { SideName } from './ending.ts';

/** One end of a WebSocket: what it says is read, what it is told is written. */
export class Side {
  readonly name: SideName;
  readonly stream: Duplex;
  readonly reader: FrameReader;
  /** Pings of this side's. */
  readonly heartbeats = new Heartbeats();
  /** It has said that it is over: nothing more of it is read. */
  saidClose = false;
  #toldClose = false;
  readonly #keys: MaskKeys | undefined;

  constructor(name: SideName, stream: Duplex) {
    this.name = name;
    this.stream = stream;
    this.reader = new FrameReader(name === 'client' ? 'client' : 'server');
    // To the target we are the client, and mask.
    this.#keys = name === 'target' ? new MaskKeys() : undefined;
  }

  send(kind: FrameKind, last: boolean, bytes: Uint8Array): void {
    if (this.#toldClose || !this.stream.writable) return;
    this.stream.write(frame(kind, last, bytes, this.#keys?.next()));
  }

  /** Says that it is over; the first time counts. */
  close(close: Close): void {
    this.send('close', true, closePayload(close));
    this.#toldClose = true;
  }

  /** As `drained` has it. */
  drained(): Promise<void> {
    return drained(this.stream);
  }

  /** As `part` has it. */
  part(withinMs?: number): Promise<void> {
    return part(this.stream, withinMs);
  }
}

/** Keys that nobody can foresee, four octets each: RFC 6455 §5.3. */
class MaskKeys {
  readonly #random = Buffer.alloc(1024);
  #at = this.#random.length;

  /** Valid until the next call. */
  next(): Uint8Array {
    if (this.#at === this.#random.length) {
      randomFillSync(this.#random);
      this.#at = 0;
    }
    this.#at += 4;
    return this.#random.subarray(this.#at - 4, this.#at);
  }
}
