import type { Writable } from 'node:stream';
import { type Charset, worded } from '../core/terminal/charset.ts';

const INDENT = '     ';
/** Commands for the reader's own terminal. */
const PASTED = /^ {2}(?:npx|curl) /;

/** Collects what did not turn out as it must. */
export type Check = (ok: boolean, problem: string) => void;

/** How the demo tells what it does: headings, a line of prose, what was typed and what came back. */
export class Story {
  /** Columns for what is shown; unlimited where it goes to a file or a pipe. */
  readonly width: number;
  readonly #out: Writable;
  readonly #colour: boolean;
  readonly #charset: Charset;
  #chapter = 0;

  constructor(
    out: Writable,
    colour: boolean,
    columns = Number.POSITIVE_INFINITY,
    charset: Charset = 'utf-8',
  ) {
    this.#charset = charset;
    this.#out = out;
    this.#colour = colour;
    this.width = columns - INDENT.length;
  }

  chapter(title: string): void {
    this.#chapter++;
    this.#line(`\n${this.#style('1', `${this.#chapter}. ${title}`)}`);
  }

  say(text: string): void {
    for (const line of this.#wrapped(text, 3, 3)) this.#line(line);
  }

  /** What somebody typed: `who` is the prompt, `$` a shell's. */
  typed(who: string, text: string): void {
    const prompt = who === '$' ? who : `${who}>`;
    const [first = '', ...rest] = this.#wrapped(`${prompt} ${text}`, 3, 7);
    this.#line(first.replace(prompt, () => this.#style('36', prompt)));
    for (const line of rest) this.#line(line);
  }

  /** What came back, indented; at most `limit` lines, and how many were left out: never a single one. */
  showed(text: string, limit = 12): void {
    const lines = text.replace(/\n+$/, '').split('\n');
    const shown = lines.length === limit + 1 ? lines.length : limit;
    for (const line of lines.slice(0, shown)) this.#line(`${INDENT}${line}`);
    if (lines.length > shown) this.#line(this.#style('2', `     … ${lines.length - shown} more lines`));
  }

  /** A refusal, and what to do about it. */
  refused(text: string, advice: string): void {
    for (const line of this.#wrapped(text, 5, 7)) this.#line(this.#style('31', line));
    for (const line of this.#wrapped(advice, 5, 7)) this.#line(this.#style('33', line));
  }

  /** As it stands, but that prose is broken at blanks; lines to be pasted are not. */
  plain(text: string): void {
    for (const line of text.split('\n')) {
      const indent = /^ */.exec(line)![0].length;
      if (PASTED.test(line)) this.#line(line);
      else for (const part of this.#wrapped(line.slice(indent), indent, indent)) this.#line(part);
    }
  }

  /** Lines that a terminal need not break, with these columns of indentation. */
  #wrapped(text: string, first: number, rest: number): string[] {
    return wrapped(text, this.width + INDENT.length - rest).map(
      (line, n) => ' '.repeat(n === 0 ? first : rest) + line,
    );
  }

  #style(code: string, text: string): string {
    return this.#colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  }

  #line(text: string): void {
    this.#out.write(`${worded(text, this.#charset)}\n`);
  }
}

/** Breaks text at its blanks; a word that is longer than a line stays whole. Pure. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Rows as an aligned table; values longer than `width` are cut. Pure. */
export function table(names: readonly string[], rows: readonly (readonly unknown[])[], width = 44): string {
  const cells = [names, ...rows].map((row) =>
    row.map((value) => cut(value === null ? '∅' : String(value), width)),
  );
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  const [head = [], ...body] = cells;
  return [line(head), widths.map((count) => '-'.repeat(count)).join('  '), ...body.map(line)].join('\n');
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
