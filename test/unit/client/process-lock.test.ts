import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from '../../../src/client/store/process-lock.ts';

const MODULE = fileURLToPath(new URL('../../../src/client/store/process-lock.ts', import.meta.url));
let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hoopctl-lock-'));
  path = join(directory, 'lock');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A process that reads a counter, waits, and writes it back, all under the lock: twice as one loses a count. */
function worker(): Promise<number | null> {
  const code = `
    const { withLock } = await import(${JSON.stringify(MODULE)});
    const { readFile, writeFile } = await import('node:fs/promises');
    for (let i = 0; i < 5; i++) await withLock(${JSON.stringify(path)}, async () => {
      const n = Number(await readFile(${JSON.stringify(join(directory, 'n'))}, 'utf8'));
      await new Promise((done) => setTimeout(done, 3));
      await writeFile(${JSON.stringify(join(directory, 'n'))}, String(n + 1));
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve) => child.once('close', resolve));
}

test('one at a time, across processes, and nothing is left', async () => {
  await writeFile(join(directory, 'n'), '0');
  expect(await Promise.all([worker(), worker(), worker()])).toEqual([0, 0, 0]);
  expect(await readFile(join(directory, 'n'), 'utf8')).toBe('15');
  expect(await readdir(directory)).toEqual(['n']);
});

test('a dead owner is taken over, a live one is waited for, not for ever', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.once('close', resolve));
  const dead = { token: 't', pid: child.pid, host: hostname(), started: '1' };
  await writeFile(path, JSON.stringify(dead));
  expect(await withLock(path, async () => 'taken over', { waitMs: 500 })).toBe('taken over');
  const reused = { token: 't', pid: process.pid, host: hostname(), started: '1' };
  await writeFile(path, JSON.stringify(reused));
  expect(await withLock(path, async () => 'pid of another', { waitMs: 500 })).toBe('pid of another');
  await withLock(path, async () => {
    await expect(withLock(path, async () => undefined, { waitMs: 100 })).rejects.toMatchObject({
      code: 'ERR_LIMIT',
    });
  });
});

test('an owner on another machine, and a torn file, are given up by age', async () => {
  await writeFile(path, JSON.stringify({ token: 't', pid: 1, host: 'elsewhere', started: '' }));
  await expect(withLock(path, async () => undefined, { waitMs: 100 })).rejects.toMatchObject({
    code: 'ERR_LIMIT',
  });
  expect(await withLock(path, async () => 1, { waitMs: 500, staleMs: 0 })).toBe(1);
  await writeFile(path, '{"tok');
  const old = new Date(Date.now() - 10_000);
  await utimes(path, old, old);
  expect(await withLock(path, async () => 2, { waitMs: 500 })).toBe(2);
});

test('a failing task releases', async () => {
  await expect(withLock(path, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
  expect(await withLock(path, async () => 3, { waitMs: 100 })).toBe(3);
});
