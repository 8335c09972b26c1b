/**
 * What is shown of one piece of a body: stretches of it as they are, and what stands for the rest. A piece of which all
 * stays costs nothing.
 */
export class Output {
  #out: Buffer = EMPTY;
  #length = 0;
  #chunk: Buffer = EMPTY;
  /** Up to here the piece is shown, or something else stands for it. */
  #from = 0;

  begin(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#from = 0;
  }

  /** The piece up to `end` is shown as it is. */
  keep(end: number): void {
    const from = this.#from;
    if (end > from) {
      const to = this.#length;
      copy.call(this.#chunk, this.room(end - from), to, from, end);
      this.#length = to + end - from;
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
    if (this.#length + octets > this.#out.length) this.#grow(octets);
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
    this.#out = EMPTY;
    this.#length = 0;
    return shown;
  }

  /** At first as much as the piece is likely to become. */
  #grow(octets: number): void {
    const likely = Math.max(this.#out.length * 2, this.#chunk.length - this.#from + SPARE);
    const larger = Buffer.allocUnsafe(Math.max(this.#length + octets, likely));
    larger.set(this.#out.subarray(0, this.#length));
    this.#out = larger;
  }
}

const EMPTY = Buffer.alloc(0);
const SPARE = 1024;
/** Without a view of what is copied, of which a masked body would need hundreds. */
const { copy } = Buffer.prototype;
