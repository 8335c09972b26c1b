/** Real interpreters are given a command on their standard input: none runs it of which it was said that it would not. */
import { type StdioOptions, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takesCommands } from '../../src/protocols/stream/command/takes-commands.ts';

const MARK = 'ran-from-input';
/** Each a command that prints the mark, which is not to be read in it, and a text that prints nothing. */
const LANGUAGES = {
  shell: { says: 'printf %s-%s ran from-input', text: 'true' },
  python: { says: 'print("ran-" + "from-input")', text: 'pass' },
  perl: { says: 'print "ran-" . "from-input";', text: '1' },
  node: { says: 'console.log("ran-" + "from-input")', text: '1' },
} as const;
const PROGRAMS = [
  ...['sh', 'dash', 'bash', 'zsh', 'fish'].map((program) => [program, 'shell'] as const),
  ['python3', 'python'],
  ['perl', 'perl'],
  ['node', 'node'],
] as const;

/** Some hundred starts of an interpreter, one after the other. */
const STARTS_MS = 300_000;

/** Words that somebody may put behind an interpreter; `FILE` has a text that does nothing, `TEXT` is one. */
const WORDS = [
  ...[
    '-',
    '--',
    '-s',
    '-i',
    '-e',
    '-c',
    '-x',
    '-l',
    '-u',
    '-n',
    '-m',
    '-o',
    '-O',
    '+O',
    '-p',
    '-v',
    '-f',
    '-W',
    '-E',
    '-S',
  ],
  ...[
    '--login',
    '--posix',
    '--norc',
    '--rcfile',
    '--eval',
    '--print',
    '-ec',
    '-ce',
    '-lc',
    '/dev/stdin',
    '/dev/fd/0',
  ],
  ...['FILE', 'TEXT', 'extglob', 'pipefail', 'one'],
];

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ssh-input-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Every line of one and two words, and some of three. */
const lines = (): string[][] => [
  ...WORDS.map((one) => [one]),
  ...WORDS.flatMap((one) => WORDS.map((two) => [one, two])),
];

describe.each(PROGRAMS)('%s', (program, language) => {
  it('runs nothing from its input of which it was said that it would not', { timeout: STARTS_MS }, () => {
    const { says, text } = LANGUAGES[language];
    const file = join(directory, language);
    writeFileSync(file, `${text}\n`);
    const env = { PATH: process.env['PATH'] ?? '', HOME: directory, LC_ALL: 'C' };
    const tried = [[], ...lines()].map((words) =>
      words.map((word) => (word === 'FILE' ? file : word === 'TEXT' ? text : word)),
    );
    const safe = tried.filter((words) => !takesCommands([program, ...words], (inner) => inner !== 'true'));
    const input = join(directory, `${language}-input`);
    writeFileSync(input, `${says}\n`);
    // A file: what Node makes for input is a socket, which nobody can open as /dev/stdin.
    const ran = (words: readonly string[]) => {
      const stdin = openSync(input, 'r');
      const stdio: StdioOptions = [stdin, 'pipe', 'ignore'];
      const { stdout } = spawnSync(program, words, { cwd: directory, env, stdio, timeout: 10_000 });
      closeSync(stdin);
      return stdout.toString().includes(MARK);
    };
    expect(ran([])).toBe(true);
    expect(safe.length).toBeGreaterThan(20);
    expect(safe.filter(ran).map((words) => words.join(' '))).toEqual([]);
  });
});
