import type { Writable } from 'node:stream';

const INDENT = '     ';

/** Collects what did not turn out as it must. */
export type Check = (ok: boolean, problem: string) => void;

/** How the demo tells what it does: headings, a line of prose, what was typed and what came back. */
export class Story {
  /** Columns for what is shown; unlimited where it goes to a file or a pipe. */
  readonly width: number;
  readonly #out: Writable;
  readonly #colour: boolean;
  #chapter = 0;

  constructor(out: Writable, colour: boolean, columns = Number.POSITIVE_INFINITY) {
    this.#out = out;
    this.#colour = colour;
    this.width = columns - INDENT.length;
  }

  chapter(title: string): void {
    this.#chapter++;
    this.#line(`\n${this.#style('1', `${this.#chapter}. ${title}`)}`);
  }

  say(text: string): void {
    this.#line(`   ${text}`);
  }

  /** What somebody typed: `who` is the prompt, `$` a shell's. */
  typed(who: string, text: string): void {
    const prompt = who === '$' ? who : `${who}>`;
    this.#line(`   ${this.#style('36', prompt)} ${text}`);
  }

  /** What came back, indented; at most `limit` lines, and how many were left out. */
  showed(text: string, limit = 12): void {
    const lines = text.replace(/\n+$/, '').split('\n');
    for (const line of lines.slice(0, limit)) this.#line(`${INDENT}${line}`);
    if (lines.length > limit) this.#line(this.#style('2', `     … ${lines.length - limit} more lines`));
  }

  /** A refusal, and what to do about it. */
  refused(text: string, advice: string): void {
    this.#line(`     ${this.#style('31', text)}`);
    this.#line(`     ${this.#style('33', advice)}`);
  }

  plain(text: string): void {
    this.#line(text);
  }

  #style(code: string, text: string): string {
    return this.#colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  }

  #line(text: string): void {
    this.#out.write(`${text}\n`);
  }
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
