/**
 * The packets of SFTP version 3: `u32 length, u8 type, u32 id, fields`. Pure.
 *
 * @see draft-ietf-secsh-filexfer-02 §3; OpenSSH, PROTOCOL §4
 */
import { HoopError } from '../../../core/errors.ts';
import { string, uint32 } from '../../../wire/ssh/fields.ts';

export const PACKET = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 200,
  extendedReply: 201,
} as const;

/** Words of a `status`, by number; in evidence as `SSH_FX_…`. */
const STATUS = {
  ok: 0,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  opUnsupported: 8,
} as const;
export type StatusWord = keyof typeof STATUS;

const STATUS_NAMES = [
  ...['OK', 'EOF', 'NO_SUCH_FILE', 'PERMISSION_DENIED', 'FAILURE', 'BAD_MESSAGE', 'NO_CONNECTION'],
  ...['CONNECTION_LOST', 'OP_UNSUPPORTED'],
];

/** The only version that is spoken. */
export const VERSION = 3;
/** What OpenSSH takes (`SFTP_MAX_MSG_LENGTH`), octets behind the length. */
const MAX_PACKET = 256 * 1024;
/** Pieces that are no longer together are held as one: each would cost more than it holds. */
const SMALL_BYTES = 1024;
/** The length, the type and the id. */
export const HEAD_BYTES = 9;

/**
 * Puts one side's octets together to whole packets, one at a time: what is not asked for is kept as it came. Linear, however
 * the octets are cut.
 */
export class PacketFramer {
  #chunks: Buffer[] = [];
  /** Octets that were added and not given. */
  waitingBytes = 0;

  /** @param chunk Not to be changed afterwards. */
  add(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.waitingBytes += chunk.length;
    const last = this.#chunks.at(-1);
    if (last === undefined || last.length + chunk.length > SMALL_BYTES) this.#chunks.push(chunk);
    else this.#chunks[this.#chunks.length - 1] = Buffer.concat([last, chunk]);
  }

  /**
   * @returns The next whole packet, its length before it: a view of what came where it came in one piece. Undefined: not yet.
   * @throws {HoopError} `ERR_MESSAGE_LENGTH` a length is none that a packet has: nothing more can be read.
   */
  next(): Buffer | undefined {
    if (this.waitingBytes < 4) return undefined;
    const length = this.#first(4).readUInt32BE(0);
    if (length < HEAD_BYTES - 4 || length > MAX_PACKET)
      throw new HoopError('ERR_MESSAGE_LENGTH', `a packet of SFTP cannot have ${length} octets`);
    if (this.waitingBytes < 4 + length) return undefined;
    const first = this.#first(4 + length);
    const rest = first.subarray(4 + length);
    if (rest.length === 0) this.#chunks.shift();
    else this.#chunks[0] = rest;
    this.waitingBytes -= 4 + length;
    return first.subarray(0, 4 + length);
  }

  /** The first chunk, made so long; so much is there. */
  #first(bytes: number): Buffer {
    let [length, count] = [0, 0];
    while (length < bytes) length += this.#chunks[count++]!.length;
    if (count > 1) this.#chunks.splice(0, count, Buffer.concat(this.#chunks.slice(0, count), length));
    return this.#chunks[0]!;
  }
}

export function typeOf(packet: Buffer): number {
  return packet[4]!;
}

/** Of `init` and `version` it is the version. */
export function idOf(packet: Buffer): number {
  return packet.readUInt32BE(5);
}

export function bodyOf(packet: Buffer): Buffer {
  return packet.subarray(HEAD_BYTES);
}

/** One packet of these fields. */
export function packet(type: number, id: number, ...fields: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([Buffer.of(type), uint32(id), ...fields]);
  return Buffer.concat([uint32(body.length), body]);
}

/** An answer of the gateway's own. */
export function statusPacket(id: number, word: StatusWord, text: string): Buffer {
  return packet(PACKET.status, id, uint32(STATUS[word]), string(text), string('en'));
}

/** `SSH_FX_NO_SUCH_FILE`; undefined: it is no status, or says that all went well. */
export function failureOf(answer: Buffer): string | undefined {
  if (typeOf(answer) !== PACKET.status || answer.length < HEAD_BYTES + 4) return undefined;
  const code = answer.readUInt32BE(HEAD_BYTES);
  return code === STATUS.ok ? undefined : `SSH_FX_${STATUS_NAMES[code] ?? code}`;
}
