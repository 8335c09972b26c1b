import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shownName, shownText, textOf } from '../../../../src/cli/mcp/words.ts';

const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
const anything = fc.string({ unit: 'binary', maxLength: 60 });

describe('what an agent reads of strangers', () => {
  it.each([
    ['a\u001b[2Jb', 'a\\x1b[2Jb'],
    ['a\u202eb', 'a\\u202eb'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['heart\ufe0f', 'heart\\ufe0f'],
    ['two\r\nlines\tand a tab', 'two\nlines\tand a tab'],
    ['alone\rno', 'alone\\rno'],
    ['Tomás 東京 👍', 'Tomás 東京 👍'],
  ])('%j is shown as %j', (text, shown) => {
    expect(shownText(text, 100)).toBe(shown);
  });

  it('hides nothing but lines and tabs, whatever it is', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(shownText(text, 1_000).replace(/[\n\t]/g, '')).not.toMatch(UNSEEN);
        expect(shownName(text)).not.toMatch(UNSEEN);
      }),
    );
  });

  it('is cut at the bound, and never within a character', () => {
    expect(shownText('abcdef', 3)).toBe('abc…');
    expect(shownText('ab👍', 3)).toBe('ab…');
    expect(shownText('ab👍', 4)).toBe('ab👍');
    fc.assert(
      fc.property(anything, fc.nat(20), (text, most) => {
        expect(shownText(text, most).isWellFormed()).toBe(true);
      }),
    );
  });

  it('is text only where it is UTF-8', () => {
    expect(textOf(Buffer.from('é'))).toBe('é');
    expect(textOf(Buffer.from([0xc3]))).toBeUndefined();
  });
});
