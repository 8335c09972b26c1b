/** What keys do. Pure. */
import type { SessionItem } from '../../../api/contract.ts';
import { detailLines } from '../view/details.ts';
import { helpLines, isScreenKey } from '../view/help.ts';
import { runCommand, showScreen } from './commands.ts';
import { beginDecision, onDecideKey } from './decide.ts';
import { bodyRows, listRows, MAX_INPUT } from './layout.ts';
import { chosenOf, type List, movedBy, scrolled } from './list.ts';
import { askedAnew, filtered, olderEvents, relisted } from './loads.ts';
import { type Effect, type Overlay, SCREENS, type ScreenName, type Step, type UiState } from './model.ts';
import { noticed } from './notices.ts';
import { closeTunnel, copyTunnel, openTunnel } from './tunnels.ts';

/** What is typed at most at once; a longer paste is cut. */
const CONTROL = /\p{C}+/gu;

const stay = (state: UiState): Step => ({ state, effects: [] });

export function onKey(state: UiState, key: string, many: boolean): Step {
  if (key === 'ctrl-c') return { state, effects: [{ do: 'quit' }] };
  if (key === 'ctrl-z') return { state, effects: [{ do: 'stop' }] };
  if (state.input !== undefined) return onInputKey(state, state.input.text, key);
  if (state.overlay !== undefined) return onOverlayKey(state, state.overlay, key, many);
  if (state.connection.kind === 'login')
    return key === 'escape'
      ? { state, effects: [{ do: 'stop-log-in' }] }
      : key === 'q'
        ? quit(state)
        : stay(state);
  return onScreenKey(state, key);
}

/** What is pasted is text, and never a command: it goes where somebody types, on one line. */
export function onPaste(state: UiState, text: string): Step {
  if (state.input === undefined)
    return stay(noticed(state, 'what is pasted is taken where something is typed: press / or : first'));
  return typed(state, state.input.text + text.replace(CONTROL, ' '));
}

function onInputKey(state: UiState, text: string, key: string): Step {
  switch (key) {
    case 'escape':
      return state.input?.kind === 'filter'
        ? stay({ ...filtered(state, ''), input: undefined })
        : stay({ ...state, input: undefined });
    case 'enter':
      return entered(state, text);
    case 'backspace':
      return text === ''
        ? stay({ ...state, input: undefined })
        : typed(state, [...text].slice(0, -1).join(''));
    case 'ctrl-u':
      return typed(state, '');
    case 'ctrl-w':
      return typed(state, text.replace(/\S+\s*$/, ''));
    case 'up':
    case 'down':
      return state.input?.kind === 'filter' ? moved(state, key === 'up' ? -1 : 1) : stay(state);
    default:
      return [...key].length === 1 ? typed(state, text + key) : stay(state);
  }
}

function typed(state: UiState, text: string): Step {
  const { input } = state;
  if (input === undefined) return stay(state);
  const kept = [...text].slice(0, MAX_INPUT).join('');
  const next = { ...state, input: { ...input, text: kept } };
  return stay(input.kind === 'filter' ? filtered(next, kept) : next);
}

function entered(state: UiState, text: string): Step {
  const { input, overlay } = state;
  const closed = { ...state, input: undefined };
  if (input?.kind === 'command') return runCommand(closed, text);
  if (input?.kind === 'reason' && overlay?.kind === 'decide')
    return stay({ ...closed, overlay: { ...overlay, reason: text } });
  return stay(closed);
}

function onOverlayKey(state: UiState, overlay: Overlay, key: string, many: boolean): Step {
  const close = () => stay({ ...state, overlay: undefined });
  const meant = overlay.kind === 'quit' || overlay.kind === 'decide' ? undefined : screenOf(state, key);
  if (meant !== undefined) return stay(showScreen(state, meant));
  switch (overlay.kind) {
    case 'quit':
      return key === 'y' || key === 'q' || key === 'enter' ? { state, effects: [{ do: 'quit' }] } : close();
    case 'decide':
      return onDecideKey(
        state,
        overlay,
        key,
        many,
        overlay.item === undefined ? 0 : detailLines(state, overlay.item).length,
      );
    case 'help':
      if (key === '?' || key === 'escape' || key === 'q' || key === 'enter') return close();
      return read(state, overlay, key, helpLines(state.screen, state.size.columns - 2).length);
    case 'transcript':
      if (key === 'escape' || key === 'q' || key === 'left') return close();
      if (key === 'p') return { state, effects: [watching('play', overlay.session)] };
      if (key === 'r') return { state, effects: [watching('transcript', overlay.session)] };
      return read(state, overlay, key, overlay.lines.length);
    case 'details':
      return onDetailsKey(state, overlay, key);
  }
}

