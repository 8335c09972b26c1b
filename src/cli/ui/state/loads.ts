/** When what is asked of the gateway, and what becomes of the answers. Pure. */
import type { ApprovalItem } from '../../../api/approvals.ts';
import type { AuditEventItem, ResourceItem, SessionItem } from '../../../api/contract.ts';
import { fitsEvent, fitsWords, readFilter } from './filter.ts';
import { listRows } from './layout.ts';
import { type List, placed, withItems } from './list.ts';
import {
  type Effect,
  type Failure,
  type Items,
  type Load,
  type Loaded,
  SCREENS,
  type ScreenName,
  type Step,
  type UiState,
} from './model.ts';

/**
 * Seconds that the gateway may hold back its answer on what waits for approval. A gateway that has stopped answering is noticed no
 * sooner there.
 */
export const HELD_S = 5;
const EVERY_MS: Readonly<Record<ScreenName, number>> = {
  resources: 15_000,
  feed: 3_000,
  // The gateway holds its answer back until something changes.
  approvals: 250,
  sessions: 5_000,
};
/** Each look at the audit is on record: whoever has left the keyboard alone looks less often. */
const IDLE_FEED_MS = 15_000;
const IDLE_AFTER_MS = 5 * 60_000;
/** So long after the last key the gateway is asked for what keys have led to. */
export const RESTED_MS = 350;
const RETRY_MIN_MS = 2_000;
const RETRY_MAX_MS = 30_000;
/** What is refused is hardly allowed a moment later. */
const REFUSED_MS = 60_000;
/** Events that are held. */
const MAX_EVENTS = 10_000;
/** Rows below the cursor at which the next page is asked for. */
const AHEAD = 40;

const UNREACHABLE = 69;
const LOGGED_OUT = 67;

/** What identifies an item of each list. */
const ID_OF: { readonly [K in ScreenName]: (item: Items[K]) => string } = {
  resources: ({ name }) => name,
  feed: ({ id }) => id,
  approvals: ({ id }) => id,
  sessions: ({ id }) => id,
};

/** What the typed filter leaves. */
function keepOf<K extends ScreenName>(state: UiState, screen: K): (item: Items[K]) => boolean {
  const filter = state.filters[screen];
  const keeps: { readonly [S in ScreenName]: (item: Items[S]) => boolean } = {
    resources: ({ name, protocol, access }: ResourceItem) => fitsWords([name, protocol, access], filter),
    // What answers the filter fits it, by the gateway's own reading of it.
    feed: (item: AuditEventItem) => filter === state.feedFilter || fitsEvent(item, filter),
    approvals: (item: ApprovalItem) =>
      (state.settledToo || item.status === 'pending') &&
      fitsWords(
        [item.id, item.actor, item.person, item.resource, item.text, item.status, item.reason],
        filter,
      ),
    sessions: (item: SessionItem) =>
      fitsWords(
        [
          item.id,
          item.actor,
          item.person,
          item.resource,
          item.protocol,
          item.instance,
          item.endedAt ? 'ended' : 'live',
        ],
        filter,
      ),
  };
  return keeps[screen];
}

/** The list of a screen with these items, or with those it has, as the filter leaves them. */
export function relisted<K extends ScreenName>(
  state: UiState,
  screen: K,
  items: readonly Items[K][] = state.lists[screen].items,
): UiState {
  const list: List<Items[K]> = state.lists[screen];
  const rows = listRows({ screen, size: state.size });
  const next = withItems(list, items, keepOf(state, screen), ID_OF[screen], rows);
  return { ...state, lists: { ...state.lists, [screen]: next } };
}

function withLoad(state: UiState, screen: ScreenName, load: Partial<Load>): UiState {
  return { ...state, loads: { ...state.loads, [screen]: { ...state.loads[screen], ...load } } };
}

/** Asks for it now, whatever is under way. */
export function askedAnew(state: UiState, screen: ScreenName, inMs = 0): UiState {
  const { asked } = state.loads[screen];
  return withLoad(state, screen, { asked: asked + 1, waits: false, dueMs: state.nowMs + inMs, failures: 0 });
}

