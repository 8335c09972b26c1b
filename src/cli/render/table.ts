import { cut, displayWidth, pad, visible } from './text.ts';

/** A column never takes more than this many cells unless it is the last. */
const MAX_COLUMN = 48;

/**
 * Lays out rows under headings, columns two spaces apart, every value on one line and safe to print.
 *
 * Pure. @param width Columns of the terminal; the last column is cut to it. Infinity cuts nothing but `MAX_COLUMN`s.
 * @returns Lines without LF; headings first.
 */
export function renderTable(
  headings: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const cells = [headings, ...rows].map((row) => headings.map((_, i) => visible(String(row[i] ?? ''))));
  const last = headings.length - 1;
  const limit = Number.isFinite(width) ? MAX_COLUMN : Number.POSITIVE_INFINITY;
  const widths = headings.map((_, i) =>
    Math.min(limit, Math.max(...cells.map((row) => displayWidth(row[i]!)))),
  );
  return cells.map((row) => {
    const line = row
      .map((cell, i) => (i === last ? cell : pad(cut(cell, widths[i]!), widths[i]!)))
      .join('  ');
    return cut(line, width).trimEnd();
  });
}

/** Lays out names and values, one pair per line; pairs without a value are left out. */
export function renderFacts(facts: readonly (readonly [string, string | number | undefined])[]): string[] {
  const known = facts.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...known.map(([name]) => displayWidth(name)));
  return known.map(([name, value]) => `${pad(name, width)}  ${visible(String(value))}`);
}
