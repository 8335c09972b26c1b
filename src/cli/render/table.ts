import { isItemId, shortLength } from '../../client/item-ids.ts';
import { type Charset, drawn } from '../../core/terminal/charset.ts';
import { wrapped } from '../../core/terminal/prose.ts';
import { cut, displayWidth, pad, visible } from './text.ts';

/** On a terminal a column never takes more than this many cells unless it is the last. */
const MAX_COLUMN = 48;
/** The last column is cut to what is left of its line, but goes on a line of its own rather than below this. */
const MIN_LAST = 24;
const INDENT = 4;
/** A row on more lines than these is not found again by its headings. */
const MAX_LINES = 3;

/**
 * Lays out rows under headings, columns two spaces apart, every value on one line and safe to print.
 *
 * Where a terminal is too narrow, ids of which commands take the beginning are shortened to it, and rows are folded: columns that are
 * empty throughout are left out, and what does not fit goes on further lines, indented. Nothing but the last column, and cells wider than the terminal, is cut. Where a row would
 * take more than three lines, each is a list of its own: a heading and its value on a line, and an empty line between rows.
 *
 * Pure. @param width Columns of the terminal. Infinity folds and cuts nothing.
 * @returns Lines without LF; headings first.
 */
export function renderTable(
  headings: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
  width = Number.POSITIVE_INFINITY,
  charset: Charset = 'utf-8',
): string[] {
  const whole = [headings, ...rows].map((row) =>
    headings.map((_, i) => drawn(visible(String(row[i] ?? '')), charset)),
  );
  const fits = lineWidth(widthsOf(whole, width)) <= width;
  // What was cut is marked so by a sign.
  return laidOut(headings, fits ? whole : withShortIds(whole), width).map((line) => drawn(line, charset));
}

/** Each as short as tells it from the others of its column. */
function withShortIds(cells: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const lengths = cells[0]!.map((_, i) => shortLength(cells.map((row) => row[i]!).filter(isItemId)));
  return cells.map((row) => row.map((cell, i) => (isItemId(cell) ? cell.slice(0, lengths[i]) : cell)));
}

/** What somebody may have to type again, a name of one word, is not cut. */
function widthsOf(cells: readonly (readonly string[])[], width: number): readonly number[] {
  return cells[0]!.map((_, i) => {
    const last = i === cells[0]!.length - 1;
    const limited = Number.isFinite(width) && !last;
    return Math.max(
      ...cells.map((row) => {
        const natural = displayWidth(row[i]!);
        return limited && row[i]!.includes(' ') ? Math.min(MAX_COLUMN, natural) : natural;
      }),
    );
  });
}

function laidOut(
  headings: readonly string[],
  cells: readonly (readonly string[])[],
  width: number,
): string[] {
  const last = headings.length - 1;
  const widths = widthsOf(cells, width);
  const whole = headings.map((_, i) => i);
  const used = whole.filter((i) => i === last || cells.slice(1).some((row) => row[i] !== ''));
  const lines = lineWidth(widths) <= width ? [whole] : fold(used, widths, width);
  if (lines.length > MAX_LINES) return asLists(headings, cells.slice(1), width);
  return cells.flatMap((row) =>
    lines
      .map((columns, n) => {
        const line = columns
          .map((i) => pad(cut(row[i]!, widths[i]!), i === last ? 0 : widths[i]!))
          .join('  ');
        return cut(n === 0 ? line : ' '.repeat(INDENT) + line, width).trimEnd();
      })
      .filter((line, n) => n === 0 || line !== ''),
  );
}

function asLists(headings: readonly string[], rows: readonly (readonly string[])[], width: number): string[] {
  return rows.flatMap((row, n) => {
    const facts = headings
      .map((heading, i) => [heading, row[i]!] as const)
      .filter(([, value]) => value !== '');
    const names = Math.max(...facts.map(([heading]) => displayWidth(heading)));
    return [...(n === 0 ? [] : ['']), ...facts.flatMap((fact) => factLines(fact, names, width))];
  });
}

/** A value that does not fit beside its heading stands below it: an id that was cut is of no use. */
function factLines([heading, value]: readonly [string, string], names: number, width: number): string[] {
  const beside = `${pad(heading, names)}  ${value}`;
  const fits = displayWidth(beside) <= width || displayWidth(value) + INDENT > width;
  return fits ? [cut(beside, width)] : [heading, ' '.repeat(INDENT) + value];
}

function lineWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + 2, -2);
}

/** Which columns stand on which line. Each line takes at least one. */
function fold(columns: readonly number[], widths: readonly number[], width: number): number[][] {
  const lines: number[][] = [[]];
  for (const column of columns) {
    const line = lines.at(-1)!;
    const isLast = column === widths.length - 1;
    const wanted = isLast ? Math.min(widths[column]!, MIN_LAST) : widths[column]!;
    const taken = lineWidth([...line.map((i) => widths[i]!), wanted]) + (lines.length > 1 ? INDENT : 0);
    if (line.length > 0 && taken > width) lines.push([column]);
    else line.push(column);
  }
  return lines;
}

/**
 * Lays out names and values, one pair per line; pairs without a value are left out.
 *
 * @param width Columns of the terminal: a value that does not fit goes on below where it began. Infinity breaks none.
 */
export function renderFacts(
  facts: readonly (readonly [string, string | number | undefined])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const known = facts.filter(([, value]) => value !== undefined && value !== '');
  const names = Math.max(0, ...known.map(([name]) => displayWidth(name)));
  return known.flatMap(([name, value]) =>
    wrapped(`${pad(name, names)}  ${visible(String(value))}`, width, names + 2).split('\n'),
  );
}
