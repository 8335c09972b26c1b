/**
 * The data types of SSH: what messages, keys and certificates are made of. Pure.
 *
 * @see RFC 4251 §5
 */
import { HoopError } from '../../core/errors.ts';

/** Octets that one string may have: what is read here is keys, names and texts. */
const MAX_STRING_BYTES = 32 * 1024;

/** Reads the fields of one blob in turn; nothing is copied. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Nothing is left. */
  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** @throws {HoopError} `ERR_PROTOCOL`, here and below: the blob is shorter than it says. */
  byte(): number {
    return this.#take(1)[0]!;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE(0);
  }

  uint64(): bigint {
    return this.#take(8).readBigUInt64BE(0);
  }

  /** @throws {HoopError} `ERR_PROTOCOL` also where it is longer than 32 KiB. */
  string(): Buffer {
    const length = this.uint32();
    if (length > MAX_STRING_BYTES) throw malformed();
    return this.#take(length);
  }

  text(): string {
    return this.string().toString('utf8');
  }

  skip(octets: number): void {
    this.#take(octets);
  }

  /** Where the next field begins. */
  get position(): number {
    return this.#at;
  }

  #take(octets: number): Buffer {
    const end = this.#at + octets;
    if (end > this.#bytes.length) throw malformed();
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

function malformed(): HoopError {
  return new HoopError('ERR_PROTOCOL', 'a field of SSH is cut short or too long');
}

/** Four octets, the greatest first. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Eight octets, the greatest first. */
export function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** A length and so many octets; text as UTF-8. */
export function string(value: Uint8Array | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** Fields one behind the other, each a `string`. */
export function strings(...values: readonly (Uint8Array | string)[]): Buffer {
  return Buffer.concat(values.map(string));
}

/** A positive number of any size: as short as can be, its first bit 0. */
export function mpint(value: Uint8Array): Buffer {
  let start = 0;
  while (start < value.length && value[start] === 0) start++;
  const bytes = value.subarray(start);
  return string(bytes.length > 0 && bytes[0]! >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}
