import { TELLING } from '../detectors/index.ts';
import { unreadable } from '../pieces/unreadable.ts';
import { ESCAPED, HEX, IN_STRING, STRING_CLASS } from './grammar.ts';

const LETTER_U = 0x75;

/** Finds the end of a JSON string, whatever pieces it comes in. */
export class StringScan {
  /** 0: plain, 1: behind a backslash, 2 … 5: one digit fewer is due. */
  #escape = 0;
  /** It has escapes: what it says is not what its octets are. */
  escaped = false;

  begin(): void {
    this.#escape = 0;
    this.escaped = false;
  }

  /**
   * @param from Where the inside goes on in this piece.
   * @returns Where it ends, behind its quote; -1: not in this piece.
   * @throws {HoopError} `ERR_TARGET_LOST` it is not well-formed.
   * @see RFC 8259 §7
   */
  end(bytes: Uint8Array, from: number): number {
    const { length } = bytes;
    let at = from;
    while (at < length) {
      if (this.#escape > 0) {
        this.#inEscape(bytes[at++]!);
        continue;
      }
      at = plainEnd(bytes, at);
      if (at === length) return -1;
      const found = STRING_CLASS[bytes[at++]!];
      if (found === IN_STRING.quote) return at;
      if (found === IN_STRING.control) throw unreadable('a JSON string holds a control character');
      this.#escape = 1;
      this.escaped = true;
    }
    return -1;
  }

  #inEscape(byte: number): void {
    const known = this.#escape === 1 ? ESCAPED : HEX;
    if (known[byte] === 0) throw unreadable('a JSON string holds an unknown escape');
    if (this.#escape === 1) this.#escape = byte === LETTER_U ? 5 : 0;
    else this.#escape = this.#escape === 2 ? 0 : this.#escape - 1;
  }
}

/** The first place at or behind `from` where an octet stands that has a meaning within a string; else the end of the piece. */
export function plainEnd(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  let at = from;
  while (at < length && CLASSES[bytes[at]!] === PLAIN) at++;
  return at;
}

/** As `plainEnd`, no further than to what a detector may start from. */
export function quietEnd(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  let at = from;
  while (at < length && QUIET_CLASS[bytes[at]!] === PLAIN) at++;
  return at;
}

/** As `plainEnd`, no further than the ASCII goes. */
export function asciiEnd(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  let at = from;
  while (at < length && NAME_CLASS[bytes[at]!] === PLAIN) at++;
  return at;
}

// Tables of this file are in the code that V8 makes of it; those of another are looked up there each time.
const { plain: PLAIN } = IN_STRING;
const CLASSES = STRING_CLASS;
const QUIET_CLASS = STRING_CLASS.map((known, byte) => (TELLING[byte] === 1 ? IN_STRING.telling : known));
const NAME_CLASS = STRING_CLASS.map((known, byte) => (byte < 0x80 ? known : IN_STRING.control));
