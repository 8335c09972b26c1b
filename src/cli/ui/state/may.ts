/** What may be done at the chosen resource: the gateway takes a moment for it, so it is asked where somebody rests. Pure. */
import { detailsColumns } from './layout.ts';
import { chosenOf } from './list.ts';
import { RESTED_MS } from './loads.ts';
import type { Step, UiEvent, UiState } from './model.ts';

/** Policy may have changed since. */
const EVERY_MS = 60_000;

/** Asks for it, where it is shown and not known, or not any more. */
export function dueMay(state: UiState): Step {
  const none: Step = { state, effects: [] };
  const resource = chosenOf(state.lists.resources)?.name;
  if (resource === undefined || state.connection.kind !== 'online' || !isShown(state)) return none;
  const known = state.mays.get(resource);
  const isDue = known === undefined || (!known.waits && state.nowMs - known.askedMs >= EVERY_MS);
  if (!isDue || state.nowMs - state.touchedMs < RESTED_MS) return none;
  const asked = { ...known, askedMs: state.nowMs, waits: true };
  return {
    state: { ...state, mays: new Map(state.mays).set(resource, asked) },
    effects: [{ do: 'load-may', resource }],
  };
}

function isShown({ screen, overlay, size }: UiState): boolean {
  if (screen !== 'resources') return false;
  return overlay === undefined ? detailsColumns(size) > 0 : overlay.kind === 'details';
}

/** The answer. One that was asked before all was forgotten is left. */
export function onMay(
  state: UiState,
  { resource, items, failure }: Extract<UiEvent, { type: 'may' }>,
): UiState {
  const known = state.mays.get(resource);
  if (known === undefined) return state;
  const { askedMs } = known;
  const heard =
    failure === undefined ? { askedMs, waits: false, items } : { ...known, waits: false, failure };
  return { ...state, mays: new Map(state.mays).set(resource, heard) };
}