function onDetailsKey(state: UiState, overlay: Extract<Overlay, { kind: 'details' }>, key: string): Step {
  if (key === 'escape' || key === 'q' || key === 'left' || key === 'enter')
    return stay({ ...state, overlay: undefined });
  const chosen = chosenOf<unknown>(state.lists[state.screen]);
  const lines = chosen === undefined ? 0 : detailLines(state).length;
  const scrolledTo = read(state, overlay, key, lines);
  if (scrolledTo.state !== state) return scrolledTo;
  // Whatever may be done with the chosen one may be done from here.
  const step = onActionKey(state, key);
  return step ?? stay(state);
}

type Readable = Extract<Overlay, { kind: 'help' | 'details' | 'transcript' }>;

/** Scrolls what is read. */
function read(state: UiState, overlay: Readable, key: string, lines: number): Step {
  const rows = bodyRows(state.size) - 1;
  const by = distance(key, rows, lines);
  if (by === undefined) return stay(state);
  const next: Readable = { ...overlay, top: scrolled(overlay.top, by, lines, rows) };
  return stay({ ...state, overlay: next });
}

function distance(key: string, page: number, all: number): number | undefined {
  switch (key) {
    case 'down':
    case 'j':
      return 1;
    case 'up':
    case 'k':
      return -1;
    case 'pagedown':
    case 'ctrl-f':
      return page;
    case 'pageup':
    case 'ctrl-b':
      return -page;
    case 'ctrl-d':
      return Math.ceil(page / 2);
    case 'ctrl-u':
      return -Math.ceil(page / 2);
    case 'home':
    case 'g':
      return -all;
    case 'end':
    case 'G':
      return all;
    default:
      return undefined;
  }
}

function moved(state: UiState, by: number): Step {
  return withList(state, movedBy<unknown>(state.lists[state.screen], by, listRows(state)));
}

/** The screen's list, with its cursor elsewhere. */
export function withList(state: UiState, list: List<unknown>): Step {
  const next = { ...state, lists: { ...state.lists, [state.screen]: list } };
  return state.screen === 'feed' ? olderEvents(next) : stay(next);
}

function onScreenKey(state: UiState, key: string): Step {
  const by = distance(key, listRows(state), state.lists[state.screen].shown.length);
  if (by !== undefined) return moved(state, by);
  const meant = screenOf(state, key);
  if (meant !== undefined) return stay(showScreen(state, meant));
  switch (key) {
    case 'right':
      return stay(showScreen(state, beside(state.screen, 1)));
    case 'left':
      return stay(showScreen(state, beside(state.screen, -1)));
    case '?':
      return stay({ ...state, overlay: { kind: 'help', top: 0 } });
    case '/':
      return stay({ ...state, input: { kind: 'filter', text: state.filters[state.screen] } });
    case ':':
      return stay({ ...state, input: { kind: 'command', text: '' } });
    case 'escape':
      return stay(state.filters[state.screen] === '' ? { ...state, notice: undefined } : filtered(state, ''));
    case 'q':
      return quit(state);
    case 'r':
      return reload(state);
    case 'L':
      return logIn(state);
    case 'W':
      return stay(turnedWritable(state));
    case 'm':
      return stay(turnedMouse(state));
    case 'enter':
      return opened(state);
    default:
      return onActionKey(state, key) ?? stay(ofNone(state, key));
  }
}

/** Whoever presses a key for a row learns that there is none. */
function ofNone(state: UiState, key: string): UiState {
  const isEmpty = chosenOf<unknown>(state.lists[state.screen]) === undefined;
  return isEmpty && isScreenKey(state.screen, key)
    ? noticed(state, 'nothing is listed to do that with')
    : state;
}

/** The screen that a key names, from wherever somebody reads. */
function screenOf({ screen }: UiState, key: string): ScreenName | undefined {
  if (key === 'tab') return beside(screen, 1);
  if (key === 'shift-tab') return beside(screen, -1);
  return /^[1-4]$/.test(key) ? SCREENS[Number(key) - 1] : undefined;
}

function beside(screen: ScreenName, by: number): ScreenName {
  return SCREENS[(SCREENS.indexOf(screen) + by + SCREENS.length) % SCREENS.length]!;
}

function quit(state: UiState): Step {
  const open = [...state.tunnels.values()].some(({ kind }) => kind !== 'failed');
  return open ? stay({ ...state, overlay: { kind: 'quit' } }) : { state, effects: [{ do: 'quit' }] };
}

