import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderFacts, renderTable } from '../../../src/cli/render/table.ts';
import { cut, displayWidth, pad, shellQuote, visible } from '../../../src/cli/render/text.ts';

const esc = String.fromCharCode(27);
/** Any code points, lone surrogates included, with those that matter often. */
const ANY_TEXT = fc
  .array(
    fc.oneof(fc.nat(0x10ffff), fc.nat(0x2fff), fc.constantFrom(27, 0x202e, 0x200b, 0x301, 0x65e5, 0x1f44d)),
    {
      maxLength: 60,
    },
  )
  .map((codes) => String.fromCodePoint(...codes));

describe('text of strangers', () => {
  test.each([
    [`${esc}[2J${esc}]0;title\u0007`, '\\x1b[2J\\x1b]0;title\\x07'],
    ['a\u202egnp.exe', 'a\\u202egnp.exe'],
    ['a\u2066b\u2069', 'a\\u2066b\\u2069'],
    ['zero\u200bwidth\ufeff', 'zero\\u200bwidth\\ufeff'],
    ['line\nnext\r\ttab', 'line\\nnext\\r\\ttab'],
    ['\u009b31m', '\\x9b31m'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['lone \ud800', 'lone \\ud800'],
    ['naïve 日本 👍 é', 'naïve 日本 👍 é'],
  ])('%j is shown as %j', (text, shown) => expect(visible(text)).toBe(shown));

  test('nothing that moves, hides or turns text is ever left', () => {
    fc.assert(
      fc.property(ANY_TEXT, (text) => {
        expect(visible(text)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        expect(visible(visible(text))).toBe(visible(text));
      }),
      { numRuns: 300 },
    );
  });
});

test.each([
  ['abc', 3],
  ['日本', 4],
  ['e\u0301', 1],
  ['👍', 2],
  ['ｱ', 1],
  ['Ａ', 2],
  ['한글', 4],
  ['', 0],
])('%j takes %i columns', (text, width) => expect(displayWidth(text)).toBe(width));

test('cutting and padding count columns, not letters', () => {
  expect(cut('日本語', 4)).toBe('日…');
  expect(cut('日本語', 5)).toBe('日本…');
  expect(cut('abc', 3)).toBe('abc');
  expect(cut('abc', 0)).toBe('');
  expect(pad('日', 4)).toBe('日  ');
  fc.assert(
    fc.property(ANY_TEXT, fc.nat(30), (text, width) => {
      const printable = visible(text);
      expect(displayWidth(cut(printable, width))).toBeLessThanOrEqual(width);
      expect(displayWidth(pad(printable, width))).toBeGreaterThanOrEqual(width);
    }),
  );
});

test.each([
  ['plain-1.2', 'plain-1.2'],
  ['', "''"],
  ['two words', "'two words'"],
  ["it's", "'it'\\''s'"],
  ['$(reboot)', "'$(reboot)'"],
  ['a;b', "'a;b'"],
])('%j is quoted as %s', (text, quoted) => expect(shellQuote(text)).toBe(quoted));

describe('tables', () => {
  test('align by width and escape every cell', () => {
    const rows = [
      ['日本', 1, 'x'],
      [`evil${esc}[1m`, undefined, 'a\nb'],
    ];
    expect(renderTable(['NAME', 'N', 'TEXT'], rows)).toEqual([
      'NAME         N  TEXT',
      '日本         1  x',
      'evil\\x1b[1m     a\\nb',
    ]);
  });

  test('fit the terminal, cut in the last column, and are whole in a pipe', () => {
    const rows = [['a', 'x'.repeat(100)]];
    for (const line of renderTable(['A', 'B'], rows, 20)) expect(displayWidth(line)).toBeLessThanOrEqual(20);
    expect(renderTable(['A', 'B'], rows)[1]).toContain('x'.repeat(100));
    for (const width of [1, 2, 5]) {
      for (const line of renderTable(['A', 'B'], rows, width))
        expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }
  });

  test('fold on a narrow terminal: nothing but the last column is cut, empty columns are left out', () => {
    const headings = ['TIME', 'WHO', 'OUTCOME', 'ROWS', 'TEXT'];
    const rows = [
      ['2026-11-22T03:12:23Z', 'copilot for ada', '', 3, 'DELETE FROM orders'],
      ['2026-11-22T03:12:24Z', 'copilot', undefined, '', ''],
    ];
    expect(renderTable(headings, rows, 45)).toEqual([
      'TIME                  WHO              ROWS',
      '    TEXT',
      '2026-11-22T03:12:23Z  copilot for ada  3',
      '    DELETE FROM orders',
      '2026-11-22T03:12:24Z  copilot',
    ]);
    expect(renderTable(headings, rows, 80)[1]).toBe(
      '2026-11-22T03:12:23Z  copilot for ada           3     DELETE FROM orders',
    );
  });

  test('are a list for each row where a row would take more than three lines', () => {
    const headings = ['ID', 'WHO', 'RUN', 'ON', 'TEXT'];
    const wide = (letter: string) => letter.repeat(24);
    const rows = [
      [wide('a'), wide('b'), '', wide('d'), 'one'],
      [wide('e'), wide('f'), wide('g'), wide('h'), 'x'.repeat(60)],
    ];
    expect(renderTable(headings, rows, 40)).toEqual([
      `ID    ${wide('a')}`,
      `WHO   ${wide('b')}`,
      `ON    ${wide('d')}`,
      'TEXT  one',
      '',
      `ID    ${wide('e')}`,
      `WHO   ${wide('f')}`,
      `RUN   ${wide('g')}`,
      `ON    ${wide('h')}`,
      `TEXT  ${'x'.repeat(33)}…`,
    ]);
  });

  test('have an id whole also where it does not fit beside its heading', () => {
    const headings = ['ID', 'INSTANCE', 'RUN', 'WHO', 'ON', 'STATE'];
    const id = `ses_${'0'.repeat(26)}`;
    const row = [id, `ins_${'1'.repeat(26)}`, `run_${'2'.repeat(26)}`, 'x'.repeat(60), 'pg', 'live'];
    expect(renderTable(headings, [row], 39)).toEqual([
      `ID        ${id.slice(0, 14)}`,
      'INSTANCE',
      `    ${row[1]}`,
      'RUN',
      `    ${row[2]}`,
      `WHO       ${'x'.repeat(28)}…`,
      'ON        pg',
      'STATE     live',
    ]);
  });

  test('of facts leave out what is not known', () => {
    expect(
      renderFacts([
        ['a', 1],
        ['long', 'x'],
        ['gone', undefined],
        ['empty', ''],
      ]),
    ).toEqual(['a     1', 'long  x']);
  });
});
