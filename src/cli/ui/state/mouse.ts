/** What the mouse does, while it is ours. Pure. */
import type { MouseReport } from '../terminal/mouse.ts';
import { screenAt } from '../view/chrome.ts';
import { connectionLines } from '../view/plain-states.ts';
import { showScreen } from './commands.ts';
import { onKey, withList } from './keys.ts';
import { isTooSmall, listColumns, listRows, listTop } from './layout.ts';
import { placed, windowMovedBy } from './list.ts';
import type { Step, UiState } from './model.ts';

/** Of one notch of the wheel. */
const WHEEL_ROWS = 3;
const TITLE_ROW = 0;

const stay = (state: UiState): Step => ({ state, effects: [] });

/** Wheel and clicks only look around: nothing is opened, closed or decided by them. */
export function onMouse(state: UiState, { what, column, row }: MouseReport): Step {
  const isAsked =
    state.overlay?.kind === 'quit' || (state.input !== undefined && state.input.kind !== 'filter');
  if (!state.mouse || isAsked || isTooSmall(state.size)) return stay(state);
  if (what !== 'click') return turned(state, what === 'wheel-up' ? -1 : 1);
  if (row === TITLE_ROW) return onTitle(state, column);
  return isListed(state) ? onRow(state, column, row) : stay(state);
}

/** The list's window moves; what is read over it scrolls as by keys. */
function turned(state: UiState, direction: 1 | -1): Step {
  if (state.overlay === undefined)
    return isListed(state)
      ? withList(
          state,
          windowMovedBy<unknown>(state.lists[state.screen], direction * WHEEL_ROWS, listRows(state)),
        )
      : stay(state);
  let next = state;
  for (let i = 0; i < WHEEL_ROWS; i++) next = onKey(next, direction === 1 ? 'down' : 'up', false).state;
  return stay(next);
}

function onTitle(state: UiState, column: number): Step {
  const screen = screenAt(state, column);
  const isBusy =
    state.input !== undefined || state.overlay?.kind === 'decide' || state.connection.kind === 'login';
  return screen === undefined || isBusy ? stay(state) : stay(showScreen(state, screen));
}

function onRow(state: UiState, column: number, row: number): Step {
  const list = state.lists[state.screen];
  const line = row - listTop(state);
  const at = list.top + line;
  const isThere = line >= 0 && line < listRows(state) && at < list.shown.length;
  if (!isThere || column >= listColumns(state.size)) return stay(state);
  return withList(state, placed<unknown>({ ...list, at }, listRows(state)));
}

/** Whether a list is what the screen shows. */
function isListed(state: UiState): boolean {
  return state.overlay === undefined && connectionLines(state) === undefined;
}
