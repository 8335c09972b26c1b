/**
 * Notices that the network is gone under streams that wait for an answer.
 *
 * The kernel's keep-alive finds dead connections that are idle (25 s), but not those with something unanswered on the
 * way: there it retransmits for a quarter of an hour. A slow query looks the same from here, so before anything is
 * ended the gateway itself is asked for, twice.
 */
import type { Scheduler } from '../scheduler.ts';

/** What is looked at: a connection's counters, no bytes. */
export interface WatchedStream {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly closed: boolean;
  once(event: 'close', listener: () => void): unknown;
  destroy(error?: Error): unknown;
}

interface Watched {
  read: number;
  /** Octets written at the look that last saw something read. */
  written: number;
  /** Octets written at the last look. */
  writtenBefore: number;
  /** Between two looks it was both read and written: whether the last word is unanswered, only the gateway can tell. */
  unsure: boolean;
  quietSince: number;
}

const LOOK_MS = 10_000;
/** Silence after a request before the gateway is asked for, ms. */
const SUSPECT_MS = 30_000;

export class Liveness {
  readonly #probe: () => Promise<void>;
  readonly #scheduler: Scheduler;
  readonly #streams = new Map<WatchedStream, Watched>();
  #stopLooking: (() => void) | undefined;
  #failures = 0;

  /** @param probe Reaches the gateway on a connection of its own, or rejects; must be bounded in time. */
  constructor(probe: () => Promise<void>, scheduler: Scheduler) {
    this.#probe = probe;
    this.#scheduler = scheduler;
  }

  /** Watches a stream until it is closed. */
  watch(stream: WatchedStream): void {
    if (stream.closed) return;
    const { bytesRead: read, bytesWritten: written } = stream;
    const quietSince = this.#scheduler.now();
    this.#streams.set(stream, { read, written, writtenBefore: written, unsure: false, quietSince });
    stream.once('close', () => {
      this.#streams.delete(stream);
      if (this.#streams.size === 0) this.#stopLooking?.();
    });
    if (this.#streams.size === 1) this.#lookLater();
  }

  #lookLater(): void {
    this.#stopLooking = this.#scheduler.after(LOOK_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const suspects = [...this.#streams].filter(([stream, seen]) => this.#isSuspect(stream, seen));
    if (suspects.length === 0) this.#failures = 0;
    else if (await this.#gatewayAnswers()) {
      this.#failures = 0;
      // What was on its way has arrived since, and what comes after it the kernel's keep-alive sees.
      for (const [, seen] of suspects) seen.unsure = false;
    } else if (++this.#failures >= 2) {
      for (const [stream, seen] of suspects) {
        if (stream.bytesRead === seen.read) stream.destroy(new Error('the gateway can no longer be reached'));
      }
    }
    if (this.#streams.size > 0) this.#lookLater();
  }

  #isSuspect(stream: WatchedStream, seen: Watched): boolean {
    const now = this.#scheduler.now();
    if (stream.bytesRead !== seen.read) {
      seen.read = stream.bytesRead;
      seen.unsure = stream.bytesWritten !== seen.writtenBefore;
      seen.written = stream.bytesWritten;
      seen.quietSince = now;
    }
    seen.writtenBefore = stream.bytesWritten;
    if (!seen.unsure && stream.bytesWritten === seen.written) seen.quietSince = now;
    return now - seen.quietSince >= SUSPECT_MS;
  }

  #gatewayAnswers(): Promise<boolean> {
    return this.#probe().then(
      () => true,
      () => false,
    );
  }
}
