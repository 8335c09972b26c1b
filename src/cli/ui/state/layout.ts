import type { Size, UiState } from './model.ts';

/** Title and context. */
const TOP_ROWS = 2;
/** They are always there, and so are notices and keys. */
const CHROME_ROWS = TOP_ROWS + 2;
const HEADING_ROWS = 1;
const HISTOGRAM_ROWS = 3;
/** In a lower window the feed has no histogram. */
const HISTOGRAM_FROM_ROWS = 18;
/** In a wider window details stand beside the list. */
const BESIDE_FROM_COLUMNS = 120;
const DETAILS_SHARE = 0.42;
/** Letters of a filter, a command or a reason. */
export const MAX_INPUT = 500;
const SMALLEST: Size = { columns: 40, rows: 8 };

export function isTooSmall({ columns, rows }: Size): boolean {
  return columns < SMALLEST.columns || rows < SMALLEST.rows;
}

export function bodyRows({ rows }: Size): number {
  return Math.max(1, rows - CHROME_ROWS);
}

/** Rows of a transcript, below the line that says of what it is. */
export function transcriptRows(size: Size): number {
  return Math.max(1, bodyRows(size) - HEADING_ROWS);
}

export function histogramRows({ screen, size }: Pick<UiState, 'screen' | 'size'>): number {
  return screen === 'feed' && size.rows >= HISTOGRAM_FROM_ROWS ? HISTOGRAM_ROWS : 0;
}

/** Rows of a list that are drawn at once. */
export function listRows(state: Pick<UiState, 'screen' | 'size'>): number {
  return Math.max(1, bodyRows(state.size) - HEADING_ROWS - histogramRows(state));
}

/** Where the first row of a list is drawn, from 0. */
export function listTop(state: Pick<UiState, 'screen' | 'size'>): number {
  return TOP_ROWS + histogramRows(state) + HEADING_ROWS;
}

/** Columns of the details beside a list; 0: they are not beside it. */
export function detailsColumns({ columns }: Size): number {
  return columns >= BESIDE_FROM_COLUMNS ? Math.floor(columns * DETAILS_SHARE) : 0;
}

/** Columns of a list. */
export function listColumns(size: Size): number {
  const right = detailsColumns(size);
  // One stays free before what stands beside it.
  return right === 0 ? size.columns : size.columns - right - 1;
}
