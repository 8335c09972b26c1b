import { describe, expect, it } from 'vitest';
import { TypedInput } from '../../../src/protocols/stream/terminal/typed.ts';

/** `>` is typed, `<` is shown. */
function told(...steps: readonly string[]): string[] {
  const lines: string[] = [];
  const input = new TypedInput((line) => lines.push(line.toString('latin1')));
  for (const step of steps) {
    const bytes = Buffer.from(step.slice(1), 'latin1');
    if (step.startsWith('>')) input.typed(bytes);
    else input.shown(bytes);
  }
  return lines;
}

describe('what a person typed', () => {
  it.each<[string, string[], string[]]>([
    ['a line, key by key', ['<$ ', '>l', '<l', '>s', '<s', '>\r', '<\r\nfile\r\n$ '], ['ls\r']],
    ['a line that is sent at once', ['>ls -la\r', '<ls -la\r\nfile\r\n'], ['ls -la\r']],
    ['two lines that are sent at once', ['>a\rb\r', '<a', '<b\r\n'], ['a\r', 'b\r']],
    ['a key alone', ['>\x03', '<^C\r\n'], ['\x03']],
    ['a password', ['>hunter2\r', '<\r\nWelcome\r\n'], []],
    ['a password, key by key', ['>h', '>u', '>n', '>\r', '<\r\n'], []],
    ['a password that stands in what follows', ['>root\r', '<\r\nroot@host:~# '], []],
    [
      'a password behind a command',
      ['>su\r', '<su\r\nPassword: ', '>root\r', '<\r\n# ', '>id\r', '<id\r\n'],
      ['su\r', 'id\r'],
    ],
    ['a line of which a letter is not shown', ['>ab', '<a', '<x', '>c\r', '<c\r\n'], []],
    ['a line that is not ended', ['>ls', '<ls'], []],
  ])('%s', (_, steps, expected) => {
    expect(told(...steps)).toEqual(expected);
  });

  it('is the same wherever it is cut', () => {
    const [typed, shown] = ['ls\rid\r', 'lsid\r\n'];
    for (let at = 0; at <= typed.length; at++)
      for (let cut = 0; cut <= shown.length; cut++)
        expect(
          told(
            `>${typed.slice(0, at)}`,
            `>${typed.slice(at)}`,
            `<${shown.slice(0, cut)}`,
            `<${shown.slice(cut)}`,
          ),
        ).toEqual(['ls\r', 'id\r']);
  });

  it('is forgotten where nothing is shown of very much', () => {
    expect(told(`>${'x'.repeat(70_000)}\r`, '>ls\r', '<ls\r\n')).toEqual(['ls\r']);
  });
});
