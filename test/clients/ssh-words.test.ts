import { expect, it } from 'vitest';
import { readOtherwise } from '../support/ssh/shells.ts';

it.each(['dash', 'bash', 'zsh', 'fish'])('words of an exec are what %s makes of the same text', (shell) => {
  expect(readOtherwise(shell, 20_000, Date.now() % 1e9)).toEqual([]);
});
