/** A stretch of a received chunk, from its first octet to behind its last. Never copied, never reused by us. */
export interface Piece {
  readonly chunk: Buffer;
  readonly start: number;
  readonly end: number;
}

/** One complete message. A value: it stays valid for as long as it is held, and keeps its chunk alive. */
export class Frame implements Piece {
  /** Type octet: see `FRONTEND` and `BACKEND`. */
  readonly type: number;
  readonly chunk: Buffer;
  /** Offset of the type octet in `chunk`. */
  readonly start: number;
  /** Offset behind the message's last octet in `chunk`. */
  readonly end: number;
  readonly #own: boolean;

  /** @param own Nothing else lies in `chunk`, and nobody else has it. */
  constructor(type: number, chunk: Buffer, start: number, end: number, own = false) {
    this.#own = own;
    this.type = type;
    this.chunk = chunk;
    this.start = start;
    this.end = end;
  }

  /** Says that neither this message nor any view of it is used any more. */
  dispose(): void {
    if (this.#own) dispose(this.chunk);
  }

  /** What follows type and length: a view. */
  get body(): Buffer {
    return this.chunk.subarray(this.start + HEADER_BYTES, this.end);
  }

  /** The whole message: a view. */
  get raw(): Buffer {
    return this.chunk.subarray(this.start, this.end);
  }
}

/** Memory of this size is its own buffer's alone. */
const DISPOSED_BYTES = 256 * 1024;

/** Frees memory that nothing refers to at once: the collector may be in no hurry, and a message can be large. */
export function dispose(memory: Buffer): void {
  if (memory.length >= DISPOSED_BYTES) (memory.buffer as ArrayBuffer).transfer(0);
}

/** Complete messages that lie one behind the other in one chunk. */
export interface Run extends Piece {
  /** How many, at least 1. */
  readonly count: number;
}

/** Type (1) and length (4). */
export const HEADER_BYTES = 5;

/** The message that some octets are, from its type to its end. */
export function frameOf(raw: Buffer): Frame {
  return new Frame(raw[0]!, raw, 0, raw.length);
}

/**
 * Walks the messages of a run that the framer gave, which has checked every length.
 *
 * @param visit Is called with the type octet and the bounds of each body in `run.chunk`, oldest first.
 * @returns Nothing. Pure but for `visit`; throws only what `visit` throws.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function eachMessage(
  run: Piece,
  visit: (type: number, bodyStart: number, bodyEnd: number) => void,
): void {
  const { chunk, end } = run;
  for (let at = run.start; at < end; ) {
    const next = at + 1 + chunk.readInt32BE(at + 1);
    visit(chunk[at]!, at + HEADER_BYTES, next);
    at = next;
  }
}

/** Gathers pieces to forward and merges neighbours, so that what arrived together leaves in one write. */
export class Pieces {
  readonly #slices: Buffer[] = [];
  #chunk: Buffer | undefined;
  #start = 0;
  #end = 0;

  /** Appends a frame, a run, or any other piece. Keeps its chunk until `take`. */
  add(piece: Piece): void {
    if (piece.chunk === this.#chunk && piece.start === this.#end) {
      this.#end = piece.end;
      return;
    }
    this.#close();
    this.#chunk = piece.chunk;
    this.#start = piece.start;
    this.#end = piece.end;
  }

  /** Everything added since the last call, in order, as few views as possible; `[]` if nothing. Never throws. */
  take(): Buffer[] {
    this.#close();
    return this.#slices.splice(0);
  }

  #close(): void {
    if (this.#chunk !== undefined) this.#slices.push(this.#chunk.subarray(this.#start, this.#end));
    this.#chunk = undefined;
  }
}

/**
 * Follows messages by their headers, to see whether one of a type is among them: for octets that are not to be handled yet.
 *
 * Keeps at most one header. Any split of the same bytes sees the same.
 *
 * @see https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-MESSAGE-CONCEPTS
 */
export class LookAhead {
  readonly #type: number;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #have = 0;
  /** Octets of the message at hand that follow. */
  #left = 0;
  #seen = false;

  /** @param type The octet that is looked for. */
  constructor(type: number) {
    this.#type = type;
  }

  /** @returns Whether a message of the type has begun, in these octets or before. Never throws: a length that cannot be ends it. */
  sees(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length && !this.#seen; ) {
      const skipped = Math.min(this.#left, bytes.length - at);
      this.#left -= skipped;
      at += skipped;
      if (this.#left > 0) break;
      const copied = bytes.copy(this.#header, this.#have, at, at + HEADER_BYTES - this.#have);
      this.#have += copied;
      at += copied;
      if (this.#have === HEADER_BYTES) this.#begin();
    }
    return this.#seen;
  }

  #begin(): void {
    this.#have = 0;
    this.#seen = this.#header[0] === this.#type;
    const length = this.#header.readInt32BE(1);
    // Whoever reads the messages refuses what cannot be one: nothing behind it counts.
    this.#left = length < HEADER_BYTES - 1 ? Number.POSITIVE_INFINITY : length - (HEADER_BYTES - 1);
  }
}
