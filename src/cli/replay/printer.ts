/**
 * A recording's frames as text for a terminal.
 */
import type { ReplayFrame } from '../../api/contract.ts';
import { cut, displayWidth, pad, visible } from '../render/text.ts';

/** Rows are held to align them, never more than this many. */
const ROWS_AT_ONCE = 200;
const MAX_COLUMN = 60;
const NULL_TEXT = '∅';

/**
 * Turns frames into lines, one result table at a time. No I/O; holds at most `ROWS_AT_ONCE` rows.
 */
export class ReplayPrinter {
  #columns: readonly string[] = [];
  #rows: string[][] = [];
  #headed = false;
  #total = 0;

  /** @returns Lines to print now, without LF, safe for a terminal. */
  push(frame: ReplayFrame): string[] {
    switch (frame.kind) {
      case 'request':
        return [...this.#flush(), ...requestLines(frame.atMs, frame.text)];
      case 'columns': {
        const lines = this.#flush();
        this.#begin(frame.names);
        return lines;
      }
      case 'row':
        this.#rows.push(frame.values.map((value) => (value === null ? NULL_TEXT : visible(value))));
        this.#total++;
        return this.#rows.length < ROWS_AT_ONCE ? [] : this.#flush();
      case 'complete':
        return this.#end(visible(frame.tag));
      case 'error':
        return this.#end(`ERROR ${visible(frame.sqlstate)}: ${visible(frame.message)}`, frame.hint);
      case 'notice':
        return [...this.#flush(), `NOTICE: ${visible(frame.message)}`];
      case 'note':
        return [...this.#flush(), `-- ${visible(frame.text)}`];
      case 'data':
        return [...this.#flush(), `-- ${frame.bytes} octets`];
      case 'end':
        return [...this.#flush(), endLine(frame)];
    }
  }

  #begin(names: readonly string[]): void {
    this.#columns = names.map(visible);
    this.#headed = false;
    this.#total = 0;
  }

  #end(text: string, hint?: string): string[] {
    const lines = this.#flush(true);
    this.#begin([]);
    return [...lines, text, ...(hint === undefined ? [] : [`hint: ${visible(hint)}`])];
  }

  /** Prints the rows held; the headings with the first of them, or alone if the result was empty. */
  #flush(atEnd = false): string[] {
    if (this.#rows.length === 0 && !(atEnd && this.#columns.length > 0 && this.#total === 0)) return [];
    const headings = this.#headed ? [] : [this.#columns];
    const cells = [...headings, ...this.#rows].map((row) => row.map((cell) => cut(cell, MAX_COLUMN)));
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
}

/** `[00:01.250] > SELECT …`, further lines of the statement under it. */
function requestLines(atMs: number, text: string): string[] {
  const [first = '', ...more] = text.split(/\r?\n/);
  const head = `[${clock(atMs)}] > `;
  return [head + visible(first), ...more.map((line) => ' '.repeat(head.length) + visible(line))];
}

function endLine(frame: Extract<ReplayFrame, { kind: 'end' }>): string {
  const state = frame.complete ? 'end of the session' : 'end of the recording, which is not complete';
  return `[${clock(frame.atMs)}] -- ${state}: ${visible(frame.reason)}`;
}

function clock(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return `${String(minutes).padStart(2, '0')}:${((ms % 60_000) / 1000).toFixed(3).padStart(6, '0')}`;
}
