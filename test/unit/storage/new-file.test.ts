import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openState } from '../../../src/gateway/state/state.ts';
import { lockDirectory } from '../../../src/storage/dir-lock.ts';
import { writeNewFile } from '../../../src/storage/new-file.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hoop-new-file-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('writes what is not there, and leaves what is', () => {
  const path = join(dir, 'key');
  expect(writeNewFile(path, 'first', 0o600)).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(writeNewFile(path, 'second', 0o600)).toBe(false);
  expect(readFileSync(path, 'utf8')).toBe('first');
});

it('says what the system said', () => {
  expect(() => writeNewFile(join(dir, 'nowhere', 'key'), 'x', 0o600)).toThrow(/ENOENT/);
});

it.each(['instance', 'token-key.jwk'])(
  'what a full disk once left of %s is not taken for one: its cure is told',
  async (name) => {
    writeFileSync(join(dir, name), '');
    await expect(openState(dir)).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: `${join(dir, name)} is empty`,
      hint: 'restore it, or remove it: it is made anew',
    });
  },
);

it('what a copy that was put back lets others read is closed to them, and named', async () => {
  const first = await openState(dir);
  expect(first.wereOpen).toEqual([]);
  first.close();
  const open = ['token-key.jwk', 'audit-key.pem', 'state.db'].map((name) => join(dir, name));
  for (const path of open) chmodSync(path, 0o644);
  const again = await openState(dir);
  expect(again.wereOpen).toEqual(open);
  expect(open.map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
  again.close();
});

it('a directory in use is told from one that cannot be locked', () => {
  const lock = lockDirectory(dir, 'hoopd');
  expect(() => lockDirectory(dir, 'hoopd')).toThrow(`another hoopd is using ${dir}`);
  lock.release();
  writeFileSync(
    join(dir, 'other.lock'),
    'this is no database, and long enough to be looked at as one'.repeat(20),
  );
  expect(() => lockDirectory(dir, 'other')).toThrow(/cannot be locked: file is not a database/);
});
