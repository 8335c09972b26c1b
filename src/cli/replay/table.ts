import type { ReplayFrame } from '../../api/replay.ts';
import { type Charset, drawn, worded } from '../../core/terminal/charset.ts';
import { cut, displayWidth, pad, visible } from '../render/text.ts';

/** Rows are held to align them, never more than this many. */
const ROWS_AT_ONCE = 200;
const MAX_COLUMN = 60;
const NULL_TEXT = '∅';

type TableFrame = Extract<
  ReplayFrame,
  { kind: 'columns' | 'row' | 'complete' | 'error' | 'notice' | 'data' }
>;

/** One stream's results, one table at a time. No I/O; holds at most `ROWS_AT_ONCE` rows. */
export class TablePrinter {
  readonly #charset: Charset;
  #columns: readonly string[] = [];
  #rows: string[][] = [];
  #headed = false;
  #total = 0;

  constructor(charset: Charset) {
    this.#charset = charset;
  }

  /** @returns Lines to print now, without LF, safe for a terminal. */
  push(frame: TableFrame): string[] {
    switch (frame.kind) {
      case 'columns': {
        const lines = this.flush();
        this.#begin(frame.names);
        return lines;
      }
      case 'row':
        this.#rows.push(frame.values.map((value) => this.#cell(value)));
        this.#total++;
        return this.#rows.length < ROWS_AT_ONCE ? [] : this.flush();
      case 'complete':
        return this.#end(visible(frame.tag));
      case 'error':
        return this.#end(`ERROR ${visible(frame.status)}: ${visible(frame.message)}`, frame.hint);
      case 'notice':
        return [...this.flush(), `NOTICE: ${visible(frame.message)}`];
      case 'data':
        return [...this.flush(), `-- ${frame.bytes} octets`];
    }
  }

  /** Prints the rows held; the headings with the first of them, or alone if the result was empty. */
  flush(atEnd = false): string[] {
    if (this.#rows.length === 0 && !(atEnd && this.#columns.length > 0 && this.#total === 0)) return [];
    const headings = this.#headed ? [] : [this.#columns];
    const cells = [...headings, ...this.#rows].map((row) =>
      row.map((cell) => drawn(cut(cell, MAX_COLUMN), this.#charset)),
    );
    const count = Math.max(...cells.map((row) => row.length));
    const widths = Array.from({ length: count }, (_, i) =>
      Math.max(...cells.map((row) => displayWidth(row[i] ?? ''))),
    );
    const lines = cells.map((row) =>
      ` ${widths.map((width, i) => pad(row[i] ?? '', width)).join(' | ')}`.trimEnd(),
    );
    if (!this.#headed) lines.splice(1, 0, widths.map((width) => '-'.repeat(width + 2)).join('+'));
    this.#headed = true;
    this.#rows = [];
    return lines;
  }

  #cell(value: string | null): string {
    return value === null ? worded(NULL_TEXT, this.#charset) : drawn(visible(value), this.#charset);
  }

  #begin(names: readonly string[]): void {
    this.#columns = names.map((name) => this.#cell(name));
    this.#headed = false;
    this.#total = 0;
  }

  #end(text: string, hint?: string): string[] {
    const lines = this.flush(true);
    this.#begin([]);
    return [...lines, text, ...(hint === undefined ? [] : [`hint: ${visible(hint)}`])];
  }
}
