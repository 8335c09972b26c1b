/**
 * Secrets in encrypted files where there is no keychain: containers, CI machines, servers.
 *
 * What that is worth: the key lies in a file beside the secrets, so whoever can read files as this user can read
 * them. It keeps secrets out of backups of single files, greps and careless copies, no more. The permissions
 * (0700, 0600), which are checked at every read, are what keeps other users out.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoopError } from '../../core/errors.ts';
import { ensurePrivateDir, readPrivateFile, writePrivateFile } from './private-files.ts';
import type { SecretStore } from './secret-store.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_FILE_BYTES = 256 * 1024;
const FORMAT = 1;

export class FileSecretStore implements SecretStore {
  readonly kind = 'file';
  readonly #directory: string;

  /** @param directory hoopctl's configuration directory; secrets lie in `secrets` below it. */
  constructor(directory: string) {
    this.#directory = join(directory, 'secrets');
  }

  async getPassword(service: string, account: string): Promise<string | null> {
    const sealed = await readPrivateFile(this.#path(service, account), MAX_FILE_BYTES);
    if (sealed === undefined) return null;
    const key = await this.#readKey();
    if (key === undefined) throw damaged(this.#path(service, account));
    return this.#open(sealed, key, service, account);
  }

  async setPassword(service: string, account: string, password: string): Promise<void> {
    await ensurePrivateDir(this.#directory);
    const key = await this.#makeKey();
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated(service, account));
    const data = [cipher.update(password, 'utf8'), cipher.final()];
    const sealed = Buffer.concat([Buffer.of(FORMAT), nonce, ...data, cipher.getAuthTag()]);
    await writePrivateFile(this.#path(service, account), sealed);
  }

  async deletePassword(service: string, account: string): Promise<boolean> {
    const path = this.#path(service, account);
    try {
      await rm(path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  #open(sealed: Buffer, key: Buffer, service: string, account: string): string {
    const path = this.#path(service, account);
    if (sealed[0] !== FORMAT || sealed.length < 1 + NONCE_BYTES + TAG_BYTES) throw damaged(path);
    const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
    const data = sealed.subarray(1 + NONCE_BYTES, sealed.length - TAG_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associated(service, account)).setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(data), decipher.final()]).toString('utf8');
    } catch (error) {
      throw damaged(path, error);
    }
  }

  async #readKey(): Promise<Buffer | undefined> {
    const key = await readPrivateFile(join(this.#directory, 'key'), KEY_BYTES);
    if (key !== undefined && key.length !== KEY_BYTES) throw damaged(join(this.#directory, 'key'));
    return key;
  }

  /** Two processes may make the first key at once: O_EXCL lets one win, the other reads the winner's. */
  async #makeKey(): Promise<Buffer> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const present = await this.#readKey().catch(() => undefined);
      if (present !== undefined) return present;
      try {
        const key = randomBytes(KEY_BYTES);
        await writeFile(join(this.#directory, 'key'), key, { flag: 'wx', mode: 0o600, flush: true });
        return key;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    // Says what is wrong with it: permissions, owner, length.
    const key = await this.#readKey();
    if (key === undefined) throw damaged(join(this.#directory, 'key'));
    return key;
  }

  #path(service: string, account: string): string {
    const name = createHash('sha256').update(associated(service, account)).digest('hex').slice(0, 32);
    return join(this.#directory, `${name}.sealed`);
  }
}

/** Binds a sealed file to its name: one copied over another does not open. */
function associated(service: string, account: string): Buffer {
  return Buffer.from(`${service}\0${account}`, 'utf8');
}

function damaged(path: string, cause?: unknown): HoopError {
  return new HoopError('ERR_NOT_LOGGED_IN', `the stored login in ${path} is damaged`, {
    hint: 'run: hoopctl logout, then hoopctl login',
    cause,
  });
}
