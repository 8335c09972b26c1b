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
/** The length, the type and the id. */
export const HEAD_BYTES = 9;

/** Puts one side's octets together to whole packets. Holds one that is not whole at most. */
export class PacketFramer {
  #held: Buffer = Buffer.alloc(0);

  /**
   * @returns Whole packets, their lengths before them, in order; views of what came.
   * @throws {HoopError} `ERR_MESSAGE_LENGTH` a length is none that a packet has: nothing more can be read.
   */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const packets: Buffer[] = [];
    let at = 0;
    while (bytes.length - at >= 4) {
      const length = bytes.readUInt32BE(at);
      if (length < HEAD_BYTES - 4 || length > MAX_PACKET)
        throw new HoopError('ERR_MESSAGE_LENGTH', `a packet of SFTP cannot have ${length} octets`);
      if (bytes.length - at - 4 < length) break;
      packets.push(bytes.subarray(at, at + 4 + length));
      at += 4 + length;
    }
    this.#held = bytes.subarray(at);
    return packets;
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
