import type { Paper } from '../../../core/terminal/charset.ts';
import { fitted, inCharset, type Line, line, type Span, span, type Tone, toned } from './line.ts';

/** One column of a list. */
export interface Column<T> {
  readonly heading: string;
  /** Columns of the terminal; `rest` takes what the others leave, and stands once. */
  readonly width: number | 'rest';
  /** It is left out where the list is narrower. */
  readonly from?: number;
  /** It is left out where the list is as wide: others say more there. */
  readonly below?: number;
  readonly cell: (item: T) => string | Span;
}

const GAP = 2;
/** Marks the chosen row: no meaning is in colours alone. */
const CHOSEN = '▸ ';
const MARK = 2;

interface Place<T> {
  readonly column: Column<T>;
  readonly width: number;
}

function placesOf<T>(columns: readonly Column<T>[], width: number): readonly Place<T>[] {
  const shown = columns.filter(
    ({ from = 0, below = Number.POSITIVE_INFINITY }) => width >= from && width < below,
  );
  const fixed = shown.reduce((sum, one) => sum + (one.width === 'rest' ? 0 : one.width) + GAP, MARK - GAP);
  return shown.map((column) => ({
    column,
    width: column.width === 'rest' ? Math.max(4, width - fixed) : column.width,
  }));
}

export function headingLine<T>(columns: readonly Column<T>[], width: number): Line {
  const cells = placesOf(columns, width).flatMap((place, i) => [
    ...gap(i),
    ...fitted(line(place.column.heading, 'dim'), place.width),
  ]);
  return fitted([span(' '.repeat(MARK)), ...cells], width);
}

/** One row, `width` columns wide exactly. */
export function rowLine<T>(
  columns: readonly Column<T>[],
  item: T,
  { width, charset }: Paper,
  chosen: boolean,
): Line {
  const cells = placesOf(columns, width).flatMap(({ column, width: wide }, i) => {
    const cell = column.cell(item);
    return [...gap(i), ...fitted(inCharset([typeof cell === 'string' ? span(cell) : cell], charset), wide)];
  });
  const row = fitted(
    [span(chosen ? CHOSEN : ' '.repeat(MARK), chosen ? 'accent' : 'plain'), ...cells],
    width,
  );
  return chosen ? toned(row, 'chosen') : row;
}

function gap(index: number): Line {
  return index === 0 ? [] : [{ text: ' '.repeat(GAP), tone: 'plain' satisfies Tone }];
}
