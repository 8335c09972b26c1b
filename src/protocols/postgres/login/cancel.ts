import { randomBytes, timingSafeEqual } from 'node:crypto';

/** What a client may later present in a CancelRequest: the target's process id, which it sees elsewhere, and a key of ours. */
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
 * The process id is the target's own, so that a client that compares it with `pg_backend_pid()` or hands it to
 * `pg_cancel_backend` means itself. Servers behind one name, or a restarted one, give the same id to several: the key
 * tells them apart. A key works only for the instance that it was given to, so that another user's key, were it
 * guessed, does nothing.
 */
export class CancelRegistry {
  readonly #entries = new Map<number, readonly Entry[]>();
  readonly #wrong = new Map<string, { count: number; sinceMs: number }>();

  /**
   * @param instance Owner, as `Principal.instance`.
   * @param pid The target's process id; may be in use already.
   * @param cancel Cancels what runs in the session now; called at most once for each right request.
   * @param keyBytes Octets of the key, 4 … 256: what the client's protocol version takes.
   * @returns The key to announce to the client, and a function that forgets it.
   */
  register(
    instance: string,
    pid: number,
    cancel: () => Promise<void>,
    keyBytes: number,
  ): { readonly key: CancelKey; readonly forget: () => void } {
    const entry: Entry = { key: this.#freshKey(pid, keyBytes), instance, cancel };
    this.#entries.set(pid, [...this.#ofPid(pid), entry]);
    return { key: { pid, key: entry.key }, forget: () => this.#forget(pid, entry) };
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
    const right = this.#ofPid(pid).find((entry) => entry.instance === instance && sameKey(entry.key, key));
    if (right !== undefined) return right.cancel();
    this.#countWrong(instance, nowMs);
  }

  #ofPid(pid: number): readonly Entry[] {
    return this.#entries.get(pid) ?? [];
  }

  /** Of one process id no two keys are the same: each cancels one session. */
  #freshKey(pid: number, bytes: number): Buffer {
    for (;;) {
      const key = randomBytes(bytes);
      if (!this.#ofPid(pid).some((entry) => sameKey(entry.key, key))) return key;
    }
  }

  #forget(pid: number, entry: Entry): void {
    const others = this.#ofPid(pid).filter((one) => one !== entry);
    if (others.length > 0) this.#entries.set(pid, others);
    else this.#entries.delete(pid);
  }

  #countWrong(instance: string, nowMs: number): void {
    if (this.#wrong.size > 10_000) this.#wrong.clear();
    const wrong = this.#wrong.get(instance);
    if (wrong === undefined || nowMs - wrong.sinceMs >= 60_000)
      this.#wrong.set(instance, { count: 1, sinceMs: nowMs });
    else wrong.count++;
  }
}

function sameKey(ours: Buffer, given: Uint8Array): boolean {
  return given.length === ours.length && timingSafeEqual(ours, given);
}
