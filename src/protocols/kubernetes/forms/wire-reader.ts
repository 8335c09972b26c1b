/** One field of a message: its number, how its value is written, and the value. */
export type WireField =
  | { readonly number: number; readonly form: 'number'; readonly value: bigint }
  | { readonly number: number; readonly form: 'octets'; readonly value: Uint8Array };

/** What cannot be read, and why, for whoever sent it. */
export class Unreadable extends Error {}

/** Octets of a varint: seven bits each. */
const MAX_VARINT = 10;

/**
 * The fields of a message in protobuf, in order: of the two ways to write a value that a cluster's objects have. What is nested is not
 * looked into. Linear.
 *
 * @throws {Unreadable} It is cut short, or written in another way.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export function* wireFields(octets: Uint8Array): Generator<WireField> {
  const reader = new WireReader(octets);
  while (!reader.ended) {
    const tag = reader.varint();
    const number = Number(tag >> 3n);
    const way = Number(tag & 7n);
    if (way === 0) yield { number, form: 'number', value: BigInt.asIntN(64, reader.varint()) };
    else if (way === 2) yield { number, form: 'octets', value: reader.octets() };
    else throw new Unreadable('the protobuf has a value of a form that no object has');
  }
}

class WireReader {
  readonly #octets: Uint8Array;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  get ended(): boolean {
    return this.#at >= this.#octets.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let place = 0; place < MAX_VARINT; place++) {
      const octet = this.#octets[this.#at++];
      if (octet === undefined) throw new Unreadable('the protobuf is cut short');
      value |= BigInt(octet & 0x7f) << BigInt(7 * place);
      if (octet < 0x80) return value;
    }
    throw new Unreadable('the protobuf has a number that is too long');
  }

  octets(): Uint8Array {
    const length = this.varint();
    if (length > BigInt(this.#octets.length - this.#at)) throw new Unreadable('the protobuf is cut short');
    const end = this.#at + Number(length);
    const octets = this.#octets.subarray(this.#at, end);
    this.#at = end;
    return octets;
  }
}
