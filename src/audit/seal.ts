import {
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  hash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { HoopError } from '../core/errors.ts';
import type { Original, SealedText } from './event.ts';
import type { SealKey } from './keys.ts';
import { cutText, jsonBytes } from './text.ts';

/** What is sealed of one event, at most, octets of its text before escaping. */
export const MAX_ORIGINAL_BYTES = 1024 * 1024;
/** Blocks of key stream under one data key: 64 GiB of originals. */
const BLOCKS_PER_DATA_KEY = 2 ** 32;
const BLOCK_BYTES = 16;
/** Key stream made ahead by one call of the cipher. */
const STREAM_BYTES = 16 * 1024;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** An original as it comes out of the seal. */
export interface Unsealed {
  readonly original: Original;
  /** It was longer than `MAX_ORIGINAL_BYTES`. */
  readonly cut: boolean;
}

/**
 * Seals originals under data keys derived from the seal key: HKDF-SHA-256 with a fresh random salt per sealer (so per
 * start of the gateway), and again after 64 GiB. The text is JSON of the original, with `cut: true` where it is not whole; its
 * length shows in the ciphertext's, nothing else does.
 *
 * AES-256 in counter mode, then a tag over event id, place in the key stream and ciphertext. One stream serves thousands
 * of originals, each from a place of its own: an AEAD cipher made for each would cost more than the rest of
 * the event.
 */
export class Sealer {
  readonly #sealKey: SealKey;
  #stream: SealStream | undefined;

  constructor(sealKey: SealKey) {
    this.#sealKey = sealKey;
  }

  /** @param eventId Authenticated with it: a sealed text moved to another event does not open. */
  seal(original: Original, eventId: string): { readonly sealed: SealedText; readonly cut: boolean } {
    const { text, cut } = originalText(original);
    if (this.#stream === undefined || this.#stream.block >= BLOCKS_PER_DATA_KEY)
      this.#stream = new SealStream(this.#sealKey);
    return { sealed: this.#stream.seal(text, eventId), cut };
  }
}

/** One data key, and how far its key stream is used. */
class SealStream {
  readonly #keyId: string;
  readonly #cipher: Cipheriv;
  readonly #macKey: Buffer;
  #ahead = ZEROS;
  #used = STREAM_BYTES;
  /** The next block that nothing was sealed with. */
  block = 0;

  constructor(sealKey: SealKey) {
    const salt = randomBytes(16).toString('base64url');
    const { cipherKey, macKey } = deriveKeys(sealKey, salt);
    this.#keyId = `${sealKey.id}.${salt}`;
    this.#cipher = createCipheriv('aes-256-ctr', cipherKey, counterAt(0));
    this.#macKey = macKey;
  }

  seal(text: string, eventId: string): SealedText {
    const nonce = `${this.block}`;
    const head = macHead(eventId, nonce);
    const start = KEY_BYTES + head.length;
    const end = start + Buffer.byteLength(text);
    const work = Buffer.allocUnsafe(end + TAG_BYTES);
    this.#macKey.copy(work);
    work.write(head, KEY_BYTES, 'latin1');
    work.write(text, start);
    this.#encrypt(work, start, end);
    work.write(tagOf(work.subarray(0, end)), end, 'latin1');
    // What was the key is not left behind in memory that others are given.
    const data = work.toString('base64url', start);
    work.fill(0, 0, KEY_BYTES);
    return { keyId: this.#keyId, nonce, data };
  }

  /** In place. Begins with a block of its own, and leaves what is left of the last one. */
  #encrypt(bytes: Buffer, start: number, end: number): void {
    this.block += Math.ceil((end - start) / BLOCK_BYTES);
    for (let at = start; at < end; ) {
      if (this.#used === STREAM_BYTES) {
        this.#ahead = this.#cipher.update(ZEROS);
        this.#used = 0;
      }
      const taken = Math.min(end - at, STREAM_BYTES - this.#used);
      for (let i = 0; i < taken; i++) bytes[at++]! ^= this.#ahead[this.#used + i]!;
      this.#used += taken;
    }
    this.#used = Math.ceil(this.#used / BLOCK_BYTES) * BLOCK_BYTES;
  }
}

/**
 * A MAC by the key in front of the text: SHA-512/256 gives half of its state away, so that nothing can be appended to what
 * was hashed. One call, where an HMAC takes two.
 *
 * @param keyed The key and what it authenticates.
 * @returns 16 octets as latin1.
 * @see https://doi.org/10.1007/11535218_26 Coron et al., Merkle-Damgård revisited: chop-MD
 */
function tagOf(keyed: Buffer): string {
  return hash('sha512-256', keyed, 'binary').slice(0, TAG_BYTES);
}

const ZEROS = Buffer.alloc(STREAM_BYTES);

function macHead(eventId: string, nonce: string): string {
  return `${eventId}\n${nonce}\n`;
}

/** The counter's value at a block of the key stream. @see https://csrc.nist.gov/pubs/sp/800/38/a/final §6.5 */
function counterAt(block: number): Buffer {
  const counter = Buffer.alloc(BLOCK_BYTES);
  counter.writeBigUInt64BE(BigInt(block), BLOCK_BYTES - 8);
  return counter;
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
    const { cipherKey, macKey } = deriveKeys(sealKey, salt);
    const data = Buffer.from(sealed.data, 'base64url');
    const [ciphertext, tag] = [data.subarray(0, -TAG_BYTES), data.subarray(-TAG_BYTES)];
    const keyed = Buffer.concat([macKey, Buffer.from(macHead(eventId, sealed.nonce)), ciphertext]);
    if (tag.length !== TAG_BYTES || !timingSafeEqual(tag, Buffer.from(tagOf(keyed), 'latin1')))
      throw new Error('the tag is another one');
    const decipher = createDecipheriv('aes-256-ctr', cipherKey, counterAt(Number(sealed.nonce)));
    const { cut = false, ...original } = JSON.parse(decipher.update(ciphertext, undefined, 'utf8'));
    return { original, cut };
  } catch (cause) {
    throw new HoopError('ERR_VERIFY', 'the sealed original was changed', { cause });
  }
}

function deriveKeys(sealKey: SealKey, salt: string): { readonly cipherKey: Buffer; readonly macKey: Buffer } {
  const info = 'hoop-audit-seal/2';
  const octets = Buffer.from(hkdfSync('sha256', sealKey.key, Buffer.from(salt, 'base64url'), info, 64));
  return { cipherKey: octets.subarray(0, 32), macKey: octets.subarray(32) };
}

/** In the order of the names, until the octets are used up. */
function originalText(original: Original): { readonly text: string; readonly cut: boolean } {
  let units = 0;
  for (const name in original) units += unitsOf(original[name]);
  if (units * 6 <= MAX_ORIGINAL_BYTES) return { text: JSON.stringify(original), cut: false };
  const kept = cutOriginal(original);
  return { text: JSON.stringify(kept.cut ? { ...kept.original, cut: true } : kept.original), cut: kept.cut };
}

function unitsOf(value: Original[string] | undefined): number {
  if (value === undefined || typeof value === 'string') return value?.length ?? 0;
  let units = 0;
  for (const text of value) units += text?.length ?? 1;
  return units;
}

function cutOriginal(original: Original): Unsealed {
  let left = MAX_ORIGINAL_BYTES;
  let cut = false;
  const take = (text: string): string => {
    const part = cutText(text, left);
    left -= jsonBytes(part.text);
    cut ||= part.cut;
    return part.text;
  };
  const list = (values: readonly (string | null)[]) => {
    const kept: (string | null)[] = [];
    for (const value of values) {
      cut ||= left <= 0;
      if (cut) break;
      left -= 4;
      kept.push(value === null ? null : take(value));
    }
    return kept;
  };
  const kept = Object.entries(original).map(
    ([name, value]) => [name, typeof value === 'string' ? take(value) : list(value)] as const,
  );
  return { original: Object.fromEntries(kept), cut };
}
