import type { FieldState } from '../../../masking/json/field-states.ts';
import type { Detects } from '../../../masking/pieces/detects.ts';
import { Octets, withinBound } from '../../../masking/pieces/octets.ts';
import type { PieceMasker } from '../../../masking/pieces/piece-masker.ts';
import { unreadable } from '../../../masking/pieces/unreadable.ts';
import { Utf8Check } from '../../../masking/pieces/utf8.ts';
import { NamedCells } from './cells.ts';

/** One row, octets. */
const MAX_ROW = 1024 * 1024;
const DELIMITERS = [',', ';', '\t', '|'];
const [QUOTE, CR, LF] = [0x22, 0x0d, 0x0a];

/**
 * Masks a table (`text/csv`, `text/tab-separated-values`) where members are masked: columns by the names in its first row,
 * `$.email`, and other cells by detectors. Rows in which nothing is masked keep their octets.
 *
 * What stands beyond the columns of the first row is hidden. A table that readers could take apart in two ways is not shown:
 * a quote within a cell that has none around it, a first row with delimiters of two kinds.
 *
 * @see RFC 4180
 */
export class TableMasker implements PieceMasker {
  readonly #cells: NamedCells;
  readonly #utf8 = new Utf8Check();
  readonly #held = new Octets();
  /** Octets of what is held that were read. */
  #read = 0;
  #quoted = false;
  #delimiter = ',';
  #columns: readonly (FieldState | undefined)[] | undefined;

  constructor(fields: FieldState, detects: Detects | undefined) {
    this.#cells = new NamedCells(fields, detects);
  }

  get maskedValues(): number {
    return this.#cells.maskedValues;
  }

  push(chunk: Uint8Array): Uint8Array | undefined {
    this.#utf8.push(chunk);
    this.#held.add(chunk);
    const shown: string[] = [];
    const bytes = this.#held.bytes;
    let from = 0;
    for (let at = this.#read; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) this.#quoted = !this.#quoted;
      if (this.#quoted || (byte !== LF && byte !== CR)) continue;
      shown.push(this.#row(bytes.toString('utf8', from, at)), String.fromCharCode(byte));
      from = at + 1;
    }
    withinBound(bytes.length - from, MAX_ROW, 'a row in it');
    this.#held.drop(from);
    this.#read = this.#held.length;
    return shown.length === 0 ? undefined : Buffer.from(shown.join(''));
  }

  end(): Uint8Array | undefined {
    this.#utf8.end();
    if (this.#quoted) throw unreadable('it ends within a cell');
    return this.#held.length === 0 ? undefined : Buffer.from(this.#row(this.#held.take().toString()));
  }

  #row(row: string): string {
    if (row === '') return row;
    if (this.#columns === undefined) return this.#head(row);
    const cells = cellsOf(row, this.#delimiter);
    const columns = this.#columns;
    const shown = cells.map((cell, at) => this.#cell(cell, at < columns.length, columns[at]));
    return shown.join(this.#delimiter);
  }

  #head(row: string): string {
    this.#delimiter = delimiterOf(row);
    const names = cellsOf(row.replace(/^\ufeff/, ''), this.#delimiter).map((cell) => unquoted(cell).trim());
    this.#columns = names.map((name) => this.#cells.named(name));
    return row;
  }

  #cell(cell: string, isNamed: boolean, column: FieldState | undefined): string {
    const text = unquoted(cell);
    const shown = !isNamed ? this.#cells.hidden() : this.#cells.shown(text, column);
    if (shown === text) return cell;
    return cell.startsWith('"') ? `"${shown.replaceAll('"', '""')}"` : shown;
  }
}

function delimiterOf(row: string): string {
  const plain = row.replace(/"(?:[^"]|"")*"/g, '');
  const found = DELIMITERS.filter((one) => plain.includes(one));
  if (found.length > 1) throw unreadable('the columns of the table are not told by one delimiter');
  return found[0] ?? ',';
}

/** As they are written, quotes too. */
function cellsOf(row: string, delimiter: string): readonly string[] {
  const cells: string[] = [];
  const cell = new RegExp(`(?:"(?:[^"]|"")*"|[^"${delimiter === '\t' ? '\\t' : delimiter}]*)`, 'y');
  for (let at = 0; ; at = cell.lastIndex + 1) {
    cell.lastIndex = at;
    const text = cell.exec(row)![0];
    cells.push(text);
    cell.lastIndex = at + text.length;
    if (cell.lastIndex === row.length) return cells;
    if (row[cell.lastIndex] !== delimiter)
      throw unreadable('a cell in it has a quote that does not surround it');
  }
}

function unquoted(cell: string): string {
  return cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
}
