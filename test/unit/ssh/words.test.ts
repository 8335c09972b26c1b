import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textOfWords, wordsOf } from '../../../src/protocols/stream/command/words.ts';
import { readOtherwise, SHELL_TEXTS } from '../../support/ssh/shells.ts';

describe('words of an exec', () => {
  it.each([
    ['uptime', ['uptime']],
    ['  ls   -la  /var/log ', ['ls', '-la', '/var/log']],
    ["cat '/data/a b'", ['cat', '/data/a b']],
    ['cat "/data/a b"', ['cat', '/data/a b']],
    ["echo it'\\''s", undefined],
    ["echo 'it'\\''s'", ['echo', "it's"]],
    ["echo ''", ['echo', '']],
    ['cat a\\ b', ['cat', 'a b']],
    ['"l"s \'-\'l', ['ls', '-l']],
    ['grep "a\\b" x', ['grep', 'a\\b', 'x']],
    ['grep "\\$x\\"\\\\" x', ['grep', '$x"\\', 'x']],
    ["awk '{print $1}' f", ['awk', '{print $1}', 'f']],
    ['date +%s', ['date', '+%s']],
    ['env X=1 rm', ['env', 'X=1', 'rm']],
    ['cat /data/Müller.txt', ['cat', '/data/Müller.txt']],
    ["cat '/data/😀 \u00a0'", ['cat', '/data/😀 \u00a0']],
  ])('%j are %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it.each([
    '',
    '   ',
    ...[
      'ls; rm -rf /x',
      'ls && rm',
      'ls || rm',
      'ls & rm',
      'ls | sh',
      'ls > /etc/x',
      'ls >> x',
      'cat < x',
      'a 2>&1',
    ],
    ...[
      'ls $(rm x)',
      'ls `rm x`',
      'ls $IFS-la',
      'ls $HOME',
      'ls "$HOME"',
      'ls "`rm`"',
      'ls "$(rm)"',
      "$'\\x72m' x",
    ],
    ...[
      'ls\nrm x',
      'ls\rrm',
      'ls\trm',
      'ls \0x',
      "ls 'a\nb'",
      'ls "a\tb"',
      "ls '\u001b[2K'",
      'ls \u0085',
      '\u00a0ls',
    ],
    ...[
      'ls *',
      'ls ?',
      'ls [a]',
      'ls {a,b}',
      '{ ls; }',
      'ls ~',
      '~/x',
      'a~',
      'ls a:~',
      'ls #x',
      'ls !!',
      '! ls',
    ],
    ...[
      'X=1 ls',
      'X=',
      'X+=1 ls',
      'PATH=/x ls',
      '=ls',
      'ls =ls',
      `ls ''=ls`,
      'ls %1',
      '%1',
      'a[1]=2',
      'X"=1"2=3 ls',
    ],
    ...[
      'if x',
      "'if' x",
      'while',
      'time ls',
      'coproc ls',
      'function f',
      'noglob ls',
      '- ls',
      'begin',
      'not ls',
      '[[ a',
    ],
    ...['cat <<E', 'cat <<<x', '(ls)', 'ls ()', 'a ^ b'],
    ...[
      "ls 'x",
      'ls "x',
      'ls x\\',
      'ls "x\\',
      "'a\\\\b'",
      "ls 'a\\'",
      'ls "\\`"',
      'l\\s',
      'ls \\n',
      'ls \\1',
    ],
    ...['ls \ufffd', "ls '\ufffd'", "ls '\ue000'", "ls '\ud800'", 'é\\ x', '"é\\x"', 'ls \u202ex'],
    `ls ${'x '.repeat(5000)}`,
    `ls ${'x'.repeat(70_000)}`,
  ])('%j is shell syntax', (text) => {
    expect(wordsOf(text)).toBeUndefined();
  });

  it.each(['sh', 'bash'])('are what %s makes of the same text', (shell) => {
    expect(readOtherwise(shell, 2_000, Date.now() % 1e9)).toEqual([]);
  });

  it('are written so that they are read again as the same', () => {
    const word = fc.oneof(
      fc.string({ unit: 'grapheme-ascii' }),
      fc.constantFrom('if', "it's", 'a\\\\b', 'é\\', 'X=1', '%1', '~', ''),
    );
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        const again = wordsOf(textOfWords(words));
        // Words of grammar have no form in which they are none to every shell.
        if (again === undefined) expect(wordsOf(`${words[0]}`.replaceAll(/[^a-z-]/g, '"'))).toBeUndefined();
        else expect(again).toEqual(words);
      }),
      { numRuns: 300 },
    );
  });

  it('takes any text without failing', () => {
    fc.assert(
      fc.property(fc.oneof(SHELL_TEXTS, fc.string({ unit: 'binary' })), (text) => {
        const words = wordsOf(text);
        expect(words === undefined || words.length > 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the program of an exec', () => {
  let bin = '';
  beforeAll(() => {
    bin = mkdtempSync(join(tmpdir(), 'hoop-words-'));
    for (const name of ['tool', '-x', 'a+b', 'x,y', '@z', 'ä', '.t', '1']) {
      writeFileSync(join(bin, name), '#!/bin/sh\nprintf "%s\\n" "$(basename -- "$0")" "$@"\n');
      chmodSync(join(bin, name), 0o755);
    }
  });
  afterAll(() => rmSync(bin, { recursive: true }));

  it.each(['tool a', '"tool"', "a'+'b x", 'x,y', '@z "a b"', 'ä', '.t', '1 2'])(
    'of %j is what a shell starts',
    (text) => {
      const [shells, words] = [['sh', 'bash'], wordsOf(text)];
      for (const shell of shells) {
        const out = execFileSync(shell, ['-c', text], {
          stdio: ['ignore', 'pipe', 'inherit'],
          env: { PATH: `${bin}:${process.env['PATH']}`, LC_ALL: 'C.UTF-8' },
        });
        expect(out.toString().split('\n').slice(0, -1)).toEqual(words);
      }
    },
  );
});
