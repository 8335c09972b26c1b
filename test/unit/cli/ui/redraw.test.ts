import { expect, test } from 'vitest';
import { redraw } from '../../../../src/cli/ui/terminal/redraw.ts';

/** As one frame, in which no row runs into the next. */
const framed = (rows: string) => `\x1b[?2026h\x1b[?7l${rows}\x1b[H\x1b[?7h\x1b[?2026l`;
const WHOLE = '\x1b[?25l\x1b[m\x1b[H\x1b[J\x1b[1H\x1b[Ka\x1b[2H\x1b[Kb';

test('what nobody knows is drawn whole, and so is a window of another height', () => {
  expect(redraw(undefined, ['a', 'b'])).toBe(framed(WHOLE));
  expect(redraw(['a'], ['a', 'b'])).toBe(framed(WHOLE));
});

test('rows that changed are erased and written, each at its place, and no others', () => {
  expect(redraw(['a', 'b', 'c'], ['a', 'B   ', 'c'])).toBe(framed('\x1b[2H\x1b[KB'));
  expect(redraw(['a', 'b'], ['a', '   '])).toBe(framed('\x1b[2H\x1b[K'));
});

test('nothing is written where nothing changed', () => {
  expect(redraw(['a', 'b'], ['a', 'b'])).toBe('');
});

test('blanks that have a look are kept', () => {
  expect(redraw(['a'], ['\x1b[7mb  \x1b[27m'])).toBe(framed('\x1b[1H\x1b[K\x1b[7mb  \x1b[27m'));
});