/** Another filter: what is at hand is filtered at once, and the gateway is asked where it knows more. */
export function filtered(state: UiState, text: string): UiState {
  const { screen } = state;
  const next = { ...state, filters: { ...state.filters, [screen]: text } };
  const list = relisted(
    { ...next, lists: { ...next.lists, [screen]: { ...next.lists[screen], at: 0, top: 0 } } },
    screen,
  );
  return screen === 'feed' ? askedAnew(list, 'feed', RESTED_MS) : list;
}

/** Whatever is due is asked for. */
export function dueLoads(state: UiState): Step {
  const { connection, nowMs, me } = state;
  const mayAsk =
    connection.kind === 'online' || (connection.kind === 'offline' && nowMs >= connection.retryMs);
  if (!mayAsk) return { state, effects: [] };
  if (me === undefined)
    return {
      state: { ...state, connection: { kind: 'connecting', tries: triesOf(connection) } },
      effects: [{ do: 'connect' }],
    };
  let next = state;
  const effects: Effect[] = [];
  for (const screen of SCREENS) {
    const { waits, dueMs } = next.loads[screen];
    if (waits || nowMs < dueMs || !isWanted(next, screen)) continue;
    const effect = loadOf(next, screen);
    if (effect === undefined) continue;
    effects.push(effect);
    next = withLoad(next, screen, { waits: true, asked: effect.asked, askedMs: nowMs });
  }
  return { state: next, effects };
}

/** How long the gateway has owed an answer, ms; 0 where it owes none. Pure. */
export function overdueMs({ loads, nowMs, approvalsCursor }: UiState, screen: ScreenName): number {
  const { waits, askedMs } = loads[screen];
  const heldMs = screen === 'approvals' && approvalsCursor !== undefined ? HELD_S * 1000 : 0;
  return waits ? Math.max(0, nowMs - askedMs - heldMs) : 0;
}

function isWanted(state: UiState, screen: ScreenName): boolean {
  // How many requests wait is shown on every screen.
  if (screen === 'approvals') return true;
  if (state.screen !== screen) return false;
  return !(
    screen === 'feed' &&
    state.paused &&
    state.loads.feed.heardMs !== undefined &&
    state.filters.feed === state.feedFilter
  );
}

function loadOf(state: UiState, screen: ScreenName): Extract<Effect, { asked: number }> | undefined {
  const asked = state.loads[screen].asked + 1;
  if (screen === 'feed') {
    const { query, mistake } = readFilter(state.filters.feed, state.nowMs);
    return mistake === undefined ? { do: 'load-feed', asked, query, older: false } : undefined;
  }
  if (screen === 'approvals') return { do: 'load-approvals', asked, cursor: state.approvalsCursor };
  return { do: `load-${screen}`, asked };
}

/** The next page, where the cursor comes near the end of what is held. */
export function olderEvents(state: UiState): Step {
  const { loads, lists, filters, feedFilter, screen, connection } = state;
  const { items, at, shown } = lists.feed;
  const { next, waits, asked } = loads.feed;
  const near = screen === 'feed' && at + AHEAD >= shown.length;
  if (!near || next === undefined || waits || items.length >= MAX_EVENTS || connection.kind !== 'online')
    return { state, effects: [] };
  if (filters.feed !== feedFilter) return { state, effects: [] };
  const query = { ...readFilter(feedFilter, state.nowMs).query, cursor: next };
  return {
    state: withLoad(state, 'feed', { waits: true, asked: asked + 1, askedMs: state.nowMs }),
    effects: [{ do: 'load-feed', asked: asked + 1, query, older: true }],
  };
}

