import { ChunkedReader } from './chunked.ts';
import { MalformedMessage, valuesOf } from './head.ts';

/** A number of octets as everybody reads it, below 2^53. */
const LENGTH = /^[0-9]{1,15}$/;

/**
 * What a head says of the octets behind it: how many they are, that they come in chunks, or nothing.
 *
 * @param fields Names and values in turn.
 * @throws {MalformedMessage} Two readers could take it in two ways: two lengths, a length beside a coding, a coding that is not
 *   `chunked` alone or that its version does not have.
 * @see RFC 9112 §6
 */
export function framingOf(fields: readonly string[], is11: boolean): number | 'chunked' | undefined {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (codings.length > 0) {
    if (codings.length > 1 || lengths.length > 0 || !is11 || codings[0]!.toLowerCase() !== 'chunked')
      throw new MalformedMessage('the end of the body is not told in one way');
    return 'chunked';
  }
  const [length] = lengths;
  if (length === undefined) return undefined;
  if (lengths.length > 1 || !LENGTH.test(length)) throw new MalformedMessage('the length is not one number');
  return Number(length);
}

/** Reads a body whose end is told, in whatever pieces it comes. */
export class BodyReader {
  readonly #chunks: ChunkedReader | undefined;
  #left: number;

  /** @param framing Octets, more than none, or chunks. */
  constructor(framing: number | 'chunked') {
    this.#chunks = framing === 'chunked' ? new ChunkedReader() : undefined;
    this.#left = framing === 'chunked' ? 0 : framing;
  }

  /** Names and values in turn, once it has ended. */
  get trailers(): readonly string[] {
    return this.#chunks?.trailers ?? NONE;
  }

  /**
   * @param give Called with each stretch of data, in order: parts of `chunk`.
   * @returns Where the octets behind the body are in this piece; -1: it has not ended.
   * @throws {MalformedMessage}
   */
  push(chunk: Buffer, from: number, give: (data: Buffer) => void): number {
    if (this.#chunks !== undefined) return this.#chunks.push(chunk, from, give);
    const end = Math.min(chunk.length, from + this.#left);
    this.#left -= end - from;
    if (end > from) give(from === 0 && end === chunk.length ? chunk : chunk.subarray(from, end));
    return this.#left === 0 ? end : -1;
  }
}

const NONE: readonly string[] = [];
