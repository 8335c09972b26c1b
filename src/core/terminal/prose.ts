import { displayWidth } from './width.ts';

/** In less nothing can be read, and what is longer than a line goes over it. */
const MIN_WIDTH = 20;
const MAX_WIDTH = 10_000;

/** What is known of a stream that people may read. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/**
 * Columns that a line may take.
 *
 * Pure. @returns `COLUMNS` where it is a number, else the terminal's own; infinity where it is no terminal, for programs read lines as they are.
 */
export function columnsOf({ isTTY, columns }: Screen, env: NodeJS.ProcessEnv): number {
  if (isTTY !== true) return Number.POSITIVE_INFINITY;
  const said = /^\d{1,5}$/.test(env['COLUMNS'] ?? '') ? Number(env['COLUMNS']) : 0;
  const known = said > 0 ? said : (columns ?? 0);
  return known > 0 ? Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, known)) : Number.POSITIVE_INFINITY;
}

/**
 * Breaks lines that do not fit at the blanks in them, never within a word: what is typed again, an id or an address, stays whole.
 *
 * Pure. @param text Printable lines, LF between them. @param width Columns; infinity breaks nothing.
 * @param hang Columns by which what goes on is indented; where none is given, as the line itself is.
 */
export function wrapped(text: string, width: number, hang?: number): string {
  if (!Number.isFinite(width)) return text;
  return text
    .split('\n')
    .flatMap((line) => brokenLine(line, width, hang))
    .join('\n');
}

function brokenLine(line: string, width: number, hang: number | undefined): readonly string[] {
  if (displayWidth(line) <= width) return [line];
  const own = /^ */.exec(line)![0];
  const indent = ' '.repeat(Math.min(hang ?? own.length, Math.max(0, width - MIN_WIDTH)));
  const lines: string[] = [];
  let last = own;
  let begun = false;
  for (const [piece, blanks = '', word = ''] of line.slice(own.length).matchAll(/( *)([^ ]+)/g)) {
    if (begun && displayWidth(last + blanks + word) > width) {
      lines.push(last);
      last = indent + word;
    } else last += piece;
    begun = true;
  }
  return [...lines, last];
}

/**
 * The same of a command line: each line but the last ends in a backslash, so that a shell takes all of it for one.
 *
 * Pure. It is never broken within quotes.
 */
export function wrappedCommand(text: string, width: number, indent: number): string {
  const line = ' '.repeat(indent) + text;
  if (displayWidth(line) <= width) return line;
  const hang = ' '.repeat(indent + 4);
  const words = text.match(/(?:'[^']*'|"[^"]*"|[^ '"]|['"])+/g) ?? [];
  const lines: string[] = [];
  let last = ' '.repeat(indent) + (words[0] ?? '');
  for (const word of words.slice(1)) {
    if (displayWidth(`${last} ${word} \\`) <= width) last += ` ${word}`;
    else {
      lines.push(`${last} \\`);
      last = hang + word;
    }
  }
  return [...lines, last].join('\n');
}
