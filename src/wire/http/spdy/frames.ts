/** Frames of SPDY/3.1 as streams into pods have them: octets ⇄ what they say. */
import { HeaderReader, type Headers, HeaderWriter } from './header-block.ts';

const TYPE = {
  synStream: 1,
  synReply: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 9,
} as const;
/** Of a control frame the first 16 bits: that it is one, and the version. */
const CONTROL = 0x8003;
const FIN = 0x01;
const HEAD_BYTES = 8;
/** Octets of a control frame: some headers, compressed. */
const MAX_CONTROL = 16 * 1024;
const STREAM_BITS = 0x7fff_ffff;

export type SpdyEvent =
  | { readonly kind: 'opened'; readonly id: number; readonly headers: Headers; readonly last: boolean }
  /** A stream was taken. Reading it costs as much as opening one: who asked for fewer ends it. */
  | { readonly kind: 'replied'; readonly id: number; readonly last: boolean }
  /** A piece of a frame, as long as it came in one. May be empty where it is the last. */
  | { readonly kind: 'data'; readonly id: number; readonly bytes: Buffer; readonly last: boolean }
  | { readonly kind: 'reset'; readonly id: number }
  | { readonly kind: 'ping'; readonly id: number }
  /** It opens no more streams, and takes none. */
  | { readonly kind: 'goaway' }
  /** It is no SPDY, or more than is read. Nothing is read behind it. */
  | { readonly kind: 'fault'; readonly reason: string };

/**
 * Reads what one side says, in whatever pieces it comes.
 *
 * Pure: holds a head, a control frame and what headers were compressed with. Windows and settings are read over: no peer of
 * Kubernetes has them, and who does not read is not sent more by TCP. Nor does one send more headers of a stream: they are a fault.
 *
 * @see https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/ §2.2, §2.6
 */
export class SpdyReader {
  readonly #headers = new HeaderReader();
  #held: Buffer = Buffer.alloc(0);
  /** The data frame that was begun. */
  #data: { readonly id: number; readonly last: boolean; left: number } | undefined;
  #dead = false;

  /** @param chunk In order of arrival. Kept by what is given for as long as that is. */
  *push(chunk: Buffer): Generator<SpdyEvent, void, undefined> {
    let octets = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = EMPTY;
    while (octets.length > 0 && !this.#dead) {
      if (this.#data !== undefined) {
        const bytes = octets.subarray(0, this.#data.left);
        octets = octets.subarray(bytes.length);
        yield this.#piece(this.#data, bytes);
        continue;
      }
      const length = octets.length < HEAD_BYTES ? 0 : octets.readUIntBE(5, 3);
      const control = (octets[0]! & 0x80) !== 0;
      if (control && octets.length >= HEAD_BYTES && length > MAX_CONTROL) {
        yield this.#fault('a frame is too long');
      } else if (octets.length < HEAD_BYTES + (control ? length : 0)) {
        // A copy: what came is not kept alive by what is left of it.
        this.#held = Buffer.from(octets);
        return;
      } else if (control) {
        const event = this.#control(octets.subarray(0, HEAD_BYTES + length));
        octets = octets.subarray(HEAD_BYTES + length);
        if (event !== undefined) yield event;
      } else {
        const event = this.#begin(octets, length);
        octets = octets.subarray(HEAD_BYTES);
        if (event !== undefined) yield event;
      }
    }
  }

  #begin(head: Buffer, left: number): SpdyEvent | undefined {
    const id = head.readUInt32BE(0);
    const last = (head[4]! & FIN) !== 0;
    if (id === 0) return this.#fault('data is of no stream');
    if (left > 0) {
      this.#data = { id, last, left };
      return undefined;
    }
    return last ? { kind: 'data', id, bytes: EMPTY, last } : undefined;
  }

  #piece(data: { readonly id: number; readonly last: boolean; left: number }, bytes: Buffer): SpdyEvent {
    data.left -= bytes.length;
    const whole = data.left === 0;
    if (whole) this.#data = undefined;
    return { kind: 'data', id: data.id, bytes, last: whole && data.last };
  }

  #control(frame: Buffer): SpdyEvent | undefined {
    if (frame.readUInt16BE(0) !== CONTROL) return this.#fault('a frame is of another version');
    const payload = frame.subarray(HEAD_BYTES);
    const last = (frame[4]! & FIN) !== 0;
    switch (frame.readUInt16BE(2)) {
      case TYPE.synStream:
        return this.#opened(payload, 10, (id, headers) => ({ kind: 'opened', id, headers, last }));
      case TYPE.synReply:
        return this.#opened(payload, 4, (id) => ({ kind: 'replied', id, last }));
      case TYPE.reset:
        return this.#numbered(payload, 8, (id) => ({ kind: 'reset', id }));
      case TYPE.ping:
        return this.#numbered(payload, 4, (id) => ({ kind: 'ping', id }));
      case TYPE.goaway:
        return { kind: 'goaway' };
      case TYPE.settings:
      case TYPE.window:
        return undefined;
      default:
        return this.#fault('a frame is of an unknown kind');
    }
  }

  #opened(payload: Buffer, before: number, make: (id: number, headers: Headers) => SpdyEvent): SpdyEvent {
    if (payload.length < before) return this.#fault('a frame is too short');
    const id = payload.readUInt32BE(0) & STREAM_BITS;
    const headers = this.#headers.read(payload.subarray(before));
    if (id === 0 || headers === undefined) return this.#fault('the headers of a stream are malformed');
    return make(id, headers);
  }

  #numbered(payload: Buffer, length: number, make: (id: number) => SpdyEvent): SpdyEvent {
    if (payload.length !== length) return this.#fault('a frame has a wrong length');
    return make(payload.readUInt32BE(0));
  }

  #fault(reason: string): SpdyEvent {
    this.#dead = true;
    return { kind: 'fault', reason };
  }
}

/** Writes the frames of one side, in order. Pure. */
export class SpdyWriter {
  readonly #headers = new HeaderWriter();

  open(id: number, headers: Headers): Buffer {
    const head = Buffer.alloc(10);
    head.writeUInt32BE(id);
    return control(TYPE.synStream, Buffer.concat([head, this.#headers.write(headers)]));
  }

  reply(id: number): Buffer {
    return control(TYPE.synReply, Buffer.concat([numbers(id), this.#headers.write([])]));
  }

  /** @param bytes Copied; less than 16 MiB. */
  data(id: number, bytes: Uint8Array, last: boolean): Buffer {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32BE(id);
    head[4] = last ? FIN : 0;
    head.writeUIntBE(bytes.length, 5, 3);
    return Buffer.concat([head, bytes]);
  }

  /** That a stream is given up. */
  cancel(id: number): Buffer {
    return control(TYPE.reset, numbers(id, CANCEL));
  }

  ping(id: number): Buffer {
    return control(TYPE.ping, numbers(id));
  }

  /** @param last The last stream of the other side's that was taken. */
  goaway(last: number): Buffer {
    return control(TYPE.goaway, numbers(last, 0));
  }
}

const EMPTY = Buffer.alloc(0);
const CANCEL = 5;

function control(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(CONTROL);
  head.writeUInt16BE(type, 2);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

function numbers(...values: readonly number[]): Buffer {
  const octets = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) octets.writeUInt32BE(value, 4 * at);
  return octets;
}
