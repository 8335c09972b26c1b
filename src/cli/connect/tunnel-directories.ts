/**
 * Directories of tunnels' files, and which of them nobody needs any more: a process that is killed by SIGKILL leaves its own behind.
 */
import {
  lstatSync,
  mkdtempSync,
  opendirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '../../client/store/process-lock.ts';

const PREFIX = 'hoopctl-';
const NAME = /^hoopctl-[A-Za-z0-9]{6}$/;
/** No client's file is called so. */
const OWNER = '.owner';
const OWNER_CHARS = 1024;
const GROUP_AND_OTHER = 0o077;
/** Names that are looked at in a directory for temporary files: in a fuller one some may stay. */
const LOOKED_AT = 10_000;

/**
 * Makes one (0700), in which stands whose it is.
 *
 * @param within The system's directory for temporary files.
 * @returns Its absolute path.
 * @throws As `node:fs` does; nothing is left behind.
 */
export function makeTunnelDirectory(within: string): string {
  const directory = mkdtempSync(join(within, PREFIX));
  try {
    writeFileSync(join(directory, OWNER), `${process.pid} ${placeOfProcesses()}`, {
      mode: 0o600,
      flag: 'wx',
    });
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  return directory;
}

/**
 * Removes those of our own whose process is gone. What may be another's, or may be in use, stays: one that somebody else can
 * write to, one of a process that is counted elsewhere, as in another container, and one that says nothing of it. Never throws.
 */
export function sweepTunnelDirectories(within: string): void {
  for (const directory of candidates(within)) {
    try {
      if (isOwn(directory) && isGone(readFileSync(join(directory, OWNER), 'utf8')))
        rmSync(directory, { recursive: true, force: true });
    } catch {
      // Somebody else has removed it, or it says nothing of its owner.
    }
  }
}

function candidates(within: string): readonly string[] {
  const found: string[] = [];
  try {
    const entries = opendirSync(within);
    try {
      for (let looked = 0; looked < LOOKED_AT; looked++) {
        const entry = entries.readSync();
        if (entry === null) break;
        if (entry.isDirectory() && NAME.test(entry.name)) found.push(join(within, entry.name));
      }
    } finally {
      entries.closeSync();
    }
  } catch {
    // What cannot be listed is not swept.
  }
  return found;
}

/** A link is none. */
function isOwn(directory: string): boolean {
  const found = lstatSync(directory);
  return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & GROUP_AND_OTHER) === 0;
}

function isGone(owner: string): boolean {
  const [, pid, place] = (owner.length <= OWNER_CHARS && /^([1-9]\d{0,9}) (.+)$/s.exec(owner)) || [];
  return place === placeOfProcesses() && !isRunning(Number(pid));
}

/** Where a process's number means something: containers share directories, and each counts its own. */
function placeOfProcesses(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    // Not Linux: the machine counts them.
    return hostname();
  }
}
