import { Heartbeats } from '../../../wire/http/websocket/heartbeats.ts';

/**
 * Pings of one side of SPDY: those of a client have odd numbers, those of a server even ones, and who is asked answers with the
 * same number.
 */
export class SpdyBeats {
  /** The client's numbers are ours where we are the client. */
  readonly #own: 0 | 1;
  readonly #beats = new Heartbeats();
  readonly #send: (id: number) => void;

  /** @param name Of the side that is asked. */
  constructor(name: 'client' | 'target', send: (id: number) => void) {
    this.#own = name === 'target' ? 1 : 0;
    this.#send = send;
  }

  heard(id: number): { readonly kind: 'ping' | 'pong'; readonly bytes: Buffer } {
    const bytes = Buffer.alloc(4);
    if (id % 2 !== this.#own) {
      bytes.writeUInt32BE(id);
      return { kind: 'ping', bytes };
    }
    bytes.writeUInt32BE((id + this.#own) / 2);
    return { kind: 'pong', bytes };
  }

  /** @param bytes Of a ping of the other side's. */
  ping(bytes: Buffer): void {
    const number = this.#beats.ping(bytes).readUInt32BE();
    this.#send((number * 2 - this.#own) % 0x8000_0000);
  }

  /** @returns What who pinged is answered with. */
  answered(bytes: Buffer): Buffer | undefined {
    return this.#beats.pong(bytes);
  }

  pong(bytes: Buffer): void {
    if (bytes.length === 4) this.#send(bytes.readUInt32BE());
  }
}
