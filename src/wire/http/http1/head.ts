/** The head of a message of HTTP/1.1, or its trailers: RFC 9112 §2. */

const [CR, LF] = [0x0d, 0x0a];
/** Where in a line the next octet stands. */
const PLACE = { start: 0, inside: 1, behindCr: 2, emptyBehindCr: 3 } as const;

/** It is no message of HTTP/1.1, or one that two readers could take in two ways. Nothing is read behind it. */
export class MalformedMessage extends Error {
  readonly code = 'malformed';
}

/**
 * Gathers lines up to the empty one, in whatever pieces they come.
 *
 * A line ends with CR and LF; either of them alone is malformed, since some take it for an end and others do not.
 */
export class HeadReader {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #length = 0;
  #place: number = PLACE.start;

  /** @param maxBytes Octets of all lines. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Something of it has come. */
  get begun(): boolean {
    return this.#length > 0;
  }

  /**
   * @param chunk Kept until the head is whole.
   * @returns Where the octets behind the empty line are in this piece; -1: it has not come.
   * @throws {MalformedMessage} It is longer than `maxBytes`, or CR and LF do not stand together.
   */
  push(chunk: Buffer, from: number): number {
    let place = this.#place;
    const last = Math.min(chunk.length, from + this.#maxBytes - this.#length);
    for (let at = from; at < last; at++) {
      const octet = chunk[at]!;
      if (place === PLACE.inside) {
        if (octet === CR) place = PLACE.behindCr;
        else if (octet === LF) throw new MalformedMessage('a line ends without CR');
      } else if (place === PLACE.start) {
        if (octet === LF) throw new MalformedMessage('a line ends without CR');
        place = octet === CR ? PLACE.emptyBehindCr : PLACE.inside;
      } else {
        if (octet !== LF) throw new MalformedMessage('CR stands alone');
        if (place === PLACE.emptyBehindCr) return this.#whole(chunk, from, at + 1);
        place = PLACE.start;
      }
    }
    if (last < chunk.length || this.#length + last - from === this.#maxBytes)
      throw new MalformedMessage(`the head is longer than ${this.#maxBytes} octets`);
    this.#place = place;
    this.#keep(chunk, from, last);
    return -1;
  }

  /** The lines, each with its end, an octet per character; begins anew. */
  take(): string {
    const [first, ...more] = this.#parts;
    const all = more.length === 0 ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    return all === undefined ? '' : all.toString('latin1', 0, all.length - 2);
  }

  #whole(chunk: Buffer, from: number, end: number): number {
    this.#keep(chunk, from, end);
    this.#place = PLACE.start;
    return end;
  }

  #keep(chunk: Buffer, from: number, end: number): void {
    if (end === from) return;
    this.#parts.push(chunk.subarray(from, end));
    this.#length += end - from;
  }
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Reads lines of fields.
 *
 * @param lines Each ends with CR and LF, an octet per character; CR and LF stand nowhere else.
 * @param from Where the first begins.
 * @returns Names as they came and values without the blanks around them, in turn.
 * @throws {MalformedMessage} A name is no token, a line goes on in the next, or a value has a control character.
 * @see RFC 9112 §5
 */
export function readFieldLines(lines: string, from: number): string[] {
  const fields: string[] = [];
  for (let start = from; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start);
    const colon = lines.indexOf(':', start);
    if (colon === -1 || colon > end) throw new MalformedMessage('a line of the head is no field');
    const name = lines.slice(start, colon);
    const value = trimmed(lines, colon + 1, end);
    if (!NAME.test(name) || !VALUE.test(value)) throw new MalformedMessage('a field is malformed');
    fields.push(name, value);
    start = end + 2;
  }
  return fields;
}

function trimmed(text: string, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** All values of a field, in order. @param name In lower case. */
export function valuesOf(fields: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const given = fields[at]!;
    if (given.length === name.length && given.toLowerCase() === name) values.push(fields[at + 1]!);
  }
  return values;
}
