import { createHmac, hkdfSync, type KeyObject } from 'node:crypto';

/** 80 bits: among a million million values one in a hundred million shares its pseudonym with another. */
const DIGITS = 16;
const INFO = 'hoop-pseudonyms/1';
/** Of base 32, without letters that are read as digits. */
const ALPHABET = 'abcdefghjkmnpqrstvwxyz0123456789';

/** The key of all pseudonyms of a gateway: made of its seal key, kept in memory alone. Replicas with one seal key have one. */
export class PseudonymKey {
  readonly #root: Buffer;

  constructor(sealKey: KeyObject) {
    this.#root = Buffer.from(hkdfSync('sha256', sealKey, '', INFO, 32));
  }

  /**
   * Pseudonyms of one domain.
   *
   * @param scope For whom they are the same, in this order: who sees them, in which run, at which resource.
   * @param domain Values that may be compared with each other.
   */
  of(scope: readonly string[], domain: string): Pseudonyms {
    const key = createHmac('sha256', this.#root)
      .update(JSON.stringify([...scope, domain]))
      .digest();
    return new Pseudonyms(domain, key);
  }
}

/** A mask: what stands for the values of one domain, equal for equal values, of a length that says nothing. */
export class Pseudonyms {
  readonly domain: string;
  readonly #key: Buffer;

  constructor(domain: string, key: Buffer) {
    this.domain = domain;
    this.#key = key;
  }

  /** `anon_` and 16 letters and digits. */
  text(value: Uint8Array): string {
    const octets = this.#octetsOf('text', value);
    let digits = '';
    for (let at = 0; at < DIGITS; at++) digits += ALPHABET[octets[at]! & 31];
    return `anon_${digits}`;
  }

  /** 16 octets of a UUID that nobody takes for a true one: `ffffffff-….-8…`, the version that is nobody's. @param value Its 16 octets. */
  uuid(value: Uint8Array): Uint8Array {
    const octets = this.#octetsOf('uuid', value).subarray(0, 16);
    octets.fill(0xff, 0, 4);
    octets[6] = 0x80 | (octets[6]! & 0x0f);
    octets[8] = 0x80 | (octets[8]! & 0x3f);
    return octets;
  }

  #octetsOf(kind: string, value: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(`${kind}\0`).update(value).digest();
  }
}

const UUID = /^[{]?([0-9a-f]{4}-?){7}[0-9a-f]{4}[}]?$/i;

/** The octets of a UUID in text; undefined: it is none. */
export function uuidOctets(text: string): Buffer | undefined {
  return UUID.test(text) ? Buffer.from(text.replace(/[{}-]/g, ''), 'hex') : undefined;
}

/** As servers write it. */
export function uuidText(octets: Uint8Array): string {
  return Buffer.from(octets)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.*)$/, '$1-$2-$3-$4-$5');
}
