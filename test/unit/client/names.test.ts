import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rememberNames, rememberProfiles } from '../../../src/client/store/names.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hoopctl-names-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const read = (file: string) => readFileSync(join(directory, 'names', file), 'utf8');

test('names are lines of a file for its owner alone, each list in the place of the one before', async () => {
  await rememberNames(directory, 'default', 'resources', ['pg-prod', 'api-prod', 'pg-prod']);
  expect(read('default.resources')).toBe('pg-prod\napi-prod\n');
  expect(statSync(join(directory, 'names', 'default.resources')).mode & 0o777).toBe(0o600);
  expect(statSync(join(directory, 'names')).mode & 0o777).toBe(0o700);
  await rememberNames(directory, 'default', 'resources', ['k8s']);
  await rememberNames(directory, 'default', 'sessions', []);
  await rememberProfiles(directory, ['default', 'work']);
  expect(readdirSync(join(directory, 'names')).toSorted()).toEqual([
    'default.resources',
    'default.sessions',
    'profiles',
  ]);
  expect([read('default.resources'), read('default.sessions'), read('profiles')]).toEqual([
    'k8s\n',
    '',
    'default\nwork\n',
  ]);
});

test.each(['$(touch x)', '`id`', 'a b', 'a\nb', '-rf', '../x', '\u001b[31m', 'ä', '', 'a'.repeat(129)])(
  '%j is no name that a shell is given',
  async (name) => {
    await rememberNames(directory, 'default', 'resources', ['pg', name]);
    expect(read('default.resources')).toBe('pg\n');
  },
);

test('at most 1,000 are kept, the first ones', async () => {
  const names = Array.from({ length: 1200 }, (_, i) => `ses_${i}`);
  await rememberNames(directory, 'default', 'sessions', names);
  expect(read('default.sessions').trim().split('\n')).toEqual(names.slice(0, 1000));
});

test('a folder that is not ours alone, and one that cannot be made, stop nothing', async () => {
  await rememberProfiles(directory, ['default']);
  chmodSync(join(directory, 'names'), 0o755);
  await rememberProfiles(directory, ['other']);
  expect(read('profiles')).toBe('default\n');
  await rememberProfiles('/dev/null', ['default']);
});
