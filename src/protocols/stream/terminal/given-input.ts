import type { OpenOperation } from '../operations.ts';
import type { ShownOutput } from './output.ts';
import { ShownFlow } from './shown-flow.ts';

/** Of what one program is given so much is recorded, octets. */
const RECORDED_BYTES = 64 * 1024;
/** Words of commands that are given a password on their standard input, or may be. */
const SECRET = /pass|secret|token|credential|--stdin|\b(sudo|doas)\b.*\s-[A-Za-z]*S/i;

/** What runs. */
export interface GivenProgram {
  /** What it does may be what it is given. */
  readonly takesCommands: boolean;
  /** Its command; empty: a shell. */
  readonly text: string;
}

interface Evidence {
  input(bytes: Uint8Array, of: OpenOperation): void;
  note(text: string, of: OpenOperation): void;
}

/**
 * What a program without a terminal is given on its standard input, where that may be what it does: recorded from its beginning,
 * masked as what is shown, and not where a password may be in it. Data of other programs is in no recording.
 */
export class GivenInput {
  readonly #flow: ShownFlow | undefined;
  readonly #full: () => void;
  #left = RECORDED_BYTES;

  /** @param shown As policy is now. */
  constructor(
    { takesCommands, text }: GivenProgram,
    shown: () => ShownOutput,
    guard: Evidence,
    operation: OpenOperation,
  ) {
    this.#full = () => guard.note('the rest of what it is given is not recorded', operation);
    if (!takesCommands) return;
    if (SECRET.test(text))
      guard.note('what it is given is not recorded: there may be a password in it', operation);
    else this.#flow = new ShownFlow(shown(), (bytes) => guard.input(bytes, operation));
  }

  /** Call it before the octets are sent on. */
  given(bytes: Buffer): void {
    if (this.#flow === undefined || this.#left === 0) return;
    const part = bytes.subarray(0, this.#left);
    this.#left -= part.length;
    this.#flow.push(part);
    if (this.#left > 0) return;
    this.#flow.end();
    this.#full();
  }

  /** Nothing more is given. */
  end(): void {
    this.#flow?.end();
  }
}
