import fc from 'fast-check';
import { loadModule, scanSync } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import { wordsOf } from '../../../src/protocols/postgres/trial/words.ts';

beforeAll(() => loadModule());

const names = (text: string) => [...(wordsOf(text)?.names ?? ['(unread)'])];

describe('names in a text', () => {
  it.each<[string, string[]]>([
    ['SELECT Nextval(a.B)', ['select', 'nextval', 'a', 'b']],
    ['"NextVal"("a""b")', ['NextVal', 'a"b']],
    ["'nextval' || 'it''s f' -- g\n/* h /* i */ j */ k", ['k']],
    ["E'a\\' f' || e'b\\\\' g", ['g']],
    ['$$ f $$ $q$ g $$ h $q$ i $1 $2j', ['i', 'j']],
    ['1nextval 1e5 .5f', ['nextval', 'e5', 'f']],
    ['a\u00a0b \u2003c', ['a\u00a0b', '\u2003c']],
    ["ne'x' f", ['ne', 'f']],
    ["N'x' b'01' x'1f' u&'f' g", ['n', 'b', 'x', 'u', 'g']],
    ['a$b$c$', ['a$b$c$']],
    ['a-- f\nb', ['a', 'b']],
    ['a+--f\n+b/*c*/', ['a', 'b']],
  ])('%s', (text, expected) => expect(names(text)).toEqual(expected));

  it.each([
    "'open",
    '"open',
    '$$ open',
    '/* open /* */',
    "E'a'\n'b\\''",
    "E'a' -- c\n 'b'",
    'U&"f"',
    'x'.repeat(64),
  ])('not read where that is not certain: %s', (text) => expect(wordsOf(text)).toBeUndefined());

  it('pairs and operators', () => {
    const words = wordsOf('INSERT INTO s.t DO $$x$$ a <-+b');
    expect([...(words?.pairs ?? [])]).toEqual(
      expect.arrayContaining(['insert into', 'into s', 's t', "do '"]),
    );
    expect([...(words?.operators ?? [])]).toEqual(expect.arrayContaining(['<', '<-', '<-+', '-', '-+', '+']));
  });
});

it('whatever the text, every name and operator that the server finds is found', () => {
  const parts = fc.constantFrom(
    ...[
      'nextval',
      'A',
      '"b"',
      '"C d"',
      "'x'",
      "'it''s'",
      "E'\\''",
      "e'x'",
      "U&'x'",
      "x'1f'",
      '$$a$$',
      '$q$b$q$',
      '$1',
    ],
    ...[
      '1',
      '1.5',
      '1e5',
      '.',
      ',',
      '(',
      ')',
      '::',
      '=',
      '<@',
      '-',
      '+',
      '*',
      '/',
      '@-@',
      '~~',
      '|| ',
      'é',
      'n',
      'e',
      'u',
    ],
    ...['-- c\n', '/* c */', '/* a /* b */ */', ' ', '\n', '\t', '\u00a0', ';', '[', ']', ':', 'do', 'into'],
  );
  let read = 0;
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 25 }), (all) => {
      const text = all.join('');
      const words = wordsOf(text);
      if (words === undefined) return;
      const octets = Buffer.from(text);
      let tokens: ReturnType<typeof scanSync>['tokens'];
      try {
        ({ tokens } = scanSync(text));
      } catch {
        return;
      }
      for (const { start, end, tokenType, keywordKind } of tokens) {
        const token = octets.toString('utf8', start, end);
        if (tokenType === 275 || tokenType === 276) continue;
        const isName = tokenType === 258 || keywordKind > 0;
        if (isName && token.startsWith('"'))
          expect(words.names, text).toContain(token.slice(1, -1).replaceAll('""', '"'));
        else if (isName) expect(words.names, text).toContain(token.replace(/[A-Z]/g, (a) => a.toLowerCase()));
        else if (/^[-+*/<>=~!@#%^&|`?]+$/.test(token)) expect(words.operators, text).toContain(token);
      }
      read++;
    }),
    { numRuns: 1000 },
  );
  expect(read).toBeGreaterThan(100);
});
