/**
 * The recording's file format, version 2. Version 1 is read, and no longer written.
 *
 *     "HOOPREC2"  u32 length  JSON {schemaVersion, session, protocol, startedAt}          the header
 *     then segments:
 *     "HSEG" | "HEND"  u8 codec  3 zero octets  u32 stored length  u32 raw length
 *     u64 time of the first frame, µs since the start  32 octets prev  32 octets hash  payload
 *
 * Numbers are big-endian. `hash` is the SHA-256 of the segment's octets before it and of its payload; `prev` is the
 * hash of the segment before, and for the first one the SHA-256 of the file's header. The payload of `HSEG` is frames,
 * that of `HEND`, the last segment of a recording that was closed, is JSON {reason, frames, bytes}.
 *
 * A frame is `u8 kind, varint stream, varint operation, varint µs since the frame before (of the segment), varint
 * length, octets`. A stream is one connection or channel of the session, numbered from 0; all frames of a session stand
 * in the order in which they came. An operation is numbered from 1 by its `request`, the only frame that holds its id;
 * 0 is none. A frame names no operation whose request has not come before it.
 *
 * | kind | octets |
 * | --- | --- |
 * | 0 `request` | the operation's id, NUL, its masked text |
 * | 1 `response` | bytes of the protocol as the client receives them |
 * | 2 `note` | text of the gateway's own |
 * | 3 `input` 4 `output` 5 `stderr` | bytes of a terminal or a pipe, after masking |
 * | 6 `resize` | u16 columns, u16 rows; the first one says that the stream has a terminal |
 * | 7 `status` | text: how the operation ended, in the protocol's words (`exit 1`, `signal KILL`) |
 * | 8 `request-head` 10 `response-head` | JSON {start, fields: [[name, value], …]}, masked |
 * | 9 `request-body` 11 `response-body` | bytes after masking, transfer coding taken away |
 * | 12 `closed` | text: why the stream ended, where it ends before its session |
 *
 * How protocols use it:
 *
 * - PostgreSQL: `request` for each statement, `response` for everything that the client receives. One write holds the
 *   answers of many statements, so `response` names no operation.
 * - HTTP: a stream for each connection. `request` holds one line for people (`GET /v1/orders?page=…`), then come
 *   `request-head` (start as that line), `request-body`, `response-head` (start `200`; one more for each 1xx and, start
 *   `trailers`, for these) and `response-body`, all with the request's operation: with HTTP/2 several go on at once. A
 *   connection that was upgraded goes on with `input` and `output`.
 * - SSH: a stream for each channel. `request` for `exec`, `shell` or a subsystem, `resize` for `pty-req` and
 *   `window-change`, `input`, `output` and `stderr` for data, `status` for `exit-status` and `exit-signal`. Of SFTP
 *   there is a `request` for each thing that is done to a path (`sftp open for read /etc/hosts`), a `note` of what was
 *   copied with its size and hash, and a `status` (`SSH_FX_OK`); not the file.
 * - Kubernetes: as HTTP; `watch` and `logs` are a `response-body` in many frames. `exec` and `attach` go on, under the
 *   same operation, as SSH does: `input`, `output`, `stderr`, `resize`, and `status` for the error channel.
 *
 * A frame of version 1 has neither stream nor operation, and is of one of the first three kinds.
 */
import { createHash } from 'node:crypto';

/** Followed by the version's digit. */
export const FILE_MAGIC = 'HOOPREC';
export const SEGMENT_HEAD_BYTES = 4 + 1 + 3 + 4 + 4 + 8 + 32 + 32;
export const FILE_HEAD_BYTES = 12;
const HASH_AT = SEGMENT_HEAD_BYTES - 32;
/** Refused by readers before memory is taken: a writer cuts at 256 KiB and its largest frame is 1 MiB. */
const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;
export const MAX_FRAME_BYTES = 1024 * 1024;

export const CODEC = { raw: 0, zstd: 1 } as const;
export type Codec = (typeof CODEC)[keyof typeof CODEC];
/** In the order of their numbers. */
const FRAME_KINDS = [
  'request',
  'response',
  'note',
  'input',
  'output',
  'stderr',
  'resize',
  'status',
  'request-head',
  'request-body',
  'response-head',
  'response-body',
  'closed',
] as const;
export type FrameKind = (typeof FRAME_KINDS)[number];
/** Kinds that version 1 had. */
const KINDS_OF_1 = 3;

export const FORMAT_VERSIONS = [1, 2] as const;
export type FormatVersion = (typeof FORMAT_VERSIONS)[number];

