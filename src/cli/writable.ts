import { open } from 'node:fs/promises';
import { HoopError } from '../core/errors.ts';

/**
 * Makes sure of a file that is written at the end, before anything begins: nobody waits for what then can be put nowhere.
 *
 * Effects: makes it, 0600, where it is not there; what is in it stays.
 *
 * @param option By which it was named.
 * @throws {HoopError} `ERR_USAGE` it cannot be written.
 */
export async function demandWritable(file: string, option: string): Promise<void> {
  try {
    await (await open(file, 'a', 0o600)).close();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new HoopError('ERR_USAGE', `${option}: ${file} cannot be written (${code})`, {
      hint: 'nothing has been run: name a file in a folder that is there and that you may write to',
      cause: error,
    });
  }
}
