/**
 * A lock between processes of one user: a file made with O_EXCL that names its owner.
 *
 * It guards the refresh at the identity provider: two processes that use one rotated refresh token at once make the
 * provider revoke the whole login.
 */
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoopError } from '../../core/errors.ts';

export interface LockOptions {
  /** Longest wait for another owner, ms; default 20_000. */
  readonly waitMs?: number;
  /** An owner we cannot see (another machine on a shared home) is given up after this age, ms; default 60_000. */
  readonly staleMs?: number;
  readonly signal?: AbortSignal;
}

interface Owner {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
  /** Start of the process in clock ticks since boot: tells a reused pid from the owner. Empty where unknown. */
  readonly started: string;
}

const POLL_MS = 50;

/**
 * Runs `task` while no other process runs one under the same path. Released when the task ends, however it ends;
 * a dead owner's lock is taken over.
 *
 * @throws {HoopError} `ERR_LIMIT` the wait was too long; whatever `task` throws.
 */
export async function withLock<T>(
  path: string,
  task: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const owner: Owner = {
    token: randomBytes(12).toString('hex'),
    pid: process.pid,
    host: hostname(),
    started: await startOf(process.pid),
  };
  await acquire(path, owner, options);
  try {
    return await task();
  } finally {
    await release(path, owner);
  }
}

async function acquire(path: string, owner: Owner, options: LockOptions): Promise<void> {
  const deadline = Date.now() + (options.waitMs ?? 20_000);
  while (!(await tryCreate(path, owner))) {
    await breakIfStale(path, options.staleMs ?? 60_000);
    if (Date.now() > deadline) {
      throw new HoopError('ERR_LIMIT', 'another hoopctl has been renewing this login for too long', {
        hint: `if none is running, delete ${path}`,
      });
    }
    await sleep(
      POLL_MS + Math.random() * POLL_MS,
      undefined,
      options.signal ? { signal: options.signal } : {},
    );
  }
}

async function tryCreate(path: string, owner: Owner): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(owner), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Moves a dead owner's file aside before deleting it: of two processes that see the same dead owner only one can move
 * it, and one that moved a fresh lock by mistake sees so by its token and puts it back.
 */
async function breakIfStale(path: string, staleMs: number): Promise<void> {
  const seen = await readFile(path, 'utf8').catch(() => undefined);
  if (seen === undefined || !(await isStale(path, seen, staleMs))) return;
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.stale`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const moved = await readFile(aside, 'utf8').catch(() => seen);
  if (moved === seen) await rm(aside, { force: true });
  else await rename(aside, path);
}

async function isStale(path: string, content: string, staleMs: number): Promise<boolean> {
  const age = await stat(path).then(
    (found) => Date.now() - found.mtimeMs,
    () => 0,
  );
  const owner = parseOwner(content);
  // Half-written: its author is between creating and writing, or died there.
  if (owner === undefined) return age > 2_000;
  if (owner.host !== hostname()) return age > staleMs;
  if (!isRunning(owner.pid)) return true;
  const started = await startOf(owner.pid);
  return owner.started !== '' && started !== '' && started !== owner.started;
}

function parseOwner(content: string): Owner | undefined {
  try {
    const value = JSON.parse(content) as Partial<Owner>;
    if (typeof value.pid !== 'number' || typeof value.host !== 'string') return undefined;
    return {
      token: String(value.token),
      pid: value.pid,
      host: value.host,
      started: String(value.started ?? ''),
    };
  } catch {
    return undefined;
  }
}

/** Of this machine, or of this container. Never throws. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat; a zombie counts as gone. */
async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? 'zombie' : (fields[19] ?? '');
}

async function release(path: string, owner: Owner): Promise<void> {
  const current = parseOwner(await readFile(path, 'utf8').catch(() => ''));
  if (current?.token === owner.token) await rm(path, { force: true });
}
