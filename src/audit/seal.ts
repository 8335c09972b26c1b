import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { HoopError } from '../core/errors.ts';
import type { EventInput, SealedText } from './event.ts';
import type { SealKey } from './keys.ts';
import type { RandomPool } from './random.ts';
import { cutText, jsonBytes } from './text.ts';

/** What is sealed of one event, at most, octets of its text before escaping. */
export const MAX_ORIGINAL_BYTES = 1024 * 1024;
/** Random 96-bit nonces under one key: 2^28 of them meet with a probability below 2^-40. */
const SEALS_PER_DATA_KEY = 2 ** 28;
const TAG_BYTES = 16;

type Original = NonNullable<EventInput['original']>;

/** An original as it comes out of the seal. `cut`: it was longer than `MAX_ORIGINAL_BYTES`. */
export interface Unsealed extends Original {
  readonly cut?: boolean;
}

/**
 * Seals originals under data keys derived from the seal key: HKDF-SHA-256 with a fresh random salt per sealer (so per
 * start of the gateway), and again after 2^28 seals.
 *
 * The text is JSON `{statement, parameters, cut}`. Its length shows in the ciphertext's; nothing else does.
 */
export class Sealer {
  readonly #sealKey: SealKey;
  readonly #random: RandomPool;
  #dataKey: { readonly keyId: string; readonly key: KeyObject } | undefined;
  #seals = 0;

  constructor(sealKey: SealKey, random: RandomPool) {
    this.#sealKey = sealKey;
    this.#random = random;
  }

  /** @param eventId Bound as associated data: a sealed text moved to another event does not open. */
  seal(original: Original, eventId: string): { readonly sealed: SealedText; readonly cut: boolean } {
    const { text, cut } = originalText(original);
    const { keyId, key } = this.#currentKey();
    const nonce = this.#random.bytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(Buffer.from(eventId));
    const parts = [cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
    const data = Buffer.concat(parts).toString('base64url');
    return { sealed: { keyId, nonce: nonce.toString('base64url'), data }, cut };
  }

  #currentKey(): { readonly keyId: string; readonly key: KeyObject } {
    if (this.#dataKey === undefined || ++this.#seals > SEALS_PER_DATA_KEY) {
      const salt = this.#random.bytes(16).toString('base64url');
      this.#dataKey = { keyId: `${this.#sealKey.id}.${salt}`, key: deriveKey(this.#sealKey, salt) };
      this.#seals = 1;
    }
    return this.#dataKey;
  }
}

/**
 * Opens what was sealed with an event. Whoever calls it must have been allowed `cleartext.view`, on record.
 *
 * @param keys The seal key in force and those before it.
 * @throws {HoopError} `ERR_VERIFY` no key with that id, or the ciphertext, the nonce or the event's id was changed.
 */
export function unseal(sealed: SealedText, eventId: string, keys: readonly SealKey[]): Unsealed {
  const [id, salt] = sealed.keyId.split('.');
  const sealKey = keys.find((key) => key.id === id);
  if (sealKey === undefined || salt === undefined) {
    const detail = `seal key ${id} is not at hand`;
    throw new HoopError('ERR_VERIFY', 'the original cannot be opened: its seal key is not at hand', {
      detail,
    });
  }
  try {
    const data = Buffer.from(sealed.data, 'base64url');
    const nonce = Buffer.from(sealed.nonce, 'base64url');
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv('aes-256-gcm', deriveKey(sealKey, salt), nonce, options);
    decipher.setAAD(Buffer.from(eventId));
    decipher.setAuthTag(data.subarray(-TAG_BYTES));
    const text = decipher.update(data.subarray(0, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    return JSON.parse(text) as Unsealed;
  } catch (cause) {
    throw new HoopError('ERR_VERIFY', 'the sealed original was changed', { cause });
  }
}

function deriveKey(sealKey: SealKey, salt: string): KeyObject {
  const octets = hkdfSync('sha256', sealKey.key, Buffer.from(salt, 'base64url'), 'hoop-audit-seal/1', 32);
  return createSecretKey(Buffer.from(octets));
}

/** The statement first, then parameters in order, until the octets are used up. */
function originalText(original: Original): { readonly text: string; readonly cut: boolean } {
  const { statement, parameters } = original;
  const units = (parameters ?? []).reduce((sum, value) => sum + (value?.length ?? 1), statement?.length ?? 0);
  if (units * 6 <= MAX_ORIGINAL_BYTES) return { text: JSON.stringify({ statement, parameters }), cut: false };
  const kept = cutOriginal(original);
  return { text: JSON.stringify(kept), cut: kept.cut === true };
}

function cutOriginal({ statement, parameters }: Original): Unsealed {
  let left = MAX_ORIGINAL_BYTES;
  let cut = false;
  const take = (text: string): string => {
    const part = cutText(text, left);
    left -= jsonBytes(part.text);
    cut ||= part.cut;
    return part.text;
  };
  const keptStatement = statement === undefined ? {} : { statement: take(statement) };
  const kept: (string | null)[] = [];
  for (const value of parameters ?? []) {
    cut ||= left <= 0;
    if (cut) break;
    left -= 4;
    kept.push(value === null ? null : take(value));
  }
  const keptParameters = parameters === undefined ? {} : { parameters: kept };
  return { ...keptStatement, ...keptParameters, ...(cut ? { cut } : {}) };
}
