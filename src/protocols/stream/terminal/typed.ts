/** Typed and not shown yet: nobody types so far ahead. */
const MAX_TYPED_BYTES = 64 * 1024;

interface Line {
  readonly typed: number[];
  /** Of these so many have been shown. */
  shown: number;
  /** What ended it: a key that is no letter. */
  end: number | undefined;
}

/**
 * What a person typed at a terminal, where the terminal showed it: a line of which one letter was not shown, or not as the next
 * thing, may be a password, and is not told. Pure.
 */
export class TypedInput {
  readonly #tell: (line: Buffer) => void;
  #lines: Line[] = [];
  #bytes = 0;

  /** @param tell Called with each line that was shown, and with each key that is no letter and stands alone. */
  constructor(tell: (line: Buffer) => void) {
    this.#tell = tell;
  }

  /** What the client sends. */
  typed(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_TYPED_BYTES) this.#forget();
    else for (const byte of bytes) this.#key(byte);
    this.#tellShown();
  }

  /** What the terminal shows, as it comes from the host. */
  shown(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const line = this.#lines[0];
      if (line === undefined) return;
      if (line.typed[line.shown] === byte) line.shown++;
      else this.#withhold(line);
      this.#tellShown();
    }
  }

  #key(byte: number): void {
    const open = this.#lines.at(-1);
    const line = open === undefined || open.end !== undefined ? this.#opened() : open;
    if (byte < 0x20 || byte === 0x7f) line.end = byte;
    else line.typed.push(byte);
  }

  #opened(): Line {
    const line: Line = { typed: [], shown: 0, end: undefined };
    this.#lines.push(line);
    return line;
  }

  /** It is gone, and so is what is yet to be typed of it: only its end is waited for. */
  #withhold(line: Line): void {
    line.shown = Number.NaN;
    if (line.end !== undefined) this.#shift();
  }

  #tellShown(): void {
    for (let line = this.#lines[0]; line?.end !== undefined; line = this.#lines[0]) {
      const told = line.shown === line.typed.length;
      if (!told && !Number.isNaN(line.shown)) return;
      this.#shift();
      if (told) this.#tell(Buffer.from([...line.typed, line.end]));
    }
  }

  #shift(): void {
    const line = this.#lines.shift();
    this.#bytes -= line === undefined ? 0 : line.typed.length + (line.end === undefined ? 0 : 1);
  }

  #forget(): void {
    this.#lines = [];
    this.#bytes = 0;
  }
}
