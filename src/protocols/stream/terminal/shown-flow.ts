import type { ShownOutput } from './output.ts';

/** Silence after which what might go on is shown as it is, ms: a prompt waits for an answer. */
const SILENCE_MS = 30;

/** One of a program's two streams on its way to the client: masked, then given on. */
export class ShownFlow {
  readonly #shown: ShownOutput | undefined;
  readonly #give: (bytes: Buffer) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param shown Undefined: it is no text, and goes on as it is. */
  constructor(shown: ShownOutput | undefined, give: (bytes: Buffer) => void) {
    this.#shown = shown;
    this.#give = give;
  }

  get maskedValues(): number {
    return this.#shown?.maskedValues ?? 0;
  }

  push(bytes: Buffer): void {
    this.#given(this.#shown === undefined ? bytes : this.#shown.push(bytes));
    if (this.#shown?.holds !== true) return;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.end(), SILENCE_MS);
    else this.#timer.refresh();
  }

  /** Gives what is held. It may go on all the same. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#shown !== undefined) this.#given(this.#shown.flush());
  }

  #given(bytes: Buffer): void {
    if (bytes.length > 0) this.#give(bytes);
  }
}
