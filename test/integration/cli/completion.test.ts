/** Completion as bash itself does it; what other shells are given says the same. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { optionsOf } from '../../../src/cli/command.ts';
import { COMMANDS } from '../../../src/cli/commands/index.ts';
import { PACKS } from '../../../src/cli/policy/packs/index.ts';
import { CHOICES, listedNames, NAMED } from '../../support/listed-names.ts';
import { hoopctl } from '../../support/run-hoopctl.ts';

const run = promisify(execFile);
let directory: string;
let script: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hoopctl-completion-'));
  script = join(directory, 'hoopctl.bash');
  const { stdout, stderr, exitCode } = await hoopctl(['completion', 'bash']);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  writeFileSync(script, stdout);
  writeFileSync(join(directory, 'gateway.pem'), '');
  writeFileSync(join(directory, 'my cases.yaml'), '');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What bash offers for the last word. */
async function offers(...words: string[]): Promise<string[]> {
  return offersIn({}, ...words);
}

async function offersIn(env: Record<string, string>, ...words: string[]): Promise<string[]> {
  const ask = `source ${script}
    COMP_WORDS=(hoopctl "$@"); COMP_CWORD=$#
    "$(complete -p hoopctl | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await run('bash', ['--norc', '-c', ask, 'bash', ...words], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, ...env },
  });
  expect(stderr).toBe('');
  return stdout.split('\n').filter(Boolean);
}

test('D6: commands, and what they take, each where it may stand', async () => {
  const first = [...new Set(COMMANDS.map(({ path }) => path[0]!))].toSorted();
  expect((await offers('')).filter((word) => !word.startsWith('-')).toSorted()).toEqual(first);
  expect(await offers('con')).toEqual(['connect']);
  expect(await offers('audit', 's')).toEqual(['search', 'show', 'summary']);
  expect(await offers('audit', 'search', '--pe')).toEqual(['--person']);
  expect(await offers('connect', 'pg', '--read')).toEqual(['--read-only']);
  expect(await offers('connect', '--person')).toEqual([]);
  for (const spec of COMMANDS) {
    const flags = optionsOf(spec).map((option) => /--[a-z-]+/.exec(option.flags)![0]);
    expect((await offers(...spec.path, '--')).toSorted()).toEqual([...flags, '--help'].toSorted());
  }
});

test('a value that nobody can know is not guessed; files are', async () => {
  expect(await offers('connect', '--agent', '')).toEqual([]);
  expect(await offers('connect', '--ca', 'gate')).toEqual(['gateway.pem']);
});

test.each<(typeof CHOICES)[number]>([
  ...CHOICES,
  [['policy', 'test', 'gate'], ['gateway.pem']],
  [['policy', 'explain', 'pg', '-f', 'my'], ['my cases.yaml']],
  [['policy', 'replay', 'my'], ['my cases.yaml']],
  [['policy', 'pack', 'pii', '--write', 'gate'], ['gateway.pem']],
  [['audit', 'verify', 'gate'], ['gateway.pem']],
  [['audit', 'verify', '--k'], ['--key']],
])('what a word can be, and files, with a blank too: %j', async (words, expected) => {
  expect(await offers(...words)).toEqual(expected);
});

test('what is offered is what the help tells', () => {
  const values = COMMANDS.flatMap((spec) => [...(spec.arguments ?? []), ...(spec.options ?? [])]);
  const told = values.filter(({ text }) => !text.startsWith('a pack'));
  for (const { text, choices = [] } of told) for (const choice of choices) expect(text).toContain(choice);
});

test('every pack is offered', async () => {
  const offered = (await offers('policy', 'pack', '')).filter((word) => !word.startsWith('-'));
  expect(offered).toEqual(PACKS.map(({ name }) => name));
});

test.each(NAMED)('D6: %j: names that hoopctl has listed, as they are written', async (words, expected) => {
  const config = await listedNames(directory);
  expect(await offersIn({ HOOPCTL_CONFIG_DIR: config }, ...words)).toEqual(expected);
  expect(readdirSync(directory)).not.toContain('pwned');
});

test('D6: before anything is typed what is named comes alone; options, where there is nothing else or a dash', async () => {
  const env = { HOOPCTL_CONFIG_DIR: await listedNames(directory) };
  const names = await offersIn(env, 'connect', '');
  expect(names).not.toHaveLength(0);
  expect(names.filter((word) => word.startsWith('-'))).toEqual([]);
  expect(await offersIn(env, 'connect', '--port')).toEqual(['--port']);
  expect(await offersIn(env, 'whoami', '')).toContain('--json');
});

test('D6: without anything listed, names are not guessed', async () => {
  expect(await offers('connect', 'pg')).toEqual([]);
  expect(await offers('whoami', '--profile', '')).toEqual([]);
});

test('behind -- it is the other command that is completed', async () => {
  expect(await offers('connect', 'pg', '--', 'bas')).toContain('bash');
  expect(await offers('connect', 'pg', '--', 'cat', 'gate')).toEqual(['gateway.pem']);
});

test.each(['zsh', 'fish'])('D6: %s is told of every command and option', async (shell) => {
  const { stdout, exitCode } = await hoopctl(['completion', shell]);
  expect(exitCode).toBe(0);
  for (const spec of COMMANDS) {
    expect(stdout).toContain(spec.path.at(-1));
    for (const { text } of optionsOf(spec)) expect(stdout.replaceAll(/\\'|'\\''/g, "'")).toContain(text);
  }
});

test('another shell: 64, and which there are', async () => {
  const { stdout, stderr, exitCode } = await hoopctl(['completion', 'tcsh']);
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 64 });
  expect(stderr).toBe('hoopctl: no completion for the shell "tcsh"\nhint: one of: bash, fish, zsh\n');
});
