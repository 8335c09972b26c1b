/** Names, and values that are all known, completed by zsh and fish themselves; bash does it in every run. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHOICES, listedNames, NAMED } from '../../support/listed-names.ts';
import { hoopctl } from '../../support/run-hoopctl.ts';

const run = promisify(execFile);
let directory: string;
let config: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hoopctl-shells-'));
  config = await listedNames(directory);
  for (const shell of ['zsh', 'fish']) {
    const { stdout } = await hoopctl(['completion', shell]);
    writeFileSync(join(directory, shell), stdout);
  }
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What each shell offers, descriptions left out. */
const ASK: Readonly<Record<string, (words: readonly string[]) => readonly string[]>> = {
  fish: (words) => ['--no-config', '-c', 'source fish; complete -C "$argv"', ['hoopctl', ...words].join(' ')],
  // What zsh's own functions would be told, without a terminal to show it on.
  zsh: (words) => [
    '-fc',
    `compdef() { }; _describe() { }; compadd() { shift; print -l -- \${(M)@:#$words[CURRENT]*} }
    source zsh; words=("$@"); CURRENT=$#; _hoopctl`,
    'zsh',
    'hoopctl',
    ...words,
  ],
};

test.each(
  Object.keys(ASK).flatMap((shell) =>
    [...NAMED, ...CHOICES].map(([words, names]) => [shell, words, names] as const),
  ),
)('%s: %j', async (shell, words, names) => {
  const { stdout, stderr } = await run(shell, [...ASK[shell]!(words)], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, HOOPCTL_CONFIG_DIR: config },
  }).catch((error: { code: number; stdout: string; stderr: string }) => error);
  const offered = stdout.split('\n').flatMap((line) => line.split('\t')[0] || []);
  expect({ offered: offered.filter((word) => !word.startsWith('-')), stderr }).toEqual({
    offered: names,
    stderr: '',
  });
  expect(readdirSync(directory)).not.toContain('pwned');
});
