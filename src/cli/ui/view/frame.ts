/** The whole screen as lines: as many as the window has rows, each as wide as it. Pure. */
import {
  bodyRows,
  detailsColumns,
  histogramRows,
  isTooSmall,
  listColumns,
  listRows,
} from '../state/layout.ts';
import { chosenOf } from '../state/list.ts';
import type { Items, Overlay, ScreenName, UiState } from '../state/model.ts';
import { bottomLine, contextLine, noticeLines, titleLine } from './chrome.ts';
import { COLUMNS } from './columns.ts';
import { decideLines } from './decide.ts';
import { detailLines } from './details.ts';
import { helpLines } from './help.ts';
import { histogramLines } from './histogram.ts';
import { fitted, inCharset, type Line, line, NOTHING, span } from './line.ts';
import { connectionLines, emptyLines } from './plain-states.ts';
import { headingLine, rowLine } from './table.ts';
import { transcriptLines } from './transcript.ts';

export function frameOf(state: UiState): readonly Line[] {
  const { columns, rows } = state.size;
  if (isTooSmall(state.size)) return tooSmall(state);
  const body = [...bodyOf(state)].slice(0, bodyRows(state.size));
  while (body.length < bodyRows(state.size)) body.push(NOTHING);
  const notices = noticeLines(state);
  const above = body.slice(0, Math.max(0, body.length + 1 - notices.length));
  return [titleLine(state), contextLine(state), ...above, ...notices, bottomLine(state)]
    .slice(0, rows)
    .map((one) => fittedIn(state, one, columns));
}

/** What is written out is cut with the rest, and by a sign that the terminal shows. */
function fittedIn({ charset }: Pick<UiState, 'charset'>, one: Line, columns: number): Line {
  return inCharset(fitted(inCharset(one, charset), columns), charset);
}

function tooSmall({ charset, size: { columns, rows } }: UiState): readonly Line[] {
  const said = [line(`${columns}×${rows} is too small`), line('q quits')];
  return Array.from({ length: Math.max(1, rows) }, (_, i) =>
    fittedIn({ charset }, said[i] ?? NOTHING, Math.max(1, columns)),
  );
}

function bodyOf(state: UiState): readonly Line[] {
  const { overlay, size } = state;
  const plain = connectionLines(state);
  if (overlay?.kind === 'help')
    return window(helpLines(state.screen, size.columns - 2), overlay.top, bodyRows(size));
  if (plain !== undefined) return plain;
  if (overlay === undefined || overlay.kind === 'quit') return listBody(state);
  return overlayBody(state, overlay);
}

function overlayBody(state: UiState, overlay: Exclude<Overlay, { kind: 'help' | 'quit' }>): readonly Line[] {
  switch (overlay.kind) {
    case 'details':
      return window(detailLines(state), overlay.top, bodyRows(state.size));
    case 'decide':
      return decideLines(state, overlay);
    case 'transcript':
      return transcriptLines(state, overlay);
  }
}

/** Lines from `top` on, one column in. */
function window(lines: readonly Line[], top: number, rows: number): readonly Line[] {
  return lines.slice(top, top + rows).map((one) => [span(' '), ...one]);
}

function listBody(state: UiState): readonly Line[] {
  const { screen, size, lists } = state;
  const right = lists[screen].shown.length === 0 ? 0 : detailsColumns(size);
  const width = right === 0 ? size.columns : listColumns(size);
  const rows = [headingLine(COLUMNS[screen](state) as never, width), ...rowLines(state, screen, width)];
  const left = lists[screen].shown.length === 0 ? [rows[0]!, ...emptyLines(state)] : rows;
  const beside =
    right === 0
      ? left
      : besides(left, width, detailLines(state, undefined, right - 3), bodyRows(size) - histogramRows(state));
  return [...histogramLines(state, size.columns), ...beside];
}

/** Only the rows that are in the window are made. */
function rowLines<K extends ScreenName>(state: UiState, screen: K, width: number): readonly Line[] {
  const columns = COLUMNS[screen](state);
  const { shown, top } = state.lists[screen];
  const chosen = chosenOf<Items[K]>(state.lists[screen]);
  return shown
    .slice(top, top + listRows(state))
    .map((item) => rowLine<Items[K]>(columns, item, { width, charset: state.charset }, item === chosen));
}

function besides(
  left: readonly Line[],
  width: number,
  right: readonly Line[],
  rows: number,
): readonly Line[] {
  return Array.from({ length: rows }, (_, i) => [
    ...fitted(left[i] ?? NOTHING, width + 1),
    span('│ ', 'dim'),
    ...(right[i] ?? NOTHING),
  ]);
}