/** An answer. One to an older question is left. */
export function onLoaded(state: UiState, event: Loaded): UiState {
  const { screen, asked } = event;
  if (state.loads[screen].asked !== asked) return state;
  const heard = withLoad({ ...state, connection: { kind: 'online' } }, screen, {
    waits: false,
    heardMs: state.nowMs,
    dueMs: state.nowMs + everyMs(state, screen),
    failure: undefined,
    failures: 0,
  });
  switch (event.screen) {
    case 'resources':
      return relisted(heard, 'resources', event.items);
    case 'sessions':
      return relisted(heard, 'sessions', event.items);
    case 'approvals':
      return relisted({ ...heard, approvalsCursor: event.cursor }, 'approvals', event.items);
    case 'feed':
      return eventsHeard(heard, event);
  }
}

function everyMs(state: UiState, screen: ScreenName): number {
  const idle = screen === 'feed' && state.nowMs - state.touchedMs > IDLE_AFTER_MS;
  return idle ? IDLE_FEED_MS : EVERY_MS[screen];
}

function eventsHeard(state: UiState, { items, next, older }: Extract<Loaded, { screen: 'feed' }>): UiState {
  const same = state.feedFilter === state.filters.feed && state.lists.feed.items.length > 0;
  const known = state.lists.feed.items;
  if (older === true) {
    const ids = new Set(known.map(({ id }) => id));
    const all = [...known, ...items.filter(({ id }) => !ids.has(id))].slice(0, MAX_EVENTS);
    return relisted(withLoad(state, 'feed', { next }), 'feed', all);
  }
  const answered = { ...state, feedFilter: state.filters.feed };
  if (!same) return relisted(withLoad(answered, 'feed', { next }), 'feed', items);
  const ids = new Set(items.map(({ id }) => id));
  const rest = known.filter(({ id }) => !ids.has(id));
  // More has come than one page holds: what lies between is not known, so that what is older is asked for again.
  const gap = rest.length === known.length && next !== undefined;
  if (gap) return relisted(withLoad(answered, 'feed', { next }), 'feed', items);
  return relisted(answered, 'feed', [...items, ...rest].slice(0, MAX_EVENTS));
}

/** No answer, or a refusal. What was loaded before stays. */
export function onNotLoaded(
  state: UiState,
  screen: ScreenName,
  asked: number,
  failure: Failure,
  exit: number,
): UiState {
  const load = state.loads[screen];
  if (load.asked !== asked) return state;
  const failures = load.failures + 1;
  const waitMs = exit === UNREACHABLE ? backoffMs(failures) : REFUSED_MS;
  const next = withLoad(state, screen, {
    waits: false,
    failures,
    failure,
    dueMs: state.nowMs + waitMs,
    ...(screen === 'feed' ? { next: undefined } : {}),
  });
  // An answer of the login before takes nobody from the code of the next one.
  if (state.connection.kind === 'login') return next;
  return exit === UNREACHABLE || exit === LOGGED_OUT ? disconnected(next, failure, exit) : next;
}

/** The connection, after a failure that is not a screen's alone. */
export function disconnected(state: UiState, failure: Failure, exit: number): UiState {
  if (exit === LOGGED_OUT) return { ...state, connection: { kind: 'logged-out', failure } };
  if (exit !== UNREACHABLE) return { ...state, connection: { kind: 'failed', failure } };
  const tries = triesOf(state.connection) + 1;
  const retryMs = state.nowMs + backoffMs(tries);
  const loads = Object.fromEntries(
    Object.entries(state.loads).map(([name, load]) => [
      name,
      { ...load, dueMs: Math.max(load.dueMs, retryMs) },
    ]),
  ) as unknown as UiState['loads'];
  return { ...state, loads, connection: { kind: 'offline', failure, retryMs, tries } };
}

function triesOf(connection: UiState['connection']): number {
  return connection.kind === 'offline' || connection.kind === 'connecting' ? (connection.tries ?? 0) : 0;
}

function backoffMs(failures: number): number {
  return Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(10, failures - 1));
}

/** Another size of the window: cursors stay in it. */
export function resized(state: UiState, size: UiState['size']): UiState {
  const next = { ...state, size };
  const lists = Object.fromEntries(
    SCREENS.map((screen) => [
      screen,
      placed<unknown>(state.lists[screen] as List<unknown>, listRows({ screen, size })),
    ]),
  ) as unknown as UiState['lists'];
  return { ...next, lists };
}
