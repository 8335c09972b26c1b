import { HoopError } from '../../core/errors.ts';

/** The length word is an Int32; PostgreSQL itself never makes or takes a message of a gigabyte (MaxAllocSize). */
const MAX_BYTES = 0x3fff_ffff;
const FIRST_BYTES = 128;

/**
 * Writes one message: type, length and fields, into one buffer that grows by doubling.
 *
 * Numbers and counts out of range, and strings with a NUL, are `ERR_PROTOCOL`: cut silently, they would make the
 * other end read other messages than were written.
 */
export class Writer {
  readonly #message: string;
  readonly #lengthAt: number;
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #at: number;

  /** @param type Type octet; undefined for packets of the startup phase, which have none. */
  constructor(message: string, type: number | undefined) {
    this.#message = message;
    this.#lengthAt = type === undefined ? 0 : 1;
    this.#at = this.#lengthAt + 4;
    if (type !== undefined) this.#bytes[0] = type;
  }

  byte(value: number): this {
    const at = this.#room(1);
    this.#bytes.writeUInt8(this.#within(value, 0, 0xff), at);
    return this;
  }

  uint16(value: number): this {
    const at = this.#room(2);
    this.#bytes.writeUInt16BE(this.#within(value, 0, 0xffff), at);
    return this;
  }

  int16(value: number): this {
    const at = this.#room(2);
    this.#bytes.writeInt16BE(this.#within(value, -0x8000, 0x7fff), at);
    return this;
  }

  uint32(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeUInt32BE(this.#within(value, 0, 0xffff_ffff), at);
    return this;
  }

  int32(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeInt32BE(this.#within(value, -0x8000_0000, 0x7fff_ffff), at);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** A String: its octets (text as UTF-8) and the NUL that ends it. */
  string(value: string | Uint8Array): this {
    // A lone surrogate has no octets in UTF-8: it would leave as U+FFFD.
    if (typeof value === 'string' && !value.isWellFormed()) this.#fail('a string is not valid Unicode');
    const octets = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    if (octets.includes(0)) this.#fail('a string contains a NUL');
    return this.bytes(octets).byte(0);
  }

  /** An Int32 length and the octets; −1 for NULL. */
  value(value: Uint8Array | null): this {
    return value === null ? this.int32(-1) : this.int32(value.length).bytes(value);
  }

  /** An Int16 count, then each item. */
  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.uint16(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** The finished message. The writer is of no use afterwards. */
  finish(): Buffer {
    this.#bytes.writeInt32BE(this.#at - this.#lengthAt, this.#lengthAt);
    return this.#bytes.subarray(0, this.#at);
  }

  #room(count: number): number {
    const start = this.#at;
    const size = start + count;
    if (size > MAX_BYTES) this.#fail('it is too long');
    if (size > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    this.#at = size;
    return start;
  }

  #within(value: number, least: number, most: number): number {
    if (!Number.isInteger(value) || value < least || value > most) this.#fail(`${value} is out of range`);
    return value;
  }

  #fail(reason: string): never {
    throw new HoopError('ERR_PROTOCOL', `cannot write a ${this.#message} message: ${reason}`);
  }
}
