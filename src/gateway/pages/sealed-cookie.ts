import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Longer ones are not opened, characters. */
const MAX_CHARS = 2048;

/**
 * What a browser keeps for hoopd and can neither read nor make: sealed under a key of this start, so that strangers who
 * begin and never finish cost no memory. A restart makes all of it worthless.
 */
export class SealedCookie {
  readonly #key = randomBytes(32);

  /** @param expiresAt ms since the epoch. */
  seal(value: object, expiresAt: number): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    const sealed = [cipher.update(JSON.stringify({ value, expiresAt })), cipher.final()];
    return Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString('base64url');
  }

  /** @returns What was sealed; undefined if it is not ours, or too old. Never throws. */
  open(text: string, now: number): unknown {
    if (text.length > MAX_CHARS) return undefined;
    const octets = Buffer.from(text, 'base64url');
    if (octets.length <= IV_BYTES + TAG_BYTES) return undefined;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, octets.subarray(0, IV_BYTES));
      decipher.setAuthTag(octets.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      const opened = Buffer.concat([
        decipher.update(octets.subarray(IV_BYTES + TAG_BYTES)),
        decipher.final(),
      ]);
      const { value, expiresAt } = JSON.parse(opened.toString()) as { value: unknown; expiresAt: number };
      return now < expiresAt ? value : undefined;
    } catch {
      return undefined;
    }
  }
}
