import { HoopError } from '../../core/errors.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** What every message value has: the protocol's own name of it. */
export interface Message {
  readonly name: string;
}

/** A message's fields, for whoever makes one. */
export type Fields<M extends Message> = Omit<M, 'name'>;

/**
 * Bytes ⇄ value for one kind of message. `encode(decode(body))` is the same message, octet for octet.
 *
 * Pure. Buffers in a decoded value are views of `body`, not copies.
 */
export interface Codec<M extends Message> {
  /**
   * Reads what follows type and length; its end is a wall.
   *
   * @throws {HoopError} `ERR_PROTOCOL`, naming the message: ends too early, octets left over, a string without an end
   *   or not UTF-8, a length below −1, a value the protocol does not know. Nothing else is thrown.
   */
  decode(body: Buffer): M;
  /**
   * Writes the whole message, type and length included. Extra properties (`name`) are ignored.
   *
   * @throws {HoopError} `ERR_PROTOCOL` if a number, a count or a string does not fit its field.
   */
  encode(fields: Fields<M>): Buffer;
}

/**
 * Makes a codec from what reads the fields and what writes them.
 *
 * @param type Type octet.
 * @returns A codec whose `decode` refuses octets behind the last field. Never throws.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function codec<M extends Message>(
  name: M['name'],
  type: number,
  read: (reader: Reader) => Fields<M>,
  write: (writer: Writer, fields: Fields<M>) => void,
): Codec<M> {
  return {
    decode(body) {
      const reader = new Reader(name, body);
      const message = read(reader) as Fields<M> & { name: string };
      reader.end();
      // What was read is this message's alone: a copy of it would cost as much as reading it.
      message.name = name;
      return message as unknown as M;
    },
    encode(fields) {
      const writer = new Writer(name, type);
      write(writer, fields);
      return writer.finish();
    },
  };
}

/**
 * Makes the codec of a message that is its type octet and nothing else.
 *
 * @returns A codec; it gives a new buffer at each `encode`. Never throws.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function bare<N extends string>(name: N, type: number): Codec<{ readonly name: N }> {
  return codec<{ readonly name: N }>(
    name,
    type,
    () => ({}),
    () => undefined,
  );
}

interface AnyCodec {
  decode(body: Buffer): Message;
  encode(fields: never): Buffer;
}

/** Any message of a table of codecs. */
export type MessageOf<T extends Readonly<Record<string, AnyCodec>>> = ReturnType<T[keyof T]['decode']>;

/** Codecs by message name, and the type octets by the same names. */
export class CodecTable<T extends Readonly<Record<string, AnyCodec>>> {
  readonly #byName: ReadonlyMap<string, Codec<Message>>;
  readonly #byType: ReadonlyMap<number, Codec<Message>>;

  constructor(codecs: T, types: Readonly<Record<keyof T & string, number>>) {
    const entries = Object.entries(codecs) as [keyof T & string, Codec<Message>][];
    this.#byName = new Map(entries);
    this.#byType = new Map(entries.map(([name, one]) => [types[name], one]));
  }

  /** As `Codec.decode`; also `ERR_MESSAGE_TYPE` for a type octet that is not in the table. */
  decode(type: number, body: Buffer): MessageOf<T> {
    const one = this.#byType.get(type);
    if (one === undefined)
      throw new HoopError('ERR_MESSAGE_TYPE', `unknown message type 0x${type.toString(16)}`);
    return one.decode(body) as MessageOf<T>;
  }

  /** As `Codec.encode`. */
  encode(message: MessageOf<T>): Buffer {
    return this.#byName.get(message.name)!.encode(message);
  }
}
