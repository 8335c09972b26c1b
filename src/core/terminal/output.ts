import type { Writable } from 'node:stream';
import { HoopError } from '../errors.ts';

/**
 * What a failed write to standard output is to its reader.
 *
 * Pure. @returns The error as it is where the reader has left (`EPIPE`), which is no mistake; else one for people: a full disk is none of ours.
 */
export function unwritten(error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE') return error;
  return new HoopError(
    'ERR_CONFIG',
    `standard output cannot be written to (${error.code ?? error.message})`,
    { hint: 'is there room where it is directed to?', cause: error },
  );
}

/** Notices what could not be written, also by what waits for no answer: help, a version, the last line. */
export class Outlet {
  readonly #stream: Writable;
  #failed: Error | undefined;

  /** Effects: an error of the stream ends the process no more. */
  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => {
      this.#failed ??= unwritten(error);
    });
  }

  /** Waits until everything is out. @returns The first failure, if there was one. Never rejects. */
  async settled(): Promise<Error | undefined> {
    // Where nothing was written nothing is tried: a command that says nothing cannot fail at it. What has carried a stream to its end takes no more.
    const { writable, writableLength } = this.#stream;
    if (this.#failed === undefined && writable && writableLength > 0)
      await new Promise((done) => this.#stream.write('', done));
    // What failed at once is told a moment later.
    await new Promise((done) => setImmediate(done));
    return this.#failed;
  }
}
