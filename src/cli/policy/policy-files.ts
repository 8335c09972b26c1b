import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { HoopError } from '../../core/errors.ts';
import { HOOPD_CHECK } from '../command.ts';

const MAX_FILES = 500;
/** Of all together, octets. */
const MAX_BYTES = 1024 * 1024;

export interface PolicyText {
  /** `policies/shop.cedar`: as hoopd names it, so that the same files have the same version. */
  readonly name: string;
  readonly text: string;
}

/**
 * Reads a set of policies: one file, or every `*.cedar` of a directory.
 *
 * @throws {HoopError} `ERR_USAGE` there is none, it cannot be read, or it is more than hoopd would take.
 */
export async function readPolicyFiles(path: string): Promise<readonly PolicyText[]> {
  const info = await reading(path, stat(path));
  if (!info.isDirectory() && /\.ya?ml$/.test(path))
    throw new HoopError('ERR_USAGE', `${path} is no *.cedar file`, { hint: HOOPD_CHECK });
  const names = info.isDirectory()
    ? (await reading(path, readdir(path))).filter((name) => name.endsWith('.cedar')).sort()
    : [basename(path)];
  const dir = resolve(info.isDirectory() ? path : dirname(path));
  if (names.length === 0) throw new HoopError('ERR_USAGE', `${path} holds no *.cedar file`);
  if (names.length > MAX_FILES) throw tooMuch(path);
  const files: PolicyText[] = [];
  let left = MAX_BYTES;
  for (const name of names) {
    const file = join(dir, name);
    left -= (await reading(file, stat(file))).size;
    if (left < 0) throw tooMuch(path);
    const text = await reading(file, readFile(file, 'utf8'));
    files.push({ name: join(basename(dir), name), text });
  }
  return files;
}

function tooMuch(path: string): HoopError {
  return new HoopError('ERR_USAGE', `${path} holds more than ${MAX_FILES} files or 1 MiB of policies`);
}

function reading<T>(path: string, work: Promise<T>): Promise<T> {
  return work.catch((error: NodeJS.ErrnoException) => {
    throw new HoopError('ERR_USAGE', `${path} cannot be read (${error.code ?? error.message})`);
  });
}
