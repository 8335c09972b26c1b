import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HoopError } from '../core/errors.ts';

export interface DirectoryLock {
  release(): void;
}

/**
 * Takes a directory for this process alone, until released or until the process ends, however it ends.
 *
 * The lock is SQLite's own file lock, which the kernel drops with the process: there is no stale lock to clear after
 * a `kill -9`, and it holds within one process too. Creates the directory (0700) and `<name>.lock` in it. Locks of
 * network file systems are as good as the file system makes them: keep state on a local disk.
 *
 * @throws {HoopError} `ERR_CONFIG` another process holds it.
 */
export function lockDirectory(dir: string, name: string): DirectoryLock {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(join(dir, `${name}.lock`));
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    throw new HoopError('ERR_CONFIG', `another hoopd is using ${dir}`, {
      hint: 'end the other one, or give this one directories of its own',
      detail: error instanceof Error ? error.message : String(error),
    });
  }
  return { release: () => db.close() };
}
