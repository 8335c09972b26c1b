import { HoopError } from '../../core/errors.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

export const PROTOCOL_3_0 = 0x0003_0000;
export const PROTOCOL_3_2 = 0x0003_0002;

/** Longest startup packet, octets without its length: the server's own MAX_STARTUP_PACKET_LENGTH. */
const MAX_STARTUP_BYTES = 10_000;

const CANCEL_REQUEST = 80_877_102;
const SSL_REQUEST = 80_877_103;
const GSS_ENC_REQUEST = 80_877_104;
/** Options of the protocol itself, not settings of the session. */
const PROTOCOL_OPTION = '_pq_.';

/** What a frontend sends before any typed message. */
export type StartupPacket = StartupMessage | SSLRequest | GSSENCRequest | CancelRequest;

export interface StartupMessage {
  readonly name: 'StartupMessage';
  /** Major in the upper 16 bits, always 3; any minor: answer one above 3.2 with NegotiateProtocolVersion. */
  readonly version: number;
  /** In the order sent, each name once, with what was given last; `user` is always there. Without the protocol's own options. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Those whose names begin with `_pq_.`, to be answered with NegotiateProtocolVersion if unknown. */
  readonly protocolOptions: ReadonlyMap<string, string>;
}

interface SSLRequest {
  readonly name: 'SSLRequest';
}

interface GSSENCRequest {
  readonly name: 'GSSENCRequest';
}

export interface CancelRequest {
  readonly name: 'CancelRequest';
  readonly processId: number;
  /** 4 … 256 octets. */
  readonly key: Buffer;
}

/**
 * Splits off the packets of the startup phase, which have a length but no type.
 *
 * Holds at most one packet of 10 000 octets and what was pushed behind it. Once a StartupMessage was taken, what is left
 * belongs to the typed messages: hand `takeRest` to a `Framer`. What is left behind an SSLRequest was sent before
 * encryption and must end the connection (CVE-2021-23214).
 */
export class StartupFramer {
  #held: Buffer = Buffer.alloc(0);

  /** Adds bytes in order of arrival. Copied: the packet is too small for the cost to matter. Never throws. */
  push(chunk: Uint8Array): void {
    this.#held = Buffer.concat([this.#held, chunk]);
  }

  /**
   * The next complete packet.
   *
   * @returns A packet, or `undefined` when more bytes are needed.
   * @throws {HoopError} `ERR_MESSAGE_LENGTH` length below 8 or above 10 004; otherwise as `decodeStartup`. Close the
   *   connection.
   * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
   */
  next(): StartupPacket | undefined {
    if (this.#held.length < 4) return undefined;
    const length = this.#held.readInt32BE(0);
    if (length < 8 || length > 4 + MAX_STARTUP_BYTES) {
      throw new HoopError('ERR_MESSAGE_LENGTH', `a startup packet cannot have the length ${length}`);
    }
    if (this.#held.length < length) return undefined;
    const packet = decodeStartup(this.#held.subarray(4, length));
    this.#held = this.#held.subarray(length);
    return packet;
  }

  /** Gives back every octet that no packet has taken, and forgets it. */
  takeRest(): Buffer {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return rest;
  }
}

/**
 * Reads the body of a startup packet.
 *
 * @param body What follows the length; `key` of a cancel request is a view of it. Pure.
 * @returns The packet; `name` tells which.
 * @throws {HoopError} `ERR_UNSUPPORTED` protocol 2.0 or another major version; `ERR_PROTOCOL` malformed, no
 *   `user`.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function decodeStartup(body: Buffer): StartupPacket {
  const reader = new Reader('startup', body);
  const version = reader.uint32();
  if (version === CANCEL_REQUEST) return readCancel(reader);
  if (version === SSL_REQUEST || version === GSS_ENC_REQUEST) {
    reader.end();
    return { name: version === SSL_REQUEST ? 'SSLRequest' : 'GSSENCRequest' };
  }
  if (version >>> 16 !== 3) {
    const asked = `${version >>> 16}.${version & 0xffff}`;
    throw new HoopError(
      'ERR_UNSUPPORTED',
      `unsupported frontend protocol ${asked}: 3.0 to 3.2 are spoken here`,
    );
  }
  return readStartupMessage(version, reader);
}

function readCancel(reader: Reader): CancelRequest {
  const processId = reader.int32();
  const key = reader.rest();
  if (key.length < 4 || key.length > 256) reader.fail('the cancel key is not of 4 to 256 octets');
  return { name: 'CancelRequest', processId, key };
}

function readStartupMessage(version: number, reader: Reader): StartupMessage {
  const [parameters, protocolOptions] = [new Map<string, string>(), new Map<string, string>()];
  for (let key = reader.string(); key !== ''; key = reader.string()) {
    const into = key.startsWith(PROTOCOL_OPTION) ? protocolOptions : parameters;
    // Of a name given twice the server takes the last, in the place of the last: spellings of one name may differ.
    into.delete(key);
    into.set(key, reader.string());
  }
  reader.end();
  if ((parameters.get('user') ?? '') === '') reader.fail('no user is named');
  return { name: 'StartupMessage', version, parameters, protocolOptions };
}

/**
 * Writes a startup packet. Pure.
 *
 * @param packet Of a StartupMessage, parameters come first, then the protocol's options.
 * @returns The whole packet, length included.
 * @throws {HoopError} `ERR_PROTOCOL` if a name is empty or holds a NUL; `ERR_MESSAGE_LENGTH` if it is longer than a
 *   server takes.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export function encodeStartup(packet: StartupPacket): Buffer {
  const writer = new Writer(packet.name, undefined);
  if (packet.name === 'StartupMessage') writeStartupMessage(writer, packet);
  else if (packet.name === 'CancelRequest') {
    writer.uint32(CANCEL_REQUEST).int32(packet.processId).bytes(packet.key);
  } else writer.uint32(packet.name === 'SSLRequest' ? SSL_REQUEST : GSS_ENC_REQUEST);
  const bytes = writer.finish();
  if (bytes.length <= 4 + MAX_STARTUP_BYTES) return bytes;
  throw new HoopError(
    'ERR_MESSAGE_LENGTH',
    `the startup parameters are longer than ${MAX_STARTUP_BYTES} octets`,
  );
}

function writeStartupMessage(writer: Writer, packet: StartupMessage): void {
  writer.uint32(packet.version);
  for (const [key, value] of [...packet.parameters, ...packet.protocolOptions]) {
    // An empty name would end the list: the rest would be read as something else.
    if (key === '') throw new HoopError('ERR_PROTOCOL', 'a startup parameter has no name');
    writer.string(key).string(value);
  }
  writer.byte(0);
}
