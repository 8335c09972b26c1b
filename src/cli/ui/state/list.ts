/** A list on a screen: what is in it, what a filter leaves of it, and where the cursor is. Pure. */

export interface List<T> {
  readonly items: readonly T[];
  /** What the filter leaves, in the same order. */
  readonly shown: readonly T[];
  /** Index in `shown` of the chosen one; 0 if there is none. */
  readonly at: number;
  /** The first of `shown` that is drawn. */
  readonly top: number;
}

export type Keep<T> = (item: T) => boolean;

export const EMPTY: List<never> = { items: [], shown: [], at: 0, top: 0 };

export function chosenOf<T>({ shown, at }: List<T>): T | undefined {
  return shown[at];
}

/**
 * Other items, the same view: the chosen one stays chosen where it is still there. One that is first stays at the first
 * place instead, so that a list that grows at its top is followed.
 */
export function withItems<T>(
  list: List<T>,
  items: readonly T[],
  keep: Keep<T>,
  idOf: (item: T) => string,
  height: number,
): List<T> {
  const shown = items.filter(keep);
  const before = list.shown[list.at];
  if (before === undefined || (list.at === 0 && list.top === 0))
    return placed({ items, shown, at: 0, top: 0 }, height);
  const id = idOf(before);
  const found = shown.findIndex((item) => idOf(item) === id);
  const at = found === -1 ? list.at : found;
  return placed({ items, shown, at, top: list.top + (at - list.at) }, height);
}

/** The cursor moves by so many rows, and stops at the ends. */
export function movedBy<T>(list: List<T>, by: number, height: number): List<T> {
  return placed({ ...list, at: list.at + by }, height);
}

/** The window moves by so many rows, and takes the cursor with it where it would be left behind. */
export function windowMovedBy<T>(list: List<T>, by: number, height: number): List<T> {
  const top = scrolled(list.top, by, list.shown.length, height);
  const at = Math.min(top + height - 1, Math.max(top, list.at));
  return placed({ ...list, top, at }, height);
}

/** Puts the cursor within the list, and the window around the cursor. */
export function placed<T>(list: List<T>, height: number): List<T> {
  const last = Math.max(0, list.shown.length - 1);
  const at = Math.min(last, Math.max(0, list.at));
  const rows = Math.max(1, height);
  const lowest = Math.max(0, list.shown.length - rows);
  const top = Math.min(at, Math.max(at - rows + 1, Math.min(lowest, Math.max(0, list.top))));
  return at === list.at && top === list.top ? list : { ...list, at, top };
}

/** A window over lines that are read: how far down, so that no blank line is shown below the last one if that can be. */
export function scrolled(top: number, by: number, lines: number, height: number): number {
  return Math.max(0, Math.min(lines - height, top + by));
}
