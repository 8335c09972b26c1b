/**
 * Cuts chunks into lines at LF, holding at most one line.
 *
 * Any split of the same octets gives the same lines. A line longer than `maxBytes` sets `overflow` and ends the
 * stream: the reader must treat it as an error. Chunks are kept by reference until their line is complete.
 *
 * @param maxBytes Octets of a line without LF.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  /** Set once a line was too long; nothing is accepted afterwards. */
  overflow = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Octets of the unfinished line so far. */
  get pendingBytes(): number {
    return this.#restBytes;
  }

  /** @returns Lines completed by this chunk, in order, without LF. */
  push(chunk: Uint8Array): Uint8Array[] {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1 && !this.overflow; end = chunk.indexOf(10, start)) {
      const line = this.#take(chunk.subarray(start, end));
      if (!this.overflow) lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length && !this.overflow) this.#keep(chunk.subarray(start));
    return lines;
  }

  /** What follows the last LF; empty if nothing does. */
  end(): Uint8Array {
    const rest = Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    return rest;
  }

  #keep(part: Uint8Array): void {
    this.#restBytes += part.length;
    this.overflow ||= this.#restBytes > this.#maxBytes;
    if (!this.overflow) this.#rest.push(part);
  }

  #take(part: Uint8Array): Uint8Array {
    if (this.#restBytes === 0 && part.length <= this.#maxBytes) return part;
    this.#keep(part);
    return this.end();
  }
}
