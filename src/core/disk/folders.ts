import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it, where they are not there yet.
 *
 * As Node's own `recursive` does; only that Node tries for ever where a file system takes no new folder and says that there is none,
 * as `/proc`, and tells of a read-only one that something is missing.
 *
 * @param mode Of those that are made, 0o700 for instance; the process's umask applies.
 * @throws {NodeJS.ErrnoException} What the system says: `EACCES`, `EROFS`, `ENOTDIR`, `ENOSPC`.
 */
export function makeFolders(path: string, mode: number): void {
  if (existsSync(path)) return;
  makeFolders(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process was as quick.
    if (!existsSync(path)) throw error;
  }
}
