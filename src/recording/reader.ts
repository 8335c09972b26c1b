import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { HoopError } from '../core/errors.ts';
import {
  CODEC,
  decodeFrames,
  encodeHeader,
  FILE_HEAD_BYTES,
  FILE_MAGIC,
  type Frame,
  parseSegmentHead,
  type RecordingHeader,
  SEGMENT_HEAD_BYTES,
  type SegmentHead,
  segmentHash,
} from './format.ts';

const decompress = promisify(zstdDecompress);
const MAX_HEADER_BYTES = 64 * 1024;

/** What a recording shows, in order: one header, frames, one end. */
export type RecordedItem =
  | ({ readonly kind: 'header' } & RecordingHeader)
  | { readonly kind: 'request'; readonly atMicros: number; readonly operation: string; readonly text: string }
  | { readonly kind: 'response'; readonly atMicros: number; readonly bytes: Uint8Array }
  | { readonly kind: 'note'; readonly atMicros: number; readonly text: string }
  | RecordingEnd;

interface RecordingEnd {
  readonly kind: 'end';
  /** Of the last frame, or of the end mark. */
  readonly atMicros: number;
  /** As given to `close`; `interrupted` if there is no end mark. */
  readonly reason: string;
  /** The end mark was read. False: the gateway died, the disk was full, or the session is still live. */
  readonly complete: boolean;
  /** Hash of the last segment read, hex: compare it with the audit's `session.ended`. */
  readonly sha256: string;
}

/**
 * Reads a recording, one segment at a time.
 *
 * A tail that is not whole, as a crash leaves it, ends the recording with `complete: false`. Bytes of `response` are
 * whatever the session's client received, in pieces of at most 1 MiB.
 *
 * @throws {HoopError} `ERR_NO_ACCESS` there is no such file; `ERR_VERIFY` a segment before the last does not match its
 *   hash or its predecessor's, or the file is no recording: what was yielded before was good.
 */
export async function* readRecording(path: string): AsyncGenerator<RecordedItem> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw new HoopError('ERR_NO_ACCESS', 'there is no such recording', { cause });
  });
  try {
    const file = new Source(handle);
    const header = await readHeader(file);
    yield { kind: 'header', ...header.value };
    yield* readSegments(file, header.hash);
  } finally {
    await handle.close();
  }
}

async function* readSegments(file: Source, headerHash: Buffer): AsyncGenerator<RecordedItem> {
  let prev = headerHash;
  let atMicros = 0;
  for (
    let segment = await readSegment(file, prev);
    segment !== undefined;
    segment = await readSegment(file, prev)
  ) {
    prev = segment.head.hash;
    atMicros = Math.max(atMicros, segment.head.at);
    const sha256 = prev.toString('hex');
    if (segment.head.end) {
      if (!(await file.atEnd())) throw tampered('something follows the end mark');
      yield { kind: 'end', atMicros, reason: endReason(segment.raw), complete: true, sha256 };
      return;
    }
    const frames = decodeFrames(segment.raw, segment.head.at);
    if (frames === undefined) throw tampered('a segment does not hold frames');
    for (const frame of frames) yield item(frame);
    atMicros = frames.at(-1)?.at ?? atMicros;
  }
  yield { kind: 'end', atMicros, reason: 'interrupted', complete: false, sha256: prev.toString('hex') };
}

/** @returns Undefined where the file ends, or ends in a segment that is not whole. */
async function readSegment(
  file: Source,
  prev: Buffer,
): Promise<{ readonly head: SegmentHead; readonly raw: Buffer } | undefined> {
  const octets = await file.take(SEGMENT_HEAD_BYTES);
  if (octets === undefined) return undefined;
  const head = parseSegmentHead(octets);
  const payload = head === undefined ? undefined : await file.take(head.storedBytes);
  if (head !== undefined && payload === undefined) return undefined;
  const whole = head !== undefined && payload !== undefined && segmentHash(octets, payload).equals(head.hash);
  if (!whole || !head.prev.equals(prev)) {
    // A power cut may leave a last segment whose octets never reached the disk.
    if (!whole && (await file.atEnd())) return undefined;
    throw tampered('a segment does not match its hash');
  }
  return { head, raw: await inflate(head, payload) };
}

async function inflate(head: SegmentHead, payload: Buffer): Promise<Buffer> {
  if (head.codec === CODEC.raw) return payload;
  try {
    const raw = await decompress(payload, { maxOutputLength: Math.max(1, head.rawBytes) });
    if (raw.length === head.rawBytes) return raw;
  } catch {
    // Told below: our own writer makes no such segment.
  }
  throw tampered('a segment cannot be decompressed');
}

async function readHeader(file: Source): Promise<{ readonly value: RecordingHeader; readonly hash: Buffer }> {
  const head = await file.take(FILE_HEAD_BYTES);
  const length = head?.toString('latin1', 0, 8) === FILE_MAGIC ? head.readUInt32BE(8) : MAX_HEADER_BYTES + 1;
  const json = length > MAX_HEADER_BYTES ? undefined : await file.take(length);
  if (json === undefined) throw tampered('it is not a recording');
  try {
    const value = JSON.parse(json.toString()) as RecordingHeader;
    const { bytes, hash } = encodeHeader(value);
    if (value.schemaVersion === 1 && bytes.subarray(FILE_HEAD_BYTES).equals(json)) return { value, hash };
  } catch {
    // Told below.
  }
  throw tampered('its header cannot be read');
}

function item(frame: Frame): RecordedItem {
  if (frame.kind === 'response') return { kind: 'response', atMicros: frame.at, bytes: frame.bytes };
  const text = Buffer.from(frame.bytes).toString();
  if (frame.kind === 'note') return { kind: 'note', atMicros: frame.at, text };
  const cut = text.indexOf('\0');
  return {
    kind: 'request',
    atMicros: frame.at,
    operation: text.slice(0, Math.max(0, cut)),
    text: text.slice(cut + 1),
  };
}

function endReason(raw: Buffer): string {
  try {
    return String((JSON.parse(raw.toString()) as { reason?: unknown }).reason);
  } catch {
    throw tampered('its end mark cannot be read');
  }
}

function tampered(detail: string): HoopError {
  return new HoopError('ERR_VERIFY', 'the recording is damaged or was changed', { detail });
}

/** Reads forward; a piece is whole or not there. */
class Source {
  readonly #handle: FileHandle;
  #offset = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async take(length: number): Promise<Buffer | undefined> {
    const size = (await this.#handle.stat()).size;
    if (this.#offset + length > size) return undefined;
    const buffer = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#handle.read(buffer, done, length - done, this.#offset + done);
      if (bytesRead === 0) return undefined;
      done += bytesRead;
    }
    this.#offset += length;
    return buffer;
  }

  async atEnd(): Promise<boolean> {
    return this.#offset >= (await this.#handle.stat()).size;
  }
}