export interface RecordingHeader {
  readonly schemaVersion: FormatVersion;
  readonly session: string;
  readonly protocol: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

export interface Frame {
  readonly kind: FrameKind;
  /** Of the session, from 0. */
  readonly stream: number;
  /** Number of the operation within the recording, from 1; 0: none. */
  readonly operation: number;
  /** Microseconds since the session's start. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface SegmentHead {
  readonly end: boolean;
  readonly codec: Codec;
  readonly storedBytes: number;
  readonly rawBytes: number;
  /** Microseconds since the session's start. */
  readonly at: number;
  readonly prev: Buffer;
  readonly hash: Buffer;
}

/** @returns The file's header and its hash, which the first segment carries as `prev`. */
export function encodeHeader(header: RecordingHeader): { readonly bytes: Buffer; readonly hash: Buffer } {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  const bytes = Buffer.concat([Buffer.from(`${FILE_MAGIC}${header.schemaVersion}`), length, json]);
  return { bytes, hash: sha256(bytes) };
}

/** @returns The segment's octets before its payload, and its hash. */
export function encodeSegment(
  segment: Omit<SegmentHead, 'hash' | 'storedBytes'>,
  payload: Uint8Array,
): { readonly head: Buffer; readonly hash: Buffer } {
  const head = Buffer.alloc(SEGMENT_HEAD_BYTES);
  head.write(segment.end ? 'HEND' : 'HSEG', 0, 'latin1');
  head.writeUInt8(segment.codec, 4);
  head.writeUInt32BE(payload.length, 8);
  head.writeUInt32BE(segment.rawBytes, 12);
  head.writeBigUInt64BE(BigInt(Math.max(0, Math.round(segment.at))), 16);
  segment.prev.copy(head, 24);
  const hash = sha256(head.subarray(0, HASH_AT), payload);
  hash.copy(head, HASH_AT);
  return { head, hash };
}

/** @returns Undefined if it is no segment's head, or one over the caps. */
export function parseSegmentHead(head: Buffer): SegmentHead | undefined {
  const magic = head.toString('latin1', 0, 4);
  const codec = head.readUInt8(4);
  const storedBytes = head.readUInt32BE(8);
  const rawBytes = head.readUInt32BE(12);
  const known = magic === 'HSEG' || magic === 'HEND';
  if (!known || (codec !== CODEC.raw && codec !== CODEC.zstd)) return undefined;
  if (storedBytes > MAX_SEGMENT_BYTES || rawBytes > MAX_SEGMENT_BYTES) return undefined;
  const at = Number(head.readBigUInt64BE(16));
  const prev = head.subarray(24, HASH_AT);
  return { end: magic === 'HEND', codec, storedBytes, rawBytes, at, prev, hash: head.subarray(HASH_AT) };
}

/** The hash that a segment ought to carry. */
export function segmentHash(head: Buffer, payload: Uint8Array): Buffer {
  return sha256(head.subarray(0, HASH_AT), payload);
}

/** What `writeFrame` puts before a frame's octets, at most. */
export const FRAME_HEAD_BYTES = 1 + 7 + 7 + 7 + 7;

/**
 * Writes one frame into a payload.
 *
 * @param before Time of the frame before it, of the segment itself for the first: times must not go down.
 * @returns Where the next one goes. There must be room for its octets and `FRAME_HEAD_BYTES`.
 */
export function writeFrame(out: Buffer, start: number, frame: Frame, before: number): number {
  let offset = start;
  out[offset++] = FRAME_KINDS.indexOf(frame.kind);
  offset = writeVarint(out, offset, frame.stream);
  offset = writeVarint(out, offset, frame.operation);
  offset = writeVarint(out, offset, frame.at - before);
  offset = writeVarint(out, offset, frame.bytes.length);
  out.set(frame.bytes, offset);
  return offset + frame.bytes.length;
}

/** @param at The segment's own time. @returns Undefined if the payload is not frames to its last octet. */
export function decodeFrames(payload: Buffer, at: number, version: FormatVersion): Frame[] | undefined {
  const frames: Frame[] = [];
  const cursor = { offset: 0 };
  for (let time = at; cursor.offset < payload.length; ) {
    const number = payload[cursor.offset++]!;
    const kind = version === 1 && number >= KINDS_OF_1 ? undefined : FRAME_KINDS[number];
    const stream = version === 1 ? 0 : readVarint(payload, cursor);
    const operation = version === 1 ? 0 : readVarint(payload, cursor);
    time += readVarint(payload, cursor);
    const length = readVarint(payload, cursor);
    const end = cursor.offset + length;
    // NaN where an octet is missing.
    if (kind === undefined || !(stream + operation + time >= 0) || !(end <= payload.length)) return undefined;
    frames.push({ kind, stream, operation, at: time, bytes: payload.subarray(cursor.offset, end) });
    cursor.offset = end;
  }
  return frames;
}

/** LEB128, at most seven octets (2^49): 17 years in microseconds. */
function writeVarint(out: Buffer, start: number, value: number): number {
  let offset = start;
  let rest = Math.min(Math.max(0, Math.round(value)), 2 ** 49 - 1);
  for (; rest >= 128; rest = Math.floor(rest / 128)) out[offset++] = (rest % 128) + 128;
  out[offset++] = rest;
  return offset;
}

function readVarint(bytes: Buffer, cursor: { offset: number }): number {
  for (let value = 0, factor = 1; factor < 2 ** 49; factor *= 128) {
    const octet = bytes[cursor.offset++];
    if (octet === undefined) return Number.NaN;
    value += (octet & 127) * factor;
    if (octet < 128) return value;
  }
  return Number.NaN;
}

function sha256(...parts: Uint8Array[]): Buffer {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
}
