import { createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Secret } from '../../core/secret.ts';
import { type ScramKeys, scramKeys } from './keys.ts';
import { saslprep } from './saslprep.ts';

const derive = promisify(pbkdf2);
/** Targets times passwords in use at once; each entry is some 200 octets. */
const CAPACITY = 256;

/**
 * Remembers the keys derived from (password, salt, iterations), for a login to the same target costs 0.7 ms of PBKDF2
 * otherwise, and ten times that with a salt of more iterations. Derivations run in the thread pool; two at once for
 * the same key are one.
 *
 * What it holds is worth the password at that target. It lives in memory only, is found by a keyed digest under a key
 * made per cache, and gives its longest unused entry up at `capacity`.
 */
export class SaltedKeyCache {
  readonly #capacity: number;
  readonly #digestKey = randomBytes(32);
  /** Oldest use first. */
  readonly #entries = new Map<string, Promise<ScramKeys>>();

  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * The keys for one password at one target, derived or remembered.
   *
   * @param iterations 1 … 1 000 000, checked by the caller.
   * @returns Keys as `scramKeys` gives them, of the password after SASLprep.
   * @throws What node:crypto throws; nothing is remembered then.
   * @see RFC 5802 §3
   */
  get(password: Secret, salt: Buffer, iterations: number): Promise<ScramKeys> {
    const key = this.#digest(password, salt, iterations);
    const entry = this.#entries.get(key) ?? this.#derive(key, password, salt, iterations);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#capacity) this.#entries.delete(this.#entries.keys().next().value!);
    return entry;
  }

  #derive(key: string, password: Secret, salt: Buffer, iterations: number): Promise<ScramKeys> {
    const keys = derive(saslprep(password.expose()), salt, iterations, 32, 'sha256').then(scramKeys);
    keys.catch(() => this.#entries.delete(key));
    return keys;
  }

  #digest(password: Secret, salt: Buffer, iterations: number): string {
    const digest = createHmac('sha256', this.#digestKey).update(`${iterations}:${salt.toString('base64')}:`);
    return digest.update(password.expose(), 'utf8').digest('base64');
  }
}
