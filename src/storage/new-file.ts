import { rmSync, writeFileSync } from 'node:fs';

/**
 * Writes a file that is not there yet.
 *
 * Effects: on the disk when it returns. What a full disk cuts off is removed: the beginning of a key, or nothing, would be taken
 * for a key at the next start. Several processes may call it at once: one of them wins.
 *
 * @param mode Such as 0o600; the process's mask takes from it.
 * @returns False if there is one already; it stays as it is.
 * @throws What the system said (ENOSPC, EACCES, …); then there is none.
 */
export function writeNewFile(path: string, text: string, mode: number): boolean {
  try {
    writeFileSync(path, text, { mode, flag: 'wx', flush: true });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    rmSync(path, { force: true });
    throw error;
  }
}
