/**
 * What is said over a connection before it is encrypted: the two lines, and packets as they are. Pure.
 *
 * @see RFC 4253 §4.2, §6
 */
import { randomBytes } from 'node:crypto';
import { HoopError } from '../../core/errors.ts';
import { FieldReader, string, uint32 } from './fields.ts';

/** Of a packet, its length aside; RFC 4253 §6.1 asks for no more. */
const MAX_PACKET_BYTES = 35_000;
const MIN_PACKET_BYTES = 5;
/** Padding makes a packet a multiple of this, and is at least `MIN_PADDING`. */
const BLOCK_BYTES = 8;
const MIN_PADDING = 4;
/** Of the line, its end included; and of all lines that a server may say before it. */
const MAX_LINE_BYTES = 255;
const MAX_LINES_BYTES = 8 * 1024;

const DISCONNECT = 1;

/** Puts a payload into a packet. */
export function packet(payload: Uint8Array): Buffer {
  const bare = 4 + 1 + payload.length;
  const padding = MIN_PADDING + ((BLOCK_BYTES - ((bare + MIN_PADDING) % BLOCK_BYTES)) % BLOCK_BYTES);
  const head = Buffer.concat([uint32(bare - 4 + padding), Buffer.of(padding)]);
  return Buffer.concat([head, payload, randomBytes(padding)]);
}

/** The last word over a connection. @param reason RFC 4253 §11.1. */
export function disconnect(reason: number, text: string): Buffer {
  return packet(Buffer.concat([Buffer.of(DISCONNECT), uint32(reason), string(text), string('')]));
}

/** What `PlainReader` gives. */
export type Plain = { readonly line: string } | { readonly payload: Buffer };

/** Reads what one side says before it is encrypted; any split of the octets gives the same. */
export class PlainReader {
  #bytes: Buffer = Buffer.alloc(0);
  #before = 0;
  #identified = false;

  /**
   * @returns What is complete now, oldest first: the line `SSH-…` and then packets' payloads. Lines before it are dropped.
   * @throws {HoopError} `ERR_PROTOCOL` it is not SSH, or too long.
   */
  feed(chunk: Uint8Array): readonly Plain[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const found: Plain[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) found.push(next);
    return found;
  }

  #next(): Plain | undefined {
    if (this.#identified) return this.#payload();
    for (let line = this.#line(); line !== undefined; line = this.#line()) {
      if (!line.startsWith('SSH-')) continue;
      if (!/^SSH-(?:2\.0|1\.99)-[\x20-\x7e]+$/.test(line)) throw notSsh();
      this.#identified = true;
      return { line };
    }
    return undefined;
  }

  #line(): string | undefined {
    const end = this.#bytes.indexOf(0x0a);
    const length = end === -1 ? this.#bytes.length : end + 1;
    if (this.#before + length > MAX_LINES_BYTES) throw notSsh();
    const start = this.#bytes.toString('latin1', 0, 4);
    if (length > MAX_LINE_BYTES && start === 'SSH-') throw notSsh();
    if (end === -1) return undefined;
    const line = this.#bytes.toString('latin1', 0, end).replace(/\r$/, '');
    this.#bytes = this.#bytes.subarray(length);
    this.#before += length;
    return line;
  }

  #payload(): Plain | undefined {
    if (this.#bytes.length < 4) return undefined;
    const length = this.#bytes.readUInt32BE(0);
    if (length > MAX_PACKET_BYTES || length < MIN_PACKET_BYTES) throw notSsh();
    if (this.#bytes.length < 4 + length) return undefined;
    const padding = this.#bytes[4]!;
    if (padding < MIN_PADDING || padding > length - 2) throw notSsh();
    const payload = this.#bytes.subarray(5, 4 + length - padding);
    this.#bytes = this.#bytes.subarray(4 + length);
    return { payload };
  }
}

/** What a `DISCONNECT` says; undefined: the payload is none. @throws {HoopError} `ERR_PROTOCOL`. */
export function disconnectText(payload: Buffer): string | undefined {
  const fields = new FieldReader(payload);
  if (fields.byte() !== DISCONNECT) return undefined;
  fields.uint32();
  return fields.text();
}

function notSsh(): HoopError {
  return new HoopError('ERR_PROTOCOL', 'what came is not SSH');
}
