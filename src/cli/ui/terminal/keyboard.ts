import { PassThrough } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { MouseReader, type MouseReport } from './mouse.ts';

/** An Escape alone is known by nothing that follows it, ms. */
const SETTLE_MS = 20;

/** A terminal's input without what its mouse sends: ink reads this as its stdin. The terminal is read only in raw mode. */
export class Keyboard extends PassThrough {
  readonly isTTY = true;
  readonly #tty: NodeJS.ReadStream;
  readonly #onMouse: (report: MouseReport) => void;
  #reader = new MouseReader();
  #decoder = new StringDecoder('utf8');
  #settling: NodeJS.Timeout | undefined;

  constructor(tty: NodeJS.ReadStream, onMouse: (report: MouseReport) => void) {
    super();
    this.#tty = tty;
    this.#onMouse = onMouse;
  }

  setRawMode(raw: boolean): this {
    this.#tty.setRawMode(raw);
    this.#tty.off('data', this.#onData);
    clearTimeout(this.#settling);
    if (raw) this.#tty.on('data', this.#onData).resume();
    else {
      this.#tty.pause();
      this.#reader = new MouseReader();
      this.#decoder = new StringDecoder('utf8');
    }
    return this;
  }

  ref(): void {
    this.#tty.ref();
  }

  unref(): void {
    this.#tty.unref();
  }

  readonly #onData = (chunk: Buffer) => {
    clearTimeout(this.#settling);
    const { typed, reports } = this.#reader.push(this.#decoder.write(chunk));
    this.#hand(typed);
    for (const report of reports) this.#onMouse(report);
    if (this.#reader.isHolding)
      this.#settling = setTimeout(() => this.#hand(this.#reader.settle()), SETTLE_MS);
  };

  #hand(typed: string): void {
    if (typed !== '') this.write(typed);
  }
}
