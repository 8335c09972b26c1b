/** Between these a terminal that knows them draws nothing, and then all at once. */
const FRAME = ['\x1b[?2026h', '\x1b[?2026l'] as const;
/** A row ends at the window's edge, whatever width the terminal gives a character of it: no row runs into the next. */
const UNWRAPPED = ['\x1b[?7l', '\x1b[?7h'] as const;
const ERASE_ROW = '\x1b[K';
const HOME = '\x1b[H';
/** An empty screen. */
export const EMPTIED = `\x1b[m${HOME}\x1b[J`;
/** Without a cursor. */
const ANEW = `\x1b[?25l${EMPTIED}`;

/**
 * What makes a terminal that shows `before` show `after`: the rows that changed, each at its place.
 *
 * Pure. @param before Painted rows; undefined: nobody knows what it shows. @param after As many as the window has.
 * @returns Empty where nothing changed.
 */
export function redraw(before: readonly string[] | undefined, after: readonly string[]): string {
  const known = before?.length === after.length ? before : undefined;
  const rows = after.flatMap((painted, row) =>
    // Erased first: the last column of a row is the end of it, and erasing from there on would take its last character.
    painted === known?.[row] ? [] : [`\x1b[${row + 1}H${ERASE_ROW}${painted.trimEnd()}`],
  );
  if (known !== undefined && rows.length === 0) return '';
  const begin = known === undefined ? ANEW : '';
  // The cursor is left at the top: a terminal that makes its window lower then drops rows below it, where tmux would else keep rows above
  // it for the shell to come upon.
  return FRAME[0] + UNWRAPPED[0] + begin + rows.join('') + HOME + UNWRAPPED[1] + FRAME[1];
}
