import { takesCommands } from './takes-commands.ts';
import { wordsOf } from './words.ts';

/** A shell's text within a shell's text: deeper nobody writes. */
const MAX_DEPTH = 8;

/**
 * As `takesCommands`, of shells that are given a text too, and of what that text starts. Pure, linear, never throws.
 *
 * @param argv One word or more, the program first.
 */
export function mayTakeCommands(argv: readonly string[], depth = 0): boolean {
  return takesCommands(argv, (text) => {
    const words = depth === MAX_DEPTH ? undefined : wordsOf(text);
    return words === undefined || mayTakeCommands(words, depth + 1);
  });
}
