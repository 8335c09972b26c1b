import { Octets } from './octets.ts';

/**
 * What is shown of one piece of a body: stretches of it as they are, and what stands for the rest. A piece of which all
 * stays costs nothing.
 */
export class Output {
  readonly #written = new Octets();
  #chunk: Buffer = EMPTY;
  /** Up to here the piece is shown, or something else stands for it. */
  #from = 0;

  begin(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#from = 0;
  }

  /** The piece up to `end` is shown as it is. */
  keep(end: number): void {
    if (end > this.#from) this.#add(this.#chunk, this.#from, end);
    this.#from = end;
  }

  /** From what was shown last up to `end` nothing is shown. */
  skip(end: number): void {
    this.#from = end;
  }

  /** Something that stands for what is skipped, or was held back. */
  write(bytes: Uint8Array): void {
    this.#add(bytes, 0, bytes.length);
  }

  /** All that is left of the piece is shown. @returns The piece itself if nothing of it was touched. */
  end(): Uint8Array | undefined {
    const chunk = this.#chunk;
    if (this.#from === 0 && this.#written.length === 0) return chunk.length === 0 ? undefined : chunk;
    this.keep(chunk.length);
    return this.#written.length === 0 ? undefined : this.#written.take();
  }

  #add(bytes: Uint8Array, start: number, end: number): void {
    if (this.#written.length === 0)
      this.#written.reserve(Math.max(this.#chunk.length - this.#from, end - start) + SPARE);
    this.#written.add(bytes, start, end);
  }
}

const EMPTY = Buffer.alloc(0);
const SPARE = 1024;
