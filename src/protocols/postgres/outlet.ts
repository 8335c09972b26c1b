import type { Duplex, Readable } from 'node:stream';
import type { SessionRecorder } from '../../recording/recorder.ts';

/** Recorded octets that wait for the disk before the target is paused. */
const RECORDING_BOUND_BYTES = 8 * 1024 * 1024;

/** The one way to the client: what it is sent is recorded, and a slow client or disk pauses the target. */
export class Outlet {
  readonly #stream: Duplex;
  readonly #recorder: SessionRecorder;
  #paused = false;
  sent = 0;

  constructor(stream: Duplex, recorder: SessionRecorder) {
    this.#stream = stream;
    this.#recorder = recorder;
  }

  /** Login and last words: ours, nothing to record. */
  plain(bytes: Buffer): void {
    if (this.#stream.writable) this.#stream.write(bytes);
    this.sent += bytes.length;
  }

  /**
   * @param slices Masked bytes, in order; they must not change afterwards.
   * @param source What to pause until they are on their way.
   */
  send(slices: readonly Buffer[], source: Readable): void {
    if (slices.length === 0 || !this.#stream.writable) return;
    const bytes = slices.length === 1 ? (slices[0] as Buffer) : Buffer.concat(slices);
    this.#recorder.response(bytes);
    this.sent += bytes.length;
    const keepGoing = this.#stream.write(bytes);
    if (this.#paused || (keepGoing && this.#recorder.pendingBytes <= RECORDING_BOUND_BYTES)) return;
    this.#paused = true;
    source.pause();
    void this.#roomAgain().then(() => {
      this.#paused = false;
      source.resume();
    });
  }

  async #roomAgain(): Promise<void> {
    if (this.#stream.writableNeedDrain) {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#stream.off('drain', done);
          this.#stream.off('close', done);
          resolve();
        };
        this.#stream.on('drain', done);
        this.#stream.on('close', done);
      });
    }
    if (this.#recorder.pendingBytes > RECORDING_BOUND_BYTES) await this.#recorder.drained();
  }
}
