import { isUtf8 } from 'node:buffer';
import { HoopError } from '../../core/errors.ts';
import type { Format } from './types.ts';

/**
 * Reads one message's body, whose end is a wall: no read passes it, and `end` refuses what is left before it.
 *
 * Text is UTF-8 or refused: what is analysed must be the very bytes that are sent on. A byte-order mark stays.
 * Every failure is `ERR_PROTOCOL` and names the message.
 */
export class Reader {
  readonly #message: string;
  readonly #body: Buffer;
  #at = 0;

  constructor(message: string, body: Buffer) {
    this.#message = message;
    this.#body = body;
  }

  get remaining(): number {
    return this.#body.length - this.#at;
  }

  byte(): number {
    return this.#body[this.#step(1)]!;
  }

  /** Int16 as PostgreSQL reads counts: 0 … 65535. */
  uint16(): number {
    return this.#body.readUInt16BE(this.#step(2));
  }

  int16(): number {
    return this.#body.readInt16BE(this.#step(2));
  }

  /** Int32 where it is an oid or a version: 0 … 4294967295. */
  uint32(): number {
    return this.#body.readUInt32BE(this.#step(4));
  }

  int32(): number {
    return this.#body.readInt32BE(this.#step(4));
  }

  /** A view of the next octets. */
  bytes(count: number): Buffer {
    const start = this.#step(count);
    return this.#body.subarray(start, this.#at);
  }

  /** A view of everything up to the end. */
  rest(): Buffer {
    return this.bytes(this.remaining);
  }

  /** A String's octets, without the NUL that ends it. */
  stringBytes(): Buffer {
    const stop = this.#body.indexOf(0, this.#at);
    if (stop < 0) this.fail('a string has no end');
    const value = this.#body.subarray(this.#at, stop);
    this.#at = stop + 1;
    return value;
  }

  string(): string {
    const value = this.stringBytes();
    if (!isUtf8(value)) this.fail('a string is not valid UTF-8');
    return value.toString('utf8');
  }

  /** An Int32 length and that many octets; −1 is NULL. */
  value(): Buffer | null {
    const length = this.int32();
    if (length === -1) return null;
    if (length < 0) this.fail(`a value has the length ${length}`);
    return this.bytes(length);
  }

  /** A format code of two octets, as everywhere but at the head of a copy. */
  format(code: number = this.uint16()): Format {
    if (code !== 0 && code !== 1) this.fail(`${code} is no format code`);
    return code;
  }

  /** One octet that is one of these letters. */
  letter<const L extends string>(allowed: readonly L[]): L {
    const octet = String.fromCharCode(this.byte());
    return allowed.find((letter) => letter === octet) ?? this.fail(`it has none of ${allowed.join(', ')}`);
  }

  /** An Int16 count of items, refused before anything is made if so many cannot follow. */
  list<T>(leastBytesEach: number, item: () => T): T[] {
    const count = this.uint16();
    if (count * leastBytesEach > this.remaining) this.fail(`${count} items cannot follow`);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(item());
    return items;
  }

  /** Refuses octets behind the last field. */
  end(): void {
    if (this.remaining > 0) this.fail(`${this.remaining} octets follow its last field`);
  }

  fail(reason: string): never {
    throw new HoopError('ERR_PROTOCOL', `malformed ${this.#message} message: ${reason}`);
  }

  #step(count: number): number {
    const start = this.#at;
    if (count > this.#body.length - start) this.fail('it ends too early');
    this.#at = start + count;
    return start;
  }
}
