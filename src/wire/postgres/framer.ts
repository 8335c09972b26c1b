import { HoopError } from '../../core/errors.ts';
import { type LengthCaps, lengthCaps } from './caps.ts';
import { dispose, Frame, HEADER_BYTES, type Run } from './frame.ts';
import { BACKEND, type Direction, FRONTEND } from './types.ts';

const NOTHING = Buffer.alloc(0);
/** A message this small is given its whole buffer at once; a larger one grows as its octets really arrive. */
const EAGER_BYTES = 65_536;
const GROWTH = 8;
/** Once so much has come, the message is given its whole buffer. */
const WHOLE_BYTES = 512 * 1024;

/**
 * Splits one direction of a connection, after its startup phase, into complete messages.
 *
 * `push` what arrives, then take until there is no more: either message by message with `next`, or with `nextRun` first,
 * which takes a stretch of messages at once and leaves to `next` the one that stopped it:
 *
 *     framer.push(chunk);
 *     for (;;) {
 *       const run = framer.nextRun(FORWARDED);
 *       if (run !== undefined) pieces.add(run);
 *       const frame = framer.next();
 *       if (frame === undefined) break;
 *       …
 *     }
 *
 * Frames and runs are views of the chunk; only a message that spans chunks is copied, each octet at most about twice
 * however it is cut. Every length is checked before memory is taken for it. Any split of the same bytes gives the same
 * messages. After an error every further call throws it again: close the connection.
 *
 * Large rows and copied data are held until complete, up to the cap: a message is forwarded whole or not at all.
 */
export class Framer {
  readonly #direction: Direction;
  readonly #caps: LengthCaps;
  #queue: Buffer[] = [];
  #chunk: Buffer = NOTHING;
  #at = 0;
  /** A message that did not end within its chunk: the first `#have` octets are set, `#need` are known to be needed. */
  #partial: Buffer = NOTHING;
  #have = 0;
  #need = HEADER_BYTES;
  #failure: HoopError | undefined;

  /**
   * @param direction Who sent the bytes.
   * @param options.largeBytes Cap for messages with statements, parameters, rows, copied data or errors, in octets
   *   without type and length, 1 … 1_073_741_819; default from `LIMITS`. Other types have fixed caps: see `lengthCaps`.
   */
  constructor(direction: Direction, options: { readonly largeBytes?: number } = {}) {
    this.#direction = direction;
    this.#caps = lengthCaps(direction, options.largeBytes);
  }

  /** Adds bytes in order of arrival. They are kept, not copied, until `next` has no more to give: reuse none before. Never throws. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const bytes = Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#at < this.#chunk.length) this.#queue.push(bytes);
    else this.#take(bytes);
  }

  /** Octets pushed and not yet given out. */
  get buffered(): number {
    return this.#queue.reduce((sum, chunk) => sum + chunk.length, this.#have + this.#chunk.length - this.#at);
  }

