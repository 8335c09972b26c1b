/** Frames of a WebSocket, RFC 6455 §5, without extensions: octets ⇄ pieces of messages and control frames. */

const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const CONTROLS = new Map<number, 'close' | 'ping' | 'pong'>([
  [OPCODE.close, 'close'],
  [OPCODE.ping, 'ping'],
  [OPCODE.pong, 'pong'],
]);

/** Octets of a control frame, RFC 6455 §5.5. */
export const MAX_CONTROL = 125;
/** First octet: the last frame of a message; reserved for extensions; whether it is a control frame. */
const [FIN, RESERVED, CONTROL] = [0x80, 0x70, 0x08];
/** Second octet. */
const MASKED = 0x80;
/** What the second octet says where the length stands behind it. */
const [LENGTH_16, LENGTH_64] = [126, 127];
const MASK_BYTES = 4;
const MAX_HEAD = 2 + 8 + MASK_BYTES;

/** A part of a message, as long as it came in one piece: a message of any length passes without being held. */
export interface MessagePiece {
  readonly kind: 'piece';
  readonly binary: boolean;
  readonly first: boolean;
  readonly last: boolean;
  /** Not masked any more. May be empty. */
  readonly bytes: Buffer;
}

export interface ControlFrame {
  readonly kind: 'close' | 'ping' | 'pong';
  /** At most 125. */
  readonly bytes: Buffer;
}

/** It is no WebSocket, or breaks its rules. Nothing is read behind it. */
export interface FrameFault {
  readonly kind: 'fault';
  /** What the other side is to be told, RFC 6455 §7.4.1. */
  readonly code: 1002 | 1009;
  readonly reason: string;
}

export type FrameEvent = MessagePiece | ControlFrame | FrameFault;

interface FrameHead {
  readonly fin: boolean;
  readonly opcode: number;
  readonly length: number;
  /** Undefined: not masked. */
  readonly mask: Buffer | undefined;
}

/**
 * Reads what one side of a WebSocket sends, in whatever pieces it comes.
 *
 * Pure: holds a head and a control frame at most. What RFC 6455 forbids, and what two readers could take in two ways, is a
 * fault: bits of extensions, unknown opcodes, a length that could be written shorter, masks where there must be none.
 */
export class FrameReader {
  readonly #masked: boolean;
  readonly #head = Buffer.alloc(MAX_HEAD);
  #headLength = 0;
  #frame: FrameHead | undefined;
  /** Octets of the frame's payload that were read. */
  #read = 0;
  #control: Buffer[] = [];
  /** The message that was begun and has not ended. */
  #message: { readonly binary: boolean; begun: boolean } | undefined;
  #dead = false;

  /** @param from Whose frames: a client's are masked, a server's are not. */
  constructor(from: 'client' | 'server') {
    this.#masked = from === 'client';
  }

  /**
   * @param chunk In order of arrival. Kept by what is given for as long as that is.
   * @returns What it completes, in order; pieces of messages as far as they have come. Nothing behind a fault.
   */
  *push(chunk: Buffer): Generator<FrameEvent, void, undefined> {
    for (let at = 0; at < chunk.length && !this.#dead; ) {
      if (this.#frame === undefined) {
        at += this.#gather(chunk, at);
        const head = this.#wholeHead();
        const event = head === undefined ? undefined : this.#begin(head);
        if (event !== undefined) yield event;
      } else {
        const end = Math.min(chunk.length, at + this.#frame.length - this.#read);
        const event = this.#payload(this.#frame, chunk.subarray(at, end));
        at = end;
        if (event !== undefined) yield event;
      }
    }
  }

  /** Takes octets of a head, no more than it needs. @returns How many. */
  #gather(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && this.#headLength < this.#headNeeds())
      this.#head[this.#headLength++] = chunk[at++]!;
    return at - from;
  }

  #headNeeds(): number {
    if (this.#headLength < 2) return 2;
    const second = this.#head[1]!;
    const length = second & ~MASKED;
    const extended = length === LENGTH_16 ? 2 : length === LENGTH_64 ? 8 : 0;
    return 2 + extended + ((second & MASKED) === 0 ? 0 : MASK_BYTES);
  }

