/** Saying yes or no to a request: it is fetched, read to its end, and only then decided. Pure. */

import { notMineText } from '../../../api/approval-words.ts';
import type { ApprovalItem } from '../../../api/approvals.ts';
import { bodyRows } from './layout.ts';
import { scrolled } from './list.ts';
import type { Failure, Overlay, Step, UiState } from './model.ts';
import { noticed } from './notices.ts';

type Decide = Extract<Overlay, { kind: 'decide' }>;

/** Rows of the question below the request. */
const QUESTION_ROWS = 2;

export function beginDecision(state: UiState, request: ApprovalItem, word: 'approve' | 'deny'): Step {
  const refuse = (why: string): Step => ({ state: noticed(state, why, 'bad'), effects: [] });
  const { id, status } = request;
  if (!state.decides) return refuse('read-only: press W first to decide requests here');
  if (status !== 'pending') return refuse(`it is ${status} already`);
  const others = notMineText(request);
  // A no counts also from whoever has said yes before.
  const mayDeny = word === 'deny' && request.mayDeny === true;
  if (others !== undefined && !mayDeny)
    return refuse(request.mayDeny === true ? `${others} d says no` : others);
  const overlay: Decide = { kind: 'decide', word, id, reason: '', top: 0, sent: false };
  return { state: { ...state, overlay }, effects: [{ do: 'look', id }] };
}

/** Rows for the request itself. */
export function decisionRows(state: UiState): number {
  return Math.max(1, bodyRows(state.size) - QUESTION_ROWS);
}

/** Whether the last line has been seen: nobody says yes to what is below the window. */
export function isReadToEnd(state: UiState, { top }: Decide, lines: number): boolean {
  return top + decisionRows(state) >= lines;
}

/**
 * @param lines How many the request has, as it is drawn.
 * @param many The key came together with others, as what is pasted does: that is no answer.
 */
export function onDecideKey(
  state: UiState,
  overlay: Decide,
  key: string,
  many: boolean,
  lines: number,
): Step {
  const rows = decisionRows(state);
  // What was said of the place where it was read before is over.
  const to = (top: number): Step => ({
    state: { ...state, notice: undefined, overlay: { ...overlay, top } },
    effects: [],
  });
  const by: Record<string, number> = {
    down: 1,
    j: 1,
    up: -1,
    k: -1,
    pagedown: rows,
    ' ': rows,
    pageup: -rows,
    home: -lines,
    g: -lines,
    end: lines,
    G: lines,
  };
  if (by[key] !== undefined) return to(scrolled(overlay.top, by[key], lines, rows));
  if (key === 'escape' || key === 'n' || key === 'q')
    return { state: { ...state, overlay: undefined }, effects: [] };
  if (key === 'r' && overlay.word === 'deny' && !overlay.sent)
    return { state: { ...state, input: { kind: 'reason', text: overlay.reason } }, effects: [] };
  if (key !== 'y' || many || overlay.item === undefined || overlay.sent) return { state, effects: [] };
  if (!isReadToEnd(state, overlay, lines))
    return { state: noticed(state, 'there is more below: read to the end first', 'bad'), effects: [] };
  const { id, word, reason, item } = overlay;
  return {
    state: { ...state, overlay: { ...overlay, sent: true, failure: undefined } },
    effects: [{ do: 'decide', id, word, binding: item.binding, reason }],
  };
}

/** A request as those see it who may decide it. */
export function onLooked(state: UiState, item: ApprovalItem): UiState {
  const looked = new Map(state.looked).set(item.id, item);
  const { overlay } = state;
  if (overlay?.kind !== 'decide' || overlay.id !== item.id || overlay.sent) return { ...state, looked };
  if (item.status !== 'pending')
    return noticed(
      { ...state, looked, overlay: undefined },
      `it is ${item.status} already: ${item.id}`,
      'bad',
    );
  // What was shown stays what is said yes to, also where the gateway has been asked again.
  return { ...state, looked, overlay: { ...overlay, item: overlay.item ?? item } };
}

export function onDecided(state: UiState, item: ApprovalItem, word: 'approve' | 'deny'): UiState {
  const looked = new Map(state.looked).set(item.id, item);
  const said =
    word === 'deny'
      ? 'denied'
      : item.status === 'approved'
        ? 'approved'
        : `your yes is given; it is still ${item.status}`;
  const open = state.overlay?.kind === 'decide' && state.overlay.id === item.id;
  return noticed(
    { ...state, looked, overlay: open ? undefined : state.overlay },
    `${item.id}: ${said}`,
    'good',
  );
}

export function onNotDecided(state: UiState, id: string, failure: Failure): UiState {
  const { overlay } = state;
  if (overlay?.kind !== 'decide' || overlay.id !== id)
    return noticed(state, `${id}: ${failure.message}`, 'bad');
  return { ...state, overlay: { ...overlay, sent: false, failure } };
}
