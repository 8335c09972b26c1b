import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Story, wrapped } from '../../../src/demo/story.ts';

function told(columns: number | undefined, tell: (story: Story) => void): string {
  const out = new PassThrough();
  tell(new Story(out, false, columns));
  return String(out.read() ?? '');
}

describe('the story', () => {
  it('is broken at blanks where a terminal is narrow, and nowhere else', () => {
    const tell = (story: Story) => {
      story.say('one two three four five six');
      story.typed('bot', 'SELECT one, two FROM three');
      story.refused('ERROR no policy permits it', 'HINT ask');
    };
    expect(told(20, tell).split('\n')).toEqual([
      '   one two three',
      '   four five six',
      '   bot> SELECT',
      '       one, two FROM',
      '       three',
      '     ERROR no',
      '       policy',
      '       permits it',
      '     HINT ask',
      '',
    ]);
    expect(told(undefined, tell).split('\n')).toHaveLength(5);
  });

  it('never leaves out a single line', () => {
    const lines = (count: number) => Array.from({ length: count }, (_, n) => `${n}`).join('\n');
    expect(told(undefined, (story) => story.showed(lines(13)))).not.toContain('more');
    expect(told(undefined, (story) => story.showed(lines(14)))).toContain('… 2 more lines');
  });

  it('breaks prose, and nothing that is to be pasted', () => {
    const text = '\none two three four\n\n  npx hoopctl session list\n    five six seven';
    expect(told(20, (story) => story.plain(text)).split('\n')).toEqual([
      '',
      'one two three four',
      '',
      '  npx hoopctl session list',
      '    five six seven',
      '',
    ]);
    expect(
      told(16, (story) => story.plain(text))
        .split('\n')
        .slice(1, 3),
    ).toEqual(['one two three', 'four']);
  });

  it('keeps words whole', () => expect(wrapped('a bbbbbbbb c', 4)).toEqual(['a', 'bbbbbbbb', 'c']));
});
