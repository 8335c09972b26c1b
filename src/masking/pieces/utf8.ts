import { isUtf8 } from 'node:buffer';
import { unreadable } from './unreadable.ts';

/**
 * Checks that a body is UTF-8, whatever pieces it comes in: what is not could be read as something else by its client.
 *
 * @see RFC 3629 §3
 */
export class Utf8Check {
  /** The begun character at the end of the last piece: at most three octets. */
  #begun: Uint8Array = EMPTY;

  /** @throws {HoopError} `ERR_TARGET_LOST` */
  push(chunk: Uint8Array): void {
    let from = 0;
    if (this.#begun.length > 0) {
      const needed = widthOf(this.#begun[0]!) - this.#begun.length;
      const whole = Buffer.concat([this.#begun, chunk.subarray(0, needed)]);
      if (chunk.length < needed) {
        this.#begun = whole;
        return;
      }
      if (!isUtf8(whole)) throw unreadable(NOT_UTF8);
      from = needed;
    }
    const end = wholeEnd(chunk, from);
    if (!isUtf8(from === 0 && end === chunk.length ? chunk : chunk.subarray(from, end)))
      throw unreadable(NOT_UTF8);
    this.#begun = end === chunk.length ? EMPTY : Buffer.from(chunk.subarray(end));
  }

  /** @throws {HoopError} `ERR_TARGET_LOST` the body ends within a character. */
  end(): void {
    if (this.#begun.length > 0) throw unreadable(NOT_UTF8);
  }
}

const EMPTY = new Uint8Array();
const NOT_UTF8 = 'it is not UTF-8';

/** Where the last whole character ends, looking back no further than a character is long. */
function wholeEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.length - 1; at >= from && at >= bytes.length - 3; at--) {
    const byte = bytes[at]!;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) return at + widthOf(byte) > bytes.length ? at : bytes.length;
  }
  return bytes.length;
}

function widthOf(lead: number): number {
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
