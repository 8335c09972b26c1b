/**
 * The system's keychain through `@napi-rs/keyring`: optional, loaded late, never waited for without end.
 */
import { createRequire } from 'node:module';
import { HoopError } from '../../core/errors.ts';
import type { SecretStore } from './secret-store.ts';

/** What we use of `@napi-rs/keyring`; tests hand in their own. */
export interface KeyringModule {
  readonly AsyncEntry: new (service: string, account: string, options?: KeyringOptions) => KeyringEntry;
}

export interface KeyringEntry {
  getPassword(signal?: AbortSignal): Promise<string | null | undefined>;
  setPassword(password: string, signal?: AbortSignal): Promise<void>;
  deletePassword(signal?: AbortSignal): Promise<boolean>;
}

/**
 * Linux must be pinned: left alone, the library falls back without a word to the kernel's keyring, which forgets
 * everything at a reboot.
 */
const KEYRING_OPTIONS = { linux: { store: 'secret-service' } } as const;
export type KeyringOptions = typeof KEYRING_OPTIONS;

/** A locked keyring on a machine with a display waits for somebody to type; nobody may be there. */
const KEYCHAIN_TIMEOUT_MS = 5_000;

/**
 * Loads the keychain library.
 *
 * @throws {HoopError} `ERR_CONFIG` it is not installed or does not load on this platform.
 */
export async function openKeychain(timeoutMs = KEYCHAIN_TIMEOUT_MS): Promise<SecretStore> {
  return new KeychainSecretStore(loadLibrary(), timeoutMs);
}

/** By `require` at run time: it chooses among binaries of many platforms, which no bundler may try to follow. */
function loadLibrary(): KeyringModule {
  try {
    return createRequire(import.meta.url)('@napi-rs/keyring') as KeyringModule;
  } catch (error) {
    throw new HoopError('ERR_CONFIG', 'this installation has no keychain library', { cause: error });
  }
}

export class KeychainSecretStore implements SecretStore {
  readonly kind = 'keychain';
  readonly #module: KeyringModule;
  readonly #timeoutMs: number;

  constructor(module: KeyringModule, timeoutMs: number) {
    this.#module = module;
    this.#timeoutMs = timeoutMs;
  }

  async getPassword(service: string, account: string): Promise<string | null> {
    return (await this.#bounded(service, account, (entry, signal) => entry.getPassword(signal))) ?? null;
  }

  async setPassword(service: string, account: string, password: string): Promise<void> {
    await this.#bounded(service, account, (entry, signal) => entry.setPassword(password, signal));
  }

  async deletePassword(service: string, account: string): Promise<boolean> {
    return this.#bounded(service, account, (entry, signal) => entry.deletePassword(signal));
  }

  /** The signal frees the library; the race frees us even if the library is stuck in the daemon's answer. */
  async #bounded<T>(
    service: string,
    account: string,
    call: (entry: KeyringEntry, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${this.#timeoutMs / 1000} s; it may be locked`));
        abort.abort();
      }, this.#timeoutMs);
    });
    try {
      const entry = new this.#module.AsyncEntry(service, account, KEYRING_OPTIONS);
      return await Promise.race([call(entry, abort.signal), late]);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new HoopError('ERR_CONFIG', `the keychain cannot be used: ${why}`, {
        hint: 'unlock it, or log in again with HOOPCTL_SECRET_STORE=file',
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }
}
