/**
 * Where a login rests between two commands: the system's keychain, or an owner-only encrypted file.
 */
import { HoopError } from '../../core/errors.ts';

/** keytar's interface, so that any keychain library fits behind it. */
export interface SecretStore {
  readonly kind: SecretStoreKind;
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  /** True if there was one. */
  deletePassword(service: string, account: string): Promise<boolean>;
}

export type SecretStoreKind = 'keychain' | 'file';

export const SECRET_SERVICE = 'hoopctl';

/**
 * Reads `HOOPCTL_SECRET_STORE`.
 *
 * @returns `auto` (keychain if there is a working one, else file), `keychain` or `file`.
 * @throws {HoopError} `ERR_CONFIG` any other word.
 */
export function wantedStore(env: NodeJS.ProcessEnv): 'auto' | SecretStoreKind {
  const word = env['HOOPCTL_SECRET_STORE'] || 'auto';
  if (word === 'auto' || word === 'keychain' || word === 'file') return word;
  throw new HoopError('ERR_CONFIG', `HOOPCTL_SECRET_STORE is "${word}"`, {
    hint: 'use auto, keychain or file',
  });
}

/** Opens the store that a profile's login was put in. The keychain's library is loaded only if it is the one. */
export async function openStore(kind: SecretStoreKind, directory: string): Promise<SecretStore> {
  if (kind === 'keychain') {
    const { openKeychain } = await import('./keychain-store.ts');
    return openKeychain();
  }
  const { FileSecretStore } = await import('./file-secret-store.ts');
  return new FileSecretStore(directory);
}

/**
 * Chooses the store for a new login. With `auto` the keychain must prove itself by a real round trip: libraries load
 * fine where no daemon answers.
 *
 * @returns The store, and why it is not the keychain, if it is not.
 */
export async function chooseStore(
  wanted: 'auto' | SecretStoreKind,
  directory: string,
): Promise<{ store: SecretStore; reason?: string }> {
  if (wanted === 'file')
    return { store: await openStore('file', directory), reason: 'HOOPCTL_SECRET_STORE=file' };
  try {
    const keychain = await openStore('keychain', directory);
    const probe = `probe ${process.pid}`;
    await keychain.setPassword(SECRET_SERVICE, probe, 'probe');
    await keychain.deletePassword(SECRET_SERVICE, probe);
    return { store: keychain };
  } catch (error) {
    if (wanted === 'keychain') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { store: await openStore('file', directory), reason };
  }
}
