import {
  closeSync,
  constants,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { makeFolders } from '../core/disk/folders.ts';
import { segmentName } from './chain-files.ts';

/** What a segment asks of the system: replaced only in tests of a disk that fails. */
export interface SegmentDisk {
  /** As `writeSync`: octets taken, which may be fewer than given. */
  write(fd: number, bytes: Uint8Array, offset: number): number;
  /** As `fdatasync`. */
  sync(fd: number): Promise<void>;
}

const systemDisk: SegmentDisk = {
  write: (fd, bytes, offset) => writeSync(fd, bytes, offset),
  sync: promisify(fdatasync),
};

/** Never an existing file: a chain is written by one writer, from its beginning. */
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND;

/**
 * A chain's growing end: append-only segment files (0600) in a folder (0700) of their own.
 *
 * A write is whole or not at all: what a failed one left behind is cut off again before anything else is written, so
 * that a segment never has a broken line in its middle.
 */
export class SegmentFile {
  #dir: string;
  readonly #maxBytes: number;
  readonly #disk: SegmentDisk;
  #fd = -1;
  #number = 0;
  #size = 0;
  #dirty = false;
  #abandon = false;

  /**
   * Creates the folder and the first segment.
   *
   * @param maxBytes A segment that has reached it gets no more lines.
   */
  constructor(dir: string, maxBytes: number, disk: SegmentDisk = systemDisk) {
    this.#dir = dir;
    this.#maxBytes = maxBytes;
    this.#disk = disk;
    makeFolders(dir, 0o700);
    this.#next();
    syncDirectory(dirname(dir));
  }

  /**
   * Appends all of `bytes` with one system call if the disk takes them at once.
   *
   * @throws What the system said (ENOSPC, EIO, …); then nothing of `bytes` counts as written.
   */
  write(bytes: Uint8Array): void {
    this.#repair();
    if (this.#size >= this.#maxBytes || this.#abandon) this.#next();
    try {
      for (let done = 0; done < bytes.length; ) done += this.#disk.write(this.#fd, bytes, done);
      this.#size += bytes.length;
    } catch (error) {
      this.#dirty = true;
      this.#tryRepair();
      throw error;
    }
  }

  /**
   * Waits until what was written survives a power cut.
   *
   * @param bytes Size of the last write: taken back if the disk fails. What the kernel's cache holds is then unknown
   *   (it may report a lost page once only), so later lines go to a new segment.
   * @throws What the system said; then the last write does not count.
   */
  async sync(bytes: number): Promise<void> {
    try {
      await this.#disk.sync(this.#fd);
    } catch (error) {
      this.#size -= bytes;
      this.#dirty = true;
      this.#abandon = true;
      this.#tryRepair();
      throw error;
    }
  }

  /** Gives the folder its name, at once and for good: what is in it by then is never seen without it. */
  moveTo(dir: string): void {
    renameSync(this.#dir, dir);
    this.#dir = dir;
    syncDirectory(dirname(dir));
  }

  close(): void {
    this.#tryRepair();
    closeSync(this.#fd);
  }

  #next(): void {
    const fd = openSync(join(this.#dir, segmentName(this.#number + 1)), CREATE, 0o600);
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = fd;
    this.#number++;
    this.#size = 0;
    this.#abandon = false;
    syncDirectory(this.#dir);
  }

  #repair(): void {
    if (!this.#dirty) return;
    ftruncateSync(this.#fd, this.#size);
    this.#dirty = false;
  }

  #tryRepair(): void {
    try {
      this.#repair();
    } catch {
      // Still dirty: the next write begins with another try and fails if that does.
    }
  }
}

/** A new file's name survives a power cut only once its directory is synced. */
function syncDirectory(dir: string): void {
  const fd = openSync(dir, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
