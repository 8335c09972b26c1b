/**
 * Files that belong to one user alone: directories 0700, files 0600, replaced whole or not at all.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, lstat, open, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolders } from '../../core/disk/folders.ts';
import { HoopError } from '../../core/errors.ts';

const GROUP_AND_OTHER = 0o077;
const hasModes = process.platform !== 'win32';

/**
 * Where hoopctl keeps its settings: `HOOPCTL_CONFIG_DIR`, else `hoopctl` in the platform's place for such things.
 *
 * @returns An absolute path; nothing is created. Never throws.
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function configDir(env: NodeJS.ProcessEnv): string {
  if (env['HOOPCTL_CONFIG_DIR']) return env['HOOPCTL_CONFIG_DIR'];
  if (process.platform === 'win32' && env['APPDATA']) return join(env['APPDATA'], 'hoopctl');
  return join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'hoopctl');
}

/**
 * Creates a directory for its owner alone (0700), parents included; an existing one must belong to us and be closed
 * to everyone else.
 *
 * @throws {HoopError} `ERR_CONFIG` it cannot be made, is not a directory, another's, or open to group or others.
 */
export async function ensurePrivateDir(path: string): Promise<void> {
  try {
    makeFolders(path, 0o700);
  } catch (error) {
    notWritable(path, 'made', error);
  }
  const found = await lstat(path);
  if (!found.isDirectory()) throw new HoopError('ERR_CONFIG', `${path} is not a directory`);
  assertPrivate(path, found, 'chmod 700');
}

/**
 * Writes a file 0600 so that a reader sees the old content or the new, also after a power cut: temporary file in the
 * same directory, fsync, rename, fsync of the directory.
 *
 * @throws {HoopError} `ERR_CONFIG` it cannot be written.
 */
export async function writePrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    notWritable(path, 'written', error);
  }
  await syncDirectory(dirname(path));
}

/** A job's home may be read-only or none at all, and a disk full: no fault of ours, and the user's to mend. */
function notWritable(path: string, verb: 'made' | 'written', error: unknown): never {
  const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
  throw new HoopError('ERR_CONFIG', `${path} cannot be ${verb}${code}`, {
    hint: 'hoopctl keeps its files where this user may write: name such a directory by HOOPCTL_CONFIG_DIR',
    cause: error,
  });
}

/**
 * Reads a file that only its owner may read.
 *
 * @param maxBytes Largest size in octets that is read.
 * @returns The content, or `undefined` if there is no such file.
 * @throws {HoopError} `ERR_CONFIG` it is a link, not a plain file, another user's, larger than `maxBytes`, or group or
 *   others have any permission on it: whoever could write it could have chosen our gateway or our keys.
 */
export async function readPrivateFile(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(
    (error: NodeJS.ErrnoException) => {
      // No directory on the way to it: a home that is /dev/null, as accounts of services have.
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      if (error.code === 'ELOOP') throw new HoopError('ERR_CONFIG', `${path} is a symbolic link`);
      throw new HoopError('ERR_CONFIG', `${path} cannot be read (${error.code ?? error.message})`);
    },
  );
  if (file === undefined) return undefined;
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new HoopError('ERR_CONFIG', `${path} is not a plain file`);
    assertPrivate(path, found, 'chmod 600');
    if (found.size > maxBytes) throw new HoopError('ERR_CONFIG', `${path} is larger than ${maxBytes} octets`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Owner-only socket files: the directory already keeps others out, this closes the file as well. */
export async function closeToOthers(path: string): Promise<void> {
  if (hasModes) await chmod(path, 0o600);
}

function assertPrivate(path: string, found: { uid: number; mode: number }, cure: string): void {
  if (!hasModes) return;
  if (found.uid !== process.getuid?.()) throw new HoopError('ERR_CONFIG', `${path} belongs to another user`);
  if ((found.mode & GROUP_AND_OTHER) === 0) return;
  const mode = (found.mode & 0o777).toString(8);
  throw new HoopError('ERR_CONFIG', `${path} is open to other users (mode ${mode})`, {
    hint: `run: ${cure} ${path}`,
  });
}

async function syncDirectory(path: string): Promise<void> {
  if (!hasModes) return;
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
