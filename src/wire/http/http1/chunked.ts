import { HeadReader, MalformedMessage, readFieldLines } from './head.ts';

/** Octets of what stands behind the sizes of all chunks since the last octet of data: nobody reads it. */
const MAX_EXTENSION = 4096;
const MAX_TRAILERS = 64 * 1024;
/** Hexadecimal digits of a size: below 2^53. */
const MAX_DIGITS = 13;

const STATE = { size: 0, extension: 1, sizeLf: 2, data: 3, dataCr: 4, dataLf: 5, trailers: 6 } as const;
const [CR, LF, SEMICOLON, SPACE, TAB] = [0x0d, 0x0a, 0x3b, 0x20, 0x09];

/**
 * Reads a body in chunks, in whatever pieces it comes.
 *
 * @see RFC 9112 §7.1
 */
export class ChunkedReader {
  #state: number = STATE.size;
  #digits = 0;
  /** Of the chunk that is being read: octets that are still to come. */
  #left = 0;
  #extension = 0;
  readonly #trailers = new HeadReader(MAX_TRAILERS);
  /** Names and values in turn, once it has ended. */
  trailers: readonly string[] = [];

  /**
   * @param give Called with each stretch of data, in order: parts of `chunk`.
   * @returns Where the octets behind the body are in this piece; -1: it has not ended.
   * @throws {MalformedMessage}
   */
  push(chunk: Buffer, from: number, give: (data: Buffer) => void): number {
    for (let at = from; at < chunk.length; ) {
      if (this.#state === STATE.data) {
        const end = Math.min(chunk.length, at + this.#left);
        this.#left -= end - at;
        this.#extension = 0;
        if (this.#left === 0) this.#state = STATE.dataCr;
        give(chunk.subarray(at, end));
        at = end;
      } else if (this.#state === STATE.trailers) {
        const end = this.#trailers.push(chunk, at);
        if (end !== -1) this.trailers = readFieldLines(this.#trailers.take(), 0);
        return end;
      } else this.#framing(chunk[at++]!);
    }
    return -1;
  }

  #framing(octet: number): void {
    switch (this.#state) {
      case STATE.size:
        return this.#size(octet);
      case STATE.extension:
        if (octet === CR) this.#state = STATE.sizeLf;
        else if ((octet < SPACE && octet !== TAB) || octet === 0x7f || ++this.#extension > MAX_EXTENSION)
          throw new MalformedMessage('the extension of a chunk is malformed, or too long');
        return;
      case STATE.sizeLf:
        if (octet !== LF) throw malformed();
        this.#digits = 0;
        if (this.#left === 0) this.#state = STATE.trailers;
        else this.#state = STATE.data;
        return;
      case STATE.dataCr:
        if (octet !== CR) throw malformed();
        this.#state = STATE.dataLf;
        return;
      default:
        if (octet !== LF) throw malformed();
        this.#state = STATE.size;
    }
  }

  #size(octet: number): void {
    const digit = digitOf(octet);
    if (digit !== -1) {
      if (++this.#digits > MAX_DIGITS) throw malformed();
      this.#left = this.#left * 16 + digit;
    } else if (this.#digits === 0) throw malformed();
    else if (octet === CR) this.#state = STATE.sizeLf;
    else if (octet === SEMICOLON) this.#state = STATE.extension;
    else throw malformed();
  }
}

function digitOf(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function malformed(): MalformedMessage {
  return new MalformedMessage('a chunk is malformed');
}
