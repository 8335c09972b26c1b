import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeFolders } from '../core/disk/folders.ts';
import { HoopError } from '../core/errors.ts';
import { lockDirectory } from '../storage/dir-lock.ts';

/** Where one demo keeps its files, for as long as it runs. */
export interface DemoDirectory {
  /** Configuration, policies, certificates, state: worth reading. Readable by its owner alone. */
  readonly path: string;
  /** The database's files. Apart, because another user runs PostgreSQL when we are root. */
  readonly database: string;
  /** Removes the database, and the rest too if nobody named the directory. */
  release(): Promise<void>;
}

/** Marks a directory as ours to empty, and remembers what an earlier demo could not remove. */
const MARK = 'demo.json';

/**
 * Takes a directory for one demo and empties it if an earlier demo left it, however that one ended.
 *
 * @param path The user's choice; undefined makes a fresh one that `release` removes.
 * @throws {HoopError} `ERR_CONFIG` another demo is running in it, or it holds files that no demo made.
 */
export async function claimDirectory(path: string | undefined): Promise<DemoDirectory> {
  const own = path === undefined ? await mkdtemp(join(tmpdir(), 'hoop-demo-')) : resolve(path);
  await refuseForeign(own);
  const lock = claim(own);
  try {
    await emptied(own);
    const database = await mkdtemp(join(tmpdir(), 'hoop-demo-pg-'));
    await chmod(database, 0o755);
    await writeFile(join(own, MARK), `${JSON.stringify({ database })}\n`, { mode: 0o600 });
    return {
      path: own,
      database,
      release: async () => {
        await rm(database, { recursive: true, force: true });
        lock.release();
        if (path === undefined) await rm(own, { recursive: true, force: true });
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function refuseForeign(path: string): Promise<void> {
  makeFolders(path, 0o700);
  const names = await readdir(path);
  if (names.length > 0 && !names.includes(MARK) && names.some((name) => name !== 'demo.lock')) {
    throw new HoopError('ERR_CONFIG', `${path} holds files that no demo made`, {
      hint: 'choose an empty directory with --dir',
    });
  }
  await chmod(path, 0o700);
}

function claim(path: string) {
  try {
    return lockDirectory(path, 'demo');
  } catch (cause) {
    throw new HoopError('ERR_CONFIG', `another demo is running in ${path}`, {
      hint: 'end it with Ctrl-C in its terminal, or give this one a directory with --dir',
      cause,
    });
  }
}

/** Removes what an earlier demo left behind: everything but the lock, and its database elsewhere. */
async function emptied(path: string): Promise<void> {
  const left = await readFile(join(path, MARK), 'utf8').then(
    (text) => JSON.parse(text) as { database?: unknown },
    () => ({ database: undefined }),
  );
  const database = String(left.database ?? '');
  if (database.startsWith(join(tmpdir(), 'hoop-demo-pg-')))
    await rm(database, { recursive: true, force: true });
  for (const name of await readdir(path)) {
    if (!name.startsWith('demo.lock')) await rm(join(path, name), { recursive: true, force: true });
  }
}