  /**
   * The next complete message.
   *
   * @returns A frame, or `undefined` when more bytes are needed.
   * @throws {HoopError} `ERR_MESSAGE_TYPE` unknown type octet; `ERR_MESSAGE_LENGTH` length below 4, or not one this type
   *   can have. Messages before the bad one are given first.
   * @see https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-MESSAGE-CONCEPTS
   */
  next(): Frame | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    while (this.#at < this.#chunk.length) {
      const frame = this.#have > 0 ? this.#finishPartial() : this.#takeWhole();
      if (frame !== undefined) return frame;
    }
    return undefined;
  }

  /**
   * The longest run of complete messages of wanted types that lies next in the present chunk.
   *
   * @param wanted 256 entries, 1 for the type octets to take. It may be another one at each call.
   * @param mostBytes After so many octets no further message is begun.
   * @returns At least one message, or `undefined`: then `next` says whether there is any other.
   * @throws {HoopError} Only what an earlier call threw. A malformed header ends the run and is reported by `next`.
   * @see https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-MESSAGE-CONCEPTS
   */
  nextRun(wanted: Uint8Array, mostBytes = Number.POSITIVE_INFINITY): Run | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#have > 0) return undefined;
    const { min, max } = this.#caps;
    const chunk = this.#chunk;
    const start = this.#at;
    const lastHeader = Math.min(chunk.length - HEADER_BYTES, start + mostBytes);
    let [at, count] = [start, 0];
    while (at <= lastHeader) {
      const type = chunk[at]!;
      if (wanted[type] !== 1) break;
      const length = (chunk[at + 1]! << 24) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 8) | chunk[at + 4]!;
      if (length < min[type]! || length > max[type]! || at + 1 + length > chunk.length) break;
      at += 1 + length;
      count++;
    }
    if (count === 0) return undefined;
    this.#advance(at);
    return { chunk, start, end: at, count };
  }

  /** What was pushed and is not given out yet, in order, as views: look, and keep none. */
  get ahead(): readonly Buffer[] {
    return [this.#partial.subarray(0, this.#have), this.#chunk.subarray(this.#at), ...this.#queue];
  }

  /** Copies what was pushed and not given out yet: from now on the memory that it lay in may be used again. */
  keep(): void {
    this.#chunk = Buffer.from(this.#chunk.subarray(this.#at));
    this.#queue = this.#queue.map((chunk) => Buffer.from(chunk));
    this.#at = 0;
  }

  /** Lets go of what was pushed and not given out. Nothing may be pushed any more. */
  dispose(): void {
    dispose(this.#partial);
    this.#queue = [];
    this.#take(NOTHING);
    this.#forgetPartial();
  }

  /** Gives back every octet that no frame has taken, and forgets it. At most `buffered` octets, in one buffer. */
  takeRest(): Buffer {
    const rest = Buffer.concat(this.ahead);
    this.#queue = [];
    this.#take(NOTHING);
    this.#forgetPartial();
    return rest;
  }

  #takeWhole(): Frame | undefined {
    const [chunk, start] = [this.#chunk, this.#at];
    if (chunk.length - start >= HEADER_BYTES) {
      const end = start + 1 + this.#checkedLength(chunk, start);
      if (end <= chunk.length) {
        this.#advance(end);
        return new Frame(chunk[start]!, chunk, start, end);
      }
      this.#need = end - start;
    }
    this.#fillPartial();
    return undefined;
  }

  #finishPartial(): Frame | undefined {
    this.#fillPartial();
    if (this.#have === HEADER_BYTES && this.#need === HEADER_BYTES) {
      this.#need = 1 + this.#checkedLength(this.#partial, 0);
      if (this.#need > HEADER_BYTES) return undefined;
    }
    if (this.#have < this.#need) return undefined;
    const frame = new Frame(
      this.#partial[0]!,
      this.#partial,
      0,
      this.#need,
      this.#partial.length === this.#need,
    );
    this.#forgetPartial();
    return frame;
  }

  /** Moves what the unfinished message lacks from the chunk, as far as it reaches. */
  #fillPartial(): void {
    const count = Math.min(this.#need - this.#have, this.#chunk.length - this.#at);
    this.#reserve(this.#have + count);
    this.#chunk.copy(this.#partial, this.#have, this.#at, this.#at + count);
    this.#have += count;
    this.#advance(this.#at + count);
  }

  /**
   * Growing by a factor keeps the cost linear; `#need` is capped already, and a silent sender costs `EAGER_BYTES` at most.
   * Memory that nothing has been written to takes none: a large message grows in few steps, and is copied seldom.
   */
  #reserve(size: number): void {
    if (this.#partial.length >= size) return;
    const grown = this.#partial.length < WHOLE_BYTES ? this.#partial.length * GROWTH : this.#need;
    const ahead = Math.min(this.#need, Math.max(EAGER_BYTES, grown));
    const larger = Buffer.allocUnsafe(Math.max(size, ahead));
    this.#partial.copy(larger, 0, 0, this.#have);
    dispose(this.#partial);
    this.#partial = larger;
  }

  #forgetPartial(): void {
    this.#partial = NOTHING;
    this.#have = 0;
    this.#need = HEADER_BYTES;
  }

  #advance(at: number): void {
    if (at < this.#chunk.length) this.#at = at;
    else this.#take(this.#queue.shift() ?? NOTHING);
  }

  #take(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The length word of a header, which counts itself but not the type octet. */
  #checkedLength(bytes: Buffer, start: number): number {
    const type = bytes[start]!;
    const length = bytes.readInt32BE(start + 1);
    const max = this.#caps.max[type]!;
    if (max === 0) throw this.#fail(new HoopError('ERR_MESSAGE_TYPE', `unknown message type 0x${hex(type)}`));
    if (length >= this.#caps.min[type]! && length <= max) return length;
    const name = messageName(this.#direction, type);
    throw this.#fail(
      new HoopError(
        'ERR_MESSAGE_LENGTH',
        `a ${name} message cannot have the length ${length} (at most ${max})`,
      ),
    );
  }

  #fail(error: HoopError): HoopError {
    this.#failure = error;
    return error;
  }
}

function messageName(direction: Direction, type: number): string {
  const names = Object.entries(direction === 'frontend' ? FRONTEND : BACKEND);
  return names.find(([, octet]) => octet === type)?.[0] ?? `0x${hex(type)}`;
}

function hex(octet: number): string {
  return octet.toString(16).padStart(2, '0');
}
