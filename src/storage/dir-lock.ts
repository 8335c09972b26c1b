import { chmodSync, closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolders } from '../core/disk/folders.ts';
import { HoopError } from '../core/errors.ts';

export interface DirectoryLock {
  release(): void;
}

/**
 * Takes a directory for this process alone, until released or until the process ends, however it ends.
 *
 * The lock is SQLite's own file lock, which the kernel drops with the process: there is no stale lock to clear after
 * a `kill -9`, and it holds within one process too. Creates the directory (0700) and `<name>.lock` (0600) in it. Locks of
 * network file systems are as good as the file system makes them: keep state on a local disk.
 *
 * @throws {HoopError} `ERR_CONFIG` another process holds it, or the disk does not let it be taken.
 */
export function lockDirectory(dir: string, name: string): DirectoryLock {
  makeFolders(dir, 0o700);
  const file = join(dir, `${name}.lock`);
  ownersAlone(file);
  const db = new DatabaseSync(file);
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    const detail = error instanceof Error ? error.message : String(error);
    if (isBusy(error))
      throw new HoopError('ERR_CONFIG', `another hoopd is using ${dir}`, {
        hint: 'end the other one, or give this one directories of its own',
        detail,
      });
    throw new HoopError('ERR_CONFIG', `${dir} cannot be locked: ${detail}`, {
      hint: 'make room on its disk, and see that hoopd may write there',
      detail,
    });
  }
  return { release: () => db.close() };
}

/**
 * SQLite gives its journal the rights of this file, and would make it readable for all. What is there is not opened: closing it would
 * let go of a lock that this process has on it. Where it cannot be done the lock itself says why.
 */
function ownersAlone(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch {
    chmodQuietly(file);
  }
}

function chmodQuietly(file: string): void {
  try {
    chmodSync(file, 0o600);
  } catch {
    // Another's file may be locked all the same.
  }
}

/** @see https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;
}
