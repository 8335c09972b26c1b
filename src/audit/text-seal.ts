import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { SealKey } from './keys.ts';

const INFO = 'hoop-text-seal/1';
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals texts that are few and must come back whole, such as what waits to be approved: each with AES-256-GCM, under a key
 * derived from the seal key with a salt of its own. What an audit event holds is sealed by `Sealer`, which is made for many
 * and cuts what is too long.
 *
 * @see https://csrc.nist.gov/pubs/sp/800/38/d/final
 */
export class TextSeal {
  readonly #sealKey: SealKey;
  readonly #keys: readonly SealKey[];

  /** @param former Keys that were replaced: nothing more is sealed with them, and what was still opens. */
  constructor(sealKey: SealKey, former: readonly SealKey[] = []) {
    this.#sealKey = sealKey;
    this.#keys = [sealKey, ...former];
  }

  /** @param name Authenticated with it: what was sealed under another name does not open. @returns base64url and dots. */
  seal(text: string, name: string): string {
    const [salt, nonce] = [randomBytes(SALT_BYTES), randomBytes(NONCE_BYTES)];
    const cipher = createCipheriv('aes-256-gcm', keyOf(this.#sealKey, salt), nonce).setAAD(Buffer.from(name));
    const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return [this.#sealKey.id, ...[salt, nonce, data].map((part) => part.toString('base64url'))].join('.');
  }

  /** @returns Undefined where it was sealed with a key that is none of these or under another name, or was changed. Never throws. */
  open(sealed: string, name: string): string | undefined {
    const [id, ...parts] = sealed.split('.');
    const [salt, nonce, data] = parts.map((part) => Buffer.from(part, 'base64url'));
    const key = this.#keys.find((one) => one.id === id);
    if (key === undefined || salt === undefined || nonce === undefined || data === undefined)
      return undefined;
    try {
      const decipher = createDecipheriv('aes-256-gcm', keyOf(key, salt), nonce, {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(name)).setAuthTag(data.subarray(-TAG_BYTES));
      return decipher.update(data.subarray(0, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      return undefined;
    }
  }
}

function keyOf({ key }: SealKey, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, INFO, KEY_BYTES));
}
