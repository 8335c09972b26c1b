import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileSecretStore } from '../../../src/client/store/file-secret-store.ts';
import {
  KeychainSecretStore,
  type KeyringEntry,
  type KeyringModule,
  type KeyringOptions,
} from '../../../src/client/store/keychain-store.ts';
import { readPrivateFile, writePrivateFile } from '../../../src/client/store/private-files.ts';
import { chooseStore, wantedStore } from '../../../src/client/store/secret-store.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hoopctl-secrets-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the encrypted file', () => {
  test('keeps, replaces, lists nothing in the clear, and deletes', async () => {
    const store = new FileSecretStore(directory);
    expect(await store.getPassword('s', 'a')).toBeNull();
    await store.setPassword('s', 'a', 'first secret');
    await store.setPassword('s', 'a', 'second secret');
    await store.setPassword('s', 'b', 'other');
    expect(await new FileSecretStore(directory).getPassword('s', 'a')).toBe('second secret');
    for (const name of await readdir(join(directory, 'secrets'))) {
      const path = join(directory, 'secrets', name);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect((await readFile(path)).includes('secret')).toBe(false);
    }
    expect((await stat(join(directory, 'secrets'))).mode & 0o777).toBe(0o700);
    expect(await store.deletePassword('s', 'a')).toBe(true);
    expect(await store.deletePassword('s', 'a')).toBe(false);
    expect(await store.getPassword('s', 'b')).toBe('other');
  });

  test('is refused once group or others may read it, or the key', async () => {
    const store = new FileSecretStore(directory);
    await store.setPassword('s', 'a', 'x');
    for (const name of await readdir(join(directory, 'secrets'))) {
      const path = join(directory, 'secrets', name);
      await chmod(path, 0o640);
      await expect(store.getPassword('s', 'a')).rejects.toMatchObject({
        code: 'ERR_CONFIG',
        hint: `run: chmod 600 ${path}`,
      });
      await chmod(path, 0o600);
    }
    expect(await store.getPassword('s', 'a')).toBe('x');
  });

  test('one changed bit, a swapped file or a lost key is damage, not a secret', async () => {
    const store = new FileSecretStore(directory);
    await store.setPassword('s', 'a', 'x');
    const [name] = (await readdir(join(directory, 'secrets'))).filter((file) => file.endsWith('.sealed'));
    const path = join(directory, 'secrets', name!);
    const good = await readFile(path);
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at]! ^= 1;
      await writeFile(path, bad);
      await expect(store.getPassword('s', 'a')).rejects.toMatchObject({ code: 'ERR_NOT_LOGGED_IN' });
    }
    await store.setPassword('s', 'b', 'y');
    const other = (await readdir(join(directory, 'secrets'))).find(
      (file) => file.endsWith('.sealed') && file !== name,
    );
    await writeFile(path, await readFile(join(directory, 'secrets', other!)));
    await expect(store.getPassword('s', 'a')).rejects.toMatchObject({ code: 'ERR_NOT_LOGGED_IN' });
    await rm(join(directory, 'secrets', 'key'));
    await expect(store.getPassword('s', 'b')).rejects.toMatchObject({ code: 'ERR_NOT_LOGGED_IN' });
  });

  test('two first writers agree on one key', async () => {
    const stores = Array.from({ length: 8 }, () => new FileSecretStore(directory));
    await Promise.all(stores.map((store, i) => store.setPassword('s', `a${i}`, `secret ${i}`)));
    const read = await Promise.all(stores.map((store, i) => store.getPassword('s', `a${i}`)));
    expect(read).toEqual(stores.map((_, i) => `secret ${i}`));
  });
});

test('a link in the place of a private file is not followed', async () => {
  await writePrivateFile(join(directory, 'real'), 'x');
  await symlink(join(directory, 'real'), join(directory, 'link'));
  await expect(readPrivateFile(join(directory, 'link'), 100)).rejects.toThrow('symbolic link');
  await expect(readPrivateFile(join(directory, 'real'), 0)).rejects.toThrow('larger than');
  await writePrivateFile(join(directory, 'link'), 'y');
  expect(await readFile(join(directory, 'real'), 'utf8')).toBe('x');
});

/** A keychain in memory with the library's shape, which notes the options it was made with. */
function keyring(behaviour: Partial<KeyringEntry> = {}) {
  const seen: (KeyringOptions | undefined)[] = [];
  const kept = new Map<string, string>();
  class AsyncEntry implements KeyringEntry {
    readonly #name: string;
    constructor(service: string, account: string, options?: KeyringOptions) {
      this.#name = `${service}/${account}`;
      seen.push(options);
      Object.assign(this, behaviour);
    }
    async getPassword() {
      return kept.get(this.#name);
    }
    async setPassword(password: string) {
      kept.set(this.#name, password);
    }
    async deletePassword() {
      return kept.delete(this.#name);
    }
  }
  return { module: { AsyncEntry } satisfies KeyringModule, seen };
}

describe('the keychain', () => {
  test('is pinned to the secret service at every call', async () => {
    const { module, seen } = keyring();
    const store = new KeychainSecretStore(module, 1000);
    await store.setPassword('hoopctl', 'a', 'x');
    expect(await store.getPassword('hoopctl', 'a')).toBe('x');
    expect(await store.getPassword('hoopctl', 'b')).toBeNull();
    expect(await store.deletePassword('hoopctl', 'a')).toBe(true);
    expect(seen).toHaveLength(4);
    expect(seen.every((options) => options?.linux.store === 'secret-service')).toBe(true);
  });

  test('that is locked does not hang: it is told to stop and given up', async () => {
    let aborted = false;
    const hang = (signal?: AbortSignal) =>
      new Promise<never>(() => {
        signal?.addEventListener('abort', () => {
          aborted = true;
        });
      });
    const store = new KeychainSecretStore(keyring({ getPassword: hang }).module, 30);
    await expect(store.getPassword('hoopctl', 'a')).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      hint: 'unlock it, or log in again with HOOPCTL_SECRET_STORE=file',
    });
    expect(aborted).toBe(true);
  });

  test('the real library refuses the pinned store where there is none, instead of using another', async () => {
    const { openKeychain } = await import('../../../src/client/store/keychain-store.ts');
    const bus = process.env['DBUS_SESSION_BUS_ADDRESS'];
    process.env['DBUS_SESSION_BUS_ADDRESS'] = 'unix:path=/nonexistent/bus';
    try {
      const store = await openKeychain(3_000);
      await expect(store.setPassword('hoopctl-test', 'nobody', 'x')).rejects.toMatchObject({
        code: 'ERR_CONFIG',
      });
    } finally {
      if (bus === undefined) delete process.env['DBUS_SESSION_BUS_ADDRESS'];
      else process.env['DBUS_SESSION_BUS_ADDRESS'] = bus;
    }
  });
});

test('HOOPCTL_SECRET_STORE chooses, and takes no other word', async () => {
  expect(wantedStore({})).toBe('auto');
  expect((await chooseStore('file', directory)).store.kind).toBe('file');
  expect(() => wantedStore({ HOOPCTL_SECRET_STORE: 'plain' })).toThrow('HOOPCTL_SECRET_STORE');
});
