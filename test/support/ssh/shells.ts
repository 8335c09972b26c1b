/** Real shells, asked how they split a text into words. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { wordsOf } from '../../../src/protocols/stream/command/words.ts';

const END = '\u0001end';
/** An argument of a program has at most 128 KiB. */
const AT_ONCE = 1_000;

/**
 * How a shell splits each text.
 *
 * @param texts Without line ends. Where the shell breaks off, what follows is missing.
 */
function wordsInShell(shell: string, texts: readonly string[]): string[][] {
  if (texts.length > AT_ONCE)
    return [...wordsInShell(shell, texts.slice(0, AT_ONCE)), ...wordsInShell(shell, texts.slice(AT_ONCE))];
  const script = texts.map((text) => `printf '%s\\0' ${text}\nprintf '%s\\0' '${END}'`).join('\n');
  const args = shell === 'fish' ? ['--no-config', '-c', script] : ['-c', script];
  // `/` holds few names: what a pattern or a tilde made of itself would show.
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/tmp', LC_ALL: 'C.UTF-8' };
  const { stdout } = spawnSync(shell, args, { cwd: '/', env, stdio: ['ignore', 'pipe', 'ignore'] });
  const words = stdout.toString().split('\0').slice(0, -1);
  const found: string[][] = [[]];
  for (const word of words) {
    if (word === END) found.push([]);
    else found.at(-1)!.push(word);
  }
  return found.slice(0, -1);
}

const PIECES = [
  ...[
    "'",
    '"',
    '\\',
    ' ',
    '  ',
    '=',
    '%',
    '~',
    '#',
    '*',
    '?',
    '[a]',
    '{a,b}',
    '(',
    ')',
    '<',
    '>',
    '|',
    '&',
    ';',
  ],
  ...[
    '!',
    '$',
    '$HOME',
    '`',
    '^',
    '-',
    '--',
    '+',
    '@',
    ':',
    '/',
    '.',
    '..',
    ',',
    'é',
    '中',
    '\u00a0',
    'à',
    '\u0085',
  ],
  ...[
    '\t',
    '\n',
    '\r',
    '\u0007',
    '\ufffd',
    '\u202e',
    '\ue000',
    '\uf700',
    '😀',
    '\\n',
    '\\\\',
    "\\'",
    '\\"',
    '\\ ',
  ],
];

/** Texts as somebody writes who wants to be read in two ways: most of them quoted, escaped, glued together. */
export const SHELL_TEXTS: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.stringMatching(/^[a-zA-Z0-9_/.-]{1,4}$/) },
      { weight: 3, arbitrary: fc.constantFrom(...PIECES) },
      {
        weight: 2,
        arbitrary: fc.array(fc.constantFrom(...PIECES), { maxLength: 3 }).map((all) => `'${all.join('')}'`),
      },
      {
        weight: 2,
        arbitrary: fc.array(fc.constantFrom(...PIECES), { maxLength: 3 }).map((all) => `"${all.join('')}"`),
      },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }).map((text) => `'${text}'`) },
      { weight: 2, arbitrary: fc.constantFrom(' ', ' -') },
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

/**
 * Texts that `wordsOf` is sure of and the shell reads otherwise.
 *
 * @param tried How many texts are drawn; those without words are left out.
 */
export function readOtherwise(shell: string, tried: number, seed: number): string[] {
  // Behind a program of its own a text is judged by its words alone.
  const texts = fc
    .sample(SHELL_TEXTS, { numRuns: tried, seed })
    .filter((text) => wordsOf(`x ${text}`) !== undefined);
  if (texts.length < tried / 20) throw new Error(`only ${texts.length} of ${tried} texts have words`);
  const given = wordsInShell(shell, texts);
  return texts.filter((text, index) => {
    const words = wordsOf(`x ${text}`)!.slice(1);
    // Without a word printf still writes one that is empty.
    return JSON.stringify(given[index]) !== JSON.stringify(words.length === 0 ? [''] : words);
  });
}
