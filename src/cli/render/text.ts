/**
 * Text of strangers on a terminal: nothing in it may move the cursor, change the order of letters or hide.
 */
import { characterWidth, displayWidth } from '../../core/terminal/width.ts';

export { displayWidth } from '../../core/terminal/width.ts';
export { visible } from '../../core/visible.ts';

/** Cuts printable text to `width` columns, the last of them `…` if something was cut. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let taken = '';
  let used = 0;
  for (const character of text) {
    used += characterWidth(character);
    if (used > width - 1) break;
    taken += character;
  }
  return width < 1 ? '' : `${taken}…`;
}

/** Fills printable text with spaces up to `width` columns. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Quotes for a POSIX shell; plain words stay as they are. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