  #wholeHead(): FrameHead | FrameFault | undefined {
    const needs = this.#headNeeds();
    if (this.#headLength < needs) return undefined;
    this.#headLength = 0;
    const [first, second] = [this.#head[0]!, this.#head[1]!];
    const length = lengthIn(this.#head, second & ~MASKED);
    if (typeof length === 'object') return length;
    const masked = (second & MASKED) !== 0;
    if (masked !== this.#masked)
      return fault(masked ? 'a server masks a frame' : 'a client does not mask a frame');
    if ((first & RESERVED) !== 0) return fault('a frame is of an extension that was not agreed on');
    const mask = masked ? Buffer.from(this.#head.subarray(needs - MASK_BYTES, needs)) : undefined;
    return { fin: (first & FIN) !== 0, opcode: first & 0x0f, length, mask };
  }

  #begin(head: FrameHead | FrameFault): FrameEvent | undefined {
    const wrong = 'kind' in head ? head : this.#wrongIn(head);
    if (wrong !== undefined || 'kind' in head) {
      this.#dead = true;
      return wrong;
    }
    if (head.opcode === OPCODE.text || head.opcode === OPCODE.binary)
      this.#message = { binary: head.opcode === OPCODE.binary, begun: false };
    this.#frame = head;
    this.#read = 0;
    return head.length === 0 ? this.#payload(head, EMPTY) : undefined;
  }

  #wrongIn({ fin, opcode, length }: FrameHead): FrameFault | undefined {
    if ((opcode & CONTROL) !== 0) {
      if (!CONTROLS.has(opcode)) return fault('a frame is of an unknown kind');
      return fin && length <= MAX_CONTROL ? undefined : fault('a control frame is too long or in parts');
    }
    if (opcode > OPCODE.binary) return fault('a frame is of an unknown kind');
    const goesOn = opcode === OPCODE.continuation;
    if (goesOn === (this.#message !== undefined)) return undefined;
    return fault(goesOn ? 'a frame goes on with no message' : 'a message begins within another');
  }

  #payload(frame: FrameHead, octets: Buffer): FrameEvent | undefined {
    const bytes = frame.mask === undefined ? octets : xored(octets, frame.mask, this.#read);
    this.#read += bytes.length;
    const whole = this.#read === frame.length;
    if (whole) this.#frame = undefined;
    const control = CONTROLS.get(frame.opcode);
    return control === undefined
      ? this.#piece(bytes, whole && frame.fin)
      : this.#controlFrame(control, bytes, whole);
  }

  #piece(bytes: Buffer, last: boolean): MessagePiece | undefined {
    const message = this.#message!;
    const first = !message.begun;
    message.begun = true;
    if (last) this.#message = undefined;
    // Empty frames within a message say nothing.
    if (bytes.length === 0 && !first && !last) return undefined;
    return { kind: 'piece', binary: message.binary, first, last, bytes };
  }

  #controlFrame(kind: ControlFrame['kind'], bytes: Buffer, whole: boolean): ControlFrame | undefined {
    this.#control.push(bytes);
    if (!whole) return undefined;
    const all = Buffer.concat(this.#control);
    this.#control = [];
    return { kind, bytes: all };
  }
}

const EMPTY = Buffer.alloc(0);

function fault(reason: string, code: FrameFault['code'] = 1002): FrameFault {
  return { kind: 'fault', code, reason };
}

/** RFC 6455 §5.2: in as few octets as it can be written in. */
function lengthIn(head: Buffer, short: number): number | FrameFault {
  if (short < LENGTH_16) return short;
  if (short === LENGTH_16) {
    const length = head.readUInt16BE(2);
    return length >= LENGTH_16 ? length : fault('a length is written longer than it is');
  }
  const length = head.readBigUInt64BE(2);
  if (length > BigInt(Number.MAX_SAFE_INTEGER)) return fault('a frame is too long', 1009);
  return length > 0xffffn ? Number(length) : fault('a length is written longer than it is');
}

function xored(octets: Uint8Array, mask: Uint8Array, offset: number): Buffer {
  const out = Buffer.allocUnsafe(octets.length);
  for (let at = 0; at < octets.length; at++) out[at] = octets[at]! ^ mask[(offset + at) & 3]!;
  return out;
}

/** What a frame is of: the first or the next part of a message, or a control frame. */
export type FrameKind = keyof typeof OPCODE;

/**
 * One frame. Pure.
 *
 * @param last Nothing of its message follows; true for control frames.
 * @param bytes Copied. At most 125 octets for a control frame.
 * @param mask Four octets that nobody can foresee, of a client; undefined for a server (RFC 6455 §5.3).
 * @returns Its octets, whole. Never throws.
 */
export function frame(kind: FrameKind, last: boolean, bytes: Uint8Array, mask?: Uint8Array): Buffer {
  const { length } = bytes;
  const extended = length < LENGTH_16 ? 0 : length <= 0xffff ? 2 : 8;
  const begin = 2 + extended + (mask === undefined ? 0 : MASK_BYTES);
  const out = Buffer.allocUnsafe(begin + length);
  out[0] = (last ? FIN : 0) | OPCODE[kind];
  out[1] =
    (mask === undefined ? 0 : MASKED) | (extended === 0 ? length : extended === 2 ? LENGTH_16 : LENGTH_64);
  if (extended === 2) out.writeUInt16BE(length, 2);
  if (extended === 8) out.writeBigUInt64BE(BigInt(length), 2);
  if (mask === undefined) out.set(bytes, begin);
  else {
    out.set(mask, begin - MASK_BYTES);
    for (let at = 0; at < length; at++) out[begin + at] = bytes[at]! ^ mask[at & 3]!;
  }
  return out;
}
