import type { OpenOperation } from '../../stream/operations.ts';
import { SSH_LIMITS } from '../limits.ts';
import type { ShownOutput } from '../shown/output.ts';
import { readingOf, type Start } from './asked.ts';
import { ShownFlow } from './shown-flow.ts';

/** Words of commands that are given a password on their standard input, or may be. */
const SECRET = /pass|secret|token|credential|--stdin|\b(sudo|doas)\b.*\s-[A-Za-z]*S/i;

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
  #left: number = SSH_LIMITS.recordedInputBytes;

  /** @param shown As policy is now. */
  constructor(start: Start, shown: () => ShownOutput, guard: Evidence, operation: OpenOperation) {
    this.#full = () => guard.note('the rest of what it is given is not recorded', operation);
    const isSecret = start.kind === 'exec' && SECRET.test(start.command);
    if (!mayBeCommands(start)) return;
    if (isSecret) guard.note('what it is given is not recorded: there may be a password in it', operation);
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

function mayBeCommands(start: Start): boolean {
  return start.kind === 'shell' || readingOf(start)?.takesCommands === true;
}
