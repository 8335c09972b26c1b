import { expect, test } from 'vitest';
import { span } from '../../../../src/cli/ui/view/line.ts';
import { paintedLine } from '../../../../src/cli/ui/view/paint.ts';

const LINE = [span('a', 'good'), span('', 'bad'), span('b', 'good'), span(' '), span('c', 'chosen')];

test('neighbours of one look are one, and each look ends', () => {
  expect(paintedLine(LINE, true)).toBe('\x1b[32mab\x1b[39m \x1b[7mc\x1b[27m');
});

test('without colours what is chosen still looks chosen', () => {
  expect(paintedLine(LINE, false)).toBe('ab \x1b[7mc\x1b[27m');
});

test('nothing but looks is a sequence, whatever strangers wrote', () => {
  expect(paintedLine([span('\x1b]52;c;eA==\x07\x1b[2J', 'bad')], true)).toBe(
    '\x1b[31m\\x1b]52;c;eA==\\x07\\x1b[2J\x1b[39m',
  );
});
