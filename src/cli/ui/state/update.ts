/** The one place where the state of the terminal UI changes. Pure: what is to be done is given back. */
import { onDecided, onLooked, onNotDecided } from './decide.ts';
import { onKey, onPaste } from './keys.ts';
import { transcriptRows } from './layout.ts';
import { askedAnew, disconnected, dueLoads, onLoaded, onNotLoaded, resized } from './loads.ts';
import { dueMay, onMay } from './may.ts';
import { SCREENS, type Step, type Transcript, type UiEvent, type UiState } from './model.ts';
import { onMouse } from './mouse.ts';
import { noticed } from './notices.ts';
import { onTunnel } from './tunnels.ts';

/**
 * What follows from an event.
 *
 * @param nowMs Ms since the epoch.
 * @returns The next state, and what is to be done, in this order. What comes of it is another event.
 */
export function update(before: UiState, event: UiEvent, nowMs: number): Step {
  const told = before.notice !== undefined && before.notice.untilMs <= nowMs;
  const state = { ...before, nowMs, ...(told ? { notice: undefined } : {}) };
  const step = happened(state, event);
  const due = dueLoads(step.state);
  const may = dueMay(due.state);
  return { state: may.state, effects: [...step.effects, ...due.effects, ...may.effects] };
}

function happened(state: UiState, event: UiEvent): Step {
  switch (event.type) {
    case 'key':
      return onKey({ ...state, touchedMs: state.nowMs }, event.key, event.many);
    case 'paste':
      return onPaste({ ...state, touchedMs: state.nowMs }, event.text);
    case 'mouse':
      return onMouse({ ...state, touchedMs: state.nowMs }, event);
    default:
      return { state: heard(state, event), effects: [] };
  }
}

/** Whoever reads the last line of a session that lives goes on reading the last one. */
function withPart(before: Transcript, part: Partial<Transcript>, rows: number): Transcript {
  const next = { ...before, ...part };
  const atEnd = before.top + rows >= before.lines.length;
  const follows = atEnd && (next.status === 'live' || before.status === 'live');
  return follows ? { ...next, top: Math.max(0, next.lines.length - rows) } : next;
}

type Heard = Exclude<UiEvent, { type: 'key' | 'paste' | 'mouse' }>;

/** What comes from elsewhere than the keyboard asks for nothing by itself. */
function heard(state: UiState, event: Heard): UiState {
  switch (event.type) {
    case 'tick':
      return state;
    case 'resize':
      return resized(state, event.size);
    case 'connected': {
      const connected: UiState = { ...state, me: event.me, connection: { kind: 'online' }, mays: new Map() };
      return SCREENS.reduce((next, screen) => askedAnew(next, screen), connected);
    }
    case 'disconnected':
      return disconnected(state, event.failure, event.exit);
    case 'login': {
      const { code, note } = event;
      const { connection } = state;
      if (connection.kind !== 'login') return state;
      return {
        ...state,
        connection: {
          ...connection,
          ...(code === undefined ? {} : { code }),
          ...(note === undefined ? {} : { note }),
        },
      };
    }
    case 'loaded':
      return onLoaded(state, event);
    case 'not-loaded':
      return onNotLoaded(state, event.screen, event.asked, event.failure, event.exit);
    case 'may':
      return onMay(state, event);
    case 'tunnel':
      return onTunnel(state, event.resource, event.tunnel);
    case 'looked':
      return onLooked(state, event.item);
    case 'decided':
      return onDecided(state, event.item, event.word);
    case 'not-decided':
      return onNotDecided(state, event.id, event.failure);
    case 'transcript': {
      const { overlay } = state;
      if (overlay?.kind !== 'transcript' || overlay.session.id !== event.id) return state;
      return { ...state, overlay: withPart(overlay, event.part, transcriptRows(state.size)) };
    }
    case 'notice':
      return noticed(state, event.text, event.tone);
  }
}
