import fc from 'fast-check';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { charsetOf, drawn, exact, placed, worded } from '../../../src/core/terminal/charset.ts';
import { readSources } from '../../support/source-tree.ts';

describe('the character set', () => {
  test.each([
    [{}, 'utf-8'],
    [{ LANG: '' }, 'utf-8'],
    [{ LANG: 'C' }, 'ascii'],
    [{ LANG: 'POSIX' }, 'ascii'],
    [{ LANG: 'C.UTF-8' }, 'utf-8'],
    [{ LANG: 'en_US.utf8' }, 'utf-8'],
    [{ LANG: 'de_DE.UTF-8@euro' }, 'utf-8'],
    [{ LANG: 'de_DE@euro' }, 'ascii'],
    [{ LANG: 'ja_JP.eucJP' }, 'ascii'],
    [{ LC_CTYPE: 'UTF-8' }, 'utf-8'],
    [{ LANG: 'C.UTF-8', LC_ALL: 'C' }, 'ascii'],
    [{ LANG: 'C', LC_CTYPE: 'C.UTF-8' }, 'utf-8'],
    [{ LANG: 'C', LC_ALL: '', LC_CTYPE: 'C.UTF-8' }, 'utf-8'],
  ] as const)('of %o is %s', (env, charset) => {
    expect(charsetOf(env)).toBe(charset);
  });

  test('of what is not UTF-8: signs become others, letters are written out, and UTF-8 stays as it is', () => {
    const text = 'café … 日 → ∅ \u{1f600}';
    expect(drawn(text, 'ascii')).toBe('caf\\xe9 ~ \\u65e5 > 0 \\u{1f600}');
    expect(worded(text, 'ascii')).toBe('caf\\xe9 ... \\u65e5 -> NULL \\u{1f600}');
    expect(exact(text, 'ascii')).toBe('caf\\xe9 \\u2026 \\u65e5 \\u2192 \\u2205 \\u{1f600}');
    expect([...'é…日'].map((one) => placed(one, 'ascii'))).toEqual(['?', '~', '?']);
    for (const write of [drawn, worded, exact, placed]) expect(write(text, 'utf-8')).toBe(text);
  });

  test('leaves ASCII alone, and nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const write of [drawn, worded, exact, placed]) {
          expect(write(text, 'ascii')).toMatch(/^[\0-\x7f]*$/);
          expect(write(write(text, 'ascii'), 'ascii')).toBe(write(text, 'ascii'));
        }
      }),
    );
  });

  /** Pages are UTF-8, names are data, and halves of blocks are drawn in UTF-8 alone. */
  const ELSEWHERE = /^src\/(?:gateway\/pages\/|demo\/shop\.ts|cli\/ui\/view\/qr\.ts)/;

  test('has a sign for each that stands in words of ours', () => {
    const lacking = readSources('src')
      .filter(({ path }) => !ELSEWHERE.test(path))
      .flatMap(({ path, ast }) =>
        words(ast)
          .filter((one) => exact(one, 'ascii') === worded(one, 'ascii'))
          .map((one) => `${path}: ${one}`),
      );
    expect(lacking).toEqual([]);
  });
});

/** Characters beyond ASCII in the texts of a file, as they are written there. */
function words(ast: ts.SourceFile): readonly string[] {
  const found = new Set<string>();
  const look = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      for (const [one] of node.getText(ast).matchAll(/[^\0-\x7f]/gu)) found.add(one);
    ts.forEachChild(node, look);
  };
  look(ast);
  return [...found];
}
