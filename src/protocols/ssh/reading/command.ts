import { mayTakeCommands } from '../../stream/command/may-take-commands.ts';
import { textOfWords, wordsOf } from '../../stream/command/words.ts';
import { movesUnknown, type Transfer, transferOf } from './transfer.ts';

/** What an `exec` asks for, as far as it is certain before a shell has read it. */
export interface CommandReading {
  /**
   * The words, the program first, where no shell would read them otherwise. undefined: shell syntax, or a program that moves
   * files in a way that is not known: a rule on the program would permit it whichever files these are.
   */
  readonly argv: readonly string[] | undefined;
  /** One form for rules and people: words quoted where needed, one blank between; of shell syntax the text itself. */
  readonly text: string;
  /** What it does may stand on its standard input. Of shell syntax nobody knows: true. */
  readonly takesCommands: boolean;
  readonly transfer?: Transfer;
}

/** @param text Decoded; what was no UTF-8 stands there as U+FFFD. Pure, linear, never throws. */
export function readCommand(text: string): CommandReading {
  const argv = wordsOf(text);
  if (argv === undefined) return { argv, text, takesCommands: true };
  const transfer = transferOf(argv);
  const plain = textOfWords(argv);
  if (transfer !== undefined) return { argv, text: plain, takesCommands: false, transfer };
  if (movesUnknown(argv)) return { argv: undefined, text: plain, takesCommands: true };
  return { argv, text: plain, takesCommands: mayTakeCommands(argv) };
}
