import { randomBytes, timingSafeEqual } from 'node:crypto';

/** What a client may later present in a CancelRequest: ours, never the target's own. */
export interface CancelKey {
  readonly pid: number;
  /** 4 octets in protocol 3.0, 32 in 3.2. */
  readonly key: Buffer;
}

interface Entry {
  readonly key: Buffer;
  readonly instance: string;
  readonly cancel: () => Promise<void>;
}

/** More wrong keys than this from one instance within a minute are not looked at: 2^32 keys cannot be tried. */
const WRONG_KEYS_PER_MINUTE = 60;

/**
 * Knows which live session a cancel key belongs to.
 *
 * A key works only for the instance that it was given to, so that another user's key, were it guessed, does nothing.
 */
export class CancelRegistry {
  readonly #entries = new Map<number, Entry>();
  readonly #wrong = new Map<string, { count: number; sinceMs: number }>();
  #nextPid = 1;

  /**
   * @param instance Owner, as `Principal.instance`.
   * @param cancel Cancels what runs in the session now; called at most once for each right request.
   * @param keyBytes Octets of the key, 4 … 256: what the client's protocol version takes.
   * @returns The key to announce to the client, and a function that forgets it.
   */
  register(
    instance: string,
    cancel: () => Promise<void>,
    keyBytes: number,
  ): { readonly key: CancelKey; readonly forget: () => void } {
    while (this.#entries.has(this.#nextPid)) this.#nextPid = (this.#nextPid % 0x7fff_fffe) + 1;
    const pid = this.#nextPid;
    this.#nextPid = (this.#nextPid % 0x7fff_fffe) + 1;
    const key = randomBytes(keyBytes);
    this.#entries.set(pid, { key, instance, cancel });
    return { key: { pid, key }, forget: () => this.#entries.delete(pid) };
  }

  /**
   * Cancels what the key's session runs, if the key is right. Says nothing either way, as the protocol has it.
   *
   * @param nowMs For the rate limit on wrong keys, ms since the epoch.
   * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
   */
  async cancel(instance: string, pid: number, key: Uint8Array, nowMs: number): Promise<void> {
    const wrong = this.#wrong.get(instance);
    if (wrong !== undefined && nowMs - wrong.sinceMs < 60_000 && wrong.count >= WRONG_KEYS_PER_MINUTE) return;
    const entry = this.#entries.get(pid);
    const right =
      entry !== undefined &&
      entry.instance === instance &&
      key.length === entry.key.length &&
      timingSafeEqual(entry.key, key);
    if (right) return entry.cancel();
    this.#countWrong(instance, nowMs);
  }

  #countWrong(instance: string, nowMs: number): void {
    if (this.#wrong.size > 10_000) this.#wrong.clear();
    const wrong = this.#wrong.get(instance);
    if (wrong === undefined || nowMs - wrong.sinceMs >= 60_000)
      this.#wrong.set(instance, { count: 1, sinceMs: nowMs });
    else wrong.count++;
  }
}
