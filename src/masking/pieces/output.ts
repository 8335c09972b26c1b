/**
 * What is shown of one piece of a body: stretches of it as they are, and what stands for the rest. A piece of which all
 * stays costs nothing. Of any other the rest stands behind what is shown already, in the same memory: to move a stretch there
 * costs a fraction of what it costs to copy it from elsewhere.
 */
export class Output {
  #out: Buffer = EMPTY;
  /** Up to here it is shown. */
  #length = 0;
  #chunk: Buffer = EMPTY;
  /** Up to here the piece is shown, or something else stands for it. */
  #from = 0;
  /** Where the piece begins in `#out`, had all of it been left there. */
  #base = 0;

  begin(chunk: Buffer): void {
    this.#out = EMPTY;
    this.#chunk = chunk;
    this.#from = this.#base = 0;
  }

  /** The piece up to `end` is shown as it is. */
  keep(end: number): void {
    const from = this.#from;
    if (end > from) {
      const out = this.room(0);
      out.copyWithin(this.#length, this.#base + from, this.#base + end);
      this.#length += end - from;
    }
    this.#from = end;
  }

  /** From what was shown last up to `end` nothing is shown. */
  skip(end: number): void {
    this.#from = end;
  }

  /** Something that stands for what is skipped, or was held back. */
  write(bytes: Uint8Array): void {
    const out = this.room(bytes.length);
    out.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Where in `room` the next octet goes. */
  get length(): number {
    return this.#length;
  }

  /** Memory with room for so many octets from `length` on, to be written there before anything else is; `wrote` says up to where. */
  room(octets: number): Buffer {
    if (this.#out === EMPTY || this.#length + octets > this.#base + this.#from) this.#grow(octets);
    return this.#out;
  }

  /** What was written into `room` ends here. */
  wrote(end: number): void {
    this.#length = end;
  }

  /** All that is left of the piece is shown. @returns The piece itself if nothing of it was touched. */
  end(): Uint8Array | undefined {
    const chunk = this.#chunk;
    if (this.#from === 0 && this.#length === 0) return chunk.length === 0 ? undefined : chunk;
    this.keep(chunk.length);
    if (this.#length === 0) return undefined;
    const shown = this.#out.subarray(0, this.#length);
    this.#length = 0;
    return shown;
  }

  /** Makes room between what is shown and the rest of the piece: at first some, then ever more. */
  #grow(octets: number): void {
    const chunk = this.#chunk;
    const from = this.#from;
    const rest = chunk.length - from;
    const size = this.#length + Math.max(octets, this.#out.length >> 1) + SPARE + rest;
    const larger = Buffer.allocUnsafe(size);
    larger.set(this.#out.subarray(0, this.#length));
    copy.call(chunk, larger, size - rest, from);
    this.#out = larger;
    this.#base = size - chunk.length;
  }
}

const EMPTY = Buffer.alloc(0);
const SPARE = 2048;
const { copy } = Buffer.prototype;
