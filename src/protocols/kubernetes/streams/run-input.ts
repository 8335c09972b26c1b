import type { Carrying } from '../../http/relay/upgrade/carried.ts';
import { GivenInput } from '../../stream/terminal/given-input.ts';
import type { ShownOutput } from '../../stream/terminal/output.ts';
import { TypedInput } from '../../stream/terminal/typed.ts';
import type { AskedStream } from '../request/stream.ts';

/**
 * What a program in a container is given, on its way into the recording: with a terminal as far as that shows it, without one
 * where it may be what the program does.
 */
export class RunInput {
  readonly #typed: TypedInput | undefined;
  readonly #given: GivenInput | undefined;

  /** @param shown As policy is now. */
  constructor(asked: AskedStream, shown: () => ShownOutput, { guard, operation }: Carrying) {
    const { tty, takesCommands, text } = asked;
    if (tty)
      this.#typed = new TypedInput((line) => {
        const screen = shown();
        for (const bytes of [screen.push(line), screen.flush()])
          if (bytes.length > 0) guard.input(bytes, operation);
      });
    else this.#given = new GivenInput({ takesCommands, text }, shown, guard, operation);
  }

  /** Call it before the octets are sent on. */
  given(bytes: Buffer): void {
    this.#typed?.typed(bytes);
    this.#given?.given(bytes);
  }

  /** What the terminal shows. */
  shown(bytes: Buffer): void {
    this.#typed?.shown(bytes);
  }

  /** Nothing more is given. */
  end(): void {
    this.#given?.end();
  }
}
