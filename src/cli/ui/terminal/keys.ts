/** Reads what is typed, by ink, and hands it on. Nothing is drawn or decided here. */
import { type Key, useApp, useInput, usePaste } from 'ink';
import { useEffect } from 'react';

/** Hands the terminal to somebody else for a while. */
export type Suspend = (task: () => Promise<void>) => Promise<void>;

export interface KeysProps {
  /** @param many It is one of several that came at once. */
  readonly onKey: (key: string, many: boolean) => void;
  readonly onPaste: (text: string) => void;
  readonly onMounted: (suspend: Suspend) => void;
}

export function Keys({ onKey, onPaste, onMounted }: KeysProps): null {
  const { suspendTerminal } = useApp();
  useEffect(() => onMounted(suspendTerminal), [onMounted, suspendTerminal]);
  useInput((input, key) => {
    const keys = keysOf(input, key);
    for (const one of keys) onKey(one, keys.length > 1);
  });
  usePaste(onPaste);
  return null;
}

const NAMED = {
  upArrow: 'up',
  downArrow: 'down',
  leftArrow: 'left',
  rightArrow: 'right',
  pageUp: 'pageup',
  pageDown: 'pagedown',
  home: 'home',
  end: 'end',
  return: 'enter',
  escape: 'escape',
  backspace: 'backspace',
  // Terminals send the one or the other for the key above Enter.
  delete: 'backspace',
} as const satisfies Partial<Record<keyof Key, string>>;

/** What was pressed, by our names; letters that came together are one key each. */
function keysOf(input: string, key: Key): readonly string[] {
  if (key.tab) return [key.shift ? 'shift-tab' : 'tab'];
  for (const [name, ours] of Object.entries(NAMED)) if (key[name as keyof typeof NAMED]) return [ours];
  if (key.ctrl) return [`ctrl-${input}`];
  if (key.meta) return [];
  return [...input].map((one) => (one === '\r' || one === '\n' ? 'enter' : one));
}
