import { constants, inflateRawSync } from 'node:zlib';
import { headerDictionary } from './dictionary.ts';

/** Names in lower case. */
export type Headers = readonly (readonly [name: string, value: string])[];

/** Octets of the headers of one frame, not compressed, and how many there are. */
const MAX_BLOCK = 16 * 1024;
const MAX_HEADERS = 64;
/** So far back compressed octets may refer. */
const WINDOW = 32 * 1024;
/** RFC 1950 §2.2: deflate with a window of 32 KiB, and a dictionary that the checksum behind it names. */
const ZLIB_HEAD = Buffer.of(0x78, 0xbb);
const DICTIONARY_FLAG = 0x20;
const HEAD_BYTES = 6;
/** RFC 1951 §3.2.4: an empty block, at which readers take what came before it. */
const FLUSH = Buffer.of(0, 0, 0, 0xff, 0xff);

/**
 * Reads the headers of one side's frames, in order: each is compressed with what came before it. Holds 32 KiB.
 *
 * Pure. Each frame's headers must end at an octet, as SPDY/3 has it (a sync flush).
 */
export class HeaderReader {
  #history = headerDictionary();
  #begun = false;

  /** @returns Undefined: they are malformed, or more than is read. Never throws; nothing can be read behind them. */
  read(octets: Buffer): Headers | undefined {
    const deflated = this.#begun ? octets : withoutHead(octets);
    this.#begun = true;
    if (deflated === undefined) return undefined;
    const block = this.#inflated(deflated);
    return block && headersIn(block);
  }

  #inflated(octets: Buffer): Buffer | undefined {
    try {
      const block = inflateRawSync(octets, {
        dictionary: this.#history,
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: MAX_BLOCK,
      });
      this.#history = Buffer.from(Buffer.concat([this.#history, block]).subarray(-WINDOW));
      return block;
    } catch {
      return undefined;
    }
  }
}

/** Writes the headers of one side's frames, in order. As they are: what is not compressed tells nobody what else was. Pure. */
export class HeaderWriter {
  #begun = false;

  /** @param headers At most 16 KiB of latin1. */
  write(headers: Headers): Buffer {
    const block = Buffer.concat([
      number(headers.length),
      ...headers.flat().flatMap((text) => [number(text.length), Buffer.from(text, 'latin1')]),
    ]);
    const length = Buffer.alloc(5);
    length.writeUInt16LE(block.length, 1);
    length.writeUInt16LE(~block.length & 0xffff, 3);
    const stored = [length, block, FLUSH];
    const head = this.#begun ? [] : [ZLIB_HEAD, number(adler32(headerDictionary()))];
    this.#begun = true;
    return Buffer.concat([...head, ...stored]);
  }
}

function withoutHead(octets: Buffer): Buffer | undefined {
  if (octets.length < HEAD_BYTES) return undefined;
  const [method, flags] = [octets[0]!, octets[1]!];
  const known =
    (method & 0x0f) === 8 && (flags & DICTIONARY_FLAG) !== 0 && ((method << 8) | flags) % 31 === 0;
  const names = octets.readUInt32BE(2) === adler32(headerDictionary());
  return known && names ? octets.subarray(HEAD_BYTES) : undefined;
}

/** SPDY/3 §2.6.10: how many, then each name and value with its length. */
function headersIn(block: Buffer): Headers | undefined {
  let at = 0;
  const next = () => {
    if (at + 4 > block.length) return undefined;
    const length = block.readUInt32BE(at);
    if (at + 4 + length > block.length) return undefined;
    at += 4 + length;
    return block.toString('latin1', at - length, at);
  };
  if (block.length < 4) return undefined;
  const count = block.readUInt32BE(0);
  at = 4;
  if (count > MAX_HEADERS) return undefined;
  const headers: [string, string][] = [];
  for (let read = 0; read < count; read++) {
    const [name, value] = [next(), next()];
    if (name === undefined || value === undefined || name === '') return undefined;
    headers.push([name.toLowerCase(), value]);
  }
  return at === block.length ? headers : undefined;
}

function number(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}

/** RFC 1950 §8.2. */
function adler32(octets: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const octet of octets) {
    a = (a + octet) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}
