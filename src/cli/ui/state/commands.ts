/** What may be typed behind a colon. Pure. */
import { filtered } from './loads.ts';
import type { ScreenName, Step, UiState } from './model.ts';
import { noticed } from './notices.ts';

/** Names of screens, and other words for them. */
const JUMPS: Readonly<Record<string, ScreenName>> = {
  resources: 'resources',
  tunnels: 'resources',
  feed: 'feed',
  audit: 'feed',
  approvals: 'approvals',
  sessions: 'sessions',
};
const OTHERS = ['help', 'quit'] as const;

/** Every word that `:` knows, for whoever is at a loss. */
export const COMMAND_WORDS: readonly string[] = [...Object.keys(JUMPS), ...OTHERS];

/** Ids say by themselves where they are. */
const BY_ID: readonly (readonly [RegExp, ScreenName, (id: string) => string])[] = [
  [/^ses_/, 'sessions', (id) => id],
  [/^apr_/, 'approvals', (id) => id],
  [/^ins_/, 'feed', (id) => `instance:${id}`],
];

export function showScreen(state: UiState, screen: ScreenName): UiState {
  return { ...state, screen, overlay: undefined };
}

/**
 * Runs what was typed: the beginning of a word will do, and what follows is the filter. `:feed decision:deny`, `:ses_01…`.
 */
export function runCommand(state: UiState, text: string): Step {
  const [word = '', ...rest] = text.trim().split(/\s+/);
  if (word === '') return { state, effects: [] };
  const byId = BY_ID.find(([pattern]) => pattern.test(word));
  if (byId !== undefined) {
    const [, screen, filterOf] = byId;
    const shown = { ...showScreen(state, screen), settledToo: state.settledToo || screen === 'approvals' };
    return { state: filtered(shown, filterOf(word)), effects: [] };
  }
  const found =
    COMMAND_WORDS.find((known) => known === word) ?? COMMAND_WORDS.find((known) => known.startsWith(word));
  if (found === 'quit') return { state, effects: [{ do: 'quit' }] };
  if (found === 'help') return { state: { ...state, overlay: { kind: 'help', top: 0 } }, effects: [] };
  const screen = found === undefined ? undefined : JUMPS[found];
  if (screen === undefined)
    return {
      state: noticed(state, `no :${word}; ids, or ${COMMAND_WORDS.join(' ')}`, 'bad'),
      effects: [],
    };
  const shown = showScreen(state, screen);
  return { state: rest.length === 0 ? shown : filtered(shown, rest.join(' ')), effects: [] };
}
