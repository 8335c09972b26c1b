import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoopError } from '../../core/errors.ts';
import { makeTunnelDirectory, sweepTunnelDirectories } from './tunnel-directories.ts';

/** Resources are named by the gateway: a name made of one must not lead out of the directory. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;

/**
 * Files that clients of one tunnel need, such as a configuration that names its port: each 0600, in a directory of
 * their own (0700) that is made with the first of them and removed when the tunnel ends or this process does; what a
 * process leaves behind that is killed by SIGKILL is removed by the next one. What is in them is of no use without the tunnel.
 */
export class TunnelFiles {
  #directory: string | undefined;
  readonly #remove = () => this.dispose();

  constructor() {
    sweepTunnelDirectories(tmpdir());
  }

  /**
   * Writes a file that does not exist yet.
   *
   * @param name Letters, digits, `.`, `_` and `-`.
   * @returns Its absolute path.
   * @throws {HoopError} `ERR_CONFIG` the system's directory for temporary files cannot be written to.
   */
  write(name: string, content: string): string {
    if (!NAME.test(name)) throw new HoopError('ERR_INTERNAL', undefined, { detail: `no file name: ${name}` });
    try {
      const path = join(this.#open(), name);
      writeFileSync(path, content, { mode: 0o600, flag: 'wx' });
      return path;
    } catch (error) {
      throw unwritten(error);
    }
  }

  /**
   * Where something that is no plain file may be put, such as a socket.
   *
   * @returns The directory's absolute path. @throws {HoopError} As `write`.
   */
  directory(): string {
    try {
      return this.#open();
    } catch (error) {
      throw unwritten(error);
    }
  }

  /** Removes all of them. Safe to call twice. */
  dispose(): void {
    process.off('exit', this.#remove);
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = undefined;
  }

  #open(): string {
    if (this.#directory === undefined) {
      this.#directory = makeTunnelDirectory(tmpdir());
      process.once('exit', this.#remove);
    }
    return this.#directory;
  }
}

function unwritten(error: unknown): HoopError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new HoopError('ERR_CONFIG', `a file for the tunnel cannot be written (${code ?? message})`, {
    hint: 'free some space, or name another directory in TMPDIR',
    cause: error,
  });
}
