import type { Command, Help } from 'commander';
import { wrapped } from './prose.ts';

/** Beside its term, a text of fewer columns than these is harder to read than below it. */
const MIN_TEXT = 24;
const INDENT = 2;
const BELOW = 6;
/** Columns of help that is read by no terminal: it is laid out, and not read line by line by programs. */
const PAPER = 80;

/** Columns of help on a stream. Pure. */
export function helpColumns(width = Number.POSITIVE_INFINITY): number {
  return Number.isFinite(width) ? width : PAPER;
}

/** Commander's help, which breaks lines at blanks on narrow terminals as well. Pure. */
export function helpLayout(width?: number): Partial<Help> {
  const columns = helpColumns(width);
  const usage = 'Usage: ';
  return {
    minWidthToWrap: 1,
    commandUsage: (command) => wrapped(usage + usageText(command), columns, usage.length).slice(usage.length),
    boxWrap: (text, room) => wrapped(text, room),
    formatItem: (term, termWidth, description) => {
      const beside = INDENT + termWidth + INDENT;
      if (description === '') return ' '.repeat(INDENT) + term;
      if (columns - beside >= MIN_TEXT)
        return wrapped(' '.repeat(INDENT) + term.padEnd(termWidth + INDENT) + description, columns, beside);
      const below = wrapped(' '.repeat(BELOW) + description, columns, BELOW);
      return `${' '.repeat(INDENT)}${term}\n${below}`;
    },
  };
}

function usageText(command: Command): string {
  const names: string[] = [];
  for (let one: Command | null = command; one !== null; one = one.parent) names.unshift(one.name());
  return `${names.join(' ')} ${command.usage()}`;
}
