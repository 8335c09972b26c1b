import type { Failure, Notice, UiState } from './model.ts';

const NOTICE_MS = 6_000;

/** Says something below the screen for a while. */
export function noticed(state: UiState, text: string, tone: Notice['tone'] = 'plain'): UiState {
  return { ...state, notice: { text, tone, untilMs: state.nowMs + NOTICE_MS } };
}

/** `the gateway cannot be reached; check the network`. */
export function failureText({ message, hint }: Failure): string {
  return hint === undefined ? message : `${message}; ${hint}`;
}