function reload(state: UiState): Step {
  const { kind } = state.connection;
  if (kind === 'failed' || kind === 'logged-out' || (kind === 'offline' && state.me === undefined))
    return { state: { ...state, connection: { kind: 'connecting' } }, effects: [{ do: 'connect' }] };
  const now =
    kind === 'offline' ? { ...state, connection: { ...state.connection, retryMs: state.nowMs } } : state;
  return stay(askedAnew({ ...(now as UiState), mays: new Map() }, state.screen));
}

function logIn(state: UiState): Step {
  const { connection } = state;
  const may =
    connection.kind === 'logged-out' ||
    (connection.kind === 'failed' && connection.failure.code === 'ERR_REVOKED');
  if (!may) return stay(noticed(state, 'you are logged in; hoopctl logout ends that'));
  return { state: { ...state, connection: { kind: 'login' } }, effects: [{ do: 'log-in' }] };
}

function turnedWritable(state: UiState): UiState {
  const decides = !state.decides;
  return noticed(
    { ...state, decides },
    decides
      ? 'requests may be decided here now: each one is asked about'
      : 'read-only: nothing is decided here',
  );
}

function turnedMouse(state: UiState): UiState {
  const mouse = !state.mouse;
  return noticed(
    { ...state, mouse },
    mouse
      ? 'the wheel scrolls, a click chooses; to select text hold Shift, or press m again'
      : 'the mouse is the terminal’s again',
  );
}

/** What Enter opens. */
function opened(state: UiState): Step {
  const { screen, lists } = state;
  if (chosenOf<unknown>(lists[screen]) === undefined) return stay(state);
  if (screen === 'sessions') return openTranscript(state);
  const next = { ...state, overlay: { kind: 'details', top: 0 } as const };
  const request = screen === 'approvals' ? chosenOf(lists.approvals) : undefined;
  return { state: next, effects: request === undefined ? [] : [{ do: 'look', id: request.id }] };
}

function openTranscript(state: UiState): Step {
  const session = chosenOf(state.lists.sessions);
  if (session === undefined) return stay(state);
  const overlay = {
    kind: 'transcript',
    session,
    lines: [],
    asked: [],
    refused: [],
    status: 'loading',
    top: 0,
  } as const;
  return { state: { ...state, overlay }, effects: [watching('transcript', session)] };
}

/** Of a session that lives, what comes is shown as well. */
function watching(what: 'transcript' | 'play', { id, endedAt }: SessionItem): Effect {
  return { do: what, id, follow: endedAt === undefined };
}

/** What may be done with the chosen one; undefined: the key means nothing. */
function onActionKey(state: UiState, key: string): Step | undefined {
  const { screen, lists } = state;
  switch (screen) {
    case 'resources': {
      const resource = chosenOf(lists.resources);
      if (resource === undefined) return undefined;
      if (key === 'o') return openTunnel(state, resource);
      if (key === 'x') return closeTunnel(state, resource.name);
      if (key === 'c') return copyTunnel(state, resource.name, 'url');
      if (key === 'e') return copyTunnel(state, resource.name, 'steps');
      if (key === 'f') return jump(state, 'feed', `resource:${resource.name}`);
      return undefined;
    }
    case 'feed': {
      if (key === ' ') return stay(paused(state));
      const event = chosenOf(lists.feed);
      if (event === undefined) return undefined;
      const { session } = event;
      if (key === 's' && typeof session === 'string') return jump(state, 'sessions', session);
      if (key === 'c') return copied(state, event.id, 'id copied');
      return undefined;
    }
    case 'approvals': {
      if (key === 'A') return stay(withSettled(state));
      const request = chosenOf(lists.approvals);
      if (request === undefined) return undefined;
      if (key === 'a') return beginDecision(state, request, 'approve');
      if (key === 'd') return beginDecision(state, request, 'deny');
      if (key === 'f') return jump(state, 'feed', `type:any approval:${request.id}`);
      if (key === 'c') return copied(state, request.id, 'id copied');
      return undefined;
    }
    case 'sessions': {
      const session = chosenOf(lists.sessions);
      if (session === undefined) return undefined;
      if (key === 'p') return { state, effects: [watching('play', session)] };
      if (key === 'f') return jump(state, 'feed', `session:${session.id}`);
      if (key === 'c') return copied(state, session.id, 'id copied');
      return undefined;
    }
  }
}

function copied(state: UiState, text: string, said: string): Step {
  return { state: noticed(state, said, 'good'), effects: [{ do: 'copy', text }] };
}

function jump(state: UiState, screen: ScreenName, filter: string): Step {
  return stay(filtered(showScreen({ ...state, overlay: undefined }, screen), filter));
}

function paused(state: UiState): UiState {
  const next = { ...state, paused: !state.paused };
  return next.paused ? next : askedAnew(next, 'feed');
}

function withSettled(state: UiState): UiState {
  return relisted({ ...state, settledToo: !state.settledToo }, 'approvals');
}
