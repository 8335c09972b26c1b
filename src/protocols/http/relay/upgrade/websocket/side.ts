import { randomFillSync } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { type Close, closePayload } from '../../../../../wire/http/websocket/close.ts';
import { type FrameKind, FrameReader, frame } from '../../../../../wire/http/websocket/frames.ts';
import { Heartbeats } from '../../../../../wire/http/websocket/heartbeats.ts';
import type { SideName } from './ending.ts';

/** How long a side may take to close its connection once it was told, ms. */
const PARTING_MS = 2_000;

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

  /** Resolves when what was sent has left, or will not. */
  drained(): Promise<void> {
    const { stream } = this;
    if (!stream.writableNeedDrain || stream.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const go = () => {
        stream.off('drain', go).off('close', go);
        resolve();
      };
      stream.on('drain', go).on('close', go);
    });
  }

  /** Ends the connection behind what was sent. Whoever reads what still comes drops it. Resolves when it is closed. */
  part(): Promise<void> {
    const { stream } = this;
    if (stream.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => stream.destroy(), PARTING_MS);
      stream.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      if (stream.writable) stream.end();
      else stream.destroy();
    });
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
